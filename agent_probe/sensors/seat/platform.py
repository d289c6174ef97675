"""One platform as this seat sees it: whether its client runs, whether its door answers."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from agent_probe.failures import failure_word
from agent_probe.sensors.base import Reading, Stamp
from agent_probe.sensors.seat.programs import Programs
from agent_probe.sensors.seat.reach import Reach, ReachBelieved
from agent_probe.sensors.seat.settings import PlatformSettings
from agent_probe.tls import client_context
from wire.seat import PlatformReading

MS_PER_S: Final = 1000
TOO_LONG: Final = "timeout"
"""The cause where a sample did not end in time."""


class PlatformTarget(NamedTuple):
    """programs: file names of its client; () to look at none. host: its door; "" to try none."""

    name: str
    programs: Sequence[str]
    host: str
    port: int
    tls: bool
    ca_file: str = ""


class Knock(NamedTuple):
    """How long the door took in ms, or why it did not open."""

    connect_ms: int | None
    error: str


class PlatformSensor:
    """Samples one platform."""

    def __init__(
        self,
        target: PlatformTarget,
        programs: Programs,
        settings: PlatformSettings,
        *,
        site: str,
        seat: str,
        clock_domain: str,
    ) -> None:
        self.name = f"platform/{target.name}"
        self.schedule = settings.schedule
        self._target = target
        self._programs = programs
        self._settings = settings
        self._site = site
        self._seat = seat
        self._clock_domain = clock_domain
        self._reach = Reach(settings.misses_believed)
        self._state: tuple[bool | None, bool | None] | None = None
        self._since = 0

    async def open(self) -> None:
        """Nothing to open."""

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """Look for its client, knock at its door."""
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._look(now), name=f"{self.name}.look")
            knock = await self._knock() if self._target.host else None
        return [self._reading(knock, now, is_running=looking.result())]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:
        """A sample that took too long: a door that did not open. If it failed for another reason, nothing is known."""
        knock = Knock(None, cause) if cause == TOO_LONG else None
        return [self._reading(knock, now, is_running=None)] if self._target.host else []

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _look(self, now: Stamp) -> bool | None:
        """Whether its client runs; None where that is not asked, or the system does not say it, or not in time."""
        if not self._target.programs:
            return None
        with suppress(OSError):
            async with asyncio.timeout(self._settings.connect_ms / MS_PER_S):
                return await self._programs.is_any_running(self._target.programs, now.monotonic)
        return None

    async def _knock(self) -> Knock:
        loop, target = asyncio.get_running_loop(), self._target
        began = loop.time()
        try:
            async with asyncio.timeout(self._settings.connect_ms / MS_PER_S):
                _, writer = await asyncio.open_connection(
                    target.host, target.port, ssl=client_context(target.ca_file) if target.tls else None
                )
        except OSError as error:
            return Knock(None, failure_word(error))
        writer.transport.abort()
        return Knock(int((loop.time() - began) * MS_PER_S), "")

    def _reading(self, knock: Knock | None, now: Stamp, *, is_running: bool | None) -> Reading:
        believed = ReachBelieved(None, 0, is_settled=True)
        if knock is not None:
            believed = self._reach.observe(answered=knock.connect_ms is not None, now=now.monotonic)
        self.schedule = self._settings.schedule if believed.is_settled else self._settings.suspect
        state = (is_running, believed.is_reachable)
        if state != self._state:
            self._state, self._since = state, now.monotonic

        def body() -> PlatformReading:
            return PlatformReading(
                **now.head(self._clock_domain),
                site=self._site,
                seat=self._seat,
                platform=self._target.name,
                is_running=is_running,
                is_reachable=believed.is_reachable,
                connect_ms=None if knock is None else knock.connect_ms,
                error="" if knock is None else knock.error,
                since_ms=now.held_ms(self._since),
            )

        return Reading(self.name, state, self._settings.rhythm, body)
