"""Counts of sessions, turns and legs, and what is computed from them alone: ratios of sums, means, service levels."""

from typing import Final

import msgspec

from sla_engine._core.choices import ServiceLevelFormula, Unit
from sla_engine._core.contributions import NOT_JUDGED_WHY, SLOTS, Contribution, FigureRule, Slot, contribution
from wire.board import Detail, Figures, Mean, Ratio, ServiceLevel
from wire.verdict import Fact, SessionFact

_UNIT_SLOTS: Final = {
    Unit.SESSION: (Slot.MET, Slot.JUDGED),
    Unit.TURN: (Slot.TURNS_MET, Slot.TURNS_JUDGED),
    Unit.PERSON_DAY: (Slot.PEOPLE_MET, Slot.PEOPLE_JUDGED),
}


class Tally(msgspec.Struct):
    """Counters and sums. One person's turns of the window are kept apart, judged and missed: a day is met or not."""

    slots: list[int] = msgspec.field(default_factory=lambda: [0] * SLOTS)
    people: dict[str, tuple[int, int]] = {}
    _shown: tuple[FigureRule | None, Figures] | None = None

    def apply(self, fact: Fact, rule: FigureRule) -> None:
        """Add what `fact` says."""
        self.add(contribution(fact, rule))

    def add(self, given: Contribution) -> None:
        """Add a contribution."""
        self._shown = None
        slots = self.slots
        for slot, amount in given.amounts:
            slots[slot] += amount
        if given.person:
            self._count_person(given, 1)

    def remove(self, given: Contribution) -> None:
        """Take a contribution away."""
        self._shown = None
        slots = self.slots
        for slot, amount in given.amounts:
            slots[slot] -= amount
        if given.person:
            self._count_person(given, -1)

    def figures(self, rule: FigureRule | None) -> Figures:
        """The figures as a board shows them. `rule` names unit and service level; None where one tile mixes several."""
        if self._shown is None or self._shown[0] != rule:
            self._shown = (rule, figures_of(self.slots, rule))
        return self._shown[1]

    def _count_person(self, given: Contribution, change: int) -> None:
        before = self.people.get(given.person, (0, 0))
        after = (before[0] + change, before[1] + change * given.missed)
        for (judged, missed), sign in ((before, -1), (after, 1)):
            self.slots[Slot.PEOPLE_JUDGED] += sign * (judged > 0)
            self.slots[Slot.PEOPLE_MET] += sign * (judged > 0 and missed == 0)
        if after[0]:
            self.people[given.person] = after
        else:
            del self.people[given.person]


def service_level(slots: list[int], formula: ServiceLevelFormula) -> Ratio:
    """One service level from counts. Sessions our side never answered wait in every denominator that counts offers."""
    answered, abandoned, unanswered = slots[Slot.ANSWERED], slots[Slot.ABANDONED], slots[Slot.UNANSWERED]
    answered_in_time, abandoned_in_time = slots[Slot.ANSWERED_IN_TIME], slots[Slot.ABANDONED_IN_TIME]
    offered = answered + abandoned + unanswered
    match formula:
        case ServiceLevelFormula.WITHIN_OF_COMPLETED | ServiceLevelFormula.WITHIN_OF_ANSWERED:
            return Ratio(answered_in_time, answered)
        case ServiceLevelFormula.WITHIN_OR_LEFT_WITHIN_OF_ALL:
            gone_in_time = abandoned_in_time + slots[Slot.TIMED_OUT_IN_TIME]
            return Ratio(answered_in_time + gone_in_time, answered + abandoned + slots[Slot.TIMED_OUT])
        case ServiceLevelFormula.REMOVED_WITHIN_OF_QUEUED:
            return Ratio(answered_in_time + abandoned_in_time + slots[Slot.GIVEN_UP_IN_TIME], offered)
        case ServiceLevelFormula.WITHIN_OF_OFFERED:
            return Ratio(answered_in_time, offered)
        case ServiceLevelFormula.WITHIN_OF_OFFERED_LESS_SHORT:
            return Ratio(answered_in_time, offered - slots[Slot.SHORT_ABANDONED])
        case ServiceLevelFormula.WITHIN_OF_ANSWERED_OR_LEFT_LATE:
            return Ratio(answered_in_time, offered - abandoned_in_time)


def attainment(slots: list[int], unit: Unit | None) -> Ratio:
    """Met of judged in one unit; None: in the only unit anything was judged in, no data where there are several."""
    ratios = [Ratio(slots[met], slots[judged]) for met, judged in _UNIT_SLOTS.values()]
    if unit is not None:
        return ratios[list(_UNIT_SLOTS).index(unit)]
    found = [ratio for ratio in ratios if ratio.whole]
    return found[0] if len(found) == 1 else Ratio(0, 0)


def figures_of(slots: list[int], rule: FigureRule | None) -> Figures:
    """Slots as wire.board.Figures. Offered is everything that began: decided one way, excluded, or still open."""
    return Figures(
        offered=sum(slots[slot] for slot in (Slot.ANSWERED, Slot.ABANDONED, Slot.UNANSWERED, Slot.EXCLUDED, Slot.OPEN)),
        answered=slots[Slot.ANSWERED],
        abandoned=slots[Slot.ABANDONED],
        short_abandoned=slots[Slot.SHORT_ABANDONED],
        unanswered=slots[Slot.UNANSWERED],
        excluded=slots[Slot.EXCLUDED],
        attainment=attainment(slots, None if rule is None else rule.unit),
        first_response=Mean(slots[Slot.FIRST_TOTAL], slots[Slot.FIRST_COUNT]),
        seat_response=Mean(slots[Slot.SEAT_TOTAL], slots[Slot.SEAT_COUNT]),
        average_response=Mean(slots[Slot.TURN_TOTAL], slots[Slot.TURN_COUNT]),
        answer_wait=Mean(slots[Slot.WAIT_TOTAL], slots[Slot.WAIT_COUNT]),
        service_level=None
        if rule is None
        else ServiceLevel(rule.formula, rule.threshold_ms, service_level(slots, rule.formula)),
        detail=_detail(slots),
    )


def _detail(slots: list[int]) -> Detail:
    counts = slots[Slot.NOT_JUDGED : SLOTS]
    return Detail(
        near_limit=slots[Slot.NEAR_IT],
        nobody_online=slots[Slot.NOBODY_ONLINE],
        not_served=slots[Slot.NOT_SERVED],
        answered_out_of_hours=slots[Slot.REPLIED_OUTSIDE],
        not_judged={why.value: count for why, count in zip(NOT_JUDGED_WHY, counts, strict=True) if count},
        unanswered_turns=slots[Slot.UNANSWERED_TURNS],
        queue_wait=Mean(slots[Slot.QUEUE_TOTAL], slots[Slot.QUEUE_COUNT]),
        accept_wait=Mean(slots[Slot.ACCEPT_TOTAL], slots[Slot.ACCEPT_COUNT]),
        reply_wait=Mean(slots[Slot.REPLY_TOTAL], slots[Slot.REPLY_COUNT]),
        bot_time=Mean(slots[Slot.BOT_TOTAL], slots[Slot.BOT_COUNT]),
        transfers=Ratio(slots[Slot.LEGS_PASSED_ON], slots[Slot.LEGS] - slots[Slot.RINGS]),
        unanswered_rings=slots[Slot.RINGS],
        unanswered_legs=Ratio(slots[Slot.LEGS_UNANSWERED], slots[Slot.LEGS] if slots[Slot.LEGS_OWED] else 0),
        voice_handle_time=Mean(slots[Slot.VOICE_TOTAL], slots[Slot.VOICE_COUNT]),
        chat_handle_time=Mean(slots[Slot.CHAT_TOTAL], slots[Slot.CHAT_COUNT]),
        resolution=Mean(slots[Slot.RESOLUTION_TOTAL], slots[Slot.RESOLUTION_COUNT]),
        quality_checked=Ratio(slots[Slot.CHECKED], slots[Slot.CHECKABLE]),
        quality_passed=Ratio(slots[Slot.CHECKS_PASSED], slots[Slot.CHECKED]),
        quality_fatal=slots[Slot.CHECKS_FATAL],
    )


def figures_of_session(fact: SessionFact, rule: FigureRule) -> Figures:
    """What one session adds up to by itself: 1, or a ratio or mean over 1, wherever it is counted."""
    tally = Tally()
    tally.apply(fact, rule)
    return tally.figures(rule)
