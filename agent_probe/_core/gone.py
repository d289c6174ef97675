"""Sequences of one epoch that will never be sent: what the probe must declare until the collector is past them."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

import msgspec

from agent_probe._core.storage import DropClass
from wire.frame import GoneRange
from wire.record import GapReason

UNKNOWN_CLASS: Final = "unknown"


class Run(msgspec.Struct, array_like=True, frozen=True):
    """What is not held of first..last is gone, all of it for one reason.

    heartbeats, samples, changes: how many events of each class are known to have gone in it; a part that was cut off
    keeps the figures of the whole.
    """

    first: int
    last: int
    reason: GapReason
    heartbeats: int = 0
    samples: int = 0
    changes: int = 0

    @property
    def classes(self) -> str:
        """As the frame says them, e.g. `heartbeat+sample`."""
        counts = {
            DropClass.HEARTBEAT: self.heartbeats,
            DropClass.SAMPLE: self.samples,
            DropClass.CHANGE: self.changes,
        }
        return "+".join(drop_class.name.lower() for drop_class, count in counts.items() if count) or UNKNOWN_CLASS

    def declared(self, first: int, last: int) -> GoneRange:
        """first..last of it, none of which is held, as the frame says it."""
        return GoneRange(first, last, self.classes, last - first + 1, self.reason)


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
    """Disjoint runs in ascending order; neighbours of one reason are one run.

    Where there are too many, runs with held rows between them are one run too (`keep_within`). So the storage says
    what is held, and a run why the rest is not: no row has to go only to keep the list short.
    """

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
        """Take in `run`, whose rows were held until now: it lies between the runs, or all of it in one of them."""
        at = bisect_left(self._runs, run.first + 1, key=lambda other: other.first)
        before = self._runs[at - 1] if at else None
        if before is not None and before.last >= run.first:
            self._runs[at - 1 : at] = _with_part(before, run)
            return
        after = self._runs[at] if at < len(self._runs) else None
        if after is not None and run.last + 1 == after.first and run.reason == after.reason:
            run = _joined(run, after)
            del self._runs[at]
        if before is not None and before.last + 1 == run.first and before.reason == run.reason:
            self._runs[at - 1] = _joined(before, run)
        else:
            self._runs.insert(at, run)

    def keep_within(self, most: int) -> None:
        """Make one run of neighbours of one reason, the oldest first, until there are `most`; of equal classes first.

        Rows held between them stay. One of those that vanishes later is told with the reason of the run.
        """
        for must_match in (True, False):
            excess = len(self._runs) - most
            if excess <= 0:
                return
            kept: list[Run] = []
            for run in self._runs:
                like = kept[-1] if kept and kept[-1].reason == run.reason else None
                if excess > 0 and like is not None and (like.classes == run.classes or not must_match):
                    kept[-1] = _joined(like, run)
                    excess -= 1
                else:
                    kept.append(run)
            self._runs = kept

    def forget_through(self, mark: int) -> None:
        """Drop runs the collector is past. A run it is in the middle of stays whole."""
        self._runs = [run for run in self._runs if run.last > mark]

    def within(self, above: int, through: int) -> list[Run]:
        """Runs that hold a sequence in above+1..through, ascending."""
        return [run for run in self._runs if run.last > above and run.first <= through]

    def declared(self, first: int, last: int, held: Iterable[int]) -> list[GoneRange]:
        """What is gone of first..last, ascending. held: every number of those that is held, ascending."""
        found = []
        kept = [*held, last + 1]
        place = 0
        for run in self.within(first - 1, last):
            at, end = max(run.first, first), min(run.last, last)
            while at <= end:
                while kept[place] < at:
                    place += 1
                if at < kept[place]:
                    found.append(run.declared(at, min(end, kept[place] - 1)))
                at = kept[place] + 1
        return found

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


def _with_part(whole: Run, part: Run) -> list[Run]:
    """`whole`, of which a part that was held went too: for its reason, or for one of its own."""
    if whole.reason == part.reason:
        return [_joined(whole, part)]
    left = msgspec.structs.replace(whole, last=part.first - 1)
    right = msgspec.structs.replace(whole, first=part.last + 1)
    return [run for run in (left, part, right) if run.first <= run.last]


def _joined(left: Run, right: Run) -> Run:
    return Run(
        left.first,
        max(left.last, right.last),
        left.reason,
        left.heartbeats + right.heartbeats,
        left.samples + right.samples,
        left.changes + right.changes,
    )
