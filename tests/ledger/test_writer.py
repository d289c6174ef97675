"""The appender: what a commit stores, what survives a reopen, who may write, what ends it."""

import sqlite3
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ledger import segment
from ledger.backup import backup
from ledger.entry import NewEntry, header_bytes, leaf_hash
from ledger.errors import KeyTaken, LedgerBusy, LedgerCorrupt, LedgerFailed, LedgerFenced, LedgerMoved, LedgerUnsafe
from ledger.fsck import check
from ledger.merkle import EMPTY_ROOT
from ledger.opening import month_ends_at
from ledger.reader import LedgerReader
from ledger.segment import connect_writing, open_files, segment_numbers, segment_path
from ledger.writer import Committed, LedgerWriter
from tests.ledger.building import DAY_MS, EPOCH, NOON, SOURCE, append, default_settings, new_entry, open_writer
from tests.ledger.oracle import tree_root
from wire.errors import ContractViolation

OTHER = bytes(range(16, 32))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[LedgerWriter]:
    writer = open_writer(tmp_path)
    yield writer
    writer.close()


def test_a_new_ledger_is_empty_and_has_the_empty_root(writer: LedgerWriter) -> None:
    assert (writer.size, writer.root(), writer.last_received_at) == (0, EMPTY_ROOT, 0)
    assert list(writer.streams()) == []


def test_a_commit_is_indexed_densely_and_read_back_as_it_was(tmp_path: Path, writer: LedgerWriter) -> None:
    assert append(writer, [1, 2, 3]) == Committed(0, 3, NOON)
    assert append(writer, [4]) == Committed(3, 4, NOON)
    stored = LedgerReader.open(tmp_path).read(0, 10)
    assert [(entry.index, entry.sequence, entry.body) for entry in stored] == [
        (index, index + 1, f"body {index + 1}".encode()) for index in range(4)
    ]


def test_every_leaf_is_the_hash_of_header_salt_and_body(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, range(1, 6))
    stored = LedgerReader.open(tmp_path).read(0, 10)
    for entry in stored:
        assert entry.salt is not None
        assert entry.body is not None
        header = header_bytes(writer.ledger_id, entry.index, entry.received_at, entry)
        assert entry.leaf == leaf_hash(header, entry.salt, entry.body)
    assert writer.root() == tree_root([entry.leaf for entry in stored])
    assert len({entry.salt for entry in stored}) == len(stored)


def test_received_at_never_decreases_when_the_clock_does(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1], at=NOON)
    assert append(writer, [2], at=NOON - 5000).received_at == NOON
    writer.close()
    reopened = open_writer(tmp_path)
    assert append(reopened, [3], at=NOON - 5000).received_at == NOON
    reopened.close()


def test_everything_survives_a_reopen(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1, 2, 5, 7], mark=2)
    root, ledger_id, fencing_epoch = writer.root(), writer.ledger_id, writer.fencing_epoch
    writer.close()
    reopened = open_writer(tmp_path)
    assert (reopened.size, reopened.root(), reopened.ledger_id) == (4, root, ledger_id)
    assert reopened.last_received_at == NOON
    assert reopened.mark(SOURCE, EPOCH) == 2
    assert reopened.beyond(SOURCE, EPOCH) == {5, 7}
    assert list(reopened.streams()) == [(SOURCE, EPOCH, 2)]
    assert reopened.fencing_epoch == fencing_epoch + 1
    reopened.close()


def test_beyond_follows_the_mark(writer: LedgerWriter) -> None:
    append(writer, [1, 3, 4], mark=1)
    assert writer.beyond(SOURCE, EPOCH) == {3, 4}
    append(writer, [2], mark=4)
    assert writer.beyond(SOURCE, EPOCH) == set()
    assert writer.beyond("nobody", EPOCH) == set()


def test_a_mark_may_move_without_entries_and_for_a_stream_not_seen_before(writer: LedgerWriter) -> None:
    assert writer.commit([], received_at=NOON, marks={("probe-1", OTHER): 12}) == Committed(0, 0, 0)
    assert writer.mark("probe-1", OTHER) == 12
    assert writer.mark("probe-1", EPOCH) == 0


def test_a_commit_of_nothing_changes_nothing(writer: LedgerWriter) -> None:
    append(writer, [1])
    assert writer.commit([], received_at=NOON + 1, marks={}) == Committed(1, 1, NOON)


def test_a_mark_that_would_go_back_is_a_programmer_error_and_stores_nothing(
    tmp_path: Path, writer: LedgerWriter
) -> None:
    append(writer, [1, 2])
    with pytest.raises(ContractViolation):
        append(writer, [3], mark=1)
    assert LedgerReader.open(tmp_path).size() == 2


def test_a_body_is_found_by_its_key(writer: LedgerWriter) -> None:
    append(writer, [1, 2])
    assert writer.body_of(SOURCE, EPOCH, 2) == (999, 1, b"body 2")
    assert writer.body_of(SOURCE, EPOCH, 3) is None
    assert writer.body_of(SOURCE, OTHER, 2) is None


def test_a_key_taken_twice_ends_the_writer_and_stores_nothing_of_that_commit(
    tmp_path: Path, writer: LedgerWriter
) -> None:
    append(writer, [1, 2])
    with pytest.raises(KeyTaken):
        append(writer, [3, 2], mark=3)
    with pytest.raises(LedgerFailed, match="is over"):
        append(writer, [3])
    assert LedgerReader.open(tmp_path).size() == 2


@pytest.mark.parametrize(
    "entry",
    [
        new_entry(1, epoch=b"short"),
        new_entry(1, source=""),
        new_entry(1, source="s" * 256),
        new_entry(-1),
        new_entry(2**63),
        replace(new_entry(1), kind=0x10000),
    ],
)
def test_an_entry_that_has_no_header_is_refused_and_nothing_is_stored(tmp_path: Path, entry: NewEntry) -> None:
    writer = open_writer(tmp_path)
    with pytest.raises((ContractViolation, OverflowError, struct.error)):
        writer.commit([new_entry(7), entry], received_at=NOON, marks={})
    with pytest.raises(LedgerFailed):
        append(writer, [1])
    assert LedgerReader.open(tmp_path).size() == 0
    writer.close()


def test_a_second_writer_is_told_that_the_ledger_is_busy(tmp_path: Path, writer: LedgerWriter) -> None:
    with pytest.raises(LedgerBusy):
        open_writer(tmp_path)
    writer.close()
    open_writer(tmp_path).close()


def test_a_zombie_whose_lock_was_lost_is_fenced(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1])
    (tmp_path / segment.LOCK_FILE).unlink()  # as on a file system whose locks do not hold
    successor = open_writer(tmp_path)
    append(successor, [2])
    with pytest.raises(LedgerFenced):
        append(writer, [3])
    append(successor, [3])
    assert [entry.sequence for entry in LedgerReader.open(tmp_path).read(0, 9)] == [1, 2, 3]
    successor.close()


def test_a_zombie_cannot_seal_a_segment_either(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1])
    (tmp_path / segment.LOCK_FILE).unlink()
    successor = open_writer(tmp_path)
    with pytest.raises(LedgerFenced):
        append(writer, [2], at=NOON + 40 * DAY_MS)
    assert segment_numbers(tmp_path) == [1]
    append(successor, [2], at=NOON + 40 * DAY_MS)
    assert segment_numbers(tmp_path) == [1, 2]
    successor.close()


def test_a_file_system_without_wal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_writer(tmp_path).close()
    lying: Mapping[str, object] = {"PRAGMA journal_mode": "delete", "PRAGMA synchronous": 2}
    with pytest.raises(LedgerUnsafe, match="journal_mode=delete"):
        segment.require_durable(_Answers(lying), tmp_path)  # type: ignore[arg-type]  # a stand-in for a connection
    monkeypatch.setattr(segment, "require_durable", _refuse)
    with pytest.raises(LedgerUnsafe):
        open_writer(tmp_path)


def test_a_connection_that_does_not_sync_every_commit_is_refused(tmp_path: Path) -> None:
    open_writer(tmp_path).close()
    connection = connect_writing(segment_path(tmp_path, 1), default_settings())
    segment.require_durable(connection, tmp_path)
    connection.execute("PRAGMA synchronous = NORMAL")
    with pytest.raises(LedgerUnsafe, match="synchronous=1"):
        segment.require_durable(connection, tmp_path)
    connection.close()


def test_an_error_of_sqlite_in_a_commit_ends_the_writer(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1])
    writer._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerFailed):
        append(writer, [2])
    writer._connection.execute("PRAGMA query_only = OFF")
    with pytest.raises(LedgerFailed, match="is over"):
        append(writer, [2])
    assert LedgerReader.open(tmp_path).size() == 1


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_file_removed_under_the_writer_ends_it_before_it_answers(
    tmp_path: Path, writer: LedgerWriter, suffix: str
) -> None:
    append(writer, [1])
    removed = Path(f"{segment_path(tmp_path, 1)}{suffix}")
    removed.unlink()
    with pytest.raises(LedgerMoved, match=f"{removed.name} was removed"):
        append(writer, [2])
    with pytest.raises(LedgerFailed, match="is over"):
        append(writer, [2])
    assert writer.size == 1


def test_a_ledger_restored_under_the_writer_ends_it_and_is_left_as_it_was_restored(
    tmp_path: Path, writer: LedgerWriter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    append(writer, [1])
    copy = tmp_path_factory.mktemp("copy")
    backup(tmp_path, copy)
    append(writer, [2])
    segment_path(copy, 1).replace(segment_path(tmp_path, 1))
    with pytest.raises(LedgerMoved, match="was replaced"):
        append(writer, [3])
    for beside in open_files(segment_path(tmp_path, 1))[1:]:
        Path(beside).unlink()  # as whoever restores a ledger has to
    writer.close()
    restored = open_writer(tmp_path)
    assert restored.size == 1
    append(restored, [2])
    restored.close()
    assert check(tmp_path).problems == []


def test_a_new_segment_is_watched_like_the_one_before(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1])
    append(writer, [2], at=NOON + 40 * DAY_MS)
    segment_path(tmp_path, 2).unlink()
    with pytest.raises(LedgerMoved, match=r"00000002.sqlite was removed"):
        append(writer, [3], at=NOON + 40 * DAY_MS)


def test_a_ledger_with_another_id_is_refused(tmp_path: Path, writer: LedgerWriter) -> None:
    writer.close()
    with pytest.raises(LedgerCorrupt):
        LedgerWriter.open(tmp_path, settings=default_settings(), clock_ms=lambda: NOON, ledger_id=bytes(16))


def test_a_ledger_takes_the_id_it_is_given(tmp_path: Path) -> None:
    writer = LedgerWriter.open(tmp_path, settings=default_settings(), clock_ms=lambda: NOON, ledger_id=OTHER)
    assert writer.ledger_id == OTHER
    writer.close()


def test_segments_without_an_id_file_are_refused(tmp_path: Path, writer: LedgerWriter) -> None:
    writer.close()
    (tmp_path / segment.ID_FILE).unlink()
    with pytest.raises(LedgerCorrupt):
        open_writer(tmp_path)


def test_a_missing_segment_in_the_middle_is_refused(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1])
    append(writer, [2], at=NOON + 40 * DAY_MS)
    append(writer, [3], at=NOON + 80 * DAY_MS)
    writer.close()
    segment_path(tmp_path, 2).unlink()
    with pytest.raises(LedgerCorrupt):
        open_writer(tmp_path)


def test_a_state_row_that_does_not_match_the_entries_is_refused(tmp_path: Path, writer: LedgerWriter) -> None:
    append(writer, [1, 2])
    writer.close()
    with sqlite3.connect(segment_path(tmp_path, 1)) as connection:
        connection.execute("DELETE FROM entries WHERE entry_index = 1")
    connection.close()
    with pytest.raises(LedgerCorrupt, match="segment 1"):
        open_writer(tmp_path)


def test_the_log_is_copied_when_it_has_grown(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, msgspec.structs.replace(default_settings(), wal_bytes_max=1))
    before = segment_path(tmp_path, 1).stat().st_size
    append(writer, range(1, 2000))
    assert segment_path(tmp_path, 1).stat().st_size > before
    writer.close()


def test_salts_come_from_the_generator_given_in_one_call_per_commit(tmp_path: Path) -> None:
    asked: list[int] = []

    def counted(count: int) -> bytes:
        asked.append(count)
        return bytes(range(16)) * (count // 16)

    writer = LedgerWriter.open(
        tmp_path, settings=default_settings(), clock_ms=lambda: NOON, ledger_id=OTHER, random_bytes=counted
    )
    append(writer, [1, 2, 3])
    assert asked == [48]
    assert LedgerReader.open(tmp_path).entry(2).salt == bytes(range(16))
    writer.close()


@pytest.mark.parametrize(
    ("instant", "ends"),
    [
        (NOON, 1_796_083_200_000),  # 2026-12-01
        (1_796_083_199_999, 1_796_083_200_000),
        (1_796_083_200_000, 1_798_761_600_000),  # 2027-01-01
        (0, 31 * DAY_MS),
        (253_402_300_799_999, 253_402_300_800_000),
    ],
)
def test_a_month_ends_where_the_next_begins(instant: int, ends: int) -> None:
    assert month_ends_at(instant) == ends


class _Answers:
    """Stands for a connection to a file system that only pretends."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self._answers = answers

    def execute(self, statement: str) -> "_Answers":
        self._asked = statement
        return self

    def fetchone(self) -> tuple[object]:
        return (self._answers[self._asked],)


def _refuse(_connection: object, path: Path) -> None:
    raise LedgerUnsafe(str(path))
