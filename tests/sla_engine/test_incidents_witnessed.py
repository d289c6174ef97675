"""What a gateway asks the hub over each line: a standby line has a second witness too."""

import pytest

from tests.sla_engine.entries import NOON, Log, head
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, said_after, steps
from tests.sla_engine.test_incidents_elsewhere import (
    ELSEWHERE,
    NEITHER,
    TELECOM,
    UNICOM,
    agreed,
    connected,
    minutes,
    roster,
    says,
)
from wire.incident import Severity
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.uplink import LineState, LineWitnessed

CLOSED = ("closed", "line_down")


def asked(log: Log, at: int, line: str, address: str) -> Recorded:
    return log.entry(
        "~witness", Kind.LINE_WITNESSED, LineWitnessed(**head(at), about_source="gate", line=line, egress=address)
    )


def twice(log: Log, at: int, line: str, address: str) -> list[Recorded]:
    """A minute apart: the second time confirms the first."""
    return [asked(log, at, line, address), asked(log, at + MINUTE, line, address)]


def both_seen(log: Log) -> list[Recorded]:
    """Telecom carries the connection, unicom stands by, and each is seen from its own address."""
    return [
        *agreed(log),
        asked(log, NOON + 2 * MINUTE, "telecom", TELECOM),
        asked(log, NOON + 2 * MINUTE, "unicom", UNICOM),
    ]


def test_a_standby_line_that_the_router_helps_out_is_suspected_and_over_when_it_is_seen_from_its_own_again() -> None:
    log = Log()
    dead = NOON + 3 * MINUTE
    said = said_after(
        *both_seen(log),
        *twice(log, dead, "unicom", TELECOM),
        log.clock(dead + MINUTE + SECOND),
        asked(log, dead + 5 * MINUTE, "unicom", UNICOM),
    )
    assert steps(said) == [*ELSEWHERE, CLOSED]
    opened = said[0]
    assert (opened.subject, opened.is_suspected, opened.severity) == ("unicom", True, Severity.TICKET)
    assert (opened.started_at, opened.occurred_at) == (dead, dead + MINUTE)
    assert opened.details == {"carrier": "unicom", "elsewhere": "telecom"}


def test_one_look_that_nothing_confirms_is_no_suspicion() -> None:
    log = Log()
    assert (
        steps(
            said_after(
                *both_seen(log), asked(log, NOON + 3 * MINUTE, "unicom", TELECOM), *minutes(log, 3, 30, "telecom")
            )
        )
        == []
    )


def test_two_cables_that_lead_to_one_provider_are_told_from_the_first_day_of_the_line_that_has_none() -> None:
    log = Log()
    said = said_after(
        *agreed(log),
        *twice(log, NOON + 2 * MINUTE, "telecom", TELECOM),
        *twice(log, NOON + 2 * MINUTE + SECOND, "unicom", TELECOM),
        *minutes(log, 5, 9, "telecom"),
    )
    assert [(each.what, each.subject, each.is_suspected) for each in said] == [("line_down", "unicom", True)]


@pytest.mark.parametrize(
    ("telecom", "unicom"),
    [
        pytest.param(UNICOM, TELECOM, id="the roster has the two the wrong way round"),
        pytest.param(NEITHER, TELECOM, id="one comes from an address nobody knows"),
        pytest.param(NEITHER, NEITHER, id="a reverse proxy stands before the hub"),
    ],
)
def test_addresses_that_accuse_the_roster_and_no_line_raise_nothing(telecom: str, unicom: str) -> None:
    log = Log()
    said = said_after(
        *roster(log),
        log.heartbeat("gate", NOON),
        connected(log, NOON, NEITHER),
        *says(log, NOON, "telecom"),
        *twice(log, NOON, "telecom", telecom),
        *twice(log, NOON, "unicom", unicom),
        *minutes(log, 3, 9, "telecom"),
    )
    assert steps(said) == []


def test_a_line_is_over_as_soon_as_it_is_seen_from_its_own_though_the_connection_stays_where_the_router_put_it() -> (
    None
):
    log = Log()
    moved = NOON + 3 * MINUTE
    said = said_after(
        *both_seen(log),
        connected(log, moved, UNICOM),
        *twice(log, moved + SECOND, "telecom", UNICOM),
        *minutes(log, 5, 9, "telecom"),
        asked(log, NOON + 10 * MINUTE, "telecom", TELECOM),
        *minutes(log, 11, 60, "telecom"),
    )
    assert steps(said) == [*ELSEWHERE, CLOSED]
    assert said[-1].ended_at == NOON + 10 * MINUTE


def test_a_connection_that_came_anew_since_the_line_was_asked_counts_by_itself() -> None:
    log = Log()
    said = said_after(*both_seen(log), connected(log, NOON + 3 * MINUTE, UNICOM), *minutes(log, 3, 9, "telecom"))
    assert steps(said) == ELSEWHERE


def test_a_suspected_standby_is_certain_when_the_probe_itself_calls_it_down() -> None:
    log = Log()
    said = said_after(
        *both_seen(log),
        *twice(log, NOON + 3 * MINUTE, "unicom", TELECOM),
        *says(log, NOON + 5 * MINUTE, "telecom", unicom=LineState.DOWN),
    )
    assert steps(said) == [*ELSEWHERE, ("changed", "line_down")]
    assert [each.is_suspected for each in said] == [True, False]


def test_a_router_that_spreads_its_load_accuses_no_line() -> None:
    log = Log()
    start = NOON + 3 * MINUTE
    turns = [
        asked(log, start + n * 2 * MINUTE + again * SECOND, "unicom", (TELECOM, UNICOM)[n % 2])
        for n in range(1, 20)
        for again in (0, 1)
    ]
    assert steps(said_after(*both_seen(log), *turns)) == []


def test_the_roster_may_tell_of_the_addresses_after_the_line_was_asked() -> None:
    log = Log()
    asked_first = [*twice(log, NOON, "telecom", TELECOM), *twice(log, NOON, "unicom", TELECOM)]
    said = said_after(
        log.heartbeat("gate", NOON),
        *asked_first,
        *minutes(log, 2, 3, "telecom"),
        *roster(log),
        *minutes(log, 4, 6, "telecom"),
    )
    assert steps(said) == ELSEWHERE


def test_no_probe_is_believed_of_a_line_that_another_one_measures() -> None:
    log = Log()
    seat = LineWitnessed(**head(NOON + 3 * MINUTE), about_source="seat-1", line="unicom", egress=TELECOM)
    lies = [log.entry("~witness", Kind.LINE_WITNESSED, seat) for _ in range(2)]
    assert (
        steps(
            said_after(
                *both_seen(log), log.heartbeat("seat-1", NOON + HOUR, seat="1"), *lies, *minutes(log, 61, 70, "telecom")
            )
        )
        == []
    )
