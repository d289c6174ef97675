"""MQTT where it gets through, else HTTPS, and back: over two lists for brokers, in virtual time."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent_probe._core.outbox import Outbox
from agent_probe._core.snapshots import Snapshot, SnapshotLane
from agent_probe._core.storage import DropClass, MemoryStorage
from agent_probe.aiomqtt_port import AiomqttPort
from agent_probe.config import HubConfig, Transport, parse_config
from agent_probe.errors import ProbeConfigError, ProbeUnavailable
from agent_probe.http_port import HttpPort
from agent_probe.lines import Lines
from agent_probe.transport import AutoPort, port_for
from agent_probe.uplink import Uplink
from tests.agent_probe.collector_model import CollectorModel
from tests.agent_probe.living_probe import SETTINGS, gateway
from tests.agent_probe.test_config import SMALLEST
from tests.agent_probe.test_uplink import SOURCE, FakeBroker
from tests.agent_probe.virtual_loop import VirtualClock, passes, run_virtually
from wire.frame import Lane

RETRY_MS = SETTINGS.http.mqtt_retry_ms
UNHEARD_MS = SETTINGS.http.mqtt_unheard_ms


class World:
    """A probe's uplink between one hub and its two doors."""

    def __init__(self, mqtt: FakeBroker | None = None) -> None:
        self.mqtt, self.https = mqtt or FakeBroker(), FakeBroker()
        self.https.collector = self.mqtt.collector = CollectorModel()
        clock = VirtualClock()
        self.outbox = Outbox(MemoryStorage(), SETTINGS.outbox, source=SOURCE, epoch=b"e" * 16, now=clock.monotonic_ms())
        self.snapshots = SnapshotLane(source=SOURCE, epoch=lambda: self.outbox.epoch)
        self.uplink = Uplink(
            AutoPort(self.mqtt, self.https, SETTINGS.http, now_ms=clock.monotonic_ms),
            self.outbox,
            self.snapshots,
            SETTINGS.uplink,
            Lines(clock.monotonic_ms),
            source=SOURCE,
            now_ms=clock.monotonic_ms,
            rng=random.Random(1),
        )

    def say(self) -> None:
        now = VirtualClock().monotonic_ms()
        self.outbox.put(49, 1, b"\x01", DropClass.CHANGE, now=now)
        self.snapshots.update("ups1", Snapshot(49, 1, b"\x01"))
        self.uplink.wake()


def living(story: Callable[[World], Awaitable[None]], mqtt: FakeBroker | None = None) -> World:
    async def main() -> World:
        world = World(mqtt)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(world.uplink.run(), name="uplink.run")
            await story(world)
            task.cancel()
        return world

    return run_virtually(main())


def test_while_mqtt_gets_through_nothing_is_asked_of_https() -> None:
    async def story(world: World) -> None:
        world.say()
        await passes(3 * RETRY_MS)

    world = living(story)
    assert (len(world.mqtt.attempts), world.https.attempts) == (1, [])
    assert world.outbox.settled


def test_https_stands_in_for_mqtt_and_is_left_again_within_a_minute_with_nothing_lost() -> None:
    async def story(world: World) -> None:
        world.mqtt.up = False
        for _ in range(20):
            world.say()
            await passes(4_000)
        assert world.outbox.settled
        world.mqtt.up = True
        mended_at = VirtualClock().monotonic_ms()
        while not world.mqtt.arrived:
            world.say()
            await passes(1_000)
        assert VirtualClock().monotonic_ms() - mended_at <= RETRY_MS
        await passes(1_000)

    world = living(story)
    assert [lane for _, _, lane, _ in world.mqtt.arrived[:2]] == [Lane.SNAPSHOT, Lane.BACKLOG]
    assert world.outbox.settled
    told = [number for _, _, lane, numbers in world.https.arrived for number in numbers if lane is Lane.BACKLOG]
    told += [number for _, _, lane, numbers in world.mqtt.arrived for number in numbers if lane is Lane.BACKLOG]
    assert sorted(set(told)) == list(range(1, max(told) + 1))
    assert len(told) - len(set(told)) <= 1, "only what was on its way when the door changed goes twice"


def test_a_change_over_leaves_no_pause_behind() -> None:
    async def story(world: World) -> None:
        world.mqtt.up = False
        await passes(1_000)
        world.mqtt.up = True
        await passes(2 * RETRY_MS)

    attempts = living(story).mqtt.attempts
    assert len(attempts) == 3
    assert attempts[2] == attempts[1] == attempts[0] + RETRY_MS


def test_without_either_door_both_are_named_and_tried_again() -> None:
    async def story(world: World) -> None:
        world.mqtt.up = world.https.up = False
        with pytest.raises(ProbeUnavailable, match="broker: refused; refused"):
            await AutoPort(world.mqtt, world.https, SETTINGS.http, now_ms=VirtualClock().monotonic_ms).connect()
        await passes(20_000)
        world.https.up = True
        world.say()
        await passes(6_000)

    assert living(story).outbox.settled


def test_while_mqtt_is_known_not_to_get_through_a_lost_connection_is_made_again_over_https_at_once() -> None:
    async def story(world: World) -> None:
        world.mqtt.up = False
        await passes(10_000)
        world.https.up = False
        world.say()
        await passes(2_000)
        tried = len(world.mqtt.attempts)
        world.https.up = True
        await passes(8_000)
        assert world.outbox.settled
        assert len(world.mqtt.attempts) == tried, "five seconds of a firewall's silence are spared"
        await passes(RETRY_MS)
        assert len(world.mqtt.attempts) > tried

    living(story)


class _Greeting(FakeBroker):
    """A firewall that lets the greeting of MQTT pass, and swallows or cuts what follows."""

    def __init__(self, *, cuts: bool) -> None:
        super().__init__()
        self.cuts = cuts
        self.opened = False

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.opened:
            await super().publish(topic, payload)
            return
        if self.cuts:
            self._acks.put_nowait(None)
            await asyncio.Event().wait()
        await passes(SETTINGS.uplink.publish_ms)
        raise ProbeUnavailable("broker", "timed out")


@pytest.mark.parametrize("cuts", [True, False])
def test_a_firewall_that_lets_only_the_greeting_of_mqtt_pass_is_left_for_https(*, cuts: bool) -> None:
    async def story(world: World) -> None:
        for _ in range(600):
            world.say()
            await passes(4_000)
        assert world.outbox.settled
        silent = [later - at for (at, *_), (later, *_) in itertools.pairwise(world.https.arrived)]
        assert world.https.arrived[0][0] <= 30_000
        assert len([pause for pause in silent if pause > 6_000]) <= 3, "a try in a quarter of an hour"
        assert max(silent) <= 15_000
        firewall.opened = True
        await passes(UNHEARD_MS + 10_000)
        world.say()
        await passes(1_000)
        assert world.outbox.settled

    firewall = _Greeting(cuts=cuts)
    world = living(story, firewall)
    assert firewall.arrived[-1][2] is Lane.BACKLOG
    told = [number for _, _, lane, numbers in world.https.arrived for number in numbers if lane is Lane.BACKLOG]
    assert sorted(set(told)) == list(range(1, max(told) + 1))


class _Refusing(FakeBroker):
    def __init__(self, retry_ms: int) -> None:
        super().__init__()
        self.retry_ms = retry_ms

    async def publish(self, topic: str, payload: bytes) -> None:
        raise ProbeUnavailable("hub", "HTTP 503", self.retry_ms)


def test_a_hub_that_says_when_to_come_back_is_not_asked_earlier() -> None:
    async def main() -> list[int]:
        world, broker = World(), _Refusing(30_000)
        world.uplink._port = broker
        world.say()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(world.uplink.run(), name="uplink.run")
            await passes(100_000)
            task.cancel()
        return broker.attempts

    attempts = run_virtually(main())
    pauses = [after - before for before, after in itertools.pairwise(attempts)]
    assert len(pauses) == 3
    assert all(30_200 <= pause <= 35_001 for pause in pauses)


@pytest.mark.parametrize(
    ("transport", "hub", "port"),
    [
        (Transport.AUTO, None, AiomqttPort),
        (Transport.AUTO, HubConfig("https://hub"), AutoPort),
        (Transport.MQTT, HubConfig("https://hub"), AiomqttPort),
        (Transport.HTTPS, HubConfig("https://hub"), HttpPort),
    ],
)
def test_the_configuration_chooses_the_port(transport: Transport, hub: HubConfig | None, port: type) -> None:
    config = gateway(Path("unused"), 1, transport=transport, hub=hub)
    assert type(port_for(config, SETTINGS, lambda: 0, Lines(lambda: 0))) is port


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('transport = "https"\n' + SMALLEST, "hub.url"),
        ('transport = "smoke"\n' + SMALLEST, "transport"),
        (SMALLEST + '[hub]\nurl = "hub.example"\n', "hub.url"),
        (SMALLEST + '[hub]\nurl = "http://hub.example"\n', "hub.url"),
        (SMALLEST + '[hub]\nurl = "https://hub"\nproxy = "p"\n', "hub.proxy"),
        (SMALLEST + '[hub]\nurl = "https://hub"\n[hub.tls]\ncert_file = "c"\n', "hub.tls"),
    ],
)
def test_a_hub_that_cannot_be_spoken_to_is_refused_by_its_key(text: str, key: str) -> None:
    with pytest.raises(ProbeConfigError) as refused:
        parse_config(text)
    assert refused.value.key == key


def test_a_hub_on_this_machine_may_be_spoken_to_in_the_clear() -> None:
    config = parse_config(SMALLEST + '[hub]\nurl = "http://127.0.0.1:8787"\n')
    assert config.hub == HubConfig("http://127.0.0.1:8787")
