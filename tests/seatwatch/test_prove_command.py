"""`seatwatch prove`: what it prints, what it checks and how it ends."""

import json
from pathlib import Path

import pytest

from ledger.checkpoint import Signer
from seatwatch.__main__ import main
from tests.ledger.building import append, open_writer


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Checkpoints of 5 and of 9 entries, and two entries behind them."""
    writer = open_writer(tmp_path / "ledger")
    signer = Signer.open(tmp_path / "key", authority="hub.example.com")
    for first, last in ((1, 5), (6, 9)):
        append(writer, range(first, last + 1))
        writer.checkpoint(signer)
    append(writer, range(10, 12))
    writer.close()
    (tmp_path / "vkey").write_text(signer.vkey(writer.ledger_id) + "\n")
    return tmp_path / "ledger"


def proof(capsys: pytest.CaptureFixture[str], to: Path, *arguments: str) -> str:
    """Print a proof into `to`; returns what was said beside it."""
    capsys.readouterr()
    assert main(["prove", *arguments]) == 0
    said = capsys.readouterr()
    to.write_text(said.out)
    return said.err


def test_a_proof_holds_with_the_key_one_was_handed_when_the_ledger_is_gone(
    ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry, since = tmp_path / "entry.json", tmp_path / "since.json"
    assert proof(capsys, entry, "inclusion", str(ledger), "7", "--with-entry") == ""
    assert proof(capsys, since, "consistency", str(ledger), "5") == ""
    ledger.rename(tmp_path / "elsewhere")
    assert main(["prove", "verify", str(entry), "--vkey-file", str(tmp_path / "vkey")]) == 0
    said = capsys.readouterr()
    assert "entry 7 is in the tree of 9 entries, and says what is shown" in said.out
    assert said.err == ""
    assert main(["prove", "verify", str(since), "--vkey-file", str(tmp_path / "vkey")]) == 0
    assert "the tree of 9 entries continues that of 5" in capsys.readouterr().out


def test_with_the_key_of_the_document_itself_it_is_said_that_this_is_no_evidence(
    ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof(capsys, tmp_path / "entry.json", "inclusion", str(ledger), "0")
    assert main(["prove", "verify", str(tmp_path / "entry.json")]) == 0
    assert "for evidence give the one you were handed" in capsys.readouterr().err


def test_a_changed_proof_does_not_hold_and_one_by_another_key_neither(
    ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "entry.json"
    proof(capsys, file, "inclusion", str(ledger), "3")
    key = tmp_path / "other.vkey"
    key.write_text(Signer.open(tmp_path / "other", authority="hub.example.com").vkey(bytes(16)))
    assert main(["prove", "verify", str(file), "--vkey-file", str(key)]) == 1
    assert "no trusted key" in capsys.readouterr().err
    file.write_text(json.dumps({**json.loads(file.read_text()), "index": 4}))
    assert main(["prove", "verify", str(file), "--vkey-file", str(tmp_path / "vkey")]) == 1
    assert "does not hold: the path does not lead" in capsys.readouterr().err


def test_a_tree_of_any_size_is_proved_and_held_to_its_root(
    ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "entry.json"
    assert "no checkpoint of 11 entries" in proof(capsys, file, "inclusion", str(ledger), "10", "--size", "11")
    root = json.loads(file.read_text())["root"]
    assert main(["prove", "verify", str(file), "--root", root.upper()]) == 0
    assert main(["prove", "verify", str(file)]) == 1
    assert main(["prove", "verify", str(file), "--root", "00" * 32]) == 1
    assert "nobody signed the root of 11 entries" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inclusion", "LEDGER", "9"], "--size names another one"),
        (["inclusion", "LEDGER", "0", "--size", "12"], "no tree of size 12 in a ledger of 11"),
        (["inclusion", "LEDGER", "0", "--size", "0"], "equal to 1"),
        (["inclusion", "LEDGER", "-1"], "-1"),
        (["consistency", "LEDGER", "0"], "equal to 1"),
        (["consistency", "LEDGER", "10"], "from size 10 to size 9"),
        (["verify", "LEDGER/ledger.json", "--vkey-file", "LEDGER/ledger.json"], "not an Ed25519 verifier key"),
        (["verify", "nowhere.json"], "nowhere.json"),
    ],
)
def test_asking_for_what_is_not_there_ends_with_2(
    ledger: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove", *(argument.replace("LEDGER", str(ledger)) for argument in arguments)]) == 2
    assert said in capsys.readouterr().err


def test_a_ledger_without_a_checkpoint_wants_a_size_and_a_folder_without_a_ledger_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, range(1, 3))
    writer.close()
    assert main(["prove", "inclusion", str(tmp_path / "ledger"), "0"]) == 2
    assert "no checkpoint has been signed yet" in capsys.readouterr().err
    assert main(["prove", "inclusion", str(tmp_path), "0", "--size", "1"]) == 2
    assert "no ledger" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["inclusion"], ["consistency"], ["verify"]])
def test_the_help_shows_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", *command, "--help"]) == 0
    assert "seatwatch prove" in capsys.readouterr().out
