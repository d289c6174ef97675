"""An outbox without room, put by put: what goes, what it costs, and how the loss is told when it is in many pieces."""

import random
from collections import Counter
from pathlib import Path

import pytest

from agent_probe._core.outbox import Outbox
from agent_probe._core.storage import DropClass, MemoryStorage, Row, StorageFull
from agent_probe.outbox import FILE, DurableOutbox
from agent_probe.storage_sqlite import SqliteStorage
from tests.agent_probe.collector_model import CollectorModel
from tests.agent_probe.outbox_builders import E1, LIMITS, SmallDisk, ack, body, frames, outbox, sequences
from wire.frame import GoneRange
from wire.record import GapReason

ROOM = 240
ROW_BYTES = 211
EVERYTHING = [DropClass.CHANGE, DropClass.HEARTBEAT, *[DropClass.SAMPLE] * 5]
"""A gateway's mix, with many more changes: losses then lie in as many pieces as they can."""


def put_all(box: Outbox, storage: MemoryStorage, classes: list[DropClass]) -> None:
    """Put one after the other; no row of a class may go while one of a lower class is held."""
    before: Counter[str] = Counter()
    for n, drop_class in enumerate(classes):
        box.put(49, 1, body(n), drop_class, now=n)
        after = Counter(box.counts().dropped)
        lost = [c for c in DropClass if after[c.name.lower()] > before[c.name.lower()]]
        if lost:
            held = [tally.drop_class for tally in storage.tallies()]
            assert min(held) >= max(lost), (n, after)
        before = after


def declared(box: Outbox, now: int) -> tuple[list[GoneRange], list[int]]:
    """What a collector is told when it takes in everything: the losses and the numbers that arrived."""
    collector = CollectorModel()
    gone: list[GoneRange] = []
    arrived: list[int] = []
    while not box.settled:
        frame = box.next_frame(now)
        assert frame is not None, "the mark stands still"
        gone.extend(frame.gone)
        arrived.extend(sequences(frame))
        box.acknowledge(collector.receive(frame), now)
    return gone, arrived


@pytest.mark.parametrize("runs_max", [3, 1_000])
@pytest.mark.parametrize("disk_room", [ROOM, 10**9])
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_given_up_while_a_lower_class_is_held_and_all_of_it_is_declared_once(
    seed: int, disk_room: int, runs_max: int
) -> None:
    rng = random.Random(seed)
    storage = SmallDisk(disk_room)
    keep_bytes = 10**9 if disk_room == ROOM else ROOM * ROW_BYTES
    box = outbox(storage, keep_bytes=keep_bytes, runs_max=runs_max)
    classes = [rng.choice(EVERYTHING) for _ in range(2_200)]
    put_all(box, storage, classes)
    dropped = box.counts().dropped
    assert set(dropped) == {"heartbeat", "sample", "change"}
    assert len(box._current.gone) <= runs_max
    gone, arrived = declared(box, len(classes))
    told = [n for run in gone for n in range(run.first, run.last + 1)]
    assert sorted([*told, *arrived]) == list(range(1, len(classes) + 1))
    assert sum(run.count for run in gone) == sum(dropped.values())
    assert {run.reason for run in gone} == {GapReason.OVERFLOW}
    for run in gone:
        names = {classes[n - 1].name.lower() for n in range(run.first, run.last + 1)}
        assert names <= set(run.drop_class.split("+"))


def test_a_disk_on_which_one_row_less_frees_nothing_costs_samples_too_before_any_change() -> None:
    class InPages(SmallDisk):
        """Once full, it takes something again when ten rows are gone."""

        is_full = False

        def append(self, row: Row) -> None:
            held = sum(tally.rows for tally in self.tallies())
            self.is_full = held >= self.room or (self.is_full and held > self.room - 10)
            if self.is_full:
                raise StorageFull
            super().append(row)

    disk = InPages(ROOM)
    box = outbox(disk, keep_bytes=10**9)
    put_all(box, disk, [DropClass.HEARTBEAT, *[DropClass.SAMPLE] * (ROOM - 1), DropClass.CHANGE])
    assert box.counts().dropped == {"heartbeat": 1, "sample": 63}


def fragmented(storage: MemoryStorage) -> Outbox:
    """Every second row is a heartbeat that went, and all those losses are one run."""
    box = outbox(storage, keep_bytes=40 * ROW_BYTES, runs_max=1)
    for n in range(50):
        box.put(49, 1, body(n), DropClass(2 * (n % 2)), now=n)
    (run,) = box._current.gone.runs
    assert (run.first, run.classes) == (1, "heartbeat")
    return box


def test_losses_kept_as_one_run_are_told_one_by_one_and_the_rows_between_them_still_go() -> None:
    box = fragmented(MemoryStorage())
    lost = box.counts().dropped["heartbeat"]
    (frame,) = frames(box, 100)
    assert [(g.first, g.last, g.drop_class, g.count) for g in frame.gone] == [
        (n, n, "heartbeat", 1) for n in range(1, 2 * lost, 2)
    ]
    assert sequences(frame) == [*range(2, 2 * lost, 2), *range(2 * lost, 51)]


def test_a_wanted_part_of_such_a_run_is_told_without_the_rest_of_it() -> None:
    box = fragmented(MemoryStorage())
    list(frames(box, 100))
    box.acknowledge(ack(E1, 3, (5, 7)), 100)
    (frame,) = frames(box, 100)
    assert (frame.base, sequences(frame), [(g.first, g.last) for g in frame.gone]) == (4, [6], [(5, 5), (7, 7)])


def test_a_damaged_row_within_such_a_run_is_told_with_its_own_reason() -> None:
    class Damaged(MemoryStorage):
        def rows(self, epoch: bytes, first: int, limit: int) -> list[Row]:
            return [r._replace(intact=r.sequence != 4) for r in super().rows(epoch, first, limit)]

    box = fragmented(Damaged())
    (frame,) = frames(box, 100)
    told = [(g.first, g.last, g.drop_class, g.reason) for g in frame.gone[:5]]
    assert told == [
        (1, 1, "heartbeat", GapReason.OVERFLOW),
        (3, 3, "heartbeat", GapReason.OVERFLOW),
        (4, 4, "change", GapReason.ROW_CORRUPT),
        (5, 5, "heartbeat", GapReason.OVERFLOW),
        (7, 7, "heartbeat", GapReason.OVERFLOW),
    ]
    assert sequences(frame)[:3] == [2, 6, 8]


def test_a_row_given_up_within_such_a_run_is_not_sent_while_the_disk_refuses_to_delete_it() -> None:
    disk = SmallDisk(room=10**9)
    box = fragmented(disk)
    disk.stuck = True
    box._drop(disk.oldest(DropClass.CHANGE, 1))
    (frame,) = frames(box, 100)
    assert sequences(frame)[0] == 4
    assert [(g.first, g.last, g.drop_class) for g in frame.gone[:1]] == [(1, 3, "heartbeat+change")]


def test_an_overflow_takes_a_few_statements_and_the_files_stay_near_the_limit(tmp_path: Path) -> None:
    limit = 600_000
    limits = LIMITS._replace(keep_bytes=limit, runs_max=4)
    box = DurableOutbox(tmp_path, limits, source="sz1/gw1", draw_epoch=lambda: E1, now=0)
    assert isinstance(box._storage, SqliteStorage)
    box._storage._db.execute("PRAGMA synchronous = OFF")  # this test is about size
    statements: list[str] = []
    box._storage._db.set_trace_callback(statements.append)
    file, log = tmp_path / FILE, tmp_path / f"{FILE}-wal"
    log_reserved = log.stat().st_size
    most = peak = 0
    for n in range(6_000):
        statements.clear()
        drop_class = DropClass.CHANGE if n % 20 == 0 else DropClass.HEARTBEAT if n % 7 == 3 else DropClass.SAMPLE
        box.put(49, 1, body(n, 200), drop_class, now=n)
        most = max(most, len(statements))
        peak = max(peak, file.stat().st_size + log.stat().st_size)
    assert set(box.counts().dropped) == {"heartbeat", "sample"}
    box.close()
    assert most <= 20
    assert log_reserved <= 2_000_000
    assert peak <= 1.3 * limit + log_reserved
