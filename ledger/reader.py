"""Reading a ledger while it is written: entries, keys, roots and proofs. Never writes, sees new segments as they come.

Proofs do not rehash the ledger: subtrees of 256 leaves and more are stored beside the entries, smaller ones are
computed from the 256 stored leaves around them, and the tiles computed last are kept in memory.
"""

import json
import os
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledger.entry import StoredEntry
from ledger.errors import LedgerCorrupt, LedgerMissing, LedgerUnreadable
from ledger.merkle import EMPTY_ROOT, consistency_proof, inclusion_proof, levels_over, range_root
from ledger.segment import ID_FILE, TILE_HEIGHT, connect_reading, read_state, segment_path
from wire.limits import LEDGER_ID_BYTES, SALT_BYTES

TILE_LEAVES: Final = 1 << TILE_HEIGHT
# Batch: of a cache.
_TILES_KEPT: Final = 256  # about 4 MB
_COLUMNS: Final = "entry_index, received_at, stream, sequence, kind, kind_version, content, leaf"

_Row = tuple[int, int, int, int, int, int, bytes | None, bytes]


class LedgerReader:
    """Read access to a ledger directory, from one thread at a time; any number of readers beside one writer."""

    def __init__(self, directory: Path, ledger_id: bytes, lock_wait_ms: int | None) -> None:
        self.ledger_id: Final = ledger_id
        self._directory = directory
        self._lock_wait_ms = lock_wait_ms
        self._first_indexes: list[int] = []
        self._connections: list[sqlite3.Connection] = []
        self._streams: dict[int, tuple[str, bytes]] = {}
        self._tiles: dict[int, list[list[bytes]]] = {}
        self._size = 0
        self._add_segment()
        self.refresh()

    @classmethod
    def open(cls, directory: Path, *, lock_wait_ms: int | None = None) -> "LedgerReader":
        """A reader of the ledger in `directory`. LedgerMissing, LedgerUnreadable, LedgerCorrupt.

        lock_wait_ms: see LedgerSettings; None leaves it to SQLite's driver, as a writer hardly ever locks readers out.
        """
        ledger_id = read_ledger_id(directory)
        if not segment_path(directory, 1).exists():
            raise LedgerMissing(f"{directory}: the ledger has no segment")
        if not os.access(segment_path(directory, 1), os.R_OK):
            raise LedgerUnreadable(f"{segment_path(directory, 1)}: not readable for this user")
        return cls(directory, ledger_id, lock_wait_ms)

    def size(self) -> int:
        """Entries in the ledger now."""
        self.refresh()
        return self._size

    def refresh(self) -> None:
        """Look how far the ledger goes by now. Every reading method but `size` sees it as of the last look."""
        while True:
            size, sealed = self._connections[-1].execute("SELECT size, sealed FROM state").fetchone()
            self._size = size
            if not sealed or not segment_path(self._directory, len(self._connections) + 1).exists():
                return
            self._add_segment()

    def read(self, first: int, limit: int) -> list[StoredEntry]:
        """Entries from index `first` on, at most `limit`, in order; fewer at the end of the ledger."""
        end = first + limit
        if end > self._size:
            end = min(end, self.size())
        entries: list[StoredEntry] = []
        while first < end:
            segment = self._segment_of(first)
            last = end if segment + 1 == len(self._connections) else min(end, self._first_indexes[segment + 1])
            rows = (
                self._connections[segment]
                .execute(
                    f"SELECT {_COLUMNS} FROM entries WHERE entry_index >= ? AND entry_index < ? ORDER BY entry_index",  # noqa: S608 - our own names
                    (first, last),
                )
                .fetchall()
            )
            if len(rows) != last - first:
                raise LedgerCorrupt(f"entries {first}..{last - 1}: {len(rows)} of them are there; run seatwatch fsck")
            entries.extend(self._stored(segment, row) for row in rows)
            first = last
        return entries

    def entry(self, index: int) -> StoredEntry:
        """The entry at `index`. IndexError when the ledger is shorter."""
        found = self.read(index, 1) if index >= 0 else []
        if not found:
            raise IndexError(f"no entry {index} in a ledger of {self._size}")
        return found[0]

    def find(self, source: str, epoch: bytes, sequence: int) -> StoredEntry | None:
        """The entry under that key, in any segment."""
        self.refresh()
        for segment in reversed(range(len(self._connections))):
            row = (
                self._connections[segment]
                .execute(
                    f"SELECT {_COLUMNS} FROM entries WHERE sequence = ?"  # noqa: S608 - our own names
                    " AND stream = (SELECT stream FROM streams WHERE source = ? AND epoch = ?)",
                    (sequence, source, epoch),
                )
                .fetchone()
            )
            if row is not None:
                return self._stored(segment, row)
        return None

    def of_source(self, source: str) -> list[StoredEntry]:
        """Every entry of that source, in all segments and epochs, in order."""
        self.refresh()
        return [
            self._stored(segment, row)
            for segment, connection in enumerate(self._connections)
            for row in connection.execute(
                f"SELECT {_COLUMNS} FROM entries WHERE stream IN (SELECT stream FROM streams WHERE source = ?)"  # noqa: S608 - our own names
                " ORDER BY entry_index",
                (source,),
            ).fetchall()
        ]

    def span_of_source(self, source: str, first: int, end: int) -> Iterator[StoredEntry]:
        """Entries of that source with first <= index < end, epoch by epoch, one at a time and not in order of index.

        What others told in between is not read: the cost is that of the source's own entries.
        """
        end = min(end, self.size())
        if first >= end:
            return
        for segment in range(self._segment_of(first), self._segment_of(end - 1) + 1):
            yield from (
                self._stored(segment, row)
                for row in self._connections[segment].execute(
                    f"SELECT {_COLUMNS} FROM entries INDEXED BY entry_keys"  # noqa: S608 - our own names
                    " WHERE stream IN (SELECT stream FROM streams WHERE source = ?)"
                    " AND entry_index >= ? AND entry_index < ?",
                    (source, first, end),
                )
            )

    def first_of_source(self, source: str, kind: int, first: int, end: int) -> StoredEntry | None:
        """The earliest entry of that kind and source with first <= index < end; within one epoch the lowest number."""
        end = min(end, self.size())
        found: list[StoredEntry] = []
        if first >= end:
            return None
        for segment in range(self._segment_of(first), self._segment_of(end - 1) + 1):
            connection = self._connections[segment]
            for (stream,) in connection.execute("SELECT stream FROM streams WHERE source = ?", (source,)).fetchall():
                row = connection.execute(
                    f"SELECT {_COLUMNS} FROM entries INDEXED BY entry_keys"  # noqa: S608 - our own names
                    " WHERE stream = ? AND entry_index >= ? AND entry_index < ? AND kind = ? LIMIT 1",
                    (stream, first, end, kind),
                ).fetchone()
                if row is not None:
                    found.append(self._stored(segment, row))
        return min(found, key=lambda entry: entry.index, default=None)

    def index_at(self, received_at: int, *, after: int = 0) -> int:
        """The first entry that came in at that instant (ms) or later; the size of the ledger where none did.

        after: an index known not to be beyond it.
        """
        return bisect_left(range(self.size()), received_at, lo=after, key=self.received_at)

    def received_at(self, index: int) -> int:
        """When an entry came in, ms. IndexError when the ledger is shorter."""
        segment = self._segment_of(index)
        row = (
            self._connections[segment]
            .execute("SELECT received_at FROM entries WHERE entry_index = ?", (index,))
            .fetchone()
        )
        if row is None:
            raise IndexError(f"no entry {index} in a ledger of {self._size}")
        at: int = row[0]
        return at

    def sequences_above(self, source: str, epoch: bytes, mark: int) -> set[int]:
        """Sequences of that stream above `mark`, in all segments."""
        self.refresh()
        return {
            sequence
            for connection in self._connections
            for (sequence,) in connection.execute(
                "SELECT sequence FROM entries WHERE sequence > ?"
                " AND stream = (SELECT stream FROM streams WHERE source = ? AND epoch = ?)",
                (mark, source, epoch),
            ).fetchall()
        }

    def root(self, size: int) -> bytes:
        """Root of the tree over the first `size` entries. ValueError when the ledger is shorter."""
        self._require_reached(size)
        return range_root(0, size, self.node) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Proof that entry `index` is in the tree of `size` entries. ValueError unless index < size <= the ledger's."""
        self._require_reached(size)
        return inclusion_proof(index, size, self.node)

    def consistency_proof(self, size1: int, size2: int) -> list[bytes]:
        """Proof that the tree of `size2` entries continues that of `size1` > 0. ValueError otherwise."""
        self._require_reached(size2)
        return consistency_proof(size1, size2, self.node)

    def node(self, height: int, position: int) -> bytes:
        """Hash of the perfect subtree over leaves position * 2^height up to the next multiple."""
        if height < TILE_HEIGHT:
            position_in_tile = position & (1 << TILE_HEIGHT - height) - 1
            return self._tile(position >> TILE_HEIGHT - height)[height][position_in_tile]
        segment = self._segment_of(((position + 1) << height) - 1)  # a subtree is stored where its last leaf is
        row = (
            self._connections[segment]
            .execute("SELECT hash FROM nodes WHERE height = ? AND position = ?", (height, position))
            .fetchone()
        )
        if row is None:
            raise LedgerCorrupt(f"the stored hash of subtree {height}/{position} is missing; run seatwatch fsck")
        found: bytes = row[0]
        return found

    def close(self) -> None:
        """Let go of the files."""
        for connection in self._connections:
            connection.close()

    def _tile(self, tile: int) -> list[list[bytes]]:
        kept = self._tiles.get(tile)
        if kept is not None:
            return kept
        first = tile << TILE_HEIGHT
        levels = levels_over(self._leaves(first, min(first + TILE_LEAVES, self._size)))
        if len(levels[0]) == TILE_LEAVES:
            if len(self._tiles) >= _TILES_KEPT:
                del self._tiles[next(iter(self._tiles))]
            self._tiles[tile] = levels
        return levels

    def _leaves(self, first: int, end: int) -> list[bytes]:
        leaves: list[bytes] = []
        for segment in range(self._segment_of(first), self._segment_of(end - 1) + 1):
            rows = self._connections[segment].execute(
                "SELECT leaf FROM entries WHERE entry_index >= ? AND entry_index < ? ORDER BY entry_index", (first, end)
            )
            leaves.extend(row[0] for row in rows)
        if len(leaves) != end - first:
            raise LedgerCorrupt(f"entries {first}..{end - 1}: {len(leaves)} of them are there; run seatwatch fsck")
        return leaves

    def _require_reached(self, size: int) -> None:
        if size > self._size:
            self.refresh()
        if not 0 <= size <= self._size:
            raise ValueError(f"no tree of size {size} in a ledger of {self._size}")

    def _segment_of(self, index: int) -> int:
        return bisect_right(self._first_indexes, index) - 1

    def _stored(self, segment: int, row: _Row) -> StoredEntry:
        index, received_at, stream, sequence, kind, kind_version, content, leaf = row
        source, epoch = self._streams.get(stream) or self._stream(segment, stream)
        salt = body = None
        if content is not None:
            salt, body = content[:SALT_BYTES], content[SALT_BYTES:]
        return StoredEntry(index, received_at, source, epoch, sequence, kind, kind_version, salt, body, leaf)

    def _stream(self, segment: int, stream: int) -> tuple[str, bytes]:
        row = (
            self._connections[segment]
            .execute("SELECT source, epoch FROM streams WHERE stream = ?", (stream,))
            .fetchone()
        )
        if row is None:
            raise LedgerCorrupt(f"an entry names stream {stream}, which is not there; run seatwatch fsck")
        self._streams[stream] = row
        return row[0], row[1]

    def _add_segment(self) -> None:
        path = segment_path(self._directory, len(self._connections) + 1)
        connection = connect_reading(path, self._lock_wait_ms)
        try:
            state = read_state(connection)
        except (sqlite3.DatabaseError, LedgerCorrupt) as error:
            connection.close()
            raise LedgerCorrupt(f"{path}: {error}; run seatwatch fsck") from error
        if state.ledger_id != self.ledger_id:
            connection.close()
            raise LedgerCorrupt(f"{path} belongs to ledger {state.ledger_id.hex()}, not {self.ledger_id.hex()}")
        self._connections.append(connection)
        self._first_indexes.append(state.first_index)


def read_ledger_id(directory: Path) -> bytes:
    """The id (16 bytes) of the ledger in `directory`. LedgerMissing, LedgerUnreadable, LedgerCorrupt."""
    try:
        found = json.loads((directory / ID_FILE).read_text(encoding="utf-8"))
        ledger_id = bytes.fromhex(found["ledger_id"])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LedgerMissing(f"{directory}: there is no {ID_FILE}, so no ledger") from error
    except PermissionError as error:
        raise LedgerUnreadable(f"{directory}: not readable for this user") from error
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerCorrupt(f"{directory / ID_FILE}: {error}") from error
    if len(ledger_id) != LEDGER_ID_BYTES:
        raise LedgerCorrupt(f"{directory / ID_FILE}: a ledger id takes {LEDGER_ID_BYTES} bytes")
    return ledger_id
