"""Which parts of a rotated log were imported, so that the newer ones continue when the older are deleted.

It only saves naming every old part for ever: parts that begin with the oldest one continue by themselves.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from collector.importers.queue_log import Part

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Part]).decode


def read_parts(data: Path, client: str) -> list[Part]:
    """The parts noted for a client, oldest first; none where nothing was noted or another build noted it."""
    try:
        return _decode(_file(data, client).read_bytes())
    except (FileNotFoundError, msgspec.MsgspecError):
        return []


def note_parts(data: Path, client: str, epoch: bytes, parts: Sequence[Part], *, parts_max: int, ends_max: int) -> None:
    """Note where the files of an import that is complete continued each other. epoch: of their stream. OSError.

    parts_max: how many places are noted, ends_max: how many ends of streams among them, which take the most room.
    """
    found = {part.head: part for part in read_parts(data, client)}
    for part in parts:
        known = found.get(part.head)
        if known is None or not known.recent or known.after < part.after:  # the end of a stream is the last one known
            found.pop(part.head, None)
            first = part.first if known is None else known.first
            found[part.head] = msgspec.structs.replace(part, stream=epoch, first=first)
    ends = [head for head, part in found.items() if part.recent]
    for head in ends[:-ends_max]:
        del found[head]
    path = _file(data, client)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(_encode(list(found.values())[-parts_max:]))
    beside.replace(path)  # whole or not at all


def _file(data: Path, client: str) -> Path:
    return data / "imports" / f"{client}.queue-log"
