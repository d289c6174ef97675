"""The smallest collector that keeps the wire's promises: takes frames from a real broker and acknowledges them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiomqtt

from tests.agent_probe.collector_model import LEDGER, CollectorModel
from wire.body import Body
from wire.codec import decode_body, decode_frame, encode_ack
from wire.facility import Heartbeat, UpsReading
from wire.frame import Ack, Frame, Lane
from wire.topics import SNAPSHOT_FILTER, UPLINK_FILTER, ack_topic, parse_topic


class FakeCollector:
    """`log` holds (lane, body) in the order of arrival; `silent` makes it stop acknowledging."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.model = CollectorModel()
        self.log: list[tuple[Lane, Body]] = []
        self.frames: list[Frame] = []
        self.silent = False
        self.is_connected = False

    def readings(self, lane: Lane, ups: str = "ups1") -> list[UpsReading]:
        return [b for at, b in self.log if at == lane and isinstance(b, UpsReading) and b.ups == ups]

    def heartbeats(self, lane: Lane) -> list[Heartbeat]:
        return [b for at, b in self.log if at == lane and isinstance(b, Heartbeat)]

    def newest(self, ups: str = "ups1") -> UpsReading | None:
        return next((b for _, b in reversed(self.log) if isinstance(b, UpsReading) and b.ups == ups), None)

    async def run(self) -> None:
        while not _is_told_to_end():
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(self.host, self.port, identifier="collector") as client:
                    await client.subscribe([(UPLINK_FILTER, 1), (SNAPSHOT_FILTER, 1)])
                    self.is_connected = True
                    async for message in client.messages:
                        await self._take(client, message)
                        if _is_told_to_end():
                            return
            self.is_connected = False
            await asyncio.sleep(0)

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        topic = parse_topic(str(message.topic))
        assert topic is not None
        assert isinstance(message.payload, bytes)
        frame = decode_frame(message.payload)
        assert frame.source == topic.source
        assert frame.lane == (Lane.SNAPSHOT if topic.lane == "now" else Lane.BACKLOG)
        self.frames.append(frame)
        for item in frame.items:
            body = decode_body(item.kind, item.kind_version, item.body)
            assert body is not None
            self.log.append((frame.lane, body))
        if frame.lane == Lane.BACKLOG:
            ack = self.model.receive(frame)
        else:
            epoch = hashlib.sha256(b"snapshot" + frame.epoch).digest()[:16]
            ack = Ack(LEDGER, epoch, frame.items[-1].sequence, 0)
        if not self.silent:
            await client.publish(ack_topic(topic.source), encode_ack(ack))


def _is_told_to_end() -> bool:
    """Whether this task was cancelled, which is lost when it meets the end of a wait of aiomqtt's."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def running_collector(host: str, port: int) -> AsyncIterator[FakeCollector]:
    collector = FakeCollector(host, port)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(collector.run(), name="fake_collector.run")
        try:
            yield collector
        finally:
            task.cancel()
