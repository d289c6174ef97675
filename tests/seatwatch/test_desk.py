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
from wire.incident import IncidentAcknowledged
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
    body = decode_body(Kind.INCIDENT_ACKNOWLEDGED, 1, incident_acknowledged(incident_id, "floor", at).body)
    assert isinstance(body, IncidentAcknowledged)
    return body


def test_an_incident_is_taken_on_once_whoever_clicks_first() -> None:
    one, other = (incident_acknowledged("i-1", by, T0) for by in ("floor", "phone"))
    assert (one.source, one.epoch, one.sequence) == (other.source, other.epoch, other.sequence)
