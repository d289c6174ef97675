"""What the first stage hands out: the result of a step, and how a conversation looks right now.

The functions that return these live in `sla_engine._core.engine`:

    new_shard(shard=0, of=1) -> Shard
    step(shard, batch, now) -> StepResult
    live(shard, conversation_id) -> LiveConversation | None
    open_conversations(shard) -> Iterator[str]
    watermark(shard) -> int | None
    place_of(shard, account, at) -> Place
    definitions_of(shard, queue, at) -> tuple[Definition, ...]      the first one is the primary
    contracts_of(shard, queue, at) -> tuple[Contract, ...]
    label_of(definition) -> str                                     what facts carry in `definition`
    anomalies(shard) -> Mapping[str, int]
    snapshot(shard) -> bytes ; restore(data) -> Shard
"""

from typing import NamedTuple

import msgspec

from wire.verdict import Announcement, Fact, Place


class StepResult(NamedTuple):
    """What one step says.

    facts: in the order they were decided; a function of the entries alone.
    announcements: made because of `now`; never repeated by the same shard.
    touched: ids of this shard's conversations whose live view may have changed, each once.
    next_wake_at: ms instant of the earliest announcement that is still owed, None when there is none.
    """

    facts: list[Fact]
    announcements: list[Announcement]
    touched: list[str]
    next_wake_at: int | None


class LiveConversation(msgspec.Struct, frozen=True, gc=False):
    """One conversation as it stands, under the primary definition of its session.

    definition: its label, "" where none applies.

    waiting_since: start of the wait that is running (session start until the first response, then the open turn),
    None when the customer is owed nothing. due_at: when the first response is due while it is owed and judged, else
    None. dues: (definition, due instant) of every definition under which a first response is owed, primary first.
    account: who has it in hands, "" when nobody. open: not ended. last_at: of what was told of it last.
    excluded: the session is not judged (out of hours, outbound).
    """

    conversation: str
    session: int
    queue: str
    account: str
    place: Place
    waiting_since: int | None
    due_at: int | None
    open: bool
    last_at: int
    definition: str = ""
    dues: tuple[tuple[str, int], ...] = ()
    excluded: bool = False
