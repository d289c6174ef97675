"""Sequences of one epoch that will never be sent: what the probe must declare until the collector is past them."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import msgspec

from agent_probe._core.storage import DropClass
from wire.frame import GoneRange
from wire.record import GapReason

UNKNOWN_CLASS: Final = "unknown"


class Run(msgspec.Struct, array_like=True, frozen=True):
    """first..last, all gone for one reason.

    heartbeats, samples, changes: how many events of each class are known to have been in it.
    """

    first: int
    last: int
    reason: GapReason
    heartbeats: int = 0
    samples: int = 0
    changes: int = 0

    def declared(self) -> GoneRange:
        """As the frame says it. Adjacent rows of several classes are one range, e.g. `heartbeat+sample`."""
        counts = {
            DropClass.HEARTBEAT: self.heartbeats,
            DropClass.SAMPLE: self.samples,
            DropClass.CHANGE: self.changes,
        }
        words = "+".join(drop_class.name.lower() for drop_class, count in counts.items() if count)
        if not words:
            return GoneRange(self.first, self.last, UNKNOWN_CLASS, self.last - self.first + 1, self.reason)
        return GoneRange(self.first, self.last, words, sum(counts.values()), self.reason)


def lost_row(sequence: int, drop_class: DropClass, reason: GapReason) -> Run:
    """A run of one row whose class is known."""
    return Run(
        sequence,
        sequence,
        reason,
        heartbeats=int(drop_class == DropClass.HEARTBEAT),
        samples=int(drop_class == DropClass.SAMPLE),
        changes=int(drop_class == DropClass.CHANGE),
    )


class GoneSet:
    """Disjoint runs in ascending order; neighbours of one reason are one run."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs: list[Run] = sorted(runs, key=lambda run: run.first)

    def __len__(self) -> int:
        return len(self._runs)

    def __bool__(self) -> bool:
        return bool(self._runs)

    @property
    def runs(self) -> list[Run]:
        """A copy, ascending."""
        return list(self._runs)

    def add(self, run: Run) -> None:
        """Take in `run`, which must not overlap what is there already."""
        at = bisect_left(self._runs, run.first, key=lambda other: other.first)
        before = self._runs[at - 1] if at else None
        after = self._runs[at] if at < len(self._runs) else None
        if after is not None and run.last + 1 == after.first and run.reason == after.reason:
            run = _joined(run, after)
            del self._runs[at]
        if before is not None and before.last + 1 == run.first and before.reason == run.reason:
            self._runs[at - 1] = _joined(before, run)
        else:
            self._runs.insert(at, run)

    def forget_through(self, mark: int) -> None:
        """Drop runs the collector is past. A run it is in the middle of stays whole."""
        self._runs = [run for run in self._runs if run.last > mark]

    def within(self, above: int, through: int) -> list[Run]:
        """Runs that hold a sequence in above+1..through, ascending."""
        return [run for run in self._runs if run.last > above and run.first <= through]

    def first_gap(self) -> tuple[int, int] | None:
        """The oldest stretch between two runs, or None if all of them are neighbours."""
        for left, right in pairwise(self._runs):
            if left.last + 1 < right.first:
                return left.last + 1, right.first - 1
        return None

    def holes_between(self, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of first..last that no run covers."""
        holes = []
        at = first
        for run in self.within(first - 1, last):
            if run.first > at:
                holes.append((at, run.first - 1))
            at = max(at, run.last + 1)
        if at <= last:
            holes.append((at, last))
        return holes

    def last(self) -> int:
        """The highest gone sequence, 0 if none."""
        return self._runs[-1].last if self._runs else 0


def _joined(left: Run, right: Run) -> Run:
    return Run(
        left.first,
        right.last,
        left.reason,
        left.heartbeats + right.heartbeats,
        left.samples + right.samples,
        left.changes + right.changes,
    )
