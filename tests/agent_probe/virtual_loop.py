"""An event loop whose time is a number: waiting costs nothing, and a test of minutes takes milliseconds."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
WALL_AT_START_MS = 1_800_000_000_000


class _Selector(selectors.SelectSelector):
    """Never waits for sockets: moves the time on instead."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing is scheduled and nobody will ever wake this"
            self.now_s += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


class VirtualClock:
    """The probe's clock in the loop's time."""

    def monotonic_ms(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000)

    def awake_ms(self) -> int:
        return self.monotonic_ms()

    def wall_ms(self) -> int:
        return WALL_AT_START_MS + self.monotonic_ms()

    def clock_synced(self) -> bool:
        return True


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


async def passes(time_ms: int) -> None:
    """Let virtual time pass."""
    loop = asyncio.get_running_loop()
    until = loop.create_future()
    loop.call_later(time_ms / 1000, until.set_result, None)
    await until
