"""What the line sensor and the probe's own connection tell each other: how the lines are, and which one carries it."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from agent_probe._core.line_choice import LineNow, best, is_undecided, is_worth_leaving
from wire.uplink import LineReason


class Moved(NamedTuple):
    """The connection is on another line than before. duration_ms: from the first sign of trouble until it was back."""

    from_line: str
    to_line: str
    cause: LineReason
    duration_ms: int


class Lines:
    """The site's lines in the order of the configuration. `now_ms`: the probe's monotonic clock.

    Without lines nothing is chosen and nothing ever left.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._expected = 0
        self._lines: dict[str, LineNow] = {}
        self._changed = asyncio.Event()
        self._last = ""
        self._lost_at: int | None = None
        self._taken = ""
        self.carrying = ""
        self.moves: list[Moved] = []
        self.on_carrying: Callable[[], None] = _nothing

    def expect(self, count: int) -> None:
        """So many lines will be told about."""
        self._expected = count

    async def until_known(self) -> None:
        """Wait until a line is known to work, or that none does."""
        while len(self._lines) < self._expected or is_undecided(list(self._lines.values())):
            self._changed.clear()
            await self._changed.wait()

    def update(self, line: LineNow) -> None:
        """What is known of one line now."""
        self._lines[line.name] = line
        self._changed.set()

    def take_best(self) -> str:
        """The address to bind the next connection to; "" leaves it to the system."""
        chosen = best(list(self._lines.values()))
        self._taken = "" if chosen is None else chosen.name
        return "" if chosen is None else chosen.source_address

    def connected(self) -> None:
        """The connection stands on the line that was taken."""
        self.carrying = self._taken
        if self._last and self.carrying and self.carrying != self._last:
            self.moves.append(self._move())
        self._last = self.carrying or self._last
        self._lost_at = None
        self.on_carrying()

    def disconnected(self) -> None:
        """There is no connection."""
        if self.carrying:
            self._lost_at = self._now_ms()
            self.carrying = ""
            self.on_carrying()

    async def until_worth_leaving(self) -> str:
        """Wait until the line that carries the connection is worse than another; its name."""
        while not is_worth_leaving(list(self._lines.values()), self.carrying):
            self._changed.clear()
            await self._changed.wait()
        return self.carrying

    def _move(self) -> Moved:
        before = self._lines.get(self._last)
        began = self._lost_at
        if before is not None and before.silent_since is not None:
            began = before.silent_since if began is None else min(began, before.silent_since)
        duration_ms = 0 if began is None else max(0, self._now_ms() - began)
        return Moved(self._last, self.carrying, LineReason.OK if before is None else before.reason, duration_ms)


def _nothing() -> None:
    """Nobody listens."""
