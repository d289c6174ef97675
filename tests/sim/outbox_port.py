"""The probe's storage port over a simulated disk."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from agent_probe._core.storage import MemoryStorage, Row, RowRange, StorageCorrupt, StorageFull, Tally
from tests.sim.disk import SimDisk
from tests.sim.marks import Marks

CORRUPT: Final = ("corrupt",)
"""A page that no longer matches its checksum."""


class SimStorage(MemoryStorage):
    """What agent_probe stores rows in: every call one transaction, durable when it returns."""

    def __init__(self, disk: SimDisk, rng: Random, marks: Marks, full_odds: Callable[[], float]) -> None:
        super().__init__()
        self._disk = disk
        self._rng = rng
        self._hits = marks
        self._full_odds = full_odds
        for record in disk.recover():
            if record == CORRUPT:
                raise StorageCorrupt("simulated corruption")
            if isinstance(record, Row):
                super().append(record)
            else:
                super().delete(*record)

    def append(self, row: Row) -> None:
        if self._rng.random() < self._full_odds():
            self._hits.hit("outbox.disk_full")
            raise StorageFull("simulated full disk")
        self._disk.append(row)
        self._disk.flush()
        super().append(row)

    def delete(self, ranges: Sequence[RowRange], meta: bytes) -> list[Tally]:
        self._disk.append((tuple(ranges), meta))
        self._disk.flush()
        return super().delete(ranges, meta)
