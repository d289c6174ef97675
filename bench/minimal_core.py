"""The least that finds late replies: a dict, a heap, no definitions, no roster, no corrections.

The engine is measured beside it. It knows one limit, takes events in the order they come, and keeps its state as
plainly as Python allows.
"""

import heapq
from collections.abc import Sequence

import msgspec

from wire.conversation import AgentTurn, Closed, CustomerTurn, Offered
from wire.recorded import Recorded


class Waiting(msgspec.Struct, gc=False):
    """One conversation."""

    queue: str
    started_at: int
    turn_at: int = -1
    answered: bool = False
    overdue: bool = False


class Said(msgspec.Struct, gc=False):
    """One thing to report."""

    conversation: str
    queue: str
    what: str
    value_ms: int


class MinimalCore:
    """All of it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held: dict[str, Waiting] = {}
        self.due: list[tuple[int, str]] = []

    def step(self, batch: Sequence[Recorded]) -> list[Said]:
        """Fold a batch whose events are in order of time."""
        said: list[Said] = []
        held, due, limit = self.held, self.due, self.limit
        for entry in batch:
            body = entry.body
            if body is None:
                continue
            at = body.occurred_at
            while due and due[0][0] < at:
                _, key = heapq.heappop(due)
                waiting = held.get(key)
                if waiting is not None and not waiting.answered and not waiting.overdue:
                    waiting.overdue = True
                    said.append(Said(key, waiting.queue, "overdue", limit))
            if isinstance(body, CustomerTurn):
                waiting = held.get(body.conversation)
                if waiting is not None and waiting.turn_at < 0:
                    waiting.turn_at = at
            elif isinstance(body, AgentTurn):
                self._reply(body.conversation, at, said)
            elif isinstance(body, Offered):
                held[body.conversation] = Waiting(body.queue, at)
                heapq.heappush(due, (at + limit, body.conversation))
            elif isinstance(body, Closed):
                held.pop(body.conversation, None)
        return said

    def _reply(self, key: str, at: int, said: list[Said]) -> None:
        waiting = self.held.get(key)
        if waiting is None:
            return
        if not waiting.answered:
            waiting.answered = True
            said.append(Said(key, waiting.queue, "first", at - waiting.started_at))
        if waiting.turn_at >= 0:
            said.append(Said(key, waiting.queue, "turn", at - waiting.turn_at))
            waiting.turn_at = -1
