"""The frame as JSON, for senders that would rather not speak MessagePack: the same fields, by name.

Everything here is made from the wire's own structs, so a field added there is a field here. An item carries its body
inline and says its kind in words; what only machines know (clock domain, shard) may be left out.

An item whose kind is a word that this build does not know is kept too, but by name and not by position, which no later
build could read as that kind: its body is the item as a MessagePack map with sorted keys, its number UNKNOWN_WORD.
"""

import operator
import re
from collections.abc import Mapping
from functools import reduce
from types import GenericAlias
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import NODEFAULT, Meta

from collector._core import keys
from collector._core.reserved import RESERVED_KINDS
from wire._fields import Counted, DurationMs, Instant, MonotonicMs, OptionalName, Word
from wire.bodies import BODY_TYPES
from wire.body import Body
from wire.codec import encode_body
from wire.errors import DecodeError, Reason
from wire.frame import Ack, Frame, GoneRange, Item, Lane, Rejected, SequenceRange
from wire.holes import fault_of
from wire.ids import NAME_PATTERN
from wire.kinds import UNKNOWN_WORD, Kind
from wire.limits import BODY_BYTES_MAX, EPOCH_BYTES, FRAME_BYTES_MAX, FRAME_ITEMS_MAX, FRAME_VERSION, GONE_RANGES_MAX

HEX_PATTERN: Final = f"^[0-9a-f]{{{2 * EPOCH_BYTES}}}$(?!\\n)"
Hex = Annotated[str, Meta(pattern=HEX_PATTERN, description="16 bytes as 32 hex digits")]
LANES: Final = {lane.name.lower(): lane for lane in Lane}
LANE_PATTERN: Final = f"^({'|'.join(LANES)})$(?!\\n)"
_Fields = list[tuple[str, Any, Any]]


class FieldError(DecodeError):
    """The frame does not fit; `field` is the path of the place, like `$.items[0].occurred_at`.

    field and problem are for the sender and may quote what it wrote; `detail` is as safe to log as any.
    """

    def __init__(self, field: str, problem: str, *, inside: str = "") -> None:
        super().__init__(Reason.NOT_A_FRAME, f"at {inside or field}")
        self.field = field
        self.problem = problem


def kind_word(kind: int, kind_version: int) -> str:
    """The word an item says its kind with, like `customer_turn`; a later version adds `.v2`."""
    word = Kind(kind).name.lower()
    return word if kind_version == 1 else f"{word}.v{kind_version}"


# ------------------------------------------------------------------------------------------ structs made from structs


def _twin_fields(struct: type[msgspec.Struct], replaced: Mapping[str, tuple[Any, Any]]) -> _Fields:
    """(name, type, default) of each field of `struct`, with some of them replaced."""
    fields: _Fields = []
    for field in msgspec.structs.fields(struct):
        default = field.default
        if field.default_factory is not NODEFAULT:
            default = msgspec.field(default_factory=field.default_factory)
        kind, default = replaced.get(field.name, (field.type, default))
        fields.append((field.name, kind, default))
    return fields


def _twin(
    name: str,
    struct: type[msgspec.Struct],
    replaced: Mapping[str, tuple[Any, Any]],
    extra: _Fields,
    tag: str | None = None,
) -> type[msgspec.Struct]:
    """`struct` with named keys instead of positions. Unknown keys are refused: a typing error is not data to ignore."""
    twin_fields = _twin_fields(struct, replaced)
    taken = {field[0] for field in twin_fields}
    fields = [*(field for field in extra if field[0] not in taken), *twin_fields]
    made = [field[:2] if field[2] is NODEFAULT else field for field in fields]
    return msgspec.defstruct(
        name,
        made,
        kw_only=True,
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
        tag_field=None if tag is None else "kind",
        tag=tag,
    )


def _list_of(struct: Any, items_max: int) -> Any:  # noqa: ANN401 - types made at run time
    return Annotated[GenericAlias(list, (struct,)), Meta(max_length=items_max)]


def _empty_list() -> Any:  # noqa: ANN401 - msgspec's default marker
    return msgspec.field(default_factory=list)


_ITEM_FIELDS: Final[_Fields] = [
    ("sequence", Annotated[Counted, Meta(description="1, 2, 3 ... within the epoch; left out with an event_id")], 0),
    ("event_id", Annotated[Word, Meta(description="for senders that cannot number: the same event, the same id")], ""),
]
_SHARD_FIELDS: Final[_Fields] = [
    (
        "customer",
        Annotated[
            OptionalName,
            Meta(
                description="pseudonym, the same on all events of a conversation; kept of `offered`, `customer_turn.v2`"
            ),
        ],
        "",
    ),
    ("linked", Annotated[OptionalName, Meta(description="id of a call this one belongs to")], ""),
]
_HEAD: Final = {
    "occurred_at": (Annotated[Instant, Meta(description="when it happened: ms since the Unix epoch, UTC")], NODEFAULT),
    "resolution_ms": (DurationMs, 1),
    "clock": (Annotated[OptionalName, Meta(description="clock domain; the source's own when left out")], ""),
    "monotonic_ms": (MonotonicMs | None, None),
    "synced": (bool, True),
    "shard_key": (Annotated[OptionalName, Meta(description="customer, linked or conversation when left out")], ""),
}


def _item_twin(key: tuple[int, int], body: type[Body]) -> type[msgspec.Struct]:
    about_conversation = any(field.name == "conversation" for field in msgspec.structs.fields(body))
    extra = _ITEM_FIELDS + (_SHARD_FIELDS if about_conversation else [])
    word = kind_word(*key)
    return _twin(word, body, _HEAD, extra, tag=word)


ITEM_TWINS: Final = {key: _item_twin(key, body) for key, body in BODY_TYPES.items() if key[0] not in RESERVED_KINDS}
"""(kind, kind_version) -> the struct of an item of that kind. Only what a sender may send."""
KIND_WORDS: Final = frozenset(kind_word(*key) for key in ITEM_TWINS)
"""The kinds that a sender may say, in words."""
_RESERVED_WORDS: Final = {kind_word(*key): key for key in BODY_TYPES if key[0] in RESERVED_KINDS}
_KEY_OF_TWIN: Final = {twin: key for key, twin in ITEM_TWINS.items()}
_LaneWord = Annotated[str, Meta(pattern=LANE_PATTERN)]
_AnyItem: Any = reduce(operator.or_, ITEM_TWINS.values())


class _ToldInWords(msgspec.Struct, frozen=True, gc=False):
    """What every item has, whatever its kind."""

    kind: Word
    sequence: Counted = 0
    event_id: Word = ""


class _Unknown(NamedTuple):
    """An item of a kind that has no twin. body: see the head of this file."""

    key: tuple[int, int]
    sequence: int
    event_id: str
    body: bytes


def _frame_twin(item: Any) -> type[msgspec.Struct]:  # noqa: ANN401 - types made at run time
    return _twin(
        "frame",
        Frame,
        {
            "version": (int, FRAME_VERSION),
            "epoch": (Hex | None, None),
            "lane": (_LaneWord | None, None),
            "base": (Counted, 0),
            "gone": (_list_of(GoneTwin, GONE_RANGES_MAX), _empty_list()),
            "items": (_list_of(item, FRAME_ITEMS_MAX), NODEFAULT),
            "prev_epoch": (Hex | None, None),
        },
        [],
    )


GoneTwin: Final = _twin("gone_range", GoneRange, {}, [])
FrameTwin: Final = _frame_twin(_AnyItem)
RangeTwin: Final = _twin("sequence_range", SequenceRange, {}, [])
RejectedTwin: Final = _twin("rejected", Rejected, {}, [("event_id", Word, "")])
AckTwin: Final = _twin(
    "ack",
    Ack,
    {
        "ledger": (Hex, NODEFAULT),
        "epoch": (Hex, NODEFAULT),
        "wanted": (_list_of(RangeTwin, GONE_RANGES_MAX), _empty_list()),
        "prev_wanted": (_list_of(RangeTwin, GONE_RANGES_MAX), _empty_list()),
        "rejected": (_list_of(RejectedTwin, FRAME_ITEMS_MAX), _empty_list()),
    },
    [],
)

_decode = msgspec.json.Decoder(FrameTwin).decode
_decode_outside = msgspec.json.Decoder(_frame_twin(msgspec.Raw)).decode
_decode_head = msgspec.json.Decoder(_ToldInWords).decode
_decode_item = msgspec.json.Decoder(_AnyItem).decode
_decode_anything = msgspec.json.Decoder().decode
_encode_sorted = msgspec.msgpack.Encoder(order="deterministic").encode
_OUTSIDE: Final = frozenset({"sequence", "event_id"})
_PATTERNS: Final = {
    NAME_PATTERN: "that is a name: letters, digits and . _ : @ / ~ -, beginning with a letter or digit",
    HEX_PATTERN: f"of {2 * EPOCH_BYTES} hex digits",
    LANE_PATTERN: f"out of {', '.join(LANES)}",
}
"""What a sender reads in place of a regular expression."""
_KIND_PLACE: Final = re.compile(r"\$\.items\[\d+\]\.kind")
_BAD: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


# ------------------------------------------------------------------------------------------------------ there and back


class JsonFrame(NamedTuple):
    """A frame, and the event ids of its items by the sequence each stands for."""

    frame: Frame
    event_ids: dict[int, str]


def decode_json_frame(data: bytes) -> JsonFrame:
    """The frame a JSON document describes. FieldError names the place; DecodeError(TOO_LARGE) when over the cap."""
    if len(data) > FRAME_BYTES_MAX:
        raise DecodeError(Reason.TOO_LARGE, f"{len(data)} bytes, the cap is {FRAME_BYTES_MAX}")
    said, told = _said(data)
    if said.version != FRAME_VERSION:
        raise DecodeError(Reason.UNKNOWN_FRAME_VERSION, f"this build reads version {FRAME_VERSION}")
    lane = _lane_of(said, told)
    items = [_item(place, item, lane, said.source) for place, item in enumerate(told)]
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
    if fault := fault_of(frame):
        raise FieldError(*fault)
    event_ids = {keys.event_id_sequence(item.event_id): item.event_id for item in items if item.event_id}
    return JsonFrame(frame, event_ids)


def _said(data: bytes) -> tuple[Any, list[Any]]:
    """The document, and its items: twins, and _Unknown where there is none for the kind."""
    try:
        said: Any = _decode(data)
    except _BAD as error:
        refused = _field_error(error)
        if not (_KIND_PLACE.fullmatch(refused.field) and refused.problem.startswith("Invalid value ")):
            raise refused from None
    else:
        return said, said.items
    try:
        said = _decode_outside(data)
    except _BAD as error:
        raise _field_error(error) from None
    return said, [_taken_apart(f"$.items[{place}]", raw) for place, raw in enumerate(said.items)]


def _taken_apart(where: str, raw: msgspec.Raw) -> Any:  # noqa: ANN401 - a struct made at run time
    """One item by itself. An unknown kind is bounded before it is looked into: its shape is anybody's."""
    try:
        head = _decode_head(raw)
        if head.kind in KIND_WORDS:
            return _decode_item(raw)
        if len(raw) > BODY_BYTES_MAX:
            raise FieldError(where, f"is of an unknown kind, and longer than {BODY_BYTES_MAX} bytes")
        rest = {name: value for name, value in _decode_anything(raw).items() if name not in _OUTSIDE}
        key = _RESERVED_WORDS.get(head.kind, (UNKNOWN_WORD, 0))
        return _Unknown(key, head.sequence, head.event_id, _encode_sorted(rest))
    except _BAD as error:
        raise _field_error(error, where) from None


def json_ack(ack: Ack, event_ids: Mapping[int, str]) -> msgspec.Struct:
    """`ack` with named keys, hex ids, and the event id of each rejected item that has one."""
    return AckTwin(
        ledger=ack.ledger.hex(),
        epoch=ack.epoch.hex(),
        acknowledged_through=ack.acknowledged_through,
        index=ack.index,
        wanted=[RangeTwin(first=span.first, last=span.last) for span in ack.wanted],
        rejected=[
            RejectedTwin(sequence=item.sequence, reason=item.reason, event_id=event_ids.get(item.sequence, ""))
            for item in ack.rejected
        ],
        version=ack.version,
        started_at=ack.started_at,
        prev_wanted=[RangeTwin(first=span.first, last=span.last) for span in ack.prev_wanted],
    )


def _lane_of(said: Any, told: list[Any]) -> Lane:  # noqa: ANN401 - a struct made at run time
    """The lane named, or the one the items show: event ids and no numbers."""
    if said.lane is not None:
        return LANES[said.lane]
    unnumbered = all(item.event_id and not item.sequence for item in told)
    return Lane.BY_EVENT_ID if told and unnumbered else Lane.BACKLOG


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


def _item(place: int, said: Any, lane: Lane, source: str) -> Item:  # noqa: ANN401 - a struct made at run time
    if lane is Lane.BY_EVENT_ID and not said.event_id:
        raise FieldError(f"$.items[{place}].event_id", "every item of an unnumbered frame needs one")
    if lane is not Lane.BY_EVENT_ID and not said.sequence:
        raise FieldError(f"$.items[{place}].sequence", "every item of a numbered frame needs one, counting from 1")
    if isinstance(said, _Unknown):
        return Item(said.sequence, *said.key, msgspec.Raw(said.body), said.event_id)
    kind, kind_version = _KEY_OF_TWIN[type(said)]
    body_type = BODY_TYPES[kind, kind_version]
    values = {name: getattr(said, name) for name in body_type.__struct_fields__}
    values["clock"] = said.clock or source
    values["shard_key"] = said.shard_key or _shard_key(said)
    body = msgspec.Raw(encode_body(body_type(**values)))
    return Item(said.sequence, kind, kind_version, body, said.event_id)


def _shard_key(said: Any) -> str:  # noqa: ANN401 - a struct made at run time
    if not hasattr(said, "conversation"):
        return ""
    return str(said.customer or said.linked or said.conversation)


def _field_error(error: Exception, where: str = "$") -> FieldError:
    """A decoder's message, split into what is wrong and where; where: what it decoded."""
    problem, _, path = (str(error) or type(error).__name__).partition(" - at ")
    for pattern, words in _PATTERNS.items():
        problem = problem.replace(f"matching regex {pattern!r}", words)
    inside = field = where + path.strip("`").removeprefix("$")
    for start in ("Object missing required field ", "Object contains unknown field "):
        if problem.startswith(start):
            field = f"{inside}.{problem.removeprefix(start).strip('`')}"
    return FieldError(field, problem, inside=inside)
