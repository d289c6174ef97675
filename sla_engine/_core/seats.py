"""What the roster says about seats: how many are contracted, how many conversations fit hands, which shop a queue is.

Effective-dated as every link: of those that have begun the latest holds, and nothing where it has ended.
"""

from bisect import insort
from itertools import pairwise
from typing import Final

import msgspec

from wire.organisation import Relation, RosterLink

DEDICATED: Final = "dedicated"
"""Target of a seat's mode: for one client alone."""
LIMIT: Final = "limit"
"""Attribute of a sub-account's or a seat's link: how many conversations at once it is meant to hold."""
_KEPT: Final = frozenset(
    {
        *(Relation.PERSON_OF_ACCOUNT, Relation.MODE_OF_SEAT, Relation.QUEUE_OF_SHOP),
        *(Relation.CONTRACTED_SEATS, Relation.CONTRACTED_SEATS_OF_SHOP),
    }
)


class SeatLink(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """One link. limit: None where it states none, or nothing that is a number."""

    effective_from: int
    entered: int
    target: str
    effective_until: int | None
    limit: int | None


class SeatsState(msgspec.Struct):
    """Relation -> subject -> links in order of effective_from."""

    links: dict[str, dict[str, list[SeatLink]]] = {}
    entered: int = 0


class Seats:
    """Answers from the state."""

    def __init__(self, state: SeatsState, limit_default: int) -> None:
        """limit_default: conversations at once where the roster says nothing."""
        self.state: Final = state
        self._limit_default: Final = limit_default

    def enter(self, link: RosterLink) -> None:
        """Take a link in. Of two with one start, the one entered later holds."""
        if link.relation not in _KEPT:
            return
        self.state.entered += 1
        text = link.attributes.get(LIMIT, "")
        limit = int(text) if text.isdecimal() and text.isascii() else None
        chain = self.state.links.setdefault(str(link.relation), {}).setdefault(link.subject, [])
        insort(chain, SeatLink(link.effective_from, self.state.entered, link.target, link.effective_until, limit))

    def limit_of(self, account: str, seat: str, at: int) -> int:
        """How many conversations at once an account on a seat is meant to hold: its own limit, else the seat's."""
        for relation, subject in ((Relation.PERSON_OF_ACCOUNT, account), (Relation.MODE_OF_SEAT, seat)):
            link = self._link(relation, subject, at)
            if link is not None and link.limit is not None:
                return link.limit
        return self._limit_default

    def contracted(self, client: str, at: int) -> int | None:
        """Seats paid for by a client, None where the roster states none."""
        return self._paid(Relation.CONTRACTED_SEATS, client, at)

    def contracted_of_shop(self, shop: str, at: int) -> int | None:
        """Seats paid for by a client for one of its shops, None where the roster states none."""
        return self._paid(Relation.CONTRACTED_SEATS_OF_SHOP, shop, at)

    def _paid(self, relation: Relation, subject: str, at: int) -> int | None:
        link = self._link(relation, subject, at)
        return int(link.target) if link is not None and link.target.isdecimal() and link.target.isascii() else None

    def dedicated(self, seat: str, since: int, until: int) -> list[tuple[int, int]]:
        """The parts of [since, until), ms, in which a seat is dedicated to one client; none where nothing says so."""
        links = self.state.links.get(Relation.MODE_OF_SEAT, {}).get(seat, [])
        cuts = {at for link in links for at in (link.effective_from, link.effective_until) if at is not None}
        found = []
        for start, end in pairwise([since, *sorted(at for at in cuts if since < at < until), until]):
            link = self._link(Relation.MODE_OF_SEAT, seat, start)
            if link is not None and link.target == DEDICATED:
                found.append((start, end))
        return found

    def shop_of(self, queue: str, at: int) -> str:
        """The shop a queue serves, "" where the roster does not know."""
        link = self._link(Relation.QUEUE_OF_SHOP, queue, at)
        return "" if link is None else link.target

    def _link(self, relation: Relation, subject: str, at: int) -> SeatLink | None:
        for link in reversed(self.state.links.get(relation, {}).get(subject, [])):
            if link.effective_from <= at:
                return link if link.effective_until is None or at < link.effective_until else None
        return None
