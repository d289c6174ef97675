"""People by presence and activity, counted on the tiles they belong to.

A person with several platform sub-accounts is counted once, by the account that has most of them in its hands.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.groups import QUEUE, SHOP, Group, Groups
from sla_engine._core.seats import Seats
from sla_engine._core.staffing import AWAY, StaffTime, told_state
from wire.board import AgentCount, Ratio
from wire.conversation import Activity, Presence, PresenceChanged
from wire.ids import UNASSIGNED
from wire.verdict import Place

PlaceOf = Callable[[str, int], Place]
"""(account, instant in ms) -> its place by the roster."""

_PRESENCES: Final = (Presence.READY, Presence.ON_BREAK, Presence.OFFLINE)
_ACTIVITIES: Final = (Activity.SERVING, Activity.WRAP_UP, Activity.RESERVED, Activity.IDLE)

_Status = tuple[int, int]
"""Places in _PRESENCES and _ACTIVITIES: the lowest of a person's accounts is the person's."""


class AccountState(msgspec.Struct, array_like=True):
    """What a sub-account chose and does, as of `told_at` (event time, ms), as told by `source`.

    since: from when on it was told without a break that this presence holds, 0 = not known.
    """

    presence: Presence
    activity: Activity
    told_at: int
    source: str
    since: int = 0


class Standing(NamedTuple):
    """A person as they stand now. since: event time of the presence, ms, None = not known. limit: of conversations."""

    presence: Presence
    activity: Activity
    since: int | None
    hands: int
    limit: int
    accounts: tuple[str, ...]
    sources: frozenset[str]


def person_of(account: str, place: Place) -> str:
    """Whose an account is; one that the roster does not know stands for one person of its own."""
    return f"{place.person}" if place.person not in ("", UNASSIGNED) else f"~{account}"


class _Person:
    __slots__ = ("accounts", "groups", "hands", "limit", "status")

    def __init__(self) -> None:
        self.accounts: set[str] = set()
        self.groups: frozenset[Group] = frozenset()
        self.status: _Status | None = None
        self.hands = 0
        self.limit = 0


class People:
    """Everybody whose presence a source tells. held: account -> conversations it has in hands, none without any.

    Whom a source tells of the day after is kept in `accounts` alone: on no tile, and never counted as at work.
    """

    def __init__(
        self,
        groups: Groups,
        place_of: PlaceOf,
        seats: Seats,
        staff: StaffTime,
        tells_of_now: Callable[[str], bool],
    ) -> None:
        """seats: limits and shops. staff: is told who is at work. tells_of_now: asked of a source."""
        self.accounts: dict[str, AccountState] = {}
        self._groups: Final = groups
        self._place_of: Final = place_of
        self._seats: Final = seats
        self._staff: Final = staff
        self._tells_of_now: Final = tells_of_now
        self._limits: dict[str, int] = {}
        self._filled: dict[Group, list[int]] = defaultdict(lambda: [0, 0])
        self.held: dict[str, set[str]] = defaultdict(set)
        self._person_of: dict[str, str] = {}
        self._people: dict[str, _Person] = defaultdict(_Person)
        self._queues_of: dict[str, set[str]] = defaultdict(set)
        self._counts: dict[Group, dict[_Status, int]] = defaultdict(lambda: defaultdict(int))

    def restore(self, accounts: dict[str, AccountState], as_of: int) -> None:
        """Take over what was known before a restart."""
        self.accounts = accounts
        self.replace(as_of)

    def tell(self, source: str, body: PresenceChanged) -> None:
        """Take in a presence; one that is older than what is known changes no state of now."""
        known = self.accounts.get(body.account)
        is_of_now = self._tells_of_now(source)
        if known is not None and self._tells_of_now(known.source) is not is_of_now:
            if not is_of_now:
                return
            known = None
        if known is None or body.occurred_at >= known.told_at:
            same = known is not None and known.presence is body.presence
            since = known.since if known is not None and same else body.occurred_at
            self.accounts[body.account] = AccountState(body.presence, body.activity, body.occurred_at, source, since)
            if known is None or known.source != source:
                self._settle(body.account, body.occurred_at)
            elif is_of_now and (known.presence, known.activity) != (body.presence, body.activity):
                self._recount(self._person_of[body.account])
        elif body.presence is not known.presence and body.occurred_at >= known.since:
            known.since = known.told_at  # it did not hold all the time
        if is_of_now:
            self._staff.tell(body.account, body.occurred_at, told_state(body.presence, body.activity))

    def serves(self, source: str, queue: str) -> None:
        """Learn that a source feeds a queue: the people it tells of work on that queue."""
        self._queues_of[source].add(queue)
        for account, state in self.accounts.items():
            if state.source == source:
                self._settle(account, state.told_at)

    def take(self, account: str, conversation: str) -> None:
        """A conversation joined an account's hands; "" = nobody's."""
        if account:
            held = self.held[account]
            held.add(conversation)
            self._weigh_anew(account, 1, is_first=len(held) == 1)

    def leave(self, account: str, conversation: str) -> None:
        """A conversation left the hands it was in; "" = nobody's."""
        if account:
            held = self.held[account]
            held.remove(conversation)
            if not held:
                del self.held[account]
            self._weigh_anew(account, -1, is_first=not held)

    def replace(self, as_of: int) -> None:
        """Look everybody up in the roster again, as of `as_of`: it changed, or time brought a link into force."""
        for account in self.accounts:
            self._settle(account, as_of)

    def groups(self) -> set[Group]:
        """Every group somebody belongs to."""
        return {group for group, counts in self._counts.items() if counts}

    def told_later(self, group: Group, since: int, at: int) -> bool:
        """Whether of somebody of `group`, as of `at`, a source tells the day after, and told of `since` or later."""
        return any(
            state.told_at >= since
            and not self._tells_of_now(state.source)
            and group in self._groups_of((account,), self._place_of(account, at), at)
            for account, state in self.accounts.items()
        )

    def counts(self, group: Group) -> list[AgentCount]:
        """People of `group` by presence and activity, in a fixed order, none with zero people."""
        counts = self._counts.get(group)
        return [
            AgentCount(presence=_PRESENCES[presence], activity=_ACTIVITIES[activity], people=people)
            for (presence, activity), people in sorted(counts.items() if counts else ())
        ]

    def standings(self) -> Iterator[tuple[str, Standing]]:
        """Everybody by id, as they stand now."""
        for person_id, person in self._people.items():
            if person.status is not None:
                yield person_id, self._standing(person, person.status)

    def saturation(self, group: Group) -> Ratio | None:
        """Conversations in the hands of people who are ready / how many those are meant to hold; None without any."""
        hands, limit = self._filled.get(group, (0, 0))
        return Ratio(hands, limit) if limit else None

    def _standing(self, person: _Person, status: _Status) -> Standing:
        accounts = tuple(sorted(person.accounts))
        states = [self.accounts[account] for account in accounts]
        presence = _PRESENCES[status[0]]
        # ready as soon as one account is, away once none is any more
        if presence is Presence.READY:
            since = min(state.since for state in states if state.presence is presence)
        else:
            since = max(state.since for state in states)
        return Standing(
            presence=presence,
            activity=_ACTIVITIES[status[1]],
            since=since or None,
            hands=person.hands,
            limit=person.limit,
            accounts=accounts,
            sources=frozenset(state.source for state in states),
        )

    def _weigh_anew(self, account: str, change: int, *, is_first: bool) -> None:
        """An account has one conversation more or less; with the first of them it changes what its person does."""
        if account not in self._person_of:
            return
        if is_first:
            self._recount(self._person_of[account])
        else:
            person = self._people[self._person_of[account]]
            person.hands += change
            self._fill(person, change, 0)

    def _settle(self, account: str, at: int) -> None:
        """Put an account with its person, and that person on the tiles of its place."""
        before = self._person_of.get(account)
        if not self._tells_of_now(self.accounts[account].source):
            if before is not None:
                self._forget(account, before, at)
            return
        place = self._place_of(account, at)
        person_id = person_of(account, place)
        if before is not None and before != person_id:
            self._people[before].accounts.discard(account)
            self._recount(before)
        self._person_of[account] = person_id
        person = self._people[person_id]
        person.accounts.add(account)
        self._uncount(person)
        person.groups = self._groups_of(person.accounts, place, at)
        self._limits[account] = self._seats.limit_of(account, place.seat, at)
        self._count(person)
        self._staff.place(account, person_id, person.groups, at)

    def _groups_of(self, accounts: Iterable[str], place: Place, at: int) -> frozenset[Group]:
        queues = {queue for account in accounts for queue in self._queues_of[self.accounts[account].source]}
        shops = {(SHOP, shop) for queue in queues if (shop := self._seats.shop_of(queue, at))}
        return frozenset({*self._groups.of_person(place), *((QUEUE, queue) for queue in queues), *shops})

    def _forget(self, account: str, person_id: str, at: int) -> None:
        """Its source tells the day after from now on: how it stood is no state of now."""
        self._staff.tell(account, at, AWAY)
        del self._person_of[account]
        self._people[person_id].accounts.discard(account)
        self._recount(person_id)

    def _recount(self, person_id: str) -> None:
        person = self._people[person_id]
        self._uncount(person)
        if person.accounts:
            self._count(person)
        else:
            del self._people[person_id]

    def _count(self, person: _Person) -> None:
        status = person.status = min(self._statuses(person.accounts))
        for group in person.groups:
            self._counts[group][status] += 1
        self._weigh(person, 1)

    def _uncount(self, person: _Person) -> None:
        if person.status is None:
            return
        self._weigh(person, -1)
        for group in person.groups:
            counts = self._counts[group]
            counts[person.status] -= 1
            if counts[person.status] == 0:
                del counts[person.status]
        person.status = None

    def _weigh(self, person: _Person, sign: int) -> None:
        """Put what a person holds and may hold on its tiles, or take it off: as it was put there."""
        if sign > 0:
            person.hands = sum(len(self.held.get(account, ())) for account in person.accounts)
            person.limit = sum(self._limits.get(account, 0) for account in person.accounts)
        self._fill(person, sign * person.hands, sign * person.limit)

    def _fill(self, person: _Person, hands: int, limit: int) -> None:
        if person.status is not None and person.status[0] == 0:
            for group in person.groups:
                filled = self._filled[group]
                filled[0] += hands
                filled[1] += limit

    def _statuses(self, accounts: Iterable[str]) -> Iterable[_Status]:
        for account in accounts:
            state = self.accounts[account]
            # platforms that tell no activity leave everybody idle; a conversation in hands says otherwise
            serving = state.activity is Activity.IDLE and account in self.held
            activity = Activity.SERVING if serving else state.activity
            yield _PRESENCES.index(state.presence), _ACTIVITIES.index(activity)
