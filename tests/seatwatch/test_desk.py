"""What the desk reads of the record at its start."""

import asyncio
from pathlib import Path

import msgspec

from collector._core.derived import incident_acknowledged
from dashboards.alerting._core.calling import Absences, Away
from dashboards.alerting._core.pager import TakenOn
from seatwatch.config import Config
from seatwatch.server.desk import Desk, taken_on_before
from seatwatch.server.incidents import IncidentBook, sites_runner
from seatwatch.settings import load_defaults
from tests.builders import Event
from tests.collector.running import running_hub
from tests.dashboards.alerting.incidents import incident
from tests.sla_engine.feeding import Feed
from tests.waiting import wait_until
from wire.codec import decode_body
from wire.ids import OPERATOR
from wire.incident import IncidentAcknowledged, Severity
from wire.kinds import Kind

T0 = 1_763_784_000_000
MINUTES_5 = 300_000


def test_who_was_taken_on_is_read_from_where_the_oldest_open_incident_began(tmp_path: Path) -> None:
    before, first, second = (incident("mains_lost", T0 + at) for at in (0, 1, 2))
    feed = Feed(tmp_path / "operator")
    feed.append([Event(before, "~incident", T0), Event(acknowledged(before.incident), "~acknowledged", T0 + 5)])
    start = feed.size
    feed.append([Event(each, "~incident", T0 + 10) for each in (first, second)])
    feed.append([Event(acknowledged(second.incident, at), "~acknowledged", at) for at in (T0 + 20, T0 + 30)])
    still_open = [msgspec.structs.replace(each, first_index=start) for each in (first, second)]
    assert taken_on_before(still_open, feed.reader, Absences(MINUTES_5)).found == {
        second.incident: TakenOn("floor", T0 + 20)
    }
    assert taken_on_before([], feed.reader, Absences(MINUTES_5)).found == {}
    feed.close()


def acknowledged(incident_id: str, at: int = T0) -> IncidentAcknowledged:
    body = decode_body(Kind.INCIDENT_ACKNOWLEDGED, 1, incident_acknowledged(incident_id, "floor", at, revision=0).body)
    assert isinstance(body, IncidentAcknowledged)
    return body


def test_an_incident_is_taken_on_once_whoever_clicks_first() -> None:
    one, other = (incident_acknowledged("i-1", by, T0, revision=1) for by in ("floor", "phone"))
    worse = incident_acknowledged("i-1", "phone", T0, revision=2)
    assert (one.source, one.epoch, one.sequence) == (other.source, other.epoch, other.sequence)
    assert worse.sequence != one.sequence, "what grew graver is taken on anew, and the record keeps both"


def test_who_took_on_what_grew_graver_later_has_not_taken_that_on(tmp_path: Path) -> None:
    feed = Feed(tmp_path / "operator")
    line = incident("line_down", T0, subject="telecom")
    same = msgspec.structs.replace(line, revision=1, details={"reason": "timeout"})
    both = msgspec.structs.replace(line, revision=2, what="lines_down", severity=Severity.CALL)
    story: list[Event] = [
        Event(line, "~incident", T0),
        Event(acknowledged(line.incident, T0 + 1), "~acknowledged", T0 + 1),
    ]
    feed.append([*story, Event(same, "~incident", T0 + 2)])
    assert taken_on_before([same], feed.reader, Absences(MINUTES_5)).found == {line.incident: TakenOn("floor", T0 + 1)}
    feed.append([Event(both, "~incident", T0 + 3)])
    assert taken_on_before([both], feed.reader, Absences(MINUTES_5)).found == {}
    feed.append([Event(acknowledged(line.incident, T0 + 4), "~acknowledged", T0 + 4)])
    assert taken_on_before([both], feed.reader, Absences(MINUTES_5)).found == {line.incident: TakenOn("floor", T0 + 4)}
    feed.close()


def test_the_record_shows_when_nobody_was_there_to_call(tmp_path: Path) -> None:
    feed = Feed(tmp_path / "operator")
    low = incident("battery_low", T0, severity=Severity.CALL)
    feed.append(Event(low, "~incident", T0 + at) for at in (0, 60_000, 120_000, 420_001, 480_000))
    absences = Absences(MINUTES_5)
    taken_on_before([low], feed.reader, absences)
    absences.alive(T0 + 3_600_000)
    assert absences.found == [Away(T0 + 120_000, T0 + 420_001), Away(T0 + 480_000, T0 + 3_600_000)]
    feed.close()


def test_what_probes_told_since_is_not_read_before_anybody_is_called(tmp_path: Path) -> None:
    feed = Feed(tmp_path / "operator")
    worn = incident("battery_worn", T0, severity=Severity.TICKET)
    feed.append([Event(worn, "~incident", T0), Event(acknowledged(worn.incident), "gateway", T0 + 60_000)])
    absences = Absences(MINUTES_5)
    assert taken_on_before([worn], feed.reader, absences).found == {}, "minutes pass with weeks of what probes told"
    absences.alive(T0 + 330_000)
    assert absences.found == [Away(T0, T0 + 330_000)]
    feed.close()


async def test_what_ended_while_a_start_read_the_record_is_not_open_for_the_pager(tmp_path: Path) -> None:
    lost = incident("mains_lost", T0)
    async with running_hub(tmp_path / "hub") as hub:
        book, data = IncidentBook(hub.intake), tmp_path / "data"
        desk = Desk(Config(), tmp_path, data, defaults=load_defaults(), intake=hub.intake, book=book)
        feed = hub.intake.ledgers[OPERATOR]
        runner = sites_runner(feed, tmp_path, book, defaults=load_defaults(), clock_ms=lambda: T0)
        runner.caught_up.set()
        asked = iter([[lost], []])
        book.open_incidents = lambda: next(asked)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(desk.run(runner), name="desk")
            await wait_until(lambda: desk._pager.is_ready, what="the pager")
            running.cancel()
        assert desk.figures().open == []
