"""Which rules of a definition shaped the turns of a session, beside its first response, and what each did to them.

The rows about the first response are in `reasons`. A turn is a later one from the moment on at which that was answered,
given up or left, and all are where there is none.
"""

from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

from sla_engine._core.applied import Applied, Says
from sla_engine._core.case import Case, instant_of
from sla_engine._core.choices import AnsweredOutOfHours, OnTransfer, OutOfHours, RepeatedTurns, TurnEnds, WindowCloses
from wire.conversation import Closed, CustomerLeft, CustomerTurn, Form, Transferred
from wire.verdict import LegEnd, ResponseFact, Why

_HANDED_ON: Final = (LegEnd.HANDED_OVER, LegEnd.REQUEUED)


class Ending(Enum):
    """How a turn ended."""

    ANSWERED = auto()
    CUT = auto()
    HANDED_ON = auto()
    WITH_SESSION = auto()


class Turn(NamedTuple):
    """A turn with its surroundings. since: the end of the one before (ms). ended_at: None where nothing tells of it."""

    fact: ResponseFact
    since: int
    ended_at: int | None
    ending: Ending


def turns_of(case: Case) -> list[Turn]:
    """The turns of a session in order."""
    found: list[Turn] = []
    since = case.fact.started_at
    for fact in sorted(case.turns, key=lambda turn: turn.turn):
        ended_at, ending = _ending(case, fact, since)
        found.append(Turn(fact, since, ended_at, ending))
        since = since if ended_at is None else ended_at
    return found


def _ending(case: Case, fact: ResponseFact, since: int) -> tuple[int | None, Ending]:
    if fact.duration_ms is not None:
        replies = (instant_of(entry) for entry in case.told if case.is_valid_reply(entry))
        return next((at for at in replies if at >= fact.started_at), None), Ending.ANSWERED
    possible: list[tuple[int, Ending]] = []
    cut_at = case.cuts_at(fact.started_at)
    if cut_at is not None:
        possible.append((cut_at, Ending.CUT))
    if case.definition.on_transfer is OnTransfer.NEW_TURN_PER_ACCOUNT:
        handed = (leg.ended_at for leg in case.legs if leg.end in _HANDED_ON and leg.ended_at >= fact.started_at)
        possible += [(at, Ending.HANDED_ON) for at in handed]
    ends = (instant_of(entry) for entry in case.told if isinstance(entry.body, CustomerLeft | Closed))
    possible += [(at, Ending.WITH_SESSION) for at in ends if at >= since]
    return min(possible, key=lambda end: end[0], default=(None, Ending.WITH_SESSION))


def _later(case: Case) -> list[Turn]:
    ended_at = case.wait_ended_at
    return [
        turn
        for turn in turns_of(case)
        if turn.fact.started_at != case.clock_started_at and (ended_at is None or turn.fact.started_at >= ended_at)
    ]


def handed_on(case: Case) -> Iterator[Applied]:
    """E4 in later turns."""
    chosen, later = case.definition.on_transfer, _later(case)
    handed = sum(turn.ending is Ending.HANDED_ON for turn in later)
    if handed:
        yield Applied("E4", "on_transfer", chosen, Says.TURNS_HANDED_ON, {"count": handed})
    if chosen is OnTransfer.CLOCK_RESTARTS:
        transfers = {instant_of(entry) for entry in case.told if isinstance(entry.body, Transferred)}
        restarted = sum(turn.fact.started_at in transfers for turn in later)
        if restarted:
            yield Applied("E4", "on_transfer", chosen, Says.TURNS_RESTARTED, {"count": restarted})


def written_repeatedly(case: Case) -> Iterator[Applied]:
    """E5 in later turns."""
    chosen = case.definition.repeated_turns
    count = sum(_messages(case, turn) > 1 for turn in _later(case))
    if count:
        says = Says.FIRST_MESSAGES_COUNT if chosen is RepeatedTurns.FIRST else Says.LAST_MESSAGES_COUNT
        yield Applied("E5", "repeated_turns", chosen, says, {"count": count})


def _messages(case: Case, turn: Turn) -> int:
    """How many enquiries a turn holds; a courtesy that may have opened nothing is left out."""
    phrases = case.definition.turn_ends is TurnEnds.CLOSING_PHRASE
    return sum(
        turn.since < instant_of(entry) and (turn.ended_at is None or instant_of(entry) <= turn.ended_at)
        for entry in case.told
        if isinstance(entry.body, CustomerTurn)
        and case.is_enquiry(entry)
        and not (phrases and entry.body.form is Form.CLOSING)
    )


def began_at_opening(case: Case) -> Iterator[Applied]:
    """E7 in later turns."""
    chosen = case.definition.out_of_hours
    if chosen is not OutOfHours.STARTS_AT_OPENING:
        return
    written = {instant_of(entry) for entry in case.told}
    starts = [turn.fact.started_at for turn in _later(case)]
    count = sum(start not in written and not case.calendar.is_open(start - 1) for start in starts)
    if count:
        yield Applied("E7", "out_of_hours", chosen, Says.TURNS_FROM_OPENING, {"count": count})


def stopped_by_closing(case: Case) -> Iterator[Applied]:
    """E8: turns that a closing cut, the one of a first response that it cut left out, or stood still over."""
    chosen, later = case.definition.window_closes, _later(case)
    turns = later if case.fact.why is Why.CUT_AT_CLOSE else turns_of(case)
    cut = sum(turn.ending is Ending.CUT for turn in turns)
    if cut:
        yield Applied("E8", "window_closes", chosen, Says.TURNS_CUT, {"count": cut})
    if chosen is WindowCloses.PAUSES:
        paused = sum(
            turn.ended_at is not None
            and case.calendar.open_ms(turn.fact.started_at, turn.ended_at) < turn.ended_at - turn.fact.started_at
            for turn in later
        )
        if paused:
            yield Applied("E8", "window_closes", chosen, Says.TURNS_PAUSED, {"count": paused})


def answered_outside(case: Case) -> Iterator[Applied]:
    """E9 in later turns, where it makes them count as no wait."""
    chosen = case.definition.answered_out_of_hours
    if chosen is not AnsweredOutOfHours.ZERO:
        return
    count = sum(
        turn.fact.duration_ms == 0
        and turn.ended_at is not None
        and turn.ended_at > turn.fact.started_at
        and not case.calendar.is_open(turn.ended_at)
        for turn in _later(case)
    )
    if count:
        yield Applied("E9", "answered_out_of_hours", chosen, Says.TURNS_OUTSIDE_ZERO, {"count": count})


def turn_ends(case: Case) -> Iterator[Applied]:
    """E12: turns that ended with the session, or outlived it, and courtesies that opened none."""
    chosen = case.definition.turn_ends
    count = sum(turn.ending is Ending.WITH_SESSION for turn in turns_of(case))
    if count:
        says = Says.TURN_STAYED_OPEN if chosen is TurnEnds.NEVER else Says.TURN_ENDED_WITH_SESSION
        yield Applied("E12", "turn_ends", chosen, says, {"count": count})
    outlived = sum(case.outlived(turn) for turn in case.turns) if chosen is TurnEnds.NEVER else 0
    if outlived:
        yield Applied("E12", "turn_ends", chosen, Says.TURN_ANSWERED_AFTER_END, {"count": outlived})
    replied_at = case.replied_at
    if chosen is not TurnEnds.CLOSING_PHRASE or replied_at is None:
        return
    courtesies = sum(
        isinstance(entry.body, CustomerTurn)
        and entry.body.form is Form.CLOSING
        and case.is_enquiry(entry)
        and instant_of(entry) >= replied_at
        for entry in case.told
    )
    if courtesies:
        yield Applied("E12", "turn_ends", chosen, Says.COURTESY_OPENS_NOTHING, {"count": courtesies})


def turn_limit(case: Case) -> Iterator[Applied]:
    """E16: the limit that turns after the first were judged by."""
    if not any(turn.turn and turn.verdict is not None for turn in case.turns):
        return
    limit_ms, stated = case.definition.next_response_limit_ms, "next_response_limit_ms"
    if limit_ms is None:
        started_at = case.clock_started_at
        limit_ms = case.calendar.limit_of(case.fact.started_at if started_at is None else started_at)
        stated = "first_response_limit_ms"
    yield Applied("E16", stated, str(limit_ms), Says.TURN_LIMIT, {"limit_ms": limit_ms})
