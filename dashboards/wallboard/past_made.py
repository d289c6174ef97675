"""What is made of the record takes seconds: one thing at a time, few may wait, and what was made is kept a while.

* BusyError: enough others are waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from dashboards.wallboard.past_errors import BusyError
from dashboards.wallboard.settings import PastSettings

Key = TypeVar("Key")
Made = TypeVar("Made")


class Turns:
    """Who makes something now, and who waits: for all kinds of things together, as there is one core to make them on.

    elapsed_ms: time that nobody sets back.
    """

    def __init__(self, settings: PastSettings, elapsed_ms: Callable[[], int]) -> None:
        self.settings: Final = settings
        self.elapsed_ms: Final = elapsed_ms
        self.one_by_one: Final = asyncio.Lock()
        self.waiting = 0
        """Questions that are not answered yet."""


class Kept(Generic[Key, Made]):
    """Things of one kind, by what was asked for."""

    def __init__(self, turns: Turns, make: Callable[[Key], Awaitable[Made]]) -> None:
        self._turns: Final = turns
        self._make: Final = make
        self._kept: Final[dict[Key, tuple[int, Made]]] = {}

    async def get(self, key: Key) -> Made:
        """What was made of `key` a while ago at most. Raises BusyError, and whatever making it does."""
        turns = self._turns
        kept = self._fresh(key)
        if kept is not None:
            return kept
        if turns.waiting >= turns.settings.past_waiting_max:
            raise BusyError
        turns.waiting += 1
        try:
            async with turns.one_by_one:
                kept = self._fresh(key)
                if kept is not None:
                    return kept
                made = await self._make(key)
        finally:
            turns.waiting -= 1
        self._kept.pop(key, None)
        while len(self._kept) >= turns.settings.past_kept_max:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = turns.elapsed_ms(), made
        return made

    def _fresh(self, key: Key) -> Made | None:
        made_at, made = self._kept.get(key, (None, None))
        if made_at is None or self._turns.elapsed_ms() - made_at >= self._turns.settings.past_kept_ms:
            return None
        return made
