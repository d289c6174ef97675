"""Sums of every queue since its ledger began, for counters that never fall: for eyes and pagers, not for a bill.

A session is counted when it is first judged, and once more as answered, with its first response, if the answer came
after that; a correction takes nothing back. What is settled is counted from facts.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

import msgspec

from wire.board import RESPONSE_EDGES_MS, Histogram, Mean, Totals
from wire.verdict import Outcome, ResponseFact, SessionFact, Verdict


class QueueSums(msgspec.Struct):
    """The running sums of one queue; counts are of first responses, by RESPONSE_EDGES_MS."""

    offered: int = 0
    outcomes: dict[str, int] = {}
    short_abandoned: int = 0
    met: int = 0
    judged: int = 0
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(RESPONSE_EDGES_MS) + 1))
    first_response_ms: int = 0
    responses: int = 0
    response_ms: int = 0


class QueueTotals:
    """Sums by queue. `sums` is what the next start needs."""

    def __init__(self, sums: Mapping[str, QueueSums]) -> None:
        self.sums: Final = dict(sums)

    def add_session(self, fact: SessionFact, before: SessionFact | None, *, is_short: bool) -> None:
        """A session was judged, or judged again after `before`. is_short: it was abandoned within the short time."""
        if fact.void or (before is not None and before.outcome == fact.outcome):
            return
        sums = self.sums.setdefault(fact.queue, QueueSums())
        if before is None:
            sums.offered += 1
            sums.judged += fact.verdict is not Verdict.EXCLUDED
            sums.met += fact.verdict is Verdict.MET
        elif fact.outcome is not Outcome.ANSWERED:
            return
        sums.outcomes[fact.outcome] = sums.outcomes.get(fact.outcome, 0) + 1
        sums.short_abandoned += is_short
        if fact.first_response_ms is not None:
            sums.counts[bisect_left(RESPONSE_EDGES_MS, fact.first_response_ms)] += 1
            sums.first_response_ms += fact.first_response_ms

    def add_response(self, fact: ResponseFact, before: ResponseFact | None) -> None:
        """A turn was answered, or said again after `before`."""
        if fact.void or fact.duration_ms is None or (before is not None and before.duration_ms is not None):
            return
        sums = self.sums.setdefault(fact.queue, QueueSums())
        sums.responses += 1
        sums.response_ms += fact.duration_ms

    def offered(self) -> int:
        """Sessions of every queue."""
        return sum(sums.offered for sums in self.sums.values())

    def of_queue(self, queue: str) -> Totals | None:
        """The sums of one queue, None before anything was judged there."""
        sums = self.sums.get(queue)
        if sums is None:
            return None
        return Totals(
            offered=sums.offered,
            answered=sums.outcomes.get(Outcome.ANSWERED, 0),
            abandoned=sums.outcomes.get(Outcome.ABANDONED, 0),
            short_abandoned=sums.short_abandoned,
            unanswered=sums.outcomes.get(Outcome.UNANSWERED, 0),
            excluded=sums.outcomes.get(Outcome.EXCLUDED, 0),
            met=sums.met,
            judged=sums.judged,
            first_response=Histogram(tuple(sums.counts), sums.first_response_ms),
            response=Mean(sums.response_ms, sums.responses),
        )
