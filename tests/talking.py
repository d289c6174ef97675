"""Who talked when, read off the events of calls alone: what tables are held to that the product makes of legs."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sla_engine.reports._core.agent_hours import Interval, State
from wire.body import Body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Author,
    Channel,
    Closed,
    CustomerLeft,
    Offered,
    Queued,
    Transferred,
)


class Talk(NamedTuple):
    """One person's part of a call. entered_ms: when it entered the queue it was answered in. end_ms: None = goes on."""

    account: str
    queue: str
    entered_ms: int
    start_ms: int
    end_ms: int | None

    @property
    def interval(self) -> Interval:
        """The same as time of the account."""
        return Interval(self.account, self.start_ms, self.end_ms, State.TALKING)


class _Call:
    """Where a call stands: who has answered it, and since when."""

    __slots__ = ("account", "entered_ms", "queue", "start_ms")

    def __init__(self, entered_ms: int, queue: str) -> None:
        self.entered_ms = entered_ms
        self.queue = queue
        self.account = ""
        self.start_ms: int | None = None


def talks(events: Iterable[Body]) -> Iterator[Talk]:
    """Who talked in each voice call, from the answer to the end or the transfer. events: in order of event time."""
    calls: dict[str, _Call] = {}
    for event in events:
        if isinstance(event, Offered):
            if event.channel is Channel.VOICE:
                calls[event.conversation] = _Call(event.occurred_at, event.queue)
            continue
        call = calls.get(getattr(event, "conversation", ""))
        if call is None:
            continue
        if isinstance(event, Accepted | AgentTurn):
            is_person = isinstance(event, Accepted) or event.author is Author.HUMAN
            if is_person and event.account and call.start_ms is None:
                call.account, call.start_ms = event.account, event.occurred_at
        elif isinstance(event, Assigned | Queued | Transferred | Closed | CustomerLeft) and call.start_ms is not None:
            yield Talk(call.account, call.queue, call.entered_ms, call.start_ms, event.occurred_at)
            call.start_ms = None
    for call in calls.values():
        if call.start_ms is not None:
            yield Talk(call.account, call.queue, call.entered_ms, call.start_ms, None)
