"""Proof documents: made from a ledger, checked without one, and refused when anything in them is changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.backup import backup
from ledger.checkpoint import Signer, Verifier, kept_keys, newest_signed
from ledger.errors import LedgerCorrupt, LedgerMissing, ProofInvalid
from ledger.fsck import check
from ledger.proofs import (
    Consistency,
    Document,
    Inclusion,
    Trust,
    claimed_keys,
    prove_consistency,
    prove_inclusion,
    read_document,
    verify,
)
from ledger.segment import segment_path
from tests.ledger.building import DAY_MS, NOON, append, open_writer, tampering

OLD, SIZE = 300, 700


class Kept:
    """A ledger of two segments, with checkpoints of 300 and of 700 entries."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "ledger"
        self.signer = Signer.open(directory / "key", authority="hub.example.com")
        writer = open_writer(self.directory)
        append(writer, range(1, OLD + 1))
        writer.checkpoint(self.signer)
        append(writer, range(OLD + 1, SIZE + 1), at=NOON + 40 * DAY_MS)
        writer.checkpoint(self.signer)
        append(writer, range(SIZE + 1, SIZE + 50), at=NOON + 40 * DAY_MS)
        writer.close()
        self.trust = Trust([Verifier(self.signer.vkey(writer.ledger_id))])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("kept"))


def through_json(document: Document) -> Document:
    return read_document(msgspec.json.encode(document))


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299, 300, 511, 698, 699])
def test_every_entry_is_proved_in_the_newest_signed_tree(kept: Kept, index: int) -> None:
    assert newest_signed(kept.directory) == SIZE
    document = through_json(prove_inclusion(kept.directory, index, SIZE, with_entry=True))
    verify(document, kept.trust)
    assert isinstance(document, Inclusion)
    assert document.entry is not None
    assert bytes.fromhex(document.entry.body) == f"body {index + 1}".encode()


@pytest.mark.parametrize("old", [1, 2, 255, 256, OLD, SIZE - 1, SIZE])
def test_the_newest_tree_continues_every_older_one(kept: Kept, old: int) -> None:
    document = through_json(prove_consistency(kept.directory, old, SIZE))
    assert isinstance(document, Consistency)
    verify(document, kept.trust._replace(roots={document.old_root}))


def test_two_checkpoints_are_enough_to_show_that_nothing_between_was_changed(kept: Kept) -> None:
    verify(through_json(prove_consistency(kept.directory, OLD, SIZE)), kept.trust)


def forge(document: Document, change: Callable[[dict[str, Any]], None]) -> Document:
    fields = json.loads(msgspec.json.encode(document))
    change(fields)
    return read_document(json.dumps(fields).encode())


def other(digits: str) -> str:
    return ("1" if digits[0] == "0" else "0") + digits[1:]


@pytest.mark.parametrize("field", ["ledger_id", "leaf", "root", "index", "size"])
def test_no_field_of_an_inclusion_can_be_changed(kept: Kept, field: str) -> None:
    def change(fields: dict[str, Any]) -> None:
        was = fields[field]
        fields[field] = was - 1 if isinstance(was, int) else other(was)

    with pytest.raises(ProofInvalid):
        verify(forge(prove_inclusion(kept.directory, 7, SIZE), change), kept.trust)


@pytest.mark.parametrize("field", ["ledger_id", "old_size", "old_root", "size", "root"])
def test_no_field_of_a_consistency_can_be_changed(kept: Kept, field: str) -> None:
    def change(fields: dict[str, Any]) -> None:
        was = fields[field]
        fields[field] = was - 1 if isinstance(was, int) else other(was)

    with pytest.raises(ProofInvalid):
        verify(forge(prove_consistency(kept.directory, OLD, SIZE), change), kept.trust)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.pop(),
        lambda path: path.append(path[0]),
        lambda path: path.reverse(),
        lambda path: path.__setitem__(0, other(path[0])),
        lambda path: path.clear(),
    ],
)
def test_no_hash_of_a_path_can_be_changed_left_out_or_added(kept: Kept, change: Callable[[list[str]], None]) -> None:
    for document in (prove_inclusion(kept.directory, 7, SIZE), prove_consistency(kept.directory, OLD, SIZE)):
        with pytest.raises(ProofInvalid, match="the path does not lead"):
            verify(forge(document, lambda fields: change(fields["path"])), kept.trust)


@pytest.mark.parametrize(
    "field", ["received_at", "source", "epoch", "sequence", "kind", "kind_version", "salt", "body"]
)
def test_no_field_of_the_entry_shown_can_be_changed(kept: Kept, field: str) -> None:
    def change(fields: dict[str, Any]) -> None:
        was = fields["entry"][field]
        fields["entry"][field] = was + 1 if isinstance(was, int) else other(was)

    with pytest.raises(ProofInvalid, match="does not hash to the leaf"):
        verify(forge(prove_inclusion(kept.directory, 7, SIZE, with_entry=True), change), kept.trust)


def test_a_checkpoint_by_another_key_or_about_another_tree_is_worth_nothing(kept: Kept, tmp_path: Path) -> None:
    document = prove_inclusion(kept.directory, 7, SIZE)
    stranger = Signer.open(tmp_path / "other", authority="hub.example.com")
    vkey = stranger.vkey(bytes.fromhex(document.ledger_id))
    with pytest.raises(ProofInvalid, match="no trusted key"):
        verify(document, Trust([Verifier(vkey)]))
    older = prove_inclusion(kept.directory, 7, OLD).checkpoint
    with pytest.raises(ProofInvalid, match="is about 300 entries"):
        verify(msgspec.structs.replace(document, checkpoint=older), kept.trust)
    verify(document, Trust(claimed_keys(document)))


def test_after_a_change_of_keys_the_earlier_one_still_proves_what_it_signed(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    writer = open_writer(kept.directory)
    earlier = kept.signer.vkey(writer.ledger_id)
    (tmp_path / "key").unlink()  # the next start makes another; what was signed last is remembered beside it
    signer = Signer.open(tmp_path / "key", authority="hub.example.com")
    writer.checkpoint(signer)
    now = signer.vkey(writer.ledger_id)
    size = writer.size
    writer.close()
    assert kept_keys(kept.directory) == [now, earlier]
    assert check(kept.directory).problems == []
    old = through_json(prove_inclusion(kept.directory, 7, SIZE))
    assert old.vkey == earlier
    verify(old, kept.trust)
    since = through_json(prove_consistency(kept.directory, SIZE, size))
    assert isinstance(since, Consistency)
    assert (since.old_vkey, since.vkey) == (earlier, now)
    verify(since, Trust([Verifier(now), Verifier(earlier)]))
    verify(since, Trust(claimed_keys(since)))
    with pytest.raises(ProofInvalid, match="of 749 entries: no trusted key"):
        verify(since, kept.trust)
    with pytest.raises(ProofInvalid, match="of 700 entries: no trusted key"):
        verify(since, Trust([Verifier(now)]))


def test_a_note_by_a_key_that_is_not_kept_stops_the_proof_until_the_key_is_written_there(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    vkeys = kept.directory / "checkpoints" / "vkey"
    own = vkeys.read_text()
    ledger_id = bytes.fromhex(prove_inclusion(kept.directory, 7, SIZE).ledger_id)
    other = Signer.open(tmp_path / "other", authority="hub.example.com").vkey(ledger_id)
    vkeys.write_text(other + "\n")
    with pytest.raises(LedgerCorrupt, match="no trusted key"):
        prove_inclusion(kept.directory, 7, SIZE)
    vkeys.write_text(f"{other}\n{own}")
    verify(prove_inclusion(kept.directory, 7, SIZE), kept.trust)


def test_a_backup_that_is_run_again_takes_the_new_key_along(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    backup(kept.directory, tmp_path / "copy")
    writer = open_writer(kept.directory)
    writer.checkpoint(Signer.open(tmp_path / "other", authority="hub.example.com"))
    writer.close()
    backup(kept.directory, tmp_path / "copy")
    assert kept_keys(tmp_path / "copy") == kept_keys(kept.directory)


def test_a_tree_nobody_signed_is_held_to_a_root_one_has(kept: Kept) -> None:
    document = prove_inclusion(kept.directory, 7, 512)
    assert (document.checkpoint, document.vkey) == (None, None)
    verify(document, Trust([], {document.root}))
    with pytest.raises(ProofInvalid, match="nobody signed the root of 512 entries"):
        verify(document, kept.trust)
    with pytest.raises(ProofInvalid, match="names no key"):
        claimed_keys(document)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"proof":"innocence"}',
        b'{"proof":"inclusion","ledger_id":"00"}',
        b'{"proof":"inclusion","ledger_id":"' + b"0" * 32 + b'\\n"}',
    ],
)
def test_what_is_no_proof_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ProofInvalid, match="not a proof"):
        read_document(data)


def test_what_cannot_be_proved_is_said(kept: Kept, tmp_path: Path) -> None:
    for index, size in ((700, SIZE), (0, 10_000), (-1, SIZE)):
        with pytest.raises(ValueError, match="no "):
            prove_inclusion(kept.directory, index, size)
    for old, new in ((0, SIZE), (SIZE, OLD), (1, 10_000)):
        with pytest.raises(ValueError, match="no "):
            prove_consistency(kept.directory, old, new)
    with pytest.raises(LedgerMissing):
        prove_inclusion(tmp_path, 0, 1)


def test_a_purged_entry_is_proved_by_its_leaf_but_cannot_be_shown(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with tampering(kept.directory) as connection:
        connection.execute("UPDATE entries SET content = NULL WHERE entry_index = 7")
    verify(prove_inclusion(kept.directory, 7, SIZE), kept.trust)
    with pytest.raises(ValueError, match="was purged"):
        prove_inclusion(kept.directory, 7, SIZE, with_entry=True)


def test_a_kept_checkpoint_that_does_not_fit_the_ledger_stops_the_proof(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    assert segment_path(kept.directory, 2).exists()
    with tampering(kept.directory) as connection:
        connection.execute("UPDATE entries SET leaf = zeroblob(32) WHERE entry_index = 299")
    with pytest.raises(LedgerCorrupt, match="signs another tree"):
        prove_inclusion(kept.directory, 290, OLD)
