"""Opening a ledger for writing: the lock, the id, the segment to go on in, and what a crash may have left behind."""

import fcntl
import json
import os
import sqlite3
from calendar import monthrange
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ledger.checkpoint import newest_signed
from ledger.entry import FORMAT
from ledger.errors import LedgerBusy, LedgerCorrupt
from ledger.reader import read_ledger_id
from ledger.segment import (
    ID_FILE,
    LOCK_FILE,
    TEMPORARY,
    LedgerSettings,
    State,
    connect_reading,
    connect_writing,
    create_segment,
    read_state,
    segment_numbers,
    segment_path,
    write_durably,
)
from wire.errors import require
from wire.limits import LEDGER_ID_BYTES


def take_lock(directory: Path) -> int:
    """Keep other processes of this machine out: a descriptor that holds the lock until it is closed. LedgerBusy."""
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise LedgerBusy(f"{directory}: another process writes to this ledger") from error
    return descriptor


def remove_unfinished(directory: Path) -> None:
    """What a crash left under a temporary name was never part of the ledger. Called with the lock held."""
    for leftover in directory.glob(f"*{TEMPORARY}*"):
        leftover.unlink()


def own_id(directory: Path, wanted: bytes | None, random_bytes: Callable[[int], bytes]) -> bytes:
    """The id of the ledger in `directory`, given now to a new one. LedgerCorrupt unless it is `wanted`."""
    require(wanted is None or len(wanted) == LEDGER_ID_BYTES, "a ledger id takes 16 bytes")
    if (directory / ID_FILE).exists():
        found = read_ledger_id(directory)
        if wanted is not None and wanted != found:
            raise LedgerCorrupt(f"{directory}: this is ledger {found.hex()}, not {wanted.hex()}")
        return found
    if segment_numbers(directory):
        raise LedgerCorrupt(f"{directory}: there are segments but no {ID_FILE}")
    drawn = wanted or random_bytes(LEDGER_ID_BYTES)
    write_durably(directory / ID_FILE, json.dumps({"format": FORMAT, "ledger_id": drawn.hex()}) + "\n")
    return drawn


def open_last_segment(
    directory: Path, ledger_id: bytes, settings: LedgerSettings, opened_at: int
) -> sqlite3.Connection:
    """The open segment, fenced for us; made when there is none yet or the last one is sealed.

    Raises LedgerCorrupt, LedgerUnsafe, LedgerBusy.
    """
    numbers = segment_numbers(directory)
    if numbers != list(range(1, len(numbers) + 1)):
        raise LedgerCorrupt(f"{directory}: segments {numbers} are not 1, 2, 3 ...; run seatwatch fsck")
    _require_in_line(directory, ledger_id, numbers, settings.lock_wait_ms)
    signed = newest_signed(directory)
    if not numbers:
        _require_all(directory, 0, signed)
        create_segment(directory, State(FORMAT, ledger_id, 1, 0, 1, opened_at, 0, b"", 0, 0), None)
        return connect_writing(segment_path(directory, 1), settings)
    path = segment_path(directory, numbers[-1])
    try:
        reading = connect_reading(path, settings.lock_wait_ms)
        try:
            state = read_state(reading)
            _require_sound(reading, state, ledger_id, numbers[-1])
            _require_all(directory, state.size, signed)
        finally:
            reading.close()
        if state.sealed:
            return follow(directory, state, settings, state.fencing_epoch + 1, opened_at)
        connection = connect_writing(path, settings)
    except sqlite3.DatabaseError as error:
        raise LedgerCorrupt(f"{path}: {error}; run seatwatch fsck") from error
    # A log that outlived a failed fsync may be in memory only: all of it must be synced before we write behind it.
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        connection.close()
        raise LedgerBusy(f"{path}: a reader has kept the write-ahead log busy")
    connection.execute("UPDATE state SET fencing_epoch = fencing_epoch + 1, opened_at = ?", (opened_at,))
    return connection


def _require_in_line(directory: Path, ledger_id: bytes, numbers: list[int], lock_wait_ms: int) -> None:
    """Every file is this ledger's, under its own name, and begins where the one before was sealed: by state rows alone.

    What they hold is for fsck to rehash.
    """
    ends = 0
    for number in numbers:
        path = segment_path(directory, number)
        try:
            with closing(connect_reading(path, lock_wait_ms)) as reading:
                state = read_state(reading)
        except (sqlite3.DatabaseError, LedgerCorrupt) as error:
            raise LedgerCorrupt(f"{path}: {error}; run seatwatch fsck") from error
        problem = ""
        if state.ledger_id != ledger_id:
            problem = f"is of ledger {state.ledger_id.hex()}, and this is {ledger_id.hex()}"
        elif state.number != number:
            problem = f"is segment {state.number} under the name of another"
        elif state.first_index != ends:
            problem = f"begins with entry {state.first_index}, not with {ends} as what is before it ends"
        elif not state.sealed and number != numbers[-1]:
            problem = "is not sealed, and another one follows"
        if problem:
            raise LedgerCorrupt(f"{path}: {problem}; put the right file there and run seatwatch fsck")
        ends = state.size


def _require_sound(connection: sqlite3.Connection, state: State, ledger_id: bytes, number: int) -> None:
    (last,) = connection.execute("SELECT max(entry_index) FROM entries").fetchone()
    size = state.first_index if last is None else last + 1
    if (state.format, state.ledger_id, state.number, state.size) != (FORMAT, ledger_id, number, size):
        raise LedgerCorrupt(f"segment {number} does not match its own state row; run seatwatch fsck")
    acting = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    if acting is not None:  # it would act on what is acknowledged from here on
        raise LedgerCorrupt(f"segment {number} holds {acting[0]!r}, which is no part of a ledger; run seatwatch fsck")


def _require_all(directory: Path, size: int, signed: int) -> None:
    """What a ledger has lost was acknowledged once: going on without it must be somebody's decision."""
    if size < signed:
        found = f"{signed} entries were signed, {size} are there"
        raise LedgerCorrupt(f"{directory}: {found}; find the files, or restore a backup with its checkpoints")


def follow(
    directory: Path, sealed: State, settings: LedgerSettings, fencing_epoch: int, opened_at: int
) -> sqlite3.Connection:
    """The segment after a sealed one."""
    state = sealed._replace(
        number=sealed.number + 1, first_index=sealed.size, fencing_epoch=fencing_epoch, opened_at=opened_at, sealed=0
    )
    create_segment(directory, state, segment_path(directory, sealed.number))
    return connect_writing(segment_path(directory, state.number), settings)


def month_ends_at(instant_ms: int) -> int:
    """First millisecond of the UTC month after the one `instant_ms` falls in."""
    first = datetime.fromtimestamp(instant_ms // 1000, tz=UTC).replace(day=1, hour=0, minute=0, second=0)
    days = monthrange(first.year, first.month)[1]
    return (int(first.timestamp()) + days * 86_400) * 1000
