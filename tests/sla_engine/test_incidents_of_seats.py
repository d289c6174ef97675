"""Seats that vanish, together or alone."""

import pytest

from sla_engine._core.sites import fold_sites, new_sites, tile_of
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, beats, floor, said_after, silences, steps, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Power
from wire.recorded import Recorded
from wire.uplink import LineState


def test_a_row_that_vanishes_at_once_is_one_incident_though_the_mains_are_there() -> None:
    log = Log()
    row = [f"s{n:02}" for n in range(10)]
    others = [f"s{n:02}" for n in range(10, 40)]
    said = said_after(
        *floor(log, 40),
        log.ups("gate", NOON),
        *beats(log, others, NOON + 10 * SECOND),
        *silences(log, row, NOON),
        log.clock(NOON + 30 * SECOND),
    )
    assert steps(said) == [("opened", "seats_lost")]
    assert (said[0].subject, said[0].cause) == ("row:r0", "seat_group")
    assert said[0].details == {"lost": "10", "of": "10"}


def test_a_circuit_that_holds_two_rows_is_named_once_more_of_it_is_gone() -> None:
    log = Log()
    gone = [f"s{n:02}" for n in range(20)]
    others = [f"s{n:02}" for n in range(20, 40)]
    said = said_after(
        *floor(log, 40),
        *beats(log, others, NOON + 10 * SECOND),
        *silences(log, gone[:10], NOON),
        log.clock(NOON + 16 * SECOND),
        *silences(log, gone[10:], NOON + 2 * SECOND),
        log.clock(NOON + 18 * SECOND),
    )
    assert [each.subject for each in said] == ["row:r0", "circuit:c0"]
    assert {each.incident for each in said} == {said[0].incident}


@pytest.mark.parametrize("roster", [True, False])
def test_a_floor_that_vanishes_whole_while_its_gateway_stays_is_one_incident_not_one_for_each_row(
    roster: bool,
) -> None:
    log = Log()
    gone, names = 36, [f"s{n:02}" for n in range(60)]
    said = said_after(
        *floor(log, 60, roster=roster),
        log.heartbeat("gate", NOON + 14 * SECOND, interval_ms=2_000),
        *beats(log, names[gone:], NOON + 14 * SECOND),
        *silences(log, names[:gone], NOON),
        log.clock(NOON + 30 * SECOND),
    )
    assert [each.subject for each in said] == ["site:north"]
    assert said[0].details == {"lost": "36", "of": "60"}


def test_a_circuit_is_named_though_a_seat_of_another_one_went_with_it() -> None:
    log = Log()
    names = [f"s{n:02}" for n in range(30)]
    said = said_after(
        *floor(log, 30),
        *beats(log, names[21:], NOON + 14 * SECOND),
        *silences(log, names[:21], NOON),
        log.clock(NOON + 16 * SECOND),
    )
    assert [each.subject for each in said] == ["circuit:c0"]


def test_seats_that_come_back_one_by_one_after_an_outage_raise_nothing() -> None:
    log = Log()
    names = [f"s{n:02}" for n in range(20)]
    said = said_after(
        *floor(log, 20),
        log.ups("gate", NOON),
        log.ups("gate", NOON + SECOND, Power.BATTERY),
        log.heartbeat("gate", NOON + 14 * SECOND, interval_ms=2_000),
        *silences(log, names, NOON),
        log.clock(NOON + 30 * SECOND),
        log.ups("gate", NOON + 5 * MINUTE),
        *(beat for n, seat in enumerate(names[1:]) for beat in beats(log, [seat], NOON + 6 * MINUTE + n * 5 * SECOND)),
        log.clock(NOON + 10 * MINUTE),
    )
    assert steps(said) == [("opened", "mains_lost"), ("closed", "mains_lost")]
    assert said[-1].details == {"seats_silent": "20"}


def test_a_seat_that_never_comes_back_after_an_outage_is_down_once_the_others_had_time_to() -> None:
    log = Log()
    names = [f"s{n:02}" for n in range(20)]
    said = said_after(
        *floor(log, 20),
        log.ups("gate", NOON + SECOND, Power.BATTERY),
        *silences(log, names, NOON),
        log.clock(NOON + 30 * SECOND),
        log.ups("gate", NOON + 5 * MINUTE),
        *beats(log, names[1:], NOON + 6 * MINUTE),
        *beats(log, names[1:], NOON + 21 * MINUTE),
        log.clock(NOON + 21 * MINUTE),
    )
    assert [(each.what, each.subject) for each in said[2:]] == [("seat_down", "s00")]


def test_seats_that_leave_one_by_one_are_no_group() -> None:
    log = Log()
    row = [f"s{n:02}" for n in range(10)]
    leaving = []
    for number, seat in enumerate(row):
        at = NOON + number * 20 * SECOND
        leaving += [*beats(log, ["s12"], at + 14 * SECOND), *silences(log, [seat], at)]
    assert "seats_lost" not in {each.what for each in said_after(*floor(log, 20), *leaving)}


def test_one_seat_that_falls_silent_in_its_shift_is_a_ticket_once_others_are_heard_after_it() -> None:
    log = Log()
    said = said_after(
        *floor(log, 3),
        *beats(log, ["s01", "s02"], NOON + 14 * SECOND),
        *silences(log, ["s00"], NOON),
        log.clock(NOON + 25 * SECOND),
        *beats(log, ["s00"], NOON + 60 * SECOND),
    )
    assert [(each.step, each.what, each.subject, each.severity) for each in said] == [
        ("opened", "seat_down", "s00", "ticket"),
        ("closed", "seat_down", "s00", "ticket"),
    ]


@pytest.mark.parametrize("roster", [True, False])
def test_six_hundred_seats_switched_off_at_midnight_raise_nothing(roster: bool) -> None:
    log = Log()
    midnight = NOON + 12 * HOUR
    names = [f"s{n:02}" for n in range(600)]
    said = said_after(
        *floor(log, 600, midnight - 2 * HOUR, roster=roster),
        *beats(log, names, midnight - 3 * SECOND),
        log.heartbeat("gate", midnight + 12 * SECOND, interval_ms=2_000),
        *silences(log, names, midnight - 3 * SECOND),
        log.clock(midnight + MINUTE),
    )
    assert said == []


def test_seats_that_come_in_one_by_one_are_expected_from_their_first_word() -> None:
    log = Log()
    state = new_sites(LIMITS)
    for n in range(5):
        fold_sites(state, beats(log, [f"s{n:02}"], NOON + n * SECOND))
        tile = tile_of(state, "north")
        assert (tile.seats_present, tile.seats_expected) == (n + 1, n + 1)


def test_present_and_expected_seats_are_on_the_tile() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [*floor(log, 12), *beats(log, ["s01"], NOON + 14 * SECOND), *silences(log, ["s00"], NOON)])
    tile = tile_of(state, "north")
    assert (tile.seats_present, tile.seats_expected) == (11, 12)
    fold_sites(state, [log.clock(NOON + 13 * HOUR)])
    assert tile_of(state, "north").seats_expected == 0


# ---------------------------------------------------------------------------------------------- lost before the site


def broken_since_noon(log: Log, later: int) -> list[Recorded]:
    """Seat s00 died at noon; the nine others and the gateway are heard until `later`."""
    others = [f"s{n:02}" for n in range(1, 10)]
    return [
        *floor(log, 10),
        log.ups("gate", NOON),
        *silences(log, ["s00"], NOON),
        *beats(log, others, NOON + 20 * SECOND),
        log.clock(NOON + 40 * SECOND),
        *two_lines(log, later),
        *beats(log, others, later),
    ]


def test_one_broken_seat_does_not_swallow_a_power_cut_of_hours_later() -> None:
    log, later = Log(), NOON + 3 * HOUR
    said = said_after(
        *broken_since_noon(log, later),
        log.ups("gate", later + SECOND, Power.BATTERY),
        log.ups("gate", later + MINUTE, Power.MAINS),
        log.clock(later + 20 * MINUTE),
    )
    assert steps(said) == [("opened", "seat_down"), ("opened", "mains_lost"), ("closed", "mains_lost")]
    assert [said[-1].started_at, said[-1].ended_at] == [later + SECOND, later + MINUTE]


def test_one_broken_seat_swallows_neither_all_lines_nor_a_silent_site() -> None:
    log, later = Log(), NOON + 3 * HOUR
    down = [log.line("gate", later + SECOND, line, LineState.DOWN) for line in ("telecom", "unicom")]
    assert steps(said_after(*broken_since_noon(log, later), *down))[:2] == [
        ("opened", "seat_down"),
        ("opened", "line_down"),
    ]
    log = Log()
    said = said_after(
        *broken_since_noon(log, later),
        log.silent("gate", later, later + 10 * SECOND),
        *silences(log, [f"s{n:02}" for n in range(1, 10)], later),
        log.clock(later + 30 * SECOND),
    )
    assert steps(said) == [("opened", "seat_down"), ("opened", "site_silent")]
    assert said[-1].started_at == later


def test_a_seat_that_is_heard_again_during_a_power_cut_is_no_longer_down() -> None:
    log, later = Log(), NOON + 3 * HOUR
    said = said_after(
        *broken_since_noon(log, later),
        log.ups("gate", later + SECOND, Power.BATTERY),
        *beats(log, ["s00"], later + 2 * SECOND),
    )
    assert steps(said)[2:] == [("closed", "seat_down")]


# -------------------------------------------------------------------------------------------- a site without a gateway


def seats_alone(log: Log, at: int) -> list[Recorded]:
    others = [log.heartbeat("porch", moment, "south", interval_ms=2_000) for moment in (at, at + HOUR)]
    return [others[0], *beats(log, [f"s{n:02}" for n in range(20)], at), others[1]]


def test_a_site_of_seats_alone_that_ends_its_day_raises_nothing_though_one_seat_broke_at_noon() -> None:
    log, closing = Log(), NOON + 12 * HOUR
    off = [
        each
        for n in range(1, 20)
        for each in (
            *beats(log, [f"s{n:02}"], closing + n * 20 * SECOND),
            *silences(log, [f"s{n:02}"], closing + n * 20 * SECOND),
        )
    ]
    said = said_after(
        *seats_alone(log, closing - 2 * HOUR),
        *silences(log, ["s00"], closing - 2 * HOUR),
        *sorted(off, key=lambda each: each.received_at),
        log.clock(closing + HOUR),
    )
    assert {each.what for each in said} <= {"seat_down"}


def test_a_site_of_seats_alone_that_vanishes_in_its_shift_is_silent() -> None:
    log = Log()
    names = [f"s{n:02}" for n in range(20)]
    said = said_after(
        *seats_alone(log, NOON),
        *beats(log, names, NOON + HOUR),
        *silences(log, names, NOON + HOUR),
        log.clock(NOON + HOUR + MINUTE),
    )
    assert said[-1].what == "site_silent"
