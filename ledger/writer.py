"""The single appender. One commit is one transaction: entries, keys, frontier, marks and the fencing check together.

Two fences keep it single. A lock file keeps a second process of this machine out. A fencing epoch, counted up by every
open and compared inside every transaction, stops a writer that was thought dead: its next transaction fails.

A file that is removed or replaced under the writer still takes its writes, and the next start would not find them: each
commit looks whether the names still lead to the files that it wrote to.

After anything goes wrong in a commit the writer is over: every later call raises LedgerFailed, and the process must end
without acknowledging. It never retries a failed fsync; the next start reads what is on disk.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from ledger.checkpoint import Signer, keep_note
from ledger.entry import LEAF_HEAD, PACK_FIXED, NewEntry, source_tail
from ledger.errors import KeyTaken, LedgerFailed, LedgerFenced, LedgerMoved
from ledger.merkle import Frontier
from ledger.opening import follow, month_ends_at, open_last_segment, own_id, remove_unfinished, take_lock
from ledger.reader import LedgerReader
from ledger.segment import NO_SEQUENCE, TILE_HEIGHT, LedgerSettings, State, open_files, read_state, segment_path
from wire.errors import require
from wire.limits import EPOCH_BYTES, SALT_BYTES

StreamKey = tuple[str, bytes]
"""(source, epoch)."""

_COLUMNS: Final = 8  # Format: of the table of entries
_ROWS_AT_ONCE: Final = 50  # Batch: fewer round trips into SQLite, measured a sixth of the insert's time
_INSERT_ONE: Final = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_MANY: Final = _INSERT_ONE + ", (?, ?, ?, ?, ?, ?, ?, ?)" * (_ROWS_AT_ONCE - 1)
_INSERT_NODE: Final = "INSERT INTO nodes VALUES (?, ?, ?)"
_INSERT_STREAM: Final = "INSERT INTO streams (source, epoch, mark, highest_sealed) VALUES (?, ?, 0, ?)"
_UPDATE_MARK: Final = "UPDATE streams SET mark = ? WHERE stream = ?"
_UPDATE_STATE: Final = "UPDATE state SET size = ?, frontier = ?, last_received_at = ?"

# What a commit adds to the write-ahead log, roughly: whole pages of tables and index, and each entry's columns.
# Format: measured of SQLite's log.
_WAL_BYTES_PER_COMMIT: Final = 24 * 1024
_WAL_BYTES_PER_ENTRY: Final = 200


_Values = list[int | bytes]


class Committed(NamedTuple):
    """What a commit made durable: entries first_index..size-1, all with this received_at (ms)."""

    first_index: int
    size: int
    received_at: int


class _Stream:
    """What the writer remembers of a (source, epoch): number, end of its headers, mark, highest sequence stored."""

    __slots__ = ("highest", "highest_sealed", "mark", "number", "tail")

    def __init__(self, number: int, tail: bytes, mark: int, highest: int, highest_sealed: int) -> None:
        self.number = number
        self.tail = tail
        self.mark = mark
        self.highest = highest
        self.highest_sealed = highest_sealed


class LedgerWriter:
    """The one writer of a ledger directory. Use it from one thread at a time."""

    def __init__(  # `open` is the way in: it holds the lock and knows the segments are sound
        self,
        directory: Path,
        *,
        settings: LedgerSettings,
        random_bytes: Callable[[int], bytes],
        lock: int,
        connection: sqlite3.Connection,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._random_bytes = random_bytes
        self._lock = lock
        self._reader = LedgerReader.open(directory, lock_wait_ms=settings.lock_wait_ms)
        self._over: BaseException | None = None
        state = read_state(connection)
        self.ledger_id: Final = state.ledger_id
        self.fencing_epoch: Final = state.fencing_epoch
        self._adopt(connection, state)

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        settings: LedgerSettings,
        clock_ms: Callable[[], int],
        ledger_id: bytes | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> "LedgerWriter":
        """Open the ledger in `directory`, made on first use (with `ledger_id`, or a random one).

        clock_ms: the hub's clock, ms since the Unix epoch. Raises LedgerBusy, LedgerUnsafe, LedgerCorrupt;
        LedgerFailed or OSError when the disk refuses.
        """
        directory.mkdir(parents=True, exist_ok=True)
        lock = take_lock(directory)
        try:
            remove_unfinished(directory)
            identity = own_id(directory, ledger_id, random_bytes)
            connection = open_last_segment(directory, identity, settings, clock_ms())
            return cls(
                directory,
                settings=settings,
                random_bytes=random_bytes,
                lock=lock,
                connection=connection,
            )
        except BaseException as error:
            os.close(lock)
            if isinstance(error, sqlite3.Error):
                raise LedgerFailed(f"{directory}: opening did not complete: {error}") from error
            raise

    @property
    def size(self) -> int:
        """Entries in the ledger; the index of the next one."""
        return self._frontier.size

    @property
    def last_received_at(self) -> int:
        """received_at (ms) of the last entry, 0 before the first."""
        return self._last_received_at

    def root(self) -> bytes:
        """Root of the tree over all entries."""
        return self._frontier.root()

    def mark(self, source: str, epoch: bytes) -> int:
        """The persistent mark of that stream, 0 before it has one."""
        stream = self._find_stream((source, epoch))
        return 0 if stream is None else stream.mark

    def beyond(self, source: str, epoch: bytes) -> set[int]:
        """Sequences of that stream that are stored above its mark."""
        stream = self._find_stream((source, epoch))
        if stream is None or stream.highest <= stream.mark:
            return set()
        rows = self._connection.execute(
            "SELECT sequence FROM entries WHERE stream = ? AND sequence > ?", (stream.number, stream.mark)
        )
        found = {row[0] for row in rows}
        if stream.highest_sealed > stream.mark:
            found |= self._reader.sequences_above(source, epoch, stream.mark)
        return found

    def highest(self, source: str, epoch: bytes) -> int:
        """The highest sequence of that stream that is stored, 0 before there is one. For streams that need no mark."""
        stream = self._find_stream((source, epoch))
        return 0 if stream is None else max(stream.highest, 0)

    def streams(self) -> Iterator[tuple[str, bytes, int]]:
        """Every (source, epoch, mark) this ledger ever saw."""
        yield from self._connection.execute("SELECT source, epoch, mark FROM streams ORDER BY stream").fetchall()

    def body_of(self, source: str, epoch: bytes, sequence: int) -> tuple[int, int, bytes | None] | None:
        """(kind, kind_version, body) stored under that key in any segment, or None. A purged body is None."""
        stream = self._find_stream((source, epoch))
        if stream is None or sequence > stream.highest:
            return None
        row: tuple[int, int, bytes | None] | None = self._connection.execute(
            "SELECT kind, kind_version, substr(content, 17) FROM entries WHERE stream = ? AND sequence = ?",
            (stream.number, sequence),
        ).fetchone()
        if row is None and sequence <= stream.highest_sealed:
            stored = self._reader.find(source, epoch, sequence)
            return None if stored is None else (stored.kind, stored.kind_version, stored.body)
        return row

    def commit(
        self, entries: Sequence[NewEntry], *, received_at: int, marks: Mapping[StreamKey, int] | None = None
    ) -> Committed:
        """Append `entries` and move `marks` in one transaction, on disk when this returns.

        received_at: hub's ms; clamped so that it never decreases. Raises LedgerFailed on any SQLite or OS error: the
        process must then end without acknowledging. A mark that would go back is a ContractViolation.
        """
        if self._over is not None:
            raise LedgerFailed("this writer is over; the process should have ended") from self._over
        if not entries and not marks:
            return Committed(self.size, self.size, self._last_received_at)
        try:
            return self._commit(entries, max(received_at, self._last_received_at), marks or {})
        except BaseException as error:  # memory and file may disagree now, whatever it was: nothing may follow
            self._over = error
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.IntegrityError):
                raise KeyTaken(f"a key of this commit is already stored: {error}") from error
            if isinstance(error, sqlite3.Error | OSError):
                raise LedgerFailed(f"the commit did not complete: {error}") from error
            raise

    def checkpoint(self, signer: Signer) -> str:
        """A signed note over the tree as it is, kept in the directory. SigningRefused; LedgerFailed on a disk error."""
        self._reader.refresh()
        note = signer.sign(self.ledger_id, self.size, self.root(), self._reader.consistency_proof)
        try:
            keep_note(self._directory, self.size, note, signer.vkey(self.ledger_id))
        except OSError as error:
            self._over = error
            raise LedgerFailed(f"the checkpoint could not be kept: {error}") from error
        return note

    def close(self) -> None:
        """Copy the log into the segment and let the next writer in. Harmless when repeated."""
        if self._lock < 0:
            return
        with suppress(sqlite3.Error):  # the entries are durable in the log already; the next open copies it
            if self._over is None:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        self._reader.close()
        os.close(self._lock)
        self._lock = -1

    def _adopt(self, connection: sqlite3.Connection, state: State) -> None:
        """Go on in the open segment behind `connection`."""
        self._connection = connection
        self._streams: dict[StreamKey, _Stream] = {}
        self._first_index = state.first_index
        self._frontier = Frontier.from_bytes(state.size, state.frontier)
        self._last_received_at = state.last_received_at
        self._wal_bytes = 0
        self._is_full = False
        self._month_ends_at = 0
        row = connection.execute(
            "SELECT received_at FROM entries WHERE entry_index = ?", (state.first_index,)
        ).fetchone()
        if row is not None:
            self._month_ends_at = month_ends_at(row[0])
        self._files = open_files(segment_path(self._directory, state.number))
        self._inodes = _inodes(self._files)  # what was read above made SQLite open its log

    def _find_stream(self, key: StreamKey) -> _Stream | None:
        stream = self._streams.get(key)
        if stream is not None:
            return stream
        row = self._connection.execute(
            "SELECT stream, mark, highest_sealed FROM streams WHERE source = ? AND epoch = ?", key
        ).fetchone()
        if row is None:
            return None
        number, mark, highest_sealed = row
        highest = self._connection.execute(
            "SELECT ifnull(max(sequence), ?) FROM entries WHERE stream = ?", (NO_SEQUENCE, number)
        ).fetchone()[0]
        stream = _Stream(number, source_tail(key[0]), mark, max(highest, highest_sealed), highest_sealed)
        self._streams[key] = stream
        return stream

    def _intern(self, key: StreamKey) -> _Stream:
        """The stream of that key, made within the running transaction if it is new."""
        stream = self._find_stream(key)
        if stream is None:
            require(len(key[1]) == EPOCH_BYTES, "an epoch takes 16 bytes")
            tail = source_tail(key[0])
            number = self._connection.execute(_INSERT_STREAM, (*key, NO_SEQUENCE)).lastrowid
            require(number is not None, "SQLite numbers every inserted row")
            stream = self._streams[key] = _Stream(number or 0, tail, 0, NO_SEQUENCE, NO_SEQUENCE)
        return stream

    def _commit(self, entries: Sequence[NewEntry], received_at: int, marks: Mapping[StreamKey, int]) -> Committed:
        first_index = self._frontier.size
        if entries and first_index > self._first_index and (self._is_full or received_at >= self._month_ends_at):
            self._roll()
        connection = self._connection
        self._begin()
        values, leaves = self._hashed(entries, received_at)
        whole = len(entries) // _ROWS_AT_ONCE * _ROWS_AT_ONCE * _COLUMNS
        connection.executemany(_INSERT_MANY, _cut(values, 0, whole, _ROWS_AT_ONCE * _COLUMNS))
        connection.executemany(_INSERT_ONE, _cut(values, whole, len(values), _COLUMNS))
        frontier = self._frontier.copy()
        nodes = frontier.extend(leaves, TILE_HEIGHT)
        connection.executemany(_INSERT_NODE, nodes)
        moved = self._moved(marks)
        connection.executemany(_UPDATE_MARK, [(mark, stream.number) for stream, mark in moved])
        last_received_at = received_at if entries else self._last_received_at
        connection.execute(_UPDATE_STATE, (frontier.size, frontier.to_bytes(), last_received_at))
        connection.execute("COMMIT")
        self._require_in_place()
        for stream, mark in moved:
            stream.mark = mark
        if first_index == self._first_index and entries:
            self._month_ends_at = month_ends_at(received_at)
        self._frontier = frontier
        self._last_received_at = last_received_at
        self._wal_bytes += _WAL_BYTES_PER_COMMIT + sum([_WAL_BYTES_PER_ENTRY + len(entry.body) for entry in entries])
        if self._wal_bytes >= self._settings.wal_bytes_max:
            self._copy_log()
        return Committed(first_index, frontier.size, last_received_at)

    def _begin(self) -> None:
        """Begin a transaction that only the writer who opened the ledger last can have."""
        self._connection.execute("BEGIN IMMEDIATE")
        found = self._connection.execute("SELECT fencing_epoch, sealed, size FROM state").fetchone()
        if found != (self.fencing_epoch, 0, self._frontier.size):
            raise LedgerFenced(f"another writer opened the ledger after fencing epoch {self.fencing_epoch}")

    def _require_in_place(self) -> None:
        """Whoever opens the ledger by its names finds what was just committed."""
        try:
            found = _inodes(self._files)
        except FileNotFoundError as error:
            raise LedgerMoved(f"{error.filename} was removed while it was written to") from error
        if found != self._inodes:
            raise LedgerMoved(f"{self._files[0]}, or a file beside it, was replaced while it was written to")

    def _hashed(self, entries: Sequence[NewEntry], received_at: int) -> tuple[_Values, list[bytes]]:
        """Values of the entries table, row after row, and the leaves: the collector's hottest loop."""
        salts = self._random_bytes(SALT_BYTES * len(entries))
        head, pack, hashed = LEAF_HEAD + self.ledger_id, PACK_FIXED, sha256
        streams, intern = self._streams, self._intern
        index = self._frontier.size
        at = 0
        values: _Values = []
        leaves: list[bytes] = []
        for entry in entries:
            source, epoch, sequence = entry.source, entry.epoch, entry.sequence
            stream = streams.get((source, epoch)) or intern((source, epoch))
            if sequence > stream.highest:
                stream.highest = sequence
            elif sequence <= stream.highest_sealed and self._reader.find(source, epoch, sequence) is not None:
                raise sqlite3.IntegrityError(f"{source} {epoch.hex()} {sequence} is in a sealed segment")
            content = salts[at : at + SALT_BYTES] + entry.body
            at += SALT_BYTES
            kind, kind_version = entry.kind, entry.kind_version
            fixed = pack(head, index, received_at, epoch, sequence, kind, kind_version)
            leaf = hashed(fixed + stream.tail + content).digest()
            leaves.append(leaf)
            values += (index, received_at, stream.number, sequence, kind, kind_version, content, leaf)
            index += 1
        return values, leaves

    def _moved(self, marks: Mapping[StreamKey, int]) -> list[tuple[_Stream, int]]:
        moved = []
        for key, mark in marks.items():
            stream = self._streams.get(key) or self._intern(key)
            require(mark >= stream.mark, "a mark never goes back")
            if mark > stream.mark:
                moved.append((stream, mark))
        return moved

    def _copy_log(self) -> None:
        """Copy the write-ahead log into the segment, so that it is reused from its start; note a full segment."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._wal_bytes = 0
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (page_bytes,) = self._connection.execute("PRAGMA page_size").fetchone()
        self._is_full = pages * page_bytes >= self._settings.segment_bytes_max

    def _roll(self) -> None:
        """Seal the open segment and go on in a new one. After a crash in between, the next open makes the new one."""
        self._begin()
        self._connection.execute("UPDATE state SET sealed = 1")
        self._connection.execute("COMMIT")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        state = read_state(self._connection)
        self._connection.close()
        connection = follow(self._directory, state, self._settings, state.fencing_epoch, state.opened_at)
        self._adopt(connection, read_state(connection))
        self._reader.refresh()


def _inodes(files: Sequence[str]) -> list[tuple[int, int]]:
    """Which files those names lead to. FileNotFoundError names one that leads to none."""
    return [(found.st_dev, found.st_ino) for found in map(os.stat, files)]


def _cut(values: _Values, first: int, end: int, length: int) -> Iterator[_Values]:
    """`values` from `first` to `end` in pieces of `length`."""
    return (values[at : at + length] for at in range(first, end, length))
