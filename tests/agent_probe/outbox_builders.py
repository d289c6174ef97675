"""Outboxes and storages for tests, and the words to say what goes in and what comes out."""

from collections.abc import Iterator, Sequence

import msgspec

from agent_probe._core.outbox import Outbox, OutboxLimits
from agent_probe._core.storage import DropClass, MemoryStorage, Row, RowRange, StorageFull, Tally
from tests.agent_probe.collector_model import LEDGER
from wire.frame import Ack, Frame, SequenceRange

LIMITS = OutboxLimits(
    keep_ms=7 * 86_400_000,
    keep_bytes=1_000_000,
    resend_ms=5_000,
    in_flight=4,
    frame_bytes=4_000,
    row_interval_ms=0,
    burst_rows=500,
    expiry_check_ms=60_000,
    runs_max=1_000,
    finished_max=4,
    trim_parts=16,
    trim_rows=256,
    trim_rows_full=64,
    reserved_rows=64,
    asides_kept=3,
    log_reserve_bytes=1_048_576,
)
E1, E2, E3 = (bytes([n]) * 16 for n in (1, 2, 3))


def body(n: int, size: int = 10) -> bytes:
    return msgspec.msgpack.encode(f"{n:0{size}d}")


def outbox(storage: MemoryStorage, epoch: bytes = E1, now: int = 0, **changes: int) -> Outbox:
    return Outbox(storage, LIMITS._replace(**changes), source="sz1/gw1", epoch=epoch, now=now)


def fill(box: Outbox, count: int, *, now: int = 0, drop_class: DropClass = DropClass.CHANGE, size: int = 10) -> None:
    for _ in range(count):
        box.put(49, 1, body(box.last_sequence + 1, size), drop_class, now=now)


def frames(box: Outbox, now: int) -> Iterator[Frame]:
    while (frame := box.next_frame(now)) is not None:
        yield frame


def sequences(frame: Frame) -> list[int]:
    return [item.sequence for item in frame.items]


def ack(epoch: bytes, through: int, *wanted: tuple[int, int], started_at: int = 0) -> Ack:
    return Ack(LEDGER, epoch, through, through, [SequenceRange(*span) for span in wanted], started_at=started_at)


class SmallDisk(MemoryStorage):
    """Full at `room` rows; when `stuck`, not even deleting works."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.stuck = False

    def append(self, row: Row) -> None:
        if self.stuck or sum(tally.rows for tally in self.tallies()) >= self.room:
            raise StorageFull
        super().append(row)

    def delete(self, ranges: Sequence[RowRange], meta: bytes) -> list[Tally]:
        if self.stuck:
            raise StorageFull
        return super().delete(ranges, meta)
