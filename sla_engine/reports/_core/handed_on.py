"""Conversations handed on, as the queue that receives them sees them: a count beside the verdicts, which they leave.

A session stays with the queue it began in (E4). Here each hand-on counts where it arrived: taken after so long, or not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.contributions import FigureRule, is_handed_on
from sla_engine.reports._core.rows import TOTAL, RowKey
from wire.board import Mean, Ratio
from wire.body import Body
from wire.conversation import Closed, CustomerLeft, Offered, Queued, Transferred
from wire.ids import UNASSIGNED
from wire.verdict import LegFact, Place

_NOBODY: Final = Place(UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED)
_OVER: Final = ""


class Visit(NamedTuple):
    """One hand-on where it arrived. at: of the hand-on, ms. leg: in which somebody took it, None = nobody did.

    wait_ms: from the hand-on until then. place: of who took it, or else whose phone rang first.
    """

    queue: str
    place: Place
    at: int
    leg: int | None
    wait_ms: int | None


class HandedOn(msgspec.Struct, frozen=True):
    """What a row received: taken by somebody, or not. wait: from the hand-on until taken, of those taken.

    level: taken within the threshold of the receiving queue's service level / received.
    """

    received: int
    answered: int
    unanswered: int
    wait: Mean
    level: Ratio


class Arrivals:
    """Of conversations that were handed on: where they came afterwards, and when they ended."""

    def __init__(self) -> None:
        self._told: Final[dict[str, list[tuple[int, str]]]] = {}

    def hear(self, body: Body) -> None:
        """Take an event of a conversation in, in the order of the record."""
        match body:
            case Transferred(occurred_at=at, conversation=conversation, queue=queue):
                told = self._told.setdefault(conversation, [])
                if queue:
                    told.append((at, queue))
            case (
                Queued(occurred_at=at, conversation=conversation, queue=queue)
                | Offered(occurred_at=at, conversation=conversation, queue=queue)
            ):
                if conversation in self._told:
                    self._told[conversation].append((at, queue))
            case (
                CustomerLeft(occurred_at=at, conversation=conversation)
                | Closed(occurred_at=at, conversation=conversation)
            ):
                if conversation in self._told:
                    self._told[conversation].append((at, _OVER))
            case _:
                pass

    def after(self, conversation: str, since: int, until: int) -> tuple[str, bool]:
        """The queue it came to first within [since, until] (ms), "" for none, and whether it ended after that."""
        told = sorted(self._told.get(conversation, ()), key=lambda each: each[0])
        came = next((place for place, (at, queue) in enumerate(told) if queue and since <= at <= until), None)
        if came is None:
            return "", any(queue == _OVER and at > since for at, queue in told)
        return told[came][1], any(queue == _OVER for _, queue in told[came:])


def visits(legs: Sequence[LegFact], arrivals: Arrivals, gap_ms: int) -> Iterator[Visit]:
    """The hand-ons of one session. legs: all of it. gap_ms: what comes back later than this is another session."""
    handed_at: int | None = None
    first: LegFact | None = None
    for leg in sorted(legs, key=lambda each: each.leg):
        taken = [at for at in (leg.accepted_at, leg.replied_at) if at is not None]
        if handed_at is not None:
            first = first or leg
            if taken:
                yield Visit(first.queue, leg.place, handed_at, leg.leg, max(min(taken) - handed_at, 0))
                handed_at = first = None
        if is_handed_on(leg):
            if handed_at is not None and first is not None:
                yield Visit(first.queue, first.place, handed_at, None, None)
            handed_at, first = leg.ended_at, None
    if handed_at is not None:
        came_to, is_over = arrivals.after(legs[0].conversation, handed_at, handed_at + gap_ms)
        queue = came_to if first is None else first.queue
        if queue and is_over:  # what goes on may be in hands by now
            yield Visit(queue, _NOBODY if first is None else first.place, handed_at, None, None)


class Received:
    """Visits by row."""

    def __init__(self) -> None:
        self._sums: Final[defaultdict[RowKey, list[int]]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, row: RowKey, visit: Visit, rule: FigureRule) -> None:
        """Count a visit in a row, and in the total. rule: of the queue it came to."""
        for key in (row, TOTAL):
            sums = self._sums[key]
            sums[0] += 1
            if visit.wait_ms is not None:
                sums[1] += 1
                sums[2] += visit.wait_ms
                sums[3] += rule.within(visit.wait_ms, rule.threshold_ms)

    def of(self, row: RowKey) -> HandedOn:
        """What a row received."""
        received, answered, wait_ms, within = self._sums.get(row, (0, 0, 0, 0))
        return HandedOn(received, answered, received - answered, Mean(wait_ms, answered), Ratio(within, received))


def arrivals_of(bodies: Iterable[Body]) -> Arrivals:
    """Those of a few conversations, from what was told of them."""
    found = Arrivals()
    for body in bodies:
        found.hear(body)
    return found
