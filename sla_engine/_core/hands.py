"""Who has which conversation in hands. One whose end nobody tells leaves them, some time after the last word on it.

Nothing here is a fact: who had what is, in load changes and legs. This is how long a conversation that was never closed
counts among what people do at once. When something is told of it after all, it had been in hands all the time.
"""

from collections.abc import Collection, Iterable
from heapq import heappop, heappush
from typing import Final

import msgspec

from sla_engine._core.concurrency import Concurrency
from sla_engine._core.people import People
from wire.verdict import Fact, LoadChange


class _Held(msgspec.Struct, gc=False):
    """due_at: the place of this conversation among those that may leave. left_at: when it left, None = it did not."""

    account: str
    last_at: int
    due_at: int
    left_at: int | None = None


class Hands:
    """Tells the people who hold them, and the concurrency of what they held. Instants are ms of event time.

    idle_ms: how long after the last word a conversation counts.
    """

    def __init__(self, people: People, concurrency: Concurrency, idle_ms: int) -> None:
        self._people: Final = people
        self._concurrency: Final = concurrency
        self._idle_ms: Final = idle_ms
        self._held: Final[dict[str, _Held]] = {}
        self._due: Final[list[tuple[int, str]]] = []

    def stand(self, conversation: str, account: str, last_at: int) -> None:
        """`account` has it, "" = nobody, or it is over; last_at: of what was told of it last."""
        held = self._held.get(conversation)
        if held is not None:
            has_left = held.left_at is not None
            self._bring_back(conversation, held)
            if held.account == account:
                held.last_at = last_at
                if has_left:
                    self._wait(conversation, held)
                return
            self._people.leave(held.account, conversation)
            del self._held[conversation]
        if account:
            self._people.take(account, conversation)
            held = self._held[conversation] = _Held(account, last_at, 0)
            self._wait(conversation, held)

    def let_go(self, gone: Collection[str], facts: Iterable[Fact], at: int) -> None:
        """Take out of hands from `at` on what is let go of, as after a restart. facts: what was said with that."""
        known = {conversation: self._held.get(conversation) for conversation in gone}
        for conversation, held in known.items():
            if held is not None:
                self._bring_back(conversation, held)
        accounts = {conversation: "" if held is None else held.account for conversation, held in known.items()}
        self._concurrency.let_go(accounts, facts, at)

    def advance(self, watermark: int) -> None:
        """The record is complete up to `watermark`: what nothing was told of for so long leaves."""
        while self._due and self._due[0][0] <= watermark:
            due_at, conversation = heappop(self._due)
            held = self._held.get(conversation)
            if held is None or held.due_at != due_at or held.left_at is not None:
                continue
            if held.last_at + self._idle_ms > watermark:
                self._wait(conversation, held)
                continue
            held.left_at = held.last_at + self._idle_ms
            self._people.leave(held.account, conversation)
            self._concurrency.add(LoadChange(conversation, 0, 0, held.account, held.left_at, -1))

    def _wait(self, conversation: str, held: _Held) -> None:
        held.due_at = held.last_at + self._idle_ms
        heappush(self._due, (held.due_at, conversation))

    def _bring_back(self, conversation: str, held: _Held) -> None:
        if held.left_at is not None:
            self._people.take(held.account, conversation)
            self._concurrency.add(LoadChange(conversation, 0, 0, held.account, held.left_at, 1))
            held.left_at = None
