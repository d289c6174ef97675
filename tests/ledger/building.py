"""Small ledgers for tests: a clock that stands still, entries with recognisable bodies, settings that roll early."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Final

from ledger.entry import NewEntry
from ledger.fsck_report import Report
from ledger.segment import LedgerSettings, segment_path
from ledger.writer import Committed, LedgerWriter
from seatwatch.settings import load_defaults

EPOCH: Final = bytes(range(16))
SOURCE: Final = "chat/shop-1"
NOON: Final = 1_795_262_400_000
"""2026-11-21T12:00:00Z."""
DAY_MS: Final = 24 * 3600 * 1000


def default_settings() -> LedgerSettings:
    """The thresholds this installation ships with."""
    return load_defaults().fill(LedgerSettings, "ledger")


def open_writer(directory: Path, settings: LedgerSettings | None = None, *, seed: int | None = None) -> LedgerWriter:
    """A writer on a ledger in `directory`, made if it is not there; with a seed, its bytes are the same every time."""
    drawn = os.urandom if seed is None else Random(seed).randbytes
    return LedgerWriter.open(
        directory, settings=settings or default_settings(), clock_ms=lambda: NOON, random_bytes=drawn
    )


def new_entry(sequence: int, *, source: str = SOURCE, epoch: bytes = EPOCH, body: bytes | None = None) -> NewEntry:
    """An entry of an unknown kind, so that any body will do."""
    return NewEntry(source, epoch, sequence, 999, 1, f"body {sequence}".encode() if body is None else body)


def append(writer: LedgerWriter, sequences: Sequence[int], *, at: int = NOON, mark: int | None = None) -> Committed:
    """Commit those sequences of the one source; the mark goes to the last of them unless given."""
    reached = max(sequences) if mark is None else mark
    return writer.commit([new_entry(n) for n in sequences], received_at=at, marks={(SOURCE, EPOCH): reached})


@contextmanager
def tampering(directory: Path, number: int = 1) -> Iterator[sqlite3.Connection]:
    """A connection that may change what it likes in that segment."""
    with closing(sqlite3.connect(segment_path(directory, number), isolation_level=None)) as connection:
        yield connection


def findings(report: Report) -> str:
    """Where and what, a line each."""
    return "\n".join(f"{problem.where}: {problem.what}" for problem in report.problems)
