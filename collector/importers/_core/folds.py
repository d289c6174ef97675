"""Which of two instants a wall time means that the clock showed twice: what the row's own order and lengths leave."""

from collections.abc import Sequence
from itertools import pairwise, product
from typing import NamedTuple

Candidates = Sequence[int]
"""Instants (ms) that one column can mean, earliest first; none where it is empty."""


class Told(NamedTuple):
    """What a row tells, in the order in which it happens."""

    offered: Candidates
    queue_entry: Candidates
    queue_exit: Candidates
    service_start: Candidates
    service_end: Candidates


class Reading(NamedTuple):
    """One way to read a row; None where it tells no such instant."""

    offered: int | None
    queue_entry: int
    queue_exit: int | None
    service_start: int | None
    service_end: int | None


class Lengths(NamedTuple):
    """What a row states itself in ms, None = nothing. wait_within: by less than this a wait may differ from its times.

    tolerated: by so much an instant may stand before the one it follows.
    """

    wait: int | None
    service: int | None
    wait_within: int
    tolerated: int


def readings(told: Told, lengths: Lengths) -> list[Reading]:
    """The ways to read a row that contradict it least, earliest first; none where all contradict the wait it states.

    A wait that fits to the ms, then the order of instants, then the length of the service decide.
    """
    found = [
        Reading(offered, entry, leaves, start, end)
        for offered, entry, leaves, start, end in product(
            told.offered or (None,),
            told.queue_entry,
            told.queue_exit or (None,),
            told.service_start or (None,),
            told.service_end or (None,),
        )
    ]
    wait = lengths.wait
    if wait is not None and told.queue_exit:
        off = [abs(_waited(each) - wait) for each in found]
        close = 1 if 0 in off else lengths.wait_within
        found = [each for each, by in zip(found, off, strict=True) if by < close]
    found = _least(found, [_disorder(each, lengths) for each in found])
    if lengths.service is None or not told.service_end:
        return found
    return _least(found, [not _fits(each, lengths) for each in found])


def _least(found: list[Reading], faults: Sequence[int]) -> list[Reading]:
    return [each for each, fault in zip(found, faults, strict=True) if fault == min(faults)]


def _waited(reading: Reading) -> int:
    return (reading.queue_exit or 0) - reading.queue_entry


def _left(reading: Reading, lengths: Lengths) -> int | None:
    """When it left the queue: as told, or reckoned from the wait."""
    if reading.queue_exit is None and lengths.wait is not None:
        return reading.queue_entry + lengths.wait
    return reading.queue_exit


def _disorder(reading: Reading, lengths: Lengths) -> int:
    """How many instants stand before the one they follow."""
    order = (*reading[:2], _left(reading, lengths), *reading[3:])
    told = [at for at in order if at is not None]
    return sum(later < earlier - lengths.tolerated for earlier, later in pairwise(told))


def _fits(reading: Reading, lengths: Lengths) -> bool:
    """Whether the service ends as long after it began as the row states."""
    left = _left(reading, lengths)
    begins = reading.service_start if left is None else left
    if begins is None or reading.service_end is None or lengths.service is None:
        return False
    starts = {begins, begins if reading.service_start is None else reading.service_start}
    return any(abs(reading.service_end - at - lengths.service) <= lengths.tolerated for at in starts)
