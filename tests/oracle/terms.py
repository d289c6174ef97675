"""One session under one definition: which of its events count, and how its time is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sla_engine._core.choices import (
    AnsweredOutOfHours,
    Boundary,
    ClockDomains,
    ClockStart,
    OnTransfer,
    Outbound,
    OutOfHours,
    RepeatedTurns,
    TurnEnds,
    WindowCloses,
)
from sla_engine._core.definition import Definition
from tests.oracle.hours import Hours
from tests.oracle.reading import Piece, Step, is_human, steps_of
from tests.oracle.surroundings import Surroundings
from wire.conversation import Accepted, AgentTurn, Assigned, CustomerTurn, Direction, Form, Offered, Queued, Transferred


@dataclass(frozen=True)
class Case:
    """A session as it is put before a definition.

    first_queue: the first that the conversation ever names. pieces: of it, up to the session's last one. number: of
    the session. until: the record is complete up to here. tells_queue: whether the source that told of the conversation
    first had told a `queued` of anything before.
    """

    conversation: str
    label: str
    number: int
    customer: str
    first_queue: str
    pieces: Sequence[Piece]
    session: Sequence[Piece]
    rules: Definition
    hours: Hours
    around: Surroundings
    until: int
    tells_queue: bool

    @cached_property
    def steps(self) -> list[Step]:
        """From what starts the session on: nothing before it counts."""
        steps = steps_of(self.session)
        for place, step in enumerate(steps):
            if isinstance(step.body, Offered | Queued) or self.counts(step):
                return steps[place:]
        return []

    @cached_property
    def in_session(self) -> list[Step]:
        """From the contact in which it starts on: what was told in one that ended before is not about it."""
        start = next(place for place, piece in enumerate(self.session) if self.steps[0] in piece.steps)
        return steps_of(self.session[start:])

    @cached_property
    def steps_of_turns(self) -> list[Step]:
        """The same; where a turn never stops (E12), with our replies after an end."""
        if self.rules.turn_ends is not TurnEnds.NEVER:
            return self.steps
        later = [step for piece in self.session for step in piece.afterwards if self.is_valid(step)]
        start = self.steps[0]
        return sorted(
            [*self.steps, *(step for step in later if step.at >= start.at)], key=lambda step: (step.at, step.entry)
        )

    @property
    def end(self) -> Step | None:
        last = self.session[-1].steps[-1]
        return last if last.ends else None

    def counts(self, step: Step) -> bool:
        """E14: whether the customer did something that is an enquiry. A courtesy is a text."""
        if not isinstance(step.body, CustomerTurn):
            return False
        form = Form.TEXT if step.body.form is Form.CLOSING else step.body.form
        return form in self.rules.inbound_forms

    def is_valid(self, step: Step) -> bool:
        """E2."""
        return isinstance(step.body, AgentTurn) and step.body.author in self.rules.valid_reply

    @property
    def owes_nothing(self) -> bool:
        """E15: we began, and that is no first response to judge."""
        first = self.steps[0].body
        return (
            self.rules.outbound is Outbound.NO_FIRST_RESPONSE
            and isinstance(first, Offered)
            and first.direction is Direction.OUTBOUND
        )

    @cached_property
    def clock_signal(self) -> Step | None:
        """E1: what starts the clock, whether or not somebody was faster."""
        steps = self.steps
        if self.rules.clock_start is ClockStart.ARRIVAL or self.owes_nothing:
            return steps[0]
        awaited: tuple[type, ...] = (Assigned, Accepted)
        if self.rules.clock_start is ClockStart.QUEUED:
            awaited = (Queued, Assigned, Accepted)
            if not self.tells_queue:
                return self._queue_or_arrival()
        if steps[0].before is not None:
            return steps[0]
        for step in self.in_session:
            if step.after is not None and step not in steps:  # a person had it before it counted as an enquiry
                return steps[0]
            if isinstance(step.body, awaited) or (isinstance(step.body, Transferred) and step.body.account):
                return step if step in steps else steps[0]
        return None

    def _queue_or_arrival(self) -> Step:
        """E1, where nothing is known of the queue: the arrival, unless this is queued while it waits for anybody."""
        arrival = self.steps[0]
        if any(step.after is not None for step in self.in_session[: self.in_session.index(arrival)]):
            return arrival
        opening = self.moved(arrival.at)
        cut_at = None if opening is None else self.cut_at(opening)
        for step in self.steps:
            if step.before or step.after or step.ends or self.is_valid(step) or is_human(step):
                return arrival
            if cut_at is not None and step.at >= cut_at:
                return arrival
            if isinstance(step.body, Queued):
                return step
        return arrival

    @cached_property
    def clock_start(self) -> Step | None:
        """E1: the same, or the start of the session where a person replied before anything was told."""
        signal = self.clock_signal
        for step in self.steps:
            if step is signal:
                return signal
            if self.is_valid(step) and is_human(step):
                return self.steps[0]
        return None

    def has_started(self, step: Step) -> bool:
        """Whether the clock ran when this happened, as far as was told by then."""
        so_far = [one for one in self.steps if (one.at, one.entry) <= (step.at, step.entry)]
        return any(one is self.clock_signal or one in self.replies for one in so_far)

    def had_started(self, step: Step) -> bool:
        """The same of what was written after an end."""
        ran = (one for one in self.steps if one is self.clock_signal or one in self.replies)
        return any((one.at, one.entry) < (step.at, step.entry) for one in ran)

    @cached_property
    def replies(self) -> list[Step]:
        """Valid replies, save those of programs before the clock started."""
        signal = self.clock_signal
        started = False
        found = []
        for step in self.steps:
            started = started or step is signal
            if self.is_valid(step) and (started or is_human(step)):
                started = True
                found.append(step)
        return found

    @cached_property
    def further(self) -> list[Step]:
        """Customer messages of an open turn but its first, as long as nobody has replied: they matter to E5."""
        never_stops = self.rules.turn_ends is TurnEnds.NEVER
        found = []
        is_open = False
        for step in self.steps_of_turns:
            if step in self.replies or step not in self.steps or (step.ends and not never_stops):
                is_open = False
            elif self.counts(step):
                if is_open:
                    found.append(step)
                is_open = True
        return found

    def restarts(self, step: Step) -> bool:
        """Whether the clock of a first response that is owed starts anew here (E4, E5)."""
        if not self.has_started(step):
            return False
        if self.rules.on_transfer is OnTransfer.CLOCK_RESTARTS and isinstance(step.body, Transferred):
            return True
        return self.rules.repeated_turns is RepeatedTurns.LAST and step in self.further

    def is_left_out(self, clock: Step) -> bool:
        """E7, exclude_by_start: by where the clock started first, whatever starts it anew later."""
        return self.rules.out_of_hours is OutOfHours.EXCLUDE_BY_START and not self.is_open(clock.at)

    def counts_only_inside(self, at: int) -> bool:
        """E7, counts_if_answered_inside: a clock that started then is judged if it is answered inside the windows."""
        return self.rules.out_of_hours is OutOfHours.COUNTS_IF_ANSWERED_INSIDE and not self.is_open(at)

    def is_open(self, at: int) -> bool:
        return self.hours.is_open(at)

    def moved(self, at: int) -> int | None:
        """E7: where a clock that starts at `at` starts really. None = never."""
        if self.rules.out_of_hours is not OutOfHours.STARTS_AT_OPENING:
            return at
        return self.hours.next_open(at)

    def cut_at(self, start: int) -> int | None:
        """E8: the instant at which a wait that started then is cut off."""
        if not self.is_open(start):
            return None
        if self.rules.window_closes is WindowCloses.IS_CUT_AT_MIDNIGHT:
            return self.hours.next_midnight(start)
        return self.hours.closes_at(start) if self.rules.window_closes is WindowCloses.IS_CUT else None

    def elapsed(self, start: int, told_by: Step, end: Step) -> int:
        """Time from a start that `told_by` told to what `end` told (E8, E17)."""
        return max(0, self.measured(start, end.at) + self._apart(told_by, end))

    def measured(self, start: int, end: int) -> int:
        if end <= start:
            return end - start
        if self.rules.window_closes is WindowCloses.PAUSES:
            return self.hours.open_ms(start, end)
        return end - start

    def _apart(self, start: Step, end: Step) -> int:
        if self.rules.clock_domains is ClockDomains.AS_STAMPED:
            return 0
        if (start.source, start.body.clock) == (end.source, end.body.clock):
            return 0
        offsets = [self.around.offset(step.source, step.body.clock) for step in (start, end)]
        return 0 if None in offsets else (offsets[1] or 0) - (offsets[0] or 0)

    def in_time(self, elapsed: int, limit: int) -> bool:
        """E16."""
        return elapsed < limit if self.rules.boundary is Boundary.BELOW else elapsed <= limit

    def reads_as_zero(self, reply: Step) -> bool:
        """E9."""
        return self.rules.answered_out_of_hours is AnsweredOutOfHours.ZERO and self.is_answered_outside(reply)

    def is_answered_outside(self, reply: Step) -> bool:
        """E9: a session whose clock first started inside the windows was answered outside them, and not before."""
        began = None if self.clock_start is None or self.owes_nothing else self.moved(self.clock_start.at)
        return began is not None and began <= reply.at and self.is_open(began) and not self.is_open(reply.at)
