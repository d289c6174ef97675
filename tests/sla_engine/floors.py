"""Sites with lines and seats, and what a fold says of them."""

from collections.abc import Iterable

from sla_engine._core.sites import fold_sites, new_sites
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Role
from wire.incident import IncidentSaid
from wire.organisation import Relation
from wire.recorded import Recorded
from wire.zone_text import zone_attributes
from wire.zones import changes_of, zone_named

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NIGHT = NOON + 14 * HOUR
"""02:00 in the morning."""


def said_after(*entries: Recorded) -> list[IncidentSaid]:
    state = new_sites(LIMITS)
    fold_sites(state, entries)
    return state.unsaid


def steps(said: Iterable[IncidentSaid]) -> list[tuple[str, str]]:
    return [(each.step, each.what) for each in said]


def two_lines(log: Log, at: int = NOON) -> list[Recorded]:
    return [
        log.heartbeat("gate", at),
        log.line("gate", at, "telecom", is_default_route=True),
        log.line("gate", at, "unicom", is_default_route=False),
    ]


def hours(log: Log, site: str, starts: str, ends: str, zone: str = "") -> Recorded:
    """The roster says when a site serves; zone: by whose clock, "" = the default contract's."""
    told = zone_attributes(zone, changes_of(zone_named(zone))) if zone else {}
    return log.link(Relation.HOURS_OF_SITE, site, f"{starts}-{ends}", starts=starts, ends=ends, **told)


def floor(log: Log, seats: int, at: int = NOON, *, roster: bool = True, site: str = "north") -> list[Recorded]:
    """Seats s00, s01 ... in rows of ten, each one its own person, working 08:00 to 24:00; and a gateway."""
    names = [f"s{number:02}" for number in range(seats)]
    links = [
        link
        for number, seat in enumerate(names)
        for link in (
            log.link(Relation.SITE_OF_SEAT, seat, site, row=f"r{number // 10}", circuit=f"c{number // 20}"),
            log.link(Relation.SEAT_OF_PERSON, f"p{seat}", seat),
            log.link(Relation.SHIFT_OF_PERSON, f"p{seat}", "08:00-24:00", starts="08:00", ends="24:00"),
            log.link(Relation.PERSON_OF_ACCOUNT, f"a{seat}", f"p{seat}", client="acme"),
        )
    ]
    return [
        *(links if roster else []),
        *beats(log, names, at, site),
        log.heartbeat("gate", at, site, interval_ms=2_000),
    ]


def beats(log: Log, seats: Iterable[str], at: int, site: str = "north") -> list[Recorded]:
    return [log.heartbeat(seat, at, site, Role.SEAT, seat, interval_ms=5_000) for seat in seats]


def silences(log: Log, seats: Iterable[str], heard_at: int) -> list[Recorded]:
    return [log.silent(seat, heard_at, heard_at + 15 * SECOND) for seat in seats]
