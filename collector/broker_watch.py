"""Puts on the record that the hub lost its broker, and that it has it back.

A hub of one site cannot tell its own deafness from that site's silence by silence alone; this it knows of itself.
"""

import asyncio
from collections.abc import Callable

import msgspec

from collector._core import derived, keys
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from wire.ids import OPERATOR
from wire.record import BROKER, SourceSilent


class BrokerWatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[collector]` in defaults.toml.

    lost_ms: without a connection, until it is said. back_ms: with one again, until that is said: probes come first.
    """

    lost_ms: int
    back_ms: int


class BrokerWatch:
    """One per door. is_connected: whether the door has its broker now."""

    def __init__(
        self,
        intake: Intake,
        settings: BrokerWatchSettings,
        *,
        is_connected: Callable[[], bool],
        clock_ms: Callable[[], int],
    ) -> None:
        self._intake = intake
        self._settings = settings
        self._is_connected = is_connected
        self._clock_ms = clock_ms
        self._was_connected = True
        self._since = clock_ms()
        self._lost_at: int | None = None
        """When it was lost, as the record says; None while that says nothing of the kind."""

    async def run(self, every_s: float) -> None:
        """Look again and again until cancelled. The intake must be running."""
        try:
            await self.restore()
            while True:
                await self.look()
                await asyncio.sleep(every_s)
        except IntakeStopped:
            return

    async def restore(self) -> None:
        """Learn what an earlier run said last."""
        said = await self._intake.latest(OPERATOR, keys.SILENCE, keys.silence_epoch(BROKER))
        self._lost_at = said.body.heard_at if isinstance(said.body, SourceSilent) else None

    async def look(self) -> None:
        """Say what is due. What a full queue refuses is due again at the next look."""
        now, is_connected = self._clock_ms(), self._is_connected()
        if is_connected is not self._was_connected:
            self._was_connected, self._since = is_connected, now
        held_ms = now - self._since
        try:
            if self._lost_at is None and not is_connected and held_ms >= self._settings.lost_ms:
                entry = derived.silent(BROKER, self._since, now)
                await self._intake.append_derived(OPERATOR, [entry], latest=True)
                self._lost_at = self._since
            elif self._lost_at is not None and is_connected and held_ms >= self._settings.back_ms:
                entry = derived.back(BROKER, self._lost_at, now)
                await self._intake.append_derived(OPERATOR, [entry], latest=True)
                self._lost_at = None
        except Busy:
            return
