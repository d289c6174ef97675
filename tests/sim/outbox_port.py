"""What the probe's outbox stands on, simulated: its folder, its database file, the note beside it.

`agent_probe.outbox.DurableOutbox` is the real one; `installed` puts these in place of SQLite and files for a run.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final
from unittest.mock import patch

import agent_probe.outbox
from agent_probe._core.storage import MemoryStorage, Row, RowRange, StorageCorrupt, StorageFull, Tally
from tests.sim.disk import SimDisk
from tests.sim.marks import Marks

CORRUPT: Final = ("corrupt",)
"""A page that no longer matches its checksum."""


class ProbeFolder:
    """The data directory of one probe, and any path in it: as much of pathlib.Path as the outbox uses."""

    def __init__(
        self, file: SimDisk, note: SimDisk, rng: Random, marks: Marks, full_odds: Callable[[], float], name: str = ""
    ) -> None:
        self.file = file
        self.note = note
        self.rng = rng
        self.marks = marks
        self.full_odds = full_odds
        self.name = name
        self.before_append: Callable[[Row], None] = lambda _row: None

    def __truediv__(self, name: str) -> "ProbeFolder":
        path = ProbeFolder(self.file, self.note, self.rng, self.marks, self.full_odds, name)
        path.before_append = self.before_append
        return path

    def __fspath__(self) -> str:
        return tempfile.gettempdir()  # asked only whether one may write there

    def mkdir(self, **_options: Any) -> None:
        """It exists."""

    def exists(self) -> bool:
        """SQLite's side files are part of the one simulated file."""
        return self.name == agent_probe.outbox.FILE and bool(self.file.records)

    def replace(self, _target: "ProbeFolder") -> None:
        """The damaged file is renamed: what is there now is no outbox."""
        self.marks.hit("outbox.set_aside")
        self.file.replace([])

    def unlink(self, *, missing_ok: bool) -> None:
        """What is tried out of a new file leaves nothing behind."""

    def glob(self, _pattern: str) -> list["ProbeFolder"]:
        """Files set aside are not kept."""
        return []


class SimStorage(MemoryStorage):
    """agent_probe.storage_sqlite.SqliteStorage over a simulated disk: each call a transaction, durable at its
    return."""

    def __init__(self, path: ProbeFolder, _log_reserve_bytes: int) -> None:
        super().__init__()
        self._path = path
        if path.name != agent_probe.outbox.FILE:
            return  # a new file, which every simulated disk has room for
        for record in path.file.recover():
            if record == CORRUPT:
                raise StorageCorrupt("simulated corruption")
            if isinstance(record, Row):
                super().append(record)
            else:
                super().delete(*record)

    def close(self) -> None:
        """Nothing is held open."""

    def append(self, row: Row) -> None:
        if self._path.rng.random() < self._path.full_odds():
            self._path.marks.hit("outbox.disk_full")
            raise StorageFull("simulated full disk")
        self._path.before_append(row)
        self._write(row)
        super().append(row)

    def delete(self, ranges: Sequence[RowRange], meta: bytes) -> list[Tally]:
        self._write((tuple(ranges), meta))
        return super().delete(ranges, meta)

    def _write(self, record: Any) -> None:
        try:
            self._path.file.append(record)
            self._path.file.flush()
        except OSError as error:  # as SQLITE_IOERR_FSYNC is translated: this file is not to be trusted any more
            raise StorageCorrupt(str(error)) from error


class SimNote:
    """agent_probe.outbox.EpochNote: replaced by rename, and durable when `write` returns."""

    def __init__(self, path: ProbeFolder) -> None:
        self._disk = path.note

    def read(self) -> list[tuple[bytes, int]]:
        found = self._disk.recover()
        return list(found[-1]) if found else []

    def write(self, epochs: Sequence[tuple[bytes, int]]) -> None:
        self._disk.append(tuple(epochs))
        self._disk.settle()


@contextmanager
def installed() -> Iterator[None]:
    """The real outbox on simulated ground, and silent: what it logs is what the world does to it on purpose."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            patch.object(agent_probe.outbox, "SqliteStorage", SimStorage),
            patch.object(agent_probe.outbox, "EpochNote", SimNote),
        ):
            yield
    finally:
        logging.disable(before)
