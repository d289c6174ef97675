"""One incident per cause, each said as revisions with the same ids for every replay."""

from typing import Any

import msgspec
import pytest

from sla_engine._core.sites import SitesState, fold_sites, new_sites, open_incidents
from tests.sla_engine.entries import NOON, Log, head
from tests.sla_engine.floors import (
    HOUR,
    MINUTE,
    SECOND,
    beats,
    floor,
    said_after,
    silences,
    steps,
    two_lines,
)
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Comms, Power, SelfTest
from wire.incident import Cause, IncidentStep, Severity
from wire.kinds import Kind
from wire.organisation import Relation
from wire.phone import Registration, TrunkState
from wire.recorded import Recorded
from wire.seat import Noticed, ProbeNote
from wire.uplink import ConnectionSeen, LineState

# ------------------------------------------------------------------------------------------------------------- power


def test_a_loss_of_mains_is_one_incident_from_the_first_word_to_the_dark_and_back() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON),
        log.ups("gate", NOON + 10 * SECOND, Power.BATTERY, since_ms=500),
        log.ups("gate", NOON + 60 * SECOND, Power.CRITICAL),
        log.silent("gate", NOON + 61 * SECOND, NOON + 67 * SECOND),
        log.ups("gate", NOON + 300 * SECOND),
    )
    assert steps(said) == [
        ("opened", "mains_lost"),
        ("changed", "battery_low"),
        ("changed", "site_power_lost"),
        ("closed", "site_power_lost"),
    ]
    assert {each.incident for each in said} == {said[0].incident}
    assert [each.revision for each in said] == [1, 2, 3, 4]
    assert {each.cause for each in said} == {Cause.SITE_POWER}
    assert said[-1].started_at == NOON + 9_500
    assert said[-1].ended_at == NOON + 300 * SECOND
    assert (said[-1].first_index, said[-1].last_index) == (2, 5)
    assert [each.severity for each in said] == ["page", "call", "call", "call"]


@pytest.mark.parametrize(
    ("told", "details"),
    [
        ({"runtime_ms": 6 * MINUTE + 59 * SECOND}, {"charge_percent": "37", "minutes_left": "6"}),
        (
            {"runtime_ms": 6 * MINUTE, "runtime_is_estimate": True},
            {"charge_percent": "37", "minutes_left_estimate": "6"},
        ),
        ({}, {"charge_percent": "37"}),
        ({"charge_percent": None}, {}),
        ({"comms": Comms.STALE, "low_battery": True, "runtime_ms": 6 * MINUTE}, {}),
    ],
)
def test_a_battery_that_runs_out_is_told_with_what_was_left_in_it_then(
    told: dict[str, Any], details: dict[str, str]
) -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON + SECOND, Power.BATTERY, charge_percent=99),
        log.ups("gate", NOON + MINUTE, Power.CRITICAL, **{"charge_percent": 37} | told),
        log.ups("gate", NOON + 2 * MINUTE, Power.CRITICAL, charge_percent=31, runtime_ms=5 * MINUTE),
    )
    assert [(each.what, each.details) for each in said] == [
        ("mains_lost", {"charge_percent": "99"}),
        ("battery_low", details),
    ], "and a charge that falls on is no news"


def test_a_battery_that_wants_replacing_is_a_ticket_and_no_outage() -> None:
    log = Log()
    said = said_after(log.heartbeat("gate", NOON), log.ups("gate", NOON, replace_battery=True))
    assert [(each.what, each.severity, each.subject) for each in said] == [("battery_worn", "ticket", "rack")]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"comms": Comms.DRIVER_DEAD}, "ups_comms_lost"),
        ({"replace_battery": True}, "battery_worn"),
        ({"low_battery": True}, "battery_worn"),
    ],
)
def test_what_is_wrong_with_a_ups_began_when_it_was_told_and_not_when_the_mains_came_on(
    wrong: dict[str, Any], what: str
) -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON, since_ms=90 * 24 * HOUR),
        log.ups("gate", NOON + 60 * SECOND, since_ms=90 * 24 * HOUR + 60 * SECOND, **wrong),
        log.ups("gate", NOON + 120 * SECOND, since_ms=90 * 24 * HOUR + 120 * SECOND, **wrong),
        log.ups("gate", NOON + 180 * SECOND, since_ms=90 * 24 * HOUR + 180 * SECOND),
        log.ups("gate", NOON + 240 * SECOND, since_ms=90 * 24 * HOUR + 240 * SECOND, **wrong),
    )
    assert steps(said) == [("opened", what), ("closed", what), ("opened", what)]
    assert [(each.started_at, each.first_index) for each in said] == [
        *[(NOON + 60 * SECOND, 2)] * 2,
        (NOON + 240 * SECOND, 5),
    ]


def test_a_registration_that_was_refused_began_then_and_not_when_the_trunk_last_came_up() -> None:
    log = Log()
    refused: dict[str, Any] = {"registration": Registration.REJECTED_PERMANENT}
    said = said_after(
        log.heartbeat("gate", NOON),
        log.phone_line("gate", NOON, TrunkState.REACHABLE, since_ms=90 * 24 * HOUR),
        log.phone_line("gate", NOON + 60 * SECOND, TrunkState.REACHABLE, since_ms=90 * 24 * HOUR, **refused),
        log.phone_line("gate", NOON + 120 * SECOND, TrunkState.UNREACHABLE, since_ms=0, **refused),
    )
    assert [(each.step, each.started_at, each.first_index) for each in said] == [("opened", NOON + 60 * SECOND, 2)]


def test_a_failed_self_test_is_a_ticket_since_it_was_told_and_over_once_one_is_passed() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON, self_test=SelfTest.PASSED),
        log.ups("gate", NOON + 60 * SECOND, self_test=SelfTest.FAILED, since_ms=60_000),
        log.ups("gate", NOON + 120 * SECOND, self_test=SelfTest.FAILED, since_ms=120_000),
        log.ups("gate", NOON + 180 * SECOND, self_test=SelfTest.PASSED),
    )
    assert steps(said) == [("opened", "battery_worn"), ("closed", "battery_worn")]
    assert (said[0].severity, said[0].subject, said[0].cause) == ("ticket", "rack", Cause.SITE_POWER)
    assert (said[0].started_at, said[0].first_index) == (NOON + 60 * SECOND, 2)


# ------------------------------------------------------------------------------------------------------------- lines


def test_one_line_down_grows_into_all_lines_down_and_back_as_one_incident() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.line("gate", NOON + 10_000, "telecom", LineState.DOWN, first_bad_at=NOON + 8_000),
        log.line("gate", NOON + 20_000, "unicom", LineState.DOWN),
        log.line("gate", NOON + 30_000, "unicom", LineState.UP),
        log.line("gate", NOON + 40_000, "telecom", LineState.UP),
    )
    assert steps(said) == [
        ("opened", "line_down"),
        ("changed", "lines_down"),
        ("changed", "line_down"),
        ("closed", "line_down"),
    ]
    assert {each.incident for each in said} == {said[0].incident}
    assert [each.severity for each in said] == ["page", "call", "page", "page"]
    assert said[0].started_at == NOON + 8_000
    assert said[0].details["carrier"] == "telecom"


def test_a_suspect_line_is_no_finding_and_ends_none() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.line("gate", NOON + 1_000, "telecom", LineState.SUSPECT),
        log.line("gate", NOON + 2_000, "telecom", LineState.DEGRADED),
        log.line("gate", NOON + 3_000, "telecom", LineState.SUSPECT),
        log.line("gate", NOON + 4_000, "telecom", LineState.DEGRADED),
    )
    assert steps(said) == [("opened", "line_degraded")]


def test_three_failovers_in_ten_minutes_are_one_flapping_incident_that_ends_when_it_is_calm() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.line("gate", NOON + 5_000, "telecom", LineState.DOWN),
        log.failover("gate", NOON + 6_000, "telecom", "unicom"),
        log.line("gate", NOON + 60_000, "telecom", LineState.UP),
        log.failover("gate", NOON + 61_000, "unicom", "telecom"),
        log.line("gate", NOON + 90_000, "telecom", LineState.DOWN),
        log.failover("gate", NOON + 91_000, "telecom", "unicom"),
        log.line("gate", NOON + 120_000, "telecom", LineState.UP),
        log.line("gate", NOON + 150_000, "telecom", LineState.DOWN),
        log.line("gate", NOON + 180_000, "telecom", LineState.UP),
        log.clock(NOON + 11 * MINUTE),
        log.clock(NOON + 12 * MINUTE),
    )
    assert steps(said) == [
        ("opened", "line_down"),
        ("closed", "line_down"),
        ("opened", "line_down"),
        ("changed", "flapping"),
        ("closed", "flapping"),
    ]


def test_a_route_that_is_taken_away_before_the_other_one_is_there_moved_once_and_not_twice() -> None:
    log = Log()
    away = [("telecom", ""), ("", "unicom")]
    back = [("unicom", ""), ("", "telecom")]
    first = [log.failover("gate", NOON + 6_000 + n, *move) for n, move in enumerate(away)]
    second = [log.failover("gate", NOON + 61_000 + n, *move) for n, move in enumerate(back)]
    third = [log.failover("gate", NOON + 91_000 + n, *move) for n, move in enumerate(away)]
    outage = [
        log.line("gate", NOON + 5_000, "telecom", LineState.DOWN),
        *first,
        log.line("gate", NOON + 60_000, "telecom", LineState.UP),
        *second,
    ]
    once = [("opened", "line_down"), ("closed", "line_down")]
    assert steps(said_after(*two_lines(log), *outage)) == once
    assert steps(said_after(*two_lines(log), *outage, *third)) == [*once, ("opened", "flapping")]


def flicker(log: Log, *names: str) -> list[Recorded]:
    """Twelve times in ten minutes, down for 30 s and up for 20."""
    return [
        log.line("gate", NOON + n * 50 * SECOND + after * SECOND, name, state)
        for n in range(12)
        for after, state in ((1, LineState.DOWN), (31, LineState.UP))
        for name in names
    ]


def test_a_line_that_comes_and_goes_is_flapping_from_the_third_time_until_it_is_calm() -> None:
    log = Log()
    said = said_after(*two_lines(log), *flicker(log, "telecom"), log.clock(NOON + HOUR))
    once = [("opened", "line_down"), ("closed", "line_down")]
    assert steps(said) == [*once, *once, ("opened", "flapping"), ("closed", "flapping")]
    assert (said[-1].subject, said[-1].severity, said[-1].started_at) == ("telecom", "page", NOON + SECOND)


def test_a_standby_line_that_comes_and_goes_is_a_ticket() -> None:
    log = Log()
    said = said_after(*two_lines(log), *flicker(log, "unicom"))
    assert {each.severity for each in said} == {Severity.TICKET}
    assert said[-1].what == "flapping"


def test_all_lines_that_come_and_go_together_call_no_more_unless_they_stay_away() -> None:
    log = Log()
    gone = NOON + 10 * MINUTE
    said = said_after(
        *two_lines(log),
        *flicker(log, "telecom", "unicom"),
        *(log.line("gate", gone, name, LineState.DOWN) for name in ("telecom", "unicom")),
        *(log.clock(gone + after) for after in (30 * SECOND, MINUTE, 2 * MINUTE)),
    )
    assert (said[-1].what, said[-1].severity, said[-1].occurred_at) == ("lines_down", "call", gone + MINUTE)
    assert sum((each.what, each.step) == ("lines_down", "changed") for each in said) == 3


def test_the_hub_counts_moves_by_the_address_it_sees() -> None:
    log = Log()
    lines = [
        log.link(Relation.SITE_OF_LINE, f"north/{line}", "north", egress=egress)
        for line, egress in (("telecom", "203.0.113.0/29"), ("unicom", "198.51.100.0/29"))
    ]
    addresses = ["203.0.113.1", "198.51.100.1", "192.0.2.1", "203.0.113.2", "198.51.100.2"]
    moves = [
        log.entry(
            "~connection",
            Kind.CONNECTION_SEEN,
            ConnectionSeen(**head(NOON + n * MINUTE), about_source="gate", is_open=True, egress=egress),
        )
        for n, egress in enumerate(addresses)
    ]
    assert steps(said_after(*lines, log.heartbeat("gate", NOON), *moves[:4])) == []
    assert steps(said_after(*lines, log.heartbeat("gate", NOON), *moves)) == [("opened", "flapping")]


def test_a_phone_line_behind_a_line_that_is_down_is_not_an_incident_of_its_own() -> None:
    log = Log()
    down = log.line("gate", NOON + 1, "telecom", LineState.DOWN)
    behind = log.phone_line("gate", NOON + 2, TrunkState.UNREACHABLE, via_line="telecom")
    assert steps(said_after(*two_lines(log), down, behind)) == [("opened", "line_down")]
    log = Log()
    alone = log.phone_line("gate", NOON + 2, TrunkState.UNREACHABLE, via_line="telecom")
    assert steps(said_after(*two_lines(log), alone)) == [("opened", "phone_line_down")]


# ----------------------------------------------------------------------------------------------------------- history


def test_a_backlog_opens_nothing() -> None:
    log = Log()
    later = NOON + HOUR
    said = said_after(
        *two_lines(log),
        log.heartbeat("gate", later),
        log.line("gate", later, "telecom"),
        log.line("gate", NOON + MINUTE, "unicom", LineState.DOWN, received_at=later + 1),
        log.ups("gate", NOON + MINUTE, Power.BATTERY, received_at=later + 2),
        log.line("gate", NOON + MINUTE, "mobile", LineState.DOWN, received_at=later + 3),
    )
    assert said == []


def test_a_clock_that_was_set_back_does_not_make_all_that_follows_history() -> None:
    log = Log()
    back = NOON - HOUR
    note = ProbeNote(**head(back), site="north", seat="", noticed=Noticed.CLOCK_STEPPED, step_ms=-HOUR)
    said = said_after(
        log.heartbeat("gate", NOON),
        log.entry("gate", Kind.PROBE_NOTE, note, NOON + 1_000),
        log.line("gate", back + 2_000, "telecom", received_at=NOON + 2_000),
        log.line("gate", back + 3_000, "unicom", LineState.DOWN, received_at=NOON + 3_000),
    )
    assert steps(said) == [("opened", "line_down")]


# ---------------------------------------------------------------------------------------------------------- the record


def outage(log: Log) -> list[Recorded]:
    names = [f"s{n:02}" for n in range(20)]
    return [
        *floor(log, 20),
        *two_lines(log),
        log.ups("gate", NOON + SECOND),
        log.line("gate", NOON + 2_000, "telecom", LineState.DOWN),
        log.ups("gate", NOON + 3_000, Power.BATTERY),
        log.silent("gate", NOON + 4_000, NOON + 10_000),
        log.clock(NOON + 16_000),
        *silences(log, names, NOON),
        *two_lines(log, NOON + 20 * MINUTE),
        log.ups("gate", NOON + 20 * MINUTE),
        *beats(log, names, NOON + 21 * MINUTE),
    ]


def test_revisions_are_the_same_for_any_batching_and_after_every_restart() -> None:
    entries = outage(Log())
    whole = said_after(*entries)
    assert {each.step for each in whole} == {*IncidentStep}
    state = new_sites(LIMITS)
    for entry in entries:
        fold_sites(state, [entry])
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=SitesState)
    assert state.unsaid == whole
    assert open_incidents(state) == []


def test_what_an_earlier_version_opened_and_this_one_does_not_find_is_ended() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, outage(log))
    theirs = msgspec.structs.replace(state.unsaid[0], incident="i-0123456789abcdef")
    changed = msgspec.structs.replace(theirs, revision=2, step=IncidentStep.CHANGED)
    closed = msgspec.structs.replace(theirs, revision=3, step=IncidentStep.CLOSED, ended_at=NOON + HOUR)
    ours = list(state.unsaid)
    for said, left in ((theirs, [2]), (changed, [3]), (closed, [])):
        fold_sites(state, [log.entry("~incident", Kind.INCIDENT, said)])
        ended = [each for each in state.unsaid if each.incident == theirs.incident]
        assert [(each.step, each.revision) for each in ended] == [(IncidentStep.CLOSED, number) for number in left]
    assert state.unsaid == ours


def test_what_the_ledger_holds_is_not_said_again() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, outage(log))
    for said in list(state.unsaid):
        fold_sites(state, [log.entry("~incident", Kind.INCIDENT, said)])
    assert state.unsaid == []
