"""One row of a call detail record: what it is, and the events it tells."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from collector._core.personal import is_telephone_number
from collector.importers._core.durations import DurationReader
from collector.importers._core.folds import Lengths, Reading, Told, readings
from collector.importers._core.plan import (
    Ambiguous,
    AnswerAt,
    Condition,
    Fault,
    Hole,
    Note,
    Outcome,
    Places,
    Plan,
    Rule,
)
from collector.importers._core.text import REPLACEMENT, as_wide, plain
from collector.importers._core.times import Moment, Offsets, TimeReader, instants, nearest
from wire.body import Body
from wire.conversation import (
    AgentTurn,
    Assigned,
    Channel,
    Closed,
    ClosedBy,
    CustomerLeft,
    Direction,
    Offered,
    Queued,
)
from wire.ids import is_derived, is_name
from wire.limits import INSTANT_MAX_MS


class Row(NamedTuple):
    """What became of a row. outcome: an Outcome, or what its format calls such a row.

    reason and column (its heading) only where it was rejected. numbers: how many a rejected one takes: as many as it
    would have told events, where another day would take it, so that the rows after it keep their numbers.
    """

    outcome: str
    bodies: tuple[Body | Hole, ...] = ()
    reason: str = ""
    column: str = ""
    notes: tuple[str, ...] = ()
    numbers: int = 1


class Readers(NamedTuple):
    """What reads cells of this format. nothing: words that stand for an empty cell, in lower case."""

    times: TimeReader
    durations: DurationReader
    offsets: Offsets
    nothing: frozenset[str]


class _RejectedRow(Exception):
    """The row cannot be taken."""

    def __init__(self, fault: Fault, column: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.column = column


class _Times(NamedTuple):
    """Instants of a row in ms, None where the file says none. exit_from, end_from: the columns they were told by.

    assigned: when somebody got it; None where no column says that apart from the reply or the end.
    """

    offered: int
    queue_entry: int
    queue_exit: int
    service_start: int | None
    service_end: int | None
    assigned: int | None
    exit_from: Places
    end_from: Places


_JOINT: Final = "-"


class RowReader:
    """Reads the rows of one file.

    first_seen(conversation) is False for an id that an earlier row had. latest: the last instant (ms) that a ledger
    takes. A row that reaches beyond it is rejected whole: taken by half, it would be a call that never ends.
    """

    def __init__(self, plan: Plan, readers: Readers, first_seen: Callable[[str], bool], latest: int) -> None:
        self._plan = plan
        self._readers = readers
        self._first_seen = first_seen
        self._latest = latest

    def read(self, cells: Sequence[str]) -> Row:
        """What `cells` (as in the file) are and tell. Never raises for what a file may hold."""
        try:
            return self._read(self._plainly(cells))
        except _RejectedRow as rejected:
            return Row(Outcome.REJECTED, (), rejected.fault, rejected.column)

    def _plainly(self, cells: Sequence[str]) -> list[str]:
        """Cells made plain and translated, as many as the header has."""
        plan = self._plan
        for place, cell in enumerate(cells):
            if REPLACEMENT in cell:
                raise _RejectedRow(Fault.NOT_TEXT, plan.header[place] if len(cells) == len(plan.header) else "")
        there = as_wide(cells, len(plan.header), plan.read)
        if there is None:
            raise _RejectedRow(Fault.CELLS_MISSING)
        found = []
        for cell in there:
            text = plain(cell)
            found.append("" if text.casefold() in self._readers.nothing else text)
        for place, meanings in plan.values.items():
            found[place] = meanings.get(found[place], found[place])
        for places, when in plan.absent:
            if _holds(when, found):
                for place in places:
                    found[place] = ""
        return found

    def _read(self, cells: list[str]) -> Row:
        plan = self._plan
        rule = next((rule for rule in plan.rules if _holds(rule.when, cells)), None)
        if rule is None:
            raise _RejectedRow(Fault.NO_RULE)
        if rule.outcome is Outcome.REJECTED:
            return Row(Outcome.REJECTED, (), rule.reason)
        notes = [name for name, when in plan.notes if _holds(when, cells)]
        conversation = self._id(plan.conversation, cells)
        times = None if rule.outcome is Outcome.NEVER_QUEUED else self._times(cells, rule.outcome, notes)
        bodies = [] if times is None else self._bodies(cells, rule, conversation, times, notes)
        if not self._first_seen(conversation):
            raise _RejectedRow(Fault.ID_REPEATED, plan.header[plan.conversation[0]])
        if times is not None and any(body.occurred_at > self._latest for body in bodies):
            column = self._beyond(times, self._latest)
            return Row(Outcome.REJECTED, (), Fault.IN_FUTURE, column, numbers=len(bodies))
        return Row(rule.outcome, tuple(bodies), notes=tuple(notes))

    def _bodies(
        self, cells: Sequence[str], rule: Rule, conversation: str, times: _Times, notes: list[str]
    ) -> list[Body]:
        plan = self._plan
        queue = plan.constant_queue or self._id(plan.queue, cells)
        account = self._id(plan.account, cells) if any(cells[place] for place in plan.account) else ""
        head = (plan.resolution_ms, plan.clock, None, plan.synced, conversation)
        bodies: list[Body] = [
            Offered(times.offered, *head, conversation, queue, plan.channel, Direction.INBOUND),
        ]
        if plan.offered:
            bodies.append(Queued(times.queue_entry, *head, conversation, queue))
        if account and times.assigned is not None:  # else there is no seat's clock: whose it was, only the reply says
            bodies.append(Assigned(times.assigned, *head, conversation, account, queue))
        if rule.outcome is Outcome.ABANDONED:
            left_at = times.queue_exit if times.assigned is None else times.service_end or times.queue_exit
            bodies.append(CustomerLeft(left_at, *head, conversation, rule.left))
            return bodies
        answered_at, ended_at = self._service(times, notes)
        bodies.append(AgentTurn(answered_at, *head, conversation, account))
        bodies.append(Closed(ended_at, *head, conversation, ClosedBy.SYSTEM))
        return bodies

    # -------------------------------------------------------------------------------------------------------- cells

    def _id(self, places: Places, cells: Sequence[str]) -> str:
        """The id in these columns, all of them joined."""
        parts = [cells[place] for place in places]
        for place, part in zip(places, parts, strict=True):
            if not part:
                raise _RejectedRow(Fault.NOTHING_THERE, self._plan.header[place])
            if not is_name(part) or is_derived(part):
                raise _RejectedRow(Fault.NOT_AN_ID, self._plan.header[place])
            if is_telephone_number(part):
                raise _RejectedRow(Fault.PERSONAL, self._plan.header[place])
        name = _JOINT.join(parts)
        if not is_name(name):
            raise _RejectedRow(Fault.NOT_AN_ID, self._plan.header[places[0]])
        return name

    def _duration(self, places: Places, cells: Sequence[str]) -> int | None:
        for place in places:
            if cells[place]:
                read = self._readers.durations.read(cells[place])
                if read is None:
                    raise _RejectedRow(Fault.NOT_A_DURATION, self._plan.header[place])
                return read
        return None

    def _moment(self, places: Places, cells: Sequence[str], anchor: Moment | None) -> tuple[Moment, int] | None:
        """What the first filled of these columns says, and its place."""
        for place in places:
            if cells[place]:
                moment = self._readers.times.read(cells[place])
                if moment is None:
                    raise _RejectedRow(Fault.NOT_A_TIME, self._plan.header[place])
                if anchor is not None:
                    moment = nearest(moment, anchor)
                if moment.day is None and moment.instant is None:
                    raise _RejectedRow(Fault.NOTHING_THERE, self._date_heading(place))
                return moment, place
        return None

    def _date_heading(self, place: int) -> str:
        return self._plan.header[self._plan.date[0] if self._plan.date else place]

    def _anchor(self, cells: Sequence[str]) -> Moment | None:
        """The moment that the row's date belongs to: without a time of day, noon, which no clock change touches."""
        plan = self._plan
        if not plan.date or not cells[plan.date[0]]:
            return None
        day = self._readers.times.read_date(cells[plan.date[0]])
        if day is None:
            raise _RejectedRow(Fault.NOT_A_TIME, plan.header[plan.date[0]])
        text = cells[plan.date_of[0]]
        if not text:
            return Moment(day, _NOON)
        moment = self._readers.times.read(text)
        if moment is None:
            raise _RejectedRow(Fault.NOT_A_TIME, plan.header[plan.date_of[0]])
        return Moment(day, moment.ms) if moment.day is None and moment.instant is None else moment

    def _candidates(self, places: Places, cells: Sequence[str], anchor: Moment | None) -> tuple[tuple[int, ...], str]:
        """The instants these columns can mean, and the heading of the one that was read; none where all are empty."""
        read = self._moment(places, cells, anchor)
        if read is None:
            return (), ""
        moment, place = read
        column = self._plan.header[place]
        found = instants(moment, self._readers.offsets)
        if not found:
            raise _RejectedRow(Fault.TIME_SKIPPED, column)
        if not all(0 <= instant <= INSTANT_MAX_MS for instant in found):
            raise _RejectedRow(Fault.OUT_OF_RANGE, column)
        return found, column

    # -------------------------------------------------------------------------------------------------------- times

    def _times(self, cells: Sequence[str], outcome: Outcome, notes: list[str]) -> _Times:
        plan = self._plan
        wait = self._duration(plan.wait, cells)
        is_answered = outcome is Outcome.ANSWERED
        service = self._duration(plan.service, cells) if is_answered else None
        lengths = Lengths(wait, service, plan.wait_within_ms, 2 * plan.resolution_ms)
        read = self._read_times(cells, lengths, notes, is_answered=is_answered)
        offered, queue_entry, queue_exit, start, end = read
        is_told = queue_exit is not None
        if queue_exit is None and wait is not None:
            queue_exit = queue_entry + wait
        if is_answered and end is None and service is not None:
            begins = queue_exit if queue_exit is not None else start
            end = None if begins is None else begins + service
        assigned = queue_exit if self._tells_hands(cells, is_told=is_told, is_answered=is_answered) else None
        if assigned is not None and end is None and not is_answered:
            raise _RejectedRow(Fault.NOTHING_THERE, plan.header[plan.service_end[0]])
        if queue_exit is None:
            queue_exit = end if start is None else start
        if queue_exit is None:
            raise _RejectedRow(
                Fault.NOTHING_THERE, plan.header[(plan.queue_exit or plan.wait or plan.service_start)[0]]
            )
        exit_from = (
            plan.queue_exit if read.queue_exit is not None else plan.service_start if wait is None else plan.wait
        )
        end_from = plan.service_end if read.service_end is not None else plan.service
        times = _Times(
            *(queue_entry if offered is None else offered, queue_entry, queue_exit, start, end, assigned),
            *(exit_from, end_from),
        )
        column = self._beyond(times, INSTANT_MAX_MS)
        if column:
            raise _RejectedRow(Fault.OUT_OF_RANGE, column)
        return times

    def _tells_hands(self, cells: Sequence[str], *, is_told: bool, is_answered: bool) -> bool:
        """Whether leaving the queue was coming into somebody's hands, and no reply or end that stands in for it."""
        plan = self._plan
        if plan.channel is not Channel.CHAT:
            return is_answered
        if not plan.is_written or not is_told:
            return plan.is_written and is_answered and bool(plan.wait)
        place = next(place for place in plan.queue_exit if cells[place])
        return place not in (*plan.service_start, *plan.service_end) and (is_answered or bool(plan.service_end))

    def _beyond(self, times: _Times, latest: int) -> str:
        """The heading of what makes a row reach beyond `latest`: a time, or the length it was reckoned with; ""."""
        plan = self._plan
        said = (
            (times.queue_entry, plan.queue_entry),
            (times.queue_exit, times.exit_from),
            (times.service_start, plan.service_start),
            (times.service_end, times.end_from),
        )
        late = next((places for at, places in said if at is not None and at > latest), ())
        return plan.header[late[0]] if late else ""

    def _read_times(self, cells: Sequence[str], lengths: Lengths, notes: list[str], *, is_answered: bool) -> Reading:
        """Its instants. Where the clock showed one twice, order and lengths decide, and the mapping what they leave."""
        plan = self._plan
        anchor = self._anchor(cells)
        served = (
            (plan.service_start, plan.service_end) if is_answered else ((), plan.service_end if plan.is_written else ())
        )
        columns = (plan.offered, plan.queue_entry, plan.queue_exit, *served)
        told, headings = zip(*(self._candidates(places, cells, anchor) for places in columns), strict=True)
        if not told[1]:
            raise _RejectedRow(Fault.NOTHING_THERE, plan.header[plan.queue_entry[0]])
        found = readings(Told(*told), lengths)
        if not found:
            raise _RejectedRow(Fault.WAIT_CONTRADICTS, plan.header[plan.wait[0]])
        open_to_choice = [len(set(way)) > 1 for way in zip(*found, strict=True)]
        if any(open_to_choice):
            if plan.ambiguous is Ambiguous.REJECT:
                raise _RejectedRow(Fault.TIME_TWICE, headings[open_to_choice.index(True)])
            notes.append(Note.TIME_TWICE)
        read = found[0 if plan.ambiguous is not Ambiguous.LATER else -1]
        if read.queue_exit is not None and read.queue_exit < read.queue_entry:
            raise _RejectedRow(Fault.ENDS_BEFORE_START, headings[2])
        if (
            not is_answered
            and read.service_end is not None
            and read.service_end < (read.queue_exit or read.queue_entry)
        ):
            raise _RejectedRow(Fault.ENDS_BEFORE_START, headings[4])
        if read.offered is not None and read.offered > read.queue_entry:
            raise _RejectedRow(Fault.ENDS_BEFORE_START, headings[0])
        return read

    def _service(self, times: _Times, notes: list[str]) -> tuple[int, int]:
        """Instants of the answer and of the end. A clock that is one step behind another makes no contradiction."""
        answered_at = times.queue_exit
        tolerated = 2 * self._plan.resolution_ms
        if self._plan.answer_at is AnswerAt.SERVICE_START:
            if times.service_start is None:
                raise _RejectedRow(Fault.NOTHING_THERE, self._plan.header[self._plan.service_start[0]])
            if times.service_start < times.queue_entry - tolerated:
                raise _RejectedRow(Fault.ENDS_BEFORE_START, self._plan.header[self._plan.service_start[0]])
            answered_at = max(times.service_start, times.queue_exit)
        if times.service_start is not None and times.service_start < times.queue_exit - tolerated:
            notes.append(Note.SERVICE_BEFORE_ANSWER)
        if times.service_end is None:
            notes.append(Note.END_MISSING)
            return answered_at, answered_at
        if times.service_end < answered_at - tolerated:
            notes.append(Note.END_BEFORE_ANSWER)
        return answered_at, max(times.service_end, answered_at)


# Format: half a day.
_NOON: Final = 43_200_000


def _holds(when: Sequence[Condition], cells: Sequence[str]) -> bool:
    return all((cells[place] in values) is not negated for place, values, negated in when)
