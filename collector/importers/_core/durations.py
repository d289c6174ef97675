"""Lengths of time as files write them: `65`, `1:05`, `00:01:05.250`, `1 min 5 s`, also with Chinese unit words."""

import re
from collections.abc import Mapping
from typing import Final

from collector.importers._core.text import without_thousands
from wire.limits import INSTANT_MAX_MS

# Python reads no number of thousands of digits, and no length of time has so many.
_CLOCK: Final = re.compile(r"(?:(\d{1,15}):)?(\d{1,15}):(\d{1,2})(?:\.(\d+))?")
_NUMBER: Final = re.compile(r"(\d{1,15})(?:\.(\d+))?")
_PART: Final = re.compile(r"\s*(\d{1,15})(?:\.(\d+))?\s*([^\d\s.]+)")
# Format: decimal places that are read, and 60 of one place of h:m:s in the next.
_PLACES: Final = 9
_PER_PLACE: Final = 60
_SECOND_MS: Final = 1000
_MINUTE_MS: Final = _PER_PLACE * _SECOND_MS
_HOUR_MS: Final = _PER_PLACE * _MINUTE_MS


class DurationReader:
    """Reads durations of one file format.

    units: unit word -> ms. bare_unit_ms: what a number without a unit counts. two_places_ms: what the first place of
    `01:05` counts, a minute or an hour.
    """

    def __init__(self, units: Mapping[str, int], *, bare_unit_ms: int, two_places_ms: int) -> None:
        self._units = units
        self._bare_unit_ms = bare_unit_ms
        self._two_places_ms = two_places_ms

    def read(self, text: str) -> int | None:
        """Whole ms, None when `text` (made plain) is no duration. What is finer than a ms is cut off.

        What is longer than all of time (INSTANT_MAX_MS) is none: it was meant for another column.
        """
        read = self._read(without_thousands(text))
        return read if read is None or read <= INSTANT_MAX_MS else None

    def _read(self, text: str) -> int | None:
        number = _NUMBER.fullmatch(text)
        if number is not None:
            return _times(number[1], number[2], self._bare_unit_ms)
        clock = _CLOCK.fullmatch(text)
        if clock is not None:
            return self._clock(clock)
        return self._words(text)

    def _clock(self, clock: re.Match[str]) -> int | None:
        first, second, third, fraction = clock.groups()
        if int(third) >= _PER_PLACE or (first is not None and int(second) >= _PER_PLACE):
            return None
        if first is not None:
            return int(first) * _HOUR_MS + int(second) * _MINUTE_MS + _times(third, fraction, _SECOND_MS)
        return int(second) * self._two_places_ms + _times(third, fraction, self._two_places_ms // _PER_PLACE)

    def _words(self, text: str) -> int | None:
        """`1 min 5 s`: every unit smaller than the one before it."""
        total, at, last_unit = 0, 0, None
        for part in _PART.finditer(text):
            unit = self._units.get(part[3].casefold())
            if part.start() != at or unit is None or (last_unit is not None and unit >= last_unit):
                return None
            total += _times(part[1], part[2], unit)
            at, last_unit = part.end(), unit
        return total if at and at == len(text) else None


def _times(whole: str, fraction: str | None, unit: int) -> int:
    if not fraction:
        return int(whole) * unit
    return int(whole) * unit + int(fraction.ljust(_PLACES, "0")[:_PLACES]) * unit // 10**_PLACES
