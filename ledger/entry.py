"""The bytes of an entry, version 1 (docs/adr/0001-entry-v1.md): header, leaf. Pure, fixed for ever."""

from hashlib import sha256
from struct import Struct
from typing import Final

import msgspec

from wire.errors import require
from wire.limits import EPOCH_BYTES, LEDGER_ID_BYTES, SALT_BYTES

FORMAT: Final = 1

LEAF_HEAD: Final = b"\x00" + bytes([FORMAT])
"""What every leaf preimage starts with: RFC 6962's leaf prefix, then the format byte of the header."""

PACK_FIXED: Final = Struct(">18sQQ16sQHH").pack
"""LEAF_HEAD and ledger id, index, received_at, epoch, sequence, kind, kind_version: a leaf up to its source."""


class NewEntry(msgspec.Struct, frozen=True, gc=False):
    """What is to be appended. epoch: 16 bytes. sequence: below 2^63. body: the source's bytes exactly as received."""

    source: str
    epoch: bytes
    sequence: int
    kind: int
    kind_version: int
    body: bytes


class StoredEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry as the ledger holds it.

    received_at: hub's ms since the Unix epoch. salt, body: None together once purged; the leaf (32 bytes) stays.
    """

    index: int
    received_at: int
    source: str
    epoch: bytes
    sequence: int
    kind: int
    kind_version: int
    salt: bytes | None
    body: bytes | None
    leaf: bytes


def source_tail(source: str) -> bytes:
    """The end of a header: the length of the source's UTF-8, then the source. At most 255 bytes."""
    encoded = source.encode()
    require(0 < len(encoded) <= 0xFF, "a source takes 1 to 255 bytes of UTF-8")
    return bytes([len(encoded)]) + encoded


def header_bytes(ledger_id: bytes, index: int, received_at: int, entry: NewEntry | StoredEntry) -> bytes:
    """The header of `entry` at `index` of that ledger, received at that instant (ms)."""
    require(len(ledger_id) == LEDGER_ID_BYTES, "a ledger id takes 16 bytes")
    require(len(entry.epoch) == EPOCH_BYTES, "an epoch takes 16 bytes")
    head = LEAF_HEAD + ledger_id
    fixed = PACK_FIXED(head, index, received_at, entry.epoch, entry.sequence, entry.kind, entry.kind_version)
    return fixed[1:] + source_tail(entry.source)


def leaf_hash(header: bytes, salt: bytes, body: bytes) -> bytes:
    """The leaf of the Merkle tree: 32 bytes over header, salt (16 bytes) and body."""
    require(len(salt) == SALT_BYTES, "a salt takes 16 bytes")
    return sha256(b"\x00" + header + salt + body).digest()
