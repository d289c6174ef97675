"""`seatwatch fsck` and `seatwatch backup`: what they print and how they end."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.checkpoint import Signer
from ledger.reader import read_ledger_id
from ledger.segment import segment_path
from seatwatch.__main__ import main
from tests.ledger.building import DAY_MS, NOON, append, new_entry, open_writer


def purge(directory: Path, number: int) -> None:
    with closing(sqlite3.connect(segment_path(directory, number))) as connection, connection:
        connection.execute("UPDATE entries SET content = NULL")


def signed(directory: Path, *batches: tuple[range, int]) -> Path:
    """A ledger of those sequences, each batch at its instant, under one checkpoint."""
    writer = open_writer(directory)
    for sequences, at in batches:
        append(writer, sequences, at=at)
    writer.checkpoint(Signer.open(directory.parent / "key", authority="hub.example.com"))
    writer.close()
    return directory


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with an operator's and a client's ledger."""
    for name, count in (("operator", 3), ("clients/acme", 5)):
        signed(tmp_path / "data" / name, (range(1, count + 1), NOON))
    return tmp_path / "data"


def damage(directory: Path) -> None:
    with closing(sqlite3.connect(segment_path(directory, 1))) as connection, connection:
        connection.execute("UPDATE entries SET kind = 5 WHERE entry_index = 2")


def test_fsck_of_a_sound_ledger_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsck", str(data / "operator")]) == 0
    assert "sound. 3 entries in 1 segments, 1 checkpoints" in capsys.readouterr().out


def test_fsck_of_a_damaged_ledger_names_the_entry_and_fails(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(data / "operator")
    assert main(["fsck", str(data / "operator")]) == 1
    assert "entry 2 does not hash to its leaf [entry 2]" in capsys.readouterr().out


def test_fsck_counts_what_was_purged_and_calls_it_damage_only_in_the_open_segment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = signed(tmp_path / "ledger", (range(1, 5), NOON), (range(5, 8), NOON + 40 * DAY_MS))
    purge(ledger, 1)
    assert main(["fsck", str(ledger)]) == 0
    assert "sound. 7 entries in 2 segments, 4 of them purged, 1 checkpoints" in capsys.readouterr().out
    purge(ledger, 2)
    assert main(["fsck", str(ledger)]) == 1
    said = capsys.readouterr().out
    assert "DAMAGED, 3 findings" in said
    assert "entry 6 has lost its body: only sealed segments are purged [entry 6]" in said


def test_fsck_speaks_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(data / "operator")
    assert main(["fsck", "--json", str(data / "operator")]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["sound"], said["size"], said["problems"][0]["index"]) == (False, 3, 2)


@pytest.mark.parametrize("what", ["notes", "checkpoints"])
def test_fsck_of_a_ledger_whose_checkpoints_are_gone_is_unproven_and_ends_with_3(
    data: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data / "operator" / "checkpoints"
    for path in folder.glob("*.note" if what == "notes" else "*"):
        path.unlink()
    assert main(["fsck", str(data / "operator")]) == 3
    assert "UNPROVEN: no signed checkpoint is kept" in capsys.readouterr().out
    assert main(["fsck", "--json", str(data / "operator")]) == 3
    said = json.loads(capsys.readouterr().out)
    assert (said["sound"], said["problems"], said["signed"]) == (False, [], 0)
    damage(data / "operator")
    assert main(["fsck", str(data / "operator")]) == 1


def test_fsck_of_what_was_written_long_after_the_newest_checkpoint_is_unproven(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = signed(tmp_path / "ledger", (range(1, 5), NOON))
    writer = open_writer(ledger)
    for step in range(1, 4):
        append(writer, [4 + step], at=NOON + 59_000 * step)
        writer.commit([new_entry(step, source="~clock")], received_at=NOON + 59_000 * step + 500_000, marks={})
    writer.close()
    assert main(["fsck", str(ledger)]) == 3
    assert "the newest checkpoint is about 4 entries; what came after spans 10 min" in capsys.readouterr().out


def test_fsck_leaves_alone_what_is_only_time_and_what_a_copy_holds_beyond_its_newest_note(tmp_path: Path) -> None:
    ledger = signed(tmp_path / "ledger", (range(1, 5), NOON))
    writer = open_writer(ledger)
    for minute in range(1, 30):
        writer.commit([new_entry(minute, source="~clock")], received_at=NOON + 60_000 * minute, marks={})
    append(writer, [5], at=NOON + 60_000 * 30)
    writer.close()
    assert main(["fsck", str(ledger)]) == 0


def test_fsck_holds_a_ledger_set_back_with_its_notes_to_a_note_kept_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = signed(tmp_path / "ledger", (range(1, 5), NOON))
    shutil.copytree(ledger, tmp_path / "earlier")
    signed(ledger, (range(5, 9), NOON + 1))
    kept = tmp_path / "kept.note"
    shutil.copy(max((ledger / "checkpoints").glob("*.note")), kept)
    assert main(["fsck", "--note", str(kept), str(ledger)]) == 0
    assert main(["fsck", str(tmp_path / "earlier")]) == 0, "by itself it cannot be told from the ledger"
    assert main(["fsck", "--note", str(kept), str(tmp_path / "earlier")]) == 1
    assert "kept.note: signs 8 entries, 4 are there" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["", "clients", "operator/checkpoints"])
def test_fsck_of_another_folder_says_that_no_ledger_is_there_and_what_to_type(
    data: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fsck", str(data / place)]) == 2
    said = capsys.readouterr().err
    assert "no ledger here" in said
    assert f"  seatwatch fsck {data / ('clients/acme' if place != 'operator/checkpoints' else 'operator')}\n" in said


@pytest.mark.parametrize("closed", ["ledger.json", "00000001.sqlite", "checkpoints", "vkey"])
def test_fsck_by_somebody_who_may_not_read_all_of_it_checks_nothing_and_blames_nobody(
    data: Path, closed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.access", lambda path, _: Path(path).name != closed)
    assert main(["fsck", str(data / "operator")]) == 2
    said = capsys.readouterr()
    assert f"{closed}: not readable for this user; nothing was checked" in said.err
    assert said.out == ""


def test_fsck_by_a_reader_of_a_log_without_its_index_says_what_is_missing(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = data / "operator"
    segment_path(ledger, 1).with_name("00000001.sqlite-wal").write_bytes(b"a frame")
    segment_path(ledger, 1).with_name("00000001.sqlite-shm").unlink(missing_ok=True)
    monkeypatch.setattr("os.access", lambda path, mode: not (Path(path) == ledger and mode & os.W_OK))
    assert main(["fsck", str(ledger)]) == 2
    assert "00000001.sqlite-wal: SQLite makes an index of it first" in capsys.readouterr().err


def test_fsck_of_what_is_left_of_a_ledger_is_damage_and_not_a_wrong_folder(data: Path) -> None:
    (data / "operator" / "ledger.json").unlink()
    assert main(["fsck", str(data / "operator")]) == 1
    segment_path(data / "operator", 1).unlink()
    assert main(["fsck", str(data / "operator")]) == 1


def test_fsck_holds_checkpoints_to_the_key_given(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signer = Signer.open(data / "key", authority="hub.example.com")
    ledger_id = read_ledger_id(data / "operator")
    vkey = tmp_path / "vkey"
    vkey.write_text(signer.vkey(ledger_id) + "\n")
    assert main(["fsck", "--vkey-file", str(vkey), str(data / "operator")]) == 0
    vkey.write_text(Signer.open(tmp_path / "other", authority="hub.example.com").vkey(ledger_id))
    assert main(["fsck", "--vkey-file", str(vkey), str(data / "operator")]) == 1
    assert "no signature of a known key" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["fsck"], ["fsck", "no-such-folder"], ["backup"], ["backup", "no-such-folder", "x"]]
)
def test_asking_wrongly_ends_with_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_backup_copies_every_ledger_of_a_data_directory(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", str(data), str(tmp_path / "copy")]) == 0
    said = capsys.readouterr().out
    assert "3 entries in" in said
    assert "5 entries in" in said
    assert main(["fsck", str(tmp_path / "copy" / "clients" / "acme")]) == 0


def test_backup_of_one_ledger_speaks_json(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--json", str(data / "operator"), str(tmp_path / "copy")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["size"], said["copied"], said["kept"]) == (3, 1, 0)


def test_backup_goes_on_past_a_damaged_ledger_and_fails(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(data / "clients" / "acme")
    assert main(["backup", str(data), str(tmp_path / "copy")]) == 1
    said = capsys.readouterr()
    assert "entry 2" in said.err
    assert "3 entries in" in said.out


@pytest.mark.parametrize("place", [".", "copies"])
def test_backup_into_the_data_directory_itself_is_asked_for_wrongly(
    data: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", str(data), str(data / place)]) == 2
    assert "inside" in capsys.readouterr().err
    assert not (data / "copies").exists()


def test_backup_of_a_folder_without_a_ledger_is_asked_for_wrongly(tmp_path: Path) -> None:
    assert main(["backup", str(tmp_path), str(tmp_path / "copy")]) == 2
