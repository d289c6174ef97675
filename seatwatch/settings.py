"""Typed access to the thresholds in `seatwatch/defaults.toml`.

The probe process reads its thresholds through this module, so it imports the standard library only.
"""

import builtins
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

FILE: Final = Path(__file__).with_name("defaults.toml")
"""Read from beside this module: importlib.resources would cost the probe half a megabyte."""
# Format: units in ms.
MS_PER_UNIT: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
COUNT_UNITS: Final = frozenset(
    # data
    {"bytes", "characters", "columns", "entries", "events", "frames", "heartbeats", "lines", "messages", "rows"}
    | {"parts", "percent", "samples", "series", "windows"}
    # things at work
    | {
        "attempts",
        "clients",
        "connections",
        "conversations",
        "requests",
        "screens",
        "seats",
        "sites",
        "sources",
        "steps",
        "tasks",
        "threads",
    }
    # numbers that only name something
    | {"port", "seed"}
)
RATE_UNITS: Final = frozenset({"per second", "events per second"})
RATIO_UNITS: Final = frozenset({"ratio", "factor"}) | RATE_UNITS
TEXT_UNITS: Final = frozenset({"time zone", "time of day", "address", "path", "text"})
UNITS: Final = frozenset(MS_PER_UNIT) | COUNT_UNITS | RATIO_UNITS | TEXT_UNITS
SECTIONS: Final = frozenset(
    {"ledger", "collector", "probe", "engine", "contract", "board", "incidents", "paging", "metrics", "demo"}
    | {"enrolment", "grafana", "portal"}
)
FIELDS: Final = ("value", "unit", "reason", "source")

MINUTES_PER_DAY: Final = 24 * 60

_Settings = TypeVar("_Settings")


class SettingsError(ValueError):
    """A threshold is missing or unusable: names the key, what is wrong with it and what to do."""

    def __init__(self, key: str, problem: str, fix: str) -> None:
        super().__init__(f"{key}: {problem}; {fix}")
        self.key = key
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Default:
    """One threshold as `defaults.toml` states it."""

    value: int | float | str
    unit: str
    reason: str
    source: str


class Defaults(Mapping[str, Default]):
    """All thresholds by their key `section.name`. An accessor that does not fit the unit raises SettingsError."""

    def __init__(self, entries: Mapping[str, Default]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, key: str) -> Default:
        try:
            return self._entries[key]
        except KeyError:
            section, _, _ = key.partition(".")
            there = ", ".join(sorted(k for k in self._entries if k.startswith(f"{section}."))) or "none"
            raise SettingsError(
                key, "no such threshold", f"add [{key}] to seatwatch/defaults.toml (in [{section}] now: {there})"
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> builtins.int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def ms(self, key: str) -> builtins.int:
        """Whole milliseconds, whatever time unit the file uses."""
        entry = self[key]
        if entry.unit not in MS_PER_UNIT:
            raise _misread(key, entry, "a length of time", f"unit = one of {', '.join(MS_PER_UNIT)}")
        value = _number(key, entry) * MS_PER_UNIT[entry.unit]
        if value != builtins.int(value):
            raise SettingsError(key, f"{entry.value} {entry.unit} is no whole number of milliseconds", "round it")
        return builtins.int(value)

    def seconds(self, key: str) -> float:
        """Seconds, for timers and sockets of the edges; cores count in `ms`."""
        return self.ms(key) / MS_PER_UNIT["s"]

    def int(self, key: str) -> builtins.int:
        """A count: bytes, rows, connections."""
        entry = self[key]
        if entry.unit not in COUNT_UNITS or not isinstance(entry.value, builtins.int):
            raise _misread(key, entry, "a whole number of things", f"unit = one of {', '.join(sorted(COUNT_UNITS))}")
        return entry.value

    def ratio(self, key: str) -> float:
        """A ratio or a rate."""
        entry = self[key]
        if entry.unit not in RATIO_UNITS:
            raise _misread(key, entry, "a ratio", f"unit = one of {', '.join(sorted(RATIO_UNITS))}")
        return float(_number(key, entry))

    def text(self, key: str) -> str:
        """A word: a time zone, an address."""
        entry = self[key]
        if entry.unit not in TEXT_UNITS or not isinstance(entry.value, str):
            raise _misread(key, entry, "text", f"unit = one of {', '.join(sorted(TEXT_UNITS))}")
        return entry.value

    def per_second(self, key: str) -> builtins.int:
        """A rate in whole things per second."""
        rate = self.ratio(key)
        if self[key].unit not in RATE_UNITS or rate != builtins.int(rate):
            raise _misread(key, self[key], "whole things per second", f"unit = one of {', '.join(sorted(RATE_UNITS))}")
        return builtins.int(rate)

    def fill(self, settings: type[_Settings], section: str, *, prefix: str = "", **known: object) -> _Settings:
        """Settings of a package (a msgspec Struct or a dataclass), its fields read from `section` by their names.

        `retry_after_ms` is read in ms from `section.retry_after`, `retry_after_s` in seconds, `requests_per_s` per
        second from `section.requests`; anything else as its unit says, from the field's own name or from that without
        a trailing unit. prefix: what stands before all of these names in the section. known: fields that are given.
        """
        names = getattr(settings, "__struct_fields__", None) or tuple(getattr(settings, "__dataclass_fields__", ()))
        values = {name: known[name] if name in known else self._field(section, prefix + name) for name in names}
        return settings(**values)

    def _field(self, section: str, name: str) -> builtins.int | float | str:
        if name.endswith("_per_s"):
            return self.per_second(f"{section}.{name.removesuffix('_per_s')}")
        stem, _, suffix = name.rpartition("_")
        if suffix == "ms":
            return self.ms(f"{section}.{stem}")
        if suffix == "s":
            return self.seconds(f"{section}.{stem}")
        key = f"{section}.{name}" if f"{section}.{name}" in self else f"{section}.{stem}"
        if self[key].unit in TEXT_UNITS:
            return self.text(key)
        return self.ratio(key) if self[key].unit in RATIO_UNITS else self.int(key)

    def minute_of_day(self, key: str) -> builtins.int:
        """Minutes since local midnight of a clock time written HH:MM; 24:00 is the end of the day, 1440."""
        hours, separator, minutes = self.text(key).partition(":")
        minute = builtins.int(hours) * 60 + builtins.int(minutes) if hours.isdecimal() and minutes.isdecimal() else -1
        # Format: HH:MM of a clock.
        if not (separator and 0 <= minute <= MINUTES_PER_DAY and builtins.int(minutes) < MINUTES_PER_DAY // 24):
            raise SettingsError(key, f"{self.text(key)!r} is no clock time", 'write it as "HH:MM", at most "24:00"')
        return minute


@cache
def load_defaults(section: str = "") -> Defaults:
    """The thresholds this installation ships with. Raises SettingsError if the file is damaged.

    section: read no other, for a process that counts its bytes.
    """
    text = FILE.read_text(encoding="utf-8")
    if section:
        text = "".join(re.findall(rf"(?ms)^\[{section}\..*?(?=^\[|\Z)", text))
    return parse_defaults(text)


def parse_defaults(text: str) -> Defaults:
    """The thresholds in TOML `text`. Raises SettingsError naming the first incomplete key, tomllib.TOMLDecodeError."""
    entries = {}
    for section, tables in tomllib.loads(text).items():
        if section not in SECTIONS:
            raise SettingsError(section, "no such section", f"use one of {', '.join(sorted(SECTIONS))}")
        for name, fields in tables.items():
            entries[f"{section}.{name}"] = _entry(f"{section}.{name}", fields)
    return Defaults(entries)


def _entry(key: str, fields: Any) -> Default:  # noqa: ANN401 - whatever TOML allows
    if not isinstance(fields, dict) or set(fields) != set(FIELDS):
        raise SettingsError(key, "incomplete or with unknown fields", f"give it exactly {', '.join(FIELDS)}")
    for field in ("unit", "reason", "source"):
        if not isinstance(fields[field], str) or not fields[field].strip():
            raise SettingsError(key, f"{field} is empty", f"say the {field}")
    if fields["unit"] not in UNITS:
        raise SettingsError(key, f"unknown unit {fields['unit']!r}", f"use one of {', '.join(sorted(UNITS))}")
    expected = str if fields["unit"] in TEXT_UNITS else (int, float)
    if isinstance(fields["value"], bool) or not isinstance(fields["value"], expected):
        raise SettingsError(
            key, f"value {fields['value']!r} does not go with unit {fields['unit']!r}", "correct either"
        )
    return Default(**fields)


def _number(key: str, entry: Default) -> int | float:
    if isinstance(entry.value, str):
        raise _misread(key, entry, "a number", "write it without quotes")
    return entry.value


def _misread(key: str, entry: Default, wanted: str, fix: str) -> SettingsError:
    return SettingsError(key, f"read as {wanted}, but it is {entry.value!r} in {entry.unit!r}", fix)
