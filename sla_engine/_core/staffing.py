"""Who is at work over time: people ready or serving, and people serving, per group and half hour, in person-ms.

A person with several sub-accounts is one person: ready while any of them is. All of it is exact in whatever order
presences come in, since a late one adds and takes away what it changes. What was told before the running day is kept
for a while as each account's state at its start.
"""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.coverage import OpenMs
from sla_engine._core.groups import Group
from sla_engine._core.windows import DAY_MS, MINUTE_MS, WindowCalendar
from wire.board import Ratio
from wire.conversation import Activity, Presence

AWAY: Final = 0
READY: Final = 1
# Format: what is told of an account.
SERVING: Final = 2

HALF_HOUR_MS: Final = 30 * MINUTE_MS
# Format: of the semantics: what was told so long ago is corrected no more.
_KEPT_MS: Final = 2 * DAY_MS
_AT_WORK: Final = frozenset({Activity.SERVING, Activity.WRAP_UP})

Told = tuple[int, int]
"""(instant in ms, AWAY, READY or SERVING)."""
_Change = tuple[int, int, int]
"""(instant in ms, READY or SERVING, +1 or -1): ready is ready or serving."""


def told_state(presence: Presence, activity: Activity) -> int:
    """What a presence says. Wrap-up is work; whoever finishes a conversation on a break still serves."""
    if presence is Presence.OFFLINE:
        return AWAY
    if activity in _AT_WORK:
        return SERVING
    return READY if presence is Presence.READY else AWAY


class AccountDay(msgspec.Struct, array_like=True):
    """What was told of one sub-account in the last days: its state before the first of `told`, which is in order."""

    before: int = AWAY
    told: list[Told] = []

    def tell(self, at: int, state: int) -> None:
        """Take a state in; one that is older than others finds its place among them."""
        insort(self.told, (at, state), key=lambda one: one[0])
        while self.told[0][0] < self.told[-1][0] - _KEPT_MS:
            self.before = self.told.pop(0)[1]


_UNTOLD: Final = AccountDay()


class HalfHours:
    """Person-ms by half hour of the wall clock, from `start` (ms) on; with `open_ms` only while the window is open."""

    def __init__(self, start: int, slices: WindowCalendar, open_ms: OpenMs | None) -> None:
        self.now = 0
        self.sums: Final[dict[int, int]] = {}
        self._start: Final = start
        self._since = start
        self._slices: Final = slices
        self._open_ms: Final = open_ms
        self._total = 0

    def change(self, at: int, change: int) -> None:
        """From `at` on there are so many more, also where that is known late."""
        if at >= self._since:
            self.advance(at)
        else:
            self._spread(max(at, self._start), self._since, change)
        self.now += change

    def advance(self, at: int) -> None:
        """Time is `at` (ms). Never moves back."""
        if at > self._since:
            self._spread(self._since, at, self.now)
            self._since = at

    def total_ms(self, at: int) -> int:
        """All of it up to `at`."""
        self.advance(at)
        return self._total

    def _spread(self, since: int, until: int, people: int) -> None:
        while people and since < until:
            start = self._slices.interval_start(since)
            end = min(until, start + self._slices.interval_ms)
            ms = end - since if self._open_ms is None else self._open_ms(since, end)
            if ms:
                begins = max(start, self._start)
                self.sums[begins] = self.sums.get(begins, 0) + people * ms
                self._total += people * ms
            since = end


class Times(NamedTuple):
    """One group's time at work: ready or serving, the part of it inside the service window, and serving."""

    ready: HalfHours
    inside: HalfHours
    serving: HalfHours


class _Person:
    __slots__ = ("accounts", "groups")

    def __init__(self) -> None:
        self.accounts: set[str] = set()
        self.groups: frozenset[Group] = frozenset()


class StaffTime:
    """Time at work of one client's people since the day began. days: what the next start needs."""

    def __init__(self, slices: WindowCalendar, open_ms: OpenMs, days: dict[str, AccountDay]) -> None:
        """slices: half hours of the client's zone. open_ms: of its service window."""
        self.days: Final = days
        self.changed: Final[set[str]] = set()
        """Accounts whose day changed since somebody cleared this."""
        self._slices: Final = slices
        self._open_ms: Final = open_ms
        self._start: int | None = None
        self._tells_serving = any(SERVING in (day.before, *(state for _, state in day.told)) for day in days.values())
        self._times: dict[Group, Times] = {}
        self._person_of: dict[str, str] = {}
        self._people: dict[str, _Person] = defaultdict(_Person)

    def tell(self, account: str, at: int, state: int) -> None:
        """A presence was told of an account that has its place, in any order."""
        person = self._people[self._person_of[account]]
        before = Counter(self._changes(person))
        self.days.setdefault(account, AccountDay()).tell(at, state)
        self.changed.add(account)
        self._tells_serving = self._tells_serving or state == SERVING
        after = Counter(self._changes(person))
        self._count(person.groups, (after - before).elements(), 1)
        self._count(person.groups, (before - after).elements(), -1)

    def place(self, account: str, person_id: str, groups: frozenset[Group], at: int) -> None:
        """From `at` on an account is a person's, and that person counts in `groups`: what was before stays there."""
        before = self._person_of.get(account)
        person = self._people[person_id]
        if before == person_id and person.groups == groups:
            return
        moved = {person_id: person}
        if before is not None:
            moved[before] = self._people[before]
        for each in moved.values():
            self._count(each.groups, self._stands(each, at), -1)
        if before is not None:
            self._people[before].accounts.discard(account)
        self._person_of[account] = person_id
        person.accounts.add(account)
        person.groups = groups
        for each in moved.values():
            self._count(each.groups, self._stands(each, at), 1)

    def begin(self, start: int) -> None:
        """A day starts at `start` (ms)."""
        self._start = start
        self._times = {}
        for person in self._people.values():
            self._count(person.groups, self._changes(person), 1)

    def times(self, group: Group) -> Times | None:
        """Time at work in one group, None where nobody was today."""
        return self._times.get(group)

    def occupancy(self, group: Group, at: int) -> Ratio | None:
        """Ms serving / ms ready or serving until `at`; None where nobody was, or no source tells who serves."""
        times = self._times.get(group)
        if times is None or not self._tells_serving:
            return None
        return Ratio(times.serving.total_ms(at), times.ready.total_ms(at))

    def half_hour_start(self, at: int) -> int:
        """Start of the half hour `at` lies in, ms. The first of a day begins with it."""
        return max(self._slices.interval_start(at), self._start or 0)

    def shortfall_ms(self, group: Group, until: int, contracted: Callable[[int], int | None]) -> int:
        """Seat-ms by which fewer were there than `contracted` (of an instant), inside the window, since the day began.

        A half hour with people to spare makes up for no other one.
        """
        times = self._times.get(group)
        start, short = self._start or 0, 0
        if times is not None:
            times.inside.advance(until)
        while start < until:
            end = min(until, self._slices.interval_start(start) + self._slices.interval_ms)
            there = 0 if times is None else times.inside.sums.get(start, 0)
            short += max(0, (contracted(start) or 0) * self._open_ms(start, end) - there)
            start = end
        return short

    def _changes(self, person: _Person) -> Iterator[_Change]:
        """The instants of the running day at which a person came to be, or stopped being, ready and serving."""
        if self._start is None:
            return
        told: list[tuple[int, str, int]] = []
        states: dict[str, int] = {}
        for account in person.accounts:
            day = self.days.get(account, _UNTOLD)
            states[account] = day.before
            for at, state in day.told:
                if at <= self._start:
                    states[account] = state
                else:
                    told.append((at, account, state))
        was = AWAY
        for at, account, state in [(self._start, "", AWAY), *sorted(told)]:
            states[account] = state
            now = max(states.values())
            if (now >= READY) is not (was >= READY):
                yield at, READY, 1 if now >= READY else -1
            if (now == SERVING) is not (was == SERVING):
                yield at, SERVING, 1 if now == SERVING else -1
            was = now

    def _stands(self, person: _Person, at: int) -> list[_Change]:
        """What a person is by the latest that was told, as a change from nothing at `at`."""
        standing = Counter[int]()
        for _, what, change in self._changes(person):
            standing[what] += change
        return [(max(at, self._start or 0), what, 1) for what, there in standing.items() if there]

    def _count(self, groups: Iterable[Group], changes: Iterable[_Change], sign: int) -> None:
        listed = list(changes)
        for group in groups if listed else ():
            times = self._times.get(group)
            if times is None:
                times = self._times[group] = self._new_times()
            for at, what, change in listed:
                # Format: ready and serving come first.
                for half_hours in times[:2] if what == READY else times[2:]:
                    half_hours.change(at, sign * change)

    def _new_times(self) -> Times:
        start = self._start or 0
        return Times(
            HalfHours(start, self._slices, None),
            HalfHours(start, self._slices, self._open_ms),
            HalfHours(start, self._slices, None),
        )
