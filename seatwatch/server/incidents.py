"""Incidents on their way into the ledgers, and to whoever wants to hear of them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from collector._core import derived, keys
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from ledger.entry import NewEntry
from seatwatch.settings import Defaults
from seatwatch.site_limits import site_limits
from sla_engine.runners.sites import SitesRunner, SitesSettings, Telling
from sla_engine.runners.tail import LedgerFeed
from wire.board import SiteTile
from wire.ids import OPERATOR
from wire.incident import IncidentSaid, IncidentStep

log = structlog.get_logger()
MS_PER_S: Final = 1_000
INCIDENTS: Final = "incidents"
"""Below the data directory: what a collector without an engine keeps of sites."""

Listener = Callable[[list[IncidentSaid]], None]


class IncidentBook:
    """Writes revisions down and passes them on.

    listeners: called with every new one, in order, once it is durable. open_incidents: the newest revision of each one
    that lasts, asked of the runner that follows the operator's ledger; details_now: what one of them tells by now.
    """

    def __init__(self, intake: Intake) -> None:
        self.listeners: list[Listener] = []
        self.open_incidents: Callable[[], list[IncidentSaid]] = list
        self.details_now: Callable[[str], dict[str, str] | None] = _nothing
        self._intake = intake
        self._knowing: Final[dict[str, set[str]]] = {}
        """Of incidents that last, whom we told: where hundreds of seats are back at once, asking each ledger of each
        takes seconds, and pages wait for it."""

    async def record(self, told: list[Telling]) -> bool:
        """Make revisions durable: the clients' copies first, so that what the operator's ledger holds is everywhere.

        Who was told of an incident is told what becomes of it, whoever sits there by then. Waits while the intake is
        busy. False when it has stopped, as the process will.
        """
        by_client: dict[str, list[NewEntry]] = defaultdict(list)
        own = [derived.incident(said) for said, _ in told]
        try:
            for said, clients in told:
                if said.incident not in self._knowing:
                    is_new = said.step is IncidentStep.OPENED
                    self._knowing[said.incident] = set() if is_new else await self._told_before(said, set(clients))
                knows = self._knowing[said.incident]
                knows |= {client for client in clients if client in self._intake.ledgers and client != OPERATOR}
                for client in sorted(knows):
                    by_client[client].append(derived.incident(said))
            for client, entries in by_client.items():
                await self._append(client, entries, latest=True)
            await self._append(OPERATOR, own)
        except IntakeStopped:
            return False
        for said, _ in told:
            if said.step is IncidentStep.CLOSED:
                self._knowing.pop(said.incident, None)
        return True

    async def _told_before(self, said: IncidentSaid, known: set[str]) -> set[str]:
        """The clients beside those `known` whose ledgers have an earlier revision of it."""
        asked = sorted(self._intake.ledgers.keys() - known - {OPERATOR})
        epoch = keys.incident_epoch(said.of_ledger, said.incident)
        told = await asyncio.gather(*(self._has(client, epoch) for client in asked))
        return {client for client, is_told in zip(asked, told, strict=True) if is_told}

    async def _has(self, client: str, epoch: bytes) -> bool:
        while True:
            try:
                return bool((await self._intake.latest(client, keys.INCIDENT, epoch)).mark)
            except Busy as busy:
                await asyncio.sleep(busy.retry_after_ms / MS_PER_S)

    async def append(self, entries: Sequence[NewEntry]) -> None:
        """What is on the operator's record about sites. Waits while the intake is busy; nothing once it has stopped."""
        with suppress(IntakeStopped):
            await self._append(OPERATOR, entries)

    def said(self, said: list[IncidentSaid]) -> None:
        """Log each revision and pass all on."""
        for each in said:
            log.info(
                "incident.said",
                step=each.step,
                incident=each.incident,
                what=each.what,
                site=each.site,
                subject=each.subject,
                severity=each.severity,
            )
        for listener in self.listeners:
            listener(said)

    async def _append(self, client: str, entries: Sequence[NewEntry], *, latest: bool = False) -> None:
        while True:
            try:
                await self._intake.append_derived(client, entries, latest=latest)
            except Busy as busy:
                await asyncio.sleep(busy.retry_after_ms / MS_PER_S)
            else:
                return


def sites_runner(
    feed: LedgerFeed,
    directory: Path,
    book: IncidentBook | None,
    *,
    defaults: Defaults,
    clock_ms: Callable[[], int],
) -> SitesRunner:
    """The runner of the operator's ledger; with a `book` it also says what becomes of incidents."""
    settings = defaults.fill(SitesSettings, "board", limits=site_limits(defaults))
    if book is None:
        return SitesRunner(feed, directory, clock_ms=clock_ms, settings=settings, changed=_log_sites)
    runner = SitesRunner(
        feed, directory, clock_ms=clock_ms, settings=settings, changed=_log_sites, record=book.record, said=book.said
    )
    book.open_incidents, book.details_now = runner.open_incidents, runner.details_now
    return runner


def _nothing(_incident: str) -> None:
    """Before a runner follows the ledger."""


def _log_sites(tiles: list[SiteTile]) -> None:
    for tile in tiles:
        log.info("site.changed", site=tile.id, state=tile.state, reason=tile.reason, power=tile.power)
