"""Disks that forget: what was not synced may be gone after a power cut, and a failed fsync is never made good.

A disk here is the journal of one database file: an append-only list of transactions. It models what was measured of
SQLite in WAL mode (docs/reference/simulation.md): kill -9 keeps every write that reached the kernel, a power cut
keeps a random part of the unsynced tail, a torn last transaction is ignored by recovery, a failed fsync marks pages
clean that were never written.
"""

import errno
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.sim.loop import INCARNATION, SimLoop
from tests.sim.marks import Marks

TORN: Final = ("torn",)
"""A transaction of which only the first part reached the platter."""


class DiskFaults:
    """How badly disks behave at present; shared by all disks of a world, calmed at heal."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.slow = 0.02
        self.error = 0.002

    def calm(self) -> None:
        """No slow fsync and no errors from here on."""
        self.slow = self.error = 0.0

    def latency(self) -> float:
        """Seconds one fsync takes."""
        if self.rng.random() < self.slow:
            return self.rng.uniform(0.5, 3.0)
        return self.rng.choice((0.0001, 0.002, 0.005, 0.02))


class SimDisk:
    """One database file of one machine.

    synced: transactions that survive anything. on_synced: told of every transaction when it becomes durable. honest,
    patient: False only in mutants, whose fsync returns without syncing, or before it has.
    """

    def __init__(self, name: str, loop: SimLoop, faults: DiskFaults, marks: Marks) -> None:
        self.name = name
        self.records: list[Any] = []
        self.synced = 0
        self.on_synced: Callable[[list[Any]], None] = lambda _records: None
        self.before_flush: Callable[[], None] = lambda: None
        self.honest = self.patient = True
        self._loop = loop
        self._faults = faults
        self._marks = marks
        self._doomed: int | None = None

    def append(self, record: Any) -> None:
        """Write one transaction; readable at once, durable only after `flush`."""
        incarnation = INCARNATION.get()
        if incarnation is not None:
            incarnation.require_alive()
        self.records.append(record)

    def flush(self) -> None:
        """fsync. Raises OSError(EIO) now and then, after which what was unsynced can never be synced.

        In an executor job the transactions become durable when the job's result is delivered; elsewhere at once.
        """
        self.before_flush()
        if not self.honest:
            return
        if self._faults.error and self._faults.rng.random() < self._faults.error:
            self._marks.hit("disk.fsync_error")
            if self._doomed is None:
                self._doomed = self.synced
            raise OSError(errno.EIO, "simulated fsync error")
        upto = len(self.records)
        if not self._loop.in_job:
            self._settle(upto)
            return
        latency = self._faults.latency()
        if latency >= 0.5:
            self._marks.hit("disk.slow_fsync")
        if self.patient:
            self._loop.owe(latency)
        self._loop.call_later(latency, self._settle, upto)

    def settle(self) -> None:
        """A sync that does not fail: files so small are spared that fault."""
        self._settle(len(self.records))

    def power_cut(self) -> None:
        """Forget a random suffix of what was not synced; the last survivor may be torn."""
        rng = self._faults.rng
        if self.records and self.records[-1] == TORN:  # of a cut before, not recovered from yet
            self.records.pop()
        ceiling = len(self.records) if self._doomed is None else min(self._doomed, len(self.records))
        keep = rng.randint(min(self.synced, ceiling), ceiling)
        if keep < len(self.records):
            self._marks.hit("disk.unsynced_lost")
            torn = rng.random() < 0.3
            del self.records[keep:]
            if torn:
                self._marks.hit("disk.torn_write")
                self.records.append(TORN)
        self._doomed = None
        survivors = self.records[self.synced : keep]
        self.synced = keep
        if survivors:  # on the platter after all, though nobody was told
            self.on_synced(survivors)

    def recover(self) -> list[Any]:
        """What a program that opens the file finds. Removes a torn tail; pages an fsync lost may be gone as well."""
        if self.records and self.records[-1] == TORN:
            self.records.pop()
            self._marks.hit("disk.torn_write_ignored")
        if self._doomed is not None:
            if self._faults.rng.random() < 0.5:
                del self.records[self._doomed :]
            self._doomed = None
        return self.records

    def replace(self, records: list[Any]) -> None:
        """Another file takes this one's place, whole and synced (a restore, a wiped disk)."""
        self.records = list(records)
        self.synced = len(self.records)
        self._doomed = None

    def _settle(self, upto: int) -> None:
        """The fsync that covered the first `upto` transactions has returned."""
        if upto > self.synced and self._doomed is None:
            fresh = self.records[self.synced : upto]
            self.synced = upto
            self.on_synced(fresh)
