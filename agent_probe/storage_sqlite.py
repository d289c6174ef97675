"""Outbox rows in SQLite: WAL, synchronous=FULL, one process.

Every row and the meta carry a checksum of their own, because SQLite has none, and a flipped bit in a body would
otherwise be signed and billed.

Each drop class has a table of its own, so that giving up its oldest rows frees whole pages.

On a full disk SQLite can neither append nor delete, because both write to the log first. So the log is made as long as
a delete needs when the file is opened, and moved into the file every few rows put or deleted, so that it does not
grow: when that fails, appends are refused
while there is still room to delete, and what was deleted shrinks the file (auto_vacuum) until moving works again.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from agent_probe._core.storage import (
    ROW_COST,
    DropClass,
    Row,
    RowHead,
    RowRange,
    StorageCorrupt,
    StorageFull,
    Tally,
)

SCHEMA_VERSION: Final = 1
ROWS: Final = {drop_class: f"rows_{drop_class.name.lower()}" for drop_class in DropClass}
ROWS_TABLE: Final = """
    CREATE TABLE ROWS (
        epoch BLOB, sequence INTEGER, kind INTEGER, kind_version INTEGER, held_at INTEGER, checksum INTEGER, body BLOB,
        UNIQUE (epoch, sequence)
    )
"""
META_TABLE: Final = "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), checksum INTEGER, data BLOB)"
INSERT: Final = "INSERT INTO ROWS VALUES (?, ?, ?, ?, ?, ?, ?)"
DELETE: Final = "DELETE FROM ROWS WHERE epoch = ? AND sequence BETWEEN ? AND ? RETURNING length(body)"
SELECT: Final = "SELECT * FROM ROWS WHERE epoch = ? AND sequence >= ? ORDER BY sequence LIMIT ?"
# Row ids ascend with time within a class.
OLDEST: Final = "SELECT epoch, sequence, length(body), held_at FROM ROWS ORDER BY rowid LIMIT ?"
NEWEST: Final = "SELECT held_at FROM ROWS ORDER BY rowid DESC LIMIT 1"
# Two look-ups in the key, where one min-max query would walk all rows of the epoch.
SPAN: Final = "SELECT (SELECT min(sequence) FROM ROWS WHERE epoch = :e), max(sequence) FROM ROWS WHERE epoch = :e"
TALLY: Final = "SELECT count(*), sum(length(body)) FROM ROWS"
CACHE_KIB: Final = 256  # Batch: of pages held
MOVE_EVERY: Final = 16  # Batch: rows between two moves of the log
LOG_RESERVE_PIECE: Final = 32 * 1024  # Batch: bytes of one row of the reserve

NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CANTOPEN})
IN_USE: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class OutboxInUse(Exception):
    """Another process has this outbox open."""


class SqliteStorage:
    """The storage port over one file. Used from one thread."""

    def __init__(self, path: Path, log_reserve_bytes: int) -> None:
        """Open or create. Raises StorageCorrupt, StorageFull, OutboxInUse.

        log_reserve_bytes: of room for the log, so that rows can be given up on a full disk.
        """
        self._log_reserve_bytes = log_reserve_bytes
        self._db = _connect(path)
        self._since_move = 0
        self._is_tight = False
        try:
            with _translated():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Let go of the file. A damaged one may refuse to be closed tidily, which changes nothing."""
        try:
            self._db.close()
        except sqlite3.Error:
            return

    def append(self, row: Row) -> None:
        """As the port says."""
        if self._is_tight:
            self._move_log()
        if self._is_tight:
            raise StorageFull("no room to move the log into the file")
        values = (*row[:4], row.held_at, _checksum(row), row.body)
        with _translated():
            self._run(INSERT, row.drop_class, values)
        self._written(1)

    def delete(self, ranges: Sequence[RowRange], meta: bytes) -> list[Tally]:
        """As the port says: one transaction."""
        removed = []
        with _translated(), self._transaction():
            for drop_class in DropClass:
                # Format: of a row range, its epoch, first and last.
                concerned = [span[:3] for span in ranges if span.drop_class in (None, drop_class)]
                sizes = [size for span in concerned for (size,) in self._run(DELETE, drop_class, span)]
                if sizes:
                    removed.append(Tally(drop_class, len(sizes), sum(sizes) + len(sizes) * ROW_COST))
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (1, ?, ?)", (zlib.crc32(meta), meta))
        self._written(1 + sum(tally.rows for tally in removed))
        return removed

    def rows(self, epoch: bytes, first: int, limit: int) -> list[Row]:
        """As the port says; `intact` is by checksum."""
        with _translated():
            found = [
                _row(drop_class, values)
                for drop_class in DropClass
                for values in self._run(SELECT, drop_class, (epoch, first, limit))
            ]
            return sorted(found, key=lambda row: row.sequence)[:limit]

    def oldest(self, drop_class: DropClass | None, limit: int) -> list[RowHead]:
        """As the port says."""
        heads = []
        with _translated():
            for wanted in DropClass if drop_class is None else (drop_class,):
                for epoch, sequence, size, held_at in self._run(OLDEST, wanted, (limit,)):
                    heads.append(RowHead(epoch, sequence, wanted, size + ROW_COST, held_at))
            return sorted(heads, key=lambda head: (head.held_at, head.epoch, head.sequence))[:limit]

    def span(self, epoch: bytes) -> tuple[int, int] | None:
        """As the port says."""
        with _translated():
            found = [self._run(SPAN, drop_class, {"e": epoch}).fetchone() for drop_class in DropClass]
            spans = [span for span in found if span[0] is not None]
            return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None

    def tallies(self) -> list[Tally]:
        """As the port says: reads every row, once per start."""
        with _translated():
            found = [(drop_class, *self._run(TALLY, drop_class).fetchone()) for drop_class in DropClass]
            return [Tally(drop_class, rows, size + rows * ROW_COST) for drop_class, rows, size in found if rows]

    def newest_held_at(self) -> int:
        """As the port says."""
        with _translated():
            found = [self._run(NEWEST, drop_class).fetchone() for drop_class in DropClass]
            return max((int(held_at) for (held_at,) in filter(None, found)), default=0)

    def meta(self) -> bytes | None:
        """As the port says. Raises StorageCorrupt when its checksum does not match."""
        with _translated():
            found = self._db.execute("SELECT checksum, data FROM meta").fetchone()
        if found is None:
            return None
        checksum, data = found
        if not isinstance(data, bytes) or zlib.crc32(data) != checksum:
            raise StorageCorrupt("the meta does not match its checksum")
        return data

    def _prepare(self) -> None:
        run = self._db.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA cell_size_check = ON")
        run(f"PRAGMA cache_size = -{CACHE_KIB}")
        run("PRAGMA auto_vacuum = FULL")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA wal_autocheckpoint = 0")
        (mode,), (synchronous,) = run("PRAGMA journal_mode").fetchone(), run("PRAGMA synchronous").fetchone()
        if (mode, synchronous) != ("wal", 2):
            raise StorageCorrupt(f"this folder does not do durable writes: journal {mode}, synchronous {synchronous}")
        (version,) = run("PRAGMA user_version").fetchone()
        if version == 0 and not run("SELECT 1 FROM sqlite_master").fetchone():
            with self._transaction():
                for table in ROWS.values():
                    run(ROWS_TABLE.replace("ROWS", table))
                run(META_TABLE)
                run(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise StorageCorrupt(f"schema version {version}, this build reads {SCHEMA_VERSION}")
        findings = run("PRAGMA integrity_check(1)").fetchone()
        if findings != ("ok",):
            raise StorageCorrupt(f"integrity_check: {findings[0]}")
        self._reserve_log()

    def _reserve_log(self) -> None:
        with suppress(StorageFull), _translated():
            with self._transaction():
                self._db.execute("DROP TABLE IF EXISTS reserve")  # of a start that was killed right here
                self._db.execute("CREATE TABLE reserve (filler BLOB)")
                filler = [(LOG_RESERVE_PIECE,)] * (self._log_reserve_bytes // LOG_RESERVE_PIECE)
                self._db.executemany("INSERT INTO reserve VALUES (zeroblob(?))", filler)
            self._db.execute("DROP TABLE reserve")
        self._move_log()

    def _written(self, rows: int) -> None:
        self._since_move += rows
        if self._since_move >= MOVE_EVERY:
            self._move_log()

    def _move_log(self) -> None:
        """Move the log into the file, so that it starts over. Notes whether there was room."""
        try:
            with _translated():
                _, logged, moved = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._is_tight = moved < logged
        except StorageFull:
            self._is_tight = True
        self._since_move = 0

    def _run(
        self, statement: str, drop_class: DropClass, values: Sequence[object] | Mapping[str, object] = ()
    ) -> sqlite3.Cursor:
        """Run `statement` over the table of a class."""
        return self._db.execute(statement.replace("ROWS", ROWS[drop_class]), values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _connect(path: Path) -> sqlite3.Connection:
    with _translated():
        return sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's errors in the port's words. Bytes that decode to nonsense are corruption too."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if code in NO_ROOM:
            raise StorageFull(str(error)) from error
        if code & 0xFF in IN_USE:
            raise OutboxInUse(str(error)) from error
        raise StorageCorrupt(str(error)) from error
    except (ValueError, TypeError, OverflowError) as error:
        raise StorageCorrupt(f"a row holds what no row holds: {error}") from error


def _checksum(row: Row) -> int:
    head = f"{row.sequence}/{row.kind}/{row.kind_version}/".encode()
    return zlib.crc32(row.body, zlib.crc32(head, zlib.crc32(row.epoch)))


def _row(drop_class: DropClass, values: tuple[bytes, int, int, int, int, int, bytes]) -> Row:
    epoch, sequence, kind, kind_version, held_at, checksum, body = values
    row = Row(epoch, sequence, kind, kind_version, body, drop_class, held_at)
    return row if _checksum(row) == checksum else row._replace(intact=False)
