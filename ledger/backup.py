"""Copying a ledger while it is written: sealed segments as files, the open one through SQLite's online backup.

A copy is taken only when its own check finds nothing. Running it again into the same folder copies what is new.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from ledger import fsck
from ledger.checkpoint import VKEY_FILE
from ledger.errors import BackupFailed
from ledger.reader import read_ledger_id
from ledger.segment import (
    CHECKPOINTS,
    ID_FILE,
    LOCK_FILE,
    TEMPORARY,
    connect_reading,
    publish,
    read_state,
    segment_numbers,
    segment_path,
)

# Batch: pages of one piece.
_PAGES_AT_ONCE: Final = 1024
"""Between two pieces of the online backup the writer gets its turn."""


class BackedUp(NamedTuple):
    """What a backup holds. copied, kept: segments written now, and found complete from an earlier run. root: hex."""

    size: int
    root: str
    copied: int
    kept: int


def backup(directory: Path, target: Path) -> BackedUp:
    """Copy the ledger in `directory` to `target`, made if it is not there, and check the copy.

    Raises LedgerMissing, BackupFailed (the target is no place for a copy, is full, or got none that is sound), OSError.
    """
    ledger_id = read_ledger_id(directory)
    from_, to = directory.resolve(), target.resolve()
    if to.is_relative_to(from_) or from_.is_relative_to(to):
        raise BackupFailed(f"{target} is not apart from the ledger itself; give a folder elsewhere")
    target.mkdir(parents=True, exist_ok=True)
    if (target / ID_FILE).exists() and read_ledger_id(target) != ledger_id:
        raise BackupFailed(f"{target} holds another ledger")
    if (target / LOCK_FILE).exists():
        # replacing a segment under a writer would lose everything that it acknowledges from then on
        raise BackupFailed(f"{target} is a ledger that a server writes or wrote; give a folder for copies")
    _copy(directory / ID_FILE, target / ID_FILE)
    # Checkpoints first: a checkpoint must never be about more entries than the copy has.
    _copy_checkpoints(directory / CHECKPOINTS, target / CHECKPOINTS)
    copied = kept = 0
    for number in segment_numbers(directory):
        if _is_complete(segment_path(target, number)):
            kept += 1
            continue
        _copy_segment(segment_path(directory, number), segment_path(target, number))
        copied += 1
    report = fsck.check(target, problems_max=1)
    if not report.is_sound:
        first = report.problems[0]
        raise BackupFailed(f"the copy in {target} is not sound: {first.where}: {first.what}")
    return BackedUp(report.size, report.root, copied, kept)


def _copy_segment(source: Path, target: Path) -> None:
    log = source.with_name(source.name + "-wal")
    if _is_complete(source) and not (log.exists() and log.stat().st_size):
        _copy(source, target)
        return
    temporary = target.with_name(target.name + TEMPORARY)
    temporary.unlink(missing_ok=True)
    try:
        with (
            closing(connect_reading(source, None)) as reading,
            closing(sqlite3.connect(temporary, isolation_level=None)) as writing,
        ):
            reading.backup(writing, pages=_PAGES_AT_ONCE)
            writing.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file, with no log beside it
    except sqlite3.Error as error:
        raise BackupFailed(f"{source} cannot be copied to {target.parent}: {error}; is there room enough?") from None
    publish(temporary, target)


def _is_complete(path: Path) -> bool:
    """Whether that segment is there and sealed, so that it will not change."""
    if not path.exists():
        return False
    with closing(connect_reading(path, None)) as connection:
        return bool(read_state(connection).sealed)


def _copy_checkpoints(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        # a note never changes, the list of keys grows
        is_new = path.name == VKEY_FILE or not (target / path.name).exists()
        if is_new and not path.name.endswith(TEMPORARY):
            _copy(path, target / path.name)


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(target.name + TEMPORARY)
    shutil.copyfile(source, temporary)
    publish(temporary, target)
