"""Signed checkpoints: a ledger's size and root in three lines of text under an Ed25519 signature.

Formats: C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0, readable by any tool of that family, offline. A client who
keeps one checkpoint can later show that history before it was not rewritten.

The signer remembers, beside its key and so apart from the ledger, what it signed last for each ledger, and refuses a
tree that is smaller or no continuation of it: a restored older copy cannot be passed off as the same history.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ledger.errors import NoteInvalid, SigningRefused
from ledger.merkle import EMPTY_ROOT, verify_consistency
from ledger.segment import CHECKPOINTS, sync_directory, write_durably
from wire.errors import require
from wire.limits import HASH_BYTES

VKEY_FILE: Final = "vkey"
_ED25519: Final = b"\x01"
_AUTHORITY: Final = re.compile(r"^[a-z0-9.-]+(/[a-z0-9._-]+)*$")
_SIZE: Final = re.compile(r"^(0|[1-9][0-9]{0,18})$")

ProofOf = Callable[[int, int], list[bytes]]
"""(size1, size2) -> consistency proof."""


class Checkpoint(NamedTuple):
    """What a checkpoint says. origin: which ledger. root: 32 bytes."""

    origin: str
    size: int
    root: bytes


class Verifier:
    """A public key under the name it signs with, from a verifier key (`name+id+base64`)."""

    def __init__(self, vkey: str) -> None:
        """NoteInvalid when `vkey` is not an Ed25519 verifier key."""
        name, separator, rest = vkey.strip().partition("+")
        written_id, separator2, encoded = rest.partition("+")
        material = _decoded(encoded)
        if not (name and separator and separator2 and len(material) == 33 and material[:1] == _ED25519):
            raise NoteInvalid("not an Ed25519 verifier key: expected name+id+base64")
        self.name: Final = name
        self.key_id: Final = key_id(name, material[1:])
        if written_id != self.key_id.hex():
            raise NoteInvalid(f"the verifier key of {name} carries id {written_id}, its key gives {self.key_id.hex()}")
        self._key = Ed25519PublicKey.from_public_bytes(material[1:])

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (64 bytes) is ours over `text`."""
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class Signer:
    """The hub's signing key and its memory of what it signed. Open it with `Signer.open`."""

    def __init__(self, key: Ed25519PrivateKey, memory_file: Path, authority: str) -> None:
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._memory_file = memory_file
        self._authority = authority

    @classmethod
    def open(cls, key_file: Path, *, authority: str) -> "Signer":
        """The key in `key_file`, made on first use, readable by its owner only (0600).

        authority: who runs the ledgers, as a URL without scheme such as `hub.example.com`; with the ledger's id it
        makes the origin line. PermissionError when others may read the key; OSError; ValueError when it is no key.
        """
        require(_AUTHORITY.match(authority) is not None, "an authority is a URL without scheme, in lower case")
        if not key_file.exists():
            _create_key(key_file)
        mode = key_file.stat().st_mode & 0o777
        if mode & 0o077:
            raise PermissionError(
                f"{key_file} has mode {mode:04o}; others may read it: chmod 600 and think of a new key"
            )
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key_file.read_text(encoding="ascii")))
        return cls(key, key_file.with_name(key_file.name + ".signed.json"), authority)

    def origin(self, ledger_id: bytes) -> str:
        """First line of the checkpoints of that ledger, and the name they are signed with."""
        return f"{self._authority}/{ledger_id.hex()}"

    def vkey(self, ledger_id: bytes) -> str:
        """The verifier key to hand to whoever checks that ledger's checkpoints."""
        name = self.origin(ledger_id)
        encoded = base64.b64encode(_ED25519 + self._public).decode()
        return f"{name}+{key_id(name, self._public).hex()}+{encoded}"

    def sign(self, ledger_id: bytes, size: int, root: bytes, proof_of: ProofOf) -> str:
        """A signed checkpoint. proof_of: gives the consistency proof from the tree signed last.

        Raises SigningRefused when the tree is smaller than that one or does not continue it. What is signed is
        remembered, durably, before the signature exists.
        """
        origin = self.origin(ledger_id)
        memory = self._memory()
        if origin in memory:
            size1, root1 = memory[origin]
            _require_continuation(origin, size1, root1, size, root, proof_of)
        else:
            require(size > 0 or root == EMPTY_ROOT, "the empty tree has one root")
        memory[origin] = (size, root)
        remembered = {name: [at, kept.hex()] for name, (at, kept) in memory.items()}
        write_durably(self._memory_file, json.dumps(remembered, indent=1, sort_keys=True) + "\n")
        text = checkpoint_text(Checkpoint(origin, size, root))
        signature = key_id(origin, self._public) + self._key.sign(text.encode())
        return f"{text}\n\N{EM DASH} {origin} {base64.b64encode(signature).decode()}\n"

    def _memory(self) -> dict[str, tuple[int, bytes]]:
        if not self._memory_file.exists():
            return {}
        try:
            found = json.loads(self._memory_file.read_text(encoding="utf-8"))
            return {name: (int(size), bytes.fromhex(root)) for name, (size, root) in found.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise SigningRefused(f"{self._memory_file}: what was signed last cannot be read: {error}") from error


def key_id(name: str, public_key: bytes) -> bytes:
    """The 4 bytes that tell keys of one name apart."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The three signed lines."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n"


def open_checkpoint(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint in `note`, signed by one of `verifiers`; unknown keys are ignored. NoteInvalid otherwise."""
    text = open_note(note, verifiers)
    lines = text.split("\n")[:-1]
    # Format: C2SP tlog-checkpoint: origin, size, root.
    if len(lines) < 3 or not all(lines) or not _SIZE.match(lines[1]):
        raise NoteInvalid("not a checkpoint: expected origin, size and root, a line each")
    root = _decoded(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteInvalid("the root of a checkpoint takes 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_note(note: str, verifiers: Iterable[Verifier]) -> str:
    """The text of `note`, with its final newline, if a trusted key signed it. NoteInvalid otherwise."""
    text, signatures = _taken_apart(note)
    trusted = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    accepted = False
    for name, signature in signatures:
        # Format: C2SP signed-note: four bytes name the key.
        verifier = trusted.get((name, signature[:4]))
        if verifier is None:
            continue
        if not verifier.accepts(text, signature[4:]):
            raise NoteInvalid(f"the signature of {name} does not fit")
        accepted = True
    if not accepted:
        raise NoteInvalid("no trusted key signed this")
    return text


def has_signed(note: str, verifier: Verifier) -> bool:
    """Whether a signature under `note`, which must be one, is that key's."""
    try:
        open_note(note, [verifier])
    except NoteInvalid:
        return False
    return True


def kept_keys(directory: Path) -> list[str]:
    """Verifier keys kept in the ledger directory: the one that signs now first, then those before it."""
    path = directory / CHECKPOINTS / VKEY_FILE
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def newest_signed(directory: Path) -> int:
    """Size of the newest tree of which a checkpoint is kept, 0 when there is none."""
    folder = directory / CHECKPOINTS
    return max((int(path.stem) for path in folder.glob("*.note") if path.stem.isdecimal()), default=0)


def keep_note(directory: Path, size: int, note: str, vkey: str) -> Path:
    """Keep a signed note, and the verifier key before all earlier ones, in the ledger directory. Durable on return."""
    folder = directory / CHECKPOINTS
    if not folder.exists():
        folder.mkdir()
        sync_directory(directory)
    keys = kept_keys(directory)
    if keys[:1] != [vkey]:
        earlier = [key for key in keys if key != vkey]
        write_durably(folder / VKEY_FILE, "\n".join([vkey, *earlier]) + "\n")
    path = folder / f"{size:020d}.note"
    write_durably(path, note)
    return path


def _taken_apart(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Text and (name, key id and signature) of each line under it."""
    if any(character < " " and character != "\n" for character in note):
        raise NoteInvalid("a note has no control characters")
    text, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise NoteInvalid("not a note: expected a text, an empty line and signature lines")
    signatures = []
    for line in tail[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        signature = _decoded(encoded)
        # Format: C2SP signed-note: four bytes name the key, then the signature.
        if dash != "\N{EM DASH}" or not name or "+" in name or len(signature) < 5:
            raise NoteInvalid("malformed signature line")
        signatures.append((name, signature))
    return text + "\n", signatures


def _require_continuation(origin: str, size1: int, root1: bytes, size: int, root: bytes, proof_of: ProofOf) -> None:
    if size < size1:
        raise SigningRefused(f"{origin}: size {size1} was signed before, {size} is smaller")
    if size1 == 0:
        return
    proof = [] if size == size1 else proof_of(size1, size)
    if not verify_consistency(size1, size, root1, root, proof):
        raise SigningRefused(
            f"{origin}: the tree of size {size} does not continue the one of size {size1} signed before"
        )


def _create_key(key_file: Path) -> None:
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    sync_directory(key_file.parent)


def _decoded(text: str) -> bytes:
    """Base 64, strictly; b"" when it is none."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
