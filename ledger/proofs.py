"""Proofs as documents that need no ledger: an entry is in a signed tree, one signed tree continues another.

A document is JSON and carries everything but trust. Whoever checks it trusts a verifier key they were handed, or roots
they hold themselves; the key inside a document only says whom it claims to be from.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from ledger.checkpoint import Checkpoint, Verifier, has_signed, kept_keys, open_checkpoint
from ledger.entry import NewEntry, header_bytes, leaf_hash
from ledger.errors import LedgerCorrupt, NoteInvalid, ProofInvalid
from ledger.merkle import verify_consistency, verify_inclusion
from ledger.reader import LedgerReader
from ledger.segment import CHECKPOINTS
from wire._fields import Name
from wire.limits import KIND_MAX, NOTE_CHARS_MAX, PROOF_HASHES_MAX, SEQUENCE_MAX

Size = Annotated[int, Meta(ge=0, le=SEQUENCE_MAX)]
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Bytes16 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
Hex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})*$(?!\n)")]
HashPath = Annotated[list[Hash], Meta(max_length=PROOF_HASHES_MAX)]
Note = Annotated[str, Meta(max_length=NOTE_CHARS_MAX)]
Kind = Annotated[int, Meta(ge=0, le=KIND_MAX)]


class ShownEntry(msgspec.Struct, frozen=True):
    """What an entry's leaf is the hash of (ADR 1). Bytes as hex; received_at in ms since the Unix epoch."""

    received_at: Size
    source: Name
    epoch: Bytes16
    sequence: Size
    kind: Kind
    kind_version: Kind
    salt: Bytes16
    body: Hex


class Inclusion(msgspec.Struct, frozen=True, tag_field="proof", tag="inclusion"):
    """Leaf `leaf` stands at `index` in the tree of `size` entries with that root. Hashes as hex, path from the leaf up.

    checkpoint: a signed note about that tree, None where none is kept. vkey: the key that is said to have signed it.
    entry: what the leaf is the hash of, where it was asked for.
    """

    ledger_id: Bytes16
    index: Size
    leaf: Hash
    size: Size
    root: Hash
    path: HashPath
    checkpoint: Note | None
    vkey: Note | None
    entry: ShownEntry | None = None


class Consistency(msgspec.Struct, frozen=True, tag_field="proof", tag="consistency"):
    """The tree of `size` entries continues that of `old_size`: nothing before it was changed. As for Inclusion.

    old_vkey: the key that is said to have signed old_checkpoint, another than vkey where keys were changed between.
    """

    ledger_id: Bytes16
    old_size: Size
    old_root: Hash
    size: Size
    root: Hash
    path: HashPath
    old_checkpoint: Note | None
    checkpoint: Note | None
    vkey: Note | None
    old_vkey: Note | None = None


class Trust(NamedTuple):
    """What whoever checks a document believes: signatures of these keys, and these roots (hex) without any."""

    verifiers: Sequence[Verifier]
    roots: Collection[str] = ()


Document = Inclusion | Consistency
_decoder: Final[msgspec.json.Decoder[Document]] = msgspec.json.Decoder(Document)


def prove_inclusion(directory: Path, index: int, size: int, *, with_entry: bool = False) -> Inclusion:
    """Proof that entry `index` is in the tree of the first `size` entries.

    ValueError unless index < size <= the ledger's, or when the entry shall be shown and was purged. LedgerMissing;
    LedgerCorrupt when the kept checkpoint is about another tree.
    """
    reader = LedgerReader.open(directory)
    try:
        path = reader.inclusion_proof(index, size)
        stored = reader.entry(index)
        root = reader.root(size)
    finally:
        reader.close()
    shown = None
    if with_entry:
        if stored.salt is None or stored.body is None:
            raise ValueError(f"entry {index} was purged: its leaf can be proved, what it said cannot")
        shown = ShownEntry(
            stored.received_at,
            stored.source,
            stored.epoch.hex(),
            stored.sequence,
            stored.kind,
            stored.kind_version,
            stored.salt.hex(),
            stored.body.hex(),
        )
    note, vkey = _kept(directory, size, root)
    hashes = [node.hex() for node in path]
    ledger_id = reader.ledger_id.hex()
    return Inclusion(ledger_id, index, stored.leaf.hex(), size, root.hex(), hashes, note, vkey, shown)


def prove_consistency(directory: Path, old_size: int, size: int) -> Consistency:
    """Proof that the tree of the first `size` entries continues that of the first `old_size`.

    ValueError unless 0 < old_size <= size <= the ledger's. LedgerMissing, LedgerCorrupt as above.
    """
    reader = LedgerReader.open(directory)
    try:
        path = [node.hex() for node in reader.consistency_proof(old_size, size)]
        old_root, root = reader.root(old_size), reader.root(size)
    finally:
        reader.close()
    old_note, old_vkey = _kept(directory, old_size, old_root)
    note, vkey = _kept(directory, size, root)
    roots = (old_size, old_root.hex(), size, root.hex())
    return Consistency(reader.ledger_id.hex(), *roots, path, old_note, note, vkey, old_vkey)


def read_document(data: bytes) -> Document:
    """The document in that JSON. ProofInvalid names the place that does not fit."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProofInvalid(f"not a proof: {error}") from None


def claimed_keys(document: Document) -> list[Verifier]:
    """The keys the document says it is signed with. ProofInvalid when it names none."""
    named = [document.vkey, document.old_vkey if isinstance(document, Consistency) else None]
    keys = [vkey for vkey in named if vkey is not None]
    if not keys:
        raise ProofInvalid("the document names no key")
    try:
        return [Verifier(vkey) for vkey in keys]
    except NoteInvalid as error:
        raise ProofInvalid(str(error)) from None


def verify(document: Document, trust: Trust) -> None:
    """Check `document`, without any ledger. ProofInvalid says which part of it does not hold."""
    _require_trusted(document.checkpoint, document.ledger_id, document.size, document.root, trust)
    path, root = [bytes.fromhex(node) for node in document.path], bytes.fromhex(document.root)
    if isinstance(document, Consistency):
        _require_trusted(document.old_checkpoint, document.ledger_id, document.old_size, document.old_root, trust)
        old_root = bytes.fromhex(document.old_root)
        if not verify_consistency(document.old_size, document.size, old_root, root, path):
            raise ProofInvalid("the path does not lead from the older root to the newer one")
        return
    if not verify_inclusion(document.index, document.size, bytes.fromhex(document.leaf), path, root):
        raise ProofInvalid("the path does not lead from the leaf to the root")
    if document.entry is not None and _leaf_of(document, document.entry).hex() != document.leaf:
        raise ProofInvalid("the entry shown does not hash to the leaf")


def _require_trusted(note: str | None, ledger_id: str, size: int, root: str, trust: Trust) -> None:
    if root in trust.roots:
        return
    if note is None:
        raise ProofInvalid(f"nobody signed the root of {size} entries; hold it to one you have")
    try:
        signed = open_checkpoint(note, trust.verifiers)
    except NoteInvalid as error:
        raise ProofInvalid(f"the checkpoint of {size} entries: {error}") from None
    if not _is_about(signed, ledger_id, size, root):
        raise ProofInvalid(f"the checkpoint is about {signed.size} entries of {signed.origin}, not about this tree")


def _is_about(signed: Checkpoint, ledger_id: str, size: int, root: str) -> bool:
    return signed.origin.endswith(f"/{ledger_id}") and (signed.size, signed.root.hex()) == (size, root)


def _leaf_of(document: Inclusion, shown: ShownEntry) -> bytes:
    body = bytes.fromhex(shown.body)
    entry = NewEntry(shown.source, bytes.fromhex(shown.epoch), shown.sequence, shown.kind, shown.kind_version, body)
    header = header_bytes(bytes.fromhex(document.ledger_id), document.index, shown.received_at, entry)
    return leaf_hash(header, bytes.fromhex(shown.salt), body)


def _kept(directory: Path, size: int, root: bytes) -> tuple[str | None, str | None]:
    """The checkpoint kept of that tree and the key it is signed with, each None where there is none."""
    path, keys = directory / CHECKPOINTS / f"{size:020d}.note", kept_keys(directory)
    if not path.exists() or not keys:
        return None, None
    note = path.read_text(encoding="utf-8")
    try:
        verifiers = [Verifier(key) for key in keys]
        signed = open_checkpoint(note, verifiers)
    except NoteInvalid as error:
        raise LedgerCorrupt(f"{path}: {error}; run seatwatch fsck") from None
    if (signed.size, signed.root) != (size, root):
        raise LedgerCorrupt(f"{path}: signs another tree than the first {size} entries; run seatwatch fsck")
    return note, next(key for key, verifier in zip(keys, verifiers, strict=True) if has_signed(note, verifier))
