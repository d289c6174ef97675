"""Definitions and contracts as a person writes them: TOML files, and the presets that ship with the package.

A definition file states every parameter, or names a preset in `based_on` and states what differs. Times of day are
written "08:00-24:00", instants as dates or ISO times in the definition's own zone, durations in seconds with `_s`.
The zone's offsets are looked up once, here, and travel in the definition from then on.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from sla_engine._core import contract as contracts
from sla_engine._core import definition as definitions
from sla_engine._core.contract import Contract
from sla_engine._core.definition import Definition, DefinitionError

OFFSETS_FROM: Final = datetime(1990, 1, 1, tzinfo=UTC)
OFFSETS_UNTIL: Final = datetime(2045, 1, 1, tzinfo=UTC)
"""The table of a zone's offsets covers these years; the last offset holds after them. Wider would not fit an entry."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS: Final = timedelta(milliseconds=1)
HOURS_PER_DAY: Final = 24
_STRIDE: Final = timedelta(weeks=1)
_SECONDS_KEYS: Final = frozenset(
    name.removesuffix("_ms") for name in Definition.__struct_fields__ if name.endswith("_ms")
)
_T = TypeVar("_T")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MIDNIGHT: Final = "00:00"
_MADE_HERE: Final = frozenset({"zone_offsets"})


def preset_names() -> list[str]:
    """Names of the definitions that ship with the package."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in resources.files("sla_engine").joinpath("presets").iterdir()
        if entry.name.endswith(".toml")
    )


def load_preset(name: str) -> Definition:
    """A definition that ships with the package. Raises DefinitionError."""
    return _definition(_preset_table(name))


def load_definition(path: Path) -> Definition:
    """The definition in a file. Raises DefinitionError naming key, value and fix; OSError when it cannot be read."""
    return parse_definition(path.read_text(encoding="utf-8"))


def parse_definition(text: str) -> Definition:
    """The definition in the text of a file. Raises DefinitionError."""
    return _definition(_table(text))


def load_contract(path: Path) -> Contract:
    """The contract in a file. Raises DefinitionError; OSError when it cannot be read."""
    return parse_contract(path.read_text(encoding="utf-8"))


def parse_contract(text: str) -> Contract:
    """The contract in the text of a file. `time_zone` says in which zone its dates begin. Raises DefinitionError."""
    table = _table(text)
    zone = _zone(table.pop("time_zone", ""))
    for key in ("effective_from", "effective_until", "running_in_until"):
        if key in table:
            table[key] = _instant(key, table[key], zone)
    for key in ("effective_until", "running_in_until", "attainment_target_bp"):
        table.setdefault(key, None)
    table.setdefault("title", "")
    starts = str(table.pop("period_starts", _MIDNIGHT))
    table["period_starts_minute"] = _minute("period_starts", starts)
    targets = table.pop("special_targets", {})
    table["special_targets"] = [(day, targets[day] or None) for day in sorted(targets)]
    warnings = table.pop("warnings_after_s", {})
    table["warnings"] = [
        (queue, [_duration(f"warnings_after_s.{queue}", each) for each in warnings[queue]])
        for queue in sorted(warnings)
    ]
    contract = _convert(table, Contract)
    contracts.check(contract)
    return contract


def zone_offsets(name: str) -> list[tuple[int, int]]:
    """(instant in ms, offset in s) of each change of offset in a zone, the first one at the start of the table."""
    zone = _zone(name)
    found = [(_ms_of(OFFSETS_FROM), _offset_s(zone, OFFSETS_FROM))]
    at = OFFSETS_FROM
    while at < OFFSETS_UNTIL:
        following = min(at + _STRIDE, OFFSETS_UNTIL)
        if _offset_s(zone, following) != found[-1][1]:
            change = _change_between(zone, at, following)
            found.append((_ms_of(change), _offset_s(zone, change)))
            at = change
        else:
            at = following
    return found


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second in (before, after] that has another offset than `before`."""
    offset = _offset_s(zone, before)
    low, high = 0, (after - before) // timedelta(seconds=1)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(zone, before + timedelta(seconds=middle)) == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _definition(table: dict[str, Any]) -> Definition:
    based_on = table.pop("based_on", None)
    if based_on is not None:
        table = _preset_table(based_on) | table
    name = table.get("time_zone", "")
    zone = _zone(name)
    for key in _MADE_HERE & table.keys():
        raise DefinitionError(key, "...", "is made from time_zone", f"leave {key} out")
    table["zone_offsets"] = zone_offsets(name)
    if "effective_from" in table:
        table["effective_from"] = _instant("effective_from", table["effective_from"], zone)
    for key in ("unanswered_cap_s", "next_response_limit_s"):
        table.setdefault(key, None)
    for key in [key for key in table if key.removesuffix("_s") in _SECONDS_KEYS and key.endswith("_s")]:
        table[f"{key.removesuffix('_s')}_ms"] = _duration(key, table.pop(key))
    if "business_day_starts" in table:
        start = table.pop("business_day_starts")
        table["business_day_starts_minute"] = _minute("business_day_starts", str(start))
    if "service_windows" in table:
        table["service_windows"] = _windows("service_windows", table["service_windows"])
    weekdays = table.pop("weekday_windows", {})
    table["weekday_windows"] = sorted(
        (_weekday(day), _windows(f"weekday_windows.{day}", weekdays[day])) for day in weekdays
    )
    yearly = table.pop("yearly_days", {})
    table["yearly_days"] = [(day, _windows(f"yearly_days.{day}", yearly[day])) for day in sorted(yearly)]
    special = table.pop("special_days", {})
    table["special_days"] = [_special_day(day, special[day]) for day in sorted(special)]
    definition = _convert(table, Definition)
    definitions.check(definition)
    return definition


def _special_day(day: str, said: object) -> tuple[str, list[tuple[int, int]], int | None]:
    """A list of windows, or a table of `windows` and `first_response_limit_s`."""
    key = f"special_days.{day}"
    if not isinstance(said, dict):
        return day, _windows(key, said), None
    limit = _duration(f"{key}.first_response_limit_s", said.pop("first_response_limit_s", None))
    windows = _windows(f"{key}.windows", said.pop("windows", None))
    for unknown in said:
        raise DefinitionError(f"{key}.{unknown}", said[unknown], "no such key", "write windows, first_response_limit_s")
    return day, windows, limit


def _weekday(name: str) -> int:
    if name not in _WEEKDAYS:
        raise DefinitionError("weekday_windows", name, "no day of the week", f"write one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(name)


def _preset_table(name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise DefinitionError("based_on", name, "no such preset", f"there are: {', '.join(preset_names())}")
    text = resources.files("sla_engine").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return _table(text)


def _table(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError("file", "TOML", str(error), "see docs/reference/definitions.md for the form") from None


def _convert(table: Mapping[str, Any], kind: type[_T]) -> _T:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        key = where.strip("`$.[") or "file"
        raise DefinitionError(key, table.get(key, ""), problem, "see docs/reference/definitions.md") from None


def _windows(key: str, texts: object) -> list[tuple[int, int]]:
    if not isinstance(texts, list):
        raise DefinitionError(key, texts, "not a list", 'write a list such as ["08:00-24:00"], or [] for closed')
    windows = []
    for text in texts:
        opens, dash, closes = str(text).partition("-")
        if not dash:
            raise DefinitionError(key, text, "no window", 'write it as "08:00-24:00"')
        start, end = _minute(key, opens), _minute(key, closes)
        windows.append((start, end if end > start else end + definitions.MINUTES_PER_DAY))
    return windows


def _minute(key: str, text: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    if colon and hours.isdigit() and minutes.isdigit() and int(hours) <= HOURS_PER_DAY and int(minutes) < 60:
        minute = int(hours) * 60 + int(minutes)
        if minute <= definitions.MINUTES_PER_DAY:
            return minute
    raise DefinitionError(key, text, "no time of day", 'write it as "HH:MM", 00:00 to 24:00')


def _duration(key: str, seconds: object) -> int | None:
    """Whole ms of a number of seconds."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise DefinitionError(key, seconds, "not a number of seconds", "write it as 10 or 0.5")
    ms = round(seconds * 1000)
    if abs(seconds * 1000 - ms) > 1e-6:
        raise DefinitionError(key, seconds, "finer than a millisecond", "write at most three decimals")
    return ms


def _instant(key: str, value: object, zone: ZoneInfo) -> int:
    """Ms of a TOML date (its first moment in `zone`) or date-time (in `zone` unless it says its own offset)."""
    if isinstance(value, datetime):
        at = value if value.tzinfo is not None else value.replace(tzinfo=zone)
    elif isinstance(value, date):
        at = datetime(value.year, value.month, value.day, tzinfo=zone)
    else:
        raise DefinitionError(key, value, "neither a date nor a date-time", "write it as 2026-11-01, without quotes")
    return _ms_of(at)


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DefinitionError("time_zone", name, "no such zone", 'write an IANA name such as "Asia/Shanghai"') from None


def _offset_s(zone: ZoneInfo, at: datetime) -> int:
    return (at.astimezone(zone).utcoffset() or timedelta()) // timedelta(seconds=1)


def _ms_of(at: datetime) -> int:
    return (at - _EPOCH) // _ONE_MS
