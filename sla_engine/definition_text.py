"""A definition as the text of a file, with the number of the edge case beside each parameter.

Loaded again, it is the same definition as long as the time zone database has the same offsets.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sla_engine._core.definition import MINUTES_PER_DAY, WEEKDAYS, Definition, ServiceWindow, seconds, time_of_day
from sla_engine.definition_files import file_key

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CASES: Final = {
    "clock_start": "E1",
    "valid_reply": "E2",
    "credit": "E3",
    "on_transfer": "E4",
    "repeated_turns": "E5",
    "gap_to_new_session_s": "E6",
    "out_of_hours": "E7",
    "window_closes": "E8",
    "answered_out_of_hours": "E9",
    "never_answered": "E10",
    "unanswered_cap_s": "E10",
    "left_before_target": "E11",
    "short_abandon_s": "E11",
    "turn_ends": "E12",
    "nobody_online": "E13",
    "inbound_forms": "E14",
    "outbound": "E15",
    "boundary": "E16",
    "clock_domains": "E17",
    "effective_from": "E18",
    "redefinition": "E18",
}
"""Key of a definition file -> the edge case of docs/reference/definitions.md it settles."""
_TABLES: Final = frozenset({"weekday_windows", "yearly_days", "special_days"})
# Layout: of a file that is printed.
_COMMENT_AT: Final = 60


def definition_text(definition: Definition) -> str:
    """The text of a file that says what `definition` says, every parameter stated."""
    lines = []
    for field in definition.__struct_fields__:
        value = getattr(definition, field)
        if field in _TABLES or field == "zone_offsets" or value is None:
            continue
        key = file_key(field)
        line = f"{key} = {_value(field, value, definition)}"
        lines.append(f"{line:<{_COMMENT_AT}}  # {CASES[key]}" if key in CASES else line)
    return "\n".join([*lines, *_tables(definition)]) + "\n"


def _value(field: str, value: Any, definition: Definition) -> str:  # noqa: ANN401 - of a field of any type
    if field == "service_windows":
        return _windows(value)
    if field == "effective_from":
        return _instant(value, ZoneInfo(definition.time_zone))
    if field.endswith("_minute"):
        return _text(time_of_day(value))
    if field.endswith("_ms"):
        return seconds(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_text(each) for each in value)}]"
    return _text(value) if isinstance(value, str) else str(value).lower()


def _tables(definition: Definition) -> Iterator[str]:
    for weekday in definition.weekday_windows:
        yield f"weekday_windows.{WEEKDAYS[weekday.weekday]} = {_windows(weekday.windows)}"
    for yearly in definition.yearly_days:
        yield f"yearly_days.{yearly.month_day} = {_windows(yearly.windows)}"
    for special in definition.special_days:
        windows, limit_ms = _windows(special.windows), special.first_response_limit_ms
        said = (
            windows if limit_ms is None else f"{{ windows = {windows}, first_response_limit_s = {seconds(limit_ms)} }}"
        )
        yield f"special_days.{special.date} = {said}"


def _windows(windows: tuple[ServiceWindow, ...]) -> str:
    return f"[{', '.join(_text(_window(window)) for window in windows)}]"


def _window(window: ServiceWindow) -> str:
    closes = window.closes_minute
    within_the_day = closes if closes <= MINUTES_PER_DAY else closes - MINUTES_PER_DAY
    return f"{time_of_day(window.opens_minute)}-{time_of_day(within_the_day)}"


def _instant(at: int, zone: ZoneInfo) -> str:
    moment = (_EPOCH + timedelta(milliseconds=at)).astimezone(zone)
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    return moment.date().isoformat() if midnight.astimezone(UTC) == moment else moment.isoformat()


def _text(word: str) -> str:
    """A TOML basic string; JSON escapes what it must in the same way."""
    return json.dumps(word, ensure_ascii=False)
