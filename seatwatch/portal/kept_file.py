"""What was read of one span, in a file without a name that the server and the process which reads hold together.

The server holds no figures of its own: a month of a large client is some 100 MB. The file is gone with its last holder.
"""

import os
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from seatwatch.portal.reading import Told

# Format: two big-endian integers of eight bytes before what is kept: entries read so far, and of how many.
_NUMBER: Final = 8
_HEAD: Final = 2 * _NUMBER
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Told).decode


class Passed(NamedTuple):
    """So many entries were read, of so many; of 0 = nobody can say yet."""

    entries: int
    of: int


class KeptFile:
    """Implements seatwatch.portal.reading.Keeping over an open file."""

    def __init__(self, number: int) -> None:
        """number: of the file, as the system counts them."""
        self._file: Final = number

    def kept(self) -> Told | None:
        """What was read before, None = nothing, or not the whole of it: whoever kept it was ended meanwhile."""
        size = os.fstat(self._file).st_size - _HEAD
        try:
            return _decode(os.pread(self._file, size, _HEAD)) if size > 0 else None
        except msgspec.MsgspecError:
            return None

    def keep(self, told: Told) -> None:
        """From now on it is this. A disk that is full keeps nothing: the page is made all the same."""
        body = memoryview(_encode(told))
        os.ftruncate(self._file, _HEAD)
        place = _HEAD
        try:
            while body:
                written = os.pwrite(self._file, body, place)
                place, body = place + written, body[written:]
        except OSError:
            os.ftruncate(self._file, 0)  # room for whatever else needs it

    def passed(self, entries: int, of: int) -> None:
        """So many of them were read by now."""
        _say(self._file, entries.to_bytes(_NUMBER) + of.to_bytes(_NUMBER))


def begin_in(number: int) -> None:
    """Whoever reads into that file has not begun yet."""
    _say(number, bytes(_HEAD))


def passed_in(number: int) -> Passed:
    """How far whoever reads into that file has come."""
    head = os.pread(number, _HEAD, 0)
    return Passed(int.from_bytes(head[:_NUMBER]), int.from_bytes(head[_NUMBER:]))


def _say(number: int, head: bytes) -> None:
    with suppress(OSError):  # of a full disk: then nobody can say how far it is
        os.pwrite(number, head, 0)
