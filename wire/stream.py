"""Chunks of ledger entries in a Redis stream: what the feed writes and engines in other processes read.

A stream entry holds one chunk: up to 100 consecutive ledger entries. Its id is `<index of the last entry + 1>-0`: the
stream's last id says where the feeder goes on, and Redis refuses to take a chunk twice.
"""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from wire.errors import DecodeError, Reason

CHUNK_FIELD: Final = b"c"
BEFORE_FIELD: Final = b"p"
"""Leaf of the ledger entry before the chunk's first: whoever has read that entry sees whether this is the same past."""
_ANNOUNCED: Final = struct.Struct(">16sQ")
_PULSE: Final = struct.Struct(">16sQQ")


class StreamEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One ledger entry on its way. `body` is None once purged. leaf: its 32 bytes in the ledger's tree."""

    index: int
    received_at: int
    source: str
    epoch: bytes
    sequence: int
    kind: int
    kind_version: int
    body: bytes | None
    leaf: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[StreamEntry])


def encode_chunk(entries: list[StreamEntry]) -> bytes:
    """The bytes of a chunk of consecutive entries."""
    return _encoder.encode(entries)


def decode_chunk(data: bytes) -> list[StreamEntry]:
    """The entries of a chunk. DecodeError(NOT_A_FRAME) when the bytes are no chunk."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError:
        raise DecodeError(Reason.NOT_A_FRAME, "not a chunk of entries") from None


def decode_fields(fields: Mapping[bytes, bytes]) -> tuple[list[StreamEntry], bytes]:
    """The chunk of a stream entry and the leaf before it. DecodeError(NOT_A_FRAME) where no feeder wrote the entry."""
    if not fields.keys() >= {CHUNK_FIELD, BEFORE_FIELD}:
        raise DecodeError(Reason.NOT_A_FRAME, "not the fields of a chunk")
    return decode_chunk(fields[CHUNK_FIELD]), fields[BEFORE_FIELD]


class Announced(NamedTuple):
    """What a feeder says of its ledger before it feeds: the id, and how many entries there were by then.

    A stream that is being filled anew holds fewer for a while; that is no reason to distrust what was made of more.
    """

    ledger_id: bytes
    size: int


def encode_announced(announced: Announced) -> bytes:
    """Its bytes: the id, then the size as 8 bytes, most significant first."""
    return _ANNOUNCED.pack(*announced)


def decode_announced(data: bytes) -> Announced:
    """The announcement in `data`. DecodeError(NOT_A_FRAME) when it has another length."""
    if len(data) != _ANNOUNCED.size:
        raise DecodeError(Reason.NOT_A_FRAME, "not the announcement of a ledger")
    return Announced(*_ANNOUNCED.unpack(data))


class Pulse(NamedTuple):
    """What a living collector says of a ledger again and again: its id, how many entries it has, and when (its ms)."""

    ledger_id: bytes
    size: int
    told_at: int


def encode_pulse(pulse: Pulse) -> bytes:
    """Its bytes: the id, then size and instant as 8 bytes each, most significant first."""
    return _PULSE.pack(*pulse)


def decode_pulse(data: bytes) -> Pulse:
    """The pulse in `data`. DecodeError(NOT_A_FRAME) when it has another length."""
    if len(data) != _PULSE.size:
        raise DecodeError(Reason.NOT_A_FRAME, "not the pulse of a ledger")
    return Pulse(*_PULSE.unpack(data))


def chunk_id(size_after: int) -> str:
    """The stream id of the chunk after which the ledger has `size_after` entries."""
    return f"{size_after}-0"


def size_after(stream_id: bytes | str) -> int:
    """How many ledger entries there are up to and with the chunk of that id."""
    text = stream_id.decode("ascii") if isinstance(stream_id, bytes) else stream_id
    return int(text.partition("-")[0])
