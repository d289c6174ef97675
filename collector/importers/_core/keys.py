"""Keys of imported events: computed from the file, so that importing it again, or a longer one, adds only what is new.

docs/adr/0002-import-keys.md says why.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from wire.limits import EPOCH_BYTES

# Format: of a key, docs/adr/0002-import-keys.md.
HEAD_LENGTH: Final = 4096
"""How much of a file's text tells it from others (docs/adr/0002-import-keys.md: the first 4 KiB)."""

_QUOTED: Final = frozenset(',"\n\r')
_encode: Final = msgspec.msgpack.Encoder().encode


def line(cells: Sequence[str]) -> bytes:
    """A row in one spelling, whatever its encoding and line ends: UTF-8, commas, quotes where needed, a line feed."""
    quoted = ['"' + cell.replace('"', '""') + '"' if _QUOTED.intersection(cell) else cell for cell in cells]
    return (",".join(quoted) + "\n").encode("utf-8", "surrogatepass")


def epoch(format_name: str, client: str, head: bytes) -> bytes:
    """The epoch of a file of that format whose text begins with `head` (at most HEAD_LENGTH of it)."""
    parts = (format_name.encode(), client.encode(), head[:HEAD_LENGTH])
    return sha256(b"\x00".join(parts)).digest()[:EPOCH_BYTES]


def epochs(format_name: str, client: str, lines: Sequence[bytes]) -> list[bytes]:
    """The epochs this file may have begun under, oldest possibility last.

    lines: its first rows, HEAD_LENGTH of them or all there are. The first epoch is that of the file as it is; the
    others are those it had when it was still shorter than HEAD_LENGTH, one per row it may have ended at.
    """
    heads, so_far = [], b""
    for row in lines:
        so_far += row
        heads.append(so_far)
        if len(so_far) >= HEAD_LENGTH:
            break
    return list(dict.fromkeys(epoch(format_name, client, head) for head in reversed(heads)))


def rejected_row(row: int, reason: str, column: str) -> bytes:
    """What is kept of a row that could not be taken: where it was and why, nothing of what it said."""
    return _encode({"row": row, "reason": reason, "column": column})
