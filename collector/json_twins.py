"""The frame, its items and the answer as structs for JSON: the wire's own, with named keys instead of positions.

Made from the wire's structs, so a field added there is a field here. What only machines know (clock domain, shard) may
be left out.
"""

import operator
from collections.abc import Mapping
from functools import reduce
from types import GenericAlias
from typing import Annotated, Any, Final

import msgspec
from msgspec import NODEFAULT, Meta

from collector._core.reserved import RESERVED_KINDS
from wire._fields import Counted, DurationMs, Instant, MonotonicMs, OptionalName, Word
from wire.bodies import BODY_TYPES
from wire.body import Body
from wire.frame import Ack, Frame, GoneRange, Lane, Rejected, SequenceRange
from wire.kinds import Kind
from wire.limits import EPOCH_BYTES, FRAME_ITEMS_MAX, FRAME_VERSION, GONE_RANGES_MAX

HEX_PATTERN: Final = f"^[0-9a-f]{{{2 * EPOCH_BYTES}}}$(?!\\n)"
Hex = Annotated[str, Meta(pattern=HEX_PATTERN, description="16 bytes as 32 hex digits")]
LANES: Final = {lane.name.lower(): lane for lane in Lane}
LANE_PATTERN: Final = f"^({'|'.join(LANES)})$(?!\\n)"
_Fields = list[tuple[str, Any, Any]]


def kind_word(kind: int, kind_version: int) -> str:
    """The word an item says its kind with, like `customer_turn`; a later version adds `.v2`."""
    word = Kind(kind).name.lower()
    return word if kind_version == 1 else f"{word}.v{kind_version}"


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
    # Format: msgspec.defstruct takes name and type, with a default where there is one.
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
KEY_OF_WORD: Final = {kind_word(*key): key for key in ITEM_TWINS}
"""The kinds that a sender may say, by their words."""
RESERVED_WORDS: Final = {kind_word(*key): key for key in BODY_TYPES if key[0] in RESERVED_KINDS}
KEY_OF_TWIN: Final = {twin: key for key, twin in ITEM_TWINS.items()}
_LaneWord = Annotated[str, Meta(pattern=LANE_PATTERN)]
ANY_ITEM: Any = reduce(operator.or_, ITEM_TWINS.values())


def frame_twin(item: Any) -> type[msgspec.Struct]:  # noqa: ANN401 - types made at run time
    """A frame whose items are of type `item`."""
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


_FAULT_FIELDS: Final[_Fields] = [
    (name, Annotated[str, Meta(description=why)] | msgspec.UnsetType, msgspec.UNSET)
    for name, why in (("field", "path of what does not fit, where that is known"), ("problem", "why it does not"))
]
GoneTwin: Final = _twin("gone_range", GoneRange, {}, [])
FrameTwin: Final = frame_twin(ANY_ITEM)
RangeTwin: Final = _twin("sequence_range", SequenceRange, {}, [])
RejectedTwin: Final = _twin("rejected", Rejected, {}, [("event_id", Word, ""), *_FAULT_FIELDS])
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
