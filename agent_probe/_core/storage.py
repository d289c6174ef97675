"""What the outbox asks of its storage: append, delete, rows, meta. Every call is durable when it returns.

* StorageFull: the world's. Nothing of the call was stored; the outbox makes room by dropping its least valuable rows.
* StorageCorrupt: the world's. The storage is to be set aside and declared lost.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

# Format: measured of SQLite's file.
ROW_COST: Final = 200
"""Bytes a row takes beside its body: keys, index, page slack. A test holds a real file to it."""


class StorageFull(Exception):
    """The disk (or quota) is full; nothing was stored."""


class StorageCorrupt(Exception):
    """What is stored cannot be trusted any more."""


class DropClass(IntEnum):
    """How much an event is worth when room runs out; the lowest goes first."""

    HEARTBEAT = 0
    SAMPLE = 1
    CHANGE = 2


class Row(NamedTuple):
    """One event as written: never re-encoded, never renumbered.

    held_at: ms of outbox time (see Outbox) when it was put. intact: False when the bytes no longer match their
    checksum.
    """

    epoch: bytes
    sequence: int
    kind: int
    kind_version: int
    body: bytes
    drop_class: DropClass
    held_at: int
    intact: bool = True

    @property
    def size(self) -> int:
        """Bytes this row counts for against the limit."""
        return len(self.body) + ROW_COST


class RowHead(NamedTuple):
    """A row without its body."""

    epoch: bytes
    sequence: int
    drop_class: DropClass
    size: int
    held_at: int


class RowRange(NamedTuple):
    """Rows first..last of an epoch, both included: of one class, or whatever their class."""

    epoch: bytes
    first: int
    last: int
    drop_class: DropClass | None = None

    def covers(self, row: "Row") -> bool:
        """Whether `row` is one of them."""
        return (
            self.epoch == row.epoch
            and self.first <= row.sequence <= self.last
            and self.drop_class in (None, row.drop_class)
        )


class Tally(NamedTuple):
    """How many rows of a class, and their bytes."""

    drop_class: DropClass
    rows: int
    size: int


class Storage(Protocol):
    """Where rows live. One transaction per call: all of it or nothing of it."""

    def append(self, row: Row) -> None:
        """Keep `row`. Raises StorageFull, StorageCorrupt."""

    def delete(self, ranges: Sequence[RowRange], meta: bytes) -> list[Tally]:
        """Forget the rows in `ranges` and replace the meta, together. Returns what was removed, by class."""

    def rows(self, epoch: bytes, first: int, limit: int) -> list[Row]:
        """Up to `limit` rows of an epoch from sequence `first` on, ascending."""

    def oldest(self, drop_class: DropClass | None, limit: int) -> list[RowHead]:
        """Up to `limit` rows (of one class, or of all), the longest held first."""

    def span(self, epoch: bytes) -> tuple[int, int] | None:
        """Lowest and highest sequence held of an epoch, or None."""

    def tallies(self) -> list[Tally]:
        """Everything held, by class."""

    def newest_held_at(self) -> int:
        """The latest `held_at` of any row, 0 if there is none."""

    def meta(self) -> bytes | None:
        """What the last `delete` left, or None in a new storage."""


class MemoryStorage:
    """Rows in a dictionary: for tests and for probes whose machine is simulated. Loses everything with its process."""

    def __init__(self) -> None:
        self._rows: dict[bytes, dict[int, Row]] = {}
        self._meta: bytes | None = None

    def append(self, row: Row) -> None:
        self._rows.setdefault(row.epoch, {})[row.sequence] = row

    def delete(self, ranges: Sequence[RowRange], meta: bytes) -> list[Tally]:
        removed: list[Row] = []
        for span in ranges:
            of_epoch = self._rows.get(span.epoch, {})
            if span.last - span.first < len(of_epoch):
                doomed = [n for n in range(span.first, span.last + 1) if n in of_epoch]
            else:
                doomed = [n for n in of_epoch if span.first <= n <= span.last]
            removed.extend(of_epoch.pop(n) for n in doomed if span.covers(of_epoch[n]))
        self._meta = meta
        return _tallies(removed)

    def rows(self, epoch: bytes, first: int, limit: int) -> list[Row]:
        of_epoch = self._rows.get(epoch, {})
        return [of_epoch[n] for n in sorted(n for n in of_epoch if n >= first)[:limit]]

    def oldest(self, drop_class: DropClass | None, limit: int) -> list[RowHead]:
        rows = [r for of_epoch in self._rows.values() for r in of_epoch.values()]
        wanted = [r for r in rows if drop_class is None or r.drop_class == drop_class]
        wanted.sort(key=lambda row: (row.held_at, row.epoch, row.sequence))
        return [RowHead(r.epoch, r.sequence, r.drop_class, r.size, r.held_at) for r in wanted[:limit]]

    def span(self, epoch: bytes) -> tuple[int, int] | None:
        of_epoch = self._rows.get(epoch)
        return (min(of_epoch), max(of_epoch)) if of_epoch else None

    def tallies(self) -> list[Tally]:
        return _tallies([r for of_epoch in self._rows.values() for r in of_epoch.values()])

    def newest_held_at(self) -> int:
        return max((row.held_at for of_epoch in self._rows.values() for row in of_epoch.values()), default=0)

    def meta(self) -> bytes | None:
        return self._meta


def _tallies(rows: Sequence[Row]) -> list[Tally]:
    found = []
    for drop_class in DropClass:
        sizes = [row.size for row in rows if row.drop_class == drop_class]
        if sizes:
            found.append(Tally(drop_class, len(sizes), sum(sizes)))
    return found
