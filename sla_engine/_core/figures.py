"""Counts of sessions and turns, and what is computed from counts alone: ratios of sums, means of sums, service levels.

A fact adds the same integers it later takes away, so a higher revision replaces a lower one exactly, in any order.
"""

from typing import Final

import msgspec

from sla_engine._core.choices import ServiceLevelFormula
from wire.board import Figures, Mean, Ratio, ServiceLevel
from wire.verdict import Fact, LegFact, LoadChange, Outcome, SessionFact, Verdict, Why


class Slot:
    """Places of the counters and sums of a tally."""

    ANSWERED: Final = 0
    ABANDONED: Final = 1
    SHORT_ABANDONED: Final = 2
    UNANSWERED: Final = 3
    EXCLUDED: Final = 4
    OPEN: Final = 5
    MET: Final = 6
    JUDGED: Final = 7
    ANSWERED_IN_TIME: Final = 8
    ABANDONED_IN_TIME: Final = 9
    FIRST_TOTAL: Final = 10
    FIRST_COUNT: Final = 11
    SEAT_TOTAL: Final = 12
    SEAT_COUNT: Final = 13
    TURN_TOTAL: Final = 14
    TURN_COUNT: Final = 15
    WAIT_TOTAL: Final = 16
    WAIT_COUNT: Final = 17


SLOTS: Final = 18

Contribution = tuple[tuple[int, int], ...]
"""What one fact adds: (slot, amount) pairs."""

_OUTCOME_SLOT: Final = {
    Outcome.ANSWERED: Slot.ANSWERED,
    Outcome.ABANDONED: Slot.ABANDONED,
    Outcome.UNANSWERED: Slot.UNANSWERED,
    Outcome.EXCLUDED: Slot.EXCLUDED,
}
OPENED: Final[Contribution] = ((Slot.OPEN, 1),)
"""What a session adds while no fact has said how it went."""


class ServiceLevelRule(msgspec.Struct, frozen=True):
    """What figures need to know of a definition. `definition` is its name@hash; the threshold in ms is inclusive."""

    definition: str
    formula: ServiceLevelFormula
    threshold_ms: int


class Tally:
    """The integers of one window of one queue, team, site or client."""

    __slots__ = ("_shown", "slots")

    def __init__(self) -> None:
        self.slots = [0] * SLOTS
        self._shown: tuple[ServiceLevelRule | None, Figures] | None = None

    def apply(self, fact: Fact, rule: ServiceLevelRule) -> None:
        """Add what `fact` says."""
        self.add(contribution(fact, rule))

    def retract(self, fact: Fact, rule: ServiceLevelRule) -> None:
        """Take away exactly what applying `fact` under the same rule added."""
        self.remove(contribution(fact, rule))

    def add(self, amounts: Contribution) -> None:
        """Add a contribution."""
        self._shown = None
        slots = self.slots
        for slot, amount in amounts:
            slots[slot] += amount

    def remove(self, amounts: Contribution) -> None:
        """Take a contribution away."""
        self._shown = None
        slots = self.slots
        for slot, amount in amounts:
            slots[slot] -= amount

    def figures(self, rule: ServiceLevelRule | None) -> Figures:
        """The figures as a board shows them. `rule` names the service level; None where one tile mixes several."""
        if self._shown is None or self._shown[0] != rule:
            self._shown = (rule, figures_of(self.slots, rule))
        return self._shown[1]


def contribution(fact: Fact, rule: ServiceLevelRule) -> Contribution:
    """What `fact` adds to each tally it belongs to: nothing when it is void, a leg or a load change."""
    if isinstance(fact, LoadChange | LegFact) or fact.void:
        return ()
    if isinstance(fact, SessionFact):
        return _session(fact, rule.threshold_ms)
    return () if fact.duration_ms is None else ((Slot.TURN_TOTAL, fact.duration_ms), (Slot.TURN_COUNT, 1))


def answer_wait_ms(fact: SessionFact) -> int | None:
    """How long an answered customer waited in the queue of humans until a person took it, ms.

    Where the source never said when it was queued, the wait is the first response itself.
    """
    if fact.queue_wait_ms is None:
        return fact.first_response_ms
    return fact.queue_wait_ms + (fact.accept_wait_ms or 0)


def _session(fact: SessionFact, threshold_ms: int) -> Contribution:
    amounts = [(_OUTCOME_SLOT[fact.outcome], 1)]
    if fact.verdict is not Verdict.EXCLUDED:
        amounts.append((Slot.JUDGED, 1))
        if fact.verdict is Verdict.MET:
            amounts.append((Slot.MET, 1))
    if fact.outcome is Outcome.ANSWERED:
        if fact.first_response_ms is not None:
            amounts += ((Slot.FIRST_TOTAL, fact.first_response_ms), (Slot.FIRST_COUNT, 1))
        if fact.seat_response_ms is not None:
            amounts += ((Slot.SEAT_TOTAL, fact.seat_response_ms), (Slot.SEAT_COUNT, 1))
        wait = answer_wait_ms(fact)
        if wait is not None:
            amounts += ((Slot.WAIT_TOTAL, wait), (Slot.WAIT_COUNT, 1))
            if wait <= threshold_ms:
                amounts.append((Slot.ANSWERED_IN_TIME, 1))
    elif fact.outcome is Outcome.ABANDONED:
        if fact.why is Why.LEFT_SHORT:
            amounts.append((Slot.SHORT_ABANDONED, 1))
        if fact.ended_at is not None and fact.ended_at - fact.started_at <= threshold_ms:
            amounts.append((Slot.ABANDONED_IN_TIME, 1))
    return tuple(amounts)


def service_level(slots: list[int], formula: ServiceLevelFormula) -> Ratio:
    """One service level from counts. Sessions our side never answered wait in every denominator that counts offers."""
    answered, abandoned, unanswered = slots[Slot.ANSWERED], slots[Slot.ABANDONED], slots[Slot.UNANSWERED]
    answered_in_time, abandoned_in_time = slots[Slot.ANSWERED_IN_TIME], slots[Slot.ABANDONED_IN_TIME]
    offered = answered + abandoned + unanswered
    match formula:
        case ServiceLevelFormula.WITHIN_OF_COMPLETED | ServiceLevelFormula.WITHIN_OF_ANSWERED:
            return Ratio(answered_in_time, answered)
        case ServiceLevelFormula.WITHIN_OR_LEFT_WITHIN_OF_ALL:
            return Ratio(answered_in_time + abandoned_in_time, answered + abandoned)
        case ServiceLevelFormula.REMOVED_WITHIN_OF_QUEUED:
            return Ratio(answered_in_time + abandoned_in_time, offered)
        case ServiceLevelFormula.WITHIN_OF_OFFERED:
            return Ratio(answered_in_time, offered)
        case ServiceLevelFormula.WITHIN_OF_OFFERED_LESS_SHORT:
            return Ratio(answered_in_time, offered - slots[Slot.SHORT_ABANDONED])
        case ServiceLevelFormula.WITHIN_OF_ANSWERED_OR_LEFT_LATE:
            return Ratio(answered_in_time, offered - abandoned_in_time)


def figures_of(slots: list[int], rule: ServiceLevelRule | None) -> Figures:
    """Slots as wire.board.Figures. Offered is everything that began: decided one way, excluded, or still open."""
    return Figures(
        offered=sum(slots[slot] for slot in (Slot.ANSWERED, Slot.ABANDONED, Slot.UNANSWERED, Slot.EXCLUDED, Slot.OPEN)),
        answered=slots[Slot.ANSWERED],
        abandoned=slots[Slot.ABANDONED],
        short_abandoned=slots[Slot.SHORT_ABANDONED],
        unanswered=slots[Slot.UNANSWERED],
        excluded=slots[Slot.EXCLUDED],
        attainment=Ratio(slots[Slot.MET], slots[Slot.JUDGED]),
        first_response=Mean(slots[Slot.FIRST_TOTAL], slots[Slot.FIRST_COUNT]),
        seat_response=Mean(slots[Slot.SEAT_TOTAL], slots[Slot.SEAT_COUNT]),
        average_response=Mean(slots[Slot.TURN_TOTAL], slots[Slot.TURN_COUNT]),
        answer_wait=Mean(slots[Slot.WAIT_TOTAL], slots[Slot.WAIT_COUNT]),
        service_level=None
        if rule is None
        else ServiceLevel(rule.formula, rule.threshold_ms, service_level(slots, rule.formula)),
    )
