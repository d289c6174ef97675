"""Conversations whose end nobody told: they leave the hands they are in as on the board (sla_engine/_core/hands.py)."""

from collections.abc import Iterator, Mapping
from typing import Final

from wire.body import Body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Closed,
    CustomerLeft,
    CustomerTurn,
    Form,
    Offered,
    Queued,
    Transferred,
)
from wire.verdict import LoadChange

_TOLD: Final = (Offered, Queued, Assigned, Accepted, CustomerTurn, AgentTurn, Transferred)
_UNMOVED: Final = (Form.EDIT, Form.RECALL)


class NeverEnded:
    """When (ms) something was last told of each conversation whose end was not."""

    def __init__(self) -> None:
        self._last: Final[dict[str, int]] = {}

    def hear(self, body: Body) -> None:
        """Take an event of a conversation in, in the order of the record."""
        if isinstance(body, CustomerLeft | Closed):
            if body.occurred_at >= self._last.get(body.conversation, 0):
                self._last.pop(body.conversation, None)
        elif isinstance(body, _TOLD) and not (isinstance(body, CustomerTurn) and body.form in _UNMOVED):
            self._last[body.conversation] = max(self._last.get(body.conversation, 0), body.occurred_at)

    def leave(self, held: Mapping[tuple[str, str], int], idle_ms: int) -> Iterator[LoadChange]:
        """What takes those out of hands that nothing was told of for idle_ms.

        held: (conversation, account) -> how often it joined these hands more than it left them.
        """
        for (conversation, account), count in held.items():
            if count > 0 and conversation in self._last:
                yield LoadChange(conversation, 0, 0, account, self._last[conversation] + idle_ms, -count)
