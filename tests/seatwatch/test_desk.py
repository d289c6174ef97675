"""What the desk reads of the record at its start."""

from pathlib import Path

import msgspec

from collector._core.derived import incident_acknowledged
from dashboards.alerting._core.pager import TakenOn
from seatwatch.server.desk import taken_on_before
from tests.builders import Event
from tests.dashboards.alerting.incidents import incident
from tests.sla_engine.feeding import Feed
from wire.codec import decode_body
from wire.incident import IncidentAcknowledged, Severity
from wire.kinds import Kind

T0 = 1_763_784_000_000


async def test_who_was_taken_on_is_read_from_where_the_oldest_open_incident_began(tmp_path: Path) -> None:
    before, first, second = (incident("mains_lost", T0 + at) for at in (0, 1, 2))
    feed = Feed(tmp_path / "operator")
    feed.append([Event(before, "~incident", T0), Event(acknowledged(before.incident), "~acknowledged", T0 + 5)])
    start = feed.size
    feed.append([Event(each, "~incident", T0 + 10) for each in (first, second)])
    feed.append([Event(acknowledged(second.incident, at), "~acknowledged", at) for at in (T0 + 20, T0 + 30)])
    still_open = [msgspec.structs.replace(each, first_index=start) for each in (first, second)]
    assert await taken_on_before(still_open, feed, 2) == {second.incident: TakenOn("floor", T0 + 20)}
    assert await taken_on_before([], feed, 2) == {}
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


async def test_who_took_on_what_grew_graver_later_has_not_taken_that_on(tmp_path: Path) -> None:
    feed = Feed(tmp_path / "operator")
    line = incident("line_down", T0, subject="telecom")
    same = msgspec.structs.replace(line, revision=1, details={"reason": "timeout"})
    both = msgspec.structs.replace(line, revision=2, what="lines_down", severity=Severity.CALL)
    story: list[Event] = [
        Event(line, "~incident", T0),
        Event(acknowledged(line.incident, T0 + 1), "~acknowledged", T0 + 1),
    ]
    feed.append([*story, Event(same, "~incident", T0 + 2)])
    assert await taken_on_before([same], feed, 2) == {line.incident: TakenOn("floor", T0 + 1)}
    feed.append([Event(both, "~incident", T0 + 3)])
    assert await taken_on_before([both], feed, 2) == {}
    feed.append([Event(acknowledged(line.incident, T0 + 4), "~acknowledged", T0 + 4)])
    assert await taken_on_before([both], feed, 2) == {line.incident: TakenOn("floor", T0 + 4)}
    feed.close()
