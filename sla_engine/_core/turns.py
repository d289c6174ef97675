"""Turns: from the first customer message since the last valid reply to the next one, under one definition."""

from typing import Final

from sla_engine._core.context import Context, schedule_closing
from sla_engine._core.conversation import (
    AWAITS_CLOCK,
    BEGAN_INSIDE,
    NOT_STARTED,
    OUTSIDE_ANSWERED,
    OUTSIDE_COUNTED,
    OUTSIDE_WAITING,
    OUTSIDE_WINDOW,
    REPLIED,
    TURN_SAID,
    TURN_TOLD_NOBODY,
    UNREACHED,
    Conversation,
    Track,
)
from sla_engine._core.limits import NOT_YET
from sla_engine._core.rules import Rule
from sla_engine._core.saying import TurnEnd, credited, elapsed, say_turn

_CLOCKLESS: Final = (AWAITS_CLOCK, UNREACHED)
_UNCOUNTED: Final = (OUTSIDE_WINDOW, NOT_STARTED, *_CLOCKLESS)
_OUTSIDE: Final = (OUTSIDE_WAITING, OUTSIDE_ANSWERED, OUTSIDE_COUNTED)


def open_turn(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, form: int) -> bool:
    """The customer wrote in a `form` that counts. Returns whether the turn that was open starts again (E5)."""
    again = track.turn_at != NOT_YET
    if again:
        if not rule.last_message_counts:
            return False
    elif track.flags & REPLIED and rule.closing_mask >> form & 1:
        return False  # E12: thanks after an answer ask for nothing
    begin_turn(context, conversation, track, rule, at)
    return again


def begin_turn(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int) -> None:
    """A turn starts at `at`, or at the next opening where the definition says so (E7)."""
    if rule.clock.at_opening:
        opening = rule.clock.opening(at)
        at = at if opening is None else opening
    track.turn_at = at
    track.turn_resolution_ms = context.resolution_ms
    track.turn_domain = context.domain
    track.flags &= ~(TURN_SAID | TURN_TOLD_NOBODY)
    if rule.cuts:
        schedule_closing(context, conversation, track)


def answer_turn(context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, sender: str) -> None:
    """A valid reply by `sender` answers the open turn."""
    is_counted = track.state != OUTSIDE_WINDOW
    if rule.plain:
        took = at - track.turn_at
    else:
        took, _ = elapsed(context, rule, track.turn_at, track.turn_domain, at)
        is_open = rule.clock.is_open(at)
        is_counted = is_counted and (is_open or not _is_outside(track, rule))
        if rule.zero_outside and track.flags & BEGAN_INSIDE and not is_open:  # E9
            took = 0
    if is_counted:
        counts_for = credited(conversation, rule, sender) if rule.credits_assignee else sender
        say_turn(context, conversation, track, rule, TurnEnd(at, counts_for, took))
    _close_turn(track, is_counted=is_counted)


def lose_turn(
    context: Context,
    conversation: Conversation,
    track: Track,
    rule: Rule,
    at: int,
    *,
    stays_open: bool = False,
    has_left: bool = False,
) -> None:
    """The open turn ends unanswered at `at`, in the hands it is in.

    stays_open: an answer may still come. has_left: the customer chose to end it.
    """
    is_counted = track.state not in _UNCOUNTED and not _is_outside(track, rule)
    if is_counted and not track.flags & TURN_SAID:
        ended = TurnEnd(at, conversation.account, None, has_left)
        say_turn(context, conversation, track, rule, ended, stays_open=stays_open)
    if not stays_open:
        _close_turn(track, is_counted=is_counted)


def cut_turn(
    context: Context, conversation: Conversation, track: Track, rule: Rule, at: int, *, stays_open: bool = False
) -> None:
    """E8: a turn that is open at `at`, after the window closed on it, is unanswered from then on, whatever comes.

    stays_open: the record is complete up to `at` and says nothing of an answer, but a late event may.
    """
    if track.state in _CLOCKLESS:
        return  # it begins with the clock, whenever that starts
    closing = rule.clock.closing(track.turn_at)
    if closing is not None and at >= closing:
        lose_turn(context, conversation, track, rule, closing, stays_open=stays_open)


def hand_over_turns(context: Context, conversation: Conversation, at: int) -> None:
    """E4: where every account has turns of its own, the one in whose hands it was ends, and another one starts."""
    for track in conversation.tracks:
        rule = context.rules.rules[track.slot]
        if track.slot >= 0 and rule.new_turn_per_account and track.turn_at != NOT_YET:
            lose_turn(context, conversation, track, rule, at)
            begin_turn(context, conversation, track, rule, at)


def _close_turn(track: Track, *, is_counted: bool) -> None:
    """Only turns that count are numbered."""
    track.turn += is_counted
    track.turn_at = NOT_YET
    track.flags &= ~(TURN_SAID | TURN_TOLD_NOBODY)


def _is_outside(track: Track, rule: Rule) -> bool:
    """Whether the session started outside the windows and counts all the same if it is answered inside (E7)."""
    return rule.if_inside and track.state in _OUTSIDE
