"""When a service window was open over a time in which the rules change: each hour by the rules of that hour."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from sla_engine._core.calendar import Calendar
from sla_engine._core.definition import Definition
from wire.limits import INSTANT_MAX_MS


class ServiceHours:
    """The windows of several definitions, one after the other."""

    def __init__(self, windows: Sequence[tuple[int, Definition]]) -> None:
        """windows: (from when on, ms; whose windows hold), ascending and at least one; the first holds before, too."""
        self._starts: Final = [start for start, _ in windows[1:]]
        self._calendars: Final = [Calendar(definition) for _, definition in windows]

    def is_open(self, at: int) -> bool:
        """Whether the window in force at `at` (ms) is open then."""
        return self._calendars[bisect_right(self._starts, at)].is_open(at)

    def open_ms(self, since: int, until: int) -> int:
        """How long it is open within [since, until); 0 when `until` is not later."""
        return sum(calendar.open_ms(start, end) for calendar, start, end in self._parts(since, until))

    def edges(self, since: int, until: int) -> Iterator[int]:
        """Every instant of [since, until) at which it opens or closes, or other windows begin to hold."""
        for calendar, start, end in self._parts(since, until):
            yield start
            opens = calendar.next_open(start)
            while opens is not None and opens < end:
                closes = calendar.closes_at(opens)
                yield opens
                if closes < end:
                    yield closes
                opens = calendar.next_open(closes) if closes < end else None

    def _parts(self, since: int, until: int) -> Iterator[tuple[Calendar, int, int]]:
        ends = [*self._starts, INSTANT_MAX_MS]
        for calendar, (start, end) in zip(self._calendars, pairwise([0, *ends]), strict=True):
            if max(start, since) < min(end, until):
                yield calendar, max(start, since), min(end, until)
