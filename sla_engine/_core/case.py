"""One session under one definition, as it is looked at afterwards: its fact, what was told of it, its clocks.

Nothing here judges: the fact is the engine's. The clocks are laid out beside it, and must add up to what it says.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from sla_engine._core.calendar import Calendar
from sla_engine._core.choices import AnsweredOutOfHours, OutOfHours, WindowCloses
from sla_engine._core.definition import Definition
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Closed,
    CustomerLeft,
    CustomerTurn,
    Direction,
    Form,
    Offered,
    Queued,
    Transferred,
)
from wire.recorded import Recorded
from wire.verdict import LegFact, ResponseFact, SessionFact, Why

_UNMOVED: Final = frozenset({Form.EDIT, Form.RECALL})
TOLD: Final = (
    Offered,
    Queued,
    Assigned,
    Accepted,
    CustomerTurn,
    AgentTurn,
    Transferred,
    CustomerLeft,
    Closed,
)
"""Bodies that are about one conversation."""


class Interval(NamedTuple):
    """[start, end) in ms since the epoch."""

    start: int
    end: int


class Clock(NamedTuple):
    """One clock of a session. Instants and durations in ms, None where it has not happened.

    ran: when it counted. correction_ms: what two clock domains are apart (E17). total_ms: what the fact says; it is the
    sum of `ran` and the correction.
    """

    started_at: int | None
    due_at: int | None
    stopped_at: int | None
    ran: tuple[Interval, ...]
    correction_ms: int
    total_ms: int | None


class Case:
    """A session fact with what belongs to it.

    conversation: entries about it in order of event time. until: when its next session starts, None where there is
    none. turns, legs: the last word on each of this session.
    """

    def __init__(
        self,
        definition: Definition,
        fact: SessionFact,
        conversation: Sequence[Recorded],
        *,
        until: int | None = None,
        turns: Sequence[ResponseFact] = (),
        legs: Sequence[LegFact] = (),
    ) -> None:
        self.definition: Final = definition
        self.calendar: Final = Calendar(definition)
        self.fact: Final = fact
        self.conversation: Final = conversation
        self.turns: Final = turns
        self.legs: Final = legs
        self.told: Final = [
            entry
            for entry in conversation
            if instant_of(entry) >= fact.started_at and (until is None or instant_of(entry) < until)
        ]

    @property
    def clock_started_at(self) -> int | None:
        """Where the customer's clock started (E1), None = never."""
        if self.fact.clock_started_at is None and self.fact.why is not Why.NEVER_REACHED_A_PERSON:
            return self.fact.started_at
        return self.fact.clock_started_at

    @cached_property
    def reply(self) -> Recorded | None:
        """The reply that answered, None where none did."""
        if self.fact.first_response_ms is None:
            return None
        early = self.fact.first_response_ms == 0 and self.definition.out_of_hours is OutOfHours.STARTS_AT_OPENING
        earliest = self.fact.started_at if early else self.clock_started_at
        if earliest is None:
            return None
        valid = [e for e in _while_open(self.told) if self.is_valid_reply(e) and instant_of(e) >= earliest]
        deciding = next((entry for entry in valid if entry.index == self.fact.entry_index), None)
        # of several within one millisecond, the one before the session began is told apart by the time it would give
        fitting = (e for e in valid if _sum(self._ran(earliest, instant_of(e))) == self.fact.first_response_ms)
        return deciding or next(fitting, None) or next(iter(valid), None)

    @property
    def replied_at(self) -> int | None:
        """When it was answered, ms."""
        return None if self.reply is None else instant_of(self.reply)

    @property
    def wait_ended_at(self) -> int | None:
        """When the customer's wait ended: by a reply, else when it was given up or left; None while it goes on."""
        if self.replied_at is not None:
            return self.replied_at
        started_at, ended_at = self.clock_started_at, self.fact.ended_at
        cut_at = self.cut_at
        if cut_at is None or started_at is None or self.fact.waited_ms != cut_at - started_at:
            return ended_at
        return cut_at if ended_at is None else min(cut_at, ended_at)

    @property
    def cut_at(self) -> int | None:
        """Where the customer's wait is cut (E8); None where it is not, or never began."""
        started_at = self.clock_started_at
        return None if started_at is None else self._cut_of(started_at)

    def cuts_at(self, started_at: int) -> int | None:
        """Where a turn that starts at `started_at` is cut (E8); None where it is not."""
        return self._cut_of(started_at) if self.calendar.is_open(started_at) else None

    def _cut_of(self, started_at: int) -> int | None:
        match self.definition.window_closes:
            case WindowCloses.IS_CUT:
                return self.calendar.closes_at(started_at)
            case WindowCloses.IS_CUT_AT_MIDNIGHT:
                return self.calendar.day_ends_at(started_at)
            case _:
                return None

    def is_valid_reply(self, entry: Recorded) -> bool:
        """Whether the definition takes this for an answer (E2)."""
        return isinstance(entry.body, AgentTurn) and entry.body.author in self.definition.valid_reply

    def is_enquiry(self, entry: Recorded) -> bool:
        """Whether the definition lets this start a turn (E14). A courtesy does where text does, unless E12 says not."""
        if not isinstance(entry.body, CustomerTurn):
            return False
        form = Form.TEXT if entry.body.form is Form.CLOSING else entry.body.form
        return form in self.definition.inbound_forms

    def is_other_inbound(self, entry: Recorded) -> bool:
        """Whether the customer did something that the definition does not take for an enquiry."""
        return isinstance(entry.body, CustomerTurn) and not self.is_enquiry(entry) and entry.body.form not in _UNMOVED

    @property
    def left(self) -> Recorded | None:
        """What told that the customer left, where that decided."""
        ends = (entry for entry in self.told if isinstance(entry.body, CustomerLeft | Closed))
        return next((entry for entry in ends if entry.index == self.fact.entry_index), None)

    @property
    def is_outbound(self) -> bool:
        """Whether we wrote or called first (E15)."""
        offers = (entry.body for entry in self.told if isinstance(entry.body, Offered))
        return any(offer.direction is Direction.OUTBOUND for offer in offers)

    def outlived(self, turn: ResponseFact) -> bool:
        """Whether the conversation ended while a turn was open that was answered all the same (E12)."""
        replied_at = None if turn.duration_ms is None else turn.started_at + turn.duration_ms
        ends = [instant_of(entry) for entry in self.told if isinstance(entry.body, CustomerLeft | Closed)]
        return replied_at is not None and any(turn.started_at < at < replied_at for at in ends)

    def before(self) -> list[Recorded]:
        """What was told before the session began and after the last one ended."""
        found: list[Recorded] = []
        for entry in self.conversation:
            if instant_of(entry) >= self.fact.started_at:
                break
            found.append(entry)
            if isinstance(entry.body, CustomerLeft | Closed):
                found.clear()
        return found

    def waiting(self) -> Iterator[Recorded]:
        """What was told while the first response was owed, the reply itself left out."""
        ended_at = self.wait_ended_at
        for entry in self.told:
            if entry is self.reply or (ended_at is not None and instant_of(entry) > ended_at):
                return
            yield entry

    def returns(self) -> Iterator[tuple[int, int]]:
        """(end, return) of each time the customer came back, up to the end of this session, in ms.

        A return that begins this session belongs to it, one that begins the next does not.
        """
        last = instant_of(self.told[-1]) if self.told else self.fact.started_at
        ended_at: int | None = None
        for entry in self.conversation:
            at = instant_of(entry)
            if ended_at is not None and isinstance(entry.body, Offered | Queued | CustomerTurn):
                if self.fact.started_at <= at <= last:
                    yield ended_at, at
                ended_at = None
            if isinstance(entry.body, CustomerLeft | Closed):
                ended_at = at

    def customer_clock(self) -> Clock:
        """From the start by E1 to the reply, or to when the customer left or was given up."""
        fact, started_at = self.fact, self.clock_started_at
        if fact.why in {Why.OUTBOUND, Why.ARRIVED_OUT_OF_HOURS} and fact.first_response_ms is None:
            return Clock(started_at, None, None, (), 0, None)
        total_ms = fact.waited_ms if fact.first_response_ms is None else fact.first_response_ms
        stopped_at = self.wait_ended_at
        ran = self._ran(started_at, stopped_at)
        correction_ms = 0 if total_ms is None else total_ms - _sum(ran)
        return Clock(started_at, fact.due_at, stopped_at, ran, correction_ms, total_ms)

    def seat_clock(self) -> Clock | None:
        """From the assignment of the answering leg to its reply; None where the source told no assignment."""
        seat_ms, replied_at = self.fact.seat_response_ms, self.replied_at
        if seat_ms is None or replied_at is None:
            return None
        started_at = replied_at - seat_ms
        return Clock(started_at, None, replied_at, (Interval(started_at, replied_at),), 0, seat_ms)

    def _ran(self, started_at: int | None, stopped_at: int | None) -> tuple[Interval, ...]:
        if started_at is None or stopped_at is None or stopped_at <= started_at:
            return ()
        if self.fact.answered_out_of_hours and self.definition.answered_out_of_hours is AnsweredOutOfHours.ZERO:
            return ()
        if self.definition.window_closes is WindowCloses.PAUSES:
            return tuple(open_intervals(self.calendar, started_at, stopped_at))
        return (Interval(started_at, stopped_at),)


def open_intervals(calendar: Calendar, start: int, end: int) -> Iterator[Interval]:
    """The parts of [start, end) that lie inside the service window."""
    at = calendar.next_open(start)
    while at is not None and at < end:
        closes_at = min(calendar.closes_at(at), end)
        yield Interval(at, closes_at)
        at = calendar.next_open(closes_at)


def _sum(ran: Sequence[Interval]) -> int:
    return sum(end - start for start, end in ran)


def _while_open(told: Sequence[Recorded]) -> Iterator[Recorded]:
    """Without what our side wrote between the end of a contact and the customer's return, which answers nothing."""
    is_open = False
    for entry in told:
        if isinstance(entry.body, Offered | Queued | CustomerTurn):
            is_open = True
        if is_open:
            yield entry
        if isinstance(entry.body, CustomerLeft | Closed):
            is_open = False


def instant_of(entry: Recorded) -> int:
    """Event time of an entry, ms; when it came in, where this build cannot read its body."""
    return entry.received_at if entry.body is None else entry.body.occurred_at
