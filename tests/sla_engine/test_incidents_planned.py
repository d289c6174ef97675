"""Planned work silences itself and nothing else."""

from dashboards.alerting._core.pager import Pager
from sla_engine._core.sites import fold_sites, new_sites
from tests.dashboards.alerting.incidents import SETTINGS
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, beats, floor, said_after, silences, two_lines
from tests.sla_engine.site_limits import LIMITS
from tests.sla_engine.test_cost_of_a_board import byte_codes
from wire.facility import Power
from wire.incident import MaintenanceOf, MaintenanceStep
from wire.phone import TrunkState
from wire.uplink import LineState

# ------------------------------------------------------------------------------------------------------- maintenance


def test_work_declared_before_it_starts_makes_its_incidents_planned() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON),
        log.maintenance(NOON + SECOND, NOON + MINUTE, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack"),
        log.ups("gate", NOON + 2 * MINUTE, Power.BATTERY),
        log.ups("gate", NOON + 3 * MINUTE, Power.CRITICAL),
    )
    assert [(each.what, each.is_planned, each.severity) for each in said] == [
        ("mains_lost", True, "info"),
        ("battery_low", True, "call"),
    ]


def test_work_declared_late_excuses_nothing_and_work_that_ended_no_longer_does() -> None:
    log = Log()
    late = log.maintenance(NOON + MINUTE, NOON, NOON + HOUR)
    said = said_after(log.heartbeat("gate", NOON), late, log.ups("gate", NOON + 2 * MINUTE, Power.BATTERY))
    assert [each.is_planned for each in said] == [False]
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.maintenance(NOON, NOON + SECOND, NOON + HOUR),
        log.ups("gate", NOON + MINUTE, Power.BATTERY),
        log.maintenance(NOON + 2 * MINUTE, NOON + SECOND, NOON + 2 * MINUTE, step=MaintenanceStep.ENDED),
    )
    assert [(each.step, each.is_planned, each.severity) for each in said] == [
        ("opened", True, "info"),
        ("changed", False, "page"),
    ]


def test_a_planned_test_of_a_ups_plans_neither_the_loss_of_the_lines_nor_of_the_site() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.ups("gate", NOON),
        log.maintenance(NOON + SECOND, NOON + MINUTE, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack"),
        log.ups("gate", NOON + 2 * MINUTE, Power.BATTERY),
        log.line("gate", NOON + 3 * MINUTE, "telecom", LineState.DOWN),
        log.line("gate", NOON + 3 * MINUTE, "unicom", LineState.DOWN),
        log.silent("gate", NOON + 3 * MINUTE, NOON + 3 * MINUTE + 6 * SECOND),
    )
    found = {each.what: (each.is_planned, each.severity) for each in said}
    assert found["mains_lost"] == (True, "info")
    assert found["lines_down"] == found["site_power_lost"] == (False, "call")


def test_a_ups_on_battery_beside_the_one_that_is_worked_on_is_a_loss_of_mains() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.maintenance(NOON, NOON + SECOND, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack"),
        log.ups("gate", NOON + MINUTE, Power.BATTERY),
        log.ups("gate", NOON + 2 * MINUTE, Power.BATTERY, ups="hall"),
    )
    assert [(each.what, each.is_planned, each.severity) for each in said] == [
        ("mains_lost", True, "info"),
        ("mains_lost", False, "page"),
    ]


def test_all_lines_down_is_planned_when_every_one_of_them_is_worked_on() -> None:
    for worked_on, expected in ((("telecom",), False), (("telecom", "unicom"), True)):
        log = Log()
        said = said_after(
            *two_lines(log),
            *(
                log.maintenance(
                    NOON + 1, NOON + SECOND, NOON + HOUR, maintenance=f"m-{n}", of=MaintenanceOf.LINE, subject=line
                )
                for n, line in enumerate(worked_on)
            ),
            log.line("gate", NOON + MINUTE, "telecom", LineState.DOWN),
            log.line("gate", NOON + MINUTE, "unicom", LineState.DOWN),
        )
        assert [(each.what, each.is_planned) for each in said] == [("line_down", True), ("lines_down", expected)]


def test_a_planned_test_of_a_ups_hides_nothing_else_that_breaks_meanwhile() -> None:
    log = Log()
    row = [f"s{n:02}" for n in range(10)]
    rest = [f"s{n:02}" for n in range(10, 20)]
    story = [
        *floor(log, 20),
        *two_lines(log),
        log.ups("gate", NOON),
        *(log.platform(seat, NOON) for seat in rest),
        log.phone_line("gate", NOON, TrunkState.REACHABLE),
        log.maintenance(NOON + 1, NOON + SECOND, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack"),
        log.ups("gate", NOON + 2 * SECOND, Power.BATTERY),
        *beats(log, rest, NOON + 20 * SECOND),
        *silences(log, row, NOON + 3 * SECOND),
        log.heartbeat("gate", NOON + 30 * SECOND, interval_ms=2_000),
        log.clock(NOON + 31 * SECOND),
        log.phone_line("gate", NOON + 40 * SECOND, TrunkState.UNREACHABLE),
        log.platform("s15", NOON + 50 * SECOND, is_running=False),
        *(log.platform(seat, NOON + 60 * SECOND, is_reachable=False) for seat in rest),
        log.clock(NOON + 70 * SECOND),
    ]
    said = said_after(*story)
    found = {(each.what, each.subject): (each.is_planned, each.severity) for each in said if each.step == "opened"}
    assert found == {
        ("mains_lost", "rack"): (True, "info"),
        ("seats_lost", "row:r0"): (False, "page"),
        ("phone_line_down", "trunk"): (False, "page"),
        ("account_offline", "s15/qianniu"): (False, "ticket"),
        ("platform_down", "qianniu"): (False, "page"),
    }
    assert all("part_of" not in each.details and "seats_silent" not in each.details for each in said)


def test_a_planned_test_of_a_ups_by_itself_is_all_there_is() -> None:
    log = Log()
    said = said_after(
        *floor(log, 20),
        *two_lines(log),
        log.ups("gate", NOON),
        log.maintenance(NOON + 1, NOON + SECOND, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack"),
        log.ups("gate", NOON + 2 * SECOND, Power.BATTERY),
        log.clock(NOON + 30 * SECOND),
        log.ups("gate", NOON + 60 * SECOND),
    )
    assert [(each.step, each.what, each.is_planned) for each in said] == [
        ("opened", "mains_lost", True),
        ("closed", "mains_lost", True),
    ]


def test_work_on_the_whole_site_plans_all_that_goes_with_its_power() -> None:
    log = Log()
    said = said_after(
        *floor(log, 20),
        log.ups("gate", NOON),
        log.maintenance(NOON + 1, NOON + SECOND, NOON + HOUR),
        log.ups("gate", NOON + 2 * SECOND, Power.BATTERY),
        log.heartbeat("gate", NOON + 14 * SECOND, interval_ms=2_000),
        *silences(log, [f"s{n:02}" for n in range(20)], NOON + 3 * SECOND),
        log.clock(NOON + 30 * SECOND),
    )
    assert [(each.what, each.is_planned) for each in said] == [("mains_lost", True)]


def test_a_line_that_comes_and_goes_while_it_is_worked_on_is_planned() -> None:
    log = Log()
    said = said_after(
        log.maintenance(NOON, NOON, NOON + HOUR, of=MaintenanceOf.LINE, subject="telecom"),
        *two_lines(log, NOON + SECOND),
        *(
            log.line("gate", NOON + n * MINUTE, "telecom", LineState.DOWN if n % 2 else LineState.UP)
            for n in range(1, 7)
        ),
    )
    assert said[-1].what == "flapping"
    assert all(each.is_planned for each in said)


def test_work_that_goes_on_from_other_work_before_it_ended_carries_on_what_that_one_broke() -> None:
    #  m-1 ├──────────┤            m-2 declared ahead, or while m-1 still lasted
    #  m-2        ├───────────┤    down in m-1 ········ ordinary once m-2 is over
    for declared_at, starts_at, expected in (
        (NOON + 2, NOON + 10 * MINUTE, NOON + 20 * MINUTE),
        (NOON + 5 * MINUTE, NOON + 5 * MINUTE, NOON + 20 * MINUTE),
        (NOON + 6 * MINUTE, NOON + 5 * MINUTE, NOON + 10 * MINUTE),
        (NOON + 2, NOON + 10 * MINUTE + 1, NOON + 10 * MINUTE),
    ):
        log = Log()
        work = {"of": MaintenanceOf.LINE, "subject": "telecom"}
        second = log.maintenance(declared_at, starts_at, NOON + 20 * MINUTE, maintenance="m-2", **work)
        down = log.line("gate", NOON + 2 * MINUTE, "telecom", LineState.DOWN)
        said = said_after(
            *two_lines(log),
            log.maintenance(NOON + 1, NOON + MINUTE, NOON + 10 * MINUTE, maintenance="m-1", **work),
            *sorted((second, down), key=lambda entry: entry.received_at),
            *(log.clock(NOON + minutes * MINUTE) for minutes in range(7, 22)),
        )
        assert [(each.is_planned, each.occurred_at) for each in said] == [(True, NOON + 2 * MINUTE), (False, expected)]


def test_what_is_told_within_a_second_costs_the_same_however_much_work_was_planned_over_the_years() -> None:
    def cost(planned: int) -> int:
        log, state = Log(), new_sites(LIMITS)
        began = [NOON - HOUR + n * SECOND for n in range(planned)]
        fold_sites(state, [log.maintenance(at, at, at + MINUTE, maintenance=f"m-{at}") for at in began])
        fold_sites(state, beats(log, ["s01"], NOON))
        assert len(state.maintenance) == planned
        told = [each for n in range(1, 10) for each in beats(log, ["s01"], NOON + n)]
        return byte_codes(lambda: fold_sites(state, told))

    assert cost(500) == cost(1)


def test_work_on_a_feed_is_over_when_its_time_is_though_no_site_is_known() -> None:
    log = Log()
    said = said_after(
        log.maintenance(NOON, NOON, NOON + HOUR, of=MaintenanceOf.FEED, site="", subject="chat"),
        log.silent("chat", NOON + MINUTE, NOON + 2 * MINUTE),
        *(log.clock(NOON + minutes * MINUTE) for minutes in (30, 60, 90)),
    )
    assert [(each.what, each.is_planned, each.severity, each.occurred_at) for each in said] == [
        ("feed_silent", True, "info", NOON + 2 * MINUTE),
        ("feed_silent", False, "page", NOON + HOUR),
    ]


def test_a_gateway_that_is_worked_on_as_a_source_of_readings_is_missed_by_nobody_while_its_seats_are_heard() -> None:
    for worked_on, expected in (("gate", (True, "info")), ("other", (False, "ticket"))):
        log = Log()
        said = said_after(
            *floor(log, 6),
            log.maintenance(NOON + 1, NOON + 2, NOON + HOUR, of=MaintenanceOf.FEED, site="", subject=worked_on),
            log.heartbeat("gate", NOON + SECOND, interval_ms=2_000),
            *beats(log, [f"s{n:02}" for n in range(6)], NOON + 10 * SECOND),
            log.silent("gate", NOON + SECOND, NOON + 10 * SECOND),
            log.clock(NOON + 30 * SECOND),
        )
        assert [(each.what, (each.is_planned, each.severity)) for each in said] == [("monitoring", expected)]


def test_a_phone_line_that_goes_with_a_line_that_is_worked_on_is_a_trouble_of_its_own() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.phone_line("gate", NOON, TrunkState.REACHABLE, via_line="telecom"),
        log.maintenance(NOON + 1, NOON + SECOND, NOON + HOUR, of=MaintenanceOf.LINE, subject="telecom"),
        log.line("gate", NOON + MINUTE, "telecom", LineState.DOWN),
        log.phone_line("gate", NOON + 2 * MINUTE, TrunkState.UNREACHABLE, via_line="telecom"),
    )
    found = [(each.what, each.is_planned, each.severity) for each in said]
    assert found == [("line_down", True, "info"), ("phone_line_down", False, "page")]


def test_a_battery_that_ran_out_in_planned_work_still_calls_when_the_site_goes_dark() -> None:
    log, pager, fired = Log(), Pager(SETTINGS), []
    said = said_after(
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON),
        log.maintenance(NOON + 1, NOON + SECOND, NOON + HOUR),
        log.ups("gate", NOON + MINUTE, Power.CRITICAL),
        log.silent("gate", NOON + 2 * MINUTE, NOON + 2 * MINUTE + 6 * SECOND),
    )
    for each in said:
        pager.hear([each], each.occurred_at)
        pager.advance(each.occurred_at)
        fired.append([(alert.identity.what, alert.ended_at) for alert in pager.alerts()])
    assert [(each.what, each.is_planned) for each in said] == [("battery_low", True), ("site_power_lost", True)]
    assert fired == [[("battery_low", None)]] * 2, "to read that it is resolved, just then, would be a lie"
