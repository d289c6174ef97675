"""A frame of which some items are none: those are handed on as bytes, to be put aside, and the rest stands."""

from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from msgspec import NODEFAULT, Meta

from wire._fields import Counted, Word
from wire.frame import Frame, Item
from wire.kinds import Kind
from wire.limits import FRAME_ITEMS_MAX

_AnyItems = Annotated[list[msgspec.Raw], Meta(max_length=FRAME_ITEMS_MAX)]
_Outside: Final = msgspec.defstruct(
    "Outside",
    [
        (field.name, _AnyItems if field.name == "items" else field.type, *[field.default][field.default is NODEFAULT :])
        for field in msgspec.structs.fields(Frame)
    ],
    frozen=True,
    array_like=True,
    gc=False,
)


class _Numbered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What can be told of an item that does not fit as a whole."""

    sequence: Counted


class _Identified(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Its `event_id`, whatever stands before it."""

    sequence: msgspec.Raw
    kind: msgspec.Raw
    kind_version: msgspec.Raw
    body: msgspec.Raw
    event_id: Word


_decode_outside = msgspec.msgpack.Decoder(_Outside).decode
_decode_item = msgspec.msgpack.Decoder(Item).decode
_decode_numbered = msgspec.msgpack.Decoder(_Numbered).decode
_decode_identified = msgspec.msgpack.Decoder(_Identified).decode


def frame_item_by_item(data: bytes) -> Frame:
    """The frame around items that may be none. Raises msgspec's errors, or ValueError, where it is none itself."""
    outside: Any = _decode_outside(data)
    values = {name: getattr(outside, name) for name in Frame.__struct_fields__}
    return Frame(**values | {"items": [_item(raw) for raw in outside.items]})


def _item(raw: msgspec.Raw) -> Item:
    """Bytes that are no item are told as by a source that cannot make out a record of its own: whole, of no kind."""
    try:
        return _decode_item(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    sequence, event_id = 0, ""
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        sequence = _decode_numbered(raw).sequence
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        event_id = _decode_identified(raw).event_id
    return Item(sequence, Kind.QUARANTINED, 1, raw, event_id)
