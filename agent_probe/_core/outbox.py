"""The outbox: what the probe has said and the collector has not yet made durable.

Rules (docs/reference/architecture.md):

1. A row keeps the epoch, number and exact bytes it was put with; every start of the process is a new epoch.
2. A row is forgotten only when the collector's mark is past it, or when room runs out; then it is declared in `gone`
   until the mark is past it too. Lowest class first, longest held first within a class; past `keep_ms` whatever the
   class. Losses beyond `runs_max` are kept as fewer, wider runs with held rows in them (`GoneSet`): they cost no row.
3. At most `in_flight` frames are unacknowledged. When the mark has not moved for `resend_ms`, everything above it goes
   again.
4. Ranges the collector wants go first. What turns out to be missing here is declared, so that its mark never stands
   still for ever.
5. A hub that was started anew may have opened an older copy of its ledger: it is told again how far the present epoch
   and the newest `finished_max` finished ones had come, so that it declares what it lacks of them.

Ages are counted in outbox time: the time this and earlier processes ran, never the wall clock, so a clock that jumps a
day (or a machine that starts in 1970) expires nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agent_probe._core.epochs import META_VERSION, EpochState, FinishedEpoch, Meta, decode_meta, encode_meta
from agent_probe._core.gone import Run, lost_row
from agent_probe._core.retelling import Retelling
from agent_probe._core.sender import Sender, SenderLimits
from agent_probe._core.storage import DropClass, Row, RowHead, RowRange, Storage, StorageFull
from wire.errors import require
from wire.frame import Ack, Frame
from wire.record import GapReason


class OutboxLimits(NamedTuple):
    """How much is kept and how it is sent. Times in ms, sizes in bytes. row_interval_ms, burst_rows: see `Pace`.

    trim_parts: an overflowing outbox frees one of so many parts of its room at once, so that not every further event
    pays for a trim; trim_rows: but looks at no more rows at a time, so that none of them waits long for it;
    trim_rows_full: and gives up no more where the disk is full. reserved_rows: sequences the note beside the file is
    ahead of the rows, the most by which a declared loss can be too large. asides_kept: damaged files.
    log_reserve_bytes: room kept for the file's log.
    """

    keep_ms: int
    keep_bytes: int
    resend_ms: int
    in_flight: int
    frame_bytes: int
    row_interval_ms: int
    burst_rows: int
    expiry_check_ms: int
    runs_max: int
    finished_max: int
    trim_parts: int
    trim_rows: int
    trim_rows_full: int
    reserved_rows: int
    asides_kept: int
    log_reserve_bytes: int


class OutboxCounts(NamedTuple):
    """What an observer may want to know. dropped: rows given up, by class name."""

    rows: int
    size: int
    dropped: dict[str, int]
    full: int
    resends: int
    refused_acks: int


class Outbox:
    """One probe's outbox over a Storage. `now` is any monotonic clock in ms that counts suspended time."""

    def __init__(self, storage: Storage, limits: OutboxLimits, *, source: str, epoch: bytes, now: int) -> None:
        """Resume what `storage` holds and begin `epoch`. Raises StorageCorrupt."""
        self._storage = storage
        self._limits = limits
        self._doomed: list[RowRange] = []
        self._unwritten = True
        self._dropped: Counter[DropClass] = Counter()
        self._full = 0
        self._rows = Counter({tally.drop_class: tally.rows for tally in storage.tallies()})
        self._size = sum(tally.size for tally in storage.tallies())
        self._epochs: list[EpochState] = []
        self._retelling = self._resume()
        self._time_offset = storage.newest_held_at() - now
        self._expiry_due = now
        self._current = self._begin(epoch)
        self._sender = Sender(
            storage,
            SenderLimits(
                limits.resend_ms, limits.in_flight, limits.frame_bytes, limits.row_interval_ms, limits.burst_rows
            ),
            self._retelling,
            source=source,
            lose=self._lose,
            is_doomed=lambda row: any(span.covers(row) for span in self._doomed),
        )

    @property
    def epoch(self) -> bytes:
        """The epoch of this start."""
        return self._current.epoch

    @property
    def last_sequence(self) -> int:
        """The highest number given out in this epoch, 0 if none."""
        return self._current.last

    @property
    def epochs_before(self) -> list[tuple[bytes, int]]:
        """Each epoch before the present one that may have to be told of, oldest first, and its highest sequence."""
        return self._known()[:-1]

    @property
    def is_past_half(self) -> bool:
        """Whether more than half of the room is taken."""
        return 2 * self._size > self._limits.keep_bytes

    @property
    def settled(self) -> bool:
        """Whether the collector is past everything put so far, and has been told again what it may have lost."""
        return self._retelling.done and all(state.finished for state in self._epochs)

    def counts(self) -> OutboxCounts:
        """Figures for heartbeats and logs."""
        return OutboxCounts(
            rows=self._rows.total(),
            size=self._size,
            dropped={drop_class.name.lower(): count for drop_class, count in self._dropped.items()},
            full=self._full,
            resends=self._sender.resends,
            refused_acks=self._sender.refused_acks,
        )

    def put(self, kind: int, kind_version: int, body: bytes, drop_class: DropClass, *, now: int) -> int:
        """Keep an event; durable when this returns its sequence.

        Returns 0 when there is no room for it even after dropping what is worth less: it is then declared gone.
        Raises StorageCorrupt.
        """
        sequence = self._current.last + 1
        row = Row(self.epoch, sequence, kind, kind_version, body, drop_class, now + self._time_offset)
        kept = self._append(row)
        self._current.last = sequence
        if not kept:
            self._dropped[drop_class] += 1
            self._current.gone.add(lost_row(sequence, drop_class, GapReason.OVERFLOW))
            self._delete([])
            return 0
        self._rows[drop_class] += 1
        self._size += row.size
        self._trim(now)
        return 0 if self._current.gone.within(sequence - 1, sequence) else sequence

    def next_frame(self, now: int) -> Frame | None:
        """The frame to publish now, from here on in flight; None if it is not its time. Raises StorageCorrupt."""
        return self._sender.next_frame(self._epochs, now)

    def next_due(self, now: int) -> int | None:
        """When next_frame may have something; None while only a put, an ack or a reconnection can change that."""
        return self._sender.next_due(self._epochs, now)

    def reconnected(self, now: int) -> None:
        """A new connection: nothing sent on the old one is trusted to have arrived."""
        self._sender.rewind(self._epochs, now)

    def acknowledge(self, ack: Ack, now: int) -> bool:
        """Take in what the collector says. Raises StorageCorrupt.

        Returns False if it speaks of an epoch or a sequence we never sent; it then says no more than who answers.
        """
        current = self._current
        known = self._retelling.heard(ack, FinishedEpoch(current.epoch, current.acknowledged))
        state = next((state for state in self._epochs if state.epoch == ack.epoch), None)
        if state is None:
            return known
        before = state.acknowledged
        if not self._sender.acknowledge(state, ack, now):
            return False
        if state.acknowledged > before:
            self._epochs = [s for s in self._epochs if s is current or not s.finished]
            if state.finished and state is not current:
                self._retelling.finish(state.epoch, state.last)
            self._delete([RowRange(state.epoch, 1, state.acknowledged)])
        return True

    # --- starting

    def _resume(self) -> Retelling:
        stored = self._storage.meta()
        meta = Meta(META_VERSION, [], None, None) if stored is None else decode_meta(stored)
        finished = meta.finished
        if not finished and meta.forgotten_epoch is not None and meta.forgotten_last is not None:
            finished = [FinishedEpoch(meta.forgotten_epoch, meta.forgotten_last)]
        limits = self._limits
        retelling = Retelling(finished, meta.told_at, finished_max=limits.finished_max, resend_ms=limits.resend_ms)
        for kept in meta.epochs:
            span = self._storage.span(kept.epoch)
            state = EpochState.resumed(kept, span[1] if span else 0)
            if not state.finished:
                self._epochs.append(state)
            elif state.last:
                retelling.finish(state.epoch, state.last)
        return retelling

    def _begin(self, epoch: bytes) -> EpochState:
        previous = self._known()[-1:]
        require(all(state.epoch != epoch for state in self._epochs), "every start draws a new epoch")
        state = EpochState(epoch)
        if previous:
            state.prev_epoch, state.prev_last = previous[0]
        self._epochs.append(state)
        self._delete([])
        return state

    def _known(self) -> list[tuple[bytes, int]]:
        finished = [(told.epoch, told.last) for told in self._retelling.finished]
        return [*finished, *((state.epoch, state.last) for state in self._epochs)]

    # --- giving up rows

    def _append(self, row: Row) -> bool:
        if self._unwritten and not self._delete([]):
            return False
        try:
            self._storage.append(row)
        except StorageFull:
            self._full += 1
        else:
            return True
        if not self._drop(self._least_valuable(row.drop_class)):
            return False
        try:
            self._storage.append(row)
        except StorageFull:
            return False
        return True

    def _least_valuable(self, at_most: DropClass) -> list[RowHead]:
        """A batch of what is worth less than `at_most`, the lowest first; of its equals where nothing is."""
        heads: list[RowHead] = []
        for drop_class in DropClass:
            if drop_class < at_most or (drop_class == at_most and not heads):
                heads.extend(self._storage.oldest(drop_class, self._limits.trim_rows_full - len(heads)))
        return heads

    def _trim(self, now: int) -> None:
        if self._size > self._limits.keep_bytes:
            self._shrink()
        if now >= self._expiry_due:
            self._expiry_due = now + self._limits.expiry_check_ms
            self._expire(now + self._time_offset - self._limits.keep_ms)

    def _shrink(self) -> None:
        limit = self._limits.keep_bytes
        goal = limit - limit // self._limits.trim_parts
        for drop_class in DropClass:
            while self._size > limit and self._rows[drop_class] and not self._unwritten:
                self._drop(_worth(self._storage.oldest(drop_class, self._limits.trim_rows), self._size - goal))

    def _expire(self, before: int) -> None:
        while not self._unwritten:
            heads = [head for head in self._storage.oldest(None, self._limits.trim_rows) if head.held_at < before]
            if not heads:
                return
            self._drop(heads)

    def _drop(self, heads: Sequence[RowHead]) -> bool:
        """Give these rows up and declare them. Rows the collector already has, or of no known epoch, only go."""
        states = {state.epoch: state for state in self._epochs}
        for head in heads:
            state = states.get(head.epoch)
            if state is not None and head.sequence > state.acknowledged:
                state.gone.add(lost_row(head.sequence, head.drop_class, GapReason.OVERFLOW))
            self._dropped[head.drop_class] += 1
        return self._delete(_ranges(heads))

    def _lose(self, state: EpochState, runs: Sequence[Run]) -> None:
        """Rows that turned out missing or damaged: declare them, and remove what is left of them."""
        for run in runs:
            state.gone.add(run)
        self._delete([RowRange(state.epoch, run.first, run.last) for run in runs])

    def _delete(self, ranges: Sequence[RowRange]) -> bool:
        """Forget rows and write the meta. False on a full disk.

        The rows then stay doomed and are tried again next time; until that succeeds nothing more is put, because a row
        whose epoch is not in the meta would be lost sight of.
        """
        self._doomed = [*self._doomed, *ranges]
        self._unwritten = True
        try:
            removed = self._storage.delete(self._doomed, self._encoded_meta())
        except StorageFull:
            self._full += 1
            return False
        self._doomed = []
        self._unwritten = False
        for tally in removed:
            self._rows[tally.drop_class] -= tally.rows
            self._size -= tally.size
        return True

    def _encoded_meta(self) -> bytes:
        for state in self._epochs:
            state.gone.keep_within(self._limits.runs_max)
        told = self._retelling
        newest = told.finished[-1] if told.finished else None
        epoch, last = (None, None) if newest is None else (newest.epoch, newest.last)
        epochs = [state.to_meta() for state in self._epochs]
        return encode_meta(Meta(META_VERSION, epochs, epoch, last, told.finished, told.told_at))


def _worth(heads: Sequence[RowHead], size: int) -> list[RowHead]:
    """As many of `heads`, in order, as it takes to free `size` bytes."""
    chosen = []
    for head in heads:
        if size <= 0:
            break
        chosen.append(head)
        size -= head.size
    return chosen


def _ranges(heads: Iterable[RowHead]) -> list[RowRange]:
    """The longest held rows of some classes as one range for each class of an epoch: one statement deletes it."""
    found: dict[tuple[bytes, DropClass], RowRange] = {}
    for epoch, sequence, drop_class, _, _ in heads:
        so_far = found.get((epoch, drop_class), RowRange(epoch, sequence, sequence, drop_class))
        found[epoch, drop_class] = so_far._replace(first=min(so_far.first, sequence), last=max(so_far.last, sequence))
    return list(found.values())
