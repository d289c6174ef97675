"""What a gateway with many UPSs writes down while nobody hears it, and how soon that is told afterwards.

The sensors, their rhythm, the outbox and its pace are the real ones; time and the hub, which acknowledges everything a
tenth of a second later, are numbers. `pytest -s` prints rows and times.
"""

import asyncio
import random
from collections.abc import Callable

import pytest

from agent_probe._core.outbox import Outbox
from agent_probe._core.snapshots import SnapshotLane
from agent_probe._core.storage import MemoryStorage
from agent_probe.notes import Notes
from agent_probe.runner import Publisher, Runner
from agent_probe.sensors.base import Sensor, Stamp
from agent_probe.sensors.seat.sensor import HeartbeatSensor, Load, Measured
from agent_probe.sensors.ups.sensor import UpsSensor
from agent_probe.sensors.ups.sources import Observed
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.outbox_builders import ack
from tests.agent_probe.virtual_loop import VirtualClock, passes, run_virtually
from wire.facility import Comms, Role

SOURCE = "sz1/gw1"
TEN = 10
MINUTE = 60_000
OUTAGE = 10 * MINUTE
THERE_AND_BACK_MS = 100

Says = Callable[[int], Observed | Comms]
"""What a UPS says when it is asked for the nth time."""


class Asked:
    """A UPS that is asked again and again."""

    def __init__(self, says: Says) -> None:
        self._says = says
        self.times = 0

    async def open(self) -> None: ...

    async def observe(self, now: int) -> Observed | Comms:
        self.times += 1
        return self._says(self.times)

    async def close(self) -> None: ...


def on_mains(times: int) -> Observed:
    """Its charge and load are others every time, which is no change of its state."""
    return Observed("OL CHRG", {"battery.charge": str(times % 100), "ups.load": str(times % 40)})


def there_and_gone(times: int) -> Observed | Comms:
    """A driver that loses its device between any two questions."""
    return Comms.STALE if times % 2 else Observed("OL", {})


def told_after_an_outage(says: Says, upses: int = TEN) -> tuple[int, int, int]:
    """Rows that ten minutes without a line left, how often a UPS was asked meanwhile, and ms until all was told."""

    async def main() -> tuple[int, int, int]:
        clock, sources = VirtualClock(), [Asked(says) for _ in range(upses)]
        outbox = Outbox(MemoryStorage(), SETTINGS.outbox, source=SOURCE, epoch=b"e" * 16, now=0)
        names = [f"ups{number}" for number in range(upses)]
        beats = HeartbeatSensor(
            SETTINGS.gateway_heartbeat,
            SETTINGS.heartbeat_rhythm,
            site="sz1",
            seat="",
            role=Role.GATEWAY,
            clock_domain=SOURCE,
            load=lambda: Load(0, 0),
            measured=Measured(names, None, None),
        )
        sensors: list[Sensor] = [
            beats,
            *(
                UpsSensor(name, source, SETTINGS.ups, site="sz1", clock_domain=SOURCE)
                for name, source in zip(names, sources, strict=True)
            ),
        ]
        snapshots = SnapshotLane(source=SOURCE, epoch=lambda: outbox.epoch)
        runner = Runner(
            sensors,
            Publisher(outbox, snapshots, lambda: None, sparing_ms=SETTINGS.sparing_ms),
            Notes(site="sz1", seat="", clock_domain=SOURCE),
            stamp=lambda: Stamp(clock.wall_ms(), clock.monotonic_ms(), True),
            now_ms=clock.monotonic_ms,
            rng=random.Random(1),
            jitter_ratio=0.0,
        )
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(runner.run(), name="runner.run")
            await passes(OUTAGE)
            rows, times = outbox.counts().rows, sources[0].times
            outbox.reconnected(clock.monotonic_ms())
            while outbox.counts().rows > upses:  # what is said meanwhile is no backlog
                while (frame := outbox.next_frame(clock.monotonic_ms())) is not None:
                    await passes(THERE_AND_BACK_MS)
                    outbox.acknowledge(ack(frame.epoch, frame.items[-1].sequence), clock.monotonic_ms())
                await passes(THERE_AND_BACK_MS)
            told_ms = clock.monotonic_ms() - OUTAGE
            task.cancel()
        print(f"{upses} UPSs: {rows} rows in {OUTAGE // MINUTE} min, asked {times} times each, told in {told_ms} ms")
        return rows, times, told_ms

    return run_virtually(main())


def test_ten_ups_of_which_nothing_is_new_leave_a_row_a_minute_each_and_are_told_within_seconds() -> None:
    rows, times, told_ms = told_after_an_outage(on_mains)
    assert times >= OUTAGE // SETTINGS.ups.schedule.interval_ms
    minutes = OUTAGE // MINUTE
    assert (TEN + 1) * minutes <= rows <= (TEN + 1) * (minutes + 1)
    assert told_ms <= rows * SETTINGS.outbox.row_interval_ms


@pytest.mark.parametrize("upses", [1, TEN])
def test_ups_that_change_at_every_question_leave_all_of_it_and_are_told_at_the_rate_that_is_left(upses: int) -> None:
    rows, times, told_ms = told_after_an_outage(there_and_gone, upses)
    assert rows >= upses * (times - 1)
    left_permille = 1_000 - 1_000 * upses * SETTINGS.outbox.row_interval_ms // SETTINGS.ups.schedule.interval_ms
    assert told_ms <= rows * SETTINGS.outbox.row_interval_ms * 1_000 // left_permille + 10_000
