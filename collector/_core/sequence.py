"""How far a stream has come: the contiguous mark, and what is already there beyond it, as spans."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from wire.frame import Frame, Lane, SequenceRange
from wire.limits import GONE_RANGES_MAX, SEQUENCE_MAX

Span = tuple[int, int]
"""first..last, both included."""


class StreamView(NamedTuple):
    """What is known of one stream (source, epoch).

    mark: highest n such that 1..n are all durable or declared gone; 0 at the start. Snapshot lane: the highest seen.
    beyond: spans above mark + 1 that are durable or declared gone, ascending, never touching.
    """

    mark: int = 0
    beyond: tuple[Span, ...] = ()


def view_of(mark: int, sequences: Iterable[int]) -> StreamView:
    """The view a ledger remembers: its mark, and single durable sequences above it in any order."""
    progress = Progress(StreamView(mark))
    for sequence in sorted(sequences):
        progress.add(sequence, sequence)
    return progress.view()


class Progress:
    """A StreamView being moved forward. It only ever grows."""

    __slots__ = ("_spans", "mark")

    def __init__(self, view: StreamView) -> None:
        self.mark = view.mark
        self._spans = list(view.beyond)

    @property
    def holes(self) -> int:
        """How many holes lie between the mark and the highest sequence known."""
        return len(self._spans)

    def view(self) -> StreamView:
        """The view reached."""
        return StreamView(self.mark, tuple(self._spans))

    def has(self, sequence: int) -> bool:
        """Whether `sequence` is settled: durable, or declared gone."""
        if sequence <= self.mark:
            return True
        place = bisect_right(self._spans, (sequence, SEQUENCE_MAX)) - 1
        return place >= 0 and sequence <= self._spans[place][1]

    def add(self, first: int, last: int) -> None:
        """Settle first..last."""
        first = max(first, self.mark + 1)
        if first > last:
            return
        spans = self._spans
        low = bisect_right(spans, (first, SEQUENCE_MAX))
        if low > 0 and spans[low - 1][1] >= first - 1:
            low -= 1
            first = spans[low][0]
        high = low
        while high < len(spans) and spans[high][0] <= last + 1:
            last = max(last, spans[high][1])
            high += 1
        if first == self.mark + 1:
            self.mark = last
            del spans[:high]
        else:
            spans[low:high] = [(first, last)]

    def missing(self, first: int, last: int) -> Iterator[Span]:
        """The parts of first..last that are not settled, ascending."""
        first = max(first, self.mark + 1)
        low = max(bisect_right(self._spans, (first, SEQUENCE_MAX)) - 1, 0)
        for start, end in islice(self._spans, low, None):
            if end < first:
                continue
            if start > last:
                break
            if start > first:
                yield first, start - 1
            first = end + 1
        if first <= last:
            yield first, last

    def undeclared(self) -> Iterator[Span]:
        """The holes between the mark and the highest sequence known: still waited for."""
        if self._spans:
            yield from self.missing(self.mark + 1, self._spans[-1][1])


def lowest(holes: Iterable[Span]) -> list[SequenceRange]:
    """As many holes as one acknowledgement may name."""
    return [SequenceRange(*hole) for hole in islice(holes, GONE_RANGES_MAX)]


def prev_wanted(frame: Frame, previous: StreamView | None) -> list[SequenceRange]:
    """The lowest holes of the epoch before. That declares nothing: its rows may still come, or be declared gone."""
    if frame.lane is not Lane.BACKLOG or frame.prev_epoch is None or frame.prev_last_sequence is None:
        return []
    return lowest(Progress(previous or StreamView()).missing(1, frame.prev_last_sequence))
