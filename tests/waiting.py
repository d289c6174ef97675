"""Waiting for a condition with a deadline: the only place in the tests that may sleep.

    await wait_until(lambda: board.as_of_ms >= 1000, timeout_s=5, what="the board to reach one second")

Where the thing under test takes a clock, advance the clock instead; this is for real servers and real processes.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain, repeat
from typing import Final, TypeVar, overload

T = TypeVar("T")

POLL_S: Final = 0.01
RARELY_S: Final = 0.05
LONG: Final = 20
"""After so many looks of POLL_S one looks every RARELY_S: looking at a server takes what it needs to get there."""
TIMEOUT_S: Final = 10.0


class NeverHappenedError(AssertionError):
    """The condition did not hold before the deadline. Names what was waited for and what was seen last."""

    def __init__(self, what: str, timeout_s: float, last: object) -> None:
        super().__init__(f"waited {timeout_s:g} s for {what}; last seen: {last!r}")


def pauses() -> Iterator[float]:
    """Between two looks."""
    return chain(repeat(POLL_S, LONG), repeat(RARELY_S))


@overload
async def wait_until(
    predicate: Callable[[], Awaitable[T]],
    timeout_s: float = TIMEOUT_S,
    *,
    what: str = "a condition",
    poll_s: float | None = None,
) -> T: ...


@overload
async def wait_until(
    predicate: Callable[[], T],
    timeout_s: float = TIMEOUT_S,
    *,
    what: str = "a condition",
    poll_s: float | None = None,
) -> T: ...


async def wait_until(
    predicate: Callable[[], object],
    timeout_s: float = TIMEOUT_S,
    *,
    what: str = "a condition",
    poll_s: float | None = None,
) -> object:
    """The first truthy value of `predicate`, which may be a coroutine function. Raises NeverHappenedError.

    poll_s: between two looks, where a look takes much; None = often at first.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = repeat(poll_s) if poll_s else pauses()
    while True:
        found = predicate()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() >= deadline:
            raise NeverHappenedError(what, timeout_s, value)
        await asyncio.sleep(next(pause_s))


def wait_until_blocking(predicate: Callable[[], T], timeout_s: float = TIMEOUT_S, *, what: str = "a condition") -> T:
    """As `wait_until`, for tests without an event loop."""
    deadline = time.monotonic() + timeout_s
    pause_s = pauses()
    while not (value := predicate()):
        if time.monotonic() >= deadline:
            raise NeverHappenedError(what, timeout_s, value)
        time.sleep(next(pause_s))  # noqa: TID251 - the one place that polls
    return value
