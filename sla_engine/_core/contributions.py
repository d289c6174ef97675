"""What one fact counts for, under its definition: (slot, amount) pairs, told by a `FigureRule`.

A fact adds the same integers it later takes away, so a higher revision replaces a lower one exactly, in any order.

Format: places in our own kept totals.
"""

from typing import Final, NamedTuple

import msgspec

from sla_engine._core.calendar import Calendar
from sla_engine._core.choices import Boundary, NeverAnswered, ServiceLevelFormula, Unit
from sla_engine._core.definition import Definition, is_short_wait
from wire.verdict import Fact, LegEnd, LegFact, LoadChange, Outcome, ResponseFact, SessionFact, Verdict, Why


class Slot:
    """Places of the counters and sums of a tally. Sums are ms, each beside the number of values in it."""

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
    TURNS_MET: Final = 18
    TURNS_JUDGED: Final = 19
    PEOPLE_MET: Final = 20
    PEOPLE_JUDGED: Final = 21
    NEAR_IT: Final = 22
    NOBODY_ONLINE: Final = 23
    NOT_SERVED: Final = 24
    REPLIED_OUTSIDE: Final = 25
    UNANSWERED_TURNS: Final = 26
    QUEUE_TOTAL: Final = 27
    QUEUE_COUNT: Final = 28
    ACCEPT_TOTAL: Final = 29
    ACCEPT_COUNT: Final = 30
    REPLY_TOTAL: Final = 31
    REPLY_COUNT: Final = 32
    BOT_TOTAL: Final = 33
    BOT_COUNT: Final = 34
    LEGS: Final = 35
    LEGS_PASSED_ON: Final = 36
    LEGS_UNANSWERED: Final = 37
    VOICE_TOTAL: Final = 38
    VOICE_COUNT: Final = 39
    CHAT_TOTAL: Final = 40
    CHAT_COUNT: Final = 41
    RESOLUTION_TOTAL: Final = 42
    RESOLUTION_COUNT: Final = 43
    CHECKABLE: Final = 44
    CHECKED: Final = 45
    CHECKS_PASSED: Final = 46
    CHECKS_FATAL: Final = 47
    GIVEN_UP_IN_TIME: Final = 48
    TIMED_OUT: Final = 49
    TIMED_OUT_IN_TIME: Final = 50
    RINGS: Final = 51
    LEGS_OWED: Final = 52
    NOT_JUDGED: Final = 53
    """The first of as many places as NOT_JUDGED_WHY has reasons."""


NOT_JUDGED_WHY: Final = tuple(Why)
"""Why a session is neither met nor missed; each is counted by itself."""

SLOTS: Final = Slot.NOT_JUDGED + len(NOT_JUDGED_WHY)

Amounts = tuple[tuple[int, int], ...]
"""(slot, amount) pairs."""


class Contribution(NamedTuple):
    """What one fact adds.

    person: whose day one judged turn belongs to, where people's days are counted, else "". missed: that turn was.
    """

    amounts: Amounts
    person: str = ""
    missed: bool = False


NOTHING: Final = Contribution(())
OPENED: Final = Contribution(((Slot.OPEN, 1),))
"""What a session adds while no fact has said how it went."""

_OUTCOME_SLOT: Final = {
    Outcome.ANSWERED: Slot.ANSWERED,
    Outcome.ABANDONED: Slot.ABANDONED,
    Outcome.UNANSWERED: Slot.UNANSWERED,
    Outcome.EXCLUDED: Slot.EXCLUDED,
}
_NOT_JUDGED_SLOT: Final = {why: Slot.NOT_JUDGED + number for number, why in enumerate(NOT_JUDGED_WHY)}
_PASSED_ON: Final = frozenset({LegEnd.HANDED_OVER, LegEnd.REQUEUED})


class FigureRule(msgspec.Struct, frozen=True):
    """What figures need to know of a definition. `definition` is its label as facts carry it; durations are ms.

    cap_ms: with E10 `capped`, what an unanswered session or turn counts in a mean and the most any one counts; None
    otherwise. calendar: knows the limit of a session by its start. turn_limit_ms: of later turns, None = the session's.
    """

    definition: str
    unit: Unit
    cap_ms: int | None
    short_abandon_ms: int
    formula: ServiceLevelFormula
    threshold_ms: int
    boundary: Boundary
    calendar: Calendar
    turn_limit_ms: int | None

    def within(self, duration_ms: int, bound_ms: int) -> bool:
        """Whether a duration keeps a bound, by the definition's own reading of "within" (E16)."""
        return duration_ms <= bound_ms if self.boundary is Boundary.AT_MOST else duration_ms < bound_ms

    def capped(self, duration_ms: int) -> int:
        """What a duration counts in a mean."""
        return duration_ms if self.cap_ms is None else min(duration_ms, self.cap_ms)


def figure_rule(definition: Definition, label: str) -> FigureRule:
    """The rule of a definition whose facts carry `label`."""
    return FigureRule(
        definition=label,
        unit=definition.unit,
        cap_ms=definition.unanswered_cap_ms if definition.never_answered is NeverAnswered.CAPPED else None,
        short_abandon_ms=definition.short_abandon_ms,
        formula=definition.service_level_formula,
        threshold_ms=definition.service_level_threshold_ms,
        boundary=definition.boundary,
        calendar=Calendar(definition),
        turn_limit_ms=definition.next_response_limit_ms,
    )


def contribution(fact: Fact, rule: FigureRule) -> Contribution:
    """What `fact` adds to each tally it belongs to: nothing when it is void or a load change.

    A leg adds the same under every rule.
    """
    if isinstance(fact, LoadChange) or fact.void:
        return NOTHING
    if isinstance(fact, SessionFact):
        return Contribution(_session(fact, rule))
    if isinstance(fact, LegFact):
        return Contribution(_leg(fact))
    return _turn(fact, rule)


def queue_time_ms(fact: SessionFact) -> int | None:
    """How long a customer waited by the clock of the service level, ms: until taken, or out of the queue unanswered.

    None where neither has happened, and of what counts in no service level.
    """
    if fact.outcome is Outcome.ANSWERED:
        return fact.answer_wait_ms
    if fact.outcome is Outcome.EXCLUDED or fact.ended_at is None:
        return None
    return fact.ended_at - (fact.started_at if fact.queued_at is None else fact.queued_at)


def left_after_ms(fact: SessionFact) -> int | None:
    """How long a customer who left had waited by the definition's clock, ms."""
    if fact.waited_ms is not None or fact.ended_at is None:
        return fact.waited_ms
    return fact.ended_at - fact.started_at  # said before facts carried the wait; nothing but the plain clock existed


def is_short(fact: SessionFact, rule: FigureRule) -> bool:
    """Whether the customer left so soon that it is in a count of its own, whichever way leaving counts (E11)."""
    waited = left_after_ms(fact) if fact.outcome is Outcome.ABANDONED else None
    return waited is not None and is_short_wait(waited, rule.short_abandon_ms)


def _session(fact: SessionFact, rule: FigureRule) -> Amounts:
    amounts = [(_OUTCOME_SLOT[fact.outcome], 1)]
    if fact.verdict is Verdict.EXCLUDED:
        amounts.append((_NOT_JUDGED_SLOT[fact.why], 1))
    elif rule.unit is Unit.SESSION:
        amounts.append((Slot.JUDGED, 1))
        if fact.verdict is Verdict.MET:
            amounts.append((Slot.MET, 1))
    if fact.outcome is Outcome.ANSWERED:
        _answered(fact, rule, amounts)
    elif fact.outcome is Outcome.ABANDONED:
        _abandoned(fact, rule, amounts)
    elif fact.outcome is Outcome.UNANSWERED:
        if rule.cap_ms is not None and fact.verdict is not Verdict.EXCLUDED:
            amounts += ((Slot.FIRST_TOTAL, rule.cap_ms), (Slot.FIRST_COUNT, 1))
        _given_up(fact, rule, amounts)
    if fact.nobody_online:
        amounts.append((Slot.NOBODY_ONLINE, 1))
    if fact.why is Why.NOT_SERVED:
        amounts.append((Slot.NOT_SERVED, 1))
    if fact.queued_at is not None and fact.queued_at > fact.started_at:
        amounts += ((Slot.BOT_TOTAL, fact.queued_at - fact.started_at), (Slot.BOT_COUNT, 1))
    return tuple(amounts)


def _answered(fact: SessionFact, rule: FigureRule, amounts: list[tuple[int, int]]) -> None:
    response, seat = fact.first_response_ms, fact.seat_response_ms
    if response is not None:
        amounts += ((Slot.FIRST_TOTAL, rule.capped(response)), (Slot.FIRST_COUNT, 1))
        if _is_near(fact, response, rule):
            amounts.append((Slot.NEAR_IT, 1))
    if seat is not None:
        amounts += ((Slot.SEAT_TOTAL, rule.capped(seat)), (Slot.SEAT_COUNT, 1))
    wait, accept = fact.answer_wait_ms, fact.accept_wait_ms
    if wait is not None:
        amounts += ((Slot.WAIT_TOTAL, wait), (Slot.WAIT_COUNT, 1))
        if rule.within(wait, rule.threshold_ms):
            amounts.append((Slot.ANSWERED_IN_TIME, 1))
        if fact.queue_wait_ms is not None:  # somebody had it: what it was offered to others in vain is queue, too
            amounts += ((Slot.QUEUE_TOTAL, max(0, wait - (accept or 0))), (Slot.QUEUE_COUNT, 1))
    if fact.answered_out_of_hours:
        amounts.append((Slot.REPLIED_OUTSIDE, 1))
    if accept is not None:
        amounts += ((Slot.ACCEPT_TOTAL, accept), (Slot.ACCEPT_COUNT, 1))
        if seat is not None:
            amounts += ((Slot.REPLY_TOTAL, seat - accept), (Slot.REPLY_COUNT, 1))


def _abandoned(fact: SessionFact, rule: FigureRule, amounts: list[tuple[int, int]]) -> None:
    waited = left_after_ms(fact)
    if is_short(fact, rule):
        amounts.append((Slot.SHORT_ABANDONED, 1))
    if waited is not None and _is_near(fact, waited, rule):
        amounts.append((Slot.NEAR_IT, 1))
    if _ended_in_time(fact, rule):
        amounts.append((Slot.ABANDONED_IN_TIME, 1))


def _given_up(fact: SessionFact, rule: FigureRule, amounts: list[tuple[int, int]]) -> None:
    """Nobody answered, and the customer did not choose to leave; if it ended at all, in time or not, where it went."""
    timed_out = fact.ended_at is not None and fact.why is not Why.WENT_ELSEWHERE
    if timed_out:
        amounts.append((Slot.TIMED_OUT, 1))
    if _ended_in_time(fact, rule):
        amounts += ((Slot.GIVEN_UP_IN_TIME, 1), (Slot.TIMED_OUT_IN_TIME, int(timed_out)))


def _ended_in_time(fact: SessionFact, rule: FigureRule) -> bool:
    """Whether a contact that nobody answered was out of the queue within the threshold of the service level."""
    waited = queue_time_ms(fact)
    return waited is not None and rule.within(waited, rule.threshold_ms)


def limit_in_force_ms(fact: SessionFact, rule: FigureRule) -> int:
    """The first response limit that a session is judged by: a special day's own, or the usual one."""
    return rule.calendar.limit_of(fact.started_at if fact.clock_started_at is None else fact.clock_started_at)


def _is_near(fact: SessionFact, elapsed_ms: int, rule: FigureRule) -> bool:
    """Whether a judged session lies so near its limit that its source's clock could have tipped it (E16)."""
    if rule.unit is not Unit.SESSION or fact.verdict is Verdict.EXCLUDED:
        return False
    return abs(elapsed_ms - limit_in_force_ms(fact, rule)) < fact.resolution_ms


def _turn(fact: ResponseFact, rule: FigureRule) -> Contribution:
    amounts: list[tuple[int, int]] = []
    duration = fact.duration_ms
    judged = fact.verdict is Verdict.MET or fact.verdict is Verdict.BREACHED
    if duration is not None:
        amounts += ((Slot.TURN_TOTAL, rule.capped(duration)), (Slot.TURN_COUNT, 1))
        limit = rule.turn_limit_ms if fact.turn else None
        if limit is None:
            limit = rule.calendar.limit_of(fact.session_started_at if fact.turn else fact.started_at)
        if judged and rule.unit is not Unit.SESSION:
            amounts.append((Slot.NEAR_IT, int(abs(duration - limit) < fact.resolution_ms)))
    else:
        amounts.append((Slot.UNANSWERED_TURNS, 1))
        if rule.cap_ms is not None and fact.verdict is not Verdict.EXCLUDED:
            amounts += ((Slot.TURN_TOTAL, rule.cap_ms), (Slot.TURN_COUNT, 1))
    if judged and rule.unit is Unit.TURN:
        amounts += ((Slot.TURNS_JUDGED, 1), (Slot.TURNS_MET, int(fact.verdict is Verdict.MET)))
    if judged and rule.unit is Unit.PERSON_DAY:
        # a customer nobody named is one person per conversation
        person = fact.customer or f"~{fact.conversation}"
        return Contribution(tuple(amounts), person, fact.verdict is Verdict.BREACHED)
    return Contribution(tuple(amounts))


def is_handed_on(fact: LegFact) -> bool:
    """Whether whoever had it passed it on. A phone that nobody picked up held no call that could be."""
    return not _rang_in_vain(fact) and fact.end in _PASSED_ON


def _rang_in_vain(fact: LegFact) -> bool:
    return fact.voice and fact.accepted_at is None and fact.replied_at is None


def _leg(fact: LegFact) -> Amounts:
    amounts = [(Slot.LEGS, 1)]
    if _rang_in_vain(fact):
        amounts.append((Slot.RINGS, 1))
    elif is_handed_on(fact):
        amounts.append((Slot.LEGS_PASSED_ON, 1))
    if fact.was_owed:
        amounts.append((Slot.LEGS_OWED, 1))
        if fact.replied_at is None:
            amounts.append((Slot.LEGS_UNANSWERED, 1))
    if fact.replied_at is not None:
        if fact.voice:
            amounts += ((Slot.VOICE_TOTAL, fact.ended_at - fact.replied_at), (Slot.VOICE_COUNT, 1))
        else:
            began = fact.started_at if fact.accepted_at is None else fact.accepted_at
            amounts += ((Slot.CHAT_TOTAL, fact.ended_at - began), (Slot.CHAT_COUNT, 1))
    if fact.closes and fact.end is LegEnd.CLOSED:
        amounts += ((Slot.RESOLUTION_TOTAL, fact.ended_at - fact.session_started_at), (Slot.RESOLUTION_COUNT, 1))
    return tuple(amounts)
