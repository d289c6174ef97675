"""Rows of a log that came before: one that was shipped twice, or where the parts of a rotated log overlap.

Of a row that is the same in all it says and whose second has passed since, or that stood in a part before, nobody
could tell a second happening from a second copy; and a second happening a log of whole seconds hardly has. Within one
second of one part only what cannot happen twice to a call without anything between is a copy.
"""

from collections import deque
from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Final

from collector.importers._core.queue_log import Call, LogRow, call_event

REPEATED: Final = "row_repeated"
"""What a row is that came before."""
_NAME: Final = Struct(">Q")
"""A row's name: the beginning of its digest."""


class Repeats:
    """The rows of late. Of about half of `rows_max` and more it knows that they came before.

    recent, first: the last and the first `noted_max` rows, for other runs.
    """

    def __init__(self, rows_max: int, noted_max: int, recent: bytes = b"", others: Iterable[bytes] = ()) -> None:
        """recent: of the run before. others: how other streams begin (`first`), into which this one may run."""
        self._generation_max = max(rows_max // 2, 1)
        self._recent: deque[int] = deque(maxlen=noted_max)
        self._noted_max = noted_max
        self._first: list[int] = []
        self._others = {names[0]: frozenset(names) for names in map(_names, others) if names}
        """By its first row, what another stream holds at its beginning."""
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._at: int | None = None
        self._of_this_second: set[int] = set()
        self._last_of_call: dict[tuple[str, str], int] = {}
        for name in _names(recent):
            self._remember(name)

    @property
    def recent(self) -> bytes:
        """The last rows, to begin another run with."""
        return b"".join(map(_NAME.pack, self._recent))

    @property
    def first(self) -> bytes:
        """The first rows of this run, for another stream that runs into it."""
        return b"".join(map(_NAME.pack, self._first))

    def begin_part(self) -> None:
        """A further part begins: what it holds of the second that the one before ended in came with that one."""
        self._of_this_second.clear()

    def has(self, row: LogRow) -> bool:
        """Whether the row came before. Remembers it."""
        if row.at != self._at:
            self._at = row.at
            self._of_this_second.clear()
            self._last_of_call.clear()
        name = _name("\n".join((str(row.at), row.call, row.queue, row.account, row.event, *row.params)).encode())
        call = (row.call, row.queue)
        if name in self._of_this_second:
            event = call_event(row)
            came = event is not None and event.does is not Call.RINGS and self._last_of_call.get(call) == name
        else:
            came = self._came(name)
        if not came:
            self._of_this_second.add(name)
            self._last_of_call[call] = name
            if name in self._others:  # from here on it is that stream
                self._young |= self._others.pop(name)
                came = True
        self._remember(name)
        return came

    def has_line(self, line: bytes) -> bool:
        """Whether a row that could not be read came before. Remembers it."""
        name = _name(b"\0" + line)
        came = self._came(name)
        self._remember(name)
        return came

    def _came(self, name: int) -> bool:
        return name in self._young or name in self._old

    def _remember(self, name: int) -> None:
        if name not in self._young:
            self._young.add(name)
            if len(self._young) >= self._generation_max:
                self._old, self._young = self._young, set()
        self._recent.append(name)
        if len(self._first) < self._noted_max:
            self._first.append(name)


def _names(noted: bytes) -> list[int]:
    return [name for (name,) in _NAME.iter_unpack(noted)]


def _name(text: bytes) -> int:
    name: int = _NAME.unpack_from(sha256(text).digest())[0]
    return name
