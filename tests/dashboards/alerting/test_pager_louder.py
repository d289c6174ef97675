"""What grows louder by the hour, or with the end of planned work, calls one after the other from then on."""

from pathlib import Path

import msgspec

from dashboards.alerting._core.calling import Absences
from dashboards.alerting._core.pager import Pager
from seatwatch.config import parse_config
from seatwatch.server.desk import taken_on_before
from seatwatch.server.on_call import on_call
from seatwatch.settings import load_defaults
from tests.builders import Event
from tests.dashboards.alerting.incidents import MINUTE, SECOND, SETTINGS, incident
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.feeding import Feed
from tests.sla_engine.floors import NIGHT, said_after, two_lines
from wire.incident import IncidentSaid, MaintenanceOf, Severity
from wire.uplink import LineState

HOUR = 60 * MINUTE
OPENING = NIGHT + 7 * HOUR
TWO_ON_DUTY = (
    "".join(f'[[duty]]\nname = "{name}"\nchannels = ["floor"]\n' for name in ("first", "second"))
    + '[[channel]]\nid = "floor"\nkind = "command"\ncommand = ["/bin/true"]\n'
)


def tiers_after(said: list[IncidentSaid], *instants: int) -> list[list[int]]:
    """Who is paged at each of these instants."""
    pager, found = Pager(SETTINGS), []
    for at in sorted({*instants, *(each.occurred_at for each in said)}):
        pager.hear([each for each in said if each.occurred_at == at], at)
        pager.advance(at)
        if at in instants:
            loud = [each for each in pager.alerts() if each.ended_at is None and each.identity.severity == "page"]
            found.append(sorted(each.identity.tier for each in loud))
    return found


def test_a_line_that_was_lost_at_night_calls_the_first_on_duty_at_opening_and_the_next_five_minutes_later() -> None:
    log = Log()
    said = said_after(
        *two_lines(log, NIGHT),
        log.line("gate", NIGHT + MINUTE, "telecom", LineState.DOWN),
        log.clock(OPENING),
    )
    assert [each.severity for each in said] == ["ticket", "page"]
    instants = (OPENING - 1, OPENING, OPENING + 5 * MINUTE - 1, OPENING + 5 * MINUTE)
    assert tiers_after(said, *instants) == [[], [1], [1], [1, 2]]


def test_what_planned_work_leaves_broken_calls_one_after_the_other() -> None:
    log, end = Log(), NOON + HOUR
    said = said_after(
        *two_lines(log),
        log.maintenance(NOON + 1, NOON + SECOND, end, of=MaintenanceOf.LINE, subject="telecom"),
        log.line("gate", NOON + MINUTE, "telecom", LineState.DOWN),
        log.clock(end),
    )
    assert [each.severity for each in said] == ["info", "page"]
    assert tiers_after(said, end - 1, end, end + 5 * MINUTE) == [[], [1], [1, 2]]


def test_after_a_restart_the_next_on_duty_still_waits_from_when_it_became_loud(tmp_path: Path) -> None:
    began, loud = incident("line_down", NIGHT, severity=Severity.TICKET), OPENING
    page = msgspec.structs.replace(began, severity=Severity.PAGE, revision=1, occurred_at=loud)
    later = msgspec.structs.replace(page, is_suspected=True, revision=2, occurred_at=loud + 3 * MINUTE)
    feed = Feed(tmp_path / "operator")
    feed.append(Event(each, "~incident", each.occurred_at) for each in (began, page, later))
    before = taken_on_before([later], feed.reader, Absences(5 * MINUTE))
    feed.close()

    def tiers_at(now: int) -> list[int]:
        pager = on_call(parse_config(TWO_ON_DUTY, base=tmp_path), load_defaults(), lambda: now)
        pager.take_up([later], before.found, before.louder_at)
        return sorted(alert.identity.tier for alert in pager.alerts())

    assert (tiers_at(loud + 4 * MINUTE), tiers_at(loud + 5 * MINUTE)) == ([1], [1, 2])
