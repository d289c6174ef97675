"""The storing half of the intake: frames in, one transaction per ledger, answers out. Synchronous, one thread."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from collector._core import derived, keys
from collector._core.admission import Admission, Outcome, Rules, Stored, admit, stream_epoch
from collector._core.derived import Declaration
from collector._core.sequence import StreamView, view_of
from collector.at_once import AtOnce, one_after_another
from collector.sources import Source, is_live
from collector.stats import IntakeStats
from ledger.checkpoint import Signer
from ledger.entry import NewEntry
from ledger.errors import SigningRefused
from ledger.writer import LedgerWriter
from wire.body import Body
from wire.codec import readable_body
from wire.errors import require
from wire.frame import Ack, Frame, Item, Lane
from wire.ids import OPERATOR
from wire.record import SourceDeclared

StreamKey = tuple[str, bytes]
"""(source, epoch)."""


class FrameJob(NamedTuple):
    """A frame of a registered source."""

    frame: Frame
    source: Source

    @property
    def rows(self) -> int:
        """What it weighs in the queue."""
        return len(self.frame.items) + 1


class DerivedJob(NamedTuple):
    """Entries of our own writers for one client's ledger.

    latest: also remember each entry's sequence as its stream's mark, so that a restart finds the newest without a scan.
    """

    client: str
    entries: Sequence[NewEntry]
    latest: bool

    @property
    def rows(self) -> int:
        """What it weighs in the queue."""
        return len(self.entries) + 1


class LatestJob(NamedTuple):
    """A question about one stream of our own writers: how far is it, and what does its newest entry say?"""

    client: str
    source: str
    epoch: bytes

    @property
    def rows(self) -> int:
        """What it weighs in the queue."""
        return 1


class CheckpointJob(NamedTuple):
    """Sign the tree of one client's ledger as it is after this batch."""

    client: str
    signer: Signer

    @property
    def rows(self) -> int:
        """What it weighs in the queue."""
        return 1


Job = FrameJob | DerivedJob | LatestJob | CheckpointJob


class Appended(NamedTuple):
    """What became of derived entries. size: of the ledger afterwards."""

    size: int
    appended: int
    repeats: int
    equivocations: int


class Latest(NamedTuple):
    """The mark of a stream, and the entry it stands at; None where there is none, or it was purged."""

    mark: int
    body: Body | None


class Signed(NamedTuple):
    """What became of a checkpoint. size: of the tree asked about. refused: why it was not signed, "" when it was."""

    size: int
    refused: str = ""


class Heard(NamedTuple):
    """A source spoke. at: hub's ms. heartbeat_ms: the promise it made in this frame, if any."""

    source: str
    at: int
    heartbeat_ms: int | None


Answer = Ack | Appended | Latest | Signed


class Result(NamedTuple):
    """For each job its answer, in order; sizes: of the ledgers that grew; heard: who spoke."""

    answers: list[Answer]
    sizes: dict[str, int]
    heard: list[Heard]


class _Pending:
    """What one ledger is about to store."""

    def __init__(self, writer: LedgerWriter) -> None:
        self.writer = writer
        self.entries: list[NewEntry] = []
        self.marks: dict[StreamKey, int] = {}
        self._index: dict[tuple[str, bytes, int], NewEntry] = {}
        self._indexed = 0

    def stored(self, source: str, epoch: bytes, sequence: int) -> Stored | None:
        """What is stored under that key, or will be once this batch is."""
        for entry in self.entries[self._indexed :]:
            self._index[entry.source, entry.epoch, entry.sequence] = entry
        self._indexed = len(self.entries)
        pending = self._index.get((source, epoch, sequence))
        if pending is not None:
            return pending.kind, pending.kind_version, pending.body
        return self.writer.body_of(source, epoch, sequence)

    def body(self, source: str, epoch: bytes, sequence: int) -> Body | None:
        """The body under that key, decoded."""
        found = self.stored(source, epoch, sequence)
        return None if found is None or found[2] is None else readable_body(found[0], found[1], found[2])

    def mark(self, key: StreamKey) -> int:
        """The mark of a stream once this batch is stored."""
        return self.marks.get(key, self.writer.mark(*key))

    def raise_mark(self, key: StreamKey, mark: int) -> None:
        """Move a mark up; one that is further already stays."""
        if mark > self.mark(key):
            self.marks[key] = mark

    def commit(self, received_at: int) -> None:
        """Make it durable."""
        self.writer.commit(self.entries, received_at=received_at, marks=self.marks)


class Committer:
    """Admits batches and commits them. Any error it raises is fatal: nothing of that batch may be acknowledged."""

    def __init__(
        self,
        writers: Mapping[str, LedgerWriter],
        *,
        rules: Rules,
        streams_max: int,
        clock_ms: Callable[[], int],
        stats: IntakeStats,
        at_once: AtOnce = one_after_another,
    ) -> None:
        """writers: by client id, "operator" among them. streams_max: how many streams' views are kept in memory.

        at_once: runs the commits of the clients' ledgers.
        """
        require(OPERATOR in writers, "the operator has a ledger")
        self._writers = dict(writers)
        self._live_rules = rules
        self._rules = rules._replace(past_tolerance_ms=None)
        self._streams_max = streams_max
        self._clock_ms = clock_ms
        self._started_at = clock_ms()
        self._stats = stats
        self._at_once = at_once
        self._views: dict[StreamKey, StreamView] = {}
        self._declared: dict[str, Declaration] = {}
        self._pending: dict[str, _Pending] = {}

    def commit(self, jobs: Sequence[Job]) -> Result:
        """Store everything in `jobs` durably and answer each. The operator's ledger comes first: see `unrouted`."""
        received_at = self._clock_ms()
        self._pending = {client: _Pending(writer) for client, writer in self._writers.items()}
        admitted = [self._admit(job, received_at) for job in jobs]
        sizes = self._store(received_at)
        self._forget_oldest()
        answers = [self._answer(job, outcome) for job, outcome in zip(jobs, admitted, strict=True)]
        heard = [
            Heard(job.source.id, self._heard_at(job, received_at), outcome.heartbeat_ms)
            for job, outcome in zip(jobs, admitted, strict=True)
            if isinstance(job, FrameJob) and isinstance(outcome, Admission)
        ]
        return Result(answers, sizes, heard)

    def _store(self, received_at: int) -> dict[str, int]:
        """Commit what is pending: the operator's ledger, then all others at once. Returns sizes of those that grew."""
        grown = {client: pending for client, pending in self._pending.items() if pending.entries or pending.marks}
        works = {client: partial(pending.commit, received_at) for client, pending in grown.items()}
        if OPERATOR in works:
            works.pop(OPERATOR)()
        self._at_once([*works.values()])
        self._stats.commits += len(grown)
        self._stats.entries += sum(len(pending.entries) for pending in grown.values())
        return {client: pending.writer.size for client, pending in grown.items()}

    def _admit(self, job: Job, received_at: int) -> "Admission | Appended | Latest | Signed":
        if isinstance(job, CheckpointJob):
            return Signed(0)
        if isinstance(job, DerivedJob):
            return self._admit_derived(job, received_at)
        if isinstance(job, LatestJob):
            return self._latest(job)
        self._declare(job, received_at)
        return self._admit_frame(job, received_at)

    def _answer(self, job: Job, outcome: "Admission | Appended | Latest | Signed") -> Answer:
        if isinstance(job, CheckpointJob):
            return self._sign(job)
        if isinstance(outcome, Latest | Signed):
            return outcome
        if isinstance(outcome, Appended):
            return outcome._replace(size=self._writers[_client_of(job)].size)
        writer = self._writers[_client_of(job)]
        by_event_id = isinstance(job, FrameJob) and job.frame.lane is Lane.BY_EVENT_ID
        return Ack(
            writer.ledger_id,
            outcome.epoch,
            0 if by_event_id else outcome.view.mark,
            writer.size,
            outcome.wanted,
            outcome.rejected,
            started_at=self._started_at,
            prev_wanted=outcome.prev_wanted,
        )

    def _sign(self, job: CheckpointJob) -> Signed:
        writer = self._writers[job.client]
        try:
            writer.checkpoint(job.signer)
        except SigningRefused as refused:
            return Signed(writer.size, str(refused))
        return Signed(writer.size)

    def _heard_at(self, job: FrameJob, received_at: int) -> int:
        """Never earlier than what its ledger says, should the hub's clock have stepped back."""
        return max(received_at, self._writers[job.source.client].last_received_at)

    # ------------------------------------------------------------------------------------------------------- frames

    def _admit_frame(self, job: FrameJob, received_at: int) -> Admission:
        frame, source = job
        pending = self._pending[source.client]
        operator = self._pending[OPERATOR]

        def stored(about: str, epoch: bytes, sequence: int) -> Stored | None:
            where = operator if about == keys.UNROUTED else pending
            return where.stored(about, epoch, sequence)

        key = (frame.source, stream_epoch(frame))
        by_event_id = frame.lane is Lane.BY_EVENT_ID
        before = StreamView() if by_event_id else self._view(pending.writer, key, frame.lane)
        previous = None
        if frame.prev_epoch is not None:
            previous = self._view(pending.writer, (frame.source, frame.prev_epoch), Lane.BACKLOG)
        admission = admit(
            frame,
            before,
            rules=self._live_rules if is_live(source) else self._rules,
            received_at=received_at,
            stored=stored,
            queues=source.queues,
            site=source.site,
            previous=previous,
        )
        pending.entries.extend(admission.entries)
        operator.entries.extend(admission.unrouted)
        if not by_event_id:
            self._views[key] = admission.view
        if frame.lane is Lane.BACKLOG:  # a mark promises that nothing below it is missing; snapshots have holes
            pending.raise_mark(key, admission.view.mark)
        self._count(frame.items, admission)
        return admission

    def _view(self, writer: LedgerWriter, key: StreamKey, lane: Lane) -> StreamView:
        """How far a stream is; the one asked for last is forgotten last."""
        view = self._views.pop(key, None)
        if view is None and lane is Lane.SNAPSHOT:
            view = StreamView(writer.highest(*key))
        elif view is None:
            view = view_of(writer.mark(*key), writer.beyond(*key))
        self._views[key] = view
        return view

    def _forget_oldest(self) -> None:
        """Keep memory bounded. Only between commits: a view may be ahead of what its ledger has made durable."""
        while len(self._views) > self._streams_max:
            del self._views[next(iter(self._views))]

    def _count(self, items: Sequence[Item], admission: Admission) -> None:
        stats = self._stats
        stats.frames += 1
        stats.items += len(items)
        stats.outcomes[Outcome.ACCEPTED] += admission.accepted
        for decision in admission.decisions:
            stats.outcomes[decision.outcome] += 1
            if decision.reason is not None:
                stats.rejected[decision.reason] += 1
        for hole in admission.gaps:
            stats.gaps += 1
            stats.gap_sequences += hole.last - hole.first + 1

    # ------------------------------------------------------------------------------------------------- derived entries

    def _admit_derived(self, job: DerivedJob, received_at: int) -> Appended:
        pending = self._pending[job.client]
        appended = repeats = equivocations = 0
        for entry in job.entries:
            found = pending.stored(entry.source, entry.epoch, entry.sequence)
            if found is None:
                pending.entries.append(entry)
                appended += 1
                if job.latest:
                    pending.raise_mark((entry.source, entry.epoch), entry.sequence)
            elif found[2] is None or found == (entry.kind, entry.kind_version, entry.body):
                repeats += 1
            else:
                equivocations += self._contradicts(pending, entry, received_at)
        self._stats.derived += appended
        self._stats.derived_repeats += repeats
        self._stats.outcomes[Outcome.EQUIVOCATION] += equivocations
        return Appended(0, appended, repeats, equivocations)

    def _contradicts(self, pending: _Pending, entry: NewEntry, received_at: int) -> int:
        item = Item(entry.sequence, entry.kind, entry.kind_version, msgspec.Raw(entry.body))
        second = derived.equivocation(entry.source, entry.epoch, entry.sequence, item, received_at)
        if pending.stored(second.source, second.epoch, second.sequence) is None:
            pending.entries.append(second)
        return 1

    def _declare(self, job: FrameJob, received_at: int) -> None:
        """Say who a source is before its first entry, and again when that has changed."""
        source = job.source
        known = self._declared.get(source.id)
        unnumbered = job.frame.lane is Lane.BY_EVENT_ID
        if known is not None and not (unnumbered and known.numbered):
            return
        pending = self._pending[source.client]
        epoch = keys.declaration_epoch(source.id)
        ordinal = pending.mark((keys.SOURCES, epoch))
        last = known or self._last_declaration(pending, epoch, ordinal)
        numbered = not unnumbered and (last is None or last.numbered)
        words = Declaration(source.feed, source.carries, numbered, source.site, source.heartbeat_ms)
        if words != last:
            declared = derived.declared(source.id, ordinal + 1, received_at, words)
            derived.require_readable([declared])
            pending.entries.append(declared)
            pending.raise_mark((keys.SOURCES, epoch), ordinal + 1)
        self._declared[source.id] = words

    @staticmethod
    def _last_declaration(pending: _Pending, epoch: bytes, ordinal: int) -> Declaration | None:
        body = pending.body(keys.SOURCES, epoch, ordinal)
        return Declaration.of(body) if isinstance(body, SourceDeclared) else None

    def _latest(self, job: LatestJob) -> Latest:
        pending = self._pending[job.client]
        mark = pending.mark((job.source, job.epoch))
        return Latest(mark, pending.body(job.source, job.epoch, mark))


def _client_of(job: Job) -> str:
    return job.source.client if isinstance(job, FrameJob) else job.client
