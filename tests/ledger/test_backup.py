"""Backups: taken while the ledger is written, continued later, sound on their own, refused when not."""

from pathlib import Path

import pytest

from ledger.backup import backup
from ledger.checkpoint import Signer
from ledger.errors import BackupFailed, LedgerMissing
from ledger.fsck import check
from ledger.reader import LedgerReader
from ledger.segment import segment_path
from tests.full_disk import full_disk
from tests.ledger.building import DAY_MS, NOON, append, open_writer


def test_a_backup_taken_beside_the_writer_is_the_ledger_as_it_was(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, range(1, 400))
    append(writer, [400], at=NOON + 40 * DAY_MS)
    writer.checkpoint(Signer.open(tmp_path / "key", authority="hub.example.com"))
    done = backup(tmp_path / "ledger", tmp_path / "copy")
    assert (done.size, done.root, done.copied, done.kept) == (400, writer.root().hex(), 2, 0)
    append(writer, [401], at=NOON + 40 * DAY_MS)
    report = check(tmp_path / "copy")
    assert (report.problems, report.size, report.checkpoints) == ([], 400, 1)
    writer.close()


def test_a_second_backup_copies_what_is_new_and_leaves_sealed_segments(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1])
    append(writer, [2], at=NOON + 40 * DAY_MS)
    backup(tmp_path / "ledger", tmp_path / "copy")
    append(writer, [3], at=NOON + 40 * DAY_MS)
    done = backup(tmp_path / "ledger", tmp_path / "copy")
    assert (done.size, done.copied, done.kept) == (3, 1, 1)
    writer.close()


def test_a_backup_can_be_opened_and_written_on(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1, 2])
    backup(tmp_path / "ledger", tmp_path / "copy")
    writer.close()
    restored = open_writer(tmp_path / "copy")
    append(restored, [3])
    assert LedgerReader.open(tmp_path / "copy").size() == 3
    restored.close()
    assert check(tmp_path / "copy").is_sound


def test_a_backup_onto_a_full_disk_says_so_and_is_taken_once_there_is_room(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, range(1, 200))
    with full_disk(), pytest.raises(BackupFailed, match=r"cannot be copied .*is there room enough\?"):
        backup(tmp_path / "ledger", tmp_path / "copy")
    assert backup(tmp_path / "ledger", tmp_path / "copy").size == 199
    writer.close()


def test_a_backup_leaves_no_log_beside_its_files(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1, 2])
    backup(tmp_path / "ledger", tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["00000001.sqlite", "ledger.json"]
    writer.close()


def test_a_backup_of_a_damaged_ledger_is_refused(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1, 2, 3])
    writer._connection.execute("UPDATE entries SET kind = 5 WHERE entry_index = 1")
    with pytest.raises(BackupFailed, match="entry 1"):
        backup(tmp_path / "ledger", tmp_path / "copy")
    writer.close()


def test_a_target_that_holds_another_ledger_is_refused(tmp_path: Path) -> None:
    open_writer(tmp_path / "ledger").close()
    open_writer(tmp_path / "other").close()
    with pytest.raises(BackupFailed, match="another ledger"):
        backup(tmp_path / "ledger", tmp_path / "other")


@pytest.mark.parametrize("place", ["ledger", "ledger/copy", "."])
def test_a_copy_onto_into_or_around_the_ledger_itself_is_refused(tmp_path: Path, place: str) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1, 2])
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*")}
    with pytest.raises(BackupFailed, match="not apart"):
        backup(tmp_path / "ledger", tmp_path / place)
    assert {path: path.stat().st_ino for path in tmp_path.rglob("*")} == before
    append(writer, [3])
    writer.close()
    assert LedgerReader.open(tmp_path / "ledger").size() == 3


def test_a_ledger_that_a_server_writes_is_never_replaced_by_a_copy(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1])
    backup(tmp_path / "ledger", tmp_path / "copy")
    append(writer, [2])
    with pytest.raises(BackupFailed, match="that a server writes"):
        backup(tmp_path / "copy", tmp_path / "ledger")
    append(writer, [3])
    writer.close()
    assert check(tmp_path / "ledger").size == 3


def test_a_directory_without_a_ledger_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing):
        backup(tmp_path / "nowhere", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_sealed_segments_are_copied_byte_for_byte(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, range(1, 50))
    append(writer, [50], at=NOON + 40 * DAY_MS)
    writer.close()
    backup(tmp_path / "ledger", tmp_path / "copy")
    sealed = segment_path(tmp_path / "ledger", 1).read_bytes()
    assert segment_path(tmp_path / "copy", 1).read_bytes() == sealed
