"""The frame as JSON, for senders that would rather not speak MessagePack: the same fields, by name (`json_twins`).

An item carries its body inline and says its kind in words. One that does not fit is admission's to put aside, as in
MessagePack, and the rest of the frame stands. Its body is then the item as a MessagePack map with sorted keys, which
no build takes for a body: of a kind that has fields, those alone; of an unknown kind, all of it, by name and not by
position, which no later build could read as that kind. Where it cannot be looked into, its body is NOTHING.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from collector._core import keys
from collector.json_twins import (
    ANY_ITEM,
    HEX_PATTERN,
    ITEM_TWINS,
    KEY_OF_TWIN,
    KEY_OF_WORD,
    LANE_PATTERN,
    LANES,
    RESERVED_WORDS,
    AckTwin,
    FrameTwin,
    RangeTwin,
    RejectedTwin,
    frame_twin,
)
from wire._fields import Counted, Word
from wire.bodies import BODY_TYPES
from wire.errors import DecodeError, Reason
from wire.frame import Ack, Frame, GoneRange, Item, Lane
from wire.holes import Fault, fault_of
from wire.ids import NAME_PATTERN
from wire.kinds import UNKNOWN_WORD, Kind
from wire.limits import BODY_BYTES_MAX, EPOCH_BYTES, FRAME_BYTES_MAX, FRAME_VERSION


class FieldError(DecodeError):
    """The frame does not fit; `field` is the path of the place, like `$.items[0].occurred_at`.

    field and problem are for the sender and may quote what it wrote; `detail` is as safe to log as any.
    """

    def __init__(self, field: str, problem: str, *, inside: str = "") -> None:
        super().__init__(Reason.NOT_A_FRAME, f"at {inside or field}")
        self.field = field
        self.problem = problem


class _Parts(msgspec.Struct, frozen=True, gc=False):
    """What every item has, whatever its kind, each by itself: one may fit where another does not."""

    kind: msgspec.Raw = msgspec.Raw(b'""')
    sequence: msgspec.Raw = msgspec.Raw(b"0")
    event_id: msgspec.Raw = msgspec.Raw(b'""')


class _Aside(NamedTuple):
    """An item that no twin fits. body: see the head of this file. fault: what does not fit, None of an unknown kind."""

    key: tuple[int, int]
    sequence: int
    event_id: str
    body: bytes
    fault: Fault | None


NOTHING: Final = b"\xc0"
_decode = msgspec.json.Decoder(FrameTwin).decode
_decode_outside = msgspec.json.Decoder(frame_twin(msgspec.Raw)).decode
_decode_item = msgspec.json.Decoder(ANY_ITEM).decode
_decode_parts = msgspec.json.Decoder(_Parts).decode
_decode_word = msgspec.json.Decoder(Word).decode
_PARTS: Final = (
    ("kind", _decode_word, "", b'"'),
    ("sequence", msgspec.json.Decoder(Counted).decode, 0, b"0123456789"),
    ("event_id", _decode_word, "", b'"'),
)
"""Name, how it is read, what stands for it where it cannot be, and the bytes with which one that can be begins."""
_decode_anything = msgspec.json.Decoder().decode
_encode_sorted = msgspec.msgpack.Encoder(order="deterministic").encode
# Not wire.codec.encode_body: a body over the cap is its sender's fault, for admission to find.
_encode = msgspec.msgpack.Encoder().encode
_OUTSIDE: Final = frozenset({"sequence", "event_id"})
_FIELDS_OF: Final = {key: frozenset(twin.__struct_fields__) | {"kind"} for key, twin in ITEM_TWINS.items()}
_PATTERNS: Final = {
    repr(NAME_PATTERN): "that is a name: letters, digits and . _ : @ / ~ -, beginning with a letter or digit",
    repr(HEX_PATTERN): f"of {2 * EPOCH_BYTES} hex digits in lower case",
    repr(LANE_PATTERN): f"out of {', '.join(LANES)}",
}
"""What a sender reads in place of a regular expression: every one that a field of these structs has."""
_FAR_EXPONENT: Final = re.compile(rb"[:,\[]\s*-?[0-9][0-9.]*[eE][+-]?[0-9]{3}")
"""A number near the ends of what a float can be takes a hundred times as long to read as any other."""
_BAD: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class JsonFrame(NamedTuple):
    """A frame, and what it says of its items by the sequence each stands for: their event ids, what does not fit."""

    frame: Frame
    event_ids: Mapping[int, str]
    faults: Mapping[int, Fault]


def decode_json_frame(data: bytes) -> JsonFrame:
    """The frame a JSON document describes. FieldError names the place; DecodeError(TOO_LARGE) when over the cap."""
    if len(data) > FRAME_BYTES_MAX:
        raise DecodeError(Reason.TOO_LARGE, f"{len(data)} bytes, the cap is {FRAME_BYTES_MAX}")
    said, told = _said(data)
    if said.version != FRAME_VERSION:
        raise DecodeError(Reason.UNKNOWN_FRAME_VERSION, f"this build reads version {FRAME_VERSION}")
    lane = _lane_of(said, told)
    items = [_item(item, said.source) for item in told]
    frame = Frame(
        FRAME_VERSION,
        said.source,
        _epoch_of(said, lane),
        lane,
        said.base,
        [GoneRange(*(getattr(gone, name) for name in GoneRange.__struct_fields__)) for gone in said.gone],
        items,
        None if said.prev_epoch is None else bytes.fromhex(said.prev_epoch),
        said.prev_last_sequence,
    )
    if contradiction := fault_of(frame):
        raise FieldError(*contradiction)
    event_ids = {keys.sequence_of(item, lane): item.event_id for item in items if item.event_id}
    faults = [
        (_item_fault(place, each, lane), item) for place, (each, item) in enumerate(zip(told, items, strict=True))
    ]
    return JsonFrame(frame, event_ids, {keys.sequence_of(item, lane): fault for fault, item in faults if fault})


def _said(data: bytes) -> tuple[Any, list[Any]]:
    """The document, and its items: twins, and _Aside where none fits."""
    try:
        said: Any = _decode(data)
    except _BAD:
        pass
    else:
        return said, said.items
    try:
        said = _decode_outside(data)
    except _BAD as error:
        inside, fault = _fault(_words(error), "$")
        raise FieldError(*fault, inside=inside) from None
    has_far = _FAR_EXPONENT.search(data) is not None  # of the whole frame: a search an item costs as much as reading it
    return said, [_taken_apart(f"$.items[{place}]", raw, has_far=has_far) for place, raw in enumerate(said.items)]


def _taken_apart(where: str, raw: msgspec.Raw, *, has_far: bool) -> Any:  # noqa: ANN401 - a struct made at run time
    """One item by itself. has_far: some item of its frame has a far exponent."""
    wrong: tuple[str, str] | None = None  # in words: an error that is kept keeps this frame, in a circle
    parts = _Parts()
    try:
        parts = _decode_parts(raw)
    except _BAD as error:
        wrong = _words(error), where
    told: list[Any] = []
    for name, decode, otherwise, begins in _PARTS:
        part = getattr(parts, name)
        if wrong and memoryview(part)[0] not in begins:
            told.append(otherwise)  # one complaint is told, and a second error is dear where all of an item is wrong
            continue
        try:
            told.append(decode(part))
        except _BAD as error:
            told.append(otherwise)
            wrong = wrong or (_words(error), f"{where}.{name}")
    word, sequence, event_id = told
    key = KEY_OF_WORD.get(word) or RESERVED_WORDS.get(word, (UNKNOWN_WORD, 0))
    body = NOTHING
    try:
        if word in KEY_OF_WORD:
            return _decode_item(raw)
    except _BAD as error:
        wrong = wrong or (_words(error), where)
    try:
        body = _looked_into(raw, _FIELDS_OF.get(key), has_far=has_far)
    except _BAD as error:
        wrong = wrong or (_words(error), where)
    fault = _fault(*wrong)[1] if wrong else None
    if not word:  # told as by a source that cannot make out a record of its own
        key, fault = (Kind.QUARANTINED, 1), fault or Fault(f"{where}.kind", "every item needs one")
    return _Aside(key, sequence, event_id, body, fault)


def _looked_into(raw: msgspec.Raw, fields: frozenset[str] | None, *, has_far: bool) -> bytes:
    """The item as a map of those `fields` alone, None = all. Its size is looked at first: its shape is anybody's."""
    if len(raw) > BODY_BYTES_MAX:
        message = f"is longer than {BODY_BYTES_MAX} bytes: nothing of it is kept"
        raise ValueError(message)
    if has_far and _FAR_EXPONENT.search(raw):
        message = "holds a number with an exponent of three digits: nothing of it is kept"
        raise ValueError(message)
    said = _decode_anything(raw)
    if isinstance(said, dict):
        said = {
            name: value for name, value in said.items() if name not in _OUTSIDE and (fields is None or name in fields)
        }
    return _encode_sorted(said)


def json_ack(ack: Ack, said: JsonFrame) -> msgspec.Struct:
    """`ack` with named keys, hex ids, and of each rejected item its event id and what does not fit, where known."""
    return AckTwin(
        ledger=ack.ledger.hex(),
        epoch=ack.epoch.hex(),
        acknowledged_through=ack.acknowledged_through,
        index=ack.index,
        wanted=[RangeTwin(first=span.first, last=span.last) for span in ack.wanted],
        rejected=[
            RejectedTwin(
                sequence=item.sequence,
                reason=item.reason,
                event_id=said.event_ids.get(item.sequence, ""),
                **_told_of(said.faults.get(item.sequence)),
            )
            for item in ack.rejected
        ],
        version=ack.version,
        started_at=ack.started_at,
        prev_wanted=[RangeTwin(first=span.first, last=span.last) for span in ack.prev_wanted],
    )


def _lane_of(said: Any, told: list[Any]) -> Lane:  # noqa: ANN401 - a struct made at run time
    """The lane named, or the one the items show: event ids and no numbers, whether or not each has its own."""
    if said.lane is not None:
        return LANES[said.lane]
    unnumbered = any(item.event_id for item in told) and not any(item.sequence for item in told)
    return Lane.BY_EVENT_ID if unnumbered else Lane.BACKLOG


def _epoch_of(said: Any, lane: Lane) -> bytes:  # noqa: ANN401 - a struct made at run time
    if said.epoch is not None:
        return bytes.fromhex(said.epoch)
    if lane is Lane.BY_EVENT_ID:
        return keys.event_id_epoch(said.source)
    if not (said.items or said.gone or said.lane):
        problem = 'holds nothing; as a sign of life, name the epoch of your numbers, or "lane": "by_event_id"'
        raise FieldError("$.items", problem)
    problem = (
        "a numbered frame needs the epoch its sequences count in; else give every item an event_id and no sequence"
    )
    raise FieldError("$.epoch", problem)


def _item_fault(place: int, said: Any, lane: Lane) -> Fault | None:  # noqa: ANN401 - a struct made at run time
    """What does not fit in an item, or that nothing tells it from others."""
    if isinstance(said, _Aside) and said.fault is not None:
        return said.fault
    if lane is Lane.BY_EVENT_ID and not said.event_id:
        return Fault(f"$.items[{place}].event_id", "every item of an unnumbered frame needs one")
    if lane is not Lane.BY_EVENT_ID and not said.sequence:
        return Fault(f"$.items[{place}].sequence", "every item of a numbered frame needs one, counting from 1")
    return None


def _told_of(fault: Fault | None) -> dict[str, str]:
    return {} if fault is None else {"field": fault.field, "problem": fault.problem}


def _item(said: Any, source: str) -> Item:  # noqa: ANN401 - a struct made at run time
    if isinstance(said, _Aside):
        return Item(said.sequence, *said.key, msgspec.Raw(said.body), said.event_id)
    kind, kind_version = KEY_OF_TWIN[type(said)]
    body_type = BODY_TYPES[kind, kind_version]
    values = {name: getattr(said, name) for name in body_type.__struct_fields__}
    values["clock"] = said.clock or source
    values["shard_key"] = said.shard_key or _shard_key(said)
    return Item(said.sequence, kind, kind_version, msgspec.Raw(_encode(body_type(**values))), said.event_id)


def _shard_key(said: Any) -> str:  # noqa: ANN401 - a struct made at run time
    if not hasattr(said, "conversation"):
        return ""
    return str(said.customer or said.linked or said.conversation)


def _words(error: Exception) -> str:
    """What a decoder says is wrong."""
    return str(error) or type(error).__name__


def _fault(said: str, where: str) -> tuple[str, Fault]:
    """Of what a decoder says: the place it stopped at, and what is wrong; where: what it decoded."""
    problem, _, path = said.partition(" - at ")
    start, _, told = problem.partition(" matching regex ")
    if told:
        problem = f"{start} {_PATTERNS[told]}"
    inside = field = where + path.strip("`").removeprefix("$")
    if problem.startswith(("Object missing required field ", "Object contains unknown field ")):
        field = f"{inside}.{problem.rpartition(' field ')[2].strip('`')}"
    return inside, Fault(field, problem)
