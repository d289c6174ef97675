"""Definitions and contracts as a person writes them: TOML files, and the presets that ship with the package.

A definition file states every parameter, or names a preset in `based_on` and states what differs. Times of day are
written "08:00-24:00", instants as dates or ISO times in the definition's own zone, durations in seconds with `_s`.
The zone's offsets are looked up once, here, and travel in the definition from then on.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib import resources
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_type_hints
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
_T = TypeVar("_T")
_NO_TARGET: Final = "none"
_MIDNIGHT: Final = "00:00"
_LEFT_OUT: Final[Mapping[type, Mapping[str, Any]]] = {
    Definition: {"unanswered_cap_ms": None, "next_response_limit_ms": None, "special_days": {}},
    Contract: {"title": "", "effective_until": None, "running_in_until": None, "attainment_target_bp": None},
}
"""Fields that a file may leave out though the document states them, and what they are then."""
_MADE_HERE: Final = frozenset({"zone_offsets"})
_WRITTEN: Final[Mapping[str, str]] = {
    "business_day_starts_minute": "business_day_starts",
    "period_starts_minute": "period_starts",
    "warnings": "warnings_after_s",
}
"""Fields that a person writes under another name; `_ms` is written `_s` besides."""


def preset_names() -> list[str]:
    """Names of the definitions that ship with the package."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in resources.files("sla_engine").joinpath("presets").iterdir()
        if entry.name.endswith(".toml")
    )


@cache
def load_preset(name: str) -> Definition:
    """A definition that ships with the package. Raises DefinitionError."""
    return _definition(_preset_table(name))


def preset_versions(definition: str) -> list[Definition]:
    """Every version of a definition of that name which ships with the package, the oldest first.

    A preset is called after its definition; where there are several versions, the name of each says more.
    """
    found = [load_preset(name) for name in preset_names() if name.startswith(definition)]
    return sorted((each for each in found if each.name == definition), key=lambda each: each.version)


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
    said = _table(text)
    _check_keys(Contract, said, frozenset({"time_zone"}))
    table = {**_LEFT_OUT[Contract], **said}
    zone = _zone(table.pop("time_zone"))
    for key in ("effective_from", "effective_until", "running_in_until"):
        if table[key] is not None:
            table[key] = _instant(key, table[key], zone)
    table["period_starts_minute"] = _start_of_day("period_starts", table.pop("period_starts", _MIDNIGHT))
    table["special_targets"] = [
        (day, None if target == _NO_TARGET else target) for day, target in _entries(table, "special_targets")
    ]
    table["warnings"] = [
        (queue, [_duration(f"warnings_after_s.{queue}", each) for each in _list(f"warnings_after_s.{queue}", instants)])
        for queue, instants in _entries(table, "warnings_after_s")
    ]
    contract = _convert(table, said, Contract)
    contracts.check(contract)
    return contract


@cache
def zone_offsets(name: str) -> tuple[tuple[int, int], ...]:
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
    return tuple(found)


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


def _definition(said: dict[str, Any]) -> Definition:
    based_on = said.pop("based_on", None)
    if based_on is not None:
        said = _preset_table(based_on) | said
    for key in _MADE_HERE & said.keys():
        raise DefinitionError(key, "...", "is made from time_zone", f"leave {key} out")
    _check_keys(Definition, said, frozenset())
    table = {**_LEFT_OUT[Definition], **said}
    name = table["time_zone"]
    zone = _zone(name)
    table["zone_offsets"] = zone_offsets(str(name))
    table["effective_from"] = _instant("effective_from", table["effective_from"], zone)
    for field in Definition.__struct_fields__:
        if field.endswith("_ms"):
            key = file_key(field)
            table[field] = _duration(key, table.pop(key, None))
    table["business_day_starts_minute"] = _start_of_day("business_day_starts", table.pop("business_day_starts"))
    table["service_windows"] = _windows("service_windows", table["service_windows"])
    table["weekday_windows"] = sorted(
        (_weekday(day), _windows(f"weekday_windows.{day}", said_of))
        for day, said_of in _entries(table, "weekday_windows")
    )
    table["yearly_days"] = [
        (day, _windows(f"yearly_days.{day}", said_of)) for day, said_of in _entries(table, "yearly_days")
    ]
    table["special_days"] = [_special_day(day, said_of) for day, said_of in _entries(table, "special_days")]
    definition = _convert(table, said, Definition)
    definitions.check(definition)
    return definition


def _special_day(day: str, said: object) -> tuple[str, list[tuple[int, int]], int | None]:
    """A list of windows, or a table of `windows` and `first_response_limit_s`."""
    key = f"special_days.{day}"
    if not isinstance(said, dict):
        return day, _windows(key, said), None
    for unknown in said.keys() - {"windows", "first_response_limit_s"}:
        raise DefinitionError(f"{key}.{unknown}", said[unknown], "no such key", "write windows, first_response_limit_s")
    limit = _duration(f"{key}.first_response_limit_s", said.get("first_response_limit_s"))
    return day, _windows(f"{key}.windows", said.get("windows")), limit


def _weekday(name: str) -> int:
    days = definitions.WEEKDAYS
    if name not in days:
        raise DefinitionError("weekday_windows", name, "no day of the week", f"write one of {', '.join(days)}")
    return days.index(name)


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


def file_key(field: str) -> str:
    """What a field is called in a file."""
    return _WRITTEN.get(field, f"{field.removesuffix('_ms')}_s" if field.endswith("_ms") else field)


def _check_keys(kind: type[msgspec.Struct], said: Mapping[str, Any], besides: frozenset[str]) -> None:
    """Refuse a key that no such file has, and one that is left out. Raises DefinitionError."""
    fields = [field for field in msgspec.structs.fields(kind) if field.name not in _MADE_HERE]
    known = {file_key(field.name) for field in fields} | besides
    for key in said.keys() - known:
        close = get_close_matches(key, known, n=1)
        fix = f"write {close[0]}" if close else f"leave it out; there are: {', '.join(sorted(known))}"
        raise DefinitionError(key, said[key], "no such key", fix)
    needed = {
        file_key(field.name) for field in fields if field.required and field.name not in _LEFT_OUT[kind]
    } | besides
    missing = sorted(needed - said.keys())
    if missing:
        fix = "state them" if kind is Contract else 'state them, or write based_on = "contract-10s" and what differs'
        raise DefinitionError(missing[0], "nothing", f"not stated: {', '.join(missing)}", fix)


def _convert(table: Mapping[str, Any], said: Mapping[str, Any], kind: type[_T]) -> _T:
    """`table` as a struct; `said` is what the file says, for the words of the error."""
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        field = where.strip("`$.").partition("[")[0]
        key = file_key(field)
        words = ", ".join(_words(get_type_hints(kind).get(field)))
        fix = f"write one of: {words}" if words else "see docs/reference/definitions.md"
        raise DefinitionError(key, said.get(key, ""), problem, fix) from None


def _words(hint: object) -> Iterator[str]:
    """The words a field takes, if it takes words of a closed list."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        yield from hint
    for part in get_args(hint):
        yield from _words(part)


def _entries(table: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    """Take the table under `key` out: what it says of each name, in the order of the names."""
    said = table.pop(key, {})
    if not isinstance(said, dict):
        raise DefinitionError(key, said, "not a table", f"write it as {key}.NAME = ...")
    return sorted(said.items(), key=lambda entry: entry[0])


def _list(key: str, said: object) -> list[Any]:
    if not isinstance(said, list):
        raise DefinitionError(key, said, "not a list", "write it in brackets, such as [6, 8]")
    return said


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
    if colon and hours.isdecimal() and minutes.isdecimal() and int(hours) <= HOURS_PER_DAY and int(minutes) < 60:
        minute = int(hours) * 60 + int(minutes)
        if minute <= definitions.MINUTES_PER_DAY:
            return minute
    raise DefinitionError(key, text, "no time of day", 'write it as "HH:MM", 00:00 to 24:00')


def _start_of_day(key: str, said: object) -> int:
    minute = _minute(key, str(said))
    if minute == definitions.MINUTES_PER_DAY:
        raise DefinitionError(key, said, "no start of a day", 'write it as "HH:MM", 00:00 to 23:59')
    return minute


def _duration(key: str, seconds: object) -> int | None:
    """Whole ms of a number of seconds."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isfinite(seconds):
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
