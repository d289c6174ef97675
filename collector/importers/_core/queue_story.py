"""An Asterisk queue_log as a story: rows in, in the order of the file, what they add to the record out."""

from collections.abc import Iterator
from typing import Final

import msgspec

from collector.importers._core.plan import Hole, Outcome
from collector.importers._core.queue_calls import Calls
from collector.importers._core.queue_log import (
    CALL_EVENTS,
    KNOWN_NOTES,
    PERSON_EVENTS,
    RESTART,
    Call,
    CallEvent,
    Fault,
    LogRow,
    Note,
    call_event,
    is_event,
)
from collector.importers._core.queue_open import CallLimits, CallsState, as_note
from collector.importers._core.queue_people import People, PersonState
from collector.importers._core.rows import Row
from wire.body import Body
from wire.record import GapReason

STATE_VERSION: Final = 1


class _StoryState(msgspec.Struct, frozen=True):
    version: int
    calls: CallsState
    people: dict[str, PersonState]
    last_at: int | None


def is_of_this_version(state: bytes) -> bool:
    """Whether `Story.restore` can go on from there. What another build left may lack what a row is understood by."""
    try:
        return _decode(state).version == STATE_VERSION
    except msgspec.MsgspecError:
        return False


class Story:
    """Everything the rows so far left open."""

    def __init__(self, limits: CallLimits) -> None:
        self._notes: list[str] = []
        self._calls = Calls(self._note, limits)
        self._people = People()
        self._last_at: int | None = None

    def state(self) -> bytes:
        """What the rows so far left open, as bytes to go on from."""
        return _encode(_StoryState(STATE_VERSION, self._calls.state(), self._people.states, self._last_at))

    def restore(self, state: bytes) -> None:
        """Go on from what `state` left open; `is_of_this_version` said that it can."""
        found = _decode(state)
        self._calls.restore(found.calls)
        self._people.states = found.people
        self._last_at = found.last_at

    @property
    def last_at(self) -> int:
        """The instant (ms) of the last row taken, 0 before the first."""
        return self._last_at or 0

    @property
    def waiting(self) -> int:
        """Calls that the last rows left undecided; they are told when a further row says how they went on."""
        return self._calls.waiting

    @property
    def unfinished(self) -> int:
        """Calls that were told and have not ended."""
        return self._calls.unfinished

    def take(self, row: LogRow) -> Row:
        """What became of a row. Never raises for what a file may hold."""
        self._notes = []
        fault = _fault(row)
        if fault is not None:
            return Row(Outcome.REJECTED, (), *fault)
        told = tuple(self._told(row))
        self._last_at = row.at
        return Row(row.event, told, notes=tuple(self._notes))

    def _told(self, row: LogRow) -> Iterator[Body | Hole]:
        event = call_event(row)
        yield from self._calls.up_to(row.at, self.last_at)
        if event is not None:
            if event.does in (Call.CONNECTS, Call.RINGS) and row.account:
                yield from self._rung(row, event)
            if row.misstates(event):
                self._note(Note.NO_DURATION)
            yield from self._calls.take(row, event)
        elif row.event in PERSON_EVENTS:
            yield from self._people.take(row, PERSON_EVENTS[row.event])
        else:
            if row.event == RESTART:
                yield from self._restarted(row)
            elif row.event not in KNOWN_NOTES:
                self._note(Note.UNKNOWN)
            yield as_note(row)

    def _rung(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        rang_since = row.at - (row.duration(event.ring, event.ring_unit_ms) or 0)
        entered_at = self._calls.entered_at(row)
        if entered_at is None:
            entered_at = row.at - (row.seconds(event.wait) or 0)
        yield from self._people.rung(row, min(entered_at, rang_since), rang_since)

    def _restarted(self, row: LogRow) -> Iterator[Body | Hole]:
        """What was open ended at the last instant that was told, or later; from there on nothing is known."""
        if self._last_at is None:
            return
        yield from self._calls.cut_off(self._last_at)
        yield from self._people.cut_off(self._last_at, row.at)
        since = min(self._last_at, row.at)
        yield Hole(row.at, GapReason.SOURCE_RESTARTED, since, row.at)

    def _note(self, note: Note) -> None:
        if note not in self._notes:
            self._notes.append(note)


def _fault(row: LogRow) -> tuple[Fault, str] | None:
    """Why the row cannot be taken, and in which column."""
    if not is_event(row.event):
        return Fault.NOT_AN_EVENT, "event"
    if row.event in CALL_EVENTS:
        if not row.call:
            return Fault.NO_CALL, "callid"
        if not row.queue:
            return Fault.NO_QUEUE, "queue"
    elif row.event in PERSON_EVENTS and not row.account:
        return Fault.NOBODY, "agent"
    return None


_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_decode: Final = msgspec.msgpack.Decoder(_StoryState).decode
