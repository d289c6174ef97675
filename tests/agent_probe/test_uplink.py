"""The uplink over a broker that is a list, in virtual time: order, reconnection, resending, last words."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from agent_probe._core.outbox import Outbox, OutboxLimits
from agent_probe._core.snapshots import Snapshot, SnapshotLane
from agent_probe._core.storage import DropClass, MemoryStorage
from agent_probe.app import Probe, memory_outbox
from agent_probe.config import ProbeConfig
from agent_probe.errors import ProbeUnavailable
from agent_probe.lines import Lines
from agent_probe.sensors.config import NetworkConfig
from agent_probe.uplink import Uplink
from tests.agent_probe.collector_model import CollectorModel
from tests.agent_probe.living_probe import SETTINGS, gateway
from tests.agent_probe.virtual_loop import VirtualClock, passes, run_virtually
from wire.codec import decode_frame, encode_ack
from wire.facility import Role
from wire.frame import Ack, Lane, Rejected

SOURCE = "sz1/gw1"


class FakeBroker:
    """A port whose line can be cut, whose collector can be deaf, and which remembers what came through.

    swallows: connecting takes for ever.
    """

    def __init__(self) -> None:
        self.up = True
        self.swallows = False
        self.deaf = False
        self.before_connecting: Callable[[], None] = lambda: None
        self.collector = CollectorModel()
        self.arrived: list[tuple[int, str, Lane, list[int]]] = []
        self.attempts: list[int] = []
        self._acks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1000)

    async def connect(self) -> None:
        self.before_connecting()
        self.attempts.append(VirtualClock().monotonic_ms())
        if self.swallows:
            await asyncio.Event().wait()
        if not self.up:
            raise ProbeUnavailable("broker", "refused")
        self._acks = asyncio.Queue(maxsize=1000)

    async def publish(self, topic: str, payload: bytes) -> None:
        if not self.up:
            raise ProbeUnavailable("broker", "cut")
        frame = decode_frame(payload)
        self.arrived.append((VirtualClock().monotonic_ms(), topic, frame.lane, [item.sequence for item in frame.items]))
        if frame.lane == Lane.BACKLOG and not self.deaf:
            self.send(encode_ack(self.collector.receive(frame)))

    def send(self, payload: bytes) -> None:
        self._acks.put_nowait(payload)

    async def messages(self) -> AsyncIterator[bytes]:
        while (payload := await self._acks.get()) is not None:
            yield payload

    async def close(self) -> None:
        pass

    def cut(self) -> None:
        self.up = False
        self._acks.put_nowait(None)


class World:
    def __init__(self, broker: FakeBroker | None = None, limits: OutboxLimits = SETTINGS.outbox) -> None:
        self.broker = broker or FakeBroker()
        self.broker.before_connecting = lambda: self.bound_to.append(self.lines.take_best())
        self.bound_to: list[str] = []
        clock = VirtualClock()
        self.lines = Lines(clock.monotonic_ms)
        self.outbox = Outbox(MemoryStorage(), limits, source=SOURCE, epoch=b"e" * 16, now=clock.monotonic_ms())
        self.snapshots = SnapshotLane(source=SOURCE, epoch=lambda: self.outbox.epoch)
        self.uplink = Uplink(
            self.broker,
            self.outbox,
            self.snapshots,
            SETTINGS.uplink,
            self.lines,
            source=SOURCE,
            now_ms=clock.monotonic_ms,
            rng=random.Random(1),
        )

    def put(self, count: int = 1) -> None:
        for _ in range(count):
            self.outbox.put(49, 1, b"\x01", DropClass.CHANGE, now=VirtualClock().monotonic_ms())
        self.uplink.wake()

    def show(self, body: bytes) -> None:
        self.snapshots.update("ups1", Snapshot(49, 1, body))
        self.uplink.wake()

    @property
    def lanes(self) -> list[Lane]:
        return [lane for _, _, lane, _ in self.broker.arrived]


def with_uplink(story: Callable[[World], Awaitable[None]], limits: OutboxLimits = SETTINGS.outbox) -> World:
    async def main() -> World:
        world = World(limits=limits)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(world.uplink.run(), name="uplink.run")
            await story(world)
            task.cancel()
        return world

    return run_virtually(main())


def test_present_state_goes_before_the_backlog_on_every_connection() -> None:
    async def story(world: World) -> None:
        world.put(3)
        world.show(b"\x01")
        await passes(100)
        world.broker.cut()
        await passes(100)
        world.put(2)
        world.broker.up = True
        await passes(6_000)

    world = with_uplink(story)
    assert world.lanes == [Lane.SNAPSHOT, Lane.BACKLOG, Lane.SNAPSHOT, Lane.BACKLOG]
    assert [topic for _, topic, _, _ in world.broker.arrived[:2]] == ["v1/sz1/gw1/now", "v1/sz1/gw1/up"]
    assert world.outbox.settled


def test_a_change_goes_out_the_moment_it_is_known() -> None:
    async def story(world: World) -> None:
        await passes(1_000)
        world.show(b"\x01")
        world.put()
        await passes(1)

    world = with_uplink(story)
    assert [at for at, *_ in world.broker.arrived] == [1_000, 1_000]


def test_reconnections_are_spread_over_five_seconds() -> None:
    async def story(world: World) -> None:
        world.broker.up = False
        await passes(300_000)

    attempts = with_uplink(story).broker.attempts
    pauses = [after - before for before, after in itertools.pairwise(attempts)]
    assert all(200 <= pause <= 5_001 for pause in pauses)
    assert min(pauses) < 700
    assert max(pauses) > 4_500


def test_without_acknowledgements_four_frames_go_and_go_again_every_five_seconds() -> None:
    async def story(world: World) -> None:
        world.broker.deaf = True
        world.put(3_000)
        await passes(14_000)
        world.broker.deaf = False
        await passes(20_000)

    world = with_uplink(story, SETTINGS.outbox._replace(row_interval_ms=0, burst_rows=500))
    first = [at for at, _, _, numbers in world.broker.arrived if numbers[0] == 1]
    assert first[:3] == [0, 5_000, 10_000]
    assert len([at for at, *_ in world.broker.arrived if at < 5_000]) == 4
    assert world.outbox.settled


def test_what_cannot_be_read_or_is_not_for_us_is_counted_and_changes_nothing() -> None:
    async def story(world: World) -> None:
        await passes(10)
        world.broker.deaf = True
        world.put(2)
        await passes(10)
        world.broker.send(b"\xc1 no ack")
        world.broker.send(encode_ack(Ack(b"L" * 16, b"x" * 16, 2, 2)))
        world.broker.send(encode_ack(Ack(b"L" * 16, b"e" * 16, 99, 2)))
        await passes(10)
        assert world.outbox.counts().rows == 2
        world.broker.send(encode_ack(Ack(b"L" * 16, b"e" * 16, 2, 2, rejected=[Rejected(1, "body_malformed")])))
        await passes(10)

    world = with_uplink(story)
    figures = world.uplink.figures
    assert (figures.unreadable_acks, figures.foreign_acks, figures.acks, figures.rejected_items) == (1, 2, 1, 1)
    assert world.outbox.counts().rows == 0


def test_an_acknowledged_snapshot_is_enough_to_learn_of_a_new_hub() -> None:
    async def story(world: World) -> None:
        world.put(2)
        await passes(100)
        assert world.broker.arrived[-1][3] == [1, 2]
        world.broker.send(encode_ack(Ack(b"L" * 16, b"s" * 16, 1, 2, started_at=5)))
        await passes(100)

    world = with_uplink(story)
    assert [sequences for _, _, _, sequences in world.broker.arrived] == [[1, 2], []]


def config() -> ProbeConfig:
    return gateway(Path("unused"), 1)


def test_a_gateway_alone_wakes_at_shared_instants_and_hundreds_of_seats_drift_apart() -> None:
    def beats_of(role: Role) -> set[int]:
        async def main() -> list[int]:
            broker, clock, stop = FakeBroker(), VirtualClock(), asyncio.Event()
            # asking the system takes a thread, for which another world's time does not wait
            given = msgspec.structs.replace(config(), role=role, network=NetworkConfig(measured=False))
            box = memory_outbox(given, SETTINGS, clock)
            probe = Probe(given, SETTINGS, box, clock=clock, port=broker, rng=random.Random(1))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(probe.run(stop), name="probe.run")
                await passes(60_000)
                stop.set()
            return [at for at, topic, *_ in broker.arrived if at > 30_000 and topic.endswith("now")]

        return set(run_virtually(main()))

    assert {at % SETTINGS.shared_ms for at in beats_of(Role.GATEWAY)} == {0}
    assert len({at % SETTINGS.shared_ms for at in beats_of(Role.SEAT)}) > 1


def test_a_whole_probe_runs_in_another_world_and_says_its_last_words() -> None:
    async def main() -> tuple[FakeBroker, int]:
        broker, clock, stop = FakeBroker(), VirtualClock(), asyncio.Event()
        box = memory_outbox(config(), SETTINGS, clock)
        probe = Probe(config(), SETTINGS, box, clock=clock, port=broker, rng=random.Random(1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(probe.run(stop), name="probe.run")
            await passes(61_000)
            said = len(broker.arrived)
            stop.set()
        assert box.settled
        return broker, said

    broker, said = run_virtually(main())
    beats = [at for at, _, lane, _ in broker.arrived if lane == Lane.SNAPSHOT]
    assert max(after - before for before, after in itertools.pairwise(beats)) <= 2_001
    assert broker.arrived[said][2] == Lane.SNAPSHOT
    assert sum(lane == Lane.BACKLOG for _, _, lane, _ in broker.arrived) == 2


class _Deafening(FakeBroker):
    """A broker whose answer meets the cancellation, which is lost, or whose line breaks at that moment."""

    def __init__(self, *, breaks: bool) -> None:
        super().__init__()
        self.deaf = True
        self._breaks = breaks

    async def publish(self, topic: str, payload: bytes) -> None:
        await super().publish(topic, payload)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if self._breaks:
            raise ProbeUnavailable("broker", "cut")


@pytest.mark.parametrize("breaks", [False, True])
def test_an_uplink_told_to_stop_in_the_middle_of_a_publication_stops(breaks: bool) -> None:
    async def main() -> int:
        world = World(_Deafening(breaks=breaks))
        world.put()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(world.uplink.run(), name="uplink.run")
            await passes(1_000)
            task.cancel()
        return len(world.broker.arrived)

    assert run_virtually(main()) == 1


def test_a_probe_without_a_broker_still_stops_within_a_second() -> None:
    async def main() -> int:
        broker, clock, stop = FakeBroker(), VirtualClock(), asyncio.Event()
        broker.up = False
        box = memory_outbox(config(), SETTINGS, clock)
        probe = Probe(config(), SETTINGS, box, clock=clock, port=broker, rng=random.Random(1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(probe.run(stop), name="probe.run")
            await passes(10_000)
            stop.set()
        assert box.counts().rows > 0
        return clock.monotonic_ms()

    assert run_virtually(main()) <= 11_000
