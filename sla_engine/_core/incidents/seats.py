"""Seats that vanish together: a breaker, a switch, a row. And those that vanish alone."""

from typing import Final, NamedTuple

from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import Hours, Probe, Site, SiteLimits, SitesState
from sla_engine._core.incidents.verdict import heard_until
from wire.board import SeatTile
from wire.facility import Role

_PERCENT: Final = 100


class LostGroup(NamedTuple):
    """Seats of one group that went silent at one moment. since: the earliest one was heard last, ms.

    stayed: those of the group that go on reporting.
    """

    kind: str
    name: str
    lost: int
    of: int
    since: int
    first_index: int
    stayed: frozenset[str]


class LostSeat(NamedTuple):
    """One seat that went silent by itself."""

    seat: str
    since: int
    first_index: int


def lost_seats(state: SitesState, site_id: str, now: int) -> tuple[list[LostGroup], list[LostSeat]]:
    """The groups that vanished, the largest first, and the seats that did so alone. Only seats that were expected.

    A lone silence counts once it has settled and somebody else at the site was heard since. Those of a group are
    remembered as its own while they come back one by one.
    """
    site, limits = state.sites[site_id], state.limits
    lost = {
        p.seat: p
        for p in site.probes.values()
        if p.role is Role.SEAT and p.seat and p.silent_since is not None and p.was_expected and p.covered_until <= now
    }
    others_until = heard_until(site)
    groups: list[LostGroup] = []
    if len(lost) >= limits.group_seats:
        members = _members(state, site_id, now)
        while (best := _largest(site, lost, members, limits, others_until)) is not None:
            group, gone = best
            groups.append(group)
            for seat in gone:
                lost[seat].grouped_until = now + limits.recovery_ms
            lost = {seat: probe for seat, probe in lost.items() if seat not in gone}
    alone = [
        LostSeat(seat, probe.silent_since or 0, probe.silent_index)
        for seat, probe in sorted(lost.items())
        if now - probe.said_silent_at >= limits.settle_ms
        and probe.grouped_until <= now
        and (probe.silent_since or 0) < others_until
    ]
    return groups, alone


def present_seats(site: Site) -> int | None:
    """Seats that report; None where none ever did."""
    seats = [p for p in site.probes.values() if p.role is Role.SEAT and p.seat]
    return sum(p.heard_at is not None and p.silent_since is None for p in seats) if seats else None


def seat_tiles(state: SitesState) -> list[SeatTile]:
    """Every seat that the roster knows by now, by site and id."""
    found = []
    for site_id in sorted(state.roster.seats):
        site = state.sites.get(site_id)
        reports = {} if site is None else {p.seat: p for p in site.probes.values() if p.role is Role.SEAT and p.seat}
        for seat, link in sorted(roster.seats_at(state.roster, site_id, state.now)):
            probe = reports.get(seat)
            found.append(
                SeatTile(
                    id=seat,
                    site=site_id,
                    row=link.attributes.get(roster.ROW, ""),
                    column=link.attributes.get(roster.COLUMN, ""),
                    reports=None if probe is None or probe.heard_at is None else probe.silent_since is None,
                )
            )
    return found


def expected_seats(state: SitesState, site_id: str, now: int) -> int | None:
    """Seats that are to be there now; None where the site has none."""
    from_roster = {seat for seat, _ in roster.seats_at(state.roster, site_id, now)}
    probes = {p.seat: p for p in state.sites[site_id].probes.values() if p.role is Role.SEAT and p.seat}
    if not from_roster and not probes:
        return None
    hours = roster.hours_at(state.roster, state.limits, site_id, now)
    here = sum(_is_expected(state, hours, seat, probes, now, hours) for seat in from_roster)
    return here + sum(_is_expected(state, hours, seat, probes, now) for seat in probes.keys() - from_roster)


def _is_expected(
    state: SitesState, hours: Hours, seat: str, probes: dict[str, Probe], now: int, shift_hours: Hours | None = None
) -> bool:
    in_shift = roster.in_shift(state.roster, state.limits, seat, now, shift_hours)
    if in_shift is not None:
        return in_shift
    return seat in probes and hours.is_open(now) and probes[seat].day == hours.business_day(now)


def _members(state: SitesState, site_id: str, now: int) -> dict[tuple[str, str], set[str]]:
    """The seats of each group; all of the site are one as well: its gateway may stay, on a UPS or before the switch."""
    found = {(roster.SITE, site_id): {p.seat for p in state.sites[site_id].probes.values() if p.seat}}
    for seat, link in roster.seats_at(state.roster, site_id, now):
        for kind in roster.GROUPS:
            if link.attributes.get(kind):
                found.setdefault((kind, link.attributes[kind]), set()).add(seat)
    return found


def _largest(
    site: Site,
    lost: dict[str, Probe],
    members: dict[tuple[str, str], set[str]],
    limits: SiteLimits,
    others_until: int,
) -> tuple[LostGroup, set[str]] | None:
    """The group of which most vanished at one moment, enough of it and not with the whole site.

    All of the site is named where it accounts for a group's worth more than a smaller one: one or two that happened to
    go with a circuit are no trouble of everybody.
    """
    reporting = {p.seat for p in site.probes.values() if p.seat and p.heard_at is not None and p.silent_since is None}
    best: tuple[tuple[int, int, int], LostGroup, set[str]] | None = None
    for (kind, name), seats in sorted(members.items()):
        gone = _at_once({seat: lost[seat] for seat in seats if seat in lost}, limits.group_within_ms)
        stayed = frozenset(seats & reporting)
        there = len(gone) + len(stayed)
        if len(gone) < limits.group_seats or len(gone) * _PERCENT < limits.group_percent * there:
            continue
        if max(lost[seat].silent_since or 0 for seat in gone) >= others_until:
            continue
        since = min(lost[seat].silent_since or 0 for seat in gone)
        first_index = min(lost[seat].silent_index for seat in gone)
        apart = limits.group_seats - 1 if kind == roster.SITE else 0
        rank = (len(gone) - apart, len(gone) * _PERCENT // there, -roster.GROUPS.index(kind))
        if best is None or rank > best[0]:
            best = rank, LostGroup(kind, name, len(gone), there, since, first_index, stayed), gone
    return None if best is None else best[1:]


def _at_once(lost: dict[str, Probe], within_ms: int) -> set[str]:
    """The most seats that may have vanished within `within_ms` of each other.

    When a seat vanished is only known to lie between its last word and the next one it owed, so a moment at which all
    could have gone is looked for.
    """
    spans = {
        seat: ((probe.silent_since or 0) - within_ms, (probe.silent_since or 0) + probe.interval_ms)
        for seat, probe in lost.items()
    }
    edges = sorted(edge for start, end in spans.values() for edge in ((start, 0), (end, 1)))
    here = most = moment = 0
    for at, is_end in edges:
        here += -1 if is_end else 1
        if here > most:
            most, moment = here, at
    return {seat for seat, (start, end) in spans.items() if start <= moment <= end}


def cover(site: Site, since: int, limits: SiteLimits, now: int) -> None:
    """All the site has a trouble since `since`: it explains who fell silent with it, until well after its end."""
    for probe in site.probes.values():
        if probe.silent_since is not None and probe.silent_since >= since - limits.together_ms:
            probe.covered_until = now + limits.recovery_ms
