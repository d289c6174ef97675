"""Questions to the system that may not come back: asked in a thread, so that whoever hangs there hangs alone."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Asks `read` in a thread, one question at a time: while it hangs, everybody waits for the one that is out."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._asked: asyncio.Future[T] | None = None

    async def ask(self) -> T:
        """What it says. Raises what it raises; who gives up waiting leaves it to come back when it will."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(None, self._read)
        return await asyncio.shield(self._asked)
