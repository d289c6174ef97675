"""What becomes of a frame: which entries it adds, how far its stream has come, and why an item was not simply taken.

Pure: the caller gives the stream's view, the time, and a way to look up what is stored; it stores what comes back.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from collector._core import derived, keys
from collector._core.personal import names_a_person
from collector._core.reserved import CONVERSATION_KINDS, RESERVED_KINDS
from collector._core.sequence import Progress, StreamView, lowest, prev_wanted
from ledger.entry import NewEntry
from wire.conversation import Assigned, CustomerTurn, NamedCustomerTurn, Offered, Queued, Transferred
from wire.decoders import BODY_DECODERS
from wire.errors import Reason
from wire.facility import Heartbeat
from wire.frame import Frame, GoneRange, Item, Lane, Rejected, SequenceRange, snapshot_epoch
from wire.kinds import UNKNOWN_WORD, Kind
from wire.limits import BODY_BYTES_MAX
from wire.record import GapReason, Gone, Quarantined, Unrouted

Stored = tuple[int, int, bytes | None]
"""kind, kind_version and body of a stored entry; the body is None once purged."""
Lookup = Callable[[str, bytes, int], Stored | None]
"""What is stored under (source, epoch, sequence), counting what this commit is about to store.

`~unrouted` is looked up in the operator's ledger, every other source in its own.
"""

_NOT_A_SENDERS: Final = {
    UNKNOWN_WORD: Reason.UNKNOWN_KIND,
    # a source that could not make out a record of its own says so under the record's number
    Kind.QUARANTINED: Reason.ROW_MALFORMED,
}
NAMES_A_QUEUE: Final = frozenset({Offered, Queued, Assigned, CustomerTurn, NamedCustomerTurn, Transferred})
"""Bodies that may say which queue they are about; the others are about a conversation already placed."""

_decode_gone = msgspec.msgpack.Decoder(Gone).decode
_decode_quarantined = msgspec.msgpack.Decoder(Quarantined).decode
_decode_unrouted = msgspec.msgpack.Decoder(Unrouted).decode
_decoder_of = BODY_DECODERS.get


class Rules(NamedTuple):
    """What admission tolerates.

    future_tolerance_ms: how far ahead of the hub a source's clock may be. holes_max: how many holes a stream may have.
    past_tolerance_ms: how old an event may be, None = any age.
    """

    future_tolerance_ms: int
    holes_max: int
    past_tolerance_ms: int | None = None


class Outcome(StrEnum):
    """What became of an item. Closed: it is a metric label."""

    ACCEPTED = "accepted"
    REPEAT = "repeat"
    FILLED = "filled"
    EQUIVOCATION = "equivocation"
    QUARANTINED = "quarantined"
    UNROUTED = "unrouted"
    SUPERSEDED = "superseded"
    POSTPONED = "postponed"


class Decision(NamedTuple):
    """Why an item was not simply accepted.

    REPEAT: the same is stored. FILLED: it came after having been declared gone, and is kept.
    EQUIVOCATION: something else is stored under its key; both are kept.
    QUARANTINED, UNROUTED: kept where no fold reads it, for `reason`. SUPERSEDED: a newer snapshot is stored.
    POSTPONED: not taken, not acknowledged, because the stream already waits for too many holes.
    """

    sequence: int
    outcome: Outcome
    reason: Reason | None = None


class Admission(NamedTuple):
    """The result for one frame.

    epoch: of the stream, which for the lanes SNAPSHOT and BY_EVENT_ID is not the frame's.
    entries, unrouted: to store, in the source's ledger and in the operator's. view: of the stream once that is done.
    accepted: how many items were taken as they came. decisions: about all other items. gaps: holes declared.
    wanted, prev_wanted: holes the source is asked for, in this epoch and in the one the frame names as its previous.
    heartbeat_ms: the promise of the last heartbeat in it.
    """

    epoch: bytes
    entries: list[NewEntry]
    unrouted: list[NewEntry]
    view: StreamView
    accepted: int
    decisions: list[Decision]
    gaps: list[GoneRange]
    wanted: list[SequenceRange]
    prev_wanted: list[SequenceRange]
    heartbeat_ms: int | None

    @property
    def rejected(self) -> list[Rejected]:
        """The items a sender must be told about."""
        return [Rejected(decision.sequence, decision.reason) for decision in self.decisions if decision.reason]


def stream_epoch(frame: Frame) -> bytes:
    """The epoch under which the items of `frame` are stored."""
    if frame.lane is Lane.BACKLOG:
        return frame.epoch
    if frame.lane is Lane.SNAPSHOT:
        return snapshot_epoch(frame.epoch)
    return keys.event_id_epoch(frame.source)


def admit(
    frame: Frame,
    view: StreamView,
    *,
    rules: Rules,
    received_at: int,
    stored: Lookup,
    queues: frozenset[str] | None = None,
    site: str = "",
    previous: StreamView | None = None,
) -> Admission:
    """Decide about every item of `frame`, whose stream stands at `view`.

    queues: those the source may speak of, None = any. site: the only one it may speak of, "" = it stands in none.
    previous: the view of frame.prev_epoch, if the frame names one.
    """
    work = _Frame(frame, view, rules, received_at, stored, queues, site)
    if frame.lane is Lane.BACKLOG:
        work.backlog()
    elif frame.lane is Lane.SNAPSHOT:
        work.snapshot()
    else:
        work.by_event_id()
    return Admission(
        work.epoch,
        work.entries,
        work.unrouted,
        work.progress.view(),
        work.accepted,
        work.decisions,
        work.gaps,
        work.wanted(),
        prev_wanted(frame, previous),
        work.heartbeat_ms,
    )


class _Frame:
    """One frame being decided about."""

    def __init__(
        self,
        frame: Frame,
        view: StreamView,
        rules: Rules,
        received_at: int,
        stored: Lookup,
        queues: frozenset[str] | None,
        site: str,
    ) -> None:
        self.frame = frame
        self.epoch = stream_epoch(frame)
        self.progress = Progress(view)
        self.rules = rules
        self.received_at = received_at
        self.latest_allowed = received_at + rules.future_tolerance_ms
        self.earliest_allowed = 0 if rules.past_tolerance_ms is None else received_at - rules.past_tolerance_ms
        self.stored = stored
        self.queues = queues
        self.site = site
        self.entries: list[NewEntry] = []
        self.unrouted: list[NewEntry] = []
        self.accepted = 0
        self.decisions: list[Decision] = []
        self.gaps: list[GoneRange] = []
        self.heartbeat_ms: int | None = None
        self._taken: dict[int, NewEntry] = {}
        self._indexed = 0
        self._unrouted: dict[int, bytes] = {}
        self._equivocations: set[tuple[bytes, int]] = set()

    # ------------------------------------------------------------------------------------------------------- lanes

    def backlog(self) -> None:
        """Numbered without holes: items first, then what the source says it will never send."""
        items = self.frame.items
        ready = self._in_order(items)
        for item in items[ready:] if ready else items:
            self._numbered(item)
        self._declared_gone()

    def snapshot(self) -> None:
        """Newest wins; what is older than the newest is not kept."""
        for item in self.frame.items:
            if not item.sequence:
                self._nameless(item)
            elif item.sequence > self.progress.mark:
                self._take(item, item.sequence)
                self.progress.add(self.progress.mark + 1, item.sequence)
            elif not self._known(item, item.sequence):
                self.decisions.append(Decision(item.sequence, Outcome.SUPERSEDED))

    def by_event_id(self) -> None:
        """The key comes from the item's own id; there is no mark."""
        for item in self.frame.items:
            sequence = keys.sequence_of(item, Lane.BY_EVENT_ID)
            if not item.event_id:
                self._nameless(item)
            elif not self._known(item, sequence):
                self._take(item, sequence)

    def wanted(self) -> list[SequenceRange]:
        """The lowest undeclared holes, for the source to fill or declare."""
        if self.frame.lane is not Lane.BACKLOG:
            return []
        return lowest(self.progress.undeclared())

    # ------------------------------------------------------------------------------------------------------- items

    def _in_order(self, items: list[Item]) -> int:
        """Take the leading items that follow the mark one by one: nearly always all of them. Returns how many."""
        progress = self.progress
        if progress.holes:
            return 0
        expected = first = progress.mark + 1
        take = self._take
        for item in items:
            if item.sequence != expected:
                break
            take(item, expected)
            expected += 1
        progress.add(first, expected - 1)
        return expected - first

    def _numbered(self, item: Item) -> None:
        sequence, progress = item.sequence, self.progress
        if sequence == 0:
            self._nameless(item)
        elif progress.has(sequence):
            if not self._known(item, sequence) and self._take(item, sequence):
                self.accepted -= 1
                self.decisions.append(Decision(sequence, Outcome.FILLED))
        elif sequence > progress.mark + 1 and progress.holes >= self.rules.holes_max:
            self.decisions.append(Decision(sequence, Outcome.POSTPONED))
        else:
            self._take(item, sequence)
            progress.add(sequence, sequence)

    def _nameless(self, item: Item) -> None:
        """Put aside what says neither number nor id: its content stands for it, so that a repeat is one."""
        epoch, sequence = keys.event_id_epoch(self.frame.source), keys.content_sequence(item)
        is_new = self._taken_in_frame(sequence) is None and self.stored(self.frame.source, epoch, sequence) is None
        if is_new:
            self._put_aside(epoch, sequence, item, Reason.ROW_MALFORMED)
        outcome = Outcome.QUARANTINED if is_new else Outcome.REPEAT
        self.decisions.append(Decision(sequence, outcome, Reason.ROW_MALFORMED))

    def _take(self, item: Item, sequence: int) -> bool:
        """Store `item` under a free key. Whether it was accepted as it came."""
        kind, kind_version = item.kind, item.kind_version
        body = bytes(item.body)
        if len(body) > BODY_BYTES_MAX:
            return self._quarantine(item, sequence, Reason.BODY_TOO_LARGE)
        if kind in RESERVED_KINDS or (self.site and kind in CONVERSATION_KINDS):
            return self._quarantine(item, sequence, _NOT_A_SENDERS.get(kind, Reason.FOREIGN_SOURCE))
        decode = _decoder_of((kind, kind_version))
        if decode is not None:
            try:
                said = decode(body)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                return self._quarantine(item, sequence, Reason.BODY_MALFORMED)
            if names_a_person(said, any_queue=self.queues is None):
                return self._quarantine(item, sequence, Reason.PERSONAL_DATA)
            if said.occurred_at > self.latest_allowed:
                return self._quarantine(item, sequence, Reason.OCCURRED_IN_FUTURE)
            if said.occurred_at < self.earliest_allowed:
                return self._quarantine(item, sequence, Reason.OCCURRED_LONG_AGO)
            if self.site and getattr(said, "site", self.site) != self.site:
                return self._quarantine(item, sequence, Reason.FOREIGN_SOURCE)
            if type(said) is Heartbeat:
                self.heartbeat_ms = said.interval_ms
            elif self.queues is not None and type(said) in NAMES_A_QUEUE:
                queue = getattr(said, "queue", "")
                if queue and queue not in self.queues:
                    return self._unroute(item, sequence, queue)
        self.entries.append(NewEntry(self.frame.source, self.epoch, sequence, kind, kind_version, body))
        self.accepted += 1
        return True

    def _put_aside(self, epoch: bytes, sequence: int, item: Item, reason: Reason) -> None:
        self.entries.append(derived.quarantined(self.frame.source, epoch, sequence, item, reason, self.received_at))

    def _quarantine(self, item: Item, sequence: int, reason: Reason) -> bool:
        self._put_aside(self.epoch, sequence, item, reason)
        self.decisions.append(Decision(sequence, _outcome_of(reason), reason))
        return False

    def _unroute(self, item: Item, sequence: int, queue: str) -> bool:
        entry = derived.unrouted(self.frame.source, self.epoch, sequence, item, queue, self.received_at)
        if self.stored(entry.source, entry.epoch, entry.sequence) is None:
            self.unrouted.append(entry)
            self._unrouted[sequence] = entry.body
        return self._quarantine(item, sequence, Reason.UNROUTED_QUEUE)

    def _known(self, item: Item, sequence: int) -> bool:
        """Whether the key is taken; if so, say whether `item` repeats or contradicts what is there."""
        in_frame = self._taken_in_frame(sequence)
        found = (
            (in_frame.kind, in_frame.kind_version, in_frame.body)
            if in_frame is not None
            else self.stored(self.frame.source, self.epoch, sequence)
        )
        if found is None:
            return False
        (kind, kind_version, body), reason = self._as_sent(found, sequence)
        same = body is None or (kind, kind_version, body) == (item.kind, item.kind_version, bytes(item.body))
        if same:
            self.decisions.append(Decision(sequence, Outcome.REPEAT, reason))
            return True
        second = derived.equivocation(self.frame.source, self.epoch, sequence, item, self.received_at)
        key = (second.epoch, second.sequence)
        if key not in self._equivocations and self.stored(second.source, *key) is None:
            self._equivocations.add(key)
            self.entries.append(second)
        why = Reason.EQUIVOCATION if in_frame is None else Reason.SEQUENCE_REPEATED_IN_FRAME
        self.decisions.append(Decision(sequence, Outcome.EQUIVOCATION, why))
        return True

    def _as_sent(self, found: Stored, sequence: int) -> tuple[Stored, Reason | None]:
        """What the sender had sent where `found` is stored, and why it was not taken."""
        kind, _, body = found
        if kind != Kind.QUARANTINED or body is None:
            return found, None
        kept = _decode_quarantined(body)
        if kept.reason is not Reason.UNROUTED_QUEUE:
            return (kept.kind, kept.kind_version, kept.raw or None), kept.reason
        elsewhere = self._unrouted_body(sequence)
        raw = None if elsewhere is None else _decode_unrouted(elsewhere).raw or None
        return (kept.kind, kept.kind_version, raw), kept.reason

    def _unrouted_body(self, sequence: int) -> bytes | None:
        if sequence in self._unrouted:
            return self._unrouted[sequence]
        found = self.stored(keys.UNROUTED, keys.unrouted_epoch(self.frame.source, self.epoch), sequence)
        return None if found is None else found[2]

    def _taken_in_frame(self, sequence: int) -> NewEntry | None:
        """The item of this very frame that holds `sequence`. Indexed when asked, which in-order frames never do."""
        for entry in self.entries[self._indexed :]:
            if entry.source == self.frame.source:
                self._taken[entry.sequence] = entry
        self._indexed = len(self.entries)
        return self._taken.get(sequence)

    # -------------------------------------------------------------------------------------------------------- holes

    def _declared_gone(self) -> None:
        """Turn what the source says it dropped, and what it no longer holds, into gaps; the mark passes them."""
        for gone in self.frame.gone:
            left = gone.count
            for first, last in list(self.progress.missing(max(gone.first, 1), gone.last)):
                count = min(left, last - first + 1)
                left -= count
                self._declare(GoneRange(first, last, gone.drop_class, count, gone.reason, gone.since, gone.until))
        for first, last in list(self.progress.missing(1, self.frame.base - 1)):
            self._declare(GoneRange(first, last, "", last - first + 1, GapReason.OUTBOX_LOST))

    def _declare(self, hole: GoneRange) -> None:
        """Store the gap, except for what an earlier run of the collector already stored."""
        source, epoch = self.frame.source, self.epoch
        first = hole.first
        while first <= hole.last:
            count = min(hole.count, hole.last - first + 1)
            rest = GoneRange(first, hole.last, hole.drop_class, count, hole.reason, hole.since, hole.until)
            found = self.stored(keys.GAP, keys.gap_epoch(source, epoch), first)
            if found is None:
                self.entries.append(derived.gap(source, epoch, rest, self.received_at))
                self.gaps.append(rest)
                last = hole.last
            else:
                last = hole.last if found[2] is None else min(hole.last, _decode_gone(found[2]).last)
            self.progress.add(first, last)
            first = last + 1


def _outcome_of(reason: Reason) -> Outcome:
    return Outcome.UNROUTED if reason is Reason.UNROUTED_QUEUE else Outcome.QUARANTINED
