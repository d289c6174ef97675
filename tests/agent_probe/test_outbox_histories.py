"""Random histories of one probe over many lives, judged by a collector of other code."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_probe._core.storage import DropClass
from tests.agent_probe.collector_model import CollectorModel
from tests.agent_probe.outbox_builders import LIMITS, SmallDisk, body, frames, outbox


class History:
    """One probe over many lives, a network that loses frames and acks, and the collector that judges."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.disk = SmallDisk(room=10**9)
        self.collector = CollectorModel()
        self.now = 0
        self.lives = 0
        self.said: dict[tuple[bytes, int], bytes] = {}
        self.limits = {
            "keep_bytes": self.rng.choice([4_000, 16_000, 1_000_000]),
            "keep_ms": self.rng.choice([20_000, 10**9]),
            "frame_bytes": self.rng.choice([100, 4_000]),
            "runs_max": self.rng.choice([3, 1_000]),
            "row_interval_ms": self.rng.choice([0, 10]),
            "burst_rows": self.rng.choice([1, 7, 500]),
        }
        self.restart()

    def restart(self) -> None:
        self.disk.stuck = False
        self.lives += 1
        self.box = outbox(self.disk, self.lives.to_bytes(16, "big"), self.rng.randrange(10**6), **self.limits)
        self.now = self.rng.randrange(10**6)
        self.box = outbox(self.disk, (10**6 + self.lives).to_bytes(16, "big"), self.now, **self.limits)

    def put(self) -> None:
        data = body(self.rng.randrange(10**9), self.rng.choice([10, 60]))
        sequence = self.box.put(49, 1, data, self.rng.choice(list(DropClass)), now=self.now)
        if sequence:
            self.said[self.box.epoch, sequence] = data

    def exchange(self, loss: float) -> None:
        for frame in frames(self.box, self.now):
            if self.rng.random() >= loss:
                answer = self.collector.receive(frame)
                if self.rng.random() >= loss:
                    self.box.acknowledge(answer, self.now)
            assert len(self.box._sender._flights) <= LIMITS.in_flight

    def step(self) -> None:
        self.now += self.rng.randrange(3_000)
        action = self.rng.random()
        if action < 0.6:
            for _ in range(self.rng.randrange(1, 6)):
                self.put()
        elif action < 0.9:
            self.exchange(self.rng.choice([0, 0.3, 1]))
        elif action < 0.95:
            self.restart()
        elif action < 0.97:
            self.disk.stuck = not self.disk.stuck
        else:
            self.box.reconnected(self.now)

    def heal(self) -> None:
        self.disk.stuck = False
        self.put()
        for _ in range(2_000):
            self.exchange(0)
            if self.box.settled:
                return
            due = self.box.next_due(self.now)
            assert due is not None, "unsettled, and nothing will ever happen"
            self.now = max(due, self.now + 1)
        raise AssertionError("the mark stands still")


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_whatever_happens_every_event_arrives_once_unchanged_or_is_declared_gone(seed: int) -> None:
    history = History(seed)
    for _ in range(80):
        history.step()
    history.heal()
    for (epoch, sequence), data in history.said.items():
        stream = history.collector.streams[epoch]
        assert stream.bodies.get(sequence) == data or stream.gone.get(sequence) == "overflow"
    for epoch, (before, last) in history.collector.prev.items():
        assert epoch != before
        assert history.collector.streams[before].mark >= last
