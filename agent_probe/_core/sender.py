"""Which frame goes next: wanted ranges, what a new hub must be told again, then the oldest epoch's next rows."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from agent_probe._core.epochs import EpochState, FinishedEpoch
from agent_probe._core.gone import Run, lost_row
from agent_probe._core.pace import Pace
from agent_probe._core.retelling import Retelling
from agent_probe._core.storage import Row, Storage
from wire.frame import Ack, Frame, Item, Lane
from wire.limits import FRAME_ITEMS_MAX, FRAME_VERSION, GONE_RANGES_MAX
from wire.record import GapReason

# Format: MessagePack, as bodies travel in frames.
ITEM_COST: Final = 32
"""Bytes, at most, that MessagePack adds to a body: array head, sequence, kind, version, empty event id."""

Lose = Callable[[EpochState, Sequence[Run]], None]
IsDoomed = Callable[[Row], bool]


class SenderLimits(NamedTuple):
    """Times in ms, sizes in bytes. row_interval_ms, burst_rows: see `Pace`."""

    resend_ms: int
    in_flight: int
    frame_bytes: int
    row_interval_ms: int
    burst_rows: int


class Flight(NamedTuple):
    """A frame sent and not yet acknowledged: it settles first..last of its epoch."""

    epoch: bytes
    first: int
    last: int
    asked_for: bool


class Sender:
    """The sending half of the outbox.

    `lose(state, runs)` is told of rows that turned out missing or damaged. `is_doomed(row)`: whether it was given up
    though it could not be deleted yet.
    """

    def __init__(
        self,
        storage: Storage,
        limits: SenderLimits,
        retelling: Retelling,
        *,
        source: str,
        lose: Lose,
        is_doomed: IsDoomed,
    ) -> None:
        self._storage = storage
        self._retelling = retelling
        self._limits = limits
        self._source = source
        self._lose = lose
        self._is_doomed = is_doomed
        self._flights: list[Flight] = []
        self._moved_at = 0
        self._pace = Pace(limits.row_interval_ms, limits.burst_rows)
        self.resends = 0
        self.refused_acks = 0

    def next_frame(self, epochs: Sequence[EpochState], now: int) -> Frame | None:
        """The frame to publish now, or None."""
        if _awaits_ack(epochs) and now - self._moved_at >= self._limits.resend_ms:
            self.resends += 1
            self.rewind(epochs, now)
        if self._ready_at(epochs, now) > now:
            return None
        for state in epochs:
            if state.wanted:
                return self._answer(state, now)
        room = self._limits.in_flight - len(self._flights)
        if room > 0 and (told := self._retelling.next(now)) is not None:
            return self._tell(told, now)
        if room <= self._retelling.in_flight:
            return None
        for state in epochs:
            if state.cursor < state.last:
                frame, end = self._build(state, state.cursor + 1, state.last, now)
                self._depart(Flight(state.epoch, state.cursor + 1, end, asked_for=False), frame, now)
                state.cursor = end
                state.sent = max(state.sent, end)
                return frame
        return None

    def next_due(self, epochs: Sequence[EpochState], now: int) -> int | None:
        """When to ask next_frame again, or None."""
        room = self._limits.in_flight - len(self._flights)
        has_room = room > self._retelling.in_flight
        times = [self._moved_at + self._limits.resend_ms] if _awaits_ack(epochs) else []
        if any(state.wanted or (has_room and state.cursor < state.last) for state in epochs):
            times.append(self._ready_at(epochs, now))
        if room > 0 and (due := self._retelling.next_due(now)) is not None:
            times.append(max(self._ready_at(epochs, now), due))
        return min(times, default=None)

    def _ready_at(self, epochs: Sequence[EpochState], now: int) -> int:
        """When the next batch may go: of what is wanted, else of what was never sent."""
        wanted = (last - first + 1 for state in epochs for first, last in state.wanted)
        unsent = (state.last - state.cursor for state in epochs if state.cursor < state.last)
        waiting = next(wanted, None) or next(unsent, 0)
        return self._pace.ready_at(now, self._pace.batch(waiting))

    def rewind(self, epochs: Sequence[EpochState], now: int) -> None:
        """Everything above the collector's marks is to go again."""
        self._flights.clear()
        self._moved_at = now
        self._retelling.reconnected()
        for state in epochs:
            state.rewind()

    def acknowledge(self, state: EpochState, ack: Ack, now: int) -> bool:
        """Move the mark of `state` and note what is wanted. False if the ack is for something never sent."""
        mark = ack.acknowledged_through
        if state.inherited:
            further = max([mark, *(wanted.last for wanted in ack.wanted)])
            if further > state.last:
                state.cursor = further if state.cursor == state.last else state.cursor
                state.last = further
            state.sent = state.last
        if mark > state.sent:
            self.refused_acks += 1
            return False
        if mark > state.acknowledged:
            state.acknowledged = mark
            state.cursor = max(state.cursor, mark)
            state.gone.forget_through(mark)
            self._flights = [f for f in self._flights if f.epoch != state.epoch or f.last > mark]
            self._moved_at = now
        state.wanted = [
            (max(wanted.first, state.acknowledged + 1), min(wanted.last, state.sent))
            for wanted in ack.wanted
            if not self._is_on_its_way(state, wanted.first, wanted.last)
        ]
        state.wanted = [(first, last) for first, last in state.wanted if first <= last]
        return True

    def _is_on_its_way(self, state: EpochState, first: int, last: int) -> bool:
        """Whether an earlier request for it was answered and that answer is still out."""
        return any(
            f.asked_for and f.epoch == state.epoch and f.first <= last and f.last >= first for f in self._flights
        )

    def _answer(self, state: EpochState, now: int) -> Frame:
        """The first wanted range again. The flights that carried it are lost, so it takes their place in the window."""
        first, through = state.wanted.pop(0)
        frame, end = self._build(state, first, through, now)
        if end < through:
            state.wanted.insert(0, (end + 1, through))
        self._flights = [
            f for f in self._flights if f.asked_for or f.epoch != state.epoch or f.last < first or f.first > end
        ]
        if len(self._flights) + self._retelling.in_flight >= self._limits.in_flight and self._flights:
            self._flights.pop()
        self._depart(Flight(state.epoch, first, end, asked_for=True), frame, now)
        return frame

    def _tell(self, told: FinishedEpoch, now: int) -> Frame:
        """Nothing of that epoch is held up to its last number: what the hub lacks of it is lost."""
        self._pace.spend(now, 1)
        return Frame(FRAME_VERSION, self._source, told.epoch, Lane.BACKLOG, told.last + 1, [], [])

    def _depart(self, flight: Flight, frame: Frame, now: int) -> None:
        if not self._flights:
            self._moved_at = now
        self._flights.append(flight)
        self._pace.spend(now, len(frame.items))

    def _build(self, state: EpochState, first: int, through: int, now: int) -> tuple[Frame, int]:
        """A frame that settles sequences from `first` on, and the last one it settles (at most `through`)."""
        rows, end = self._take(state, first, through, min(FRAME_ITEMS_MAX, self._pace.allowance(now)))
        self._declare_missing(state, rows, first, end)
        held = [row for row in rows if row.intact and not self._is_doomed(row)]
        gone = state.gone.declared(first, end, (row.sequence for row in held))
        if len(gone) > GONE_RANGES_MAX:
            end = gone[GONE_RANGES_MAX].first - 1
            gone = gone[:GONE_RANGES_MAX]
        opening = state.acknowledged == 0
        frame = Frame(
            FRAME_VERSION,
            self._source,
            state.epoch,
            Lane.BACKLOG,
            self._base(state, first, end),
            gone,
            [
                Item(row.sequence, row.kind, row.kind_version, msgspec.Raw(row.body))
                for row in held
                if row.sequence <= end
            ],
            state.prev_epoch if opening else None,
            state.prev_last if opening else None,
        )
        return frame, end

    def _base(self, state: EpochState, first: int, end: int) -> int:
        """The lowest sequence held, as far as this frame may say it.

        What lies below it and is not in `gone` counts as lost; so it must not pass what other frames declare.
        """
        mark = state.acknowledged
        span = self._storage.span(state.epoch)
        lowest = span[0] if span else state.last + 1
        elsewhere = state.gone.within(mark, first - 1) if first > mark + 1 else []
        return min(max(lowest, mark + 1), end + 1, *(max(run.first, mark + 1) for run in elsewhere))

    def _take(self, state: EpochState, first: int, through: int, rows_most: int) -> tuple[list[Row], int]:
        """Rows that fit one frame, at most `rows_most`, and the sequence up to which they say everything."""
        room = self._limits.frame_bytes
        rows: list[Row] = []
        found = self._storage.rows(state.epoch, first, rows_most)
        for row in found:
            room -= len(row.body) + ITEM_COST
            if row.sequence > through:
                return rows, through
            if rows and room < 0:
                return rows, row.sequence - 1
            rows.append(row)
        return rows, through if len(found) < rows_most else rows[-1].sequence

    def _declare_missing(self, state: EpochState, rows: Sequence[Row], first: int, end: int) -> None:
        """Make runs of damaged rows, and of holes that `base` does not say already because something older is held."""
        runs = [
            lost_row(row.sequence, row.drop_class, GapReason.ROW_CORRUPT)
            for row in rows
            if not row.intact and not self._is_doomed(row)
        ]
        span = self._storage.span(state.epoch)
        at = max(first, span[0] if span else end + 1)
        for sequence in [*(row.sequence for row in rows), end + 1]:
            holes = state.gone.holes_between(at, sequence - 1) if sequence > at else []
            runs.extend(Run(hole_first, hole_last, GapReason.OUTBOX_LOST) for hole_first, hole_last in holes)
            at = sequence + 1
        if runs:
            self._lose(state, runs)


def _awaits_ack(epochs: Sequence[EpochState]) -> bool:
    """Whether something was sent and is not acknowledged.

    Not the same as having flights: a wanted range answered in part of a wider flight takes that flight's place.
    """
    return any(state.cursor > state.acknowledged for state in epochs)
