"""What the roster says about a site: its seats and how they hang together, its lines, who sits where and when."""

from bisect import insort
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from sla_engine._core.incidents.model import Hours, RosterLine, SiteLimits, SiteRosterState, within
from sla_engine._core.windows import DAY_MS, MINUTE_MS, ZoneTable
from wire.organisation import Relation, RosterLink
from wire.zone_text import changes_in, table_in

CIRCUIT: Final = "circuit"
SWITCH: Final = "switch"
ROW: Final = "row"
COLUMN: Final = "column"
"""Where in its row a seat stands; tells nothing about what it hangs on."""
SITE: Final = "site"
"""All seats of one are a group without an attribute."""
GROUPS: Final = (CIRCUIT, SWITCH, ROW, SITE)
"""Attributes of a seat's link to its site: what it hangs on. Of groups that fit equally well the first one is named."""
MINUTES_PER_HOUR: Final = 60
# Bound: of ways to write a time of day that are remembered.
CLOCK_TIMES: Final = 4096
CLIENT: Final = "client"
SHOP: Final = "shop"
EGRESS: Final = "egress"
CARRIER: Final = "carrier"
CARRIER_LINE_ID: Final = "carrier_line_id"
STARTS: Final = "starts"
ENDS: Final = "ends"
_KEPT: Final = frozenset(
    {
        Relation.SITE_OF_SEAT,
        Relation.SEAT_OF_PERSON,
        Relation.TEAM_OF_PERSON,
        Relation.SHIFT_OF_PERSON,
        Relation.PERSON_OF_ACCOUNT,
        Relation.SITE_OF_LINE,
        Relation.HOURS_OF_SITE,
    }
)


def enter(state: SiteRosterState, link: RosterLink) -> bool:
    """Take a link in; of two with one start the later entered holds. False for links that sites do not ask for."""
    if link.relation not in _KEPT:
        return False
    state.entered += 1
    chain = state.links.setdefault(str(link.relation), {}).setdefault(link.subject, [])
    line = RosterLine(link.effective_from, state.entered, link.target, link.effective_until, dict(link.attributes))
    insort(chain, line, key=lambda each: (each.effective_from, each.entered))
    if link.relation is Relation.SEAT_OF_PERSON:
        _remember(state.people, link.target, link.subject)
    elif link.relation is Relation.SITE_OF_SEAT:
        _remember(state.seats, link.target, link.subject)
    return True


def seats_at(state: SiteRosterState, site: str, at: int) -> Iterator[tuple[str, RosterLine]]:
    """The seats of a site at `at` (ms), each with its link."""
    for seat in state.seats.get(site, ()):
        link = _link(state, Relation.SITE_OF_SEAT, seat, at)
        if link is not None and link.target == site:
            yield seat, link


def hours_at(state: SiteRosterState, limits: SiteLimits, site: str, at: int) -> Hours:
    """When a site serves, as the roster had it at `at`; the hours of the default contract where it says nothing.

    By the clock of the zone that it names, else of the default contract.
    """
    link, usual = _link(state, Relation.HOURS_OF_SITE, site, at), limits.hours
    times = _times(link)
    if link is None or times is None:
        return usual
    zone = _zone(table_in(link.attributes)) or usual.zone
    return Hours(zone, *times, usual.day_starts_ms)


@cache
def _zone(table: tuple[str, ...]) -> ZoneTable | None:
    """Asked for at every beat of a seat, and the same for years."""
    changes = changes_in(table)
    if not changes:
        return None
    return ZoneTable(table[0], tuple(at for at, _ in changes), tuple(offset for _, offset in changes))


def opened_or_closed(
    state: SiteRosterState, limits: SiteLimits, sites: Collection[str], since: int, at: int
) -> set[str]:
    """Sites that began or ceased to serve between the minutes of two instants (ms); cheap within one minute."""
    since, at = since // MINUTE_MS * MINUTE_MS, at // MINUTE_MS * MINUTE_MS
    if since == at:
        return set()
    were, are = ({site for site in sites if hours_at(state, limits, site, then).is_open(then)} for then in (since, at))
    return were ^ are


def in_shift(state: SiteRosterState, limits: SiteLimits, seat: str, at: int, hours: Hours | None = None) -> bool | None:
    """Whether somebody is to sit there at `at`, by the shifts of its people; None where the roster knows no shift.

    The last minutes of a shift do not count: people switch off before they leave. hours: of its site, where they are
    known already.
    """
    shifts = [shift for person in _people(state, seat, at) if (shift := _shift(state, person, at)) is not None]
    if not shifts:
        return None
    if hours is None:
        site = _link(state, Relation.SITE_OF_SEAT, seat, at)
        hours = limits.hours if site is None else hours_at(state, limits, site.target, at)
    local_ms = hours.local_ms(at)
    return any(within(local_ms, starts, ends - limits.leaves_early_ms) for starts, ends in shifts)


def turns_of_shifts(
    state: SiteRosterState, limits: SiteLimits, site: str, seats: Collection[str], since: int, until: int
) -> set[int]:
    """Instants within (since, until), ms, at which people of these seats are to come or may go, or the hours turn.

    The roster is asked once for each day.
    """
    found: set[int] = set()
    for at in range(max(0, since - DAY_MS), until + DAY_MS, DAY_MS):
        hours = hours_at(state, limits, site, at)
        shifts = {_shift(state, person, at) for seat in seats for person in _people(state, seat, at)}
        times = {hours.opens_ms, hours.closes_ms}
        for shift in shifts:
            if shift is not None:
                times |= {shift[0], shift[1] - limits.leaves_early_ms}
        midnight = at + hours.zone.offset_at(at) - hours.local_ms(at)
        found |= {hours.zone.first_instant_of(midnight + into) for into in times}
    return {at for at in found if since < at < until}


def line_of(state: SiteRosterState, site: str, egress: str, at: int) -> str:
    """The line of a site whose public addresses hold `egress`; "" where none does, or it is no address."""
    try:
        address = ip_address(egress)
    except ValueError:
        return ""
    for subject in sorted(state.links.get(Relation.SITE_OF_LINE, {})):
        link = _link(state, Relation.SITE_OF_LINE, subject, at)
        if link is not None and link.target == site and _holds(link.attributes.get(EGRESS, ""), address):
            return subject.removeprefix(f"{site}/")
    return ""


def _holds(networks: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return any(address in ip_network(network) for network in networks.split())
    except ValueError:
        return False


def clients_at(state: SiteRosterState, site: str, at: int) -> list[str]:
    """The clients that people who sit at a site at `at` work for, by id."""
    return sorted(accounts_at(state, {seat for seat, _ in seats_at(state, site, at)}, at))


def teams_at(state: SiteRosterState, site: str, at: int) -> list[str]:
    """The teams of people who sit at a site at `at`, by id."""
    here = {person for seat, _ in seats_at(state, site, at) for person in _people(state, seat, at)}
    links = (_link(state, Relation.TEAM_OF_PERSON, person, at) for person in here)
    return sorted({link.target for link in links if link is not None})


def shops_at(state: SiteRosterState, site: str, at: int) -> dict[str, list[str]]:
    """By client, the shops that people at a site serve at `at`, as far as their accounts say; most people first."""
    serve: dict[str, dict[str, set[str]]] = {}
    for _, link in _accounts(state, {seat for seat, _ in seats_at(state, site, at)}, at):
        if SHOP in link.attributes:
            shops = serve.setdefault(link.attributes[CLIENT], {})
            shops.setdefault(link.attributes[SHOP], set()).add(link.target)
    return {client: sorted(found, key=lambda shop: (-len(found[shop]), shop)) for client, found in serve.items()}


def accounts_at(state: SiteRosterState, seats: Collection[str], at: int) -> dict[str, frozenset[str]]:
    """By client, the accounts of the people who sit on these seats at `at`."""
    found: dict[str, set[str]] = {}
    for account, link in _accounts(state, seats, at):
        found.setdefault(link.attributes[CLIENT], set()).add(account)
    return {client: frozenset(accounts) for client, accounts in found.items()}


def _accounts(state: SiteRosterState, seats: Collection[str], at: int) -> Iterator[tuple[str, RosterLine]]:
    """The accounts of the people who sit on these seats at `at`, each with its link, which says for which client."""
    here = {person for seat in seats for person in _people(state, seat, at)}
    for account in state.links.get(Relation.PERSON_OF_ACCOUNT, {}):
        link = _link(state, Relation.PERSON_OF_ACCOUNT, account, at)
        if link is not None and link.target in here and link.attributes.get(CLIENT):
            yield account, link


def seats_of_client(state: SiteRosterState, site: str, client: str, at: int) -> set[str]:
    """The seats of a site at which people of a client sit at `at`."""
    found = set()
    for account in state.links.get(Relation.PERSON_OF_ACCOUNT, {}):
        link = _link(state, Relation.PERSON_OF_ACCOUNT, account, at)
        if link is None or link.attributes.get(CLIENT) != client:
            continue
        seat = _link(state, Relation.SEAT_OF_PERSON, link.target, at)
        here = None if seat is None else _link(state, Relation.SITE_OF_SEAT, seat.target, at)
        if seat is not None and here is not None and here.target == site:
            found.add(seat.target)
    return found


def sites_of_client(state: SiteRosterState, client: str, since: int, until: int) -> set[str]:
    """The sites at which people of a client sit at any time within [since, until), ms."""
    instants = {since} | {
        link.effective_from
        for relation in (Relation.PERSON_OF_ACCOUNT, Relation.SEAT_OF_PERSON, Relation.SITE_OF_SEAT)
        for chain in state.links.get(relation, {}).values()
        for link in chain
        if since < link.effective_from < until
    }
    return {site for at in instants for site in set(state.seats) if seats_of_client(state, site, client, at)}


def lines_at(state: SiteRosterState, site: str, at: int) -> dict[str, str]:
    """The broadband lines of a site at `at`, each with its carrier, "" where the roster names none."""
    found = {}
    for subject in state.links.get(Relation.SITE_OF_LINE, {}):
        link = _link(state, Relation.SITE_OF_LINE, subject, at)
        if link is not None and link.target == site:
            found[subject.removeprefix(f"{site}/")] = link.attributes.get(CARRIER, "")
    return found


def carrier_line_ids_at(state: SiteRosterState, site: str, at: int) -> dict[str, str]:
    """What carriers know the lines of a site by at `at`, as far as the roster says so.

    Of a line without one then, the first it was given afterwards: it is often looked up only when the line is down.
    What another carrier knows it by since tells the one that had it nothing.
    """
    found: dict[str, str] = {}
    for subject, chain in state.links.get(Relation.SITE_OF_LINE, {}).items():
        starts = [at, *sorted({each.effective_from for each in chain if each.effective_from > at})]
        links = [link for start in starts if (link := _link(state, Relation.SITE_OF_LINE, subject, start)) is not None]
        here = [link for link in links if link.target == site]
        carrier = next((link.attributes[CARRIER] for link in here if link.attributes.get(CARRIER)), "")
        for link in here:
            if CARRIER_LINE_ID in link.attributes and link.attributes.get(CARRIER, "") in {"", carrier}:
                found.setdefault(subject.removeprefix(f"{site}/"), link.attributes[CARRIER_LINE_ID])
    return found


def _people(state: SiteRosterState, seat: str, at: int) -> list[str]:
    links = ((person, _link(state, Relation.SEAT_OF_PERSON, person, at)) for person in state.people.get(seat, ()))
    return [person for person, link in links if link is not None and link.target == seat]


def _shift(state: SiteRosterState, person: str, at: int) -> tuple[int, int] | None:
    return _times(_link(state, Relation.SHIFT_OF_PERSON, person, at))


def _times(link: RosterLine | None) -> tuple[int, int] | None:
    """From when until when by the clock, in ms since midnight."""
    if link is None:
        return None
    starts, ends = (_clock_time(link.attributes.get(name, "")) for name in (STARTS, ENDS))
    return None if starts is None or ends is None else (starts, ends)


@lru_cache(CLOCK_TIMES)
def _clock_time(text: str) -> int | None:
    """`HH:MM` as ms; None for anything else."""
    hours, _, minutes = text.partition(":")
    if not (hours.isdecimal() and hours.isascii() and minutes.isdecimal() and minutes.isascii()):
        return None
    return (int(hours) * MINUTES_PER_HOUR + int(minutes)) * MINUTE_MS


def _link(state: SiteRosterState, relation: Relation, subject: str, at: int) -> RosterLine | None:
    for link in reversed(state.links.get(relation, {}).get(subject, [])):
        if link.effective_from <= at:
            return link if link.effective_until is None or at < link.effective_until else None
    return None


def _remember(table: dict[str, list[str]], key: str, value: str) -> None:
    known = table.setdefault(key, [])
    if value not in known:
        known.append(value)
