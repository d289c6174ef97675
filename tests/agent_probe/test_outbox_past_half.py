"""A long cut: past half of the outbox on disk, samples come once a minute and changes as they happen."""

import asyncio
import random
from pathlib import Path

from agent_probe._core.gate import Rhythm
from agent_probe._core.snapshots import SnapshotLane
from agent_probe._core.storage import DropClass
from agent_probe.notes import Notes
from agent_probe.outbox import DurableOutbox
from agent_probe.runner import Publisher, Runner
from agent_probe.sensors.base import Reading, Stamp
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.test_runner import Scripted, heartbeat
from tests.agent_probe.virtual_loop import VirtualClock, passes, run_virtually
from wire.frame import Ack

EVERY_TWO_S = Rhythm(live_ms=60_000, record_ms=2_000, periodic=DropClass.SAMPLE)
KEEP_BYTES = 60_000
SOURCE = "sz1/s1"


class Sampled(Scripted):
    """A sensor whose unchanged readings are usually recorded every two seconds."""

    state = "mains"

    async def sample(self, now: Stamp) -> list[Reading]:
        return [Reading("thing", self.state, EVERY_TWO_S, lambda: heartbeat(now.monotonic))]


def acknowledge_all(outbox: DurableOutbox, now: int) -> None:
    frames = iter(lambda: outbox.next_frame(now), None)
    for frame in frames:
        last = frame.items[-1].sequence
        outbox.acknowledge(Ack(b"L" * 16, frame.epoch, last, last, [], []), now)
        now += 60_000


def test_past_half_of_a_real_outbox_samples_come_once_a_minute_and_changes_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        clock = VirtualClock()
        limits = SETTINGS.outbox._replace(keep_bytes=KEEP_BYTES)
        outbox = DurableOutbox(tmp_path, limits, source=SOURCE, draw_epoch=lambda: random.randbytes(16), now=0)
        snapshots = SnapshotLane(source=SOURCE, epoch=lambda: outbox.epoch)
        sensor = Sampled("mains")
        runner = Runner(
            [sensor],
            Publisher(outbox, snapshots, lambda: None, sparing_ms=SETTINGS.sparing_ms),
            Notes(site="sz1", seat="s1", clock_domain=SOURCE),
            stamp=lambda: Stamp(clock.wall_ms(), clock.monotonic_ms(), True),
            now_ms=clock.monotonic_ms,
            rng=random.Random(1),
            jitter_ratio=0.0,
        )
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(runner.run(), name="runner.run")
            while not outbox.is_past_half:
                await passes(1_000)
            rows, size = outbox.counts().rows, outbox.counts().size
            assert KEEP_BYTES / 2 < size < KEEP_BYTES / 2 + 1_000
            assert clock.monotonic_ms() / 2_000 <= rows + 1
            await passes(600_000)
            assert outbox.counts().rows - rows in {9, 10}
            sensor.state = "battery"
            await passes(1_000)
            assert outbox.counts().rows - rows in {10, 11, 12}
            assert outbox.counts().dropped == {}
            acknowledge_all(outbox, clock.monotonic_ms())
            assert outbox.counts().rows == 0
            assert outbox.counts().size == 0
            await passes(60_000)
            assert outbox.counts().rows >= 29
            task.cancel()
        outbox.close()

    run_virtually(main())
