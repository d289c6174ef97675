"""The operator's ledger, followed in this process: one verdict per site, kept beside the facts for the next start."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from sla_engine._core.remembered import RecordCounts, count_entry
from sla_engine._core.sites import SiteLimits, SitesState, fold_sites, new_sites, site_tiles
from sla_engine._core.tiles import OperatorPart
from sla_engine.runners.tail import MS_PER_S, LedgerFeed, Tail, holds, leaf_before
from wire.board import SiteTile

KEPT_VERSION: Final = 3
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


_decode: Final = msgspec.msgpack.Decoder(_Kept).decode
"""Made once, not in the threads of the runners: see sla_engine/_core/remembered.py."""


class SitesRunner:
    """Follows the operator's ledger until cancelled. Made and used on one event loop; `run` once.

    changed: called with the tiles whose verdict or power changed, not before the ledger was caught up with.
    """

    def __init__(
        self,
        feed: LedgerFeed,
        directory: Path,
        *,
        clock_ms: Callable[[], int],
        settings: SitesSettings,
        changed: Callable[[list[SiteTile]], None],
    ) -> None:
        self.caught_up: Final = asyncio.Event()
        self._feed: Final = feed
        self._path: Final = directory / KEPT_FILE
        self._clock_ms: Final = clock_ms
        self._settings: Final = settings
        self._changed: Final = changed
        self._as_of = 0
        self._kept_index = 0
        self._counts = RecordCounts()
        self._sites = new_sites(settings.limits, feed.ledger_id)
        self._tail = Tail(feed, 0, settings.batch_entries, clock_ms)

    def board_part(self) -> OperatorPart | None:
        """The sites as of now; None until the ledger has been caught up with."""
        if not self.caught_up.is_set():
            return None
        if self._tail.drained:
            self._as_of = max(self._as_of, self._clock_ms())
        return OperatorPart(self._as_of, site_tiles(self._sites), self._counts)

    async def run(self) -> None:
        """Fold until cancelled."""
        await self._take_up()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tail.watch(), name="sites.watch")
                tasks.create_task(self._keep_often(), name="sites.keep")
                tasks.create_task(self._fold(), name="sites.fold")
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
        if self._tail.next_index == self._kept_index:
            return
        self._kept_index = self._tail.next_index
        last_leaf = leaf_before(self._feed, self._kept_index)
        kept = _Kept(KEPT_VERSION, self._feed.ledger_id, self._kept_index, last_leaf, self._counts, self._sites)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # never half a file; after a power cut an older one, or none, only costs reading the ledger again
        beside = self._path.with_suffix(".new")
        beside.write_bytes(msgspec.msgpack.encode(kept))
        beside.replace(self._path)
