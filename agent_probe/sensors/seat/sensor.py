"""A heartbeat says that the probe is alive and promises when the next one comes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent_probe._core.gate import Rhythm
from agent_probe.sensors.base import Reading, Schedule, Stamp
from wire.facility import Heartbeat, Role

ABOUT = "heartbeat"


class Load(NamedTuple):
    """What the outbox holds, in rows and bytes; the probe's version, and what went wrong since its start."""

    rows: int
    size: int
    version: str = ""
    errors: int = 0


class Measured(NamedTuple):
    """Names of all that a probe is configured to measure, as a heartbeat lists them; None = too many of a kind."""

    upses: list[str] | None = None
    lines: list[str] | None = None
    phone_lines: list[str] | None = None


class HeartbeatSensor:
    """Every sample is shown on the snapshot lane; now and then one is recorded, so that a cut line leaves a trace."""

    name = ABOUT

    def __init__(
        self,
        schedule: Schedule,
        rhythm: Rhythm,
        *,
        site: str,
        seat: str,
        role: Role,
        clock_domain: str,
        load: Callable[[], Load],
        measured: Measured,
    ) -> None:
        self.schedule = schedule
        self._rhythm = rhythm
        self._site = site
        self._seat = seat
        self._role = role
        self._clock_domain = clock_domain
        self._load = load
        self._measured = measured
        self._started_at: int | None = None

    async def open(self) -> None:
        """Nothing to open."""

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """One beat."""
        if self._started_at is None:
            self._started_at = now.monotonic
        uptime_ms = now.held_ms(self._started_at)

        def body() -> Heartbeat:
            load = self._load()
            return Heartbeat(
                **now.head(self._clock_domain),
                site=self._site,
                seat=self._seat,
                role=self._role,
                interval_ms=self.schedule.interval_ms,
                uptime_ms=uptime_ms,
                outbox_rows=load.rows,
                outbox_bytes=load.size,
                version=load.version,
                errors=load.errors,
                upses=self._measured.upses,
                lines=self._measured.lines,
                phone_lines=self._measured.phone_lines,
            )

        return [Reading(ABOUT, self._role, self._rhythm, body)]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - the protocol's arguments
        """A heartbeat that does not come says enough."""
        return ()

    async def close(self) -> None:
        """Nothing to close."""
