"""Sometimes-assertions: which faults fired and which recovery branches ran, counted over a whole run.

A simulation that never loses an outbox proves nothing about lost outboxes. Every name below must be hit at least once in a run
of 100 seeds or more, or the run fails.
"""

from collections import Counter
from typing import Final

EXPECTED: Final = frozenset(
    {
        # faults
        "net.dropped", "net.duplicated", "net.delayed", "net.partitioned",
        "broker.crashed", "broker.queue_cap_dropped", "broker.acked_then_lost", "broker.duplicates_after_restart",
        "disk.slow_fsync", "disk.fsync_error", "disk.unsynced_lost", "disk.torn_write",
        "crash.kill", "crash.power", "crash.probe", "crash.collector", "crash.engine", "crash.after_ack",
        "crash.between_commit_and_ack", "crash.between_ledger_and_engine", "crash.during_overflow",
        "outbox.overflowed", "outbox.corrupt", "outbox.deleted",
        "outbox.folder_gone", "outbox.disk_full", "ledger.restored_older", "probe.cloned", "probe.poison",
    }
)  # fmt: skip


class Marks:
    """Counts hits by name."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()

    def hit(self, name: str) -> None:
        """One more."""
        self.hits[name] += 1

    def missing(self) -> list[str]:
        """Expected names never hit."""
        return sorted(EXPECTED - self.hits.keys())
