"""How long a battery will last, from how fast its charge fell so far. Pure; times in ms of a monotonic clock.

Charge comes in steps, so only the instants at which it fell count; the newest `window_ms` of them, because a battery
falls faster the emptier it gets. Nothing is estimated before `least_drop` has gone, nor on mains.
"""

from collections import deque
from typing import Final, NamedTuple

# Format: thousandths of a percent.
WHOLE: Final = 100_000
"""Thousandths of a percent in a full battery."""


class SlopeRules(NamedTuple):
    """window_ms: how far back to look. least_drop: in thousandths of a percent. falls_kept: of those within it."""

    window_ms: int
    least_drop: int
    falls_kept: int


class RuntimeEstimate:
    """One battery's memory."""

    def __init__(self, rules: SlopeRules) -> None:
        self._rules = rules
        self._falls: deque[tuple[int, int]] = deque(maxlen=rules.falls_kept)
        self._charge: int | None = None

    def observe(self, charge: int | None, now: int, *, on_battery: bool) -> int | None:
        """Take in a charge (thousandths of a percent). How long it lasts from `now` in ms; None: cannot be told."""
        if not on_battery or charge is None or (self._charge is not None and charge > self._charge):
            self._falls.clear()
            self._charge = charge if on_battery else None
            return None
        if self._charge is not None and charge < self._charge:
            self._falls.append((now, charge))
        self._charge = charge
        # Format: arithmetic, a slope takes two points.
        while len(self._falls) > 2 and now - self._falls[1][0] > self._rules.window_ms:
            self._falls.popleft()
        return self._left(now)

    def _left(self, now: int) -> int | None:
        if not self._falls:
            return None
        (began, high), (fell, low) = self._falls[0], self._falls[-1]
        if high - low < self._rules.least_drop:
            return None
        return max(0, low * (fell - began) // (high - low) - (now - fell))
