"""Concurrency: how many conversations an account has in hands over time, from the load changes of all shards.

Changes are taken in (event time, conversation, session, ordinal) order and only up to the watermark, so that the same
entries give the same peaks whatever the shards and batches were.
"""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Final

from wire.verdict import LoadChange

_Key = tuple[int, str, int, int, str, int]
"""(at, conversation, session, ordinal, account, change): the order of the fold, then what it does."""


class Load:
    """One account since the window began. load_ms: conversations x ms."""

    __slots__ = ("load_ms", "now", "peak", "since")

    def __init__(self, since: int) -> None:
        self.now = 0
        self.peak = 0
        self.load_ms = 0
        self.since = since


class Concurrency:
    """Loads of every account, from load changes that add up: a correction is the opposite change at its instant."""

    def __init__(self) -> None:
        self.loads: Final[dict[str, Load]] = {}
        self.watermark: int | None = None
        self._window_start = 0
        self._owed: list[_Key] = []

    def add(self, change: LoadChange) -> None:
        """Take a change; it counts once the watermark has reached it.

        One that comes later than that counts at once: means are as if it had come in time, past peaks stay.
        """
        key = (change.at, change.conversation, change.session, change.ordinal, change.account, change.change)
        if self.watermark is not None and change.at <= self.watermark:
            self._apply(change.at, change.account, change.change)
        else:
            heappush(self._owed, key)

    def advance(self, watermark: int) -> None:
        """Count everything that happened up to `watermark` (event time, ms), which never moves back."""
        if self.watermark is not None and watermark <= self.watermark:
            return
        while self._owed and self._owed[0][0] <= watermark:
            at, _, _, _, account, amount = heappop(self._owed)
            self._apply(at, account, amount)
        self.watermark = watermark

    def begin(self, hands: Mapping[str, int], at: int) -> None:
        """Start with what every account has in hands at `at` (ms)."""
        self._window_start = at
        for account, now in hands.items():
            load = self.loads[account] = Load(at)
            load.now = load.peak = now

    def begin_window(self, start: int) -> None:
        """Peaks and means from `start` (ms) on; who has nothing in hands is forgotten."""
        self._window_start = start
        for account, load in list(self.loads.items()):
            if load.now == 0:
                del self.loads[account]
            else:
                load.peak, load.load_ms, load.since = load.now, 0, max(load.since, start)

    def _apply(self, at: int, account: str, change: int) -> None:
        load = self.loads.get(account)
        if load is None:
            load = self.loads[account] = Load(max(at, self._window_start))
        if at >= load.since:
            load.load_ms += load.now * (at - load.since)
            load.since = at
        else:
            load.load_ms += change * (load.since - max(at, self._window_start))
        load.now += change
        load.peak = max(load.peak, load.now)
