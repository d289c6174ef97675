"""A collector reduced to the rules of the record: contiguous marks, declared holes, wanted ranges.

It shares no code with the real one, on purpose.
"""

from dataclasses import dataclass, field

from wire.frame import Ack, Frame, Lane, SequenceRange
from wire.holes import fault_of
from wire.limits import GONE_RANGES_MAX

LEDGER = b"L" * 16


class EquivocationSeen(AssertionError):
    """Two bodies under one key."""


@dataclass
class Stream:
    bodies: dict[int, bytes] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)
    mark: int = 0

    def advance(self) -> None:
        while self.mark + 1 in self.bodies or self.mark + 1 in self.gone:
            self.mark += 1

    def holes(self) -> list[SequenceRange]:
        top = max([*self.bodies, *self.gone, 0])
        found: list[SequenceRange] = []
        for n in range(self.mark + 1, top):
            if n in self.bodies or n in self.gone:
                continue
            if found and found[-1].last == n - 1:
                found[-1] = SequenceRange(found[-1].first, n)
            else:
                found.append(SequenceRange(n, n))
        return found


class CollectorModel:
    def __init__(self) -> None:
        self.streams: dict[bytes, Stream] = {}
        self.prev: dict[bytes, tuple[bytes, int]] = {}
        self.frames = 0

    def receive(self, frame: Frame) -> Ack:
        assert fault_of(frame) is None, "a probe never says what the doors refuse"
        assert frame.lane == Lane.BACKLOG
        assert len(frame.gone) <= GONE_RANGES_MAX
        self.frames += 1
        stream = self.streams.setdefault(frame.epoch, Stream())
        if frame.prev_epoch is not None and frame.prev_last_sequence is not None:
            self.prev[frame.epoch] = (frame.prev_epoch, frame.prev_last_sequence)
        for item in frame.items:
            body = bytes(item.body)
            if stream.bodies.setdefault(item.sequence, body) != body:
                raise EquivocationSeen(item.sequence)
        for gone in frame.gone:
            for n in range(max(gone.first, stream.mark + 1), gone.last + 1):
                if n not in stream.bodies:
                    stream.gone.setdefault(n, gone.reason.value)
        for n in range(stream.mark + 1, frame.base):
            if n not in stream.bodies:
                stream.gone.setdefault(n, "base")
        stream.advance()
        return Ack(LEDGER, frame.epoch, stream.mark, self.frames, stream.holes())
