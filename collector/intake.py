"""Every frame's way into a ledger: a bounded queue, group commit off the loop, acknowledgement only after the commit.

One commit is under way at a time; what arrives meanwhile makes the next one. Nothing is stored for a frame refused as
Busy, and when a commit fails the process ends before anybody is answered: only a fresh start knows what is durable.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import NamedTuple, cast

import msgspec

from collector._core.admission import Rules
from collector._core.derived import require_readable
from collector.at_once import AtOnce, one_after_another
from collector.committer import (
    Answer,
    Appended,
    CheckpointJob,
    Committer,
    DerivedJob,
    FrameJob,
    Heard,
    Job,
    Latest,
    LatestJob,
    Result,
    Signed,
)
from collector.connections import Connections
from collector.errors import Busy, ForeignSource, IntakeStopped
from collector.ledgers import LedgerHandle
from collector.sources import Principal, Sources
from collector.stats import IntakeStats
from collector.strangers import Strangers
from ledger.checkpoint import Signer
from ledger.entry import NewEntry
from ledger.reader import LedgerReader
from ledger.writer import LedgerWriter
from wire.errors import require
from wire.frame import Ack, Frame


class IntakeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of the intake, from `[collector]` in defaults.toml.

    waiting_rows_max, waiting_frames_max: what may wait for a commit. commit_rows_max: most rows in one transaction.
    retry_after_ms: what a sender refused as Busy is told. streams_max: streams whose view is kept in memory.
    strangers_max: senders nobody registered that are remembered by name. past_tolerance_ms: how old may be what a live
    source of conversations tells.
    """

    future_tolerance_ms: int
    past_tolerance_ms: int
    holes_max: int
    waiting_rows_max: int
    waiting_frames_max: int
    commit_rows_max: int
    retry_after_ms: int
    streams_max: int
    strangers_max: int

    @property
    def rules(self) -> Rules:
        """What admission tolerates."""
        return Rules(self.future_tolerance_ms, self.holes_max, self.past_tolerance_ms)


class _Waiting(NamedTuple):
    job: Job
    since: float
    answer: "asyncio.Future[Answer]"


class Intake:
    """The one way into the ledgers. Runs while `run` does; made and used on one event loop."""

    def __init__(
        self,
        writers: Mapping[str, LedgerWriter],
        sources: Sources,
        *,
        settings: IntakeSettings,
        clock_ms: Callable[[], int],
        open_reader: Callable[[str], LedgerReader],
        die: Callable[[BaseException], None],
        at_once: AtOnce = one_after_another,
    ) -> None:
        """writers: by client id, "operator" among them. die: ends the process at once; called when a commit failed.

        at_once: runs the commits of one batch, each of them into another client's ledger.
        """
        for source in sources:
            require(source.client in writers, f"source {source.id} writes to {source.client}, which has no ledger")
        self.sources = sources
        self.stats = IntakeStats()
        self.heard: dict[str, Heard] = {}
        self.ledgers: dict[str, LedgerHandle] = {
            client: LedgerHandle(client, writer, _reader_of(open_reader, client)) for client, writer in writers.items()
        }
        self._settings = settings
        self._die = die
        self._committer = Committer(
            writers,
            rules=settings.rules,
            streams_max=settings.streams_max,
            clock_ms=clock_ms,
            stats=self.stats,
            at_once=at_once,
        )
        self.connections = Connections(sources, self.append_derived, clock_ms)
        self.strangers = Strangers(self.append_derived, clock_ms, settings.strangers_max)
        self._waiting: deque[_Waiting] = deque()
        self._waiting_rows = 0
        self._arrived = asyncio.Event()
        self._stopped = False

    @property
    def waiting_rows(self) -> int:
        """Rows in the queue: a gauge of how far behind the disk is."""
        return self._waiting_rows

    async def submit(self, frame: Frame, principal: Principal) -> Ack:
        """Store `frame` and answer once it is durable.

        Raises ForeignSource or Busy before anything of it is stored; IntakeStopped when no answer will come.
        """
        source = self.sources.get(frame.source)
        if source is None:
            await self.strangers.heard(frame)
        if source is None or not principal.speaks_for(frame.source):
            self.stats.foreign += 1
            raise ForeignSource(frame.source)
        return cast("Ack", await self._enqueue(FrameJob(frame, source)))

    async def append_derived(self, client: str, entries: Sequence[NewEntry], *, latest: bool = False) -> Appended:
        """Store entries of our own writers in one ledger; those already there add nothing.

        latest: also remember each one's sequence as its stream's mark. Raises Busy, IntakeStopped; KeyError for a
        client without a ledger; EncodeError before anything is stored, when one could not be read again.
        """
        require_readable(entries)
        return cast("Appended", await self._enqueue(DerivedJob(self.ledgers[client].client, entries, latest)))

    async def latest(self, client: str, source: str, epoch: bytes) -> Latest:
        """How far one of our own streams is (see `append_derived`). Raises Busy, IntakeStopped, KeyError."""
        return cast("Latest", await self._enqueue(LatestJob(self.ledgers[client].client, source, epoch)))

    async def checkpoint(self, client: str, signer: Signer) -> Signed:
        """Sign the tree of one ledger as it is. Raises Busy, IntakeStopped; KeyError for a client without a ledger."""
        return cast("Signed", await self._enqueue(CheckpointJob(self.ledgers[client].client, signer)))

    async def run(self) -> None:
        """Commit what arrives until cancelled. What was committed is acknowledged even then."""
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        try:
            while True:
                while not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
                await self._commit(pool, self._next_batch())
        finally:
            self._stopped = True
            for waiting in self._waiting:
                _refuse(waiting)
            self._waiting.clear()
            pool.shutdown()
            for handle in self.ledgers.values():
                handle.close()

    async def _enqueue(self, job: Job) -> Answer:
        if self._stopped:
            raise IntakeStopped
        full = self._waiting_rows + job.rows > self._settings.waiting_rows_max
        if self._waiting and (full or len(self._waiting) >= self._settings.waiting_frames_max):
            self.stats.busy += 1
            raise Busy(self._settings.retry_after_ms)
        waiting = _Waiting(job, monotonic(), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_rows += job.rows
        self._arrived.set()
        return await waiting.answer

    def _next_batch(self) -> list[_Waiting]:
        """What makes the next transaction: at least one job, then as many as fit."""
        batch = [self._waiting.popleft()]
        rows = batch[0].job.rows
        while self._waiting and rows + self._waiting[0].job.rows <= self._settings.commit_rows_max:
            batch.append(self._waiting.popleft())
            rows += batch[-1].job.rows
        self._waiting_rows -= rows
        return batch

    async def _commit(self, pool: ThreadPoolExecutor, batch: list[_Waiting]) -> None:
        started = monotonic()
        work = asyncio.get_running_loop().run_in_executor(pool, self._committer.commit, [each.job for each in batch])
        try:
            result = await asyncio.shield(work)
        except asyncio.CancelledError:
            self._settle(batch, await self._finish(work, batch), started)
            raise
        except BaseException as error:
            self._fail(batch, error)
            raise
        self._settle(batch, result, started)

    async def _finish(self, work: "asyncio.Future[Result]", batch: list[_Waiting]) -> Result:
        """The end of a commit that was under way when we were told to stop, however often we are told again."""
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({work})
        try:
            return work.result()
        except BaseException as error:
            self._fail(batch, error)
            raise

    def _fail(self, batch: list[_Waiting], error: BaseException) -> None:
        """Any error in a commit leaves memory and disk at odds. Nobody in it is answered, and the process ends."""
        for waiting in batch:
            _refuse(waiting)
        self._die(error)

    def _settle(self, batch: list[_Waiting], result: Result, started: float) -> None:
        ended = monotonic()
        self.stats.commit_time.observe(ended - started)
        for client, size in result.sizes.items():
            self.ledgers[client].grew(size)
        for heard in result.heard:
            promise = heard.heartbeat_ms
            before = self.heard.get(heard.source)
            if promise is None and before is not None:
                heard = heard._replace(heartbeat_ms=before.heartbeat_ms)  # noqa: PLW2901 - the promise stands
            self.heard[heard.source] = heard
        for waiting, answer in zip(batch, result.answers, strict=True):
            self.stats.accept_time.observe(ended - waiting.since)
            if not waiting.answer.done():
                waiting.answer.set_result(answer)


def _refuse(waiting: _Waiting) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(IntakeStopped())


def _reader_of(open_reader: Callable[[str], LedgerReader], client: str) -> Callable[[], LedgerReader]:
    return lambda: open_reader(client)
