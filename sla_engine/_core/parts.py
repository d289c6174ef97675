"""A shard in parts, so that a commit writes what a step touched and never the whole shard.

Sections hold what all conversations share; the large ones are encoded again only when they grew. Conversations are
parts of their own. `assemble` makes of the latest of each what a whole snapshot would have restored.
"""

from typing import Final

import msgspec

from sla_engine._core.forgetting import Forgetting
from sla_engine._core.shard import Shard
from sla_engine._core.snapshot import SNAPSHOT_VERSION, SnapshotUnreadable, restore

MARKS: Final = "shard.marks"
RULES: Final = "shard.rules"
ROSTER: Final = "shard.roster"
NAMES: Final = "shard.names"
ONLINE: Final = "shard.online"

_encode: Final = msgspec.msgpack.Encoder().encode


class _Marks(msgspec.Struct):
    """What nearly every step moves."""

    version: int
    shard: int
    of: int
    next_index: int
    watermark: msgspec.Raw
    skew: msgspec.Raw
    anomalies: dict[str, int]


class _Whole(msgspec.Struct):
    """The fields of a snapshot, most of them as the bytes they are."""

    version: int
    shard: int
    of: int
    next_index: int
    watermark: msgspec.Raw
    rules: msgspec.Raw
    roster: msgspec.Raw
    online: msgspec.Raw
    skew: msgspec.Raw
    names: msgspec.Raw
    conversations: list[msgspec.Raw]
    forgetting: Forgetting
    anomalies: dict[str, int]


class ShardParts:
    """Encodes what changed in one shard since it was asked last."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[int, ...]] = {}

    def sections(self, shard: Shard) -> dict[str, bytes]:
        """The sections that may have changed since the last call."""
        marks = _Marks(
            SNAPSHOT_VERSION,
            shard.shard,
            shard.of,
            shard.next_index,
            msgspec.Raw(_encode(shard.watermark)),
            msgspec.Raw(_encode(shard.skew.state)),
            dict(shard.anomalies),
        )
        changed = {MARKS: _encode(marks)}
        rules = shard.rules.state
        # each of these has a size that every change makes larger
        if self._grew(RULES, (len(rules.definitions), len(rules.contracts))):
            changed[RULES] = _encode(rules)
        if self._grew(ROSTER, (shard.roster.state.entered,)):
            changed[ROSTER] = _encode(shard.roster.state)
        online = shard.online.state
        if self._grew(ONLINE, (online.told, sum(map(len, online.queues.values())))):
            changed[ONLINE] = _encode(online)
        if self._grew(NAMES, (len(shard.names.known),)):
            changed[NAMES] = _encode(shard.names.known)
        return changed

    def _grew(self, section: str, size: tuple[int, ...]) -> bool:
        grew = self._sizes.get(section) != size
        self._sizes[section] = size
        return grew


def conversation_part(shard: Shard, conversation: str) -> bytes | None:
    """One conversation as bytes, None when the shard has let it go."""
    held = shard.conversations.get(conversation)
    return None if held is None else _encode(held)


_decode_marks: Final = msgspec.msgpack.Decoder(_Marks).decode
"""Made once, not in the threads that assemble: see remembered.py."""


def assemble(sections: dict[str, bytes], conversations: list[bytes]) -> Shard:
    """The shard these parts were taken of. Raises SnapshotUnreadable when they are no parts of this version."""
    try:
        marks = _decode_marks(sections[MARKS])
        whole = _Whole(
            marks.version,
            marks.shard,
            marks.of,
            marks.next_index,
            marks.watermark,
            rules=msgspec.Raw(sections[RULES]),
            roster=msgspec.Raw(sections[ROSTER]),
            online=msgspec.Raw(sections[ONLINE]),
            skew=marks.skew,
            names=msgspec.Raw(sections[NAMES]),
            conversations=[msgspec.Raw(part) for part in conversations],
            forgetting=Forgetting(),
            anomalies=marks.anomalies,
        )
    except (KeyError, msgspec.MsgspecError) as error:
        raise SnapshotUnreadable(str(error)) from None
    shard = restore(_encode(whole))
    for held in shard.conversations.values():
        shard.forgetting.note(held.feed, held.last_at, held.key)
    return shard
