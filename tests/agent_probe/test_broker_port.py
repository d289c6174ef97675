"""The MQTT client behind its port, at brokers that take connections and say nothing, or nothing more."""

import asyncio

import pytest

from agent_probe.aiomqtt_port import AiomqttPort
from agent_probe.config import BrokerConfig
from agent_probe.errors import ProbeUnavailable
from tests.agent_probe.living_probe import SETTINGS
from tests.servers import LOOPBACK

SOON = SETTINGS.uplink._replace(connect_ms=200)
CONNECTED = bytes([0x20, 3, 0, 0, 0])


class MuteBroker:
    """`ended`: what each connection had sent when the other end closed it."""

    def __init__(self) -> None:
        self.ended: asyncio.Queue[bytes] = asyncio.Queue(maxsize=10)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ended.put_nowait(await reader.read())
        writer.close()


@pytest.mark.parametrize("line", ["", LOOPBACK])
async def test_a_session_that_never_stood_is_let_go_of_at_once_and_does_not_come_back_as_a_second_one(
    line: str,
) -> None:
    broker = MuteBroker()
    async with await asyncio.start_server(broker.serve, LOOPBACK, 0) as server:
        at = BrokerConfig(LOOPBACK, server.sockets[0].getsockname()[1])
        port = AiomqttPort(at, SOON, client_id="sz1/gw1", ack_topic="ack/sz1/gw1", bind_address=lambda: line)
        with pytest.raises(ProbeUnavailable):
            await port.connect()
        async with asyncio.timeout(SOON.connect_ms / 2_000):
            await port.close()
        ended = [await broker.ended.get() for _ in range(2 if line else 1)]
    assert [each[:1] for each in ended] == ([b"", b"\x10"] if line else [b"\x10"]), "reached first, then connected"


class PoliteBroker:
    """Takes the connection and the subscription, and answers nothing that is published."""

    def __init__(self) -> None:
        self.subscription = b""
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(CONNECTED)
        self.subscription = await reader.read(1024)
        writer.write(bytes([0x90, 4]) + self.subscription[2:4] + bytes([0, self.subscription[-1]]))
        await reader.read()
        writer.close()
        await writer.wait_closed()
        self.ended.set()


async def test_a_broker_that_answers_nothing_more_is_given_up_in_time() -> None:
    broker = PoliteBroker()
    settings = SETTINGS.uplink._replace(publish_ms=200)
    async with await asyncio.start_server(broker.serve, LOOPBACK, 0) as server:
        at = BrokerConfig(LOOPBACK, server.sockets[0].getsockname()[1])
        port = AiomqttPort(at, settings, client_id="sz1/gw1", ack_topic="ack/sz1/gw1", bind_address=lambda: "")
        await port.connect()
        with pytest.raises(ProbeUnavailable, match="no answer to what was published"):
            async with asyncio.timeout(5):
                await port.publish("v1/sz1/gw1/now", b"frame")
        await port.close()
        await broker.ended.wait()
    assert broker.subscription[-1] == 0, "acknowledgements come without one of ours each: the next says as much"
