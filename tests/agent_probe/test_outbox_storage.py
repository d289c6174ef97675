"""The outbox on a real disk: damaged at many places, killed while writing, full, in use, over its limit."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_probe._core.epochs import (
    META_VERSION,
    EpochMeta,
    EpochState,
    FinishedEpoch,
    Meta,
    decode_meta,
    encode_meta,
)
from agent_probe._core.storage import DropClass, StorageCorrupt, StorageFull
from agent_probe.errors import ProbeConfigError
from agent_probe.outbox import FILE, NOTE, DurableOutbox, EpochNote
from agent_probe.storage_sqlite import SqliteStorage
from tests.agent_probe.collector_model import CollectorModel
from tests.agent_probe.outbox_builders import LIMITS
from tests.servers import DIES_WITH_THE_TESTS
from tests.waiting import wait_until_blocking
from wire.limits import COUNTED_MAX

EPOCHS = count(1)
ROWS = 40


def open_outbox(directory: Path, **limits: int) -> DurableOutbox:
    return DurableOutbox(
        directory,
        LIMITS._replace(**limits),
        source="sz1/gw1",
        draw_epoch=lambda: (os.getpid() << 64 | next(EPOCHS)).to_bytes(16, "big"),
        now=0,
    )


def body(n: int) -> bytes:
    return msgspec.msgpack.encode(["reading", n, "x" * 100])


def put(box: DurableOutbox, n: int, drop_class: DropClass = DropClass.CHANGE) -> int:
    return box.put(49, 1, body(n), drop_class, now=0)


def hand_in(box: DurableOutbox, collector: CollectorModel) -> None:
    now = 0
    while not box.settled:
        frame = box.next_frame(now)
        if frame is None:
            due = box.next_due(now)
            assert due is not None, "unsettled, and nothing will ever happen"
            now = max(due, now + 1)
            assert now < 10**6, "the mark stands still"
        else:
            box.acknowledge(collector.receive(frame), now)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a probe that was killed: half of its rows checkpointed, half in the log."""
    home = tmp_path_factory.mktemp("written")
    living = home / "living"
    first = open_outbox(living)
    for n in range(1, ROWS // 2 + 1):
        put(first, n)
    first.close()
    second = open_outbox(living)
    for n in range(ROWS // 2 + 1, ROWS + 1):
        put(second, n)
    shutil.copytree(living, home / "dead")
    second.close()
    return home / "dead"


def damages(path: Path) -> list[tuple[str, int]]:
    """Cuts and flips of the last 4 KiB, and flips all over the file."""
    size = path.stat().st_size
    tail = range(max(0, size - 4096), size, 419)
    everywhere = range(0, size, max(1, size // 40))
    return [("cut", at) for at in tail] + [("flip", at) for at in (*tail, *everywhere)]


@pytest.mark.parametrize("name", [FILE, f"{FILE}-wal"])
def test_a_damaged_file_is_opened_or_set_aside_and_every_row_arrives_or_is_declared(
    written: Path, tmp_path: Path, name: str
) -> None:
    outcomes = {"opened": 0, "set aside": 0, "lost rows": 0}
    for case, (what, at) in enumerate(damages(written / name)):
        home = tmp_path / str(case)
        shutil.copytree(written, home)
        with (home / name).open("r+b") as file:
            if what == "cut":
                file.truncate(at)
            else:
                file.seek(at)
                flipped = bytes([file.read(1)[0] ^ 0x55])
                file.seek(at)
                file.write(flipped)
        box = open_outbox(home)
        assert put(box, ROWS + 1) == 1
        collector = CollectorModel()
        hand_in(box, collector)
        box.close()
        arrived = [data for stream in collector.streams.values() for data in stream.bodies.values()]
        assert body(ROWS + 1) in arrived
        assert all(data in [body(n) for n in range(1, ROWS + 2)] for data in arrived)
        outcomes["set aside" if box.set_aside else "opened"] += 1
        outcomes["lost rows"] += ROWS + 1 - len(arrived)
        if name == FILE and not box.set_aside:
            declared = sum(len(stream.gone) for stream in collector.streams.values())
            assert len(arrived) + declared == ROWS + 1, (what, at)
        shutil.rmtree(home)
    assert outcomes["opened"] > 0
    print(name, outcomes)


def test_a_lost_outbox_is_declared_with_how_much_it_may_have_held(tmp_path: Path) -> None:
    collector = CollectorModel()
    box = open_outbox(tmp_path)
    for n in range(1, 11):
        put(box, n)
    frame = box.next_frame(0)
    assert frame is not None
    collector.receive(frame)
    lost_epoch = box.epoch
    put(box, 11)
    box.close()
    (tmp_path / FILE).write_bytes(b"not a database at all" * 300)
    again = open_outbox(tmp_path)
    assert again.set_aside == 1
    put(again, 12)
    hand_in(again, collector)
    stream = collector.streams[lost_epoch]
    assert sorted(stream.bodies) == list(range(1, 11))
    assert sorted(stream.gone) == list(range(11, LIMITS.reserved_rows + 1))
    assert collector.prev[again.epoch] == (lost_epoch, LIMITS.reserved_rows)
    assert len(list(tmp_path.glob(f"{FILE}.aside-????????"))) == 1
    again.close()


def test_a_deleted_outbox_is_declared_too(tmp_path: Path) -> None:
    box = open_outbox(tmp_path)
    put(box, 1)
    lost_epoch = box.epoch
    box.close()
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    again = open_outbox(tmp_path)
    collector = CollectorModel()
    hand_in(again, collector)
    assert set(collector.streams[lost_epoch].gone.values()) == {"base"}
    again.close()


def test_a_deleted_outbox_and_an_older_ledger_together_still_name_what_was_finished(tmp_path: Path) -> None:
    box = open_outbox(tmp_path)
    put(box, 1)
    finished_epoch = box.epoch
    hand_in(box, CollectorModel())
    box.close()
    box = open_outbox(tmp_path)
    put(box, 2)
    box.close()
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    again = open_outbox(tmp_path)
    restored = CollectorModel()
    hand_in(again, restored)
    assert restored.streams[finished_epoch].gone == {1: "base"}
    again.close()


def test_the_note_is_on_disk_before_its_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink()))
    EpochNote(tmp_path / NOTE).write([(b"e" * 16, 64)])
    assert synced == [(tmp_path / NOTE).with_suffix(".draft"), tmp_path]
    assert EpochNote(tmp_path / NOTE).read() == [(b"e" * 16, 64)]


def test_a_damaged_note_costs_only_the_declaration(tmp_path: Path) -> None:
    box = open_outbox(tmp_path)
    put(box, 1)
    box.close()
    (tmp_path / NOTE).write_text('[["zz", -1]]')
    (tmp_path / FILE).write_bytes(b"x")
    again = open_outbox(tmp_path)
    assert put(again, 2) == 1
    again.close()


def test_a_number_that_no_epoch_comes_to_is_damage_for_the_hub_would_refuse_it_for_ever(tmp_path: Path) -> None:
    EpochNote(tmp_path / NOTE).write([(b"e" * 16, COUNTED_MAX), (b"f" * 16, COUNTED_MAX - 1)])
    assert EpochNote(tmp_path / NOTE).read() == [(b"f" * 16, COUNTED_MAX - 1)]
    counted = EpochMeta(b"e" * 16, 7, 0, None, None, [])
    assert EpochState.resumed(counted, 9).last == 9
    with pytest.raises(StorageCorrupt):
        EpochState.resumed(counted, COUNTED_MAX)
    for last in (COUNTED_MAX, -1):
        told = Meta(META_VERSION, [], None, None, [FinishedEpoch(b"e" * 16, last)])
        with pytest.raises(StorageCorrupt):
            decode_meta(encode_meta(told))


def test_only_the_newest_files_set_aside_are_kept(tmp_path: Path) -> None:
    for _ in range(5):
        open_outbox(tmp_path).close()
        (tmp_path / FILE).write_bytes(b"damaged" * 1000)
    open_outbox(tmp_path).close()
    assert len(list(tmp_path.glob(f"{FILE}.aside-????????"))) == 3


def test_damage_found_while_running_starts_a_new_epoch_and_loses_nothing_new(tmp_path: Path) -> None:
    box = open_outbox(tmp_path)
    put(box, 1)
    before = box.epoch
    assert isinstance(box._storage, SqliteStorage)
    box._storage._db.execute("DROP TABLE rows_change")
    assert put(box, 2) == 1
    assert box.epoch != before
    collector = CollectorModel()
    hand_in(box, collector)
    assert collector.streams[box.epoch].bodies == {1: body(2)}
    box.close()


def test_a_second_probe_on_the_same_folder_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    box = open_outbox(tmp_path)
    with pytest.raises(ProbeConfigError, match="data_dir of its own"):
        open_outbox(tmp_path)
    assert put(box, 1) == 1
    box.close()


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ProbeConfigError, match="data_dir"):
        open_outbox(tmp_path / "file" / "under")


def test_the_file_stays_near_its_limit_whatever_is_put(tmp_path: Path) -> None:
    limit = 400_000
    box = open_outbox(tmp_path, keep_bytes=limit)
    assert isinstance(box._storage, SqliteStorage)
    box._storage._db.execute("PRAGMA synchronous = OFF")  # this test is about size
    for n in range(4_000):
        put(box, n, DropClass(n % 3))
    assert box.counts().size <= limit
    box.close()
    assert (tmp_path / FILE).stat().st_size <= 1.3 * limit


CHILD = """
import sys
from pathlib import Path
from tests.agent_probe.test_outbox_storage import open_outbox, put
box = open_outbox(Path(sys.argv[1]))
n = 0
while True:
    n += 1
    sequence = put(box, n)
    print(box.epoch.hex(), sequence, n, flush=True)
"""


@pytest.mark.parametrize("kill_after", [1, 7, 40, 150])
def test_nothing_reported_durable_is_lost_by_kill_9(tmp_path: Path, kill_after: int) -> None:
    said = tmp_path / "said.txt"
    with said.open("w") as out:
        command = [*DIES_WITH_THE_TESTS, sys.executable, "-c", CHILD, str(tmp_path / "box")]
        child = subprocess.Popen(command, stdout=out, cwd=Path.cwd())
    try:
        wait_until_blocking(lambda: said.read_text().count("\n") >= kill_after, what="the child to put rows")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    box = open_outbox(tmp_path / "box")
    collector = CollectorModel()
    hand_in(box, collector)
    assert box.set_aside == 0
    whole = [line for line in said.read_text().splitlines(keepends=True) if line.endswith("\n")]  # the kill may cut one
    reported = [line.split() for line in whole]
    assert len(reported) >= kill_after
    for epoch, sequence, n in reported:
        assert collector.streams[bytes.fromhex(epoch)].bodies[int(sequence)] == body(int(n))
    box.close()


FULL_DISK_CHILD = """
import resource, signal, sys
from pathlib import Path
from agent_probe._core.storage import DropClass, StorageFull
from tests.agent_probe.test_outbox_storage import body, open_outbox
box = open_outbox(Path(sys.argv[1]), keep_bytes=10_000_000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, 1_200_000))
kept = [box.put(49, 1, body(n) * 10, DropClass(n % 3), now=0) for n in range(1400)]
print(len(kept), sum(map(bool, kept)), box.counts().full, box.counts().dropped.get("heartbeat", 0))
print(box.counts().rows, box.set_aside)
"""


def test_a_start_killed_between_any_two_statements_keeps_every_row(
    tmp_path: Path, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    living, left = tmp_path / "living", tmp_path / "left"
    shutil.copytree(written, living)

    class Watched(sqlite3.Connection):
        def execute(self, *statement: Any) -> sqlite3.Cursor:
            shutil.copytree(living, left / str(next(numbers)))  # what kill -9 leaves at this place
            return super().execute(*statement)

    numbers = count(1)
    with monkeypatch.context() as watching:
        connect = partial(sqlite3.connect, factory=Watched)
        watching.setattr("agent_probe.storage_sqlite.sqlite3.connect", connect)
        open_outbox(living).close()
    assert next(numbers) > 30
    for place in sorted(left.iterdir()):
        box = open_outbox(place)
        assert (place.name, box.set_aside, box.counts().rows) == (place.name, 0, ROWS)
        box.close()


def test_a_file_that_may_not_grow_costs_the_lowest_class_and_never_the_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK_CHILD, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (tried, kept, full, heartbeats), (rows, aside) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert (tried, aside) == (1400, 0)
    assert full > 0
    assert kept > 1000
    assert heartbeats > 100
    box = open_outbox(tmp_path)
    assert box.counts().rows == rows
    collector = CollectorModel()
    hand_in(box, collector)
    (stream,) = (stream for stream in collector.streams.values() if len(stream.bodies) > 1)
    assert len(stream.bodies) == rows
    box.close()


def test_a_start_on_a_full_disk_is_survived_and_ends_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(storage: SqliteStorage) -> None:
        raise StorageFull("database or disk is full")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(SqliteStorage, "_prepare", no_room)
        box = open_outbox(tmp_path)
        assert [put(box, 1), put(box, 2)] == [0, 0]
        frame = box.next_frame(0)
        assert frame is not None
        assert [(gone.first, gone.last) for gone in frame.gone] == [(1, 2)]
    assert put(box, 3) == 1
    box.close()


def test_a_put_is_in_the_log_before_it_returns(tmp_path: Path) -> None:
    box = open_outbox(tmp_path)
    assert isinstance(box._storage, SqliteStorage)
    settings = [box._storage._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]
    log = tmp_path / f"{FILE}-wal"
    assert body(1) not in log.read_bytes()
    put(box, 1)
    assert body(1) in log.read_bytes()
    box.close()
