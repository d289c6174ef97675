"""One segment: a SQLite file that holds one month of entries, or up to the size cap. Schema, connections, making one.

A segment is complete as soon as its name is visible: it is built under a temporary name, synced and renamed. Its
`state` row says where it starts, how far it goes, who may write to it, and whether it is sealed. Streams
(source, epoch) keep their number across segments, so each segment carries the list on, with marks.
"""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ledger.errors import LedgerCorrupt, LedgerUnsafe

ID_FILE: Final = "ledger.json"
LOCK_FILE: Final = "lock"
CHECKPOINTS: Final = "checkpoints"
TEMPORARY: Final = ".new"
_NAME: Final = re.compile(r"^(\d{8})\.sqlite$")

# Format: of a segment's file.
TILE_HEIGHT: Final = 8
"""Perfect subtrees of 2^8 leaves and more are stored; smaller ones are computed from the leaves when a proof asks."""

NO_SEQUENCE: Final = -1

# `content` is the salt (16 bytes) followed by the body: they are hashed together and purged together, to NULL.

_SCHEMA: Final = """
CREATE TABLE state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    format INTEGER NOT NULL,
    ledger_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    fencing_epoch INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    last_received_at INTEGER NOT NULL,
    sealed INTEGER NOT NULL
) STRICT;
CREATE TABLE streams (
    stream INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    epoch BLOB NOT NULL,
    mark INTEGER NOT NULL,
    highest_sealed INTEGER NOT NULL,
    UNIQUE (source, epoch)
) STRICT;
CREATE TABLE entries (
    entry_index INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    kind_version INTEGER NOT NULL,
    content BLOB,
    leaf BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_keys ON entries (stream, sequence);
CREATE TABLE nodes (
    height INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (height, position)
) STRICT, WITHOUT ROWID;
"""

_CARRY_STREAMS: Final = """
INSERT INTO main.streams (stream, source, epoch, mark, highest_sealed)
SELECT stream, source, epoch, mark, max(highest_sealed, ifnull(
    (SELECT max(sequence) FROM previous.entries AS entry WHERE entry.stream = carried.stream), :no_sequence))
FROM previous.streams AS carried ORDER BY stream
"""


class LedgerSettings(msgspec.Struct, frozen=True):
    """Thresholds of a ledger, from `[ledger]` in defaults.toml.

    segment_bytes_max: a segment this large is sealed. wal_bytes_max: estimated bytes in the write-ahead log after which
    it is copied into the segment. lock_wait_ms: how long SQLite waits for another connection's lock. cache_bytes_max:
    pages the writer keeps in memory.
    """

    segment_bytes_max: int
    wal_bytes_max: int
    lock_wait_ms: int
    cache_bytes_max: int


class State(NamedTuple):
    """The state row of a segment. size: entries in the whole ledger up to and with this segment."""

    format: int
    ledger_id: bytes
    number: int
    first_index: int
    fencing_epoch: int
    opened_at: int
    size: int
    frontier: bytes
    last_received_at: int
    sealed: int


def segment_path(directory: Path, number: int) -> Path:
    """File of the segment with that number, from 1."""
    return directory / f"{number:08d}.sqlite"


def open_files(path: Path) -> list[str]:
    """Files of a segment that is open in WAL mode: itself, SQLite's log and its index."""
    return [str(path), f"{path}-wal", f"{path}-shm"]


def segment_numbers(directory: Path) -> list[int]:
    """Numbers of the segments that are there, ascending."""
    return sorted(int(found[1]) for path in directory.iterdir() if (found := _NAME.match(path.name)))


def connect_writing(path: Path, settings: LedgerSettings) -> sqlite3.Connection:
    """A connection that loses nothing: WAL and synchronous=FULL, both read back. LedgerUnsafe where they fail."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {settings.lock_wait_ms}")
        connection.execute(f"PRAGMA cache_size = -{settings.cache_bytes_max // 1024}")  # negative: in KiB
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # The writer copies the log itself: SQLite's own automatic copying would hide a failed fsync.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        require_durable(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def require_durable(connection: sqlite3.Connection, path: Path) -> None:
    """LedgerUnsafe unless the connection is in WAL mode and syncs on every commit."""
    journal_mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if journal_mode != "wal" or synchronous != 2:
        raise LedgerUnsafe(
            f"{path}: SQLite says journal_mode={journal_mode}, synchronous={synchronous}; "
            "the ledger needs wal and 2 (FULL): put it on a local file system that supports shared memory and fsync"
        )


def connect_reading(path: Path, lock_wait_ms: int | None) -> sqlite3.Connection:
    """A connection that cannot write; it may be used from any one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    if lock_wait_ms is not None:
        connection.execute(f"PRAGMA busy_timeout = {lock_wait_ms}")
    return connection


def read_state(connection: sqlite3.Connection) -> State:
    """The state row. LedgerCorrupt when there is none."""
    row = connection.execute(f"SELECT {', '.join(State._fields)} FROM state").fetchone()  # noqa: S608 - our own names
    if row is None:
        raise LedgerCorrupt("a segment has no state row")
    return State._make(row)


def create_segment(directory: Path, state: State, previous: Path | None) -> None:
    """Make the segment `state` describes, carrying on the streams of `previous`. Durable, and whole or not there."""
    path = segment_path(directory, state.number)
    temporary = path.with_name(path.name + TEMPORARY)
    temporary.unlink(missing_ok=True)
    with closing(sqlite3.connect(f"{temporary.absolute().as_uri()}", uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        if previous is not None:
            connection.execute("ATTACH ? AS previous", (f"{previous.absolute().as_uri()}?mode=ro",))
        connection.executescript(f"BEGIN;{_SCHEMA}")
        columns = ", ".join(State._fields)
        connection.execute(
            f"INSERT INTO state (only_row, {columns}) VALUES (1, {', '.join('?' * len(State._fields))})",  # noqa: S608 - our own names
            state,
        )
        if previous is not None:
            connection.execute(_CARRY_STREAMS, {"no_sequence": NO_SEQUENCE})
        connection.execute("COMMIT")
        if previous is not None:
            connection.execute("DETACH previous")
        connection.execute("PRAGMA journal_mode = WAL")
    publish(temporary, path)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name, durably: sync the file, rename it, sync the directory."""
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.rename(path)
    sync_directory(path.parent)


def write_durably(path: Path, text: str) -> None:
    """Write a small file so that after a power cut it is there whole, as it was, or not at all."""
    temporary = path.with_name(path.name + TEMPORARY)
    temporary.write_text(text, encoding="utf-8")
    publish(temporary, path)


def sync_directory(directory: Path) -> None:
    """Make names in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
