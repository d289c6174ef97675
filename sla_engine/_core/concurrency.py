"""Concurrency: how many conversations a person has in hands over time, from the load changes of all shards.

A change counts once the watermark has reached it; one that comes later than that finds its place, so that the same
changes give the same means, shares and peaks in whatever order they came. They tell accounts; who uses several has in
hands what all of them hold.
"""

from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

from sla_engine._core.groups import Group
from wire.board import Load, Ratio
from wire.verdict import Fact, LoadChange

# Format: the p95 that its name says.
_PERCENT: Final = 95


class Loaded:
    """One account since the window began at `start` (ms), with `base` conversations in hands.

    load_ms: conversations x ms. levels: so many at once -> for how many ms, none for 0 at once.
    """

    __slots__ = ("_ats", "_changes", "base", "late", "levels", "load_ms", "now", "since", "start")

    def __init__(self, start: int, base: int) -> None:
        self.start = start
        self.base = base
        self._ats = array("q")
        self._changes = array("q")
        self.now = base
        self.since = start
        self.load_ms = 0
        self.levels: dict[int, int] = {}
        self.late = 0
        """How often a change found its place among others that were there before."""

    @property
    def peak(self) -> int:
        """The most at once for any time at all, or just now."""
        return max(self.now, *self.levels, 0)

    @property
    def size(self) -> int:
        """How many changes it was told."""
        return len(self._ats)

    def told(self, first: int) -> Iterable[tuple[int, int]]:
        """(instant in ms, change) of each but the `first` ones."""
        return zip(self._ats[first:], self._changes[first:], strict=True)

    def change(self, at: int, change: int) -> None:
        """From `at` on there are so many more, also where that is known late."""
        at = max(at, self.start)
        if at >= self.since:
            self._ats.append(at)
            self._changes.append(change)
            self.advance(at)
            self.now += change
            return
        self.late += 1
        until, place = self.since, bisect_right(self._ats, at)
        self._ats.insert(place, at)
        self._changes.insert(place, change)
        self.now, self.since, self.load_ms, self.levels = self.base, self.start, 0, {}
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


class _Together(NamedTuple):
    """Several accounts of one person as one.

    seen: how often each had a change find its place among others. taken: how many changes of each are in `load`.
    """

    parts: list[Loaded]
    seen: list[int]
    taken: list[int]
    load: Loaded

    @staticmethod
    def of(parts: list[Loaded]) -> "_Together":
        base = sum(part.base for part in parts)
        return _Together(parts, [part.late for part in parts], [0] * len(parts), Loaded(parts[0].start, base))

    def goes_on(self, parts: list[Loaded]) -> bool:
        return self.parts == parts and self.seen == [part.late for part in parts]

    def take(self) -> None:
        """Count what the accounts were told since the last time."""
        new: list[tuple[int, int]] = []
        for place, part in enumerate(self.parts):
            new += part.told(self.taken[place])
            self.taken[place] = part.size
        for at, change in sorted(new):
            self.load.change(at, change)


class Concurrency:
    """Loads of every account, from load changes that add up: a correction is the opposite change at its instant."""

    def __init__(self) -> None:
        self.loads: Final[dict[str, Loaded]] = {}
        self.watermark: int | None = None
        self.changed = True
        """Whether `by_group` would say something else than the last time."""
        self._window_start = 0
        self._owed: list[tuple[int, str, int]] = []
        self._together: dict[str, _Together] = {}

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
        self._together.clear()
        self.changed = True
        for account, load in list(self.loads.items()):
            if load.now == 0:
                del self.loads[account]
            else:
                self.loads[account] = Loaded(start, load.now)

    def by_group(self, whose: Callable[[str], tuple[str, Iterable[Group]]]) -> dict[Group, Load]:
        """The loads of the people of each group that had anything in hands, up to the watermark.

        whose: account -> who uses it, and what groups that one is of.
        """
        self.changed = False
        people: dict[str, list[Loaded]] = defaultdict(list)
        groups: dict[str, Iterable[Group]] = {}
        for account, load in self.loads.items():
            person, groups_of_person = whose(account)
            people[person].append(load)
            groups[person] = groups_of_person
        levels: dict[Group, Counter[int]] = defaultdict(Counter)
        totals: Counter[Group] = Counter()
        peaks: Counter[Group] = Counter()
        for person, parts in people.items():
            load = parts[0] if len(parts) == 1 else self._of_all(person, parts)
            load.advance(self.watermark or 0)
            for group in groups[person] if load.levels else ():
                levels[group].update(load.levels)
                totals[group] += load.load_ms
                peaks[group] = max(peaks[group], load.peak)
        return {
            group: Load(Ratio(totals[group], found.total()), _nearest_rank(found, _PERCENT), peaks[group])
            for group, found in levels.items()
        }

    def _of_all(self, person: str, parts: list[Loaded]) -> Loaded:
        known = self._together.get(person)
        if known is None or not known.goes_on(parts):
            known = self._together[person] = _Together.of(parts)
        known.take()
        return known.load

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
