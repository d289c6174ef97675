"""What one event does to one conversation: the phase by the table, the leg, the load, and each definition's session."""

from collections.abc import Iterable, Sequence
from typing import Final

from sla_engine._core.context import Context
from sla_engine._core.conversation import (
    CLOSED,
    SIGNAL_BITS,
    TABLE,
    UNKNOWN,
    UNREACHED,
    WHOLE_SESSION,
    Conversation,
    Signal,
    Track,
    fact_key,
)
from sla_engine._core.legs import begin_leg, customer_waits, end_leg, person_replied
from sla_engine._core.limits import NOT_YET
from sla_engine._core.obligation import (
    STARTS,
    STARTS_OUTBOUND,
    begin,
    begin_waiting,
    customer_turn,
    cut_all,
    end,
    move,
    new_track,
    person_came,
    reply,
    resume,
    take_over,
)
from sla_engine._core.rules import AUTHOR_BIT, NO_SLOT
from sla_engine._core.turns import answer_turn, hand_over_turns
from sla_engine._core.unruled import begin_unruled, customer_wrote, end_unruled, person_replied_to
from wire.conversation import Author
from wire.verdict import LegEnd, LoadChange, Why

VOICE_BIT: Final = 1
# Format: bits of our own log of a conversation.
OUTBOUND_BIT: Final = 2
"""Bits of an offer's detail."""

OWN_CHOICE_BIT: Final = 1
# Format: bits of our own log of a conversation.
NOBODY_BIT: Final = 2
ELSEWHERE_BIT: Final = 4
"""Bits of an end's detail: the customer chose it; the source says that nobody was there; it was turned elsewhere.

A turn's detail is the bit number of its author or form.
"""

_HUMAN: Final = AUTHOR_BIT[Author.HUMAN]
_OFFERED: Final = int(Signal.OFFERED)
_QUEUED: Final = int(Signal.QUEUED)
_ACCEPTED: Final = int(Signal.ACCEPTED)
_CUSTOMER_TURN: Final = int(Signal.CUSTOMER_TURN)
_PERSON_TURN: Final = int(Signal.PERSON_TURN)
_PROGRAM_TURN: Final = int(Signal.PROGRAM_TURN)
_LEFT: Final = int(Signal.LEFT)


def fold(
    context: Context, conversation: Conversation, at: int, signal: int, detail: int, account: str, queue: str
) -> bool:
    """Take one event in; its time is not before the last one's. False = illegal in this phase, and nothing moved.

    Its resolution and clock domain are the context's.
    """
    phase = conversation.phase
    following = TABLE[phase << SIGNAL_BITS | signal]
    if following < 0:
        return False
    if context.rules.any_cuts:
        cut_all(context, conversation, at)
    conversation.phase = following
    if phase == UNKNOWN or phase >= CLOSED:
        if following >= CLOSED:  # we wrote after the end, which opens nothing
            _answer_after_end(context, conversation, at, detail, account)
            return True
        _open(context, conversation, at, signal, detail, queue)
    elif queue and not conversation.queue:
        conversation.queue = queue
    if signal == _CUSTOMER_TURN:
        _their_turn(context, conversation, at, detail)
    elif _PERSON_TURN <= signal <= _PROGRAM_TURN:
        _our_turn(context, conversation, at, signal, detail, account)
    elif signal >= _LEFT:  # or closed, the last of the signals
        _end(context, conversation, at, signal, detail)
    elif signal == _OFFERED:
        _offer(context, conversation, at, detail, queue)
    else:
        _move(context, conversation, at, signal, account, queue)
    return True


def tells_first_queue(conversation: Conversation, signal: int) -> bool:
    """Whether an event that names a queue is the first to do so since the conversation was heard of.

    What was folded before it was folded without its queue, and has to be folded anew.
    """
    phase = conversation.phase
    return not conversation.queue and phase != UNKNOWN and TABLE[phase << SIGNAL_BITS | signal] >= 0


def _offer(context: Context, conversation: Conversation, at: int, detail: int, queue: str) -> None:
    """It is offered while it is open: for the first time, if it began otherwise."""
    if queue:
        conversation.queue = queue
    if detail & VOICE_BIT and conversation.called_at == NOT_YET:
        conversation.called_at = at
        customer_waits(conversation)  # on a call from the start, in a chat from the first message
    begin_waiting(context, conversation, at, STARTS_OUTBOUND if detail & OUTBOUND_BIT else STARTS)


def _their_turn(context: Context, conversation: Conversation, at: int, form: int) -> None:
    """The customer wrote. On a call, talk is not turns."""
    if conversation.called_at != NOT_YET:
        return
    customer_waits(conversation)
    rules = context.rules.rules
    for track in conversation.tracks:
        if track.slot >= 0:
            customer_turn(context, conversation, track, rules[track.slot], at, form)
        else:
            customer_wrote(track, at)


def _our_turn(context: Context, conversation: Conversation, at: int, signal: int, author: int, account: str) -> None:
    """Somebody or something of ours wrote; each definition says for itself whether that is a reply."""
    if signal == _PERSON_TURN:
        if context.rules.any_moves:
            person_came(context, conversation, at)
        if not conversation.account:
            _take(context, conversation, account, at, LegEnd.HANDED_OVER)
        person_replied(conversation, account, at)
    rules = context.rules.rules
    for track in conversation.tracks:
        if track.slot >= 0:
            rule = rules[track.slot]
            if rule.reply_mask >> author & 1:
                reply(context, conversation, track, rule, at, account)
        elif author == _HUMAN:
            person_replied_to(track)


def _answer_after_end(context: Context, conversation: Conversation, at: int, author: int, account: str) -> None:
    """E12: where a turn never ends unanswered, who writes after the end still answers it."""
    if not context.rules.any_outlives:
        return
    for track in conversation.tracks:
        if track.slot >= 0 and track.turn_at != NOT_YET and track.state != UNREACHED:
            rule = context.rules.rules[track.slot]
            if rule.reply_mask >> author & 1:
                answer_turn(context, conversation, track, rule, at, account)


def _end(context: Context, conversation: Conversation, at: int, signal: int, detail: int) -> None:
    is_left = detail & OWN_CHOICE_BIT != 0
    nobody = detail & NOBODY_BIT != 0
    unanswered = Why.WENT_ELSEWHERE if detail & ELSEWHERE_BIT else Why.CLOSED_UNANSWERED
    rules = context.rules.rules
    for track in conversation.tracks:
        if track.slot >= 0:
            end(context, conversation, track, rules[track.slot], at, None if is_left else unanswered, nobody=nobody)
        else:
            end_unruled(track)
    _take(context, conversation, "", at, LegEnd.LEFT if signal == _LEFT else LegEnd.CLOSED)
    conversation.owes = 0
    conversation.ended_at = at


def _move(context: Context, conversation: Conversation, at: int, signal: int, account: str, queue: str) -> None:
    """It changes queue or hands."""
    _take(context, conversation, account, at, LegEnd.HANDED_OVER if account else LegEnd.REQUEUED)
    if queue:
        conversation.queue = queue
    if signal == _ACCEPTED:
        if conversation.accepted_at == NOT_YET:
            conversation.accepted_at = at
    elif signal == _QUEUED:
        begin_waiting(context, conversation, at, STARTS)
        for track in conversation.tracks:
            if track.queued_at == NOT_YET:
                track.queued_at = at
    elif account and conversation.assigned_at == NOT_YET:
        conversation.assigned_at = at
    if context.rules.any_moves:
        move(context, conversation, at, signal)


def _open(context: Context, conversation: Conversation, at: int, signal: int, detail: int, queue: str) -> None:
    """A first session, a new one, or the last one going on because the customer came back within its gap."""
    if queue:
        conversation.queue = queue
    if signal == _OFFERED:
        if detail & VOICE_BIT and conversation.called_at == NOT_YET:
            conversation.called_at = at
        how = STARTS_OUTBOUND if detail & OUTBOUND_BIT else STARTS
    else:
        how = detail if signal == _CUSTOMER_TURN else STARTS
    if conversation.called_at != NOT_YET:
        customer_waits(conversation)
    rules = context.rules.rules
    ended_at = conversation.ended_at
    conversation.ended_at = NOT_YET
    before = conversation.tracks
    kept = [track for track in before if track.slot >= 0 and at - ended_at < rules[track.slot].gap_ms]
    for track in kept:
        resume(context, conversation, track, at)
    slots = context.rules.slots(conversation.queue, at, context.rules_known)
    if kept:
        # what has come into force since then waits for its own gap, while others go on
        names = {rules[track.slot].definition.name for track in before if track.slot >= 0}
        slots = tuple(s for s in slots if rules[s].definition.name in names or at - ended_at >= rules[s].gap_ms)
        if len(kept) == len(before) and all(rules[slot].definition.name in names for slot in slots):
            return
    if kept:
        _remember(conversation, [track for track in before if track not in kept])
    elif before:
        _remember(conversation, before)
    session = max([track.session for track in before], default=conversation.life - 1) + 1
    _begin_sessions(context, conversation, kept, slots, session, at, how)


def _begin_sessions(
    context: Context,
    conversation: Conversation,
    kept: list[Track],
    slots: Sequence[int],
    session: int,
    at: int,
    how: int,
) -> None:
    """Session `session` under the definition in each of `slots` that does not go on with a session it had."""
    rules = context.rules.rules
    if kept:
        on = {rules[track.slot].definition.name: track for track in kept}
        fresh = []
        tracks = []
        for slot in slots:
            held = on.pop(rules[slot].definition.name, None)
            if held is None:
                held = new_track(context, conversation, slot, session, at)
                fresh.append(held)
            tracks.append(held)
        tracks += on.values()
    else:
        tracks = fresh = [new_track(context, conversation, slot, session, at) for slot in slots]
    if not tracks:
        tracks = [new_track(context, conversation, NO_SLOT, session, at)]
        begin_unruled(tracks[0], outbound=how == STARTS_OUTBOUND)
    conversation.tracks = tuple(tracks)
    if tracks[0] not in kept:
        conversation.begun_at = at
        conversation.rules_known = context.rules_known
        conversation.leg = 0
        conversation.leg_session = session
    begin(context, conversation, fresh, how)


def _remember(conversation: Conversation, tracks: Iterable[Track]) -> None:
    """Keep how often the facts of finished sessions were said, where it was more than once."""
    for track in tracks:
        if track.emitted > 1:
            if conversation.emissions is None:
                conversation.emissions = {}
            conversation.emissions[fact_key(track.slot, track.session - conversation.life, WHOLE_SESSION)] = (
                track.emitted
            )


def _take(context: Context, conversation: Conversation, account: str, at: int, how: LegEnd) -> None:
    """`account` has it in hands now, "" = nobody: a leg ends, a leg begins."""
    before = conversation.account
    if before == account:
        return
    if before:
        _say_load(context, conversation, before, at, -1)
        end_leg(context, conversation, at, how)
        if context.rules.any_new_turns and how in {LegEnd.HANDED_OVER, LegEnd.REQUEUED}:
            hand_over_turns(context, conversation, at)
    if account:
        _say_load(context, conversation, account, at, 1)
    conversation.account = account
    conversation.assigned_at = NOT_YET
    conversation.accepted_at = NOT_YET
    if account:
        begin_leg(conversation, at)
    take_over(conversation, account, at)


def _say_load(context: Context, conversation: Conversation, account: str, at: int, change: int) -> None:
    ordinal = conversation.ordinal
    conversation.ordinal = ordinal + 1
    session = conversation.tracks[0].session
    context.facts.append(LoadChange(conversation.key, session, ordinal, account, at, change))
