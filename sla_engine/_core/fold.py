"""What one event does to one conversation: the phase by the table, the leg, the load, and each definition's session."""

from typing import Final

from sla_engine._core.context import Context, schedule
from sla_engine._core.conversation import (
    CLOSED,
    LOST,
    OWED,
    SIGNAL_BITS,
    TABLE,
    UNKNOWN,
    WHOLE_SESSION,
    Conversation,
    Signal,
    Track,
    fact_key,
)
from sla_engine._core.limits import NOT_YET
from sla_engine._core.obligation import STARTS, STARTS_OUTBOUND, customer_turn, end, open_sessions, reply, take_over
from sla_engine._core.rules import NO_SLOT, rule_of
from wire.verdict import LoadChange

VOICE_BIT: Final = 1
OUTBOUND_BIT: Final = 2
"""Bits of an offer's detail.

A turn's detail is the bit number of its author or form, an end's is 1 by the customer's choice.
"""

_OFFERED: Final = int(Signal.OFFERED)
_QUEUED: Final = int(Signal.QUEUED)
_ACCEPTED: Final = int(Signal.ACCEPTED)
_CUSTOMER_TURN: Final = int(Signal.CUSTOMER_TURN)
_PERSON_TURN: Final = int(Signal.PERSON_TURN)
_PROGRAM_TURN: Final = int(Signal.PROGRAM_TURN)
_LEFT: Final = int(Signal.LEFT)


def fold(
    context: Context,
    conversation: Conversation,
    at: int,
    signal: int,
    detail: int,
    account: str,
    queue: str,
    resolution_ms: int,
) -> bool:
    """Take one event in; its time is not before the last one's. False = illegal in this phase, and nothing moved."""
    phase = conversation.phase
    following = TABLE[phase << SIGNAL_BITS | signal]
    if following < 0:
        return False
    conversation.phase = following
    if phase == UNKNOWN or phase >= CLOSED:
        if following >= CLOSED:  # we wrote after the end, which opens nothing
            return True
        _open(context, conversation, at, signal, detail, queue, resolution_ms)
    elif queue and not conversation.queue:
        _learn_queue(context, conversation, queue, signal, detail)
    if signal == _CUSTOMER_TURN:
        _their_turn(context, conversation, at, detail, resolution_ms)
    elif _PERSON_TURN <= signal <= _PROGRAM_TURN:
        _our_turn(context, conversation, at, signal, detail, account, resolution_ms)
    elif signal >= _LEFT:  # or closed, the last of the signals
        _end(context, conversation, at, left=detail == 1)
    elif signal == _OFFERED:
        conversation.voice = detail & VOICE_BIT != 0
    else:
        _move(context, conversation, at, signal, account, queue)
    return True


def _their_turn(context: Context, conversation: Conversation, at: int, form: int, resolution_ms: int) -> None:
    """The customer wrote. On a call, talk is not turns."""
    if not conversation.voice:
        for track in conversation.tracks:
            customer_turn(context, conversation, track, at, form, resolution_ms)


def _our_turn(
    context: Context, conversation: Conversation, at: int, signal: int, author: int, account: str, resolution_ms: int
) -> None:
    """Somebody or something of ours wrote; each definition says for itself whether that is a reply."""
    if signal == _PERSON_TURN and not conversation.account:
        _take(context, conversation, account, at)
    for track in conversation.tracks:
        if rule_of(context.rules, track.slot).reply_mask >> author & 1:
            reply(context, conversation, track, at, account, resolution_ms)


def _end(context: Context, conversation: Conversation, at: int, *, left: bool) -> None:
    for track in conversation.tracks:
        end(context, conversation, track, at, left=left)
    _take(context, conversation, "", at)
    conversation.ended_at = at


def _move(context: Context, conversation: Conversation, at: int, signal: int, account: str, queue: str) -> None:
    """It changes queue or hands."""
    if queue:
        conversation.queue = queue
    _take(context, conversation, account, at)
    if signal == _ACCEPTED:
        if conversation.accepted_at == NOT_YET:
            conversation.accepted_at = at
    elif signal == _QUEUED:
        if conversation.queued_at == NOT_YET:
            conversation.queued_at = at
    elif account and conversation.assigned_at == NOT_YET:
        conversation.assigned_at = at


def _open(
    context: Context, conversation: Conversation, at: int, signal: int, detail: int, queue: str, resolution_ms: int
) -> None:
    """A first session, a new one, or the last one going on because the customer came back within its gap."""
    if queue:
        conversation.queue = queue
    if signal == _OFFERED:
        conversation.voice = detail & VOICE_BIT != 0
        how = STARTS_OUTBOUND if detail & OUTBOUND_BIT else STARTS
    else:
        how = detail if signal == _CUSTOMER_TURN else STARTS
    ended_at = conversation.ended_at
    conversation.ended_at = NOT_YET
    before = conversation.tracks
    kept = [track for track in before if at - ended_at < rule_of(context.rules, track.slot).gap_ms]
    for track in kept:
        _resume(context, conversation, track)
    if before and len(kept) == len(before):
        return
    conversation.queued_at = NOT_YET
    _remember(conversation, [track for track in before if track not in kept])
    conversation.tracks = tuple(kept)
    session = max((track.session for track in before), default=conversation.life - 1) + 1
    names = {context.rules.rules[track.slot].definition.name for track in kept if track.slot >= 0}
    slots = [
        slot
        for slot in context.rules.slots(conversation.queue, at)
        if context.rules.rules[slot].definition.name not in names
    ]
    if not slots and not kept:
        slots = [NO_SLOT]
    open_sessions(context, conversation, slots, session, at, resolution_ms, how)


def _resume(context: Context, conversation: Conversation, track: Track) -> None:
    """The customer came back within the gap: a wait that was lost goes on, from its first start."""
    if track.state != LOST:
        return
    track.state = OWED
    track.judged = False
    if track.slot >= 0:
        rule = context.rules.rules[track.slot]
        schedule(context, conversation, track.due_at, track.started_at + rule.warning_ms)


def _remember(conversation: Conversation, tracks: list[Track]) -> None:
    """Keep how often the facts of finished sessions were said, where it was more than once."""
    for track in tracks:
        if track.emitted > 1:
            if conversation.emissions is None:
                conversation.emissions = {}
            conversation.emissions[fact_key(track.slot, track.session - conversation.life, WHOLE_SESSION)] = (
                track.emitted
            )


def _learn_queue(context: Context, conversation: Conversation, queue: str, signal: int, detail: int) -> None:
    """The queue becomes known after the start: the definitions that apply to it judge the session from its start."""
    conversation.queue = queue
    unruled = conversation.tracks[0]
    slots = context.rules.slots(queue, unruled.started_at)
    if unruled.slot >= 0 or unruled.state != OWED or not slots:
        return
    conversation.tracks = tuple[Track, ...]()
    how = STARTS_OUTBOUND if signal == _OFFERED and detail & OUTBOUND_BIT else STARTS
    open_sessions(context, conversation, slots, unruled.session, unruled.started_at, unruled.resolution_ms, how)
    for track in conversation.tracks:
        track.turn_at = unruled.turn_at
        track.owner = unruled.owner
        track.first_assigned_at = unruled.first_assigned_at


def _take(context: Context, conversation: Conversation, account: str, at: int) -> None:
    """`account` has it in hands now, "" = nobody: a leg ends, a leg begins."""
    before = conversation.account
    if before == account:
        return
    if before:
        _say_load(context, conversation, before, at, -1)
    if account:
        _say_load(context, conversation, account, at, 1)
    conversation.account = account
    conversation.assigned_at = NOT_YET
    conversation.accepted_at = NOT_YET
    take_over(context, conversation, account, at)


def _say_load(context: Context, conversation: Conversation, account: str, at: int, change: int) -> None:
    ordinal = conversation.ordinal
    conversation.ordinal = ordinal + 1
    session = conversation.tracks[0].session
    context.facts.append(LoadChange(conversation.key, session, ordinal, account, at, change))
