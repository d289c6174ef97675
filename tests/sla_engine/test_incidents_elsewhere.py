"""The hub as second witness of a line: over which one the probe's connection comes, by the roster's addresses."""

import pytest

from seatwatch.settings import load_defaults
from sla_engine._core.circumstances import Circumstances, LoadLimits
from tests.sla_engine.entries import NOON, Log, head
from tests.sla_engine.floors import MINUTE, SECOND, said_after, steps
from wire.incident import Cause, Severity
from wire.kinds import Kind
from wire.organisation import Relation
from wire.phone import TrunkState
from wire.recorded import Recorded
from wire.uplink import ConnectionSeen, LineState

TELECOM, UNICOM, NEITHER = "203.0.113.1", "198.51.100.1", "192.0.2.1"
ELSEWHERE = [("opened", "line_down")]


def roster(log: Log) -> list[Recorded]:
    return [
        log.link(Relation.SITE_OF_LINE, f"north/{line}", "north", egress=egress)
        for line, egress in (("telecom", "203.0.113.0/29"), ("unicom", "198.51.100.0/29"))
    ]


def connected(log: Log, at: int, address: str, *, is_open: bool = True) -> Recorded:
    body = ConnectionSeen(**head(at), about_source="gate", is_open=is_open, egress=address)
    return log.entry("~connection", Kind.CONNECTION_SEEN, body)


def says(log: Log, at: int, carrying: str, **given: LineState) -> list[Recorded]:
    return [
        log.line("gate", at, line, given.get(line, LineState.UP), carries_mqtt=line == carrying)
        for line in ("telecom", "unicom")
    ]


def minutes(log: Log, first: int, last: int, carrying: str) -> list[Recorded]:
    return [
        entry
        for minute in range(first, last + 1)
        for entry in (*says(log, NOON + minute * MINUTE, carrying), log.clock(NOON + minute * MINUTE + SECOND))
    ]


def agreed(log: Log) -> list[Recorded]:
    """The probe says telecom, and the hub sees telecom."""
    return [*roster(log), log.heartbeat("gate", NOON), connected(log, NOON, TELECOM), *minutes(log, 0, 2, "telecom")]


def test_a_line_whose_connection_comes_over_the_other_one_is_suspected_after_a_minute_and_over_when_it_is_back() -> (
    None
):
    log = Log()
    moved = NOON + 3 * MINUTE
    said = said_after(
        *agreed(log),
        connected(log, moved, UNICOM),
        *says(log, moved + SECOND, "telecom"),
        log.clock(moved + 59 * SECOND),
        log.clock(moved + MINUTE),
        connected(log, moved + 2 * MINUTE, TELECOM),
    )
    assert steps(said) == [*ELSEWHERE, ("closed", "line_down")]
    opened = said[0]
    assert (opened.subject, opened.is_suspected, opened.severity) == ("telecom", True, Severity.TICKET)
    assert (opened.started_at, opened.occurred_at) == (moved, moved + MINUTE)
    assert opened.details == {"carrier": "telecom", "elsewhere": "unicom"}


def test_a_connection_is_known_before_its_probe_spoke_and_before_the_roster_told_of_its_address() -> None:
    for known_first in (True, False):
        log = Log()
        first = [connected(log, NOON, TELECOM), log.heartbeat("gate", NOON + 1)]
        told = [*roster(log), *first] if known_first else [*first, *roster(log)]
        later = [*minutes(log, 1, 3, "telecom"), connected(log, NOON + 4 * MINUTE, UNICOM)]
        assert steps(said_after(*told, *later, *minutes(log, 4, 6, "telecom"))) == ELSEWHERE


def test_it_is_over_when_the_probe_moves_its_connection_and_certain_when_its_own_echoes_say_so() -> None:
    for telecom, last in ((LineState.UP, ("closed", "line_down")), (LineState.DOWN, ("changed", "line_down"))):
        log = Log()
        said = said_after(
            *agreed(log),
            connected(log, NOON + 3 * MINUTE, UNICOM),
            *minutes(log, 3, 5, "telecom"),
            *says(log, NOON + 6 * MINUTE, "unicom", telecom=telecom),
        )
        assert steps(said) == [*ELSEWHERE, last]
        assert said[-1].is_suspected is (telecom is LineState.UP)


@pytest.mark.parametrize(
    ("seen", "carrying"),
    [
        pytest.param([UNICOM], "unicom", id="the probe moved"),
        pytest.param([NEITHER], "unicom", id="it moved to a line without a known address"),
        pytest.param([UNICOM, NEITHER], "telecom", id="where it comes from is not known any more"),
        pytest.param([UNICOM], "", id="it has no connection"),
    ],
)
def test_a_move_of_the_probe_itself_an_unknown_address_and_a_lost_connection_raise_nothing(
    seen: list[str], carrying: str
) -> None:
    log = Log()
    came = [connected(log, NOON + 3 * MINUTE + n, address) for n, address in enumerate(seen)]
    assert steps(said_after(*agreed(log), *came, *minutes(log, 3, 9, carrying))) == []


def test_the_end_of_a_connection_tells_of_no_line() -> None:
    log = Log()
    ended = connected(log, NOON + 3 * MINUTE, UNICOM, is_open=False)
    assert steps(said_after(*agreed(log), ended, *minutes(log, 3, 9, "telecom"))) == []


def test_a_router_that_prefers_another_line_than_the_probe_from_the_first_is_no_trouble_of_a_line() -> None:
    log = Log()
    assert (
        steps(
            said_after(
                *roster(log), log.heartbeat("gate", NOON), connected(log, NOON, UNICOM), *minutes(log, 0, 9, "telecom")
            )
        )
        == []
    )


def test_a_suspected_line_hides_no_phone_line_behind_it_and_explains_no_miss() -> None:
    log = Log()
    moved = NOON + 3 * MINUTE
    entries = [
        *agreed(log),
        log.phone_line("gate", NOON, TrunkState.REACHABLE, via_line="telecom"),
        connected(log, moved, UNICOM),
        *minutes(log, 3, 5, "telecom"),
    ]
    said = said_after(*entries, log.phone_line("gate", NOON + 6 * MINUTE, TrunkState.UNREACHABLE, via_line="telecom"))
    assert steps(said) == [*ELSEWHERE, ("opened", "phone_line_down")]
    circumstances = Circumstances(load_defaults().fill(LoadLimits, "incidents", hands_limit=1, hands_idle_ms=1))
    for each in said:
        circumstances.take(log.entry("~incident", Kind.INCIDENT, each))
    assert [each.cause for each in circumstances.impaired([], {})] == [Cause.PHONE_LINE]
