"""A platform that two sites lost is no excuse at a third one whose own seats reach it."""

import pytest

from sla_engine._core.attribution import AfterLimits, Held, Impaired, Miss, trace
from sla_engine._core.circumstances import Circumstances
from sla_engine._core.sites import clients_of, fold_sites, new_sites
from tests.causes.matrix import LIMITS
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, beats, said_after
from tests.sla_engine.site_limits import LIMITS as SITE_LIMITS
from wire.incident import Cause, IncidentSaid
from wire.kinds import Kind
from wire.organisation import Relation
from wire.recorded import Recorded

SEATS = {"north": ("a1", "a2"), "south": ("b1", "b2"), "west": ("c1", "c2")}
LASTS = 10 * MINUTE


def there(log: Log, *sites: str, at: int = NOON) -> list[Recorded]:
    """Seats of these sites, and what they see: they reach the platform."""
    return [
        entry
        for site in sites
        for entry in (
            *beats(log, SEATS[site], at, site),
            *(log.platform(seat, at, site=site) for seat in SEATS[site]),
        )
    ]


def seen(log: Log, site: str, at: int, *, is_reachable: bool) -> list[Recorded]:
    return [log.platform(seat, at, site=site, is_reachable=is_reachable) for seat in SEATS[site]]


def lost(log: Log, site: str, at: int) -> list[Recorded]:
    return seen(log, site, at, is_reachable=False)


def back(log: Log, site: str, at: int) -> list[Recorded]:
    return seen(log, site, at, is_reachable=True)


def impaired(said: list[IncidentSaid]) -> list[Impaired]:
    log, circumstances = Log(), Circumstances(LIMITS.load)
    for each in said:
        circumstances.take(log.entry("~incident", Kind.INCIDENT, each))
    return circumstances.impaired([], {})


def cause(said: list[IncidentSaid], site: str, at: int, *, seat: str = "", peers: tuple[str, ...] = ()) -> str:
    """Of a miss at `site`, or in nobody's hands where that is "", of a customer who came at `at`."""
    held = (Held("anna", seat or SEATS[site][0], site, at, at + MINUTE),) if site else ()
    miss = Miss(
        conversation="c",
        session=0,
        queue="presale",
        source="chat",
        voice=False,
        since=at,
        due_at=at + 10 * SECOND,
        until=at + MINUTE,
        held=held,
        alone_since=at + MINUTE,
        peers=tuple(Held(f"p{number}", "", peer, 0, 1) for number, peer in enumerate(peers)),
    )
    return trace(miss, impaired(said), AfterLimits(shifted_percent=20, aftermath_ms=120_000, pile=2)).cause


def two_sites_lose_it(log: Log, *others: Recorded) -> list[IncidentSaid]:
    over = NOON + LASTS
    told = [
        *there(log, "north", "south"),
        *lost(log, "north", NOON + 10 * SECOND),
        *lost(log, "south", NOON + 12 * SECOND),
        *others,
        *back(log, "north", over),
        *back(log, "south", over),
    ]
    return said_after(*sorted(told, key=lambda entry: entry.received_at))


def test_the_site_whose_own_seats_reach_it_has_another_reason_for_its_misses() -> None:
    log = Log()
    said = two_sites_lose_it(log, *there(log, "west"))
    asked = {site: cause(said, site, NOON + 2 * MINUTE) for site in SEATS}
    assert asked == {"north": "platform", "south": "platform", "west": "none"}


def test_a_site_that_tells_nothing_of_it_is_taken_to_have_lost_it_too() -> None:
    said = two_sites_lose_it(Log())
    assert cause(said, "west", NOON + 2 * MINUTE) == "platform"


def test_seats_that_fell_silent_tell_nothing_of_it_any_more() -> None:
    log = Log()
    gone = [log.silent(seat, NOON + 3 * MINUTE, NOON + 3 * MINUTE + 15 * SECOND) for seat in SEATS["west"]]
    gate = [log.heartbeat("gate", NOON + n * 30 * SECOND, "west") for n in range(12)]
    said = two_sites_lose_it(log, *there(log, "west"), *gone, *gate)
    asked = [cause(said, "west", NOON + minutes * MINUTE, seat="c9") for minutes in (1, 6)]
    assert asked == ["none", "platform"], "of a person whose own seat was there all the while"


def test_a_site_where_half_of_the_seats_lost_it_is_no_witness_against() -> None:
    log = Log()
    half = log.platform("c1", NOON + 20 * SECOND, site="west", is_reachable=False)
    said = two_sites_lose_it(log, *there(log, "west"), half)
    assert cause(said, "west", NOON + 2 * MINUTE) == "platform"


def test_a_third_site_that_loses_it_later_had_it_until_shortly_before_that_was_told() -> None:
    #  north and south: 12:00 ────────────────── 12:10      west: reached ·· 12:05 ───── 12:10
    log = Log()
    said = two_sites_lose_it(log, *there(log, "west"), *lost(log, "west", NOON + 5 * MINUTE))
    asked = [cause(said, "west", NOON + minutes * MINUTE) for minutes in (1, 2, 4, 7)]
    assert asked == ["none", "none", "platform", "platform"], "seats take up to a minute to believe it"


def test_a_second_site_that_loses_it_an_hour_after_the_first_had_it_in_that_hour() -> None:
    log = Log()
    said = said_after(
        *there(log, "north", "south"),
        *lost(log, "north", NOON + SECOND),
        *lost(log, "south", NOON + HOUR),
    )
    assert [(each.site, each.is_suspected) for each in said] == [("north", True), ("", False)]
    assert [cause(said, site, NOON + 30 * MINUTE) for site in ("north", "south")] == ["platform", "none"]
    assert {cause(said, site, NOON + HOUR + MINUTE) for site in ("north", "south")} == {"platform"}
    assert cause(said[1:], "south", NOON + 30 * MINUTE) == "none", "a client who is served there alone is told no more"


def test_who_has_it_again_is_spared_while_the_others_have_not() -> None:
    log = Log()
    said = two_sites_lose_it(
        log,
        *there(log, "west"),
        *lost(log, "west", NOON + 14 * SECOND),
        *back(log, "west", NOON + 3 * MINUTE),
        *lost(log, "west", NOON + 8 * MINUTE),
    )
    asked = [cause(said, "west", NOON + minutes * MINUTE) for minutes in (1, 5, 9)]
    assert asked == ["platform", "none", "platform"]


@pytest.mark.parametrize(
    ("peers", "expected"),
    [(("west", "west", "north"), "none"), (("west", "south", "north"), "platform"), ((), "platform")],
)
def test_a_customer_in_nobodys_hands_waits_for_those_who_serve_the_queue(peers: tuple[str, ...], expected: str) -> None:
    log = Log()
    said = two_sites_lose_it(log, *there(log, "west"))
    assert cause(said, "", NOON + 2 * MINUTE, peers=peers) == expected


def test_one_seat_that_had_its_own_trouble_since_the_morning_is_no_beginning_of_it() -> None:
    log = Log()
    seats = ("a1", "a2", "a3")
    said = said_after(
        *beats(log, seats, NOON - 3 * HOUR),
        *(log.platform(seat, NOON - 3 * HOUR) for seat in seats[1:]),
        log.platform("a1", NOON - 3 * HOUR, is_reachable=False),
        *(log.platform(seat, NOON + n * SECOND, is_reachable=False) for n, seat in enumerate(seats[1:])),
    )
    assert [(each.site, each.started_at - NOON) for each in said] == [("north", 0)]


def test_whoever_was_told_of_it_is_told_that_it_is_over_there() -> None:
    """Where two sites serve a client each, the second client's record had it for ever."""
    log = Log()
    state = new_sites(SITE_LIMITS)
    links = [
        link
        for site, client in (("north", "acme"), ("south", "orion"), ("west", "zenith"))
        for link in (
            log.link(Relation.SITE_OF_SEAT, SEATS[site][0], site),
            log.link(Relation.SEAT_OF_PERSON, f"p-{site}", SEATS[site][0]),
            log.link(Relation.PERSON_OF_ACCOUNT, f"a-{site}", f"p-{site}", client=client),
        )
    ]
    told = [
        *links,
        *there(log, *SEATS),
        *lost(log, "north", NOON + 10 * SECOND),
        *lost(log, "south", NOON + 12 * SECOND),
        *back(log, "south", NOON + 2 * MINUTE),
        *back(log, "north", NOON + 3 * MINUTE),
    ]
    fold_sites(state, told)
    to = [(str(said.step), said.site, clients_of(state, said)) for said in state.unsaid]
    assert to == [
        ("opened", "north", ["acme"]),
        ("changed", "", ["acme", "orion"]),
        ("changed", "north", ["acme", "orion"]),
        ("closed", "north", ["acme", "orion"]),
    ]
    of_orion = [said for said in state.unsaid if "orion" in clients_of(state, said)]
    asked = [cause(of_orion, "south", NOON + at) for at in (30 * SECOND, 10 * MINUTE)]
    assert asked == [Cause.PLATFORM, Cause.NONE]


def test_where_a_platform_fails_at_dozens_of_sites_the_client_of_the_last_one_is_told() -> None:
    """A detail of an incident is a line of text, and names the first two dozen."""
    log, state = Log(), new_sites(SITE_LIMITS)
    sites = {f"site-{number:03}": (f"s-{number}a", f"s-{number}b") for number in range(40)}
    told = [
        entry
        for site, seats in sites.items()
        for entry in (
            log.link(Relation.SITE_OF_SEAT, seats[0], site),
            log.link(Relation.SEAT_OF_PERSON, f"p-{site}", seats[0]),
            log.link(Relation.PERSON_OF_ACCOUNT, f"a-{site}", f"p-{site}", client=f"of-{site}"),
            *beats(log, seats, NOON, site),
        )
    ]
    everywhere = [(site, seat) for site, seats in sites.items() for seat in seats]
    told += [log.platform(seat, NOON, site=site) for site, seat in everywhere]
    told += [log.platform(seat, NOON + 10 * SECOND, site=site, is_reachable=False) for site, seat in everywhere]
    fold_sites(state, told)
    assert set(clients_of(state, state.unsaid[-1])) == {f"of-{site}" for site in sites}
