"""One first response owed under one definition, from the start of a session to its verdict, and the turns within it.

Verdicts compare event times. An unanswered one is judged when the watermark has passed its due instant, never by a
timer.
"""

from collections.abc import Iterable
from typing import Final

from sla_engine._core.context import Context, schedule, schedule_judgement
from sla_engine._core.conversation import (
    ANSWERED,
    LOST,
    NOT_STARTED,
    OUTBOUND,
    OUTSIDE_WINDOW,
    OWED,
    WHOLE_SESSION,
    Conversation,
    Track,
    fact_key,
)
from sla_engine._core.limits import NOT_YET
from sla_engine._core.rules import rule_of
from wire.limits import INSTANT_MAX_MS
from wire.verdict import Outcome, ResponseFact, SessionFact, Verdict, Why

STARTS: Final = -1
STARTS_OUTBOUND: Final = -2
"""How a session begins, where it is not by a customer's turn."""

_Judgement = tuple[Outcome, Verdict, Why]
_OUTBOUND: Final = (Outcome.EXCLUDED, Verdict.EXCLUDED, Why.OUTBOUND)
_OUT_OF_HOURS: Final = (Outcome.EXCLUDED, Verdict.EXCLUDED, Why.ARRIVED_OUT_OF_HOURS)
_NOT_ANSWERED: Final = (Outcome.UNANSWERED, Verdict.BREACHED, Why.NOT_ANSWERED_WHEN_DUE)
_CLOSED_UNANSWERED: Final = (Outcome.UNANSWERED, Verdict.BREACHED, Why.CLOSED_UNANSWERED)
_LEFT_UNANSWERED: Final = (Outcome.ABANDONED, Verdict.BREACHED, Why.LEFT_UNANSWERED)
_LEFT_SHORT: Final = (Outcome.ABANDONED, Verdict.EXCLUDED, Why.LEFT_SHORT)

_MET: Final = Verdict.MET
_BREACHED: Final = Verdict.BREACHED
_ANSWERED: Final = Outcome.ANSWERED
_IN_TIME: Final = Why.ANSWERED_IN_TIME
_LATE: Final = Why.ANSWERED_LATE


def open_sessions(
    context: Context,
    conversation: Conversation,
    slots: Iterable[int],
    session: int,
    at: int,
    resolution_ms: int,
    how: int,
) -> None:
    """Add session `session`, opened at `at`, under each definition in `slots`.

    How: STARTS, STARTS_OUTBOUND or the bit number of the form the customer used, which only some definitions take for
    an enquiry.
    """
    queue = conversation.queue
    for slot in slots:
        track = Track(slot, session, queue, at, resolution_ms, INSTANT_MAX_MS, NOT_STARTED)
        if conversation.emissions:
            track.emitted = conversation.emissions.get(fact_key(slot, session - conversation.life, WHOLE_SESSION), 0)
        conversation.tracks = (*conversation.tracks, track)
        if how < 0 or rule_of(context.rules, slot).inbound_mask >> how & 1:
            start(context, conversation, track, at, resolution_ms, outbound=how == STARTS_OUTBOUND)


def start(
    context: Context, conversation: Conversation, track: Track, at: int, resolution_ms: int, *, outbound: bool
) -> None:
    """The customer's clock starts."""
    track.started_at = at
    track.resolution_ms = resolution_ms
    track.state = OUTBOUND if outbound else OWED
    if track.slot < 0:
        return
    rule = context.rules.rules[track.slot]
    track.due_at = due_at = at + rule.limit_ms
    if outbound:
        _say_session(context, conversation, track, _OUTBOUND, at, "")
    elif not rule.calendar.is_open(at):
        track.state = OUTSIDE_WINDOW
        _say_session(context, conversation, track, _OUT_OF_HOURS, at, "")
    else:
        schedule(context, conversation, due_at, at + rule.warning_ms)


def customer_turn(
    context: Context, conversation: Conversation, track: Track, at: int, form: int, resolution_ms: int
) -> None:
    """The customer wrote: the first message since the last reply starts the turn."""
    if rule_of(context.rules, track.slot).inbound_mask >> form & 1:
        if track.state == NOT_STARTED:
            start(context, conversation, track, at, resolution_ms, outbound=False)
        if track.turn_at == NOT_YET:
            track.turn_at = at


def reply(
    context: Context, conversation: Conversation, track: Track, at: int, account: str, resolution_ms: int
) -> None:
    """A valid reply: it answers what is owed, and the open turn."""
    sender = account or conversation.account
    if track.state == OWED:
        track.state = ANSWERED
        if track.slot >= 0:
            _say_answered(context, conversation, track, at, sender, resolution_ms)
    if track.turn_at != NOT_YET:
        if track.slot >= 0 and track.state != OUTSIDE_WINDOW:
            _say_turn(context, conversation, track, at - track.turn_at, at, sender)
        track.turn += 1
        track.turn_at = NOT_YET


def end(context: Context, conversation: Conversation, track: Track, at: int, *, left: bool) -> None:
    """The contact ended at `at`; `left` = by the customer's own choice. What is still owed is lost."""
    if track.turn_at != NOT_YET:
        if track.slot >= 0 and track.state != OUTSIDE_WINDOW:
            _say_turn(context, conversation, track, None, at, conversation.account)
        track.turn += 1
        track.turn_at = NOT_YET
    if track.state != OWED:
        return
    track.state = LOST
    if track.slot < 0:
        return
    if not left:
        judgement = _CLOSED_UNANSWERED
    elif at - track.started_at < context.rules.rules[track.slot].short_abandon_ms:
        judgement = _LEFT_SHORT
    else:
        judgement = _LEFT_UNANSWERED
    _say_session(context, conversation, track, judgement, at, track.owner, ended_at=at)


def judge(context: Context, conversation: Conversation, track: Track) -> None:
    """The record is complete past the due instant and holds no reply."""
    track.judged = True
    _say_session(
        context,
        conversation,
        track,
        _NOT_ANSWERED,
        track.due_at,
        track.owner,
    )


def take_over(context: Context, conversation: Conversation, account: str, at: int) -> None:
    """`account` has the conversation in hands from `at` on: a first response that falls due later is that person's."""
    for track in conversation.tracks:
        if track.first_assigned_at == NOT_YET and account:
            track.first_assigned_at = at
        if track.state == OWED and at <= track.due_at:
            track.owner = account
            if track.judged:  # this came in behind the watermark: the miss is another person's
                track.judged = False
                schedule_judgement(context, conversation, track.due_at)


def _say_answered(
    context: Context, conversation: Conversation, track: Track, at: int, sender: str, resolution_ms: int
) -> None:
    started_at = track.started_at
    seat_ms = accept_ms = None
    if sender == conversation.account and conversation.assigned_at != NOT_YET:
        seat_ms = at - conversation.assigned_at
        if conversation.accepted_at != NOT_YET:
            accept_ms = conversation.accepted_at - conversation.assigned_at
    in_time = at <= track.due_at
    revision = track.emitted
    track.emitted = revision + 1
    context.facts.append(
        SessionFact(
            conversation.key,
            track.session,
            context.rules.rules[track.slot].label,
            revision,
            track.queue,
            context.roster.place(sender, at),
            started_at,
            track.due_at,
            max(track.resolution_ms, resolution_ms),
            _ANSWERED,
            _MET if in_time else _BREACHED,
            _IN_TIME if in_time else _LATE,
            at - started_at,
            seat_ms,
            _queue_wait(conversation, track, at),
            accept_ms,
            None,
            context.index,
        )
    )


def _say_session(
    context: Context,
    conversation: Conversation,
    track: Track,
    judgement: _Judgement,
    at: int,
    account: str,
    *,
    ended_at: int | None = None,
) -> None:
    """A session fact without a reply."""
    revision = track.emitted
    track.emitted = revision + 1
    context.facts.append(
        SessionFact(
            conversation=conversation.key,
            session=track.session,
            definition=context.rules.rules[track.slot].label,
            revision=revision,
            queue=track.queue,
            place=context.roster.place(account, min(at, track.due_at)),
            started_at=track.started_at,
            due_at=track.due_at,
            resolution_ms=track.resolution_ms,
            outcome=judgement[0],
            verdict=judgement[1],
            why=judgement[2],
            first_response_ms=None,
            seat_response_ms=None,
            queue_wait_ms=_queue_wait(conversation, track, min(at, track.due_at)),
            accept_wait_ms=None,
            ended_at=ended_at,
            entry_index=context.index,
        )
    )


def _queue_wait(conversation: Conversation, track: Track, until: int) -> int | None:
    """From the queue of humans, or the start where the source names none, to the first assignment by `until`."""
    assigned_at = track.first_assigned_at
    if assigned_at == NOT_YET or assigned_at > until:
        return None
    queued_at = conversation.queued_at
    return assigned_at - (queued_at if track.started_at <= queued_at <= assigned_at else track.started_at)


def _say_turn(
    context: Context, conversation: Conversation, track: Track, duration_ms: int | None, at: int, account: str
) -> None:
    emissions = conversation.emissions
    revision = 0
    if emissions:
        key = fact_key(track.slot, track.session - conversation.life, track.turn)
        revision = emissions.get(key, 0)
        if revision:
            emissions[key] = revision + 1
    context.facts.append(
        ResponseFact(
            conversation.key,
            track.session,
            track.turn,
            context.rules.rules[track.slot].label,
            revision,
            conversation.queue,
            context.roster.place(account, at),
            track.started_at,
            track.turn_at,
            duration_ms,
            context.index,
        )
    )
