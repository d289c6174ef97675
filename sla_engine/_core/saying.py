"""The facts of one session under one definition: what its outcome is called, and what a fact of it carries."""

from typing import Final, NamedTuple

from sla_engine._core.choices import LeftBeforeTarget, NobodyOnline
from sla_engine._core.context import Context
from sla_engine._core.conversation import (
    BEGAN_INSIDE,
    TOLD_NOBODY,
    TURN_SAID,
    TURN_TOLD_NOBODY,
    Conversation,
    Track,
    fact_key,
)
from sla_engine._core.definition import is_short_wait
from sla_engine._core.limits import NOT_YET
from sla_engine._core.rules import Rule
from wire.verdict import Outcome, ResponseFact, SessionFact, Verdict, Why

Judgement = tuple[Outcome, Verdict, Why]


class Wait(NamedTuple):
    """How a wait without a reply ended: at which end of the contact, after how long by the clock, give or take."""

    ended_at: int | None = None
    waited_ms: int | None = None
    skew_bound_ms: int = 0


class TurnEnd(NamedTuple):
    """How the open turn ended at `at`: answered after duration_ms, None = not; has_left: as the customer chose to.

    account: whose it is.
    """

    at: int
    account: str
    duration_ms: int | None
    has_left: bool = False


UNENDED: Final = Wait()

IS_OUTBOUND: Final = (Outcome.EXCLUDED, Verdict.EXCLUDED, Why.OUTBOUND)
OUT_OF_HOURS: Final = (Outcome.EXCLUDED, Verdict.EXCLUDED, Why.ARRIVED_OUT_OF_HOURS)
NEVER_REACHED: Final = (Outcome.EXCLUDED, Verdict.EXCLUDED, Why.NEVER_REACHED_A_PERSON)
_DROPPED: Final = (Outcome.UNANSWERED, Verdict.EXCLUDED, Why.NEVER_ANSWERED_DROPPED)
_LEFT_UNANSWERED: Final = (Outcome.ABANDONED, Verdict.BREACHED, Why.LEFT_UNANSWERED)
_LEFT_SHORT: Final = (Outcome.ABANDONED, Verdict.EXCLUDED, Why.LEFT_SHORT)
_LEFT_IGNORED: Final = (Outcome.ABANDONED, Verdict.EXCLUDED, Why.LEFT_IGNORED)
_LEFT_IN_TIME: Final = (Outcome.ABANDONED, Verdict.MET, Why.LEFT_IN_TIME)
_NOBODY_ONLINE: Final = (Outcome.EXCLUDED, Verdict.EXCLUDED, Why.NOBODY_ONLINE)
_NOT_SERVED: Final = (Outcome.UNANSWERED, Verdict.BREACHED, Why.NOT_SERVED)

_MET: Final = Verdict.MET
_BREACHED: Final = Verdict.BREACHED
_ANSWERED: Final = Outcome.ANSWERED
_IN_TIME: Final = Why.ANSWERED_IN_TIME
_LATE: Final = Why.ANSWERED_LATE
_MISS: Final = NobodyOnline.MISS


def elapsed(context: Context, rule: Rule, start: int, domain: int, end: int) -> tuple[int, int]:
    """From `start`, told in `domain`, to `end`, told by the event at hand: (ms on the definition's clock, bound)."""
    took = rule.clock.elapsed(start, end)
    if rule.estimates and end > start:
        offset, bound = context.skew.between(domain, context.domain)
        return max(0, took + offset), bound
    return took, 0


def credited(conversation: Conversation, rule: Rule, sender: str) -> str:
    """The account a reply by `sender` counts for (E3)."""
    return (conversation.account or sender) if rule.credits_assignee else sender


def never_answered(rule: Rule, why: Why) -> Judgement:
    """A wait that ended without a reply and without the customer's own choice (E10)."""
    return _DROPPED if rule.drops_unanswered else (Outcome.UNANSWERED, _BREACHED, why)


def left(rule: Rule, waited_ms: int, limit_ms: int, *, by_due: bool) -> Judgement:
    """The customer chose to leave after `waited_ms` of a wait that had `limit_ms`, by_due: by its due instant (E11)."""
    match rule.abandons:
        case LeftBeforeTarget.COUNTS:
            return _LEFT_SHORT if is_short_wait(waited_ms, rule.short_abandon_ms) else _LEFT_UNANSWERED
        case LeftBeforeTarget.IGNORE:
            return _LEFT_IGNORED if by_due else _LEFT_UNANSWERED
        case LeftBeforeTarget.IGNORE_ALL:
            return _LEFT_IGNORED
        case LeftBeforeTarget.AS_BREACH:
            return _LEFT_UNANSWERED
        case LeftBeforeTarget.MET_IF_WITHIN:
            return _LEFT_IN_TIME if rule.clock.in_time(waited_ms, limit_ms) else _LEFT_UNANSWERED


def say_answered(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, sender: str) -> None:
    """The first valid reply, by `sender`, to a wait that counts."""
    clock_at = track.clock_at
    clock = rule.clock
    took, bound = at - clock_at, 0
    outcome, verdict, why = _ANSWERED, _MET, _IN_TIME
    outside = False
    nobody = False
    if rule.plain:
        if took > clock.limit_ms:
            verdict, why = _BREACHED, _LATE
        outside = not (clock.open_from <= at < clock.open_until or clock.is_open(at))
    else:
        took, bound, verdict, why, outside = _judged_answer(context, track, rule, at)
    if verdict is _BREACHED or rule.nobody_online is not _MISS:
        (outcome, verdict, why), nobody = _by_presence(context, track, rule, (outcome, verdict, why), at)
    seat_ms = accept_ms = None
    if sender == conversation.account and conversation.assigned_at != NOT_YET:
        seat_ms = at - conversation.assigned_at
        if conversation.accepted_at >= conversation.assigned_at:
            accept_ms = conversation.accepted_at - conversation.assigned_at
    resolution_ms = context.resolution_ms
    queued_at = track.queued_at
    revision = track.emitted
    track.emitted = revision + 1
    context.facts.append(
        SessionFact(
            conversation.key,
            track.session,
            rule.label,
            revision,
            track.queue,
            context.roster.place(credited(conversation, rule, sender), at),
            track.started_at,
            track.due_at,
            max(resolution_ms, track.resolution_ms),
            outcome,
            verdict,
            why,
            took,
            seat_ms,
            _queue_wait(track, at),
            accept_ms,
            None,
            context.index,
            False,  # noqa: FBT003 - by position: twice as fast as by name, for every answer
            conversation.customer,
            clock_at,
            None,
            None if queued_at == NOT_YET else queued_at,
            outside,
            nobody,
            bound,
            conversation.called_at != NOT_YET,
            _answer_wait(conversation, track, at, took),
        )
    )


def _judged_answer(context: Context, track: Track, rule: Rule, at: int) -> tuple[int, int, Verdict, Why, bool]:
    """(ms, how far they may be off, verdict, why, whether it came out of hours) of an answer at `at`, by any rule."""
    clock, clock_at = rule.clock, track.clock_at
    took, bound = elapsed(context, rule, clock_at, track.domain, at)
    if at < clock_at:
        return 0, 0, _MET, Why.ANSWERED_BEFORE_OPENING, False
    outside = track.flags & BEGAN_INSIDE != 0 and not clock.is_open(at)
    if outside and rule.zero_outside:
        return 0, 0, _MET, Why.ANSWERED_OUT_OF_HOURS, outside
    if clock.in_time(took, clock.limit(clock_at)):
        return took, bound, _MET, _IN_TIME, outside
    return took, bound, _BREACHED, _LATE, outside


def say_session(
    context: Context,
    conversation: Conversation,
    track: Track,
    rule: Rule,
    judgement: Judgement,
    at: int,
    wait: Wait = UNENDED,
    *,
    void: bool = False,
) -> None:
    """A session fact without a reply, as things stood at `at`, of whoever had it in hands when it was due."""
    excluded = judgement[0] is Outcome.EXCLUDED
    nobody = False
    if not excluded:
        judgement, nobody = _by_presence(context, track, rule, judgement, at)
    outcome, verdict, why = judgement
    until = min(at, track.due_at)
    revision = track.emitted
    track.emitted = revision + 1
    no_clock = track.clock_at == NOT_YET
    context.facts.append(
        SessionFact(
            conversation=conversation.key,
            session=track.session,
            definition=rule.label,
            revision=revision,
            queue=track.queue,
            place=context.roster.place(track.owner, until),
            started_at=track.started_at,
            due_at=track.started_at + rule.clock.limit_ms if no_clock else track.due_at,
            resolution_ms=track.resolution_ms,
            outcome=outcome,
            verdict=verdict,
            why=why,
            first_response_ms=None,
            seat_response_ms=None,
            queue_wait_ms=_queue_wait(track, until),
            accept_wait_ms=None,
            ended_at=wait.ended_at,
            entry_index=context.index,
            void=void,
            customer=conversation.customer,
            clock_started_at=None if no_clock else track.clock_at,
            waited_ms=wait.waited_ms,
            queued_at=track.queued_at if NOT_YET < track.queued_at <= at else None,
            nobody_online=nobody,
            skew_bound_ms=wait.skew_bound_ms,
            voice=NOT_YET < conversation.called_at <= at,
        )
    )


def say_turn(
    context: Context,
    conversation: Conversation,
    track: Track,
    rule: Rule,
    end: TurnEnd,
    *,
    stays_open: bool = False,
) -> None:
    """The open turn was answered, or ends unanswered, perhaps not for good."""
    revision = 0
    emissions = conversation.emissions
    if emissions or stays_open:
        key = fact_key(track.slot, track.session - conversation.life, track.turn)
        if emissions is None:
            emissions = conversation.emissions = {}
        revision = emissions.get(key, 0)
        if revision or stays_open:
            emissions[key] = revision + 1
        if stays_open:
            track.flags |= TURN_SAID
    verdict, why = _judged_turn(context, conversation, track, rule, end)
    at, account, duration_ms, _ = end
    resolution_ms = track.turn_resolution_ms
    if duration_ms is not None and context.resolution_ms > resolution_ms:
        resolution_ms = context.resolution_ms
    context.facts.append(
        ResponseFact(
            conversation.key,
            track.session,
            track.turn,
            rule.label,
            revision,
            conversation.queue,
            context.roster.place(account, at),
            track.started_at,
            track.turn_at,
            duration_ms,
            context.index,
            False,  # noqa: FBT003 - as above
            conversation.customer,
            verdict,
            resolution_ms,
            why,
        )
    )


def _judged_turn(
    context: Context, conversation: Conversation, track: Track, rule: Rule, end: TurnEnd
) -> tuple[Verdict | None, Why | None]:
    """The verdict on the open turn, and the reason where it is another than its time (E11, E13; semantics 2)."""
    limit_ms = rule.follow_limit_ms if track.turn else 0  # 0 = the session's
    if limit_ms is None:
        return None, None
    clock = rule.clock
    if not limit_ms:
        limit_ms = clock.limit(track.started_at if track.clock_at == NOT_YET else track.clock_at)
    at, _, duration_ms, has_left = end
    outcome, why = Outcome.UNANSWERED, None
    if duration_ms is not None:
        outcome, verdict = _ANSWERED, _MET if clock.in_time(duration_ms, limit_ms) else _BREACHED
    elif has_left and rule.second_semantics:
        waited_ms, _ = elapsed(context, rule, track.turn_at, track.turn_domain, at)
        outcome, verdict, why = left(rule, waited_ms, limit_ms, by_due=waited_ms <= limit_ms)
    else:
        verdict = Verdict.EXCLUDED if rule.drops_unanswered else _BREACHED
    if rule.second_semantics and rule.nobody_online is not _MISS:
        online = context.online
        if track.flags & TURN_TOLD_NOBODY or online.nobody(conversation.queue, min(track.turn_at, at)):
            _, verdict, why = _when_nobody(rule, outcome, verdict) or (outcome, verdict, why)
    return verdict, why


def _by_presence(context: Context, track: Track, rule: Rule, judgement: Judgement, at: int) -> tuple[Judgement, bool]:
    """What it is when nobody was there as the clock started (E13), and whether nobody was, where that matters.

    at: when it was decided. A clock that was to start at a later opening asks who was there by then.
    """
    outcome, verdict, why = judgement
    missed = verdict is _BREACHED or why is Why.NEVER_ANSWERED_DROPPED
    if rule.nobody_online is _MISS and not missed:
        return judgement, False
    if not (track.flags & TOLD_NOBODY or context.online.nobody(track.queue, min(track.clock_at, at))):
        return judgement, False
    return _when_nobody(rule, outcome, verdict) or judgement, True


def _when_nobody(rule: Rule, outcome: Outcome, verdict: Verdict) -> Judgement | None:
    """What it is where nobody was there, None = what it was."""
    if rule.nobody_online is NobodyOnline.LEAVES_METRIC:
        return (_ANSWERED, Verdict.EXCLUDED, Why.NOBODY_ONLINE) if outcome is _ANSWERED else _NOBODY_ONLINE
    if rule.nobody_online is NobodyOnline.NOT_SERVED and not (outcome is _ANSWERED and verdict is _MET):
        return _NOT_SERVED
    return None


def _queue_wait(track: Track, until: int) -> int | None:
    """From the queue of humans, or the start where the source names none, to the first assignment by `until`."""
    assigned_at = track.first_assigned_at
    if assigned_at == NOT_YET or assigned_at > until:
        return None
    return max(0, assigned_at - _waits_since(track))


def _answer_wait(conversation: Conversation, track: Track, at: int, took: int) -> int:
    """The same until who has it at its answer, at `at`, took it; it was offered to others in vain until then (M8).

    A person takes it by accepting, by being assigned where no acceptance is told, or by the answer itself.
    """
    if track.first_assigned_at == NOT_YET:
        return took
    taken_at = at
    if conversation.account:
        taken_at = conversation.accepted_at
        if taken_at == NOT_YET:
            taken_at = conversation.leg_at if conversation.assigned_at == NOT_YET else conversation.assigned_at
    return max(0, taken_at - _waits_since(track))


def _waits_since(track: Track) -> int:
    """Since when a session that somebody has had waited for that."""
    queued_at = track.queued_at
    return queued_at if track.started_at <= queued_at <= track.first_assigned_at else track.started_at
