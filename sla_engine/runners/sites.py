"""The operator's ledger, followed in this process: one verdict per site, kept beside the facts for the next start.

Where the process also writes ledgers, what becomes of incidents is written down before anybody is told of it. A
revision stays to be said until the ledger is seen to hold it, so nothing is lost by a crash in between, and its key
comes from its causes, so nothing is written twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog

from sla_engine._core.incidents.seats import seat_tiles
from sla_engine._core.remembered import RecordCounts, count_entry
from sla_engine._core.sites import (
    SiteLimits,
    SitesState,
    accounts_of,
    clients_of,
    details_now,
    fold_sites,
    is_unsettled,
    new_sites,
    open_incidents,
    site_tiles,
    suspected_incidents,
)
from sla_engine._core.tiles import OperatorPart
from sla_engine.runners.tail import MS_PER_S, LedgerFeed, Tail, holds, leaf_before
from wire.board import SiteTile
from wire.incident import IncidentSaid

log = structlog.get_logger()
# Format: of our own kept state.
KEPT_VERSION: Final = 12
"""One more with every change of what is kept: of another version it is dropped, and the ledger read again."""
KEPT_FILE: Final = "sites.msgpack"


class SitesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of the sites' runner, from `[board]` in defaults.toml.

    batch_entries: entries folded before other work gets its turn. keep_interval_ms: how often the state is written.
    """

    limits: SiteLimits
    batch_entries: int
    keep_interval_ms: int


class _Kept(msgspec.Struct):
    """last_leaf: of the entry before next_index."""

    version: int
    ledger_id: bytes
    next_index: int
    last_leaf: bytes
    counts: RecordCounts
    sites: SitesState


class Telling(NamedTuple):
    """One revision, its evidence named, and the clients whose ledgers get a copy of it."""

    said: IncidentSaid
    clients: list[str]


Record = Callable[[list[Telling]], Awaitable[bool]]
"""Makes revisions durable in the ledgers they go to. False when nothing can be any more."""

_decode: Final = msgspec.msgpack.Decoder(_Kept).decode
"""Made once, not in the threads of the runners: see sla_engine/_core/remembered.py."""


class SitesRunner:
    """Follows the operator's ledger until cancelled. Made and used on one event loop; `run` once.

    changed: called with the tiles whose verdict or power changed, not before the ledger was caught up with.
    record: None = another process writes incidents down. said: called with every new revision once it is recorded,
    and never for history: of what was left unsaid by an earlier run, only incidents that still last.
    """

    def __init__(
        self,
        feed: LedgerFeed,
        directory: Path,
        *,
        clock_ms: Callable[[], int],
        settings: SitesSettings,
        changed: Callable[[list[SiteTile]], None],
        record: Record | None = None,
        said: Callable[[list[IncidentSaid]], None] = lambda _: None,
    ) -> None:
        self.caught_up: Final = asyncio.Event()
        self._feed: Final = feed
        self._path: Final = directory / KEPT_FILE
        self._clock_ms: Final = clock_ms
        self._settings: Final = settings
        self._changed: Final = changed
        self._record: Final = record
        self._said: Final = said
        self._unsaid: Final = asyncio.Event()
        self._recorded: set[tuple[str, int]] = set()
        self._as_of = 0
        self._kept_index = 0
        self._counts = RecordCounts()
        self._sites = new_sites(settings.limits, feed.ledger_id)
        self._tail = Tail(feed, 0, settings.batch_entries, clock_ms)

    def board_part(self, *, with_seats: bool = False) -> OperatorPart | None:
        """The sites as of now; None until the ledger has been caught up with. with_seats: and every seat."""
        if not self.caught_up.is_set():
            return None
        if self._tail.drained:
            self._as_of = max(self._as_of, self._clock_ms())
        seats = seat_tiles(self._sites) if with_seats else ()
        return OperatorPart(self._as_of, site_tiles(self._sites), self._counts, self._sites.strangers, seats)

    def open_incidents(self) -> list[IncidentSaid]:
        """The newest revision of every incident that lasts, the earliest first."""
        return [self._with_leaves(said) for said in open_incidents(self._sites)]

    def details_now(self, incident: str) -> dict[str, str] | None:
        """What an incident that lasts tells of itself as of now; None for one that does not."""
        return details_now(self._sites, incident)

    def sites(self) -> set[str]:
        """Every site that the record knows and that was not removed."""
        return set(self._sites.sites)

    def suspected_incidents(self) -> list[IncidentSaid]:
        """Those that conversations may bear witness of; without leaves."""
        return suspected_incidents(self._sites)

    def accounts_of(self, said: IncidentSaid) -> dict[str, frozenset[str]]:
        """By client, the accounts of the people an incident is about."""
        return accounts_of(self._sites, said)

    def is_unsettled(self) -> bool:
        """Whether somebody fell silent so lately that time on the record helps to tell why."""
        return is_unsettled(self._sites, self._clock_ms())

    async def run(self) -> None:
        """Fold until cancelled."""
        await self._take_up()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tail.watch(), name="sites.watch")
                tasks.create_task(self._keep_often(), name="sites.keep")
                tasks.create_task(self._fold(), name="sites.fold")
                if self._record is not None:
                    tasks.create_task(self._tell(self._record), name="sites.tell")
        finally:
            self._tail.stop()
            self._keep()

    async def _take_up(self) -> None:
        """Go on where the last run left off, or at entry 0 where what it kept is not of this ledger."""
        kept = self._load()
        if kept is None or not await holds(self._feed, kept.next_index, kept.last_leaf):
            return
        self._counts, self._sites = kept.counts, kept.sites
        self._tail = Tail(self._feed, kept.next_index, self._settings.batch_entries, self._clock_ms)

    async def _fold(self) -> None:
        while True:
            if self._tail.drained:
                self.caught_up.set()
                if self._sites.unsaid:
                    self._unsaid.set()
                await self._tail.wait(None)
                continue
            batch = self._tail.read()
            if not batch:
                await self._tail.arrival()
                continue
            changed = fold_sites(self._sites, batch)
            for entry in batch:
                count_entry(self._counts, entry.kind)
            self._as_of = max(self._as_of, batch[-1].received_at)
            if changed and self.caught_up.is_set():
                self._changed(changed)
            await asyncio.sleep(0)

    async def _tell(self, record: Record) -> None:
        """Write down what there is to say, then say it. What an earlier run left unsaid of the past is only written."""
        await self.caught_up.wait()
        past = {_key(said) for said in self._sites.unsaid}
        while True:
            fresh = [said for said in self._sites.unsaid if _key(said) not in self._recorded]
            if not fresh:
                self._unsaid.clear()
                await self._unsaid.wait()
                continue
            told = [Telling(self._with_leaves(said), clients_of(self._sites, said)) for said in fresh]
            if not await record(told):
                return
            self._recorded |= {_key(said) for said in fresh}
            self._recorded &= {_key(said) for said in self._sites.unsaid}
            lasting = {said.incident for said in open_incidents(self._sites)}
            news = [each.said for each in told if _key(each.said) not in past or each.said.incident in lasting]
            if news:
                self._said(news)

    def _with_leaves(self, said: IncidentSaid) -> IncidentSaid:
        """With the leaves of its first and its newest evidence."""
        places = sorted({said.first_index, said.last_index})
        return msgspec.structs.replace(said, leaves=[leaf_before(self._feed, place + 1) for place in places])

    async def _keep_often(self) -> None:
        while True:
            await asyncio.sleep(self._settings.keep_interval_ms / MS_PER_S)
            self._keep()

    def _load(self) -> _Kept | None:
        """What the last run kept; None where it is missing, unreadable, of another ledger or longer than this one."""
        try:
            kept = _decode(self._path.read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        fits = (
            kept.version == KEPT_VERSION
            and kept.ledger_id == self._feed.ledger_id
            and kept.next_index <= self._feed.size
            and kept.sites.limits == self._settings.limits
        )
        return kept if fits else None

    def _keep(self) -> None:
        """Write down what is known. Where that fails, only the next start takes longer."""
        if self._tail.next_index == self._kept_index:
            return
        try:
            self._write()
        except OSError as error:
            log.warning("sites.not_kept", error=str(error))

    def _write(self) -> None:
        next_index = self._tail.next_index
        last_leaf = leaf_before(self._feed, next_index)
        kept = _Kept(KEPT_VERSION, self._feed.ledger_id, next_index, last_leaf, self._counts, self._sites)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # never half a file; after a power cut an older one, or none, only costs reading the ledger again
        beside = self._path.with_suffix(".new")
        beside.write_bytes(msgspec.msgpack.encode(kept))
        beside.replace(self._path)
        self._kept_index = next_index


def _key(said: IncidentSaid) -> tuple[str, int]:
    return said.incident, said.revision
