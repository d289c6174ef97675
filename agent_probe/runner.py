"""Runs the sensors: deadlines, jitter, back-off, figures about each, and what of their readings is worth saying."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent_probe._core.gate import Gate
from agent_probe._core.snapshots import Snapshot, SnapshotLane
from agent_probe._core.storage import DropClass
from agent_probe.errors import ProbeConfigError, ProbeUnavailable
from agent_probe.notes import Notes
from agent_probe.sensors.base import Reading, Sensor, Stamp, TellsEarly
from wire.codec import KIND_OF, encode_body
from wire.seat import Noticed

MS_PER_S = 1000
STUMBLED = "error"
"""The cause where a sensor met what it was not written for."""
log = logging.getLogger(__name__)


class Kept(Protocol):
    """The outbox's way in."""

    @property
    def is_past_half(self) -> bool:
        """Whether more than half of the room is taken."""

    def put(self, kind: int, kind_version: int, body: bytes, drop_class: DropClass, *, now: int) -> int:
        """Keep an event; returns its sequence, 0 if there was no room."""


@dataclass
class SensorFigures:
    """How a sensor is doing. Times in ms; samples that failed or were late count as failures.

    hung_at: since when it has not come back in time, None while it does.
    """

    samples: int = 0
    failures: int = 0
    timeouts: int = 0
    longest_ms: int = 0
    last_good_at: int | None = None
    retry_ms: int = 0
    hung_at: int | None = None


class Publisher:
    """Takes readings, says those that are worth it: into the outbox, onto the snapshot lane.

    sparing_ms: once the outbox is past half, unchanged readings are recorded no more often than this. Each carries the
    figures of the time since the last one, so that a minute is still told, only not its parts.
    """

    def __init__(self, outbox: Kept, snapshots: SnapshotLane, wake: Callable[[], None], *, sparing_ms: int) -> None:
        self._outbox = outbox
        self._sparing_ms = sparing_ms
        self._snapshots = snapshots
        self._wake = wake
        self._gate = Gate()

    def take(self, readings: Sequence[Reading], now: int) -> None:
        """`now`: monotonic ms."""
        said = False
        sparing_ms = self._sparing_ms if self._outbox.is_past_half else 0
        for reading in readings:
            say = self._gate.judge(reading.about, reading.state, reading.rhythm, now, sparing_ms=sparing_ms)
            if say.record is None and not say.show:
                continue
            said = True
            body = reading.body()
            kind, kind_version = KIND_OF[type(body)]
            data = encode_body(body)
            if say.record is not None:
                self._outbox.put(kind, kind_version, data, say.record, now=now)
            if say.show and not reading.once:
                self._snapshots.update(reading.about, Snapshot(kind, kind_version, data))
            if reading.urgent and say.record is DropClass.CHANGE:
                self._snapshots.repeat_all()
        if said:
            self._wake()


class Runner:
    """Samples every sensor until cancelled. `now_ms`: the probe's monotonic clock.

    shared_ms: of instants that lie so far apart, one that falls within the time by which a wait may be shortened ends
    it, so that the machine wakes once for several sensors; 0: none.
    """

    def __init__(
        self,
        sensors: Sequence[Sensor],
        publisher: Publisher,
        notes: Notes,
        *,
        stamp: Callable[[], Stamp],
        now_ms: Callable[[], int],
        rng: random.Random,
        jitter_ratio: float,
        shared_ms: int = 0,
    ) -> None:
        self._sensors = sensors
        self._publisher = publisher
        self._notes = notes
        self._stamp = stamp
        self._now_ms = now_ms
        self._rng = rng
        self._jitter_ratio = jitter_ratio
        self._shared_ms = shared_ms
        self.figures = {sensor.name: SensorFigures() for sensor in sensors}

    async def run(self) -> None:
        """One task a sensor, so that none waits for another."""
        async with asyncio.TaskGroup() as tasks:
            for sensor in self._sensors:
                tasks.create_task(self._drive(sensor), name=f"sensor[{sensor.name}].drive")

    async def _drive(self, sensor: Sensor) -> None:
        schedule, figures = sensor.schedule, self.figures[sensor.name]
        try:
            while True:
                cause = await self._sample_until_it_fails(sensor, figures)
                figures.failures += 1
                figures.retry_ms = min(max(schedule.retry_first_ms, 2 * figures.retry_ms), schedule.retry_last_ms)
                log.warning("sensor.unavailable", extra={"sensor": sensor.name, "cause": cause})
                await sensor.close()
                stamp = self._stamp()
                self._publisher.take(sensor.unavailable(stamp, cause), stamp.monotonic)
                await self._wait(figures.retry_ms)
        finally:
            await sensor.close()

    async def _sample_until_it_fails(self, sensor: Sensor, figures: SensorFigures) -> str:
        """The cause of the failure."""
        deadline_s = sensor.schedule.deadline_ms / MS_PER_S
        news = sensor.news if isinstance(sensor, TellsEarly) else None  # asked once: a protocol's answer is dear
        try:
            async with asyncio.timeout(deadline_s):
                await sensor.open()
            while True:
                if news is not None:
                    news.clear()
                began = self._stamp()
                async with asyncio.timeout(deadline_s):
                    readings = await sensor.sample(began)
                self._publisher.take(readings, began.monotonic)
                ended = self._now_ms()
                took_ms = ended - began.monotonic
                self._say_it_is_back(sensor, figures)
                figures.samples += 1
                figures.longest_ms = max(figures.longest_ms, took_ms)
                figures.last_good_at = ended
                figures.retry_ms = 0
                await self._wait(max(0, sensor.schedule.interval_ms - took_ms), news)
        except TimeoutError:
            figures.timeouts += 1
            self._say_it_hangs(sensor, figures)
            return "timeout"
        except ProbeUnavailable as error:
            return str(error)
        except ProbeConfigError:  # the outbox's: a probe that cannot keep what it measures ends
            raise
        except Exception:  # of a device or driver nobody thought of: the others go on measuring
            log.exception("sensor.stumbled", extra={"sensor": sensor.name})
            return STUMBLED

    def _say_it_hangs(self, sensor: Sensor, figures: SensorFigures) -> None:
        now = self._stamp()
        if figures.hung_at is None:
            figures.hung_at = now.monotonic - sensor.schedule.deadline_ms
            self._publisher.take([self._notes.note(Noticed.SENSOR_HUNG, now, about=sensor.name)], now.monotonic)

    def _say_it_is_back(self, sensor: Sensor, figures: SensorFigures) -> None:
        if figures.hung_at is not None:
            now = self._stamp()
            hung_ms = now.monotonic - figures.hung_at
            figures.hung_at = None
            note = self._notes.note(Noticed.SENSOR_BACK, now, about=sensor.name, duration_ms=hung_ms)
            self._publisher.take([note], now.monotonic)

    async def _wait(self, time_ms: int, news: asyncio.Event | None = None) -> None:
        """Up to `jitter_ratio` shorter than asked: probes started together drift apart, and promises are kept.

        Shorter still when there is news.
        """
        time_s = (time_ms - self._sooner_ms(time_ms)) / MS_PER_S
        if news is None:
            await asyncio.sleep(time_s)
            return
        timer = asyncio.get_running_loop().call_later(time_s, news.set)
        try:
            await news.wait()
        finally:
            timer.cancel()

    def _sooner_ms(self, time_ms: int) -> float:
        """By how much to shorten a wait: to the shared instant before its end, if it may be, else by chance."""
        may_ms = time_ms * self._jitter_ratio
        if self._shared_ms:
            beyond_ms = (self._now_ms() + time_ms) % self._shared_ms
            if beyond_ms <= may_ms:
                return beyond_ms
        return may_ms * self._rng.random()
