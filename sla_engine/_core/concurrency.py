"""Concurrency: how many conversations an account has in hands over time, from the load changes of all shards.

A change counts once the watermark has reached it; one that comes later than that finds its place, so that the same
changes give the same means, shares and peaks in whatever order they came.
"""

from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final

from sla_engine._core.groups import Group
from wire.board import Load, Ratio
from wire.verdict import Fact, LoadChange

_PERCENT: Final = 95


class Loaded:
    """One account since the window began at `start` (ms), with `base` conversations in hands.

    load_ms: conversations x ms. levels: so many at once -> for how many ms, none for 0 at once.
    """

    __slots__ = ("_ats", "_base", "_changes", "_start", "levels", "load_ms", "now", "since")

    def __init__(self, start: int, base: int) -> None:
        self._start = start
        self._base = base
        self._ats = array("q")
        self._changes = array("q")
        self.now = base
        self.since = start
        self.load_ms = 0
        self.levels: dict[int, int] = {}

    @property
    def peak(self) -> int:
        """The most at once for any time at all, or just now."""
        return max(self.now, *self.levels, 0)

    def change(self, at: int, change: int) -> None:
        """From `at` on there are so many more, also where that is known late."""
        at = max(at, self._start)
        if at >= self.since:
            self._ats.append(at)
            self._changes.append(change)
            self.advance(at)
            self.now += change
            return
        until, place = self.since, bisect_right(self._ats, at)
        self._ats.insert(place, at)
        self._changes.insert(place, change)
        self.now, self.since, self.load_ms, self.levels = self._base, self._start, 0, {}
        for each_at, each_change in zip(self._ats, self._changes, strict=True):
            self.advance(each_at)
            self.now += each_change
        self.advance(until)

    def advance(self, at: int) -> None:
        """Time is `at` (ms)."""
        if at > self.since:
            self.load_ms += self.now * (at - self.since)
            if self.now > 0:
                self.levels[self.now] = self.levels.get(self.now, 0) + at - self.since
            self.since = at


class Concurrency:
    """Loads of every account, from load changes that add up: a correction is the opposite change at its instant."""

    def __init__(self) -> None:
        self.loads: Final[dict[str, Loaded]] = {}
        self.watermark: int | None = None
        self.changed = True
        """Whether `by_group` would say something else than the last time."""
        self._window_start = 0
        self._owed: list[tuple[int, str, int]] = []

    def add(self, change: LoadChange) -> None:
        """Take a change; it counts once the watermark has reached it."""
        if self.watermark is not None and change.at <= self.watermark:
            self._apply(change.at, change.account, change.change)
        else:
            heappush(self._owed, (change.at, change.account, change.change))

    def advance(self, watermark: int) -> None:
        """Count everything that happened up to `watermark` (event time, ms), which never moves back."""
        if self.watermark is not None and watermark <= self.watermark:
            return
        while self._owed and self._owed[0][0] <= watermark:
            self._apply(*heappop(self._owed))
        self.watermark = watermark
        self.changed = True

    def begin(self, hands: Mapping[str, int], changes: Sequence[LoadChange], at: int) -> None:
        """Start at `at` (ms). hands: what every account has now, after `changes`, which are those since then."""
        before = Counter(hands)
        for change in changes:
            before[change.account] -= change.change
        self._window_start = at
        for account, count in before.items():
            if count:
                self.loads[account] = Loaded(at, count)
        for change in changes:
            self.add(change)

    def let_go(self, held: Mapping[str, str], facts: Iterable[Fact], at: int) -> None:
        """Take out of hands, from `at` (ms) on, what nobody ever told the end of.

        held: conversation -> the account it was last known with, "" = none. facts: what was said since.
        """
        if not held:
            return
        hands = Counter((conversation, account) for conversation, account in held.items() if account)
        for fact in facts:
            if isinstance(fact, LoadChange) and fact.conversation in held:
                hands[fact.conversation, fact.account] += fact.change
        for (conversation, account), count in hands.items():
            if count:
                self.add(LoadChange(conversation, 0, 0, account, at, -count))

    def begin_window(self, start: int) -> None:
        """Peaks and means from `start` (ms) on; who has nothing in hands is forgotten."""
        self._window_start = start
        self.changed = True
        for account, load in list(self.loads.items()):
            if load.now == 0:
                del self.loads[account]
            else:
                self.loads[account] = Loaded(start, load.now)

    def by_group(self, groups_of: Callable[[str], Iterable[Group]]) -> dict[Group, Load]:
        """The loads of the accounts of each group that had anything in hands, up to the watermark."""
        self.changed = False
        levels: dict[Group, Counter[int]] = defaultdict(Counter)
        totals: Counter[Group] = Counter()
        peaks: Counter[Group] = Counter()
        for account, load in self.loads.items():
            load.advance(self.watermark or 0)
            for group in groups_of(account) if load.levels else ():
                levels[group].update(load.levels)
                totals[group] += load.load_ms
                peaks[group] = max(peaks[group], load.peak)
        return {
            group: Load(Ratio(totals[group], found.total()), _nearest_rank(found, _PERCENT), peaks[group])
            for group, found in levels.items()
        }

    def _apply(self, at: int, account: str, change: int) -> None:
        load = self.loads.get(account)
        if load is None:
            load = self.loads[account] = Loaded(self._window_start, 0)
        load.change(at, change)
        self.changed = True


def _nearest_rank(levels: Counter[int], percent: int) -> int:
    """The least level that at least `percent` of all time was at or under."""
    owed = -(-levels.total() * percent // 100)
    for level in sorted(levels):
        owed -= levels[level]
        if owed <= 0:
            return level
    return 0
