"""The roster as links with a beginning and an end: what rows state, what contradicts, what is new, whom it concerns.

Subjects are the many side, so that a later link of one subject may end the earlier one: a shop has one client, a
queue one shop, a sub-account one person, a person one team, one seat and one shift, a seat one site and one mode.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from collector._core.derived import HUB_CLOCK, entry
from ledger.entry import NewEntry
from wire.ids import SourceId
from wire.limits import EPOCH_BYTES
from wire.organisation import Relation, RosterLink

ROSTER: Final = SourceId("~roster")
CLIENT: Final = "client"
SHOP: Final = "shop"
"""Attributes of a sub-account's link: the client it works for, and the shop of that client, where a row says one."""
HOST: Final = "host"
"""Attribute of a seat's link to its site: the host name of the machine there."""
DEDICATED: Final = "dedicated"
SHARED: Final = "shared"
# Format: later than any instant of wire/limits.py.
_FOREVER: Final = 1 << 62
_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode


class Link(NamedTuple):
    """`subject` has `target` under `relation` within [effective_from, effective_until) in ms, None = open-ended."""

    relation: Relation
    subject: str
    target: str
    effective_from: int
    effective_until: int | None
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        """A link of the same key replaces this one."""
        return self.relation, self.subject, self.effective_from


class Stated(NamedTuple):
    """A link and where it was stated: the row as a spreadsheet numbers it, 0 = in the ledger already."""

    link: Link
    sheet: str
    row: int


class Problem(NamedTuple):
    """Why a roster cannot be taken. what: the sentence, with ids but never a person's name."""

    sheet: str
    row: int
    what: str


class Change(NamedTuple):
    """A link to write. before: the link it replaces; ends: the links of the same subject that it cuts short."""

    link: Link
    before: Link | None
    ends: tuple[Link, ...]


def link_of(body: RosterLink) -> Link:
    """The link an entry states."""
    attributes = tuple(sorted(body.attributes.items()))
    return Link(body.relation, body.subject, body.target, body.effective_from, body.effective_until, attributes)


def in_force(links: Iterable[Link]) -> dict[tuple[str, str, int], Link]:
    """Links in the order they were entered, the later one of a key replacing the earlier."""
    return {link.key: link for link in links}


def changes(known: Mapping[tuple[str, str, int], Link], stated: Iterable[Link]) -> list[Change]:
    """What of `stated` a ledger that knows `known` does not have yet, in canonical order."""
    fresh = sorted({link.key: link for link in stated if known.get(link.key) != link}.values())
    return [Change(link, known.get(link.key), tuple(_cut_short(known.values(), link))) for link in fresh]


def entries(known: Mapping[tuple[str, str, int], Link], found: Sequence[Change], decided_at: int) -> list[NewEntry]:
    """The entries that bring a ledger from `known` to the state with `found`.

    The epoch comes from both, so that a retry adds nothing, and going back to an earlier roster is a new statement.
    """
    content = [[change.link for change in found], sorted(known.values())]
    epoch = sha256(b"roster" + _encode(content)).digest()[:EPOCH_BYTES]
    head = (decided_at, 1, HUB_CLOCK, None, True, "")
    return [
        # Format: RosterLink's fields before its attributes.
        entry(ROSTER, epoch, ordinal, RosterLink(*head, *change.link[:5], dict(change.link.attributes)))
        for ordinal, change in enumerate(found, start=1)
    ]


def clients_of(links: Iterable[Link]) -> dict[Link, frozenset[str]]:
    """Which clients each link concerns: what a client needs to place its conversations and count its seats alone."""
    links = list(links)
    client_of_shop = _targets(links, Relation.SHOP_OF_CLIENT)
    seats_of = _targets(links, Relation.SEAT_OF_PERSON)
    of_person: dict[str, set[str]] = defaultdict(set)
    for link in links:
        if link.relation is Relation.PERSON_OF_ACCOUNT:
            of_person[link.target] |= _account_clients(link)
    of_seat: dict[str, set[str]] = defaultdict(set)
    for person, seats in seats_of.items():
        for seat in seats:
            of_seat[seat] |= of_person[person]

    def concerned(link: Link) -> Iterable[str]:
        if link.relation is Relation.SHOP_OF_CLIENT:
            return (link.target,)
        if link.relation is Relation.QUEUE_OF_SHOP:
            return client_of_shop[link.target]
        if link.relation is Relation.CONTRACTED_SEATS_OF_SHOP:
            return client_of_shop[link.subject]
        if link.relation is Relation.CONTRACTED_SEATS:
            return (link.subject,)
        if link.relation is Relation.PERSON_OF_ACCOUNT:
            return _account_clients(link)
        if link.relation in {Relation.SITE_OF_SEAT, Relation.MODE_OF_SEAT}:
            return of_seat[link.subject]
        return of_person[link.subject]

    return {link: frozenset(concerned(link)) for link in links}


def problems(known: Iterable[Link], stated: Sequence[Stated]) -> Iterator[Problem]:
    """What is wrong with `stated` on top of what a ledger knows."""
    yield from _said_twice(stated)
    chains = _chains(known, stated)
    for chain in chains.values():
        yield from _at_once(chain)
    yield from _unknown(chains)
    yield from _crowded_seats(chains)


def remarks(known: Iterable[Link], stated: Sequence[Stated]) -> Iterator[Problem]:
    """What can be taken as it is and deserves a look: dedicated seats of people with accounts of other clients.

    People do help out, and a seat changes hands; how much of the time they did is for `seatwatch seats` to say.
    """
    chains = _chains(known, stated)
    concerns = clients_of([each.link for chain in chains.values() for each in chain])
    for (relation, seat), chain in chains.items():
        for each in chain:
            clients = concerns[each.link]
            if relation == Relation.MODE_OF_SEAT and each.link.target == DEDICATED and len(clients) > 1:
                what = f"seat {seat} is dedicated, and its people have accounts of {', '.join(sorted(clients))}"
                yield Problem(each.sheet, each.row, what)


# ------------------------------------------------------------------------------------------------------------- checks


def _chains(known: Iterable[Link], stated: Sequence[Stated]) -> dict[tuple[str, str], list[Stated]]:
    """All links of each relation and subject by the time they begin; row 0 = known before."""
    by_key = {link.key: Stated(link, "", 0) for link in known} | {each.link.key: each for each in stated}
    chains: dict[tuple[str, str], list[Stated]] = defaultdict(list)
    for each in sorted(by_key.values(), key=lambda each: each.link.effective_from):
        chains[each.link.relation, each.link.subject].append(each)
    return chains


def _said_twice(stated: Sequence[Stated]) -> Iterator[Problem]:
    first: dict[tuple[str, str, int], Stated] = {}
    for each in stated:
        other = first.setdefault(each.link.key, each)
        if other.link != each.link:
            what = f"{each.link.subject}: another {_thing(each.link)} from the same day in row {other.row}"
            yield Problem(each.sheet, each.row, what)


def _at_once(chain: Sequence[Stated]) -> Iterator[Problem]:
    """A link that was given an end after the next one's beginning: two hold at once."""
    for earlier, later in pairwise(chain):
        until = earlier.link.effective_until
        if until is not None and until > later.link.effective_from and later.link.target != earlier.link.target:
            at = later if later.row else earlier
            other = f"row {earlier.row}" if earlier.row else "the ledger"
            what = (
                f"{later.link.subject}: on two at once, {_thing(later.link)} {earlier.link.target} ({other}) ends later"
            )
            yield Problem(at.sheet, at.row, what)


def _unknown(chains: Mapping[tuple[str, str], Sequence[Stated]]) -> Iterator[Problem]:
    needs = {
        Relation.SEAT_OF_PERSON: (Relation.SITE_OF_SEAT, "seat", "is at no site"),
        Relation.QUEUE_OF_SHOP: (Relation.SHOP_OF_CLIENT, "shop", "belongs to no client"),
    }
    for (relation, _), chain in chains.items():
        for each in chain:
            needed = needs.get(Relation(relation))
            if needed is not None and (needed[0], each.link.target) not in chains and each.row:
                yield Problem(each.sheet, each.row, f"{needed[1]} {each.link.target} {needed[2]}")
            is_of_shop = each.link.relation is Relation.CONTRACTED_SEATS_OF_SHOP
            if is_of_shop and each.row and (Relation.SHOP_OF_CLIENT, each.link.subject) not in chains:
                yield Problem(each.sheet, each.row, f"shop {each.link.subject} belongs to no client")
            account = each.link.relation is Relation.PERSON_OF_ACCOUNT
            if account and each.row and not _account_clients(each.link):
                what = f"account {each.link.subject}: no client, neither by itself nor through its shop"
                yield Problem(each.sheet, each.row, what)


def _crowded_seats(chains: Mapping[tuple[str, str], Sequence[Stated]]) -> Iterator[Problem]:
    """Two people on one seat on the same days, in shifts that overlap; without a shift a person sits all day."""
    on_seat: dict[str, list[tuple[int, int, Stated]]] = defaultdict(list)
    for (relation, _), chain in chains.items():
        if relation == Relation.SEAT_OF_PERSON:
            for start, end, each in _spans(chain):
                on_seat[each.link.target].append((start, end, each))
    for seat, sitting in on_seat.items():
        sitting.sort(key=lambda one: one[0])
        for number, (_, end, each) in enumerate(sitting):
            for start, other_end, other in sitting[number + 1 :]:
                if start >= end:
                    break
                if each.link.subject == other.link.subject or not (each.row or other.row):
                    continue
                both = (start, min(end, other_end))
                if _shifts_meet(chains, each.link.subject, other.link.subject, both):
                    at = other if other.row else each
                    what = f"seat {seat}: {each.link.subject} and {other.link.subject} at the same hours"
                    yield Problem(at.sheet, at.row, what)


# ------------------------------------------------------------------------------------------------------------ helpers


def _spans(chain: Sequence[Stated]) -> Iterator[tuple[int, int, Stated]]:
    """When each link of a chain holds: until its own end or the next one's beginning."""
    for number, each in enumerate(chain):
        following = chain[number + 1].link.effective_from if number + 1 < len(chain) else _FOREVER
        until = each.link.effective_until
        end = following if until is None else min(until, following)
        if each.link.effective_from < end:
            yield each.link.effective_from, end, each


def _shifts_meet(
    chains: Mapping[tuple[str, str], Sequence[Stated]], one: str, other: str, during: tuple[int, int]
) -> bool:
    ours, theirs = (_shifts(chains, person, during) for person in (one, other))
    return any(_overlap(mine, yours) for mine in ours for yours in theirs)


def _shifts(
    chains: Mapping[tuple[str, str], Sequence[Stated]], person: str, during: tuple[int, int]
) -> list[tuple[int, int]]:
    """The person's shifts within that time, as minutes of the day; all day where none is known."""
    chain = chains.get((Relation.SHIFT_OF_PERSON, person), ())
    found = [
        minutes_of(each.link.target) for start, end, each in _spans(chain) if start < during[1] and during[0] < end
    ]
    return [shift for shift in found if shift is not None] or [(0, MINUTES_PER_DAY)]


MINUTES_PER_DAY: Final = 24 * 60


def minutes_of(shift: str) -> tuple[int, int] | None:
    """First and last minute (not included) of `HH:MM-HH:MM`; past 1440 where it crosses midnight. None: no shift."""
    parts = shift.split("-")
    if len(parts) != 2:
        return None
    starts, ends = (_minute(part) for part in parts)
    if starts is None or ends is None or starts in {ends, MINUTES_PER_DAY}:
        return None
    return starts, ends if ends > starts else ends + MINUTES_PER_DAY


def _minute(text: str) -> int | None:
    hours, colon, minutes = text.strip().partition(":")
    # Format: HH:MM of a clock.
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and int(minutes) < 60):
        return None
    minute = int(hours) * 60 + int(minutes)
    return minute if minute <= MINUTES_PER_DAY else None


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return any(
        one[0] < other[1] + shift and other[0] + shift < one[1] for shift in (-MINUTES_PER_DAY, 0, MINUTES_PER_DAY)
    )


def _cut_short(known: Iterable[Link], link: Link) -> Iterator[Link]:
    """Links that held beyond the beginning of `link`: only the latest of those before it can."""
    before = [
        each
        for each in known
        if (each.relation, each.subject) == (link.relation, link.subject) and each.effective_from < link.effective_from
    ]
    if before:
        last = max(before, key=lambda each: each.effective_from)
        if last.effective_until is None or last.effective_until > link.effective_from:
            yield last


def _targets(links: Iterable[Link], relation: Relation) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for link in links:
        if link.relation is relation:
            found[link.subject].add(link.target)
    return found


def _account_clients(link: Link) -> set[str]:
    return {value for name, value in link.attributes if name == CLIENT and value}


def _thing(link: Link) -> str:
    return link.relation.partition("_of_")[0]
