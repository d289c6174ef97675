"""Definitions and contracts as a person writes them: TOML files, and the presets that ship with the package.

A definition file states every parameter, or names a preset in `based_on` and states what differs. Times of day are
written "08:00-24:00", instants as dates or ISO times in the definition's own zone, durations in seconds with `_s`.
The zone's offsets are looked up once, here, and travel in the definition from then on.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from sla_engine import definition_values as values
from sla_engine._core import contract as contracts
from sla_engine._core import definition as definitions
from sla_engine._core.contract import Contract
from sla_engine._core.definition import Definition, DefinitionError
from wire.allowed import allowed
from wire.toml import read_toml
from wire.zones import changes_of

_EXAMPLE: Final = "contract-10s"
_STAND_IN: Final[Mapping[str, Any]] = {
    "name": "x",
    "client": "x",
    "title": "",
    "queues": ["*"],
    "definitions": ["x"],
    "settlement": "month",
    "time_zone": "UTC",
    "effective_from": 0,
    "effective_until": None,
    "running_in_until": None,
    "attainment_target_bp": None,
    "period_starts_minute": 0,
    "special_targets": [],
    "warnings": [],
}
"""What stands for a value of a contract that cannot be read while the others are looked at."""
_FIRST_DAY: Final = {"effective_from": date(1970, 1, 1)}
"""As a file would state it."""
_FIXES: Final[Mapping[str, str]] = {
    "special_days": "a date, such as 2026-11-11, its windows, and a first_response_limit_s above 0",
    "yearly_days": "a month and a day, such as 02-29, and its windows",
    "special_targets": 'basis points from 1 to 10000 (9500 = 95 %), or "none"',
    "warnings": "at least one number of seconds above 0, in brackets",
}
_KEY: Final = re.compile(r"[a-z]+(?:_[a-z]+)+")
_T = TypeVar("_T", bound=msgspec.Struct)
_NO_TARGET: Final = "none"
# Bound: of a number that a person wrote.
_INTEGER_BITS: Final = 4096
"""An integer that is longer could not be shown in what is said of it."""
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


def is_contract(path: Path) -> bool:
    """Whether the file is one of a contract: it names queues, which no definition does. OSError."""
    return re.search(rb"(?m)^\s*queues\s*=", path.read_bytes()) is not None


def parse_contract(text: str) -> Contract:
    """The contract in the text of a file. `time_zone` says in which zone its dates begin. Raises DefinitionError."""
    reading = _Reading(Contract, _table(text), frozenset({"time_zone"}), _STAND_IN)
    zone = reading.zone()
    for key in ("effective_from", "effective_until", "running_in_until"):
        if reading.table[key] is not None:
            reading.put(key, values.instant, reading.table[key], zone)
    reading.put("period_starts_minute", values.start_of_day, reading.table.pop("period_starts", _MIDNIGHT))
    targets = [(day, None if said == _NO_TARGET else said) for day, said in reading.entries("special_targets")]
    reading.table["special_targets"] = targets
    reading.each("warnings", "warnings_after_s", _warnings)
    return reading.made(contracts.faults)


@cache
def zone_offsets(name: str) -> tuple[tuple[int, int], ...]:
    """(instant in ms, offset in s) of each change of offset in a zone, the first one at the start of the table."""
    return changes_of(values.zone(name))


def _definition(said: dict[str, Any]) -> Definition:
    based_on = said.pop("based_on", None)
    wrong: list[DefinitionError] = []
    if based_on is not None:
        try:
            said = _preset_table(based_on) | said
        except DefinitionError as error:
            wrong.append(error)
            said = _preset_table(_EXAMPLE) | said
    for key in sorted(_MADE_HERE & said.keys()):
        wrong.append(DefinitionError(key, "...", "is made from time_zone", f"leave {key} out"))
        del said[key]
    reading = _Reading(Definition, said, frozenset(), None, wrong)
    zone = reading.zone()
    reading.table["time_zone"] = zone.key
    reading.table["zone_offsets"] = zone_offsets(zone.key)
    reading.put("effective_from", values.instant, reading.table["effective_from"], zone)
    for field in Definition.__struct_fields__:
        if field.endswith("_ms"):
            reading.put(field, values.duration, reading.table.pop(file_key(field), None))
    reading.put("title", values.title, reading.table["title"])
    starts = reading.table.pop("business_day_starts")
    reading.put("business_day_starts_minute", values.start_of_day, starts)
    reading.put("service_windows", values.windows, reading.table["service_windows"])
    reading.each("weekday_windows", "weekday_windows", _weekday_windows)
    reading.table["weekday_windows"].sort()
    reading.each("yearly_days", "yearly_days", _yearly_day)
    reading.each("special_days", "special_days", values.special_day)
    return reading.made(definitions.faults)


def _weekday_windows(day: str, said: object) -> tuple[int, list[tuple[int, int]]]:
    return values.weekday(day), values.windows(f"weekday_windows.{day}", said)


def _yearly_day(day: str, said: object) -> tuple[str, list[tuple[int, int]]]:
    return day, values.windows(f"yearly_days.{day}", said)


def _warnings(queue: str, said: object) -> tuple[str, list[int | None]]:
    key = f"warnings_after_s.{queue}"
    return queue, [values.duration(key, each) for each in values.list_of(key, said)]


class _Reading(Generic[_T]):
    """A file being read: what is wrong with one key keeps no other from being looked at.

    table: fields and their values; in place of one that cannot be read stands that of `stand_in`, or of an example.
    """

    def __init__(
        self,
        kind: type[_T],
        said: dict[str, Any],
        besides: frozenset[str],
        stand_in: Mapping[str, Any] | None,
        wrong: Sequence[DefinitionError] = (),
    ) -> None:
        self._kind = kind
        self._said = said
        self._stand_in = stand_in
        self._wrong = [*wrong, *_wrong_keys(kind, said, besides)]
        self._unread: set[str] = {error.key.partition(".")[0] for error in wrong}
        known = {key: value for key, value in said.items() if key not in {error.key for error in self._wrong}}
        self.table: dict[str, Any] = {**_LEFT_OUT[kind], **known}
        for key in _needed(kind, besides) - known.keys():
            self._unread.add(key)
            self.table[key] = ({**stand_in, **_FIRST_DAY} if stand_in else _preset_table(_EXAMPLE))[key]

    def put(self, field: str, read: Callable[..., object], *said: object) -> None:
        """Read `said` into a field. read: takes its key besides, and raises DefinitionError."""
        key = file_key(field)
        try:
            self.table[field] = read(key, *said)
        except DefinitionError as error:
            self._misread(field, error)

    def zone(self) -> ZoneInfo:
        """The file's zone."""
        name = self.table["time_zone"]
        if self._kind is Contract:
            del self.table["time_zone"]
        try:
            return values.zone(name)
        except DefinitionError as error:
            self._wrong.append(error)
            self._unread.add("time_zone")
            return ZoneInfo("UTC")

    def entries(self, key: str) -> list[tuple[str, Any]]:
        """Take the table under `key` out: what it says of each name, in the order of the names."""
        said = self.table.pop(key, {})
        if isinstance(said, dict):
            return sorted(said.items(), key=lambda entry: entry[0])
        self._wrong.append(DefinitionError(key, said, "not a table", f"write it as {key}.NAME = ..."))
        self._unread.add(key)
        return []

    def each(self, field: str, key: str, read: Callable[[str, Any], object]) -> None:
        """Read every entry of the table under `key` into a list."""
        found = []
        for name, said in self.entries(key):
            try:
                found.append(read(name, said))
            except DefinitionError as error:
                self._wrong += error.faults
                self._unread.add(key)
        self.table[field] = found

    def made(self, faults: Callable[[_T], Iterable[DefinitionError]]) -> _T:
        """The struct. Raises the first fault, which carries all: of keys, of values, then of values together."""
        for field in msgspec.structs.fields(self._kind):
            for fault in self._unfit(field):
                self._misread(field.name, fault)
        made = msgspec.convert(self.table, self._kind)
        self._wrong += [self._as_written(fault) for fault in faults(made) if not self._unread & _keys_in(fault)]
        definitions.refuse(self._wrong)
        return made

    def _as_written(self, fault: DefinitionError) -> DefinitionError:
        """With an instant as the file has it."""
        said = self._said.get(fault.key)
        return DefinitionError(fault.key, said, fault.problem, fault.fix) if isinstance(said, date) else fault

    def _misread(self, field: str, error: DefinitionError) -> None:
        """Go on with another value, so that what is said of the field together with others says nothing."""
        self._wrong += error.faults
        self._unread.add(file_key(field))
        example = msgspec.to_builtins(load_preset(_EXAMPLE)) if self._stand_in is None else self._stand_in
        self.table[field] = example.get(field, ())

    def _unfit(self, field: msgspec.structs.FieldInfo) -> list[DefinitionError]:
        """Where the value of a field is of another type, or beyond what it takes. Of a table, each of its entries."""
        if field.name not in self.table:
            return []
        key, value = file_key(field.name), self.table[field.name]
        said: Any = self._said.get(key, "")
        parts = [(f"{key}.{entry[0]}", said[entry[0]], [entry]) for entry in value] if _is_table(said, value) else []
        shown = definitions.seconds if field.name.endswith("_ms") else str
        fix = _FIXES.get(field.name) or allowed(field.type, shown)
        faults = []
        for place, at_place, part in parts or [(key, said, value)]:
            try:
                msgspec.convert(part, field.type)
            except msgspec.ValidationError:
                faults.append(DefinitionError(place, at_place, "does not fit", f"write {fix}"))
        return faults


def _is_table(said: object, value: object) -> bool:
    """Whether the list `value` was made of the entries of a table, by their names."""
    return isinstance(said, dict) and isinstance(value, list) and all(entry[0] in said for entry in value)


def _keys_in(fault: DefinitionError) -> set[str]:
    """The keys a contradiction is between: it names them."""
    return set(_KEY.findall(f"{fault.key} {fault.problem} {fault.fix}"))


def _preset_table(name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise DefinitionError("based_on", name, "no such preset", f"there are: {', '.join(preset_names())}")
    text = resources.files("sla_engine").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return _table(text)


def _table(text: str) -> dict[str, Any]:
    try:
        table = read_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError("file", "TOML", str(error), "see docs/reference/definitions.md for the form") from None
    definitions.refuse([*_too_large("", table)])
    return table


def _too_large(key: str, value: object) -> Iterator[DefinitionError]:
    """Integers that nothing can be said of; TOML has hexadecimal ones of any length."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _too_large(f"{key}.{name}" if key else name, each)
    elif isinstance(value, list):
        for each in value:
            yield from _too_large(key, each)
    elif isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        yield DefinitionError(key, "an integer", "too long", "write a smaller one")


def file_key(field: str) -> str:
    """What a field is called in a file."""
    return _WRITTEN.get(field, f"{field.removesuffix('_ms')}_s" if field.endswith("_ms") else field)


def _needed(kind: type[msgspec.Struct], besides: frozenset[str]) -> set[str]:
    """The keys that such a file has to state."""
    fields = (field for field in msgspec.structs.fields(kind) if field.required and field.name not in _LEFT_OUT[kind])
    return {file_key(field.name) for field in fields if field.name not in _MADE_HERE} | besides


def _wrong_keys(
    kind: type[msgspec.Struct], said: Mapping[str, Any], besides: frozenset[str]
) -> Iterator[DefinitionError]:
    """Each key that no such file has, and those that are left out, as one."""
    known = {file_key(name) for name in kind.__struct_fields__ if name not in _MADE_HERE} | besides
    for key in sorted(said.keys() - known):
        close = get_close_matches(key, known, n=1)
        fix = f"write {close[0]}" if close else f"leave it out; there are: {', '.join(sorted(known))}"
        yield DefinitionError(key, said[key], "no such key", fix)
    missing = sorted(_needed(kind, besides) - said.keys())
    if missing:
        fix = "state them" if kind is Contract else f'state them, or write based_on = "{_EXAMPLE}" and what differs'
        yield DefinitionError(missing[0], "nothing", f"not stated: {', '.join(missing)}", fix)
