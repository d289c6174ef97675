"""A call of a queue_log that is not over: what is known of it, and what it adds to the record when it is told."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from collector.importers._core.queue_log import FORMAT, SECOND_MS, CallEvent, LogRow, Note
from wire.body import Body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Channel,
    Closed,
    ClosedBy,
    Direction,
    Offered,
    Queued,
    SourceNote,
    Transferred,
)

Ring = tuple[int, int, str, str]
"""From, until (ms), the account that was rung and the event that said so."""
Key = tuple[str, str]
"""Call id and queue."""


class CallLimits(NamedTuple):
    """How much is kept of a log that never says how its calls end.

    ids_remembered: how many open calls are kept, and how many that were in hands, or were given up, are known again.
    call_longest_ms: a call that entered longer ago has ended, though no row said so.
    """

    ids_remembered: int
    call_longest_ms: int


class OpenCall(msgspec.Struct, eq=False):
    """A call that is in a queue or in hands. Instants in ms.

    keys: under which it is found, its own first. entered_at: as the log told it. offered_at: from when it waits there
    as a matter of record, later than that where it was a colleague who waited at first. last_at: of the last event
    told. held: nothing of it was told yet. may_ask: somebody talked when it entered, so it may be that agent's question
    to a colleague. asked_by: the conversation of the agent whose extension it came from. rings_at, answered_at: of the
    phone that was answered. rings: phones that rang in vain, not told yet.
    """

    conversation: str
    queue: str
    keys: list[Key]
    entered_at: int
    offered_at: int
    last_at: int
    resolution_ms: int
    held: bool
    answered_at: int | None = None
    account: str = ""
    rings: list[Ring] = []
    may_ask: bool = False
    asked_by: str = ""
    rings_at: int = 0


class Meeting(msgspec.Struct, frozen=True):
    """An attended transfer between two talks. at: when the call was handed over (ms). told_at: of the row.

    untold: the key of its call where nothing of it was told yet, because it may be the colleague's.
    """

    conversation: str
    at: int
    told_at: int
    untold: Key | None


class CallsState(msgspec.Struct, frozen=True):
    """What the rows so far left open, to go on from in another run. open, talking: keys and places in `calls`.

    handed_at: when those of `were_in_hands` that are in hands no more were handed over or ended (ms).
    """

    calls: list[OpenCall]
    open: list[tuple[Key, int]]
    talking: list[tuple[Key, int]]
    were_in_hands: list[str]
    handed_at: dict[str, int] = {}
    met: dict[str, Meeting] = {}
    given_up: list[Key] = []


def entered(key: Key, at: int, resolution_ms: int) -> OpenCall:
    """A call of which nothing was told yet."""
    return OpenCall(*key, [key], at, at, at, resolution_ms, held=True)


def head(call: OpenCall) -> tuple[int, str, None, bool, str]:
    """What every event of the call begins with, after its instant."""
    return call.resolution_ms, FORMAT, None, False, call.conversation


def beginning(call: OpenCall) -> Iterator[Body]:
    """It entered a queue."""
    begins = (*head(call), call.conversation, call.queue)
    yield Offered(call.offered_at, *begins, Channel.VOICE, Direction.INBOUND)
    yield Queued(call.offered_at, *begins)


def answer(call: OpenCall, note: Callable[[Note], None]) -> Iterator[Body]:
    """It was answered at `answered_at`; as a matter of record not before it was offered."""
    rings_at = max(call.rings_at, call.offered_at)
    yield from legs(call, rings_at, note)
    begins = (*head(call), call.conversation)
    call.last_at = max(call.answered_at or 0, call.offered_at)
    if call.account:
        yield Assigned(rings_at, *begins, call.account, call.queue)
        yield Accepted(call.last_at, *begins, call.account)
    yield AgentTurn(call.last_at, *begins, call.account)


def went_out(row: LogRow, event: CallEvent) -> Iterator[Body]:
    """We rang a customer, told when it was over. One that the customer did not answer was in nobody's hands."""
    began_at = row.at - (row.seconds(event.talk) or 0)
    begins = (row.resolution_ms, FORMAT, None, False, row.call, row.call)
    yield Offered(began_at, *begins, row.queue, Channel.VOICE, Direction.OUTBOUND)
    if row.account and row.is_answered(event):
        yield Accepted(began_at, *begins, row.account)
        yield AgentTurn(began_at, *begins, row.account)
    yield Closed(row.at, *begins, ClosedBy.SYSTEM)


def handed_over(call: OpenCall, at: int) -> Iterator[Body]:
    """It went on to somebody else; with this leg it is over."""
    call.last_at = max(call.last_at, at)
    yield Transferred(call.last_at, *head(call), call.conversation)
    yield Closed(call.last_at, *head(call), call.conversation, ClosedBy.AGENT)


def legs(call: OpenCall, answered_ring_at: int | None, note: Callable[[Note], None]) -> Iterator[Body]:
    """The times it rang in vain, one after the other. A record has a conversation in one person's hands at a time.

    So of phones that ring together the one that is answered counts, and of those that nobody answers the first.
    """
    begins = (*head(call), call.conversation)
    after = call.offered_at
    for began_at, ended_at, account, event in call.rings:
        started_at, until = max(began_at, after), ended_at
        if answered_ring_at is not None and until <= answered_ring_at + SECOND_MS:
            until = min(until, answered_ring_at)  # one after the other, as far as whole seconds tell
        if until < started_at or (answered_ring_at is not None and until > answered_ring_at):
            note(Note.RANG_TOGETHER)
            yield SourceNote(max(until, call.offered_at), *head(call), event, call.conversation, call.queue, account)
            continue
        yield Assigned(started_at, *begins, account, call.queue)
        yield Queued(until, *begins, call.queue)
        after = call.last_at = until
    call.rings = []


def moment(call: OpenCall, since: int, told_at: int, told_ms: int | None, note: Callable[[Note], None]) -> int:
    """When it happened: as the row's time says, unless the length the exchange measured itself says otherwise."""
    lasted = told_at - since
    if told_ms is not None and abs(lasted - told_ms) >= SECOND_MS:
        if abs(lasted - told_ms) > SECOND_MS:
            note(Note.WAIT_CONTRADICTS)
        told_at = since + told_ms
    elif lasted < 0:
        note(Note.STEPPED_BACK)
    return max(told_at, call.last_at)


def as_note(row: LogRow) -> SourceNote:
    """A row that moves nothing, by its name."""
    begins = (row.resolution_ms, FORMAT, None, False, row.call)
    return SourceNote(row.at, *begins, row.event, row.call, row.queue, row.account)
