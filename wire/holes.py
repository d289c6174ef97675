"""Whether what a frame says of its holes can be true, whatever is stored already.

A source that contradicts itself has miscounted, and what it declared gone could not be taken back.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from wire.frame import Frame, GoneRange, Lane

_sequence = attrgetter("sequence")


class Fault(NamedTuple):
    """What cannot be. field: its path in the frame. problem: in words of ours, without what the sender wrote."""

    field: str
    problem: str


def fault_of(frame: Frame) -> Fault | None:
    """The first thing that is wrong with epochs, `base` and `gone`, None where they fit each other and the items."""
    if frame.prev_epoch == frame.epoch:
        return Fault("$.prev_epoch", "is the epoch of this frame")
    if (
        frame.base > 1
        and frame.lane is Lane.BACKLOG
        and min(filter(None, map(_sequence, frame.items)), default=frame.base) < frame.base
    ):
        return Fault("$.base", "is the lowest sequence still held, and an item of this frame is below it")
    for place, gone in enumerate(frame.gone):
        if fault := _fault_in(gone):
            return Fault(f"$.gone[{place}].{fault.field}", fault.problem)
    return _fault_between(frame) if frame.gone else None


def _fault_in(gone: GoneRange) -> Fault | None:
    if gone.first < 1:
        return Fault("first", "sequences count from 1")
    if gone.last < gone.first:
        return Fault("last", "is before first")
    if gone.count > gone.last - gone.first + 1:
        return Fault("count", "is more than the range has sequences")
    if 0 < gone.until < gone.since:
        return Fault("until", "is before since")
    return None


def _fault_between(frame: Frame) -> Fault | None:
    """Ranges that overlap, or an item that is said to be gone."""
    order: Sequence[int] = sorted(range(len(frame.gone)), key=lambda place: frame.gone[place].first)
    ranges = [frame.gone[place] for place in order]
    for before, after, place in zip(ranges, ranges[1:], order[1:], strict=False):
        if after.first <= before.last:
            return Fault(f"$.gone[{place}].first", "the range overlaps another one of this frame")
    firsts = [gone.first for gone in ranges]
    for number, item in enumerate(frame.items):
        at = bisect_right(firsts, item.sequence) - 1
        if at >= 0 and item.sequence <= ranges[at].last and frame.lane is Lane.BACKLOG:
            return Fault(f"$.items[{number}].sequence", "the frame declares it gone")
    return None
