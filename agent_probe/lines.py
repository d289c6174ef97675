"""What the line sensor and the probe's own connection tell each other: how the lines are, and which one carries it."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from agent_probe._core.line_choice import LineNow, best, is_worth_leaving, works
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
        self._silent_at: int | None = None
        self._taken = ""
        self.carrying = ""
        self.moves: list[Moved] = []
        self.on_carrying: Callable[[], None] = _nothing
        self.on_back: Callable[[], None] = _nothing
        """Called when a line works after none did."""

    def expect(self, count: int) -> None:
        """So many lines will be told about."""
        self._expected = count

    @property
    def works(self) -> bool:
        """Whether there is a line that answers."""
        return works(list(self._lines.values()))

    def seen(self, name: str) -> LineNow | None:
        """What is known of one line; None before anything is."""
        return self._lines.get(name)

    async def until_one_works(self) -> None:
        """Wait until a line is known to work. Without lines nobody waits."""
        while self._expected and not self.works:
            self._changed.clear()
            await self._changed.wait()

    def update(self, line: LineNow) -> None:
        """What is known of one line now."""
        worked, before = self.works, self._lines.get(line.name)
        self._lines[line.name] = line
        if line.name == self.carrying and (_is_silent(line) or _is_silent(before)):
            self._silent_at = self._now_ms()
        self._changed.set()
        if self.works and not worked:
            self.on_back()

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
        self._lost_at = self._silent_at = None
        self.on_carrying()

    def disconnected(self) -> None:
        """There is no connection."""
        if self.carrying:
            self._lost_at = self._now_ms()
            self.carrying = ""
            self.on_carrying()

    def were_silent(self, within_ms: int) -> bool:
        """Whether the line that carries the connection was silent within so long: that is what became of it."""
        is_silent = _is_silent(self._lines.get(self.carrying))
        return is_silent or (self._silent_at is not None and self._now_ms() - self._silent_at <= within_ms)

    async def until_worth_another_try(self) -> None:
        """Wait until connecting anew promises more: over another line, or since one works after none did."""
        worked = self.works
        while not is_worth_leaving(list(self._lines.values()), self._taken) and (worked or not self.works):
            worked = self.works
            self._changed.clear()
            await self._changed.wait()

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


def _is_silent(line: LineNow | None) -> bool:
    return line is not None and line.silent_since is not None


def _nothing() -> None:
    """Nobody listens."""
