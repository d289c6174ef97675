"""The streams a probe still owes: its present epoch, those of earlier starts, and how they are kept over a restart."""

from typing import Annotated, Final

import msgspec

from agent_probe._core.gone import GoneSet, Run
from agent_probe._core.storage import StorageCorrupt
from wire.limits import COUNTED_MAX

META_VERSION: Final = 1

Given = Annotated[int, msgspec.Meta(ge=0, lt=COUNTED_MAX)]
"""A sequence given out, or 0. One more than it is the `base` of a frame that says all of them are gone."""


class EpochMeta(msgspec.Struct, array_like=True, frozen=True):
    """One epoch as stored. `last` may be behind the rows: it is brought up to date on load."""

    epoch: bytes
    last: Given
    acknowledged: Given
    prev_epoch: bytes | None
    prev_last: Given | None
    gone: list[Run]


class FinishedEpoch(msgspec.Struct, array_like=True, frozen=True):
    """An epoch the collector was past, through its sequence `last`, when we let go of it."""

    epoch: bytes
    last: Given


class Meta(msgspec.Struct, array_like=True, frozen=True):
    """Everything beside the rows.

    forgotten_epoch, forgotten_last: the newest finished epoch, for builds that remember one only. finished: the newest
    of them, oldest first. told_at: which start of the hub is known to have all of those, 0 = none.
    """

    version: int
    epochs: list[EpochMeta]
    forgotten_epoch: bytes | None
    forgotten_last: int | None
    finished: list[FinishedEpoch] = []
    told_at: int = 0


_decoder = msgspec.msgpack.Decoder(Meta)


def encode_meta(meta: Meta) -> bytes:
    """Bytes for Storage.delete."""
    return msgspec.msgpack.encode(meta)


def decode_meta(data: bytes) -> Meta:
    """What encode_meta wrote. Raises StorageCorrupt on anything else."""
    try:
        meta = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise StorageCorrupt(f"meta: {type(error).__name__}") from None
    if meta.version != META_VERSION:
        raise StorageCorrupt(f"meta: version {meta.version}, this build reads {META_VERSION}")
    return meta


class EpochState:
    """One epoch while we run.

    last: highest sequence given out. acknowledged: the collector's mark as far as we know. cursor: what has been sent
    through since the last rewind. sent: highest ever sent; an ack above it answers something we never said. wanted:
    ranges asked for. inherited: begun by an earlier process, which may have got further than its disk remembers.
    """

    def __init__(self, epoch: bytes, *, prev_epoch: bytes | None = None, prev_last: int | None = None) -> None:
        self.epoch = epoch
        self.prev_epoch = prev_epoch
        self.prev_last = prev_last
        self.last = 0
        self.acknowledged = 0
        self.cursor = 0
        self.sent = 0
        self.gone = GoneSet()
        self.wanted: list[tuple[int, int]] = []
        self.inherited = False

    @classmethod
    def resumed(cls, meta: EpochMeta, highest_held: int) -> "EpochState":
        """An earlier start's epoch. Raises StorageCorrupt when it holds a number that no epoch comes to."""
        state = cls(meta.epoch, prev_epoch=meta.prev_epoch, prev_last=meta.prev_last)
        state.gone = GoneSet(meta.gone)
        state.last = max(meta.last, meta.acknowledged, highest_held, state.gone.last())
        if state.last >= COUNTED_MAX:
            raise StorageCorrupt(f"a row has number {state.last}")
        state.acknowledged = state.cursor = meta.acknowledged
        state.inherited = True
        return state

    @property
    def finished(self) -> bool:
        """Whether the collector is past everything this epoch ever held."""
        return self.acknowledged >= self.last

    def rewind(self) -> None:
        """Start again behind the collector's mark."""
        self.cursor = self.acknowledged
        self.wanted.clear()

    def to_meta(self) -> EpochMeta:
        """As stored."""
        return EpochMeta(self.epoch, self.last, self.acknowledged, self.prev_epoch, self.prev_last, self.gone.runs)
