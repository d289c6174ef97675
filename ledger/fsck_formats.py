"""The formats as the independent check knows them: tree, header, signed note, and the MessagePack of a data gap.

Written from RFC 6962, ADR 1 and the C2SP documents, not from the code of the writer.

Format: MessagePack, docs/adr/0001-entry-v1.md, C2SP tlog-checkpoint and signed-note.
"""

import binascii
import hashlib
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EMPTY: Final = hashlib.sha256(b"").digest()
STORED_HEIGHT: Final = 8
"""Subtrees of 2^8 leaves and more are stored beside the entries."""

GAP_HEAD_FIELDS: Final = 6
"""occurred_at, resolution_ms, clock, monotonic_ms, synced, shard_key stand before a gap's own fields."""


class NotReadable(ValueError):
    """The bytes are not what they should be; the text says why."""


class Tree:
    """The frontier of a Merkle tree, one leaf at a time: a stack of (height, hash)."""

    def __init__(self) -> None:
        self.size = 0
        self.stack: list[tuple[int, bytes]] = []

    def push(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Append a leaf; yields the subtrees of 256 leaves and more that it completes as (height, position, hash)."""
        height, top = 0, leaf
        while self.stack and self.stack[-1][0] == height:
            top = hashlib.sha256(b"\x01" + self.stack.pop()[1] + top).digest()
            height += 1
            if height >= STORED_HEIGHT:
                yield height, self.size >> height, top
        self.stack.append((height, top))
        self.size += 1

    def root(self) -> bytes:
        """Root over the leaves so far."""
        if not self.stack:
            return EMPTY
        root = self.stack[-1][1]
        for _, left in self.stack[-2::-1]:
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root

    def frontier(self) -> bytes:
        """As the state row keeps it: lowest subtree first."""
        return b"".join(node for _, node in reversed(self.stack))


def header_of(
    ledger_id: bytes, index: int, received_at: int, key: tuple[str, Any], sequence: int, kind: tuple[int, int]
) -> bytes:
    """The header of entry version 1, written from docs/adr/0001-entry-v1.md."""
    source = key[0].encode("utf-8")
    if len(ledger_id) != 16 or not isinstance(key[1], bytes) or len(key[1]) != 16:
        raise ValueError("ledger id and epoch take 16 bytes each")
    return b"".join(
        (
            b"\x01",
            ledger_id,
            struct.pack(">QQ", index, received_at),
            key[1],
            struct.pack(">QHHB", sequence, *kind, len(source)),
            source,
        )
    )


def read_gap(body: bytes) -> tuple[str, bytes, int, int]:
    """(source, epoch, first, last) that a data gap entry is about."""
    fields, _ = _value(body, 0)
    if not isinstance(fields, list) or len(fields) < GAP_HEAD_FIELDS + 4:
        raise NotReadable("too few fields")
    source, epoch, first, last = fields[GAP_HEAD_FIELDS : GAP_HEAD_FIELDS + 4]
    if not (isinstance(source, str) and isinstance(epoch, bytes) and isinstance(first, int) and isinstance(last, int)):
        raise NotReadable("fields of other types")
    return source, epoch, first, last


def read_identity(text: str) -> bytes:
    """The ledger's id from the text of its identity file, which has one spelling."""
    found = re.fullmatch(r'\{"format": 1, "ledger_id": "([0-9a-f]{32})"\}\n', text)
    if found is None:
        raise NotReadable("does not hold the format 1 and a ledger id of 16 bytes, and nothing else")
    return bytes.fromhex(found[1])


def read_vkeys(text: str) -> list[str]:
    """The lines of a kept list of verifier keys, each of which must be one."""
    if not text.endswith("\n"):
        raise NotReadable("does not end with a line")
    lines = text[:-1].split("\n")
    for number, line in enumerate(lines, start=1):
        if _key_of(line) is None:
            raise NotReadable(f"line {number} is no verifier key")
    return lines


def read_checkpoint(note: str, vkeys: Sequence[str]) -> tuple[str, int, bytes]:
    """(origin, size, root) of a note that one of the keys signed.

    Signatures of keys that nobody here knows are no fault: the format lets witnesses add theirs. Anything else is.
    """
    text, separator, tail = note.rpartition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) != 3:
        raise NotReadable("not a signed checkpoint")
    if not tail.endswith("\n"):
        raise NotReadable("does not end with a signature line")
    signatures = [_signature_of(line) for line in tail[:-1].split("\n")]
    keys = [key for key in map(_key_of, vkeys) if key is not None]
    if not any(_holds(signature, key, (text + "\n").encode()) for signature in signatures for key in keys):
        raise NotReadable("no signature of a known key holds" if keys else "there is no key to check it with")
    root, size = _exactly(lines[2]), lines[1]
    if len(root) != 32 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", size):
        raise NotReadable("not a checkpoint: size or root malformed")
    return lines[0], int(size), root


_Key = tuple[str, bytes, bytes]
"""Name, the 4 bytes that tell keys of that name apart, and the 32 of the key."""


def _key_of(vkey: str) -> _Key | None:
    """What an Ed25519 verifier key `name+id+base64` says; None when it is none, or its id is another key's."""
    name, _, rest = vkey.partition("+")
    written, _, encoded = rest.partition("+")
    key = _exactly(encoded)
    identity = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if not name or len(key) != 33 or key[:1] != b"\x01" or written != identity.hex():
        return None
    return name, identity, key[1:]


def _signature_of(line: str) -> tuple[str, bytes]:
    """(name, key id and signature) of a line under a note."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = _exactly(encoded)
    if dash != "\N{EM DASH}" or not name or len(signature) < 5:
        raise NotReadable("a line below it is no signature")
    return name, signature


def _holds(signature: tuple[str, bytes], key: _Key, signed: bytes) -> bool:
    name, identity, public = key
    if signature[0] != name or signature[1][:4] != identity:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature[1][4:], signed)
    except InvalidSignature:
        return False
    return True


def _exactly(text: str) -> bytes:
    """Base 64 in its one spelling; b"" when it is none. The last character has bits that decoding drops."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if b64encode(data).decode() == text else b""


_FIXED: Final = {
    0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q", 0xCA: ">f", 0xCB: ">d",
}  # fmt: skip
_BINARY: Final = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}
_TEXT: Final = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_ARRAY: Final = {0xDC: ">H", 0xDD: ">I"}
_SINGLE: Final = {0xC0: None, 0xC2: False, 0xC3: True}


def _value(data: bytes, at: int) -> tuple[object, int]:
    """The MessagePack value at `at` and where the next one starts. Maps and extensions do not occur in a gap."""
    try:
        return _read(data, at)
    except (IndexError, struct.error, UnicodeError, RecursionError) as error:
        raise NotReadable(f"not MessagePack: {error}") from None


def _read(data: bytes, at: int) -> tuple[object, int]:
    tag = data[at]
    at += 1
    if tag < 0x80:
        return tag, at
    if tag >= 0xE0:
        return tag - 0x100, at
    if tag in _SINGLE:
        return _SINGLE[tag], at
    if tag in _FIXED:
        (number,) = struct.unpack_from(_FIXED[tag], data, at)
        return number, at + struct.calcsize(_FIXED[tag])
    if 0x90 <= tag < 0xA0:
        return _items(data, at, tag & 0x0F)
    if 0xA0 <= tag < 0xC0:
        return _bytes(data, at, tag & 0x1F).decode(), at + (tag & 0x1F)
    for table in (_BINARY, _TEXT, _ARRAY):
        if tag in table:
            (length,) = struct.unpack_from(table[tag], data, at)
            at += struct.calcsize(table[tag])
            if table is _ARRAY:
                return _items(data, at, length)
            raw = _bytes(data, at, length)
            return (raw if table is _BINARY else raw.decode()), at + length
    raise NotReadable(f"unexpected MessagePack tag 0x{tag:02x}")


def _items(data: bytes, at: int, count: int) -> tuple[list[object], int]:
    items = []
    for _ in range(count):
        item, at = _read(data, at)
        items.append(item)
    return items, at


def _bytes(data: bytes, at: int, length: int) -> bytes:
    if at + length > len(data):
        raise NotReadable("ends early")
    return data[at : at + length]
