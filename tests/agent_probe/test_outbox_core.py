"""What the outbox decides, driven step by step."""

import pytest

from agent_probe._core.storage import DropClass, MemoryStorage, Row
from tests.agent_probe.collector_model import CollectorModel
from tests.agent_probe.outbox_builders import (
    E1,
    E2,
    E3,
    LIMITS,
    SmallDisk,
    ack,
    body,
    fill,
    frames,
    outbox,
    sequences,
)
from wire.errors import ContractViolation
from wire.record import GapReason


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


def test_rows_leave_no_faster_than_the_pace_and_in_full_batches() -> None:
    box = outbox(MemoryStorage(), row_interval_ms=50, burst_rows=20)
    fill(box, 110, size=10)
    left = []
    for now in range(0, 6_000, 10):
        for frame in frames(box, now):
            left.append((now, len(frame.items)))
            box.acknowledge(ack(E1, sequences(frame)[-1]), now)
    assert left == [(0, 20), (1_000, 20), (2_000, 20), (3_000, 20), (4_000, 20), (4_500, 10)]


def test_what_is_asked_for_again_keeps_the_pace_too() -> None:
    box = outbox(MemoryStorage(), row_interval_ms=50, burst_rows=20)
    fill(box, 20)
    assert len(list(frames(box, 0))) == 1
    box.acknowledge(ack(E1, 0, (1, 20)), 100)
    assert list(frames(box, 100)) == []
    assert box.next_due(100) == 1_000
    assert [sequences(frame) for frame in frames(box, 1_000)] == [list(range(1, 21))]


def test_an_epoch_that_was_used_before_is_refused() -> None:
    storage = MemoryStorage()
    fill(outbox(storage), 1)
    with pytest.raises(ContractViolation):
        outbox(storage, E1)
