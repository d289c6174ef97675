"""Turns: from the first customer message since the last valid reply to the next one, under one definition."""

from sla_engine._core.context import Context
from sla_engine._core.conversation import (
    AWAITS_CLOCK,
    OUTSIDE_WINDOW,
    REPLIED,
    UNREACHED,
    Conversation,
    Track,
)
from sla_engine._core.limits import NOT_YET
from sla_engine._core.rules import Rule
from sla_engine._core.saying import elapsed, say_turn


def open_turn(context: Context, track: Track, rule: Rule, at: int, form: int) -> bool:
    """The customer wrote in a `form` that counts. Returns whether the turn that was open starts again (E5)."""
    again = track.turn_at != NOT_YET
    if again:
        if not rule.last_message_counts:
            return False
    elif track.flags & REPLIED and rule.closing_mask >> form & 1:
        return False  # E12: thanks after an answer ask for nothing
    begin_turn(context, track, rule, at)
    return again


def begin_turn(context: Context, track: Track, rule: Rule, at: int) -> None:
    """A turn starts at `at`, or at the next opening where the definition says so (E7)."""
    if rule.clock.at_opening:
        opening = rule.clock.opening(at)
        at = at if opening is None else opening
    track.turn_at = at
    track.turn_resolution_ms = context.resolution_ms
    track.turn_domain = context.domain


def answer_turn(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, sender: str) -> None:
    """A valid reply by `sender` answers the open turn."""
    turn_at = track.turn_at
    if track.state not in {OUTSIDE_WINDOW, UNREACHED}:
        if rule.plain:
            say_turn(context, conversation, track, rule, at - turn_at, at, sender)
        elif not _is_outside(track, rule) or rule.clock.is_open(at):
            took, _ = elapsed(context, rule, turn_at, track.turn_domain, at)
            if rule.zero_outside and _is_zero(track, rule, at):
                took = 0
            say_turn(context, conversation, track, rule, took, at, sender)
    track.turn += 1
    track.turn_at = NOT_YET


def lose_turn(
    context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, *, stays_open: bool = False
) -> None:
    """The open turn ends unanswered at `at`, in the hands it is in; stays_open: an answer may still come."""
    if track.state not in {OUTSIDE_WINDOW, AWAITS_CLOCK, UNREACHED} and not _is_outside(track, rule):
        say_turn(context, conversation, track, rule, None, at, conversation.account, stays_open=stays_open)
    if not stays_open:
        track.turn += 1
        track.turn_at = NOT_YET


def cut_turn(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    """E8: a turn that was open when the window closed on it is unanswered from then on, whatever comes."""
    closing = rule.clock.closing(track.turn_at)
    if closing is None or at < closing:
        return
    if conversation.ended_at == NOT_YET:
        lose_turn(context, conversation, track, rule, closing)
    else:  # said when the conversation ended
        track.turn += 1
        track.turn_at = NOT_YET


def hand_over_turns(context: Context, conversation: Conversation, at: int) -> None:
    """E4: where every account has turns of its own, the one in whose hands it was ends, and another one starts."""
    for track in conversation.tracks:
        rule = context.rules.rules[track.slot]
        if track.slot >= 0 and rule.new_turn_per_account and track.turn_at != NOT_YET:
            lose_turn(context, conversation, track, rule, at)
            begin_turn(context, track, rule, at)


def _is_outside(track: Track, rule: Rule) -> bool:
    """Whether the session started outside the windows and counts all the same if it is answered inside (E7)."""
    return rule.if_inside and track.clock_at != NOT_YET and not rule.clock.is_open(track.clock_at)


def _is_zero(track: Track, rule: Rule, at: int) -> bool:
    """Whether a session started inside is answered outside the windows (E9)."""
    started_at = track.started_at if track.clock_at == NOT_YET else track.clock_at
    return rule.clock.is_open(started_at) and not rule.clock.is_open(at)
