"""Deadlines, jitter, back-off, figures, and what is worth saying, in virtual time."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from agent_probe._core.gate import Gate, Rhythm, Say
from agent_probe._core.snapshots import Snapshot, SnapshotLane
from agent_probe._core.storage import DropClass
from agent_probe.errors import ProbeConfigError, ProbeUnavailable
from agent_probe.notes import Notes
from agent_probe.runner import Publisher, Runner
from agent_probe.sensors.base import Reading, Schedule, Stamp
from agent_probe.sensors.seat import HeartbeatSensor, Load, Measured
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.virtual_loop import VirtualClock, passes, run_virtually
from wire.codec import encode_frame
from wire.facility import Heartbeat, Role
from wire.frame import Lane
from wire.kinds import Kind
from wire.limits import FRAME_BYTES_MAX

EVERY_SECOND = Schedule(interval_ms=1_000, deadline_ms=500, retry_first_ms=1_000, retry_last_ms=8_000)
RHYTHM = Rhythm(live_ms=10_000, record_ms=60_000, periodic=DropClass.SAMPLE)


def heartbeat(at: int) -> Heartbeat:
    return Heartbeat(at, 1, "sz1/s1", at, True, "", "sz1", "s1", Role.SEAT, 1_000, 0)


class Scripted:
    """A sensor that does in each sample what its script says: a state, an exception, or to hang."""

    def __init__(self, *script: object, urgent: bool = False) -> None:
        self.name = "scripted"
        self.schedule = EVERY_SECOND
        self.script = list(script)
        self.urgent = urgent
        self.sampled_at: list[int] = []
        self.opened_at: list[int] = []
        self.closed = 0
        self.causes: list[str] = []

    async def open(self) -> None:
        self.opened_at.append(VirtualClock().monotonic_ms())

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        self.sampled_at.append(now.monotonic)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step == "hang":
            await asyncio.get_running_loop().create_future()
        if isinstance(step, Exception):
            raise step
        return [Reading("thing", str(step), RHYTHM, lambda: heartbeat(now.monotonic), self.urgent)]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:
        self.causes.append(cause)
        return [Reading("thing", "unavailable", RHYTHM, lambda: heartbeat(now.monotonic))]

    async def close(self) -> None:
        self.closed += 1


class World:
    """A runner over a list instead of an outbox."""

    def __init__(
        self, sensor: Scripted, jitter_ratio: float = 0.0, beside: Sequence[Scripted] = (), shared_ms: int = 0
    ) -> None:
        self.said: list[tuple[int, str]] = []
        self.bodies: list[tuple[int, int, bytes]] = []
        self.woken = 0
        self.snapshots = SnapshotLane(source="sz1/s1", epoch=lambda: b"e" * 16)
        clock = VirtualClock()
        self.runner = Runner(
            [sensor, *beside],
            Publisher(self, self.snapshots, self._wake, sparing_ms=60_000),
            Notes(site="sz1", seat="s1", clock_domain="sz1/s1"),
            stamp=lambda: Stamp(clock.wall_ms(), clock.monotonic_ms(), True),
            now_ms=clock.monotonic_ms,
            rng=random.Random(1),
            jitter_ratio=jitter_ratio,
            shared_ms=shared_ms,
        )

    is_past_half = False

    def put(self, kind: int, kind_version: int, body: bytes, drop_class: DropClass, *, now: int) -> int:
        self.bodies.append((kind, kind_version, body))
        if kind != Kind.PROBE_NOTE:
            self.said.append((now, drop_class.name.lower()))
        return len(self.said)

    def _wake(self) -> None:
        self.woken += 1

    async def lives(self, time_ms: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.runner.run(), name="runner.run")
            await passes(time_ms)
            task.cancel()


def lived(
    sensor: Scripted,
    time_ms: int,
    jitter_ratio: float = 0.0,
    beside: Sequence[Scripted] = (),
    *,
    begins_ms: int = 0,
    shared_ms: int = 0,
) -> World:
    async def main() -> World:
        await passes(begins_ms)
        world = World(sensor, jitter_ratio, beside, shared_ms)
        await world.lives(time_ms)
        return world

    return run_virtually(main())


def test_a_sensor_is_sampled_every_interval_and_its_changes_are_said_at_once() -> None:
    sensor = Scripted("mains", "mains", "battery", "battery", "mains")
    world = lived(sensor, 10_500)
    assert sensor.sampled_at == list(range(0, 11_000, 1_000))
    assert world.said == [(0, "change"), (2_000, "change"), (4_000, "change")]


def test_an_unchanged_reading_is_shown_now_and_then_and_recorded_less_often() -> None:
    world = lived(Scripted("mains"), 130_500)
    assert world.said == [(0, "change"), (60_000, "sample"), (120_000, "sample")]
    assert world.woken == 14


def test_a_sensor_that_fails_is_closed_waited_for_longer_and_longer_and_said_to_be_unavailable() -> None:
    sensor = Scripted(*[ProbeUnavailable("refused")] * 5, "mains")
    world = lived(sensor, 40_000)
    assert sensor.opened_at[:6] == [0, 1_000, 3_000, 7_000, 15_000, 23_000]
    assert sensor.causes == ["refused"] * 5
    assert world.said[:2] == [(0, "change"), (23_000, "change")]
    assert world.runner.figures["scripted"].failures == 5
    assert world.runner.figures["scripted"].retry_ms == 0
    assert sensor.closed >= 5


def test_a_sensor_that_hangs_is_cut_off_at_its_deadline() -> None:
    sensor = Scripted("hang", "mains")
    world = lived(sensor, 5_000)
    assert sensor.sampled_at[:2] == [0, 1_500]
    assert sensor.causes == ["timeout"]
    assert world.runner.figures["scripted"].timeouts == 1


def test_a_sensor_that_stumbles_over_what_nobody_thought_of_takes_nothing_else_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stumbling, healthy = Scripted(OverflowError("of a firmware"), "mains"), Scripted("mains")
    healthy.name = "healthy"
    world = lived(stumbling, 5_500, beside=[healthy])
    assert (stumbling.causes, stumbling.closed, stumbling.sampled_at[1]) == (["error"], 2, 1_000)
    assert (world.runner.figures["scripted"].failures, world.runner.figures["healthy"].samples) == (1, 6)
    (record,) = [record for record in caplog.records if record.msg == "sensor.stumbled"]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], OverflowError)


def test_a_probe_that_cannot_keep_what_it_measures_ends_with_all_of_its_sensors() -> None:
    dead = ProbeConfigError("data_dir", "keeps nothing that is written there", "look after that disk")
    with pytest.raises(ExceptionGroup) as ended:
        lived(Scripted("mains", dead), 5_500, beside=[Scripted("mains")])
    assert ended.value.subgroup(ProbeConfigError) is not None


def test_waits_are_shortened_at_random_so_that_probes_drift_apart_and_promises_are_kept() -> None:
    sensor = Scripted("mains")
    lived(sensor, 20_000, jitter_ratio=0.1)
    pauses = {after - before for before, after in zip(sensor.sampled_at, sensor.sampled_at[1:], strict=False)}
    assert len(pauses) > 10
    assert all(899 <= pause <= 1_001 for pause in pauses)


def test_sensors_of_a_gateway_soon_wake_at_the_same_instants_and_none_later_than_it_promised() -> None:
    ups, heartbeat = Scripted("mains"), Scripted("alive")
    ups.schedule = EVERY_SECOND._replace(interval_ms=750)
    heartbeat.name, heartbeat.schedule = "heartbeat", EVERY_SECOND._replace(interval_ms=2_000)
    lived(ups, 60_000, jitter_ratio=0.05, beside=[heartbeat], begins_ms=130, shared_ms=250)
    settled = [at for sensor in (ups, heartbeat) for at in sensor.sampled_at if at > 20_000]
    assert all(at % 250 == 0 for at in settled)
    assert len(set(settled)) < len(settled)
    for sensor in (ups, heartbeat):
        pauses = {after - before for before, after in zip(sensor.sampled_at, sensor.sampled_at[1:], strict=False)}
        longest = sensor.schedule.interval_ms
        assert all(longest * 0.95 - 1 <= pause <= longest + 1 for pause in pauses)


def test_what_a_gateway_asks_often_falls_on_instants_that_its_sensors_share() -> None:
    for often_ms in (
        SETTINGS.lines.rules.probe_ms,
        SETTINGS.lines.schedule.interval_ms,
        SETTINGS.ups.schedule.interval_ms,
        SETTINGS.phone_line.schedule.interval_ms,
        SETTINGS.gateway_heartbeat.interval_ms,
    ):
        assert often_ms % SETTINGS.shared_ms == 0


def test_an_urgent_change_takes_everything_known_with_it() -> None:
    async def main() -> list[int]:
        world = World(Scripted("mains", "battery", urgent=True))
        world.snapshots.update("other", Snapshot(48, 1, b"\x01"))
        world.snapshots.next_frame()
        await world.lives(1_500)
        frame = world.snapshots.next_frame()
        assert frame is not None
        return [item.kind for item in frame.items]

    assert sorted(run_virtually(main())) == [48, 48]


class Early(Scripted):
    """As Scripted, and it may tell early."""

    def __init__(self, *script: object) -> None:
        super().__init__(*script)
        self.news = asyncio.Event()


def test_a_sensor_that_tells_early_is_sampled_at_once_and_otherwise_every_interval() -> None:
    async def main() -> list[int]:
        sensor = Early("up")
        world = World(sensor)
        asyncio.get_running_loop().call_later(2.4, sensor.news.set)
        await world.lives(4_500)
        return sensor.sampled_at

    assert run_virtually(main()) == [0, 1_000, 2_000, 2_400, 3_400, 4_400]


def test_what_happened_once_is_recorded_and_is_no_part_of_the_present_state() -> None:
    async def main() -> World:
        world = World(Scripted("up"))
        publisher = Publisher(world, world.snapshots, world._wake, sparing_ms=60_000)
        publisher.take([Reading("move", 1, RHYTHM, lambda: heartbeat(5), once=True)], 5)
        return world

    world = run_virtually(main())
    assert world.said == [(5, "change")]
    assert world.snapshots.next_frame() is None


def test_the_gate_tells_changes_from_repetitions_for_each_thing_apart() -> None:
    gate = Gate()
    assert gate.judge("a", 1, RHYTHM, 0) == Say(DropClass.CHANGE, show=True)
    assert gate.judge("b", 1, RHYTHM, 0) == Say(DropClass.CHANGE, show=True)
    assert gate.judge("a", 1, RHYTHM, 9_999) == Say(None, show=False)
    assert gate.judge("a", 1, RHYTHM, 10_000) == Say(None, show=True)
    assert gate.judge("a", 2, RHYTHM, 10_001) == Say(DropClass.CHANGE, show=True)
    assert gate.judge("b", 1, RHYTHM, 60_000) == Say(DropClass.SAMPLE, show=True)


def test_a_heartbeat_keeps_its_promise_and_says_what_the_outbox_holds() -> None:
    sensor = HeartbeatSensor(
        EVERY_SECOND,
        RHYTHM,
        site="sz1",
        seat="s1",
        role=Role.SEAT,
        clock_domain="sz1/p1",
        load=lambda: Load(3, 400),
        measured=Measured(["rack"], [], None),
    )

    async def main() -> Heartbeat:
        await sensor.sample(Stamp(50_000, 1_000, False))
        (reading,) = await sensor.sample(Stamp(55_000, 6_000, False))
        body = reading.body()
        assert isinstance(body, Heartbeat)
        return body

    beat = run_virtually(main())
    assert (beat.interval_ms, beat.uptime_ms, beat.outbox_rows, beat.outbox_bytes) == (1_000, 5_000, 3, 400)
    assert (beat.occurred_at, beat.monotonic_ms, beat.synced, beat.clock) == (55_000, 6_000, False, "sz1/p1")
    assert (beat.upses, beat.lines, beat.phone_lines) == (["rack"], [], None)


def test_a_snapshot_frame_holds_the_newest_of_each_thing_and_only_once() -> None:
    lane = SnapshotLane(source="sz1/s1", epoch=lambda: b"e" * 16)
    assert lane.next_frame() is None
    lane.update("a", Snapshot(48, 1, b"\x01"))
    lane.update("b", Snapshot(48, 1, b"\x02"))
    lane.update("a", Snapshot(48, 1, b"\x03"))
    first = lane.next_frame()
    assert first is not None
    assert (first.lane, first.base, first.gone, first.epoch) == (Lane.SNAPSHOT, 0, [], b"e" * 16)
    assert [(item.sequence, bytes(item.body)) for item in first.items] == [(1, b"\x03"), (2, b"\x02")]
    assert lane.next_frame() is None
    lane.repeat_all()
    again = lane.next_frame()
    assert again is not None
    assert [item.sequence for item in again.items] == [3, 4]


def test_more_than_a_frame_takes_goes_as_several_and_nothing_twice() -> None:
    """A gateway that watches hundreds of things, whose words may be as long as they like."""
    lane = SnapshotLane(source="sz1/gw1", epoch=lambda: b"e" * 16)
    small, large = b"\xa1s", b"\xda\x03\xe8" + b"l" * 1_000
    for number in range(700):
        lane.update(f"ups/{number}", Snapshot(49, 1, large if number < 100 else small))
    frames = list(iter(lane.next_frame, None))
    assert all(len(encode_frame(frame)) <= FRAME_BYTES_MAX for frame in frames)
    bodies = [bytes(item.body) for frame in frames for item in frame.items]
    assert (len(bodies), bodies.count(large), len(frames)) == (700, 100, 3)
    assert [item.sequence for frame in frames for item in frame.items] == list(range(1, 701))
