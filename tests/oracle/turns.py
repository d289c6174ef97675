"""The turns of a session: from what the customer wrote to our reply, or to where the turn ended without one."""

from typing import NamedTuple

from sla_engine._core.choices import NeverAnswered, NobodyOnline, OnTransfer, RepeatedTurns, TurnEnds, Unit
from tests.oracle.reading import Step, is_call, queue_at, steps_of
from tests.oracle.terms import Case
from tests.oracle.wait import credited_with, left_after, own_choice, running_clock, tells_of_nobody
from wire.conversation import CustomerTurn, Form, Transferred
from wire.verdict import ResponseFact, Verdict, Why


class Turn(NamedTuple):
    """opened_by: the event its time counts from. stopped_by: what it ended with; None = the window closed.

    told_nobody: the source said while it was open that nobody was there.
    """

    opened_by: Step
    stopped_by: Step | None
    answered: bool
    stopped_at: int
    told_nobody: bool = False


def response_facts(case: Case) -> list[ResponseFact]:
    """Every turn that was answered or ended; none of a session that the rules leave out.

    Only turns that count are numbered.
    """
    if not case.steps or is_call(steps_of(case.pieces)):
        return []
    turns = turns_of(case)
    if not case.owes_nothing:
        clock = case.clock_start
        if clock is None or case.moved(clock.at) is None or case.is_left_out(clock):
            return []
        turns = [turn for turn in turns if _was_running(case, turn)]
        if case.counts_only_inside(clock.at):
            turns = [turn for turn in turns if turn.answered and case.is_open(turn.stopped_at)]
    return [_fact(case, number, turn) for number, turn in enumerate(turns)]


def _was_running(case: Case, turn: Turn) -> bool:
    """Whether the session's clock had started when the turn was over."""
    return turn.answered or turn.stopped_by is None or case.has_started(turn.stopped_by)


def turns_of(case: Case) -> list[Turn]:
    """Each enquiry that opens a turn, followed to what stops it."""
    found: list[Turn] = []
    steps = case.steps_of_turns
    place = 0
    while place < len(steps):
        if case.counts(steps[place]) and not _is_courtesy(case, steps[place]):
            followed, place = _follow(case, steps, place)
            found += followed
        else:
            place += 1
    return found


def _follow(case: Case, steps: list[Step], place: int) -> tuple[list[Turn], int]:
    """The turn that opens at `place`, those it is handed on as, and where to look further."""
    after_ends = [step for piece in case.session for step in piece.afterwards]
    answers = [*case.replies, *(step for step in after_ends if case.is_valid(step) and case.had_started(step))]
    found: list[Turn] = []
    opener = steps[place]
    left_open: Turn | None = None
    nobody = False
    for number in range(place + 1, len(steps)):
        step = steps[number]
        cut_at = _cut_at(case, opener) if case.has_started(step) else None
        if cut_at is not None and step.at >= cut_at:
            return [*found, _unanswered(left_open, opener, None, cut_at, nobody)], number
        if step is case.clock_start:
            left_open = None  # it begins with its clock, whatever ended before
        if step in answers:
            return [*found, Turn(opener, step, answered=True, stopped_at=step.at, told_nobody=nobody)], number + 1
        if step.ends:
            nobody = nobody or tells_of_nobody(step)
            left_open = _unanswered(left_open, opener, step, step.at, nobody)
            if case.rules.turn_ends is not TurnEnds.NEVER:
                return [*found, Turn(opener, step, answered=False, stopped_at=step.at, told_nobody=nobody)], number + 1
        elif step is case.clock_start and _start(case, step) > _start(case, opener):
            opener = step
        elif _is_handed_away(case, step):
            found.append(_unanswered(left_open, opener, step, step.at, nobody))
            opener, left_open, nobody = step, None, False
        elif _starts_anew(case, step):
            opener, nobody = step, False
    cut_at = _cut_at(case, opener)
    if cut_at is not None and cut_at < case.until:
        left_open = _unanswered(left_open, opener, None, cut_at, nobody)
    return ([*found, left_open] if left_open is not None else found), len(steps)


def _cut_at(case: Case, opener: Step) -> int | None:
    """E8: a turn that still waits for the session's clock belongs to the window in which that starts."""
    clock = None if case.owes_nothing else case.clock_start
    if clock is not None and _start(case, opener) < _start(case, clock):
        return None
    return case.cut_at(_start(case, opener))


def _unanswered(said: Turn | None, opener: Step, stopped_by: Step | None, at: int, nobody: bool) -> Turn:
    """What is said of a turn without a reply: once, and again only where its time has started anew since."""
    return (
        said
        if said is not None and said.opened_by is opener
        else Turn(opener, stopped_by, answered=False, stopped_at=at, told_nobody=nobody)
    )


def _is_handed_away(case: Case, step: Step) -> bool:
    """E4, new turn per account: whoever had it has it no longer, and the customer still waits."""
    if case.rules.on_transfer is not OnTransfer.NEW_TURN_PER_ACCOUNT or step.before is None:
        return False
    return step.after is None or step.after.account != step.before.account


def _starts_anew(case: Case, step: Step) -> bool:
    if case.rules.on_transfer is OnTransfer.CLOCK_RESTARTS and isinstance(step.body, Transferred):
        return case.has_started(step) and step is not case.clock_start
    return case.rules.repeated_turns is RepeatedTurns.LAST and case.counts(step)


def _is_courtesy(case: Case, step: Step) -> bool:
    """E12: a closing phrase after we have replied owes nothing."""
    if case.rules.turn_ends is not TurnEnds.CLOSING_PHRASE:
        return False
    if not (isinstance(step.body, CustomerTurn) and step.body.form is Form.CLOSING):
        return False
    steps = case.steps
    return any(reply in steps[: steps.index(step)] for reply in case.replies)


def _start(case: Case, opener: Step) -> int:
    """E7: where the turn's time begins."""
    moved = case.moved(opener.at)
    return opener.at if moved is None else moved


def _fact(case: Case, number: int, turn: Turn) -> ResponseFact:
    step = turn.stopped_by
    if turn.answered and step is not None:
        account = credited_with(case, step)
    elif step is not None:
        account = step.before.account if step.before else ""
    else:
        account = _holder_at(case, turn.stopped_at)
    last = step if step is not None and turn.answered else _before(case, turn)
    took = _duration(case, turn)
    queue = queue_at(case.pieces, last, case.first_queue)
    verdict, why = _verdict(case, number, turn, took, queue)
    ends = [turn.opened_by, *([step] if turn.answered and step else [])]
    return ResponseFact(
        conversation=case.conversation,
        session=case.number,
        turn=number,
        definition=case.label,
        revision=0,
        queue=queue,
        place=case.around.place(account, turn.stopped_at),
        session_started_at=case.steps[0].at,
        started_at=_start(case, turn.opened_by),
        duration_ms=took,
        entry_index=0,
        verdict=verdict,
        why=why,
        customer=case.customer,
        resolution_ms=max(end.body.resolution_ms for end in ends),
    )


def _before(case: Case, turn: Turn) -> Step:
    """The last that happened before the turn ended unanswered: on that queue it was. It waits while its clock does."""
    if turn.stopped_by is None:
        return [one for one in case.steps if one.at < turn.stopped_at or not case.has_started(one)][-1]
    return case.steps[case.steps.index(turn.stopped_by) - 1]


def _duration(case: Case, turn: Turn) -> int | None:
    if not turn.answered or turn.stopped_by is None:
        return None
    if case.reads_as_zero(turn.stopped_by):
        return 0
    start = _start(case, turn.opened_by)
    return 0 if turn.stopped_by.at < start else case.elapsed(start, turn.opened_by, turn.stopped_by)


def _verdict(case: Case, number: int, turn: Turn, took: int | None, queue: str) -> tuple[Verdict | None, Why | None]:
    """What it counts as, and why where that is not its time: from semantics 2 on E11 and E13 hold for turns as well."""
    limit = _limit(case, number)
    if limit is None:
        return None, None
    if took is not None:
        verdict, why = Verdict.MET if case.in_time(took, limit) else Verdict.BREACHED, None
    else:
        verdict, why = _without_reply(case, turn, limit)
    if case.rules.semantics < 2 or case.rules.nobody_online is NobodyOnline.MISS:
        return verdict, why
    start = _start(case, turn.opened_by)
    if not turn.told_nobody and not case.around.nobody_ready(queue, min(start, turn.stopped_at)):
        return verdict, why
    if case.rules.nobody_online is NobodyOnline.LEAVES_METRIC:
        return Verdict.EXCLUDED, Why.NOBODY_ONLINE
    served = turn.answered and verdict is Verdict.MET
    return (verdict, why) if served else (Verdict.BREACHED, Why.NOT_SERVED)


def _without_reply(case: Case, turn: Turn, limit: int) -> tuple[Verdict, Why | None]:
    end = turn.stopped_by
    if case.rules.semantics >= 2 and end is not None and end.ends and own_choice(end):
        waited = case.elapsed(_start(case, turn.opened_by), turn.opened_by, end)
        return left_after(case, waited, limit, kept=waited <= limit)
    dropped = case.rules.never_answered is NeverAnswered.DROPPED
    return (Verdict.EXCLUDED if dropped else Verdict.BREACHED), None


def _limit(case: Case, number: int) -> int | None:
    """How long the reply to a turn may take, None = no matter how long."""
    clock = None if case.owes_nothing else case.clock_start
    running = running_clock(case, clock) if clock is not None else None
    limit: int | None = case.hours.limit(case.steps[0].at) if running is None else running.limit
    if number > 0 and case.rules.next_response_limit_ms is not None:
        limit = case.rules.next_response_limit_ms
    elif number > 0 and case.rules.unit is Unit.SESSION:
        limit = None
    return limit


def _holder_at(case: Case, at: int) -> str:
    before = [step for step in case.steps if step.at < at]
    leg = before[-1].after if before else None
    return leg.account if leg else ""
