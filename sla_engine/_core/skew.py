"""Clock domains (E17): how far the clocks of live sources are behind the hub's, estimated from what they told.

A domain is a source and the name of a clock of its. An entry comes in one delay after it happened, so the least of
received_at - occurred_at is the domain's offset plus its least delay. The estimate between two domains is off by the
difference of their least delays. Nobody knows those; each is taken to be no longer than the domain's mean delay lies
above its least one, and the larger of both is the bound that travels with the figure.
"""

from typing import Final

import msgspec

from sla_engine._core.limits import CLOCK_DOMAINS
from wire.recorded import Recorded

NO_DOMAIN: Final = 0
"""Of what a delayed source tells: its times count as stamped."""


class SkewState(msgspec.Struct):
    """The part a snapshot keeps: domain numbers from 1, and by number the least and the sum of offsets, their count."""

    numbers: dict[str, dict[str, int]] = {}
    least: list[int] = msgspec.field(default_factory=lambda: [0])
    sums: list[int] = msgspec.field(default_factory=lambda: [0])
    counts: list[int] = msgspec.field(default_factory=lambda: [0])


class Skew:
    """Every domain heard so far."""

    __slots__ = ("counts", "least", "numbers", "state", "sums")

    def __init__(self, state: SkewState) -> None:
        self.state = state
        self.numbers = state.numbers
        self.least = state.least
        self.sums = state.sums
        self.counts = state.counts

    def hear(self, entry: Recorded, at: int, clock: str) -> int:
        """Take in one entry of a live source; returns the number of its domain."""
        offset = entry.received_at - at
        clocks = self.numbers.get(entry.source)
        number = NO_DOMAIN if clocks is None else clocks.get(clock, NO_DOMAIN)
        if not number:
            return self._add(entry.source, clock, offset)
        if offset < self.least[number]:  # noqa: PLR1730 - min() costs a call for every entry
            self.least[number] = offset
        self.sums[number] += offset
        self.counts[number] += 1
        return number

    def between(self, start: int, end: int) -> tuple[int, int]:
        """What to add to a time from an instant told in `start` to one told in `end`, and how far it may be off, ms."""
        if start == end or not start or not end:
            return 0, 0
        return self.least[end] - self.least[start], max(self._spread(start), self._spread(end))

    def _spread(self, domain: int) -> int:
        return self.sums[domain] // self.counts[domain] - self.least[domain]

    def _add(self, source: str, clock: str, offset: int) -> int:
        number = len(self.least)
        if number > CLOCK_DOMAINS:
            return NO_DOMAIN
        self.numbers.setdefault(source, {})[clock] = number
        self.least.append(offset)
        self.sums.append(offset)
        self.counts.append(1)
        return number
