"""What the outbox decides, driven step by step and then by random histories against a collector of other code."""

import random
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_probe._core.outbox import Outbox, OutboxLimits
from agent_probe._core.storage import DropClass, MemoryStorage, Row, RowRange, StorageFull, Tally
from tests.agent_probe.collector_model import LEDGER, CollectorModel
from wire.errors import ContractViolation
from wire.frame import Ack, Frame, SequenceRange
from wire.record import GapReason

LIMITS = OutboxLimits(
    keep_ms=7 * 86_400_000,
    keep_bytes=1_000_000,
    resend_ms=5_000,
    in_flight=4,
    frame_bytes=4_000,
    frame_interval_ms=0,
    expiry_check_ms=60_000,
    runs_max=1_000,
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


def ack(epoch: bytes, through: int, *wanted: tuple[int, int]) -> Ack:
    return Ack(LEDGER, epoch, through, through, [SequenceRange(*span) for span in wanted])


def test_the_first_frames_of_an_epoch_say_which_epoch_came_before_until_one_is_acknowledged() -> None:
    storage = MemoryStorage()
    first = outbox(storage)
    fill(first, 3)
    second = outbox(storage, E2)
    fill(second, 1)
    old, new = frames(second, 0)
    assert (old.epoch, sequences(old), old.prev_epoch) == (E1, [1, 2, 3], None)
    assert (new.epoch, new.prev_epoch, new.prev_last_sequence) == (E2, E1, 3)
    second.acknowledge(ack(E2, 1), 0)
    fill(second, 1)
    (third,) = frames(second, 0)
    assert (sequences(third), third.prev_epoch, third.prev_last_sequence) == ([2], None, None)


def test_an_epoch_whose_rows_were_all_acknowledged_is_still_named_as_the_one_before() -> None:
    storage = MemoryStorage()
    first = outbox(storage)
    fill(first, 5)
    list(frames(first, 0))
    first.acknowledge(ack(E1, 5), 0)
    assert first.settled
    silent = outbox(storage, E2)
    assert list(frames(silent, 0)) == []
    third = outbox(storage, E3)
    fill(third, 1)
    (frame,) = frames(third, 0)
    assert (frame.prev_epoch, frame.prev_last_sequence) == (E1, 5)


def test_rows_keep_their_epoch_and_their_exact_bytes_over_a_restart() -> None:
    storage = MemoryStorage()
    odd = b"\xcd\x00\x01"  # the number 1, longer than it need be: encoding it anew would change the hash
    outbox(storage).put(49, 1, odd, DropClass.CHANGE, now=0)
    (frame,) = frames(outbox(storage, E2), 0)
    assert frame.epoch == E1
    assert bytes(frame.items[0].body) == odd


def test_no_more_than_four_frames_are_unacknowledged() -> None:
    box = outbox(MemoryStorage())
    fill(box, 400, size=100)
    sent = list(frames(box, 0))
    assert len(sent) == 4
    box.acknowledge(ack(E1, sequences(sent[1])[-1]), 0)
    assert len(list(frames(box, 0))) == 2


def test_everything_above_the_mark_goes_again_when_the_mark_has_not_moved_for_five_seconds() -> None:
    box = outbox(MemoryStorage())
    fill(box, 60, size=100)
    first, second, *_ = frames(box, 0)
    box.acknowledge(ack(E1, sequences(first)[-1]), 1_000)
    assert box.next_frame(5_999) is None
    assert box.next_due(5_999) == 6_000
    again = box.next_frame(6_000)
    assert again is not None
    assert again.items == second.items
    assert box.counts().resends == 1


def test_a_new_connection_sends_everything_above_the_mark_at_once() -> None:
    box = outbox(MemoryStorage())
    fill(box, 3)
    (before,) = frames(box, 0)
    box.reconnected(10)
    (after,) = frames(box, 10)
    assert before.items == after.items


def test_a_wanted_range_goes_before_anything_else_and_only_once_while_it_is_on_its_way() -> None:
    box = outbox(MemoryStorage())
    fill(box, 400, size=100)
    _, lost, third, _ = frames(box, 0)
    request = ack(E1, sequences(lost)[0] - 1, (sequences(lost)[0], sequences(third)[0] - 1))
    box.acknowledge(request, 10)
    again = box.next_frame(10)
    assert again is not None
    assert again.items == lost.items
    box.acknowledge(request, 20)
    following = box.next_frame(20)
    assert following is not None
    assert sequences(following)[0] > sequences(third)[-1]


def test_an_acknowledgement_of_what_was_never_sent_changes_nothing() -> None:
    box = outbox(MemoryStorage())
    fill(box, 2)
    assert not box.acknowledge(ack(E1, 2), 0)
    assert not box.acknowledge(ack(E2, 1), 0)
    assert box.counts().rows == 2
    assert box.counts().refused_acks == 1


def test_an_older_acknowledgement_never_moves_the_mark_back() -> None:
    box = outbox(MemoryStorage())
    fill(box, 2)
    list(frames(box, 0))
    assert box.acknowledge(ack(E1, 2), 0)
    assert box.acknowledge(ack(E1, 1), 0)
    fill(box, 1)
    (frame,) = frames(box, 0)
    assert (sequences(frame), frame.base) == ([3], 3)


def test_a_restored_older_ledger_is_told_what_is_held_no_more() -> None:
    collector = CollectorModel()
    box = outbox(MemoryStorage())
    fill(box, 5)
    for frame in frames(box, 0):
        box.acknowledge(collector.receive(frame), 0)
    restored = CollectorModel()
    fill(box, 1)
    for frame in frames(box, 0):
        box.acknowledge(restored.receive(frame), 0)
    assert restored.streams[E1].mark == 6
    assert box.settled


def test_overflow_drops_the_lowest_class_first_and_the_longest_held_of_it() -> None:
    box = outbox(MemoryStorage(), keep_bytes=10_500)
    for n in range(50):
        box.put(48, 1, body(n), DropClass(n % 3), now=n)
    gone = [gone for frame in frames(box, 100) for gone in frame.gone]
    assert box.counts().dropped == {"heartbeat": 4}
    assert [(run.first, run.last, run.drop_class, run.count, run.reason) for run in gone] == [
        (1, 1, "heartbeat", 1, GapReason.OVERFLOW),
        (4, 4, "heartbeat", 1, GapReason.OVERFLOW),
        (7, 7, "heartbeat", 1, GapReason.OVERFLOW),
        (10, 10, "heartbeat", 1, GapReason.OVERFLOW),
    ]


def test_a_heartbeat_that_finds_only_changes_is_itself_what_goes() -> None:
    box = outbox(MemoryStorage(), keep_bytes=10_500)
    fill(box, 49)
    assert box.put(48, 1, body(50), DropClass.HEARTBEAT, now=0) == 0
    assert box.counts().dropped == {"heartbeat": 1}


def test_what_was_held_for_seven_days_of_running_is_dropped_whatever_its_class() -> None:
    storage = MemoryStorage()
    box = outbox(storage)
    fill(box, 3)
    fill(box, 1, now=LIMITS.keep_ms + 60_000)
    (frame,) = frames(box, LIMITS.keep_ms + 60_000)
    assert [(run.first, run.last, run.drop_class, run.count) for run in frame.gone] == [(1, 3, "change", 3)]
    assert (sequences(frame), frame.base) == ([4], 4)


def test_a_restart_with_another_monotonic_clock_expires_nothing() -> None:
    storage = MemoryStorage()
    fill(outbox(storage, now=10**12), 3, now=10**12)
    later = outbox(storage, E2, now=5)
    fill(later, 1, now=6)
    assert later.counts().rows == 4


def test_neighbouring_losses_of_several_classes_are_one_range_that_names_them_all() -> None:
    box = outbox(MemoryStorage(), keep_ms=1_000)
    for n in range(6):
        box.put(48, 1, body(n), DropClass(n % 2), now=0)
    fill(box, 1, now=100_000)
    (frame,) = frames(box, 100_000)
    assert [(run.first, run.last, run.drop_class, run.count) for run in frame.gone] == [(1, 6, "heartbeat+sample", 6)]


def test_losses_stay_declared_until_the_mark_is_past_them_even_over_a_restart() -> None:
    storage = MemoryStorage()
    box = outbox(storage, keep_ms=1_000)
    fill(box, 3)
    fill(box, 1, now=100_000)
    again = outbox(storage, E2, now=0)
    (frame,) = frames(again, 0)
    assert [(run.first, run.last) for run in frame.gone] == [(1, 3)]
    again.acknowledge(ack(E1, 4), 0)
    assert again.settled


def test_more_than_64_losses_are_declared_over_several_frames() -> None:
    box = outbox(MemoryStorage(), keep_bytes=110_000)
    collector = CollectorModel()
    for n in range(700):
        box.put(48, 1, body(n), DropClass(2 * (n % 2)), now=0)
    for frame in frames(box, 0):
        box.acknowledge(collector.receive(frame), 0)
    assert box.settled
    assert set(collector.streams[E1].gone.values()) == {"overflow"}
    assert len(collector.streams[E1].gone) > 64


def test_the_list_of_losses_stays_bounded() -> None:
    box = outbox(MemoryStorage(), keep_bytes=80_000, runs_max=10)
    for n in range(2_000):
        box.put(48, 1, body(n), DropClass(2 * (n % 2)), now=n)
    assert len(box._current.gone) <= 10


def test_a_damaged_row_is_declared_and_the_others_still_go() -> None:
    class Damaged(MemoryStorage):
        def rows(self, epoch: bytes, first: int, limit: int) -> list[Row]:
            return [r._replace(intact=r.sequence != 2) for r in super().rows(epoch, first, limit)]

    box = outbox(Damaged())
    fill(box, 3)
    (frame,) = frames(box, 0)
    assert sequences(frame) == [1, 3]
    assert [(g.first, g.last, g.reason) for g in frame.gone] == [(2, 2, GapReason.ROW_CORRUPT)]
    assert box.counts().rows == 2


def test_a_row_that_vanished_is_declared_and_the_others_still_go() -> None:
    storage = MemoryStorage()
    box = outbox(storage)
    fill(box, 4)
    for n in (2, 4):
        del storage._rows[E1][n]
    (frame,) = frames(box, 0)
    assert sequences(frame) == [1, 3]
    assert [(g.first, g.reason) for g in frame.gone] == [(2, GapReason.OUTBOX_LOST), (4, GapReason.OUTBOX_LOST)]


def test_a_process_that_got_further_than_its_disk_remembers_still_comes_to_an_end() -> None:
    storage = MemoryStorage()
    fill(outbox(storage), 5)
    for n in (3, 4, 5):
        del storage._rows[E1][n]
    box = outbox(storage, E2)
    list(frames(box, 0))
    box.acknowledge(ack(E1, 2, (3, 4)), 0)
    (frame,) = frames(box, 0)
    assert (frame.base, frame.gone, frame.items) == (5, [], [])
    box.acknowledge(ack(E1, 5), 0)
    assert box.settled


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

    def delete(self, ranges: list[RowRange] | tuple[RowRange, ...], meta: bytes) -> list[Tally]:  # type: ignore[override]
        if self.stuck:
            raise StorageFull
        return super().delete(ranges, meta)


def test_a_full_disk_costs_the_least_valuable_rows_and_never_the_process() -> None:
    box = outbox(SmallDisk(room=10))
    fill(box, 5, drop_class=DropClass.HEARTBEAT)
    fill(box, 10)
    assert box.counts().dropped == {"heartbeat": 5}
    assert box.put(48, 1, body(16), DropClass.HEARTBEAT, now=0) == 0
    (frame,) = frames(box, 0)
    assert [(g.first, g.last, g.drop_class) for g in frame.gone] == [(1, 5, "heartbeat"), (16, 16, "heartbeat")]
    assert sequences(frame) == list(range(6, 16))


def test_a_disk_that_takes_nothing_at_all_is_survived_and_what_it_cost_is_declared() -> None:
    disk = SmallDisk(room=100)
    box = outbox(disk)
    fill(box, 2)
    list(frames(box, 0))
    disk.stuck = True
    box.acknowledge(ack(E1, 2), 0)
    assert box.put(49, 1, body(3), DropClass.CHANGE, now=0) == 0
    disk.stuck = False
    assert box.put(49, 1, body(4), DropClass.CHANGE, now=0) == 4
    (frame,) = frames(box, 0)
    assert [(g.first, g.last, g.count) for g in frame.gone] == [(3, 3, 1)]
    assert sequences(frame) == [4]
    assert box.counts().rows == 1


def test_frames_leave_no_faster_than_the_pace() -> None:
    box = outbox(MemoryStorage(), frame_interval_ms=200)
    fill(box, 1_000, size=100)
    left_at = []
    for now in range(0, 2_000, 10):
        for frame in frames(box, now):
            left_at.append(now)
            box.acknowledge(ack(E1, sequences(frame)[-1]), now)
    assert left_at[:6] == [0, 0, 0, 0, 200, 400]


def test_an_epoch_that_was_used_before_is_refused() -> None:
    storage = MemoryStorage()
    fill(outbox(storage), 1)
    with pytest.raises(ContractViolation):
        outbox(storage, E1)


class History:
    """One probe over many lives, a network that loses frames and acks, and the collector that judges."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.disk = SmallDisk(room=10**9)
        self.collector = CollectorModel()
        self.now = 0
        self.lives = 0
        self.said: dict[tuple[bytes, int], bytes] = {}
        self.limits = {
            "keep_bytes": self.rng.choice([4_000, 16_000, 1_000_000]),
            "keep_ms": self.rng.choice([20_000, 10**9]),
            "frame_bytes": self.rng.choice([100, 4_000]),
            "runs_max": self.rng.choice([3, 1_000]),
            "frame_interval_ms": self.rng.choice([0, 50]),
        }
        self.restart()

    def restart(self) -> None:
        self.disk.stuck = False
        self.lives += 1
        self.box = outbox(self.disk, self.lives.to_bytes(16, "big"), self.rng.randrange(10**6), **self.limits)
        self.now = self.rng.randrange(10**6)
        self.box = outbox(self.disk, (10**6 + self.lives).to_bytes(16, "big"), self.now, **self.limits)

    def put(self) -> None:
        data = body(self.rng.randrange(10**9), self.rng.choice([10, 60]))
        sequence = self.box.put(49, 1, data, self.rng.choice(list(DropClass)), now=self.now)
        if sequence:
            self.said[self.box.epoch, sequence] = data

    def exchange(self, loss: float) -> None:
        for frame in frames(self.box, self.now):
            if self.rng.random() >= loss:
                answer = self.collector.receive(frame)
                if self.rng.random() >= loss:
                    self.box.acknowledge(answer, self.now)
            assert len(self.box._sender._flights) <= LIMITS.in_flight

    def step(self) -> None:
        self.now += self.rng.randrange(3_000)
        action = self.rng.random()
        if action < 0.6:
            for _ in range(self.rng.randrange(1, 6)):
                self.put()
        elif action < 0.9:
            self.exchange(self.rng.choice([0, 0.3, 1]))
        elif action < 0.95:
            self.restart()
        elif action < 0.97:
            self.disk.stuck = not self.disk.stuck
        else:
            self.box.reconnected(self.now)

    def heal(self) -> None:
        self.disk.stuck = False
        self.put()
        for _ in range(2_000):
            self.exchange(0)
            if self.box.settled:
                return
            due = self.box.next_due(self.now)
            assert due is not None, "unsettled, and nothing will ever happen"
            self.now = max(due, self.now + 1)
        raise AssertionError("the mark stands still")


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_whatever_happens_every_event_arrives_once_unchanged_or_is_declared_gone(seed: int) -> None:
    history = History(seed)
    for _ in range(80):
        history.step()
    history.heal()
    for (epoch, sequence), data in history.said.items():
        stream = history.collector.streams[epoch]
        assert stream.bodies.get(sequence) == data or stream.gone.get(sequence) == "overflow"
    for epoch, (before, last) in history.collector.prev.items():
        assert epoch != before
        assert history.collector.streams[before].mark >= last
