"""Counters of the doors and the intake: plain integers, read when somebody asks."""

from bisect import bisect_left
from typing import Final

from collector._core.admission import Outcome
from wire.errors import Reason

# Format: edges of a published histogram.
LATENCY_EDGES_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Upper edges of the latency buckets; one more bucket holds everything slower."""


class Latency:
    """A histogram of durations in ms. counts[i] is what fell under edge i and over the one before (not cumulative)."""

    __slots__ = ("count", "counts", "edges_ms", "sum_us")

    def __init__(self, edges_ms: tuple[int, ...] = LATENCY_EDGES_MS) -> None:
        self.edges_ms = edges_ms
        self.count = 0
        self.sum_us = 0
        self.counts = [0] * (len(edges_ms) + 1)

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        microseconds = round(seconds * 1_000_000)
        self.count += 1
        self.sum_us += microseconds
        self.counts[bisect_left(self.edges_ms, microseconds / 1000)] += 1


class IntakeStats:
    """What went through the intake since it started.

    doors: of every door on this intake. frames, items: taken off the queue.
    outcomes: of items, by what became of them. rejected: of items, by reason.
    gaps, gap_sequences: holes declared and how many sequences they span. derived: entries of our own writers.
    foreign, busy: frames refused before anything was stored. commits, entries: transactions and what they held.
    commit_time: of one transaction. accept_time: from a frame's arrival to its acknowledgement.
    """

    def __init__(self) -> None:
        self.doors: list[DoorStats] = []
        self.frames = 0
        self.items = 0
        self.outcomes = dict.fromkeys(Outcome, 0)
        self.rejected = dict.fromkeys(Reason, 0)
        self.gaps = 0
        self.gap_sequences = 0
        self.derived = 0
        self.derived_repeats = 0
        self.foreign = 0
        self.busy = 0
        self.commits = 0
        self.entries = 0
        self.commit_time = Latency()
        self.accept_time = Latency()


class DoorStats:
    """What one door saw. refused: frames not even handed to the intake, by reason. discarded: lost to a full queue."""

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        self.acknowledged = 0
        self.refused = dict.fromkeys(Reason, 0)
        self.discarded = 0
        self.unauthorised = 0
        self.too_often = 0
        self.connects = 0
