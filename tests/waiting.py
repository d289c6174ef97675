"""Waiting for a condition with a deadline: the only place in the tests that may sleep.

    await wait_until(lambda: board.as_of_ms >= 1000, timeout_s=5, what="the board to reach one second")

Where the thing under test takes a clock, advance the clock instead; this is for real servers and real processes.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, overload

T = TypeVar("T")

POLL_S: Final = 0.01
TIMEOUT_S: Final = 10.0


class NeverHappenedError(AssertionError):
    """The condition did not hold before the deadline. Names what was waited for and what was seen last."""

    def __init__(self, what: str, timeout_s: float, last: object) -> None:
        super().__init__(f"waited {timeout_s:g} s for {what}; last seen: {last!r}")


@overload
async def wait_until(
    predicate: Callable[[], Awaitable[T]], timeout_s: float = TIMEOUT_S, *, what: str = "a condition"
) -> T: ...


@overload
async def wait_until(predicate: Callable[[], T], timeout_s: float = TIMEOUT_S, *, what: str = "a condition") -> T: ...


async def wait_until(
    predicate: Callable[[], object], timeout_s: float = TIMEOUT_S, *, what: str = "a condition"
) -> object:
    """The first truthy value of `predicate`, which may be a coroutine function. Raises NeverHappenedError."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = predicate()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() >= deadline:
            raise NeverHappenedError(what, timeout_s, value)
        await asyncio.sleep(POLL_S)


def wait_until_blocking(predicate: Callable[[], T], timeout_s: float = TIMEOUT_S, *, what: str = "a condition") -> T:
    """As `wait_until`, for tests without an event loop."""
    deadline = time.monotonic() + timeout_s
    while not (value := predicate()):
        if time.monotonic() >= deadline:
            raise NeverHappenedError(what, timeout_s, value)
        time.sleep(POLL_S)  # noqa: TID251 - the one place that polls
    return value
