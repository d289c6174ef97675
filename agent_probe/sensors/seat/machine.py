"""Looks at the machine's clocks every few seconds: whether it slept, whether its wall clock was set."""

from collections.abc import Callable, Sequence

from agent_probe._core.machine import MachineRules, MachineWatch
from agent_probe.notes import Notes
from agent_probe.sensors.base import Reading, Schedule, Stamp
from wire.seat import Noticed


class MachineSensor:
    """Says nothing unless something happened. `awake_ms`: a clock that stands still while the machine sleeps."""

    name = "machine"

    def __init__(self, schedule: Schedule, rules: MachineRules, notes: Notes, *, awake_ms: Callable[[], int]) -> None:
        self.schedule = schedule
        self._watch = MachineWatch(rules)
        self._notes = notes
        self._awake_ms = awake_ms

    async def open(self) -> None:
        """Nothing to open."""

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """One look."""
        noticed = self._watch.look(wall=now.wall, monotonic=now.monotonic, awake=self._awake_ms())
        found = []
        if noticed.slept_ms:
            found.append(self._notes.note(Noticed.SUSPENDED, now, duration_ms=noticed.slept_ms))
        if noticed.step_ms:
            found.append(self._notes.note(Noticed.CLOCK_STEPPED, now, step_ms=noticed.step_ms))
        return found

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - the protocol's arguments
        """Clocks are always there."""
        return ()

    async def close(self) -> None:
        """Nothing to close."""
