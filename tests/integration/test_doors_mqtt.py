"""One contract for every broker we run against: Mosquitto with MQTT 5 and the embedded amqtt with 3.1.1.

The probe here is as plain as can be: an aiomqtt client that publishes bytes and listens on its own ack topic.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import msgspec
import pytest
from structlog.testing import capture_logs

from collector._core.admission import stream_epoch
from collector.broker_embedded import embedded_broker
from collector.intake_mqtt import PROTOCOLS, MqttDoor, MqttSettings
from collector.sources import Source
from tests.collector.running import SOURCES, Hub, running_hub
from tests.collector.store import EPOCH, NOW, frame, item
from tests.servers import run_mosquitto
from tests.waiting import wait_until
from wire.codec import decode_ack, encode_frame
from wire.conversation import AgentTurn
from wire.errors import Reason
from wire.facility import Heartbeat, Role
from wire.frame import Ack, Frame, GoneRange, Lane
from wire.ids import OPERATOR
from wire.record import Gone
from wire.topics import ack_topic, backlog_topic, snapshot_topic

GATEWAY = "site-1/gateway"
OTHER = "site-2/gateway"
ALL_SOURCES = [*SOURCES, Source(id=OTHER, carries="facilities", site="site-2")]


def door_settings(port: int, protocol: str, queued_messages_max: int = 100) -> MqttSettings:
    return MqttSettings(
        host="127.0.0.1",
        port=port,
        protocol="5" if protocol == "5" else "3.1.1",
        keepalive_ms=5000,
        connect_timeout_ms=5000,
        queued_messages_max=queued_messages_max,
        in_flight_max=16,
        reconnect_first_ms=20,
        reconnect_longest_ms=100,
    )


class Broker:
    """A broker on a port that can be stopped and started again."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.protocol = "5" if kind == "mosquitto" else "3.1.1"
        self.port = 0
        self._kind = kind
        self._directory = directory
        self._running = AsyncExitStack()

    async def start(self) -> None:
        if self._kind == "mosquitto":
            server = self._running.enter_context(run_mosquitto(self._directory, port=self.port or None))
            self.port = server.port
        else:
            self.port = await self._running.enter_async_context(embedded_broker(self.port))

    async def stop(self) -> None:
        await self._running.aclose()


class Probe:
    """Publishes frames, collects acknowledgements."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.acks: list[Ack] = []

    async def listen(self) -> None:
        async for message in self.client.messages:
            self.acks.append(decode_ack(bytes(message.payload)))

    async def send(self, sent: Frame, topic: str = "") -> None:
        await self.client.publish(topic or backlog_topic(sent.source), encode_frame(sent), qos=1)

    async def acknowledged(self, through: int, epoch: bytes = EPOCH) -> Ack:
        def matching() -> list[Ack]:
            return [ack for ack in self.acks if ack.epoch == epoch and ack.acknowledged_through >= through]

        return (await wait_until(matching, what=f"an acknowledgement through {through}"))[-1]


@dataclass
class World:
    """A broker, and what a test puts around it."""

    broker: Broker
    directory: Path

    @asynccontextmanager
    async def probe(self, source: str = GATEWAY) -> AsyncIterator[Probe]:
        protocol = PROTOCOLS[self.broker.protocol]
        async with aiomqtt.Client("127.0.0.1", self.broker.port, protocol=protocol) as client:
            await client.subscribe(ack_topic(source))
            probe = Probe(client)
            task = asyncio.get_running_loop().create_task(probe.listen(), name="probe")
            try:
                yield probe
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError, aiomqtt.MqttError):
                    await task

    @asynccontextmanager
    async def collector(self, *, queued_messages_max: int = 100) -> AsyncIterator[tuple[Hub, MqttDoor]]:
        async with running_hub(self.directory / "data", sources=ALL_SOURCES) as hub:
            settings = door_settings(self.broker.port, self.broker.protocol, queued_messages_max)
            door = MqttDoor(hub.intake, hub.sources, settings)
            task = asyncio.get_running_loop().create_task(door.run(), name="door")
            try:
                await wait_until(door.connected.is_set, what="the door to connect")
                yield hub, door
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@pytest.mark.parametrize("ends", ["answered", "disconnected"])
async def test_a_door_told_to_stop_while_it_waits_for_the_broker_stops(
    ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = asyncio.Event()

    async def subscribe(*_: object, **__: object) -> None:
        """Loses a cancellation that meets the answer, as asyncio.wait_for does, or that meets a broken connection."""
        waiting.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if ends == "disconnected":
            raise aiomqtt.MqttError("gone")

    async with embedded_broker() as port, running_hub(tmp_path, sources=ALL_SOURCES) as hub:
        door = MqttDoor(hub.intake, hub.sources, door_settings(port, "3.1.1"))
        monkeypatch.setattr(aiomqtt.Client, "subscribe", subscribe)
        running = asyncio.get_running_loop().create_task(door.run(), name="door")
        await waiting.wait()
        waiting.clear()
        running.cancel()
        done, _ = await asyncio.wait({running}, timeout=5)
        assert done == {running}
        assert not waiting.is_set()


@pytest.fixture(params=["mosquitto", "amqtt"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    broker = Broker(request.param, tmp_path)
    await broker.start()
    try:
        yield World(broker, tmp_path)
    finally:
        await broker.stop()


def beat(at: int = NOW) -> Heartbeat:
    return Heartbeat(at, 1, GATEWAY, 5, True, "", "site-1", "", Role.GATEWAY, 10_000, 60_000)


def beats(*sequences: int, lane: Lane = Lane.BACKLOG, source: str = GATEWAY) -> Frame:
    return frame(*(item(n, beat(NOW + n)) for n in sequences), source=source, lane=lane)


async def test_an_ack_comes_after_the_commit_and_never_before(world: World) -> None:
    async with world.collector() as (hub, _), world.probe() as probe:
        hub.gate.open.clear()
        await probe.send(beats(1, 2))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        assert probe.acks == []
        assert hub.records(OPERATOR) == []
        hub.gate.open.set()
        ack = await probe.acknowledged(2)
        handle = hub.intake.ledgers[OPERATOR]
        assert (ack.ledger, ack.index) == (handle.ledger_id, handle.size)
        assert len(hub.bodies(Heartbeat, OPERATOR)) == 2


async def test_a_resend_is_acknowledged_again_and_adds_nothing(world: World) -> None:
    async with world.collector() as (hub, _), world.probe() as probe:
        await probe.send(beats(1, 2))
        await probe.acknowledged(2)
        await probe.send(beats(1, 2))
        await wait_until(lambda: len(probe.acks) == 2, what="a second acknowledgement")
        assert probe.acks[0] == probe.acks[1]
        assert len(hub.bodies(Heartbeat, OPERATOR)) == 2


async def test_a_hole_is_asked_for(world: World) -> None:
    async with world.collector(), world.probe() as probe:
        await probe.send(beats(1, 4))
        ack = await probe.acknowledged(1)
        assert [(span.first, span.last) for span in ack.wanted] == [(2, 3)]
        await probe.send(beats(2, 3))
        assert (await probe.acknowledged(4)).wanted == []


async def test_a_snapshot_goes_through_its_own_topic_and_epoch(world: World) -> None:
    async with world.collector() as (_, door), world.probe() as probe:
        snapshot = beats(9, lane=Lane.SNAPSHOT)
        await probe.send(snapshot, snapshot_topic(GATEWAY))
        ack = await probe.acknowledged(9, epoch=stream_epoch(snapshot))
        assert ack.acknowledged_through == 9
        await probe.send(snapshot)
        await wait_until(lambda: door.stats.refused[Reason.NOT_A_FRAME] == 1, what="the wrong lane to be refused")


async def test_garbage_is_counted_and_the_next_frame_is_taken(world: World) -> None:
    impossible = msgspec.structs.replace(beats(5), gone=[GoneRange(9, 2, "x", 1)])
    whole = encode_frame(beats(1))
    garbage = [encode_frame(impossible), b"", b"\xc1", b"{}", b"\x99" + bytes(40), bytes(70_000), whole[:-3]]
    async with world.collector() as (hub, door), world.probe() as probe:
        with capture_logs() as logs:
            for payload in garbage:
                await probe.client.publish(backlog_topic(GATEWAY), payload, qos=1)
            await probe.send(beats(1))
            await probe.acknowledged(1)
        told = [(line["source"], line["reason"], line["problem"]) for line in logs if line["event"] == "mqtt.refused"]
        assert min(told) == (GATEWAY, "not_a_frame", "at $.gone[0].last: is before first")
        assert len(told) == 2, "each reason once"
        assert hub.bodies(Gone, OPERATOR) == []
        assert door.stats.refused[Reason.TOO_LARGE] == 1
        assert door.stats.refused[Reason.NOT_A_FRAME] == len(garbage) - 1
        assert door.connected.is_set()


async def test_a_probe_cannot_speak_as_another(world: World) -> None:
    async with world.collector() as (hub, door), world.probe() as probe:
        await probe.send(beats(1, source=OTHER), backlog_topic(GATEWAY))
        await probe.send(beats(1, source="site-9/nobody"))
        await probe.send(beats(1))
        await probe.acknowledged(1)
        assert door.stats.refused[Reason.FOREIGN_SOURCE] == 2
        assert {r.source for r in hub.records(OPERATOR)} == {"~sources", "~stranger", GATEWAY}
        assert [*hub.intake.strangers.first_heard] == ["site-9/nobody"]


async def test_after_a_restart_of_the_collector_a_probe_goes_on_where_it_was(world: World) -> None:
    async with world.probe() as probe:
        async with world.collector() as (_, _door):
            await probe.send(beats(1, 2, 3))
            await probe.acknowledged(3)
        await probe.send(beats(4))  # nobody is there: it is lost on the way, and not acknowledged
        async with world.collector() as (hub, _door):
            await probe.send(beats(3, 4, 5))
            await probe.acknowledged(5)
            assert [body.occurred_at for body in hub.bodies(Heartbeat, OPERATOR)] == [NOW + n for n in range(1, 6)]


async def test_what_a_broker_kept_of_a_probe_says_nothing_of_now(world: World) -> None:
    async with world.probe() as probe:
        kept = encode_frame(beats(9, lane=Lane.SNAPSHOT))
        await probe.client.publish(snapshot_topic(GATEWAY), kept, qos=1, retain=True)
        async with world.collector() as (hub, door):
            await wait_until(lambda: door.stats.refused[Reason.NOT_A_FRAME] == 1, what="it to be put aside")
            assert hub.bodies(Heartbeat, OPERATOR) == []


async def test_after_a_restart_of_the_broker_the_collector_is_back_by_itself(world: World) -> None:
    async with world.collector() as (hub, door):
        async with world.probe() as probe:
            await probe.send(beats(1))
            await probe.acknowledged(1)
        await world.broker.stop()
        await wait_until(lambda: not door.connected.is_set(), what="the door to notice")
        await world.broker.start()
        await wait_until(door.connected.is_set, what="the door to be back")
        async with world.probe() as probe:
            await probe.send(beats(1, 2))
            await probe.acknowledged(2)
        assert door.stats.connects == 2
        assert len(hub.bodies(Heartbeat, OPERATOR)) == 2


async def test_a_broker_that_is_away_is_said_once_and_so_is_its_return(world: World) -> None:
    with capture_logs() as logs:
        async with world.collector() as (_, door):
            await world.broker.stop()
            await wait_until(lambda: "refused" in str(logs[-1]), what="the door to try in vain")
            await world.broker.start()
            await wait_until(door.connected.is_set, what="the door to be back")
    said = [entry["event"] for entry in logs]
    assert said[0] == said[-1] == "mqtt.connected"
    assert set(said[1:-1]) == {"mqtt.disconnected"}
    problems = [entry["problem"] for entry in logs[1:-1]]
    assert len(problems) == len(set(problems)), "each problem once, however often the door tried"
    assert all(entry["broker"] == f"127.0.0.1:{world.broker.port}" for entry in logs)


async def test_many_frames_at_once_share_commits_and_all_are_acknowledged(world: World) -> None:
    async with world.collector(queued_messages_max=1000) as (hub, _), world.probe() as probe:
        async with asyncio.TaskGroup() as sends:
            for n in range(1, 101):
                sends.create_task(probe.send(beats(n)), name=f"send {n}")
        ack = await probe.acknowledged(100)
        assert ack.wanted == []
        assert len(hub.bodies(Heartbeat, OPERATOR)) == 100
        assert hub.intake.stats.commits < 100


async def test_what_a_full_queue_discards_is_counted_and_a_resend_brings_it(world: World) -> None:
    async with world.collector(queued_messages_max=1) as (hub, door), world.probe() as probe:
        hub.gate.open.clear()
        for n in range(1, 41):
            await probe.send(beats(n))
        await wait_until(lambda: door.stats.discarded > 0, what="a frame to be discarded")
        hub.gate.open.set()

        async def resent() -> bool:
            await probe.send(beats(*range(1, 41)))
            return any(ack.acknowledged_through == 40 for ack in probe.acks)

        await wait_until(resent, what="every frame to be acknowledged after a resend")
        assert len(hub.bodies(Heartbeat, OPERATOR)) == 40


async def test_what_may_not_pass_is_counted_and_neither_stored_nor_answered(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path) as server:
        async with running_hub(tmp_path / "data", sources=ALL_SOURCES) as hub:
            settings = door_settings(server.port, "5")
            door = MqttDoor(hub.intake, hub.sources, settings, may_pass=lambda source: source == OTHER)
            task = asyncio.get_running_loop().create_task(door.run(), name="door")
            await wait_until(door.connected.is_set, what="the door to connect")
            async with aiomqtt.Client("127.0.0.1", server.port) as client:
                for source in (GATEWAY, OTHER):
                    await client.publish(backlog_topic(source), encode_frame(beats(1, source=source)), qos=1)
            await wait_until(lambda: door.stats.acknowledged == 1, what="the other one to be taken")
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert (door.stats.too_often, door.stats.acknowledged) == (1, 1)
            assert {record.source for record in hub.records(OPERATOR)} >= {OTHER}
            assert GATEWAY not in {record.source for record in hub.records(OPERATOR)}


async def test_a_connector_of_a_client_may_come_through_mqtt_too(world: World) -> None:
    async with world.collector() as (hub, _), world.probe("shop/two") as probe:
        await probe.send(frame(item(1), source="shop/two"))
        await probe.acknowledged(1)
        assert len(hub.bodies(AgentTurn)) == 1


async def test_a_busy_port_is_said_so_by_the_embedded_broker() -> None:
    async with embedded_broker() as port:
        with pytest.raises(OSError, match=str(port)):
            async with embedded_broker(port):
                pass


async def test_the_embedded_broker_survives_clients_that_speak_no_mqtt() -> None:
    async with embedded_broker() as port:
        for said in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\x7f", b"\xe0\x00"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            writer.close()
            await writer.wait_closed()
        async with aiomqtt.Client("127.0.0.1", port, protocol=PROTOCOLS["3.1.1"]) as client:
            await client.subscribe("v1/a/b/ack")
            await client.publish("v1/a/b/ack", b"still there")
            message = await anext(client.messages)
            assert message.payload == b"still there"
