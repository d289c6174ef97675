"""Numbering by row, sending by time.

A number depends only on the rows before it, so a longer file keeps the numbers of the shorter one. What is sent is put
in order of event time, as far as rows are at most `events_max` events out of place.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Final, NamedTuple

import msgspec

from collector.importers._core import keys
from collector.importers._core.plan import Hole, Outcome
from collector.importers._core.rows import Row
from wire.codec import KIND_OF, encode_body
from wire.frame import GoneRange
from wire.kinds import Kind

NOTHING_TOLD: Final = "nothing_told"
"""The class of what a hole in a log would have held."""
_encode: Final = msgspec.msgpack.Encoder().encode


class Origin(NamedTuple):
    """The row that events come from: the number of its first event, how many it told, and its outcome."""

    first: int
    events: int
    outcome: str


class Numbered(NamedTuple):
    """One event under its number, and the row it comes from. Compared by event time, then number.

    A hole has a number too, under which it is declared gone: kind DATA_GAP, its body a GoneRange.
    """

    occurred_at: int
    sequence: int
    kind: int
    kind_version: int
    body: bytes
    row: int
    origin: Origin


def numbered(rows: Iterable[tuple[int, Row]], after: int = 0) -> Iterator[Numbered]:
    """The events of (row number, row), numbered after + 1, after + 2 ... in the order of the file.

    Under the numbers of a rejected row, nearly always one, its place and reason are quarantined; it stands beside its
    predecessor.
    """
    sequence, at = after, 0
    for number, row in rows:
        if row.outcome == Outcome.REJECTED:
            kept = keys.rejected_row(number, row.reason, row.column)
            origin = Origin(sequence + 1, row.numbers, row.outcome)
            for sequence in range(sequence + 1, sequence + 1 + row.numbers):  # noqa: B020 - counts on
                yield Numbered(at, sequence, Kind.QUARANTINED, 1, kept, number, origin)
            continue
        origin = Origin(sequence + 1, len(row.bodies), row.outcome)
        for body in row.bodies:
            sequence += 1
            at = body.occurred_at
            if isinstance(body, Hole):
                gone = GoneRange(sequence, sequence, NOTHING_TOLD, 0, body.reason, body.since, body.until)
                yield Numbered(at, sequence, Kind.DATA_GAP, 1, _encode(gone), number, origin)
                continue
            kind, kind_version = KIND_OF[type(body)]
            yield Numbered(at, sequence, kind, kind_version, encode_body(body), number, origin)


def by_time(events: Iterable[Numbered], events_max: int) -> Iterator[Numbered]:
    """`events` in order of event time, holding at most `events_max` of them back."""
    held: list[Numbered] = []
    for event in events:
        heappush(held, event)
        if len(held) > events_max:
            yield heappop(held)
    while held:
        yield heappop(held)


class Recent:
    """Whether an id is new among the last `ids_max` different ones."""

    def __init__(self, ids_max: int) -> None:
        self._ids_max = ids_max
        self._seen: OrderedDict[str, None] = OrderedDict()

    def first_seen(self, name: str) -> bool:
        """True the first time, False for an id still remembered."""
        if name in self._seen:
            return False
        self._seen[name] = None
        if len(self._seen) > self._ids_max:
            self._seen.popitem(last=False)
        return True
