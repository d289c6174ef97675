"""Counts of sessions and turns, and what is computed from counts alone: ratios of sums, means of sums, service levels.

A fact adds the same integers it later takes away, so a higher revision replaces a lower one exactly, in any order.
"""

from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from wire.board import Figures, Mean, Ratio, ServiceLevel
from wire.verdict import Fact, Outcome, ResponseFact, SessionFact, Verdict, Why


class Formula(StrEnum):
    """The seven service levels in force in the field (research: domain, M7). X = threshold.

    ANSWERED_OF_ANSWERED: answered <= X / answered, as Asterisk's ServicelevelPerf counts completed calls.
    GONE_OF_FINISHED: (answered <= X + abandoned <= X) / (answered + abandoned), Asterisk's ServicelevelPerf2.
    GONE_OF_OFFERED: left the queue <= X by answer or abandonment / all queued, as Amazon Connect.
    ANSWERED_OF_OFFERED: answered <= X / all offered, shorts included, as Genesys by default.
    ANSWERED_OF_OFFERED_LESS_SHORTS: answered <= X / (offered - short abandons), as Genesys without shorts and Talkdesk.
    ANSWERED_LESS_ABANDONS: answered <= X / answered, as Genesys with abandons left out.
    ANSWERED_OF_SERVED_OR_LATE: answered <= X / (answered + abandoned > X), as XCALLY.
    """

    ANSWERED_OF_ANSWERED = "answered_of_answered"
    GONE_OF_FINISHED = "gone_of_finished"
    GONE_OF_OFFERED = "gone_of_offered"
    ANSWERED_OF_OFFERED = "answered_of_offered"
    ANSWERED_OF_OFFERED_LESS_SHORTS = "answered_of_offered_less_shorts"
    ANSWERED_LESS_ABANDONS = "answered_less_abandons"
    ANSWERED_OF_SERVED_OR_LATE = "answered_of_served_or_late"


class Slot(IntEnum):
    """One counter or sum of a tally."""

    ANSWERED = 0
    ABANDONED = 1
    SHORT_ABANDONED = 2
    UNANSWERED = 3
    EXCLUDED = 4
    OPEN = 5
    MET = 6
    JUDGED = 7
    ANSWERED_IN_TIME = 8
    ABANDONED_IN_TIME = 9
    FIRST_MS = 10
    FIRST_COUNT = 11
    SEAT_MS = 12
    SEAT_COUNT = 13
    TURN_MS = 14
    TURN_COUNT = 15
    WAIT_MS = 16
    WAIT_COUNT = 17


SLOTS: Final = len(Slot)

Contribution = tuple[tuple[int, int], ...]
"""What one fact adds: (slot, amount) pairs."""

# A tally is touched for every fact in eight places; an IntEnum member as an index costs twice a plain integer.
_ANSWERED, _ABANDONED, _SHORT, _UNANSWERED, _EXCLUDED, _OPEN = (int(slot) for slot in list(Slot)[:6])
_OUTCOME_SLOT: Final = {
    Outcome.ANSWERED: _ANSWERED,
    Outcome.ABANDONED: _ABANDONED,
    Outcome.UNANSWERED: _UNANSWERED,
    Outcome.EXCLUDED: _EXCLUDED,
}
OPENED: Final[Contribution] = ((_OPEN, 1),)
"""What a session adds while no fact has said how it went."""


class Rules(msgspec.Struct, frozen=True):
    """What figures need to know of a definition. `definition` is its name@hash; the threshold in ms is inclusive."""

    definition: str
    formula: Formula
    threshold_ms: int


class Tally:
    """The integers of one window of one queue, team, site or client."""

    __slots__ = ("_shown", "slots")

    def __init__(self) -> None:
        self.slots = [0] * SLOTS
        self._shown: tuple[Rules | None, Figures] | None = None

    def apply(self, fact: Fact, rules: Rules) -> None:
        """Add what `fact` says."""
        self.add(contribution(fact, rules))

    def retract(self, fact: Fact, rules: Rules) -> None:
        """Take away exactly what applying `fact` under the same rules added."""
        self.remove(contribution(fact, rules))

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

    def figures(self, rules: Rules | None) -> Figures:
        """The figures as a board shows them. `rules` names the service level; None where one tile mixes several."""
        if self._shown is None or self._shown[0] != rules:
            self._shown = (rules, figures_of(self.slots, rules))
        return self._shown[1]


NO_FIGURES: Final = Figures()


def contribution(fact: Fact, rules: Rules) -> Contribution:
    """What `fact` adds to each tally it belongs to. A load change adds nothing: concurrency is counted elsewhere."""
    if isinstance(fact, SessionFact):
        return _session(fact, rules.threshold_ms)
    if isinstance(fact, ResponseFact) and fact.duration_ms is not None:
        return ((Slot.TURN_MS, fact.duration_ms), (Slot.TURN_COUNT, 1))
    return ()


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
            amounts += ((Slot.FIRST_MS, fact.first_response_ms), (Slot.FIRST_COUNT, 1))
        if fact.seat_response_ms is not None:
            amounts += ((Slot.SEAT_MS, fact.seat_response_ms), (Slot.SEAT_COUNT, 1))
        wait = answer_wait_ms(fact)
        if wait is not None:
            amounts += ((Slot.WAIT_MS, wait), (Slot.WAIT_COUNT, 1))
            if wait <= threshold_ms:
                amounts.append((Slot.ANSWERED_IN_TIME, 1))
    elif fact.outcome is Outcome.ABANDONED:
        if fact.why is Why.LEFT_SHORT:
            amounts.append((_SHORT, 1))
        if fact.ended_at is not None and fact.ended_at - fact.started_at <= threshold_ms:
            amounts.append((Slot.ABANDONED_IN_TIME, 1))
    return tuple(amounts)


def service_level(slots: list[int], formula: Formula) -> Ratio:
    """One service level from counts. Sessions our side never answered wait in every denominator that counts offers."""
    answered, abandoned, unanswered = slots[_ANSWERED], slots[_ABANDONED], slots[_UNANSWERED]
    answered_in_time, abandoned_in_time = slots[Slot.ANSWERED_IN_TIME], slots[Slot.ABANDONED_IN_TIME]
    offered = answered + abandoned + unanswered
    match formula:
        case Formula.ANSWERED_OF_ANSWERED | Formula.ANSWERED_LESS_ABANDONS:
            return Ratio(answered_in_time, answered)
        case Formula.GONE_OF_FINISHED:
            return Ratio(answered_in_time + abandoned_in_time, answered + abandoned)
        case Formula.GONE_OF_OFFERED:
            return Ratio(answered_in_time + abandoned_in_time, offered)
        case Formula.ANSWERED_OF_OFFERED:
            return Ratio(answered_in_time, offered)
        case Formula.ANSWERED_OF_OFFERED_LESS_SHORTS:
            return Ratio(answered_in_time, offered - slots[_SHORT])
        case Formula.ANSWERED_OF_SERVED_OR_LATE:
            return Ratio(answered_in_time, offered - abandoned_in_time)


def figures_of(slots: list[int], rules: Rules | None) -> Figures:
    """Slots as wire.board.Figures. Offered is everything that began: decided one way, excluded, or still open."""
    return Figures(
        offered=sum(slots[slot] for slot in (_ANSWERED, _ABANDONED, _UNANSWERED, _EXCLUDED, _OPEN)),
        answered=slots[_ANSWERED],
        abandoned=slots[_ABANDONED],
        short_abandoned=slots[_SHORT],
        unanswered=slots[_UNANSWERED],
        excluded=slots[_EXCLUDED],
        attainment=Ratio(slots[Slot.MET], slots[Slot.JUDGED]),
        first_response=Mean(slots[Slot.FIRST_MS], slots[Slot.FIRST_COUNT]),
        seat_response=Mean(slots[Slot.SEAT_MS], slots[Slot.SEAT_COUNT]),
        average_response=Mean(slots[Slot.TURN_MS], slots[Slot.TURN_COUNT]),
        answer_wait=Mean(slots[Slot.WAIT_MS], slots[Slot.WAIT_COUNT]),
        service_level=None
        if rules is None
        else ServiceLevel(rules.formula, rules.threshold_ms, service_level(slots, rules.formula)),
    )
