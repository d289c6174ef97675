"""One probe, put together: sensors, outbox, uplink. The daemon runs one, the simulated floor hundreds in a process."""

import asyncio
import logging
import random
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

from agent_probe._core.outbox import Outbox, OutboxCounts
from agent_probe._core.snapshots import SnapshotLane
from agent_probe._core.storage import DropClass, MemoryStorage
from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.lines import Lines
from agent_probe.mqtt import MqttPort
from agent_probe.notes import Notes
from agent_probe.outbox import DurableOutbox
from agent_probe.platform import Platform, current
from agent_probe.runner import Publisher, Runner
from agent_probe.sensors.base import Sensor, Stamp
from agent_probe.sensors.registry import Host, build, machine
from agent_probe.sensors.seat.sensor import Load
from agent_probe.transport import port_for
from agent_probe.uplink import Backlog, Uplink
from wire.facility import Role
from wire.limits import EPOCH_BYTES

MS_PER_S: Final = 1000
log = logging.getLogger(__name__)


class Clock(Protocol):
    """What a probe asks of time; a Platform is one."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never go back and count suspended time."""

    def awake_ms(self) -> int:
        """Milliseconds that never go back and do not count suspended time."""

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch."""

    def clock_synced(self) -> bool:
        """Whether the wall clock is kept right."""


class ProbeOutbox(Backlog, Protocol):
    """An outbox, on disk or in memory."""

    @property
    def epoch(self) -> bytes:
        """The epoch in force."""

    @property
    def is_past_half(self) -> bool:
        """Whether more than half of the room is taken."""

    @property
    def settled(self) -> bool:
        """Whether the collector is past everything."""

    def put(self, kind: int, kind_version: int, body: bytes, drop_class: DropClass, *, now: int) -> int:
        """Keep an event."""

    def counts(self) -> OutboxCounts:
        """Figures."""


def draw_epoch() -> bytes:
    """A fresh random epoch: a counter would repeat on a cloned or restored machine."""
    return secrets.token_bytes(EPOCH_BYTES)


def memory_outbox(config: ProbeConfig, settings: ProbeSettings, clock: Clock) -> Outbox:
    """An outbox that forgets with its process: for simulated machines only."""
    return Outbox(MemoryStorage(), settings.outbox, source=config.source, epoch=draw_epoch(), now=clock.monotonic_ms())


def disk_outbox(config: ProbeConfig, settings: ProbeSettings, platform: Platform) -> DurableOutbox:
    """The outbox in the configured folder. Raises ProbeConfigError if it cannot be used."""
    directory = Path(config.data_dir) if config.data_dir else platform.default_data_dir()
    return DurableOutbox(
        directory, settings.outbox, source=config.source, draw_epoch=draw_epoch, now=platform.monotonic_ms()
    )


class Probe:
    """One probe over an outbox. Give it a port, sensors or a clock of your own to put it into another world.

    is_refused: broker or hub takes it for nobody it knows.
    """

    def __init__(
        self,
        config: ProbeConfig,
        settings: ProbeSettings,
        outbox: ProbeOutbox,
        *,
        clock: Clock,
        port: MqttPort | None = None,
        sensors: list[Sensor] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._config = config
        self._settings = settings
        self._clock = clock
        self.outbox = outbox
        chosen_rng = rng or random.Random(secrets.randbits(64))  # noqa: S311 - spreads timers, guards nothing
        self.snapshots = SnapshotLane(
            source=config.source, epoch=lambda: outbox.epoch, frame_bytes=settings.outbox.frame_bytes
        )
        self.is_refused = False
        lines = Lines(clock.monotonic_ms)
        self.uplink = Uplink(
            port or port_for(config, settings, clock.monotonic_ms, lines, self._note_refusal),
            outbox,
            self.snapshots,
            settings.uplink,
            lines,
            source=config.source,
            now_ms=clock.monotonic_ms,
            rng=chosen_rng,
        )
        notes = Notes(site=config.site, seat=config.seat, clock_domain=config.source)
        host = Host(self._load, lines, clock.monotonic_ms)
        self.runner = Runner(
            [machine(settings, notes, clock.awake_ms), *build(config, settings, host)] if sensors is None else sensors,
            Publisher(outbox, self.snapshots, self.uplink.wake, sparing_ms=settings.sparing_ms),
            notes,
            stamp=self._stamp,
            now_ms=clock.monotonic_ms,
            rng=chosen_rng,
            jitter_ratio=settings.jitter_ratio,
            # seats, of which hundreds are switched on together, drift apart instead
            shared_ms=settings.shared_ms if config.role is Role.GATEWAY else 0,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; then say once more what holds, and end within `flush_ms`."""
        source = self._config.source
        log.info("probe.started", extra={"source": source, "epoch": self.outbox.epoch.hex()})
        async with asyncio.TaskGroup() as tasks:
            uplink = tasks.create_task(self.uplink.run(), name=f"probe[{source}].uplink")
            runner = tasks.create_task(self.runner.run(), name=f"probe[{source}].sensors")
            reporter = tasks.create_task(self._report(), name=f"probe[{source}].report")
            await stop.wait()
            for task in (runner, reporter):
                task.cancel()
            self.uplink.finish()
            await asyncio.wait({uplink}, timeout=self._settings.uplink.flush_ms / MS_PER_S)
            uplink.cancel()
        self._log_figures("probe.stopped")

    def _stamp(self) -> Stamp:
        return Stamp(self._clock.wall_ms(), self._clock.monotonic_ms(), self._clock.clock_synced())

    def _note_refusal(self, is_refused: bool) -> None:  # noqa: FBT001 - what the broker said
        self.is_refused = is_refused

    def _load(self) -> Load:
        counts = self.outbox.counts()
        sensors = self.runner.figures.values()
        failed = sum(figures.failures + figures.timeouts for figures in sensors)
        errors = failed + self.uplink.figures.rejected_items
        return Load(counts.rows, counts.size, self._settings.version, errors)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._settings.report_ms / MS_PER_S)
            self._log_figures("probe.figures")

    def _log_figures(self, event: str) -> None:
        log.info(
            event,
            extra={
                "source": self._config.source,
                "connected": self.uplink.is_connected,
                "outbox": self.outbox.counts()._asdict(),
                "uplink": vars(self.uplink.figures),
                "sensors": {name: vars(figures) for name, figures in self.runner.figures.items()},
            },
        )


async def run(
    config: ProbeConfig,
    settings: ProbeSettings,
    stop: asyncio.Event,
    *,
    platform: Platform | None = None,
    ready: Callable[[Probe], None] | None = None,
) -> None:
    """The daemon: a probe with its outbox on disk, until `stop`. Raises ProbeConfigError before anything runs."""
    chosen = platform or current()
    # A name that nobody resolves keeps its thread for half a minute; who connects meanwhile must find another one.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(settings.threads, "probe"))
    outbox = disk_outbox(config, settings, chosen)
    try:
        probe = Probe(config, settings, outbox, clock=chosen)
        if ready is not None:
            ready(probe)
        await probe.run(stop)
    finally:
        outbox.close()
