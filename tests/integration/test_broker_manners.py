"""What the simulated broker is said to do badly, measured on the real Mosquitto: the model cannot drift from it.

Every manner in tests.sim.broker.MANNERS has one test here, on the real one, and one in tests/sim/test_broker.py, on
the model. Neither broker is asked for anything the other was not asked for.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest

from tests.servers import Server, run_mosquitto
from tests.sim.broker import MANNERS, STOCK_QUEUE
from tests.waiting import wait_until

TOPIC = "manners/up"
DATABASE = "mosquitto.db"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """As Debian ships it: with persistence, saved every half hour and at a stop in good order."""
    with run_mosquitto(tmp_path, lines=["persistence true", f"persistence_location {tmp_path}/"]) as server:
        yield server


def client(broker: Server, name: str = "", *, keeps: bool = False) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=name or None,
        protocol=aiomqtt.ProtocolVersion.V311,
        clean_session=not keeps,
        max_queued_incoming_messages=10_000,
    )


async def subscribe_and_leave(broker: Server) -> None:
    """A session the broker is asked to keep, at the highest promise it gives of its own accord."""
    async with client(broker, "absent", keeps=True) as absent:
        await absent.subscribe(TOPIC, qos=1)


async def publish(broker: Server, count: int, *, qos: int = 1) -> None:
    """Publish 0, 1, 2 ...; returns once the broker has dealt with every one of them."""
    async with client(broker) as sender:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(sender.publish(TOPIC, str(number), qos=qos), name="publish")
        await acknowledged(sender)


async def acknowledged(sender: aiomqtt.Client) -> None:
    """The packets of a connection are dealt with in their order: those before this one are done with."""
    await sender.publish("elsewhere", b"", qos=1)


async def received_by_the_absent(broker: Server) -> list[int]:
    """What is kept for it. A last message of its own, sent once it is back, says that nothing else comes."""
    found: list[int] = []
    async with client(broker, "absent", keeps=True) as back:
        await back.subscribe(TOPIC, qos=1)  # the session itself may be gone
        async with client(broker) as sender:
            await sender.publish(TOPIC, "last", qos=1)
        async for message in back.messages:
            if message.payload == b"last":
                break
            found.append(int(bytes(message.payload)))
    return found


async def test_real_acknowledged_is_not_kept(broker: Server) -> None:
    await subscribe_and_leave(broker)
    await publish(broker, 500)
    broker.kill()
    broker.start()
    assert await received_by_the_absent(broker) == []


async def test_real_queue_drops_without_a_word(broker: Server) -> None:
    await subscribe_and_leave(broker)
    await publish(broker, STOCK_QUEUE + 500)
    async with client(broker, "absent", keeps=True) as back:
        kept = [int(bytes((await anext(aiter(back.messages))).payload)) for _ in range(STOCK_QUEUE)]
        async with client(broker) as sender:
            await sender.publish(TOPIC, "last", qos=1)
        assert (await anext(aiter(back.messages))).payload == b"last", "and not one more of the others"
    assert kept == list(range(STOCK_QUEUE))


async def test_real_delivers_again_after_a_restart(broker: Server, tmp_path: Path) -> None:
    await subscribe_and_leave(broker)
    await publish(broker, 20)
    os.kill(broker.pid, signal.SIGUSR1)  # saves now; of its own accord it does so every half hour
    await wait_until((tmp_path / DATABASE).exists, what="the broker to save")
    assert await received_by_the_absent(broker) == list(range(20))
    assert await received_by_the_absent(broker) == [], "delivered is delivered, until it is killed"
    broker.kill()
    broker.start()
    assert await received_by_the_absent(broker) == list(range(20))


async def test_real_keeps_nothing_for_the_absent(broker: Server) -> None:
    await subscribe_and_leave(broker)
    await publish(broker, 20, qos=0)
    assert await received_by_the_absent(broker) == []


async def test_real_second_connection_ends_the_first(broker: Server) -> None:
    async with client(broker, "same") as first, client(broker, "same"):
        with pytest.raises(aiomqtt.MqttError):
            await anext(aiter(first.messages))


@asynccontextmanager
async def deaf_subscriber(broker: Server) -> AsyncIterator[socket.socket]:
    """Connected and subscribed at QoS 0, and reads nothing: as our door when its process is stopped."""
    with socket.create_connection((broker.host, broker.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        deaf.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04deaf")
        assert deaf.recv(4) == b"\x20\x02\x00\x00"
        topic = TOPIC.encode()
        deaf.sendall(bytes([0x82, 5 + len(topic), 0, 1, 0, len(topic)]) + topic + b"\x00")
        assert deaf.recv(5) == b"\x90\x03\x00\x01\x00"
        yield deaf


async def test_real_a_stalled_subscriber_loses_and_stays_connected(broker: Server) -> None:
    payload, sent = bytes(16_000), 3_000
    async with deaf_subscriber(broker) as deaf, client(broker) as sender:
        for _ in range(sent):
            await sender.publish(TOPIC, payload, qos=0)
        await acknowledged(sender)
        taken = await asyncio.to_thread(read_until_quiet, deaf)
        await sender.publish(TOPIC, b"still there", qos=1)
        assert (await asyncio.to_thread(deaf.recv, 100)).endswith(b"still there"), "the connection was never cut"
    assert 0 < taken < sent * len(payload)


def read_until_quiet(deaf: socket.socket) -> int:
    """Bytes that come until none has come for a second."""
    taken = 0
    deaf.settimeout(1.0)
    with suppress(TimeoutError):
        while found := deaf.recv(1 << 20):
            taken += len(found)
    deaf.settimeout(10.0)
    return taken


def test_every_manner_is_measured_here() -> None:
    measured = {name.removeprefix("test_real_") for name in globals() if name.startswith("test_real_")}
    assert measured == MANNERS.keys()
