"""Platforms as seats see them: doors that do not open, and clients that do not run."""

import pytest

from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, beats, floor, said_after, two_lines
from wire.recorded import Recorded
from wire.uplink import FailoverOf


def test_a_platform_that_fails_at_one_site_is_suspected_and_at_two_it_is_confirmed() -> None:
    log = Log()
    said = said_after(
        *beats(log, ["a1", "a2"], NOON),
        *beats(log, ["b1", "b2"], NOON, "south"),
        *(log.platform(seat, NOON) for seat in ("a1", "a2")),
        *(log.platform(seat, NOON, site="south") for seat in ("b1", "b2")),
        *(log.platform(seat, NOON + 9_000, is_reachable=False) for seat in ("a1", "a2")),
        *(log.platform(seat, NOON + 9_500, site="south", is_reachable=False) for seat in ("b1", "b2")),
    )
    assert [(each.step, each.what, each.site, each.is_suspected) for each in said] == [
        ("opened", "platform_down", "north", True),
        ("changed", "platform_down", "", False),
    ]


def _fails_and_moves(log: Log, *, of: FailoverOf = FailoverOf.ROUTE) -> list[Recorded]:
    """Two seats whose platform stops answering, and then the route leaves one line for the other."""
    return [
        *two_lines(log),
        *beats(log, ["a1", "a2"], NOON),
        *(log.platform(seat, NOON) for seat in ("a1", "a2")),
        *(log.platform(seat, NOON + 30 * SECOND, is_reachable=False) for seat in ("a1", "a2")),
        log.failover("gate", NOON + 40 * SECOND, "telecom", "unicom", of),
    ]


def test_a_platform_that_fails_before_and_after_a_failover_fails_over_both_lines_for_as_long_as_it_does() -> None:
    #  fails at both seats ── moved ── a1: still ········ a quarter of an hour ········ answers
    log = Log()
    said = said_after(
        *_fails_and_moves(log),
        log.platform("a1", NOON + 60 * SECOND, is_reachable=False),
        *(
            each
            for n in range(2, 16)
            for each in (*beats(log, ["a1", "a2"], NOON + n * MINUTE), log.clock(NOON + n * MINUTE))
        ),
        *(log.platform(seat, NOON + 16 * MINUTE) for seat in ("a1", "a2")),
    )
    assert [(each.step, each.is_suspected, each.occurred_at - NOON) for each in said] == [
        ("opened", True, 30 * SECOND),
        ("changed", False, 60 * SECOND),
        ("closed", False, 16 * MINUTE),
    ]
    assert {each.site for each in said} == {"north"}, "no other site has seen it, and nobody's misses there are its"


def test_a_platform_that_fails_after_a_failover_only_is_suspected_though_one_seat_never_reached_it() -> None:
    log = Log()
    seats = ("a1", "a2", "a3", "a4")
    said = said_after(
        *two_lines(log),
        *beats(log, seats, NOON),
        *(log.platform(seat, NOON) for seat in seats[1:]),
        log.platform("a1", NOON, is_reachable=False),
        log.failover("gate", NOON + 40 * SECOND, "telecom", "unicom", FailoverOf.ROUTE),
        *(log.platform(seat, NOON + 60 * SECOND, is_reachable=False) for seat in seats),
    )
    assert [(each.step, each.is_suspected) for each in said] == [("opened", True)]


def test_of_two_sites_that_lost_a_platform_the_last_one_is_alone_with_it_when_the_other_has_it_again() -> None:
    log = Log()
    sites = {"north": ("a1", "a2"), "south": ("b1", "b2")}
    said = said_after(
        *(beat for site, seats in sites.items() for beat in beats(log, seats, NOON, site)),
        *(
            log.platform(seat, NOON + n * SECOND, site=site, is_reachable=False)
            for n, (site, seats) in enumerate(sites.items(), start=1)
            for seat in seats
        ),
        *(log.platform(seat, NOON + MINUTE, site="south") for seat in sites["south"]),
    )
    assert [(each.step, each.site, each.is_suspected) for each in said if each.occurred_at >= NOON + 2 * SECOND] == [
        ("changed", "", False),
        ("changed", "north", True),
    ]


@pytest.mark.parametrize(("of", "after_ms"), [(FailoverOf.ROUTE, 2 * SECOND), (FailoverOf.MQTT, 20 * SECOND)])
def test_a_platform_that_nobody_tried_over_the_other_line_is_suspected(of: FailoverOf, after_ms: int) -> None:
    log = Log()
    said = said_after(
        *_fails_and_moves(log, of=of),
        # a try that had begun before the move is no try over the other line; and where only the probe's own words went
        # over the other line, the seats' did not
        log.platform("a2", NOON + 40 * SECOND + after_ms, is_reachable=False),
        *(log.platform(seat, NOON + 70 * SECOND) for seat in ("a1", "a2")),
    )
    assert [(each.step, each.is_suspected) for each in said] == [("opened", True), ("closed", True)]


def test_a_platform_that_one_seat_alone_cannot_reach_is_a_ticket_until_another_sees_it_too() -> None:
    log = Log()
    said = said_after(
        *beats(log, ["a1"], NOON),
        *beats(log, ["b1"], NOON, "south"),
        log.platform("a1", NOON + 1_000, is_reachable=False),
        log.platform("b1", NOON + 2_000, site="south", is_reachable=False),
    )
    assert [(each.what, each.is_suspected, each.severity) for each in said] == [
        ("platform_down", True, "ticket"),
        ("platform_down", False, "page"),
    ]


def clients_running(log: Log, *seats: str, at: int = NOON) -> list[Recorded]:
    """Seats that are there, their clients too."""
    return [*beats(log, seats, at), *(log.platform(seat, at) for seat in seats)]


def test_a_client_that_runs_elsewhere_and_not_on_a_seat_that_is_there_is_an_account_offline() -> None:
    log = Log()
    said = said_after(
        *clients_running(log, "a1", "a2"),
        log.platform("a2", NOON + 5_000, is_running=False),
    )
    assert [(each.what, each.subject, each.is_suspected) for each in said] == [("account_offline", "a2/qianniu", True)]


def test_an_account_is_offline_for_certain_when_another_seat_loses_its_own_at_the_same_moment() -> None:
    log = Log()
    said = said_after(
        *clients_running(log, "a1", "a2", "a3"),
        log.platform("a2", NOON + 5_000, is_running=False),
        log.platform("a3", NOON + 8_000, is_running=False),
    )
    assert [(each.step, each.subject, each.is_suspected) for each in said] == [
        ("opened", "a2/qianniu", True),
        ("opened", "a3/qianniu", False),
        ("changed", "a2/qianniu", False),
    ]


def test_all_seats_that_lose_a_client_at_one_moment_are_offline_for_certain_until_they_have_it_again() -> None:
    log = Log()
    running = clients_running(log, "a1", "a2")
    losing = [log.platform("a1", NOON + 5_000, is_running=False), log.platform("a2", NOON + 8_000, is_running=False)]
    said = said_after(*running, *losing, log.clock(NOON + HOUR), log.platform("a2", NOON + HOUR + SECOND))
    assert [(each.step, each.subject, each.is_suspected) for each in said] == [
        ("opened", "a1/qianniu", True),
        ("opened", "a2/qianniu", False),
        ("changed", "a1/qianniu", False),
        ("changed", "a1/qianniu", True),
        ("closed", "a2/qianniu", False),
    ]


def test_a_client_that_all_seats_have_done_with_one_after_the_other_is_missed_on_none() -> None:
    log = Log()
    running = clients_running(log, "a1", "a2")
    closing = [log.platform(f"a{n}", NOON + n * MINUTE, is_running=False) for n in (1, 2)]
    said = said_after(*running, *closing)
    assert [(each.step, each.subject) for each in said] == [
        ("opened", "a1/qianniu"),
        ("closed", "a1/qianniu"),
    ]


def test_a_seat_whose_programs_cannot_be_read_lost_nothing_and_is_no_witness_of_one_that_did() -> None:
    log = Log()
    running = clients_running(log, "a1", "a2")
    unread = [log.platform("a1", NOON + 5_000, is_running=None), log.platform("a2", NOON + 8_000, is_running=False)]
    assert said_after(*running, *unread, log.clock(NOON + HOUR)) == []


def test_a_client_that_nobody_has_started_yet_the_next_day_is_missed_on_none() -> None:
    log = Log()
    evening, morning = NOON + 11 * HOUR, NOON + 21 * HOUR
    running = clients_running(log, "a1", "a2", at=evening)
    stopped = [log.platform(seat, evening + HOUR + MINUTE, is_running=False) for seat in ("a1", "a2")]
    assert said_after(*running, *stopped, *beats(log, ["a1", "a2"], morning), log.clock(morning + MINUTE)) == []


def test_two_seats_that_close_their_clients_an_hour_apart_are_no_witnesses_of_each_other() -> None:
    log = Log()
    said = said_after(
        *clients_running(log, "a1", "a2", "a3"),
        log.platform("a2", NOON + 5_000, is_running=False),
        log.platform("a3", NOON + HOUR, is_running=False),
    )
    assert [each.is_suspected for each in said] == [True, True]


def test_the_source_of_conversations_confirms_an_account_that_is_signed_out_and_clears_one_that_answers() -> None:
    for is_working, expected in ((False, ("changed", False)), (True, ("closed", True))):
        log = Log()
        said = said_after(
            *clients_running(log, "a1", "a2"),
            log.platform("a2", NOON + 5_000, is_running=False),
            log.work(NOON + 20_000, is_working=is_working, subject="a2/qianniu"),
        )
        assert [(each.step, each.is_suspected) for each in said] == [("opened", True), expected]


def test_a_seat_left_on_after_its_shift_needs_no_platform() -> None:
    log = Log()
    late = NOON + 12 * HOUR + MINUTE
    said = said_after(
        *floor(log, 2),
        *(log.platform(seat, NOON) for seat in ("s00", "s01")),
        *beats(log, ["s00", "s01"], late),
        log.platform("s01", late, is_running=False),
    )
    assert said == []
