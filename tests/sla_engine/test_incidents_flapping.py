"""Mains and phone lines that come and go: one incident from the third time on, there or not, until it is calm."""

import pytest

from sla_engine._core.sites import fold_sites, new_sites, site_tiles
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, NIGHT, SECOND, beats, floor, said_after, silences, steps, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Power
from wire.incident import Cause, MaintenanceOf, Severity
from wire.phone import TrunkState
from wire.recorded import Recorded
from wire.uplink import LineState

MAINS_ONCE = [("opened", "mains_lost"), ("closed", "mains_lost")]
PHONE_ONCE = [("opened", "phone_line_down"), ("closed", "phone_line_down")]


def mains(log: Log, times: int, *, at: int = NOON, ups: str = "rack", gone_ms: int = 30 * SECOND) -> list[Recorded]:
    """Lost every 50 seconds."""
    return [
        log.ups("gate", at + n * 50 * SECOND + after, power, ups=ups)
        for n in range(times)
        for after, power in ((SECOND, Power.BATTERY), (SECOND + gone_ms, Power.MAINS))
    ]


def trunk(log: Log, times: int, *, via_line: str = "") -> list[Recorded]:
    return [
        log.phone_line("gate", NOON + n * 50 * SECOND + after * SECOND, state, via_line)
        for n in range(times)
        for after, state in ((1, TrunkState.UNREACHABLE), (31, TrunkState.REACHABLE))
    ]


def there(log: Log, at: int = NOON) -> list[Recorded]:
    return [log.heartbeat("gate", at), log.ups("gate", at), log.phone_line("gate", at, TrunkState.REACHABLE)]


@pytest.mark.parametrize("gone_ms", [2 * SECOND, 30 * SECOND])
def test_mains_that_come_and_go_are_flapping_from_the_third_time_until_it_is_calm(gone_ms: int) -> None:
    log = Log()
    said = said_after(*there(log), *mains(log, 12, gone_ms=gone_ms), log.clock(NOON + 18 * MINUTE), log.clock(NIGHT))
    assert steps(said) == [*MAINS_ONCE, *MAINS_ONCE, ("opened", "mains_flapping"), ("closed", "mains_flapping")]
    flapping = said[-2]
    assert (flapping.cause, flapping.severity, flapping.subject) == (Cause.SITE_POWER, Severity.PAGE, "rack")
    assert (flapping.started_at, flapping.occurred_at) == (NOON + SECOND, NOON + 101 * SECOND)
    assert said[-1].occurred_at == NOON + 18 * MINUTE


def test_a_phone_line_that_comes_and_goes_is_flapping_from_the_third_time_until_it_is_calm() -> None:
    log = Log()
    said = said_after(*there(log), *trunk(log, 12), log.clock(NOON + 18 * MINUTE), log.clock(NIGHT))
    once = [*PHONE_ONCE, *PHONE_ONCE]
    assert steps(said) == [*once, ("opened", "phone_line_flapping"), ("closed", "phone_line_flapping")]
    assert (said[-1].cause, said[-1].severity, said[-1].subject) == (Cause.PHONE_LINE, Severity.PAGE, "trunk")


def test_twice_in_ten_minutes_and_three_times_in_an_hour_are_no_flapping() -> None:
    log = Log()
    said = said_after(
        *there(log), *mains(log, 2), *mains(log, 1, at=NOON + 11 * MINUTE), *mains(log, 1, at=NOON + HOUR)
    )
    assert {each.what for each in said} == {"mains_lost"}


def test_mains_that_stay_away_are_lost_after_a_minute_and_a_battery_that_runs_out_calls_at_once() -> None:
    log, gone = Log(), NOON + 5 * MINUTE
    said = said_after(
        *there(log),
        *mains(log, 3),
        log.ups("gate", gone, Power.BATTERY),
        *(log.clock(gone + n * 10 * SECOND) for n in range(1, 7)),
        log.ups("gate", gone + 2 * MINUTE, Power.CRITICAL, low_battery=True),
        log.ups("gate", gone + 3 * MINUTE),
        log.clock(gone + 11 * MINUTE),
    )
    assert steps(said)[4:] == [
        ("opened", "mains_flapping"),
        ("changed", "mains_lost"),
        ("changed", "battery_low"),
        ("opened", "mains_flapping"),
        ("closed", "battery_low"),
        ("closed", "mains_flapping"),
    ]
    assert said[5].occurred_at == gone + MINUTE
    assert [each.severity for each in said[4:7]] == ["page", "page", "call"]
    assert said[8].ended_at == gone + 3 * MINUTE
    assert {each.incident for each in said[4:7]} == {said[8].incident} != {said[7].incident} == {said[9].incident}


def test_a_phone_line_that_stays_away_is_down_after_a_minute_in_the_same_incident() -> None:
    log, gone = Log(), NOON + 5 * MINUTE
    down = log.phone_line("gate", gone, TrunkState.UNREACHABLE)
    said = said_after(*there(log), *trunk(log, 3), down, log.clock(gone + 30 * SECOND), log.clock(gone + MINUTE))
    assert steps(said)[4:] == [("opened", "phone_line_flapping"), ("changed", "phone_line_down")]
    assert (said[-1].occurred_at, said[-1].incident) == (gone + MINUTE, said[-2].incident)


def test_while_the_mains_are_there_flapping_hides_nothing_and_the_strip_says_it() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [*two_lines(log), *there(log), *mains(log, 3)])
    (tile,) = site_tiles(state)
    assert (tile.state, tile.reason) == ("degraded", "incident_mains_flapping")
    fold_sites(state, [log.line("gate", NOON + 3 * MINUTE, "telecom", LineState.DOWN)])
    fold_sites(state, [log.phone_line("gate", NOON + 3 * MINUTE, TrunkState.UNREACHABLE, via_line="unicom")])
    (tile,) = site_tiles(state)
    assert {each.what for each in tile.troubles} == {"mains_flapping", "line_down", "phone_line_down"}
    fold_sites(state, [log.ups("gate", NOON + 4 * MINUTE, Power.BATTERY)])
    (tile,) = site_tiles(state)
    assert (tile.state, tile.reason) == ("on_battery", "mains_lost")
    assert [each.what for each in tile.troubles if each.what.startswith("mains")] == ["mains_flapping"]


def test_the_strip_says_that_a_phone_line_comes_and_goes_while_it_is_there() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [*there(log), *trunk(log, 3)])
    (tile,) = site_tiles(state)
    assert (tile.state, tile.reason) == ("degraded", "incident_phone_line_flapping")


def test_seats_that_flapping_mains_took_away_are_not_lost_besides_and_stay_named_with_it() -> None:
    log, gone = Log(), NOON + 150 * SECOND
    seats = [f"s{number:02}" for number in range(10)]
    said = said_after(
        *floor(log, 20),
        *there(log),
        *mains(log, 3),
        log.ups("gate", gone + SECOND, Power.BATTERY),
        *silences(log, seats, gone),
        log.clock(gone + 16 * SECOND),
        log.ups("gate", gone + 30 * SECOND),
        log.clock(gone + MINUTE),
        log.clock(gone + 11 * MINUTE),
    )
    assert {each.what for each in said} == {"mains_lost", "mains_flapping"}
    assert said[-1].details.get("seats_silent") == "10"


def test_a_ups_that_is_tested_again_and_again_was_planned_to_and_another_one_was_not() -> None:
    log = Log()
    work = log.maintenance(NOON, NOON, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack")
    assert [each.is_planned for each in said_after(*there(log), work, *mains(log, 3))][-1]
    log = Log()
    work = log.maintenance(NOON, NOON, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack")
    both = [each for pair in zip(mains(log, 3), mains(log, 3, ups="hall"), strict=True) for each in pair]
    hall = log.ups("gate", NOON, ups="hall")
    last = said_after(*there(log), hall, work, *both)[-1]
    assert (last.what, last.is_planned, last.subject) == ("mains_flapping", False, "")


def test_a_phone_line_behind_a_line_that_flaps_is_no_incident_of_its_own() -> None:
    log = Log()
    lines = [
        log.line("gate", NOON + n * 50 * SECOND + after * SECOND, "telecom", state)
        for n in range(4)
        for after, state in ((1, LineState.DOWN), (31, LineState.UP))
    ]
    phones = trunk(log, 4, via_line="telecom")
    told = sorted([*lines, *phones], key=lambda each: each.received_at)
    assert not {each.what for each in said_after(*two_lines(log), *there(log), *told)} & {"phone_line_flapping"}


def test_a_site_that_went_dark_after_a_failover_is_not_looked_at_with_every_word_of_another_one() -> None:
    #  moved ── dark ········ twenty minutes: longer than a move counts for flapping ········ a beat elsewhere
    log, state = Log(), new_sites(LIMITS)
    before = [*two_lines(log), *beats(log, ["b1"], NOON, "south"), log.failover("gate", NOON, "telecom", "unicom")]
    fold_sites(state, [*before, log.silent("gate", NOON, NOON + 6 * SECOND)])
    fold_sites(state, [log.clock(NOON + n * MINUTE) for n in range(1, 21)])
    seen = state.sites["north"].looked_at
    fold_sites(state, beats(log, ["b1"], NOON + 20 * MINUTE + SECOND, "south"))
    assert state.sites["north"].looked_at == seen
    again = state.sites["north"].look_again_at
    assert again is None or again > state.now
