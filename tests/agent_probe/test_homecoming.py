"""A thousand probes come back together with a backlog each: what reaches the hub stays flat, and live state is first.

The outboxes, snapshot lanes, thresholds and reconnection waits are the real ones; time, the line (a tenth of a second
there and back) and the hub, which acknowledges everything, are numbers. `pytest -s` prints the rows of each second.
"""

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field

from agent_probe._core.outbox import Outbox
from agent_probe._core.snapshots import Snapshot, SnapshotLane
from agent_probe._core.storage import DropClass, MemoryStorage
from seatwatch.settings import load_defaults
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.outbox_builders import ack
from wire.frame import Frame, Lane

PROBES = 1_000
HELD = 400
"""Heartbeats of nearly seven hours."""
THERE_AND_BACK_MS = 100
LIVE_MS = SETTINGS.seat_heartbeat.interval_ms
COMMITTED_A_SECOND = 60_000
"""What one core of a hub takes from frame bytes to commit (bench/bench_ledger.py)."""
WAITING_ROWS_MAX = load_defaults().int("collector.waiting_rows_max")
BODY = b"\xa0" * 40


def box(number: int) -> Outbox:
    made = Outbox(
        MemoryStorage(), SETTINGS.outbox, source=f"sz1/seat-{number}", epoch=number.to_bytes(16, "big"), now=0
    )
    for _ in range(HELD):
        made.put(48, 1, BODY, DropClass.HEARTBEAT, now=0)
    return made


@dataclass
class Hub:
    """Counts what arrives, by second and lane."""

    rows: Counter[int] = field(default_factory=Counter)
    frames: Counter[int] = field(default_factory=Counter)
    numbers: Counter[tuple[bytes, int]] = field(default_factory=Counter)
    first: dict[str, Lane] = field(default_factory=dict)
    live: Counter[str] = field(default_factory=Counter)

    def take(self, frame: Frame, now: int) -> None:
        self.first.setdefault(frame.source, frame.lane)
        self.frames[now // 1000] += 1
        if frame.lane is Lane.SNAPSHOT:
            self.live[frame.source] += 1
            return
        self.rows[now // 1000] += len(frame.items)
        self.numbers.update((frame.epoch, item.sequence) for item in frame.items)


class Probe:
    """One probe's sending, stepped by the simulation as its uplink would."""

    def __init__(self, number: int) -> None:
        self.box = box(number)
        self.lane = SnapshotLane(source=f"sz1/seat-{number}", epoch=lambda: self.box.epoch)
        self.acks: list[tuple[int, int]] = []
        self.live_at = 0

    def step(self, now: int, hub: Hub) -> int:
        """Send what is due; when to be stepped next."""
        while self.acks and self.acks[0][0] <= now:
            self.box.acknowledge(ack(self.box.epoch, self.acks.pop(0)[1]), now)
        if now >= self.live_at:
            self.lane.update("heartbeat", Snapshot(48, 1, BODY))
            self.live_at = now + LIVE_MS
        while (frame := self.lane.next_frame() or self.box.next_frame(now)) is not None:
            hub.take(frame, now)
            if frame.lane is Lane.BACKLOG:
                self.acks.append((now + THERE_AND_BACK_MS, frame.items[-1].sequence))
        times = [self.live_at, *(at for at, _ in self.acks[:1])]
        if (due := self.box.next_due(now)) is not None:
            times.append(max(due, now + 1))
        return min(times)


def test_the_hub_is_never_given_more_than_it_commits_and_the_present_comes_before_the_past() -> None:
    rng, hub = random.Random(1), Hub()
    uplink = SETTINGS.uplink
    probes = [Probe(number) for number in range(PROBES)]
    due = [(rng.randint(uplink.reconnect_min_ms, uplink.reconnect_max_ms), number) for number in range(PROBES)]
    for at, number in due:
        probes[number].live_at = at
        probes[number].box.reconnected(at)
    heapq.heapify(due)
    while due[0][0] < 40_000:
        now, number = heapq.heappop(due)
        heapq.heappush(due, (probes[number].step(now, hub), number))

    by_second = [hub.rows[second] for second in range(max(hub.rows) + 1)]
    print("rows a second:", by_second)
    print("frames a second, both lanes:", [hub.frames[second] for second in range(len(by_second))])
    assert all(probe.box.settled for probe in probes)
    assert (len(hub.numbers), max(hub.numbers.values())) == (PROBES * HELD, 1)
    assert max(by_second) <= COMMITTED_A_SECOND // 2, "half of the hub is left for everybody else"
    assert max(by_second) <= 1.5 * WAITING_ROWS_MAX, "which a second and a half of the hub's waiting room holds"
    steady = by_second[6:-5]
    assert len(steady) >= 8
    batches_last_s = SETTINGS.outbox.row_interval_ms * SETTINGS.outbox.burst_rows // 1000
    windows = [sum(steady[at : at + batches_last_s]) for at in range(len(steady) - batches_last_s + 1)]
    assert max(windows) <= 1.05 * min(windows), "flat over the time of a batch, not a wave that starves live traffic"
    assert set(hub.first.values()) == {Lane.SNAPSHOT}
    assert min(hub.live.values()) >= 30_000 // LIVE_MS, "live state goes on beside the backlog"


def test_a_probe_alone_says_what_happens_at_one_instant_at_once() -> None:
    alone = Outbox(MemoryStorage(), SETTINGS.outbox, source="sz1/gw1", epoch=b"e" * 16, now=0)
    for _ in range(SETTINGS.outbox.burst_rows):
        alone.put(49, 1, BODY, DropClass.CHANGE, now=0)
    frame = alone.next_frame(0)
    assert frame is not None
    assert len(frame.items) == SETTINGS.outbox.burst_rows
    alone.put(49, 1, BODY, DropClass.CHANGE, now=0)
    assert alone.next_frame(0) is None
    assert alone.next_due(0) == SETTINGS.outbox.row_interval_ms
