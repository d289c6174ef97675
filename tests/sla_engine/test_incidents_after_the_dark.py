"""A site that was without power and is heard again: what it said before is not what holds."""

from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, said_after, steps, two_lines
from wire.facility import Power
from wire.incident import MaintenanceOf
from wire.phone import TrunkState
from wire.recorded import Recorded
from wire.uplink import LineState

DARK = NOON + 2 * MINUTE
BACK = NOON + 30 * MINUTE


def cut(log: Log) -> list[Recorded]:
    """The mains fail; modems have no UPS, so that lines and trunk are lost first, and the site a minute later."""
    return [
        *two_lines(log),
        log.ups("gate", NOON),
        log.phone_line("gate", NOON, TrunkState.REACHABLE),
        log.ups("gate", NOON + MINUTE, Power.BATTERY),
        log.phone_line("gate", NOON + MINUTE + SECOND, TrunkState.UNREACHABLE),
        *(log.line("gate", NOON + MINUTE + 2 * SECOND, line, LineState.DOWN) for line in ("telecom", "unicom")),
        log.silent("gate", DARK, DARK + 6 * SECOND),
        log.clock(DARK + MINUTE),
        log.heartbeat("gate", BACK),
        log.clock(BACK + 4 * SECOND),
    ]


def test_lines_that_died_with_the_power_are_no_trouble_of_their_own_when_it_is_back() -> None:
    log = Log()
    said = said_after(
        *cut(log),
        *(
            log.line("gate", BACK + 5 * SECOND, line, is_default_route=line == "telecom")
            for line in ("telecom", "unicom")
        ),
        log.phone_line("gate", BACK + 6 * SECOND, TrunkState.REACHABLE),
        log.ups("gate", BACK + 7 * SECOND),
    )
    assert steps([each for each in said if each.occurred_at >= BACK]) == [
        ("changed", "mains_lost"),
        ("closed", "mains_lost"),
    ]


def test_a_line_that_stays_down_after_the_power_is_back_is_told_anew_and_as_the_one_that_carried() -> None:
    log = Log()
    said = said_after(
        *cut(log),
        log.line("gate", BACK + 5 * SECOND, "telecom", LineState.DOWN),
        log.line("gate", BACK + 5 * SECOND, "unicom", is_default_route=True),
        log.ups("gate", BACK + 7 * SECOND),
    )
    found = [(each.step, each.what, each.subject, each.severity) for each in said if each.what == "line_down"]
    assert found[-1] == ("opened", "line_down", "telecom", "page")


def test_a_battery_that_was_low_before_the_dark_calls_again_only_when_it_says_so_again() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.ups("gate", NOON),
        log.maintenance(NOON + 1, NOON + SECOND, NOON + HOUR, of=MaintenanceOf.UPS, subject="rack"),
        log.ups("gate", NOON + MINUTE, Power.CRITICAL),
        log.silent("gate", DARK, DARK + 6 * SECOND),
        log.heartbeat("gate", BACK),
        log.clock(BACK + 4 * SECOND),
        log.ups("gate", BACK + 5 * SECOND, Power.CRITICAL),
    )
    told = [(each.what, each.severity, each.occurred_at - BACK) for each in said if each.occurred_at >= BACK]
    assert told == [("mains_lost", "info", 0), ("battery_low", "call", 5 * SECOND)]
