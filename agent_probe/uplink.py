"""Empties the outbox towards the hub: present state first, then the backlog; connects again for ever."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from agent_probe._core.snapshots import SnapshotLane
from agent_probe.config import UplinkSettings
from agent_probe.errors import ProbeUnavailable
from agent_probe.lines import Lines
from agent_probe.mqtt import MqttPort
from wire.codec import decode_ack, encode_frame
from wire.errors import DecodeError
from wire.frame import Ack, Frame
from wire.topics import backlog_topic, snapshot_topic

MS_PER_S: Final = 1000
log = logging.getLogger(__name__)


class Backlog(Protocol):
    """The sending half of an outbox, on disk or in memory."""

    def next_frame(self, now: int) -> Frame | None:
        """The frame to publish now."""

    def next_due(self, now: int) -> int | None:
        """When next_frame may have something."""

    def reconnected(self, now: int) -> None:
        """A new connection was made."""

    def acknowledge(self, ack: Ack, now: int) -> bool:
        """What the collector says."""


@dataclass
class UplinkFigures:
    """What the uplink did since the start."""

    connections: int = 0
    failures: int = 0
    snapshot_frames: int = 0
    backlog_frames: int = 0
    acks: int = 0
    foreign_acks: int = 0
    unreadable_acks: int = 0
    rejected_items: int = 0


class Uplink:
    """Runs until cancelled, or until `finish` and the last frames are out. `now_ms` is the probe's monotonic clock.

    A connection over a line that went bad is given up for one over a better line.
    """

    def __init__(
        self,
        port: MqttPort,
        backlog: Backlog,
        snapshots: SnapshotLane,
        settings: UplinkSettings,
        lines: Lines,
        *,
        source: str,
        now_ms: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._port = port
        self._backlog = backlog
        self._snapshots = snapshots
        self._settings = settings
        self._lines = lines
        self._source = source
        self._now_ms = now_ms
        self._rng = rng
        self._wake = asyncio.Event()
        self._is_finishing = self._is_line_back = False
        lines.on_back = self._line_is_back
        self.is_connected = False
        self.figures = UplinkFigures()

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def finish(self) -> None:
        """Say everything once more, and end when all is acknowledged; how long that may take the caller decides."""
        self._is_finishing = True
        self._snapshots.repeat_all()
        self._wake.set()

    async def run(self) -> None:
        """Connect, talk, and when that fails wait a random while and begin again."""
        while not self._is_done:
            _end_if_cancelled()
            retry_ms: int | None = None
            try:
                await self._until_a_line_works()
                await self._connect()
                self._lines.connected()
                self.figures.connections += 1
                self.is_connected = True
                log.info("uplink.connected", extra={"source": self._source})
                self._backlog.reconnected(self._now_ms())
                self._snapshots.repeat_all()
                await self._talk()
            except* ProbeUnavailable as errors:
                self.figures.failures += 1
                retry_ms = _retry_of(errors)
                if retry_ms is None and self.is_connected and self._lines.were_silent(self._settings.publish_ms):
                    retry_ms = 0  # it was the line and not the hub, which nobody else lost at this moment
                log.warning("uplink.lost", extra={"error": str(errors.exceptions[0])})
            finally:
                self.is_connected = False
                self._lines.disconnected()
                await self._port.close()
            if not self._is_done:
                await self._pause(self._wait_ms(retry_ms))

    def _wait_ms(self, retry_ms: int | None) -> int:
        """A random while; not at all if we were told so; at least what we were told, so that all come back apart."""
        if retry_ms == 0:
            return 0
        return (retry_ms or 0) + self._rng.randint(self._settings.reconnect_min_ms, self._settings.reconnect_max_ms)

    @property
    def _is_done(self) -> bool:
        return self._is_finishing and self._backlog.next_due(self._now_ms()) is None

    async def _talk(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            receiver = tasks.create_task(self._receive(), name=f"uplink[{self._source}].receive")
            leaver = tasks.create_task(self._leave(), name=f"uplink[{self._source}].leave")
            await self._send()
            receiver.cancel()
            leaver.cancel()

    async def _send(self) -> None:
        while True:
            _end_if_cancelled()
            self._wake.clear()
            now = self._now_ms()
            if (snapshot := self._snapshots.next_frame()) is not None:
                await self._port.publish(snapshot_topic(self._source), encode_frame(snapshot))
                self.figures.snapshot_frames += 1
            elif (frame := self._backlog.next_frame(now)) is not None:
                await self._port.publish(backlog_topic(self._source), encode_frame(frame))
                self.figures.backlog_frames += 1
            elif self._is_done:
                return
            else:
                due = self._backlog.next_due(now)
                await self._sleep(None if due is None else max(0, due - now))

    async def _until_a_line_works(self) -> None:
        """Not for ever: what the lines are asked may be dead and the hub alive, or nobody can tell about them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.connect_ms / MS_PER_S):
                await self._lines.until_one_works()

    async def _connect(self) -> None:
        """Connect, and give that up as soon as another try promises more: over a dead line it would take its time."""
        async with asyncio.TaskGroup() as tasks:
            reconsidering = tasks.create_task(self._reconsider(), name=f"uplink[{self._source}].reconsider")
            await self._port.connect()
            reconsidering.cancel()

    async def _reconsider(self) -> None:
        await self._lines.until_worth_another_try()
        raise ProbeUnavailable("line_left", "while connecting", retry_ms=0)

    def _line_is_back(self) -> None:
        self._is_line_back = True
        self._wake.set()

    async def _leave(self) -> None:
        raise ProbeUnavailable("line_left", await self._lines.until_worth_leaving(), retry_ms=0)

    async def _receive(self) -> None:
        async for payload in self._port.messages():
            try:
                ack = decode_ack(payload)
            except DecodeError as error:
                self.figures.unreadable_acks += 1
                log.warning("uplink.unreadable_ack", extra={"error": str(error)})
                continue
            is_ours = self._backlog.acknowledge(ack, self._now_ms())
            self._wake.set()  # even an ack of a snapshot may tell of a hub that was started anew
            if not is_ours:
                self.figures.foreign_acks += 1
                continue
            self.figures.acks += 1
            for rejected in ack.rejected:
                self.figures.rejected_items += 1
                log.warning("uplink.rejected", extra={"sequence": rejected.sequence, "reason": rejected.reason})
        raise ProbeUnavailable("broker", "the connection ended")

    async def _pause(self, time_ms: int) -> None:
        """A wait that news does not shorten, only a line that is back or being asked to finish does."""
        deadline, finishing = self._now_ms() + time_ms, self._is_finishing
        self._is_line_back = False
        while self._is_finishing is finishing and not self._is_line_back and (left := deadline - self._now_ms()) > 0:
            self._wake.clear()
            await self._sleep(left)

    async def _sleep(self, time_ms: int | None) -> None:
        """Until woken, at most this long."""
        timer = None if time_ms is None else asyncio.get_running_loop().call_later(time_ms / MS_PER_S, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()


def _retry_of(errors: BaseExceptionGroup[ProbeUnavailable]) -> int | None:
    """The longest wait that any of them knows of."""
    waits = [error.retry_ms for error in errors.exceptions if isinstance(error, ProbeUnavailable)]
    return max((wait for wait in waits if wait is not None), default=None)


def _end_if_cancelled() -> None:
    """End a task that was told to and went on.

    A cancellation is lost when it meets the end of an `asyncio.wait_for` (in which aiomqtt waits for the broker; up to
    Python 3.11) or a connection that breaks at that moment (its error takes the place of the cancellation).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
