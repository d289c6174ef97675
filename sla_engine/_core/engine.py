"""The first stage: entries in, facts and announcements out. `step` is the only way anything happens.

Every shard is given every entry. It folds the conversations that are its own and looks at the time of all others, so
that the watermark moves at the same entry in every shard and facts are the same for every number of shards.
"""

from collections.abc import Sequence

from sla_engine._core.announcing import announce, next_wake_at
from sla_engine._core.handlers import HANDLERS
from sla_engine._core.result import LiveConversation, StepResult
from sla_engine._core.shard import Shard, shard_of
from sla_engine._core.snapshot import SnapshotUnreadable, restore, snapshot
from sla_engine._core.view import (
    anomalies,
    contracts_of,
    definitions_of,
    earlier_versions,
    former_primary,
    label_of,
    live,
    open_conversations,
    place_of,
    warnings_of,
    watermark,
)
from wire.errors import require
from wire.recorded import Recorded
from wire.verdict import Fact

__all__ = [
    "LiveConversation",
    "Shard",
    "SnapshotUnreadable",
    "StepResult",
    "anomalies",
    "contracts_of",
    "definitions_of",
    "earlier_versions",
    "former_primary",
    "label_of",
    "live",
    "new_shard",
    "open_conversations",
    "place_of",
    "restore",
    "shard_of",
    "snapshot",
    "step",
    "warnings_of",
    "watermark",
]


def new_shard(shard: int = 0, of: int = 1) -> Shard:
    """An empty shard `shard` of `of`. A conversation belongs to the shard that the hash of its shard key names."""
    return Shard(shard, of)


def step(shard: Shard, batch: Sequence[Recorded], now: int) -> StepResult:
    """Fold `batch` (entries of one ledger, in order) and say what `now` (ms, the caller's clock) makes due.

    Facts depend on the entries alone: neither on how they are cut into batches, nor on `now`, which may even go back.
    Entries folded before are skipped; a hole is a programmer error, because nothing could be right after it.
    """
    context = shard.context
    facts: list[Fact] = []
    touched: dict[str, None] = {}
    context.facts = facts
    shard.touched = touched
    handlers = HANDLERS
    expected = shard.next_index
    for entry in batch:
        index = entry.index
        if index != expected:
            require(index < expected, "the feed left entries out")
            continue
        expected = index + 1
        handler = handlers.get(type(entry.body))
        if handler is not None:
            context.index = index
            handler(shard, entry, entry.body)
    shard.next_index = expected
    announcements = announce(context, shard.deadlines.announce, shard.conversations, now)
    for announcement in announcements:
        touched[announcement.conversation] = None
    wake_at = next_wake_at(context, shard.deadlines.announce, shard.conversations)
    return StepResult(facts, announcements, list(touched), wake_at)
