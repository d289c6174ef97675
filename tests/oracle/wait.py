"""How the wait of a session for its first response went."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from msgspec.structs import replace as replaced

from sla_engine._core.choices import (
    Credit,
    LeftBeforeTarget,
    NeverAnswered,
    NobodyOnline,
    WindowCloses,
)
from tests.oracle.reading import Leg, Step, is_call, queue_at, steps_of
from tests.oracle.terms import Case
from wire.conversation import (
    AgentTurn,
    Closed,
    ClosedBy,
    CustomerLeft,
    LeftReason,
    Queued,
)
from wire.verdict import Outcome, SessionFact, Verdict, Why

OWN_CHOICE = (LeftReason.HUNG_UP, LeftReason.WENT_SILENT)
ELSEWHERE = (LeftReason.PRESSED_KEY, LeftReason.TURNED_AWAY, LeftReason.QUEUE_CLOSED)


class Running(NamedTuple):
    """The clock as it stood last. start: of the clock, moved to the opening where the rules say so."""

    start: int
    told_by: Step
    reply: Step | None
    cut_at: int | None
    limit: int
    due_at: int | None


class Said(NamedTuple):
    outcome: Outcome
    verdict: Verdict
    why: Why
    decided_at: int


EXCLUDED = (Outcome.EXCLUDED, Verdict.EXCLUDED)
MISSED = (Outcome.UNANSWERED, Verdict.BREACHED)


def session_facts(case: Case) -> list[SessionFact]:
    """The last word on a session, if anything of it is judged (yet): what was said at an end stands until then."""
    fact = _session_fact(case)
    if fact is None and len(case.session) > 1:
        return session_facts(replace(case, pieces=case.pieces[:-1], session=case.session[:-1]))
    return [] if fact is None else [fact]


def measured(case: Case) -> tuple[Step, Step] | None:
    """Between which two events the time of the last word lies, where their clocks may differ (E17)."""
    fact = _session_fact(case)
    if fact is None:
        shorter = replace(case, pieces=case.pieces[:-1], session=case.session[:-1])
        return measured(shorter) if len(case.session) > 1 else None
    running = None if case.owes_nothing or case.clock_start is None else running_clock(case, case.clock_start)
    if running is None:
        return None
    stop = running.reply or (_end_before(case, running.cut_at) if fact.ended_at is not None else None)
    if stop is None or stop.at <= running.start or (running.reply is not None and case.reads_as_zero(stop)):
        return None
    return running.told_by, stop


def _session_fact(case: Case) -> SessionFact | None:
    steps = case.steps
    if not steps:
        return None
    if case.owes_nothing:
        return _fact(case, Said(*EXCLUDED, Why.OUTBOUND, steps[0].at))
    clock = case.clock_start
    if clock is None:
        ends = [step for step in steps if step.ends]
        if not ends:
            return None
        return _fact(case, Said(*EXCLUDED, Why.NEVER_REACHED_A_PERSON, ends[-1].at))
    running = running_clock(case, clock)
    if running is None:
        return _fact(case, Said(*EXCLUDED, Why.ARRIVED_OUT_OF_HOURS, clock.at), clock_started_at=clock.at)
    if running.reply is not None:
        return _with_nobody(case, running, _answered(case, running, running.reply))
    return _unanswered(case, running)


def running_clock(case: Case, clock: Step) -> Running | None:
    """Follow the clock from its start over everything that starts it anew, until a reply stops it or it is cut.

    None where the session is left out for its hours (E7).
    """
    if case.is_left_out(clock):
        return None
    only_inside = case.counts_only_inside(clock.at)
    told_by, cut_at, reply = clock, case.cut_at(clock.at), None
    for step in case.steps[case.steps.index(clock) :]:
        if cut_at is not None and step.at >= cut_at:
            break
        if step in case.replies:
            reply = step
            break
        if step is not clock and not only_inside and case.restarts(step):
            told_by, cut_at = step, case.cut_at(step.at)
    start = case.moved(told_by.at)
    if start is None:
        return None
    if only_inside and (reply is None or not case.is_open(reply.at)):
        return None
    cut_at = case.cut_at(start)
    limit = case.hours.limit(start)
    due_at = start + limit if only_inside else _due_at(case, start, limit, cut_at)
    return Running(start, told_by, reply, cut_at, limit, due_at)


def _due_at(case: Case, start: int, limit: int, cut_at: int | None) -> int | None:
    if case.rules.window_closes is WindowCloses.PAUSES:
        return case.hours.add_open(start, limit)
    return min(start + limit, cut_at) if cut_at is not None else start + limit


def _answered(case: Case, running: Running, reply: Step) -> SessionFact:
    took = case.elapsed(running.start, running.told_by, reply)
    why = Why.ANSWERED_IN_TIME if case.in_time(took, running.limit) else Why.ANSWERED_LATE
    if reply.at < running.start:
        took, why = 0, Why.ANSWERED_BEFORE_OPENING
    elif case.reads_as_zero(reply):
        took, why = 0, Why.ANSWERED_OUT_OF_HOURS
    verdict = Verdict.BREACHED if why is Why.ANSWERED_LATE else Verdict.MET
    leg = reply.after
    sender = _sender(reply)
    own = leg if leg is not None and leg.account == sender else None
    return _fact(
        case,
        Said(Outcome.ANSWERED, verdict, why, reply.at),
        running,
        place=case.around.place(credited_with(case, reply), reply.at),
        resolution_ms=max(running.told_by.body.resolution_ms, reply.body.resolution_ms),
        first_response_ms=took,
        seat_response_ms=reply.at - own.assigned_at if own and own.assigned_at is not None else None,
        accept_wait_ms=_accept_wait(own),
        answer_wait_ms=_answer_wait(case, reply, took),
        answered_out_of_hours=reply.at >= running.start and case.is_answered_outside(reply),
    )


def credited_with(case: Case, reply: Step) -> str:
    """E3: the account that a reply counts for."""
    holder = reply.after.account if reply.after else ""
    sender = _sender(reply)
    return sender if case.rules.credit is Credit.SENDER else holder or sender


def _sender(reply: Step) -> str:
    holder = reply.after.account if reply.after else ""
    return (reply.body.account if isinstance(reply.body, AgentTurn) else "") or holder


def _unanswered(case: Case, running: Running) -> SessionFact | None:
    end = _end_before(case, running.cut_at)
    if running.cut_at is not None and end is None:
        if (running.due_at or running.cut_at) >= case.until and case.end is None:
            return None
        had_its_limit = running.start + running.limit <= running.cut_at
        why = Why.NOT_ANSWERED_WHEN_DUE if had_its_limit else Why.CUT_AT_CLOSE
        said = _never_answered(case, why, running.due_at or running.cut_at)
        return _with_nobody(case, running, _fact(case, said, running))
    if end is None:
        if running.due_at is None or running.due_at >= case.until:
            return None
        said = _never_answered(case, Why.NOT_ANSWERED_WHEN_DUE, running.due_at)
        return _with_nobody(case, running, _fact(case, said, running))
    waited = case.elapsed(running.start, running.told_by, end)
    if own_choice(end):
        said = _left(case, running, end, waited)
    else:
        elsewhere = isinstance(end.body, CustomerLeft) and end.body.reason in ELSEWHERE
        said = _never_answered(case, Why.WENT_ELSEWHERE if elsewhere else Why.CLOSED_UNANSWERED, end.at)
    return _with_nobody(case, running, _fact(case, said, running, ended_at=end.at, waited_ms=waited))


def _end_before(case: Case, cut_at: int | None) -> Step | None:
    """The end of what there was of the session before it was cut off: who comes back later finds it over."""
    steps = [step for step in case.steps if cut_at is None or step.at < cut_at]
    return steps[-1] if steps[-1].ends else None


def _never_answered(case: Case, why: Why, at: int) -> Said:
    """E10."""
    if case.rules.never_answered is NeverAnswered.DROPPED:
        return Said(Outcome.UNANSWERED, Verdict.EXCLUDED, Why.NEVER_ANSWERED_DROPPED, at)
    return Said(*MISSED, why, at)


def _left(case: Case, running: Running, end: Step, waited: int) -> Said:
    """E11."""
    by_due = running.due_at is not None and end.at <= running.due_at
    kept = by_due if case.rules.semantics < 2 else waited <= running.limit
    return Said(Outcome.ABANDONED, *left_after(case, waited, running.limit, kept=kept), end.at)


def left_after(case: Case, waited: int, limit: int, *, kept: bool) -> tuple[Verdict, Why]:
    """E11: what somebody counts as who left after so long, where a reply had `limit`. kept: by the due instant."""
    in_time = case.in_time(waited, limit)
    missed = (Verdict.BREACHED, Why.LEFT_UNANSWERED)
    ignored = (Verdict.EXCLUDED, Why.LEFT_IGNORED)
    return {
        LeftBeforeTarget.COUNTS: (
            (Verdict.EXCLUDED, Why.LEFT_SHORT) if 0 < case.rules.short_abandon_ms >= waited else missed
        ),
        LeftBeforeTarget.IGNORE: ignored if kept else missed,
        LeftBeforeTarget.IGNORE_ALL: ignored,
        LeftBeforeTarget.AS_BREACH: missed,
        LeftBeforeTarget.MET_IF_WITHIN: (Verdict.MET, Why.LEFT_IN_TIME) if in_time else missed,
    }[case.rules.left_before_target]


def _with_nobody(case: Case, running: Running, fact: SessionFact) -> SessionFact:
    """E13: by what is known when it is decided."""
    known = case.steps[: case.steps.index(running.reply)] if running.reply else case.steps
    known = [one for one in known if running.cut_at is None or one.at < running.cut_at]
    told = any(map(tells_of_nobody, known))
    if not told and not case.around.nobody_ready(fact.queue, _looked_at(case, running)):
        return fact
    never_answered = fact.outcome is Outcome.UNANSWERED
    changes: dict[str, Any] = {"nobody_online": True}
    match case.rules.nobody_online:
        case NobodyOnline.MISS:
            if fact.verdict is not Verdict.BREACHED and not never_answered:
                return fact
        case NobodyOnline.LEAVES_METRIC:
            outcome = fact.outcome if fact.outcome is Outcome.ANSWERED else Outcome.EXCLUDED
            changes |= {"outcome": outcome, "verdict": Verdict.EXCLUDED, "why": Why.NOBODY_ONLINE}
        case NobodyOnline.NOT_SERVED:
            if fact.verdict is not Verdict.MET or fact.outcome is not Outcome.ANSWERED:
                changes |= {"outcome": Outcome.UNANSWERED, "verdict": Verdict.BREACHED, "why": Why.NOT_SERVED}
    return replaced(fact, **changes)


def tells_of_nobody(step: Step) -> bool:
    """Whether the source says itself that nobody was there."""
    return isinstance(step.body, CustomerLeft) and step.body.reason is LeftReason.NOBODY_ONLINE


def _looked_at(case: Case, running: Running) -> int:
    """The start of the clock, or when it was over, where that was before the clock's start had come (E7)."""
    stop = running.reply or _end_before(case, running.cut_at)
    return running.start if stop is None else min(running.start, stop.at)


def _fact(case: Case, said: Said, running: Running | None = None, **given: Any) -> SessionFact:
    start = case.steps[0]
    known = _known(case, said, running)
    owner = _owner(case, known, running) if running else None
    was_due = said.decided_at if running is None or running.due_at is None else min(said.decided_at, running.due_at)
    told_by = running.told_by if running else start
    fields: dict[str, Any] = {
        "conversation": case.conversation,
        "session": case.number,
        "definition": case.label,
        "revision": 0,
        "queue": queue_at(case.pieces, start, case.first_queue),
        "place": case.around.place(owner.account if owner else "", was_due),
        "started_at": start.at,
        "due_at": (running.due_at if running else None) or 0,
        "resolution_ms": told_by.body.resolution_ms,
        "outcome": said.outcome,
        "verdict": said.verdict,
        "why": said.why,
        "first_response_ms": None,
        "seat_response_ms": None,
        "queue_wait_ms": _queue_wait(case, known) if running else None,
        "accept_wait_ms": None,
        "ended_at": None,
        "entry_index": 0,
        "customer": case.customer,
        "clock_started_at": running.start if running else None,
        "queued_at": _queued_at(case, _until(case, said, running)),
        "voice": is_call([*steps_of(case.pieces[: -len(case.session)]), *_until(case, said, running)]),
    }
    return SessionFact(**(fields | given))


def _until(case: Case, said: Said, running: Running | None) -> list[Step]:
    """The session up to what decided it."""
    steps = steps_of(case.session)
    if running is not None and running.reply is not None:
        return steps[: steps.index(running.reply) + 1]
    cut_at = None if running is None else running.cut_at
    return [step for step in steps if step.at <= said.decided_at and (cut_at is None or step.at < cut_at)]


def _known(case: Case, said: Said, running: Running | None) -> list[Step]:
    """The same; of a wait that nobody ended in time, only how it stood when due."""
    until = _until(case, said, running)
    if running is None or running.reply is not None or running.due_at is None:
        return until
    return [step for step in until if step.at <= running.due_at]


def _owner(case: Case, known: Sequence[Step], running: Running) -> Leg | None:
    """Who had it then. An end leaves it with who had it last; a clock that starts anew is whose it is there."""
    owner = None
    for step in known:
        starts_anew = step is running.told_by and step is not case.clock_start
        changes_hands = not step.ends and (step.before, step.after) != (None, None)
        if step in case.in_session and (starts_anew or changes_hands):
            owner = step.after
    return owner


def _queue_wait(case: Case, known: Sequence[Step]) -> int | None:
    """From the queue of humans, or the start where nobody told of one, until anybody had it."""
    had = _first_had(case, known)
    return None if had is None else max(0, had.at - _waits_since(case, known, had))


def _first_had(case: Case, known: Sequence[Step]) -> Step | None:
    return next((step for step in known if step in case.in_session and step.after is not None), None)


def _waits_since(case: Case, known: Sequence[Step], had: Step) -> int:
    queued_at = _queued_at(case, [one for one in known if one.at <= had.at])
    return case.steps[0].at if queued_at is None else queued_at


def _answer_wait(case: Case, reply: Step, took: int) -> int:
    """M8: from there until whoever had it at the reply had taken it; where nobody ever had it, the first response."""
    steps = steps_of(case.session)
    known = steps[: steps.index(reply) + 1]
    had = _first_had(case, known)
    if had is None:
        return took
    taken = [reply.at]
    if reply.after is not None:
        leg = reply.after
        taken = [instant for instant in (leg.accepted_at, leg.assigned_at, leg.since) if instant is not None]
    return max(0, taken[0] - _waits_since(case, known, had))


def _queued_at(case: Case, known: Sequence[Step]) -> int | None:
    """When it first entered the queue of humans."""
    return next((step.at for step in known if isinstance(step.body, Queued) and step in case.steps), None)


def _accept_wait(leg: Leg | None) -> int | None:
    if leg is None or leg.assigned_at is None or leg.accepted_at is None or leg.accepted_at < leg.assigned_at:
        return None
    return leg.accepted_at - leg.assigned_at


def own_choice(end: Step) -> bool:
    if isinstance(end.body, CustomerLeft):
        return end.body.reason in OWN_CHOICE
    return isinstance(end.body, Closed) and end.body.by is ClosedBy.CUSTOMER
