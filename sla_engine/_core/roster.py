"""Who sat where for whom, when: effective-dated links, looked up by platform sub-account and event time."""

from bisect import bisect_right, insort
from collections.abc import Collection
from typing import Final

import msgspec

from wire.ids import UNASSIGNED
from wire.organisation import Relation, RosterLink
from wire.verdict import Place

NOWHERE: Final = Place(UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED)
_CHAIN: Final = (
    Relation.PERSON_OF_ACCOUNT,
    Relation.TEAM_OF_PERSON,
    Relation.SEAT_OF_PERSON,
    Relation.SITE_OF_SEAT,
    Relation.SHIFT_OF_PERSON,
)


class Link(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """One link of a chain. Compared by its start alone, the later entered one after its equals."""

    effective_from: int
    entered: int
    target: str
    effective_until: int | None


class RosterState(msgspec.Struct):
    """Relation -> subject -> links in order of effective_from: the part of the roster that a snapshot keeps."""

    chains: dict[str, dict[str, list[Link]]] = {}
    entered: int = 0


class Roster:
    """Answers from the state, remembered until a link is entered."""

    def __init__(self, state: RosterState) -> None:
        self.state = state
        self._places: dict[str, tuple[list[int], list[Place]]] = {}

    def enter(self, link: RosterLink) -> None:
        """Take a link in. Of two links with one start, the one entered later holds."""
        if link.relation not in _CHAIN:
            return
        self.state.entered += 1
        chain = self.state.chains.setdefault(str(link.relation), {}).setdefault(link.subject, [])
        insort(chain, Link(link.effective_from, self.state.entered, link.target, link.effective_until))
        self._places.clear()

    def place(self, account: str, at: int) -> Place:
        """The place of `account` at `at` (ms); `unassigned` in every part the roster does not know."""
        if not account:
            return NOWHERE
        known = self._places.get(account)
        if known is None:
            known = self._places[account] = self._known(account)
        starts, places = known
        return places[bisect_right(starts, at)]

    def by_now(self, said: Place, at: int) -> Place:
        """A place as it was said of `at` (ms); where nobody was known behind the account then, who is by now."""
        if said.person != UNASSIGNED or said.account == UNASSIGNED:
            return said
        return self.place(said.account, at)

    def accounts(self) -> Collection[str]:
        """Every sub-account that was ever given to a person."""
        return self.state.chains.get(Relation.PERSON_OF_ACCOUNT, {}).keys()

    def moves(self, account: str) -> list[int]:
        """Instants (ms) at which the place of `account` may change, ascending."""
        self.place(account, 0)
        known = self._places.get(account)
        return [] if known is None else known[0]

    def _known(self, account: str) -> tuple[list[int], list[Place]]:
        """Instants at which the place changes, and the places between them (one more than instants)."""
        changes: set[int] = set()
        persons = self._targets(Relation.PERSON_OF_ACCOUNT, account, changes)
        for person in persons:
            self._targets(Relation.TEAM_OF_PERSON, person, changes)
            self._targets(Relation.SHIFT_OF_PERSON, person, changes)
            for seat in self._targets(Relation.SEAT_OF_PERSON, person, changes):
                self._targets(Relation.SITE_OF_SEAT, seat, changes)
        starts = sorted(changes)
        return starts, [self._at(account, at) for at in [-1, *starts]]

    def _targets(self, relation: Relation, subject: str, changes: set[int]) -> list[str]:
        links = self.state.chains.get(relation, {}).get(subject, [])
        for link in links:
            changes.add(link.effective_from)
            if link.effective_until is not None:
                changes.add(link.effective_until)
        return list(dict.fromkeys(link.target for link in links))

    def _at(self, account: str, at: int) -> Place:
        person = self._target(Relation.PERSON_OF_ACCOUNT, account, at)
        seat = self._target(Relation.SEAT_OF_PERSON, person, at)
        return Place(
            account=account,
            person=person,
            team=self._target(Relation.TEAM_OF_PERSON, person, at),
            seat=seat,
            site=self._target(Relation.SITE_OF_SEAT, seat, at),
            shift=self._target(Relation.SHIFT_OF_PERSON, person, at),
        )

    def _target(self, relation: Relation, subject: str, at: int) -> str:
        for link in reversed(self.state.chains.get(relation, {}).get(subject, [])):
            if link.effective_from <= at:
                return link.target if link.effective_until is None or at < link.effective_until else UNASSIGNED
        return UNASSIGNED
