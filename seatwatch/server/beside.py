"""Work that runs beside the rest of a server, and ends with it in the reverse order of its start."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol


class Beside(Protocol):
    """Starts work that runs until the server stops."""

    async def __call__(self, work: Coroutine[object, object, None], *, name: str) -> None:
        """Start it."""
        ...


async def run_beside(
    stack: AsyncExitStack, tasks: asyncio.TaskGroup, work: Coroutine[object, object, None], *, name: str
) -> None:
    """A Beside, once stack and tasks are given: the work ends when the stack is left."""
    await stack.enter_async_context(_running(tasks, work, name=name))


@asynccontextmanager
async def _running(
    tasks: asyncio.TaskGroup, work: Coroutine[object, object, None], *, name: str
) -> AsyncIterator[None]:
    """Run `work` beside the caller and end it on leaving. If it fails, the group ends the caller as well."""
    task = tasks.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
