"""Which rules of a definition (E1-E18) shaped a session, and what each did to it, as sentences with values.

Derived from the engine's fact, the definition and what was told; nothing is judged here again. A sentence is named, its
text in both languages is in the glossary; values end in `_at` (instant, ms), `_ms` (duration), or are shown as they
are.
"""

from collections.abc import Callable, Iterator
from typing import Final

from sla_engine._core.applied import Applied, Says
from sla_engine._core.case import Case, instant_of
from sla_engine._core.choices import (
    AnsweredOutOfHours,
    Boundary,
    ClockDomains,
    ClockStart,
    Credit,
    LeftBeforeTarget,
    NeverAnswered,
    OnTransfer,
    Outbound,
    OutOfHours,
    RepeatedTurns,
    WindowCloses,
)
from sla_engine._core.turn_reasons import (
    answered_outside,
    began_at_opening,
    handed_on,
    stopped_by_closing,
    turn_ends,
    turn_limit,
    written_repeatedly,
)
from wire.conversation import Accepted, AgentTurn, Assigned, CustomerTurn, Form, Queued, Transferred
from wire.recorded import Recorded
from wire.verdict import Outcome, Verdict, Why

_JUDGED: Final = (Verdict.MET, Verdict.BREACHED)
_LEFT_SAYS: Final = {
    Why.LEFT_SHORT: Says.LEFT_TOO_SOON_TO_COUNT,
    Why.LEFT_IN_TIME: Says.LEFT_BY_DUE_IS_MET,
}
_OF_NOBODY: Final = (Why.NOBODY_ONLINE, Why.NOT_SERVED)
_STARTS: Final = {
    ClockStart.ARRIVAL: Says.CLOCK_FROM_ARRIVAL,
    ClockStart.QUEUED: Says.CLOCK_FROM_QUEUE,
    ClockStart.ASSIGNED: Says.CLOCK_FROM_ASSIGNMENT,
}
_NEVER: Final = {
    NeverAnswered.MISS: Says.UNANSWERED_IS_MISS,
    NeverAnswered.CAPPED: Says.UNANSWERED_IS_CAPPED,
    NeverAnswered.DROPPED: Says.UNANSWERED_IS_DROPPED,
}


def reasons(case: Case) -> list[Applied]:
    """Every rule that did something to the session, in order of the rows."""
    return [applied for row in _ROWS for applied in row(case)]


def _clock_start(case: Case) -> Iterator[Applied]:
    chosen, started_at = case.definition.clock_start, case.clock_started_at
    if started_at is None:
        yield Applied("E1", "clock_start", chosen, Says.CLOCK_NEVER_STARTED, {})
        return
    yield Applied("E1", "clock_start", chosen, _started_by(case, chosen, started_at), {"start_at": started_at})


def _started_by(case: Case, chosen: ClockStart, started_at: int) -> Says:
    """What the clock was started by, at `started_at`: what was chosen, what stood in for it, or a rule after E1."""
    if _was_moved_on(case, chosen, started_at):
        return Says.CLOCK_MOVED
    before = [entry.body for entry in case.told if instant_of(entry) <= started_at]
    handed = any(isinstance(body, Assigned | Accepted | Transferred) for body in before)
    if chosen is ClockStart.ARRIVAL or (chosen is ClockStart.QUEUED and any(isinstance(b, Queued) for b in before)):
        return _STARTS[chosen]
    if handed and (chosen is ClockStart.ASSIGNED or started_at > _arrived(case)):
        return Says.CLOCK_FROM_ASSIGNMENT
    return Says.CLOCK_FROM_ARRIVAL_UNTOLD


def _was_moved_on(case: Case, chosen: ClockStart, started_at: int) -> bool:
    """Whether E4, E5 or E7 put the clock at another instant than E1 did."""
    signals = [
        instant_of(entry)
        for entry in case.told
        if (chosen is ClockStart.QUEUED and isinstance(entry.body, Queued))
        or (chosen is not ClockStart.ARRIVAL and _to_person(entry))
    ]
    return started_at not in {case.fact.started_at, *signals[:1]}


def _to_person(entry: Recorded) -> bool:
    body = entry.body
    return isinstance(body, Assigned | Accepted) or (isinstance(body, Transferred) and body.account != "")


def _valid_reply(case: Case) -> Iterator[Applied]:
    value = ", ".join(case.definition.valid_reply)
    passed = [entry.body for entry in case.waiting() if isinstance(entry.body, AgentTurn)]
    passed = [body for body in passed if body.author not in case.definition.valid_reply]
    if passed:
        authors = ", ".join(dict.fromkeys(body.author for body in passed))
        yield Applied("E2", "valid_reply", value, Says.NOT_A_REPLY, {"count": len(passed), "authors": authors})
    reply = case.reply
    if reply is not None and isinstance(reply.body, AgentTurn):
        account = reply.body.account or case.fact.place.account
        values: dict[str, int | str] = {"author": reply.body.author, "account": account, "reply_at": instant_of(reply)}
        yield Applied("E2", "valid_reply", value, Says.ANSWERED_BY, values)


def _credit(case: Case) -> Iterator[Applied]:
    reply, chosen = case.reply, case.definition.credit
    if reply is None or not isinstance(reply.body, AgentTurn) or case.fact.outcome is not Outcome.ANSWERED:
        return
    says = Says.CREDITED_TO_SENDER if chosen is Credit.SENDER else Says.CREDITED_TO_ASSIGNEE
    yield Applied("E3", "credit", chosen, says, {"account": case.fact.place.account})


def _on_transfer(case: Case) -> Iterator[Applied]:
    chosen = case.definition.on_transfer
    handed_on = [entry for entry in case.waiting() if isinstance(entry.body, Transferred)]
    if not handed_on:
        return
    last_at = instant_of(handed_on[-1])
    values: dict[str, int | str] = {"count": len(handed_on), "last_at": last_at}
    if chosen is OnTransfer.CLOCK_RESTARTS and case.clock_started_at is not None and case.clock_started_at >= last_at:
        yield Applied("E4", "on_transfer", chosen, Says.TRANSFER_CLOCK_RESTARTED, values)
    elif chosen is OnTransfer.NEW_TURN_PER_ACCOUNT and len(case.turns) > 1:
        yield Applied("E4", "on_transfer", chosen, Says.TRANSFER_NEW_TURN, values)
    else:
        yield Applied("E4", "on_transfer", chosen, Says.TRANSFER_CLOCK_WENT_ON, values)


def _repeated_turns(case: Case) -> Iterator[Applied]:
    chosen = case.definition.repeated_turns
    written = [entry for entry in case.waiting() if case.is_enquiry(entry)]
    if len(written) > 1:
        first = chosen is RepeatedTurns.FIRST
        says = Says.FIRST_MESSAGE_COUNTS if first else Says.LAST_MESSAGE_COUNTS
        at = instant_of(written[0] if first else written[-1])
        yield Applied("E5", "repeated_turns", chosen, says, {"count": len(written), "message_at": at})


def _gap(case: Case) -> Iterator[Applied]:
    limit_ms = case.definition.gap_to_new_session_ms
    for ended_at, back_at in case.returns():
        values: dict[str, int | str] = {"gap_ms": back_at - ended_at, "limit_ms": limit_ms, "back_at": back_at}
        says = Says.CAME_BACK_NEW_SESSION if back_at == case.fact.started_at else Says.CAME_BACK_SAME_SESSION
        yield Applied("E6", "gap_to_new_session_ms", str(limit_ms), says, values)


def _out_of_hours(case: Case) -> Iterator[Applied]:
    chosen, fact, started_at = case.definition.out_of_hours, case.fact, case.clock_started_at
    if fact.why is Why.ARRIVED_OUT_OF_HOURS:
        at = fact.started_at if started_at is None else started_at
        yield Applied("E7", "out_of_hours", chosen, Says.OUTSIDE_NOT_JUDGED, {"start_at": at})
    elif started_at is None or fact.why is Why.OUTBOUND:
        return
    elif chosen is OutOfHours.STARTS_AT_OPENING and _was_moved(case, started_at):
        yield Applied("E7", "out_of_hours", chosen, Says.OUTSIDE_FROM_OPENING, {"opening_at": started_at})
    elif chosen is OutOfHours.COUNTS_IF_ANSWERED_INSIDE and not case.calendar.is_open(started_at):
        yield Applied("E7", "out_of_hours", chosen, Says.OUTSIDE_ANSWERED_INSIDE, {"start_at": started_at})


def _window_closes(case: Case) -> Iterator[Applied]:
    chosen, started_at, ended_at = case.definition.window_closes, case.clock_started_at, case.wait_ended_at
    if case.fact.why is Why.CUT_AT_CLOSE:
        cut_at = case.fact.due_at if case.cut_at is None else case.cut_at
        said = Says.DAY_ENDED_WAIT_CUT if chosen is WindowCloses.IS_CUT_AT_MIDNIGHT else Says.CLOSED_WAIT_CUT
        yield Applied("E8", "window_closes", chosen, said, {"closes_at": cut_at})
        return
    if started_at is None or ended_at is None or not case.calendar.is_open(started_at):
        return
    closes_at = case.calendar.closes_at(started_at)
    if closes_at >= ended_at or case.fact.why is Why.OUTBOUND:
        return
    if chosen is WindowCloses.PAUSES:
        paused_ms = ended_at - started_at - case.calendar.open_ms(started_at, ended_at)
        values: dict[str, int | str] = {"closes_at": closes_at, "paused_ms": paused_ms}
        yield Applied("E8", "window_closes", chosen, Says.CLOSED_CLOCK_PAUSED, values)
    elif chosen is not WindowCloses.IS_CUT:
        yield Applied("E8", "window_closes", chosen, Says.CLOSED_CLOCK_RAN_ON, {"closes_at": closes_at})


def _answered_out_of_hours(case: Case) -> Iterator[Applied]:
    chosen, replied_at = case.definition.answered_out_of_hours, case.replied_at
    if case.fact.answered_out_of_hours and replied_at is not None:
        full = chosen is AnsweredOutOfHours.FULL_TIME
        says = Says.ANSWERED_OUTSIDE_FULL if full else Says.ANSWERED_OUTSIDE_ZERO
        yield Applied("E9", "answered_out_of_hours", chosen, says, {"reply_at": replied_at})


def _never_answered(case: Case) -> Iterator[Applied]:
    chosen = case.definition.never_answered
    if case.fact.outcome is Outcome.UNANSWERED and case.fact.why is not Why.NOT_SERVED:
        values: dict[str, int | str] = {"due_at": case.fact.due_at}
        if case.definition.unanswered_cap_ms is not None:
            values["cap_ms"] = case.definition.unanswered_cap_ms
        yield Applied("E10", "never_answered", chosen, _NEVER[chosen], values)


def _left(case: Case) -> Iterator[Applied]:
    fact, chosen = case.fact, case.definition.left_before_target
    turns = sum(turn.why is not None and turn.why not in _OF_NOBODY for turn in case.turns)
    if turns:
        yield Applied("E11", "left_before_target", chosen, Says.TURNS_LEFT, {"count": turns})
    if fact.outcome is not Outcome.ABANDONED:
        return
    says = _LEFT_SAYS.get(fact.why)
    if says is None and chosen is LeftBeforeTarget.IGNORE_ALL:
        says = Says.LEFT_ALWAYS_IGNORED
    elif says is None and fact.why is Why.LEFT_IGNORED:
        says = Says.LEFT_BY_DUE_IGNORED
    elif says is None and chosen is LeftBeforeTarget.AS_BREACH:
        says = Says.LEFT_ALWAYS_COUNTS
    elif says is None:
        says = Says.LEFT_AND_COUNTS if chosen is LeftBeforeTarget.COUNTS else Says.LEFT_AFTER_DUE_COUNTS
    waited_ms = fact.waited_ms
    if waited_ms is None:
        waited_ms = 0 if fact.ended_at is None else fact.ended_at - fact.started_at
    values: dict[str, int | str] = {
        "waited_ms": waited_ms,
        "short_ms": case.definition.short_abandon_ms,
        "due_at": fact.due_at,
    }
    yield Applied("E11", "left_before_target", chosen, says, values)


def _nobody_online(case: Case) -> Iterator[Applied]:
    if case.fact.nobody_online:
        yield Applied("E13", "nobody_online", case.definition.nobody_online, Says.NOBODY_WAS_ONLINE, {})
    turns = sum(turn.why in _OF_NOBODY for turn in case.turns)
    if turns:
        chosen = case.definition.nobody_online
        yield Applied("E13", "nobody_online", chosen, Says.TURNS_WITHOUT_ANYBODY, {"count": turns})


def _inbound_forms(case: Case) -> Iterator[Applied]:
    value = ", ".join(case.definition.inbound_forms)
    first = next((entry.body for entry in case.told if case.is_enquiry(entry)), None)
    if isinstance(first, CustomerTurn) and first.form is not Form.TEXT:
        yield Applied("E14", "inbound_forms", value, Says.OPENS_A_TURN, {"forms": first.form})
    other = [entry.body for entry in (*case.before(), *case.told) if case.is_other_inbound(entry)]
    forms = dict.fromkeys(body.form for body in other if isinstance(body, CustomerTurn))
    if other:
        values: dict[str, int | str] = {"count": len(other), "forms": ", ".join(forms)}
        yield Applied("E14", "inbound_forms", value, Says.OPENS_NOTHING, values)


def _outbound(case: Case) -> Iterator[Applied]:
    if case.fact.why is Why.OUTBOUND:
        yield Applied("E15", "outbound", case.definition.outbound, Says.OUTBOUND_NOT_JUDGED, {})
    elif case.definition.outbound is Outbound.COUNTS and case.is_outbound:
        yield Applied("E15", "outbound", case.definition.outbound, Says.OUTBOUND_COUNTS, {})


def _boundary(case: Case) -> Iterator[Applied]:
    fact, chosen = case.fact, case.definition.boundary
    if fact.verdict not in _JUDGED or case.clock_started_at is None:
        return
    says = Says.IN_TIME_AT_MOST if chosen is Boundary.AT_MOST else Says.IN_TIME_BELOW
    limit_ms = case.calendar.limit_of(case.clock_started_at)
    yield Applied("E16", "boundary", chosen, says, {"limit_ms": limit_ms, "due_at": fact.due_at})
    if fact.resolution_ms > 1:
        yield Applied("E16", "boundary", chosen, Says.TOLD_COARSELY, {"resolution_ms": fact.resolution_ms})


def _clock_domains(case: Case) -> Iterator[Applied]:
    chosen = case.definition.clock_domains
    reply = case.left if case.fact.outcome is Outcome.ABANDONED else case.reply
    start = next((entry for entry in case.told if instant_of(entry) == case.fact.started_at), None)
    if reply is None or start is None or _domain(reply) == _domain(start):
        return
    values: dict[str, int | str] = {"start_clock": _domain(start), "reply_clock": _domain(reply)}
    if chosen is ClockDomains.AS_STAMPED:
        yield Applied("E17", "clock_domains", chosen, Says.CLOCKS_AS_STAMPED, values)
    else:
        values["bound_ms"] = case.fact.skew_bound_ms
        yield Applied("E17", "clock_domains", chosen, Says.CLOCKS_CORRECTED, values)


def _version(case: Case) -> Iterator[Applied]:
    held = case.definition
    values: dict[str, int | str] = {"version": held.version, "from_at": held.effective_from}
    yield Applied("E18", "version", str(held.version), Says.VERSION_IN_FORCE, values)


def _arrived(case: Case) -> int:
    """Where a clock that starts on arrival starts."""
    return case.fact.started_at


def _was_moved(case: Case, started_at: int) -> bool:
    """Whether the clock start is an opening that the arrival was moved to."""
    return started_at > case.fact.started_at and not case.calendar.is_open(started_at - 1)


def _domain(entry: Recorded) -> str:
    clock = "" if entry.body is None else entry.body.clock
    return f"{entry.source}/{clock}" if clock else entry.source


_ROWS: Final[tuple[Callable[[Case], Iterator[Applied]], ...]] = (
    _clock_start,
    _valid_reply,
    _credit,
    _on_transfer,
    handed_on,
    _repeated_turns,
    written_repeatedly,
    _gap,
    _out_of_hours,
    began_at_opening,
    _window_closes,
    stopped_by_closing,
    _answered_out_of_hours,
    answered_outside,
    _never_answered,
    _left,
    turn_ends,
    _nobody_online,
    _inbound_forms,
    _outbound,
    _boundary,
    turn_limit,
    _clock_domains,
    _version,
)
