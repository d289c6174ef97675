"""What a bridge posts: frames in both languages, and now and then what no well-behaved bridge would."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from collector.intake_http import JSON, MSGPACK
from tests.sim.http_port import Request
from tests.sim.oracle import Key
from tests.sim.workload import Said
from wire.codec import decode_body, encode_frame
from wire.frame import Frame, Item, Lane
from wire.kinds import Kind
from wire.limits import FRAME_BYTES_MAX, FRAME_VERSION

TOKEN: Final = "said once to the bridge"
NO_EPOCH: Final = bytes(16)
SLOW_S: Final = 1.2
"""Between two chunks of a body that never arrives in time."""


class Event(NamedTuple):
    """What the platform holds until our door has answered."""

    event_id: str
    said: Said


class Misfit(NamedTuple):
    """A request no well-behaved sender makes, and the status that refuses it."""

    status: int
    request: Request


def post(source: str, events: Sequence[Event], keys: Sequence[Key], rng: Random) -> Request:
    """A well-formed request, as MessagePack or as JSON where everything in it can be said as JSON."""
    if rng.random() < 0.5 and all(_is_typed(event.said) for event in events):
        content_type, body = JSON, _as_json(source, events)
    else:
        content_type, body = MSGPACK, _as_msgpack(source, events)
    said = tuple((key, event.said.body) for key, event in zip(keys, events, strict=True))
    return Request({"Authorization": f"Bearer {TOKEN}"}, content_type, _cut(body, rng), 0.0, said)


def misfit(source: str, event: Event, rng: Random) -> Misfit:
    """One of the ways to be refused; whatever it carries must never be stored."""
    good = Request({"Authorization": f"Bearer {TOKEN}"}, MSGPACK, (_as_msgpack(source, [event]),), 0.0, ())
    whole = good.chunks[0]
    halves = (whole[: len(whole) // 2], whole[len(whole) // 2 :])
    zipped = {**good.headers, "Content-Encoding": "gzip"}
    return rng.choice(
        (
            Misfit(401, good._replace(headers={"Authorization": "Bearer somebody else's"})),
            Misfit(403, good._replace(chunks=(_as_msgpack("acme/other", [event]),))),
            Misfit(408, good._replace(chunks=halves, pace_s=SLOW_S)),
            Misfit(413, good._replace(chunks=(whole, bytes(FRAME_BYTES_MAX)))),
            Misfit(415, good._replace(content_type="text/plain")),
            Misfit(415, good._replace(headers=zipped)),
            Misfit(422, good._replace(chunks=halves[:1])),
            Misfit(422, good._replace(content_type=JSON)),
        )
    )


def _is_typed(said: Said) -> bool:
    """Whether its body decodes: JSON has no words for what does not."""
    return said.kind != Kind.HEARTBEAT


def _cut(body: bytes, rng: Random) -> tuple[bytes, ...]:
    at = rng.randrange(len(body))
    return (body[:at], body[at:]) if rng.random() < 0.3 else (body,)


def _as_msgpack(source: str, events: Sequence[Event]) -> bytes:
    items = [Item(0, e.said.kind, e.said.kind_version, msgspec.Raw(e.said.body), e.event_id) for e in events]
    return encode_frame(Frame(FRAME_VERSION, source, NO_EPOCH, Lane.BY_EVENT_ID, 0, [], items))


def _as_json(source: str, events: Sequence[Event]) -> bytes:
    return msgspec.json.encode({"source": source, "items": [_item(event) for event in events]})


def _item(event: Event) -> dict[str, Any]:
    kind, kind_version, body = event.said
    decoded: Any = decode_body(kind, kind_version, body)
    fields = msgspec.structs.asdict(decoded)
    return {"kind": Kind(kind).name.lower(), "event_id": event.event_id, **fields}
