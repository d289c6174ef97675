"""What a probe notices about the machine it runs on: that it slept, and that its wall clock jumped. Pure.

Three clocks are compared between two looks. monotonic counts sleep and awake does not: their difference is sleep. The
wall clock should move as monotonic does: what differs is a step. Times in ms.
"""

from typing import NamedTuple


class MachineRules(NamedTuple):
    """Both in ms. slept: shorter is not worth telling. stepped: less is a clock being steered, not set."""

    slept_ms: int
    stepped_ms: int


class Noticing(NamedTuple):
    """Since the last look. Zero where there is nothing to tell. step_ms: positive when the wall clock went forward."""

    slept_ms: int
    step_ms: int


class MachineWatch:
    """Remembers the last look."""

    def __init__(self, rules: MachineRules) -> None:
        self._rules = rules
        self._last: tuple[int, int, int] | None = None

    def look(self, *, wall: int, monotonic: int, awake: int) -> Noticing:
        """Take in three clocks, read together."""
        last, self._last = self._last, (wall, monotonic, awake)
        if last is None:
            return Noticing(0, 0)
        passed = monotonic - last[1]
        slept_ms = passed - (awake - last[2])
        step_ms = wall - last[0] - passed
        return Noticing(
            slept_ms if slept_ms >= self._rules.slept_ms else 0,
            step_ms if abs(step_ms) >= self._rules.stepped_ms else 0,
        )
