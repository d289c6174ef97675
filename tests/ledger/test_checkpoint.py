"""Signed checkpoints: the published formats, the key, and the refusal to sign two histories."""

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.checkpoint import Checkpoint, Signer, Verifier, key_id, open_checkpoint, open_note
from ledger.errors import LedgerCorrupt, LedgerFailed, NoteInvalid, SigningRefused
from ledger.merkle import EMPTY_ROOT
from ledger.reader import LedgerReader
from ledger.segment import segment_path
from ledger.writer import LedgerWriter
from tests.ledger.building import DAY_MS, NOON, append, open_writer

AUTHORITY = "hub.example.com"

# The worked example of C2SP signed-note v1.0.0.
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n\N{EM DASH} example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.open(tmp_path / "keys" / "checkpoint.key", authority=AUTHORITY)


@pytest.fixture
def writer(tmp_path: Path) -> LedgerWriter:
    return open_writer(tmp_path / "ledger")


def test_the_published_example_verifies() -> None:
    assert open_note(EXAMPLE_NOTE, [Verifier(EXAMPLE_VKEY)]) == "This is an example message.\n"


def test_a_checkpoint_has_three_lines_and_a_signature(writer: LedgerWriter, signer: Signer, tmp_path: Path) -> None:
    append(writer, [1, 2, 3])
    note = writer.checkpoint(signer)
    origin = f"{AUTHORITY}/{writer.ledger_id.hex()}"
    lines = note.split("\n")
    assert lines[:4] == [origin, "3", base64.b64encode(writer.root()).decode(), ""]
    assert lines[4].startswith(f"\N{EM DASH} {origin} ")
    assert lines[5:] == [""]
    verifier = Verifier(signer.vkey(writer.ledger_id))
    assert open_checkpoint(note, [verifier]) == Checkpoint(origin, 3, writer.root())
    kept = tmp_path / "ledger" / "checkpoints"
    assert (kept / "00000000000000000003.note").read_text(encoding="utf-8") == note
    assert (kept / "vkey").read_text(encoding="utf-8") == signer.vkey(writer.ledger_id) + "\n"


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path, signer: Signer) -> None:
    key_file = tmp_path / "keys" / "checkpoint.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert Signer.open(key_file, authority=AUTHORITY).vkey(bytes(16)) == signer.vkey(bytes(16))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path, signer: Signer) -> None:
    key_file = tmp_path / "keys" / "checkpoint.key"
    key_file.chmod(0o640)
    with pytest.raises(PermissionError, match="0640"):
        Signer.open(key_file, authority=AUTHORITY)


def test_growing_histories_are_signed_one_after_the_other(writer: LedgerWriter, signer: Signer) -> None:
    assert open_checkpoint(writer.checkpoint(signer), [Verifier(signer.vkey(writer.ledger_id))]).root == EMPTY_ROOT
    for step in range(1, 6):
        append(writer, [step * 2 - 1, step * 2], at=NOON + step * 20 * DAY_MS)
        writer.checkpoint(signer)
        writer.checkpoint(signer)  # the same tree again
    assert writer.size == 10


def test_a_restored_older_ledger_is_not_signed(tmp_path: Path, writer: LedgerWriter, signer: Signer) -> None:
    append(writer, [1, 2, 3])
    writer.checkpoint(signer)
    writer.close()
    with pytest.raises(SigningRefused, match="size 3 was signed before, 2 is smaller"):
        signer.sign(writer.ledger_id, 2, bytes(32), LedgerReader.open(tmp_path / "ledger").consistency_proof)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_ledger_that_has_lost_entries_it_signed_is_not_opened(tmp_path: Path, signer: Signer, lost: int) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1, 2])
    append(writer, [3], at=NOON + 40 * DAY_MS)
    writer.checkpoint(signer)
    writer.close()
    for number in range(2, 2 - lost, -1):
        segment_path(tmp_path / "ledger", number).unlink()
    with pytest.raises(LedgerCorrupt, match=f"3 entries were signed, {2 if lost == 1 else 0} are there"):
        open_writer(tmp_path / "ledger")


def test_another_history_of_the_same_ledger_is_not_signed(tmp_path: Path, signer: Signer) -> None:
    first = open_writer(tmp_path / "a")
    append(first, [1, 2, 3])
    first.checkpoint(signer)
    fork = LedgerWriter.open(tmp_path / "b", settings=first._settings, clock_ms=lambda: NOON, ledger_id=first.ledger_id)
    for sequences in ([1, 2, 3], [4, 5]):
        append(fork, sequences)
        with pytest.raises(SigningRefused, match="does not continue"):
            fork.checkpoint(signer)
    assert not (tmp_path / "b" / "checkpoints").exists()
    append(first, [4])
    assert first.checkpoint(signer).split("\n")[1] == "4"


def test_an_unreadable_memory_of_the_signer_stops_it(tmp_path: Path, writer: LedgerWriter, signer: Signer) -> None:
    writer.checkpoint(signer)
    (tmp_path / "keys" / "checkpoint.key.signed.json").write_text("{")
    with pytest.raises(SigningRefused, match="cannot be read"):
        writer.checkpoint(signer)


def test_ledgers_of_one_hub_share_the_key_and_not_the_memory(tmp_path: Path, signer: Signer) -> None:
    big, small = open_writer(tmp_path / "big"), open_writer(tmp_path / "small")
    append(big, range(1, 9))
    big.checkpoint(signer)
    append(small, [1])
    assert small.checkpoint(signer).split("\n")[1] == "1"


def test_a_checkpoint_that_cannot_be_kept_ends_the_writer(tmp_path: Path, writer: LedgerWriter, signer: Signer) -> None:
    append(writer, [1])
    (tmp_path / "ledger" / "checkpoints").write_text("in the way")
    with pytest.raises(LedgerFailed):
        writer.checkpoint(signer)
    with pytest.raises(LedgerFailed):
        append(writer, [2])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "no signature\n",
        EXAMPLE_NOTE[:-1],
        EXAMPLE_NOTE.replace("This", "That"),
        EXAMPLE_NOTE.replace("\N{EM DASH}", "-"),
        EXAMPLE_NOTE.replace("example.com/foo", "example.com/bar"),
        EXAMPLE_NOTE.replace("Uw2QOkn8", "Uw2QOkn9"),
        EXAMPLE_NOTE.replace("Uw2Q", "Uw2R"),
        EXAMPLE_NOTE.replace("This", "This\t"),
        EXAMPLE_NOTE.replace("aQM=", "!!!="),
    ],
)
def test_a_note_that_is_malformed_or_not_ours_is_refused(note: str) -> None:
    with pytest.raises(NoteInvalid):
        open_note(note, [Verifier(EXAMPLE_VKEY)])


def test_signatures_of_unknown_keys_are_ignored() -> None:
    line = "\N{EM DASH} witness.example/w " + base64.b64encode(bytes(68)).decode() + "\n"
    assert open_note(EXAMPLE_NOTE + line, [Verifier(EXAMPLE_VKEY)]) == "This is an example message.\n"


@pytest.mark.parametrize(
    "vkey",
    ["", "name", EXAMPLE_VKEY.replace("530d903a", "530d903b"), EXAMPLE_VKEY[:-4], EXAMPLE_VKEY.replace("+Aek", "+Bek")],
)
def test_a_malformed_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteInvalid):
        Verifier(vkey)


@pytest.mark.parametrize("lines", ["a\n1\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "a\n1\nAAAA\n", "a\n1\n\nAAAA\n"])
def test_a_signed_text_that_is_no_checkpoint_is_refused(lines: str) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    identity = key_id("hub", public)
    vkey = f"hub+{identity.hex()}+{base64.b64encode(bytes([1]) + public).decode()}"
    signature = base64.b64encode(identity + key.sign(lines.encode())).decode()
    note = f"{lines}\n\N{EM DASH} hub {signature}\n"
    assert open_note(note, [Verifier(vkey)]) == lines
    with pytest.raises(NoteInvalid):
        open_checkpoint(note, [Verifier(vkey)])
