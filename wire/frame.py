"""The frame: what a source sends and what the collector answers. One layout for MQTT and HTTP.

A frame is one MessagePack array. It says who speaks, in which epoch, what it still holds (`base`), what it had to
drop (`gone`), and carries items; each item is numbered and holds its body as the exact bytes that will be hashed.
"""

from enum import IntEnum
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from wire._fields import Count, Counted, Epoch, Instant, Name, Sequence, Word
from wire.limits import (
    EPOCH_BYTES,
    FRAME_ITEMS_MAX,
    FRAME_VERSION,
    GONE_RANGES_MAX,
    KIND_MAX,
    LEDGER_ID_BYTES,
)
from wire.record import GapReason

KindNumber = Annotated[int, Meta(ge=0, le=KIND_MAX)]
LedgerId = Annotated[bytes, Meta(min_length=LEDGER_ID_BYTES, max_length=LEDGER_ID_BYTES)]


class Lane(IntEnum):
    """How the sequences of a frame are to be read.

    BACKLOG: numbered without holes; the ack is the contiguous mark. SNAPSHOT: current state, newest wins, holes are
    normal.
    BY_EVENT_ID: the sender cannot number; each item carries an `event_id` and the collector derives epoch and sequence.
    """

    BACKLOG = 0
    SNAPSHOT = 1
    BY_EVENT_ID = 2


def snapshot_epoch(epoch: bytes) -> bytes:
    """The epoch under which the snapshot lane of a source that runs in `epoch` is recorded."""
    return sha256(b"snapshot" + epoch).digest()[:EPOCH_BYTES]


class GoneRange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Sequences first..last dropped at the source; `count` of them held events of `drop_class`.

    since, until: the event time (ms) in which the source told nothing, where it knows that; 0 = not said.
    """

    first: Counted
    last: Counted
    drop_class: Word
    count: Count
    reason: GapReason = GapReason.OVERFLOW
    since: Instant = 0
    until: Instant = 0


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event: its number, its kind, its body as raw MessagePack."""

    sequence: Counted
    kind: KindNumber
    kind_version: KindNumber
    body: msgspec.Raw
    event_id: Word = ""


class Frame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Everything one message carries. Sequences start at 1; `base` 0 means the source holds nothing older.

    prev_epoch, prev_last_sequence: only on the first frame of an epoch, so that a tail lost with the epoch before is
    asked for (`Ack.prev_wanted`) and not passed over in silence.
    """

    version: int
    source: Name
    epoch: Epoch
    lane: Lane
    base: Counted
    gone: Annotated[list[GoneRange], Meta(max_length=GONE_RANGES_MAX)]
    items: Annotated[list[Item], Meta(max_length=FRAME_ITEMS_MAX)]
    prev_epoch: Epoch | None = None
    prev_last_sequence: Counted | None = None


class Rejected(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An item that went to quarantine, and why. It is durable there, hence acknowledged."""

    sequence: Sequence
    reason: Word


class SequenceRange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """first..last, both included."""

    first: Sequence
    last: Sequence


class Ack(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the collector made durable, said only after commit.

    ledger: id of the ledger. epoch: the epoch acknowledged. acknowledged_through: highest sequence such that all up
    to it are durable or declared gone. index: size of the ledger at that commit. wanted: undeclared holes the source
    is asked for. started_at: when the hub that answers was started, ms; 0 = not said. It names that start: behind
    another one there may be an older copy of the ledger. prev_wanted: what is missing of the frame's prev_epoch up to
    its prev_last_sequence, to be sent or declared gone under that epoch.
    """

    ledger: LedgerId
    epoch: Epoch
    acknowledged_through: Sequence
    index: Count
    wanted: list[SequenceRange] = []
    rejected: list[Rejected] = []
    version: int = FRAME_VERSION
    started_at: Count = 0
    prev_wanted: list[SequenceRange] = []
