"""One first response owed under one definition, from the start of a session to its verdict.

Verdicts compare event times. An unanswered one is judged when the watermark has passed its due instant, never by a
timer.
"""

from collections.abc import Iterable
from typing import Final

from sla_engine._core.context import Context, schedule, schedule_closing
from sla_engine._core.conversation import (
    ANSWERED,
    ARRIVAL_STANDS_IN,
    AWAITS_CLOCK,
    BEGAN_INSIDE,
    CUT,
    JUDGED,
    LOST,
    NOT_STARTED,
    OUTBOUND,
    OUTSIDE_ANSWERED,
    OUTSIDE_COUNTED,
    OUTSIDE_WAITING,
    OUTSIDE_WINDOW,
    OWED,
    REPLIED,
    TOLD_NOBODY,
    TURN_SAID,
    TURN_TOLD_NOBODY,
    UNREACHED,
    WHOLE_SESSION,
    Conversation,
    Signal,
    Track,
    fact_key,
)
from sla_engine._core.limits import NOT_YET
from sla_engine._core.rules import Rule
from sla_engine._core.saying import (
    IS_OUTBOUND,
    NEVER_REACHED,
    OUT_OF_HOURS,
    Wait,
    elapsed,
    left,
    never_answered,
    say_answered,
    say_session,
)
from sla_engine._core.turns import answer_turn, begin_turn, cut_turn, lose_turn, open_turn
from wire.limits import INSTANT_MAX_MS
from wire.verdict import Why

STARTS: Final = -1
# Format: a turn's number that no turn has.
STARTS_OUTBOUND: Final = -2
"""How a session begins, where it is not by a customer's turn."""

_UNSTARTED: Final = (NOT_STARTED, AWAITS_CLOCK)
_RUNNING: Final = (OWED, AWAITS_CLOCK, NOT_STARTED)
_TRANSFERS: Final = (int(Signal.TRANSFERRED), int(Signal.HANDED_OVER))


def new_track(context: Context, conversation: Conversation, slot: int, session: int, at: int) -> Track:
    """Session `session` of `conversation`, opened at `at` by the event at hand, under the definition in `slot`."""
    track = Track(
        slot, session, conversation.queue, at, context.resolution_ms, context.domain, INSTANT_MAX_MS, NOT_STARTED
    )
    if conversation.emissions:
        track.emitted = conversation.emissions.get(fact_key(slot, session - conversation.life, WHOLE_SESSION), 0)
    return track


def begin(context: Context, conversation: Conversation, fresh: Iterable[Track], how: int) -> None:
    """Start the sessions just opened, each under its definition.

    How: STARTS, STARTS_OUTBOUND or the bit number of the form the customer used, which only some definitions take for
    an enquiry.
    """
    for track in fresh:
        rule = context.rules.rules[track.slot]
        if how < 0 or rule.inbound_mask >> how & 1:
            _start(context, conversation, track, rule, outbound=how == STARTS_OUTBOUND)


def begin_waiting(context: Context, conversation: Conversation, at: int, how: int) -> None:
    """It was offered or queued: so starts a session that so far was only written to in a form that does not count."""
    for track in conversation.tracks:
        if track.state == NOT_STARTED and track.slot >= 0:
            _start_here(context, conversation, track, at, outbound=how == STARTS_OUTBOUND)


def customer_turn(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, form: int) -> None:
    """The customer wrote: the first message since the last reply starts the turn."""
    if not rule.inbound_mask >> form & 1:
        return
    if track.state == NOT_STARTED:
        _start_here(context, conversation, track, at, outbound=False)
    if track.turn_at == NOT_YET and rule.simple_turns:
        track.turn_at = at
        track.turn_resolution_ms = context.resolution_ms
        track.turn_domain = context.domain
    elif open_turn(context, conversation, track, rule, at, form) and track.state == OWED:
        _restart(context, conversation, track, rule, at)


def reply(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, account: str) -> None:
    """A valid reply: it answers what is owed, and the open turn. A clock that has not started is not answered."""
    sender = account or conversation.account
    state = track.state
    if state == OWED:
        track.state = ANSWERED
        say_answered(context, conversation, track, rule, at, sender)
    elif state in _UNSTARTED:
        return
    elif state == OUTSIDE_WAITING:
        if rule.clock.is_open(at):
            track.state = OUTSIDE_COUNTED
            say_answered(context, conversation, track, rule, at, sender)
        else:
            track.state = OUTSIDE_ANSWERED
    track.flags |= REPLIED
    if track.turn_at != NOT_YET:
        answer_turn(context, conversation, track, rule, at, sender)


def end(
    context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, why: Why | None, *, nobody: bool
) -> None:
    """The contact ended at `at`. What is still owed is lost.

    why: it counts as unanswered then; None = the customer chose to leave. nobody: because nobody was there, as the
    source says.
    """
    if track.state == NOT_STARTED:
        track.first_assigned_at = NOT_YET  # who had it until now is nobody to a session that is still to start
        return
    track.flags &= ~ARRIVAL_STANDS_IN
    if nobody:
        track.flags |= TOLD_NOBODY
    if track.turn_at != NOT_YET:
        if nobody:
            track.flags |= TURN_TOLD_NOBODY
        lose_turn(context, conversation, track, rule, at, stays_open=rule.turns_outlive, has_left=why is None)
    if track.state == AWAITS_CLOCK:
        track.state = UNREACHED
        say_session(context, conversation, track, rule, NEVER_REACHED, at)
    if track.state != OWED:
        return
    track.state = LOST
    waited_ms, bound = elapsed(context, rule, track.clock_at, track.domain, at)
    if why is None:
        limit_ms = rule.clock.limit(track.clock_at)
        by_due = waited_ms <= limit_ms if rule.second_semantics else at <= track.due_at
        judgement = left(rule, waited_ms, limit_ms, by_due=by_due)
    else:
        judgement = never_answered(rule, why)
    say_session(context, conversation, track, rule, judgement, at, Wait(at, waited_ms, bound))


def judge(context: Context, conversation: Conversation, track: Track) -> None:
    """The record is complete past the due instant and holds no reply."""
    rule = context.rules.rules[track.slot]
    track.flags |= JUDGED
    due_at, clock = track.due_at, rule.clock
    is_cut = rule.cuts and due_at < clock.after(track.clock_at, clock.limit(track.clock_at))
    judgement = never_answered(rule, Why.CUT_AT_CLOSE if is_cut else Why.NOT_ANSWERED_WHEN_DUE)
    say_session(context, conversation, track, rule, judgement, due_at)


def judge_past(context: Context, conversation: Conversation, mark: int) -> bool:
    """Say what the record, complete up to `mark`, leaves unanswered. Returns whether there was anything."""
    facts = len(context.facts)
    for track in conversation.tracks:
        if track.slot < 0:
            continue
        if track.state == OWED and track.due_at < mark and not track.flags & JUDGED:
            judge(context, conversation, track)
        if track.turn_at != NOT_YET and context.rules.any_cuts:
            rule = context.rules.rules[track.slot]
            if rule.cuts:
                cut_turn(context, conversation, track, rule, mark - 1, stays_open=True)
    return len(context.facts) > facts


def judge_as_said(context: Context, conversation: Conversation, said: Iterable[Track]) -> None:
    """Say again what was said of the same waits because the record was complete."""
    for track in conversation.tracks:
        for other in said:
            if (track.slot, track.session) != (other.slot, other.session) or track.slot < 0:
                continue
            rule = context.rules.rules[track.slot]
            due = track.state == OWED and track.due_at == other.due_at
            if due and other.flags & JUDGED and not track.flags & JUDGED:
                judge(context, conversation, track)
            same_turn = track.turn_at != NOT_YET and (track.turn, track.turn_at) == (other.turn, other.turn_at)
            if same_turn and rule.cuts and other.flags & TURN_SAID:
                cut_turn(context, conversation, track, rule, INSTANT_MAX_MS, stays_open=True)


def resume(context: Context, conversation: Conversation, track: Track, at: int) -> None:
    """The customer came back within the gap: a wait that was lost goes on, from its first start."""
    if track.state == UNREACHED:
        track.state = AWAITS_CLOCK
    if track.state != LOST:
        return
    rule = context.rules.rules[track.slot]
    closing = rule.clock.closing(track.clock_at)
    if closing is None or at < closing:
        track.state = OWED
        track.flags &= ~JUDGED
        schedule(context, conversation, track)


def take_over(conversation: Conversation, account: str, at: int) -> None:
    """`account` has the conversation in hands from `at` on: a first response that falls due later is that person's."""
    for track in conversation.tracks:
        if track.first_assigned_at == NOT_YET and account:
            track.first_assigned_at = at
        if track.state in _RUNNING and at <= track.due_at:
            track.owner = account


def move(context: Context, conversation: Conversation, at: int, signal: int) -> None:
    """It came into a queue or into somebody's hands: clocks start (E1) or start again (E4)."""
    transfers = signal in _TRANSFERS
    for track in conversation.tracks:
        rule = context.rules.rules[track.slot]
        if track.slot < 0 or not rule.moves:
            continue
        if track.flags & ARRIVAL_STANDS_IN and rule.clock_signals >> signal & 1:
            if signal == Signal.QUEUED:
                _start_later(context, conversation, track, rule, at)
            track.flags &= ~ARRIVAL_STANDS_IN
        if track.state == AWAITS_CLOCK:
            if rule.clock_signals >> signal & 1:
                track.resolution_ms = context.resolution_ms
                track.domain = context.domain
                _start_clock(context, conversation, track, rule, at)
        elif transfers and rule.restarts:
            if track.turn_at != NOT_YET:
                begin_turn(context, conversation, track, rule, at)
            if track.state == OWED:
                _restart(context, conversation, track, rule, at)


def person_came(context: Context, conversation: Conversation, at: int) -> None:
    """A person of ours answers before the signal that starts the clock was told: it started with the session (E1)."""
    for track in conversation.tracks:
        track.flags &= ~ARRIVAL_STANDS_IN
        if track.state == AWAITS_CLOCK:
            rule = context.rules.rules[track.slot]
            _start_clock(context, conversation, track, rule, track.started_at)
            if rule.cuts:
                _cut(context, conversation, track, rule, at)


def cut_all(context: Context, conversation: Conversation, at: int) -> None:
    """E8: where the window has closed by `at` on what was owed, that is over, before anything else of `at` counts."""
    for track in conversation.tracks:
        rule = context.rules.rules[track.slot]
        if track.slot >= 0 and rule.cuts:
            _cut(context, conversation, track, rule, at)


def _cut(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    if track.turn_at != NOT_YET:
        cut_turn(context, conversation, track, rule, at)
    if track.state != OWED:
        return
    closing = rule.clock.closing(track.clock_at)
    if closing is not None and at >= closing:
        if not track.flags & JUDGED:
            judge(context, conversation, track)
        track.state = CUT


def _start_here(context: Context, conversation: Conversation, track: Track, at: int, *, outbound: bool) -> None:
    """The session starts with the event at hand."""
    track.queue = conversation.queue
    track.started_at = at
    track.resolution_ms = context.resolution_ms
    track.domain = context.domain
    _start(context, conversation, track, context.rules.rules[track.slot], outbound=outbound)


def _start(context: Context, conversation: Conversation, track: Track, rule: Rule, *, outbound: bool) -> None:
    """The session has started."""
    at = track.started_at
    if outbound and not rule.judges_outbound:
        track.state = OUTBOUND
        track.due_at = at + rule.clock.limit_ms
        say_session(context, conversation, track, rule, IS_OUTBOUND, at)
    elif not rule.clock_signals:
        _start_clock(context, conversation, track, rule, at)
    elif rule.clock_signals >> Signal.QUEUED & 1 and not conversation.tells_queue:
        if track.first_assigned_at == NOT_YET:
            track.flags |= ARRIVAL_STANDS_IN
        _start_clock(context, conversation, track, rule, at)
    else:
        told = [track.first_assigned_at]
        if rule.clock_signals >> Signal.QUEUED & 1:
            told.append(track.queued_at)
        signal_at = min((instant for instant in told if instant != NOT_YET), default=NOT_YET)
        track.state = AWAITS_CLOCK
        if signal_at != NOT_YET:
            _start_clock(context, conversation, track, rule, max(at, signal_at))


def _start_clock(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    """The customer's clock starts at `at`, where the definition counts that instant (E7)."""
    clock = rule.clock
    is_open = clock.open_from <= at < clock.open_until or clock.is_open(at)
    opening = clock.opening(at) if clock.at_opening else None
    if is_open or opening is not None:
        track.state = OWED
        track.flags |= BEGAN_INSIDE
        _run_clock(context, conversation, track, rule, at if opening is None else opening)
        return
    track.state = OUTSIDE_WAITING if rule.if_inside else OUTSIDE_WINDOW
    _set_clock(context, conversation, track, rule, at)
    track.due_at = at + clock.limit_ms
    say_session(context, conversation, track, rule, OUT_OF_HOURS, at)


def _start_later(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    """The source does tell the queue: what was said for want of that word holds no longer, if nobody has replied."""
    is_outside = track.state in {OUTSIDE_WINDOW, OUTSIDE_WAITING}
    moves = at > track.clock_at if is_outside else track.state == OWED
    if track.flags & REPLIED or not moves:
        return
    if is_outside or track.flags & JUDGED:
        said = OUT_OF_HOURS if is_outside else never_answered(rule, Why.NOT_ANSWERED_WHEN_DUE)
        say_session(context, conversation, track, rule, said, track.due_at, void=True)
    track.flags &= TURN_SAID | TURN_TOLD_NOBODY | TOLD_NOBODY
    track.resolution_ms = context.resolution_ms
    track.domain = context.domain
    _start_clock(context, conversation, track, rule, at)


def _run_clock(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    clock = rule.clock
    _set_clock(context, conversation, track, rule, at)
    track.due_at = at + clock.limit_ms if clock.plain else clock.due_at(at)
    schedule(context, conversation, track)


def _set_clock(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    """A turn that is open since before begins with the clock."""
    track.clock_at = at
    if NOT_YET < track.turn_at < at:
        track.turn_at = at
        track.turn_resolution_ms = track.resolution_ms
        track.turn_domain = track.domain
    if rule.cuts and track.turn_at != NOT_YET:
        schedule_closing(context, conversation, track)


def _restart(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    """The clock of what is owed starts again; what was said of it being due before holds no longer."""
    if track.flags & JUDGED:
        taken_back = never_answered(rule, Why.NOT_ANSWERED_WHEN_DUE)
        say_session(context, conversation, track, rule, taken_back, track.due_at, void=True)
    track.flags &= REPLIED | BEGAN_INSIDE | TURN_SAID | TURN_TOLD_NOBODY | TOLD_NOBODY | ARRIVAL_STANDS_IN
    track.resolution_ms = context.resolution_ms
    track.domain = context.domain
    track.owner = conversation.account
    opening = rule.clock.opening(at) if rule.clock.at_opening else at
    _run_clock(context, conversation, track, rule, at if opening is None else opening)
