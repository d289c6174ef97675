"""Wall clocks that are wrong: off by minutes from the start, stepped forth and back while everything runs."""

from collections.abc import Callable
from random import Random
from typing import Final

START_MS: Final = 1_790_000_000_000
SKEW_MS: Final = 240_000
"""How far a source's clock may be off, either way."""
HUB_STEP_MS: Final = 60_000
"""How far the hub's may be, either way."""


class WallClock:
    """The clock of one machine: true time and an error. off_max_ms: the error never exceeds this."""

    def __init__(self, seconds: Callable[[], float], off_max_ms: int) -> None:
        self._seconds = seconds
        self._off_max_ms = off_max_ms
        self.off_ms = 0

    def now_ms(self) -> int:
        """What it shows: ms since the Unix epoch."""
        return START_MS + int(self._seconds() * 1000) + self.off_ms

    def step(self, rng: Random) -> int:
        """Set it anew, as wrongly as before; by how much it jumped, negative when back."""
        before = self.off_ms
        self.off_ms = rng.randint(-self._off_max_ms, self._off_max_ms)
        return self.off_ms - before
