"""Local time of a definition: whether an instant lies inside the service window, and which business day it belongs to.

Whole milliseconds and the offset table the definition carries; no time zone database is asked here.
"""

from bisect import bisect_right
from datetime import date, timedelta
from typing import Final

from sla_engine._core.definition import Definition, ServiceWindow

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
SECOND_MS: Final = 1_000
_EPOCH: Final = date(1970, 1, 1)
_ONE_DAY: Final = timedelta(days=1)


class Calendar:
    """A definition's windows, ready to be asked. Built once when a definition is activated."""

    __slots__ = ("_day_starts_ms", "_froms", "_offsets", "_special", "_usual")

    def __init__(self, definition: Definition) -> None:
        self._froms = [offset.from_ms for offset in definition.zone_offsets]
        self._offsets = [offset.offset_s * SECOND_MS for offset in definition.zone_offsets]
        self._usual = _spans(definition.service_windows)
        self._special = {_day_number(day.date): _spans(day.windows) for day in definition.special_days}
        self._day_starts_ms = definition.business_day_starts_minute * MINUTE_MS

    def local_ms(self, at: int) -> int:
        """`at` as a local clock shows it, counted as if that were UTC.

        Before the table begins its first offset holds.
        """
        return at + self._offsets[max(bisect_right(self._froms, at) - 1, 0)]

    def is_open(self, at: int) -> bool:
        """Whether the service window is open at `at`. A window belongs to the local date it opens on."""
        day, of_day = divmod(self.local_ms(at), DAY_MS)
        return self._covers(day, of_day) or self._covers(day - 1, of_day + DAY_MS)

    def business_day_start(self, at: int) -> int:
        """The instant (ms) at which the business day of `at` began."""
        local = self.local_ms(at)
        start = local - (local - self._day_starts_ms) % DAY_MS
        return self._instant_of(start)

    def _instant_of(self, local: int) -> int:
        """The first instant at which the local clock shows `local` or, where it skips it, has passed it."""
        candidates = sorted({local - offset for offset in self._offsets})
        return next((at for at in candidates if self.local_ms(at) >= local), candidates[-1])

    def _covers(self, day: int, of_day: int) -> bool:
        return any(opens <= of_day < closes for opens, closes in self._special.get(day, self._usual))


def _spans(windows: tuple[ServiceWindow, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((window.opens_minute * MINUTE_MS, window.closes_minute * MINUTE_MS) for window in windows)


def _day_number(text: str) -> int:
    return (date.fromisoformat(text) - _EPOCH) // _ONE_DAY
