"""A shard as bytes, and back.

Versioned: what cannot be read is discarded by the caller, who replays the ledger instead.
"""

from typing import Final

import msgspec

from sla_engine._core.context import schedule_owed
from sla_engine._core.conversation import Conversation
from sla_engine._core.forgetting import Forgetting
from sla_engine._core.history import Names
from sla_engine._core.online import Online, OnlineState
from sla_engine._core.roster import Roster, RosterState
from sla_engine._core.rules import Rules, RulesState
from sla_engine._core.shard import Shard
from sla_engine._core.skew import Skew, SkewState
from sla_engine._core.watermark import Watermark

# Format: of our own kept state.
SNAPSHOT_VERSION: Final = 7


class SnapshotUnreadable(ValueError):
    """These bytes are no snapshot of this version. Discard them and replay."""


class Snapshot(msgspec.Struct, frozen=True):
    """Deadlines are not in it: they follow from the conversations."""

    version: int
    shard: int
    of: int
    next_index: int
    watermark: Watermark
    rules: RulesState
    roster: RosterState
    online: OnlineState
    skew: SkewState
    names: list[str]
    conversations: list[Conversation]
    forgetting: Forgetting
    anomalies: dict[str, int]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Snapshot)


def snapshot(shard: Shard) -> bytes:
    """Everything facts and announcements depend on. `restore` gives a shard that goes on exactly as this one would."""
    return _encoder.encode(
        Snapshot(
            SNAPSHOT_VERSION,
            shard.shard,
            shard.of,
            shard.next_index,
            shard.watermark,
            shard.rules.state,
            shard.roster.state,
            shard.online.state,
            shard.skew.state,
            shard.names.known,
            list(shard.conversations.values()),
            shard.forgetting,
            dict(shard.anomalies),
        )
    )


def restore(data: bytes) -> Shard:
    """The shard a snapshot was taken of. Raises SnapshotUnreadable."""
    try:
        held = _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError) as error:
        raise SnapshotUnreadable(str(error)) from None
    if held.version != SNAPSHOT_VERSION:
        raise SnapshotUnreadable(f"version {held.version}, this build reads {SNAPSHOT_VERSION}")
    shard = Shard(held.shard, held.of)
    shard.next_index = held.next_index
    shard.watermark = held.watermark
    shard.rules = shard.context.rules = Rules(held.rules)
    shard.roster = shard.context.roster = Roster(held.roster)
    shard.online = shard.context.online = Online(held.online)
    shard.skew = shard.context.skew = Skew(held.skew)
    shard.names = Names(held.names)
    shard.forgetting = held.forgetting
    shard.anomalies.update(held.anomalies)
    for conversation in held.conversations:
        _share_names(conversation, shard.names)
        shard.conversations[conversation.key] = conversation
        schedule_owed(shard.context, conversation)
    return shard


def _share_names(conversation: Conversation, names: Names) -> None:
    """Let equal strings be one again, as they were before they became bytes."""
    conversation.account = _shared(conversation.account, names)
    conversation.queue = _shared(conversation.queue, names)
    for track in conversation.tracks:
        track.queue = _shared(track.queue, names)
        track.owner = _shared(track.owner, names)


def _shared(name: str, names: Names) -> str:
    number = names.numbers.get(name)
    return name if number is None else names.known[number]
