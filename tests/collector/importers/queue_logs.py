"""Small queue_logs of our own making, and what the importer tells of them in plain words."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from collector.importers.queue_log import QueueLogReading
from tests.collector.importers.files import SETTINGS
from wire.body import Body
from wire.codec import decode_body
from wire.conversation import Accepted, AgentTurn, Assigned, Closed, CustomerLeft, Offered, Queued, Transferred
from wire.frame import GoneRange
from wire.kinds import Kind

BEGAN = 1_800_000_000
HEADER = "time,callid,queuename,agent,event,data1,data2,data3,data4,data5\n"


def line(second: int, call: str, queue: str, agent: str, event: str, *params: object) -> str:
    """A row of the file form, `second` after BEGAN."""
    return "|".join(map(str, (BEGAN + second, call, queue, agent, event, *params))) + "\n"


def reading_of(directory: Path, *contents: str | bytes, zone: str | None = None, name: str = "log") -> QueueLogReading:
    """The files `log0`, `log1` ... with these contents, in this order."""
    paths = []
    for number, content in enumerate(contents):
        paths.append(directory / f"{name}{number}{'.csv' if zone else ''}")
        paths[-1].write_bytes(content.encode() if isinstance(content, str) else content)
    return QueueLogReading(paths, "acme", None if zone is None else ZoneInfo(zone), SETTINGS)


def told(reading: QueueLogReading) -> list[Body | GoneRange]:
    """The bodies in the order of their numbers, holes among them."""
    found: list[Body | GoneRange] = []
    for event in reading.in_file_order():
        if event.kind == Kind.DATA_GAP:
            found.append(msgspec.msgpack.decode(event.body, type=GoneRange))
        elif event.kind != Kind.QUARANTINED:
            body = decode_body(event.kind, event.kind_version, event.body)
            assert body is not None
            found.append(body)
    return found


def in_words(bodies: Sequence[Body | GoneRange]) -> list[str]:
    """`+7 assigned c-1 a-1`: seconds after BEGAN, what happened, to which call, by whom or where."""
    found = []
    for body in bodies:
        if isinstance(body, Body):
            at = body.occurred_at - BEGAN * 1000
            second = f"{at // 1000}" if at % 1000 == 0 else f"{at / 1000:.3f}"
            found.append(" ".join(filter(None, [f"+{second}", *_words(body)])))
    return found


def _words(body: Body) -> list[str]:
    if isinstance(body, Offered | Queued):
        return [type(body).__name__.lower(), body.conversation, body.queue]
    if isinstance(body, Assigned | Accepted):
        return [type(body).__name__.lower(), body.conversation, body.account]
    if isinstance(body, AgentTurn):
        return ["answered", body.conversation, body.account]
    if isinstance(body, Transferred):
        return ["transferred", body.conversation]
    if isinstance(body, CustomerLeft):
        return ["left", body.conversation, body.reason]
    if isinstance(body, Closed):
        return ["closed", body.conversation, body.by]
    return [type(body).__name__]


def words_of(directory: Path, *rows: str) -> list[str]:
    """What one file of these rows tells."""
    return in_words(told(reading_of(directory, "".join(rows))))
