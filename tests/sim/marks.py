"""Sometimes-assertions: which faults fired and which recovery branches ran, counted over a whole run.

A simulation that never loses an outbox proves nothing about lost outboxes. Every name below must be hit at least once
in a run of 100 seeds or more, or the run fails.
"""

from collections import Counter
from typing import Final

EXPECTED: Final = frozenset(
    {
        # faults
        "net.dropped",
        "net.duplicated",
        "net.delayed",
        "net.partitioned",
        "broker.crashed",
        "broker.queue_cap_dropped",
        "broker.acked_then_lost",
        "broker.duplicates_after_restart",
        "disk.slow_fsync",
        "disk.fsync_error",
        "disk.unsynced_lost",
        "disk.torn_write",
        "crash.kill",
        "crash.power",
        "crash.probe",
        "crash.chat",
        "crash.collector",
        "crash.engine",
        "outbox.overflowed",
        "outbox.corrupt",
        "outbox.deleted",
        "outbox.folder_gone",
        "outbox.disk_full",
        "ledger.restored_older",
        "collector.usurped",
        "redis.killed",
        "redis.flushed",
        "redis.trimmed",
        "redis.append_refused",
        "clock.hub_back",
        "clock.hub_forth",
        "clock.source_back",
        "clock.source_forth",
        "probe.cloned",
        "probe.poison",
        # kills at the worst instants
        "crash.before_fsync",
        "crash.after_promise",
        "crash.during_overflow",
        "crash.between_commit_and_ack",
        "crash.after_ack",
        "crash.between_ledger_and_engine",
        "crash.between_facts_and_state",
        # recovery
        "disk.torn_write_ignored",
        "outbox.set_aside",
        "probe.resumed_with_rows",
        "probe.resent",
        "probe.snapshot",
        "probe.told_again",
        "probe.restored_away_named",
        "process.ended_after_fsync_error",
        "process.ended_fenced",
        # the HTTP door
        "chat.answered_0",
        "chat.answered_200",
        "chat.answered_401",
        "chat.answered_403",
        "chat.answered_408",
        "chat.answered_409",
        "chat.answered_413",
        "chat.answered_415",
        "chat.answered_422",
        "chat.answered_429",
        "chat.answered_503",
        "collector.busy",
        "collector.repeat",
        "collector.wanted",
        "collector.equivocation",
        "collector.quarantined",
        "collector.gap_overflow",
        "collector.gap_outbox_lost",
        "collector.recovered_unsynced",
        "collector.clock",
        "collector.silence",
        "engine.resumed",
        "engine.replayed",
        "engine.facts_ahead",
        "engine.state_discarded",
        "engine.ledger_diverged",
        "far_engine.gap",
        "far_engine.diverged",
    }
)


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
