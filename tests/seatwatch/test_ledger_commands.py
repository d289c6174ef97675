"""`seatwatch fsck` and `seatwatch backup`: what they print and how they end."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.checkpoint import Signer
from ledger.segment import segment_path
from seatwatch.__main__ import main
from tests.ledger.building import DAY_MS, NOON, append, open_writer


def purge(directory: Path, number: int) -> None:
    with closing(sqlite3.connect(segment_path(directory, number))) as connection, connection:
        connection.execute("UPDATE entries SET content = NULL")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with an operator's and a client's ledger."""
    for name, count in (("operator", 3), ("clients/acme", 5)):
        writer = open_writer(tmp_path / "data" / name)
        append(writer, range(1, count + 1))
        writer.close()
    return tmp_path / "data"


def damage(directory: Path) -> None:
    with closing(sqlite3.connect(segment_path(directory, 1))) as connection, connection:
        connection.execute("UPDATE entries SET kind = 5 WHERE entry_index = 2")


def test_fsck_of_a_sound_ledger_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsck", str(data / "operator")]) == 0
    assert "sound. 3 entries in 1 segments, 0 checkpoints" in capsys.readouterr().out


def test_fsck_of_a_damaged_ledger_names_the_entry_and_fails(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(data / "operator")
    assert main(["fsck", str(data / "operator")]) == 1
    assert "entry 2 does not hash to its leaf [entry 2]" in capsys.readouterr().out


def test_fsck_counts_what_was_purged_and_calls_it_damage_only_in_the_open_segment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = open_writer(tmp_path)
    append(writer, range(1, 5))
    append(writer, range(5, 8), at=NOON + 40 * DAY_MS)
    writer.close()
    purge(tmp_path, 1)
    assert main(["fsck", str(tmp_path)]) == 0
    assert "sound. 7 entries in 2 segments, 4 of them purged, 0 checkpoints" in capsys.readouterr().out
    purge(tmp_path, 2)
    assert main(["fsck", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "DAMAGED, 3 findings" in said
    assert "entry 6 has lost its body: only sealed segments are purged [entry 6]" in said


def test_fsck_speaks_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(data / "operator")
    assert main(["fsck", "--json", str(data / "operator")]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["sound"], said["size"], said["problems"][0]["index"]) == (False, 3, 2)


def test_fsck_holds_checkpoints_to_the_key_given(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = open_writer(data / "operator")
    signer = Signer.open(tmp_path / "key", authority="hub.example.com")
    writer.checkpoint(signer)
    writer.close()
    vkey = tmp_path / "vkey"
    vkey.write_text(signer.vkey(writer.ledger_id) + "\n")
    assert main(["fsck", "--vkey-file", str(vkey), str(data / "operator")]) == 0
    vkey.write_text(Signer.open(tmp_path / "other", authority="hub.example.com").vkey(writer.ledger_id))
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
