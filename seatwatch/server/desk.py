"""The desk that calls people: incidents in, alerts out, acknowledgements on record. One for each server process."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from collector._core import derived
from collector._core.keys import ACKNOWLEDGED, CLOCK, INCIDENT
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from dashboards.alerting._core.calling import Absences
from dashboards.alerting._core.pager import TakenOn
from dashboards.alerting._core.taking_on import TakingOn
from dashboards.alerting.bridge import PagerNow
from dashboards.runbooks.server import Runbooks
from dashboards.snapshot import OnCallFigures
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.clock import now_ms
from seatwatch.config import Config
from seatwatch.own_process import own_process
from seatwatch.server import on_call
from seatwatch.server.duty_desk import DutyDesk, facts_beside
from seatwatch.server.incidents import IncidentBook
from seatwatch.settings import Defaults
from sla_engine.runners.sites import SitesRunner
from wire.ids import OPERATOR
from wire.incident import IncidentSaid

_TELL: Final = (CLOCK, INCIDENT, ACKNOWLEDGED)
"""Sources of our own that tell of incidents, who took them on, and that time passed."""


class Desk:
    """Hears every incident through the book, and writes down who took one on."""

    def __init__(
        self, config: Config, base: Path, data: Path, *, defaults: Defaults, intake: Intake, book: IncidentBook
    ) -> None:
        self._intake: Final = intake
        self._book: Final = book
        self._escalate_after_ms: Final = defaults.ms("paging.escalate_after")
        self._pager: Final = on_call.on_call(config, defaults, now_ms, self._details_now)
        self._channels: Final = on_call.channels(config.channel, base, defaults, now_ms)
        links = on_call.links(config, data, defaults, now_ms)
        self._page: Final = on_call.acknowledge_page(config, links, self._pager, defaults, self._take)
        self._runbooks: Final = Runbooks(on_call.language_names(config, defaults))
        pager = PagerNow(lambda: self._pager.is_ready, self._pager.fires, self._pager.annotations)
        self._bridge: Final = on_call.bridge(config, data, self._channels, defaults, links, now_ms, pager)
        self._watchdog: Final = on_call.watchdog(config, base, data, self._channels, defaults, now_ms)
        self._messages: Final = DutyDesk(
            config,
            data,
            defaults=defaults,
            send=self._channels.send,
            facts=facts_beside(data, own_process(defaults, "paging.message_made_within")),
            clock_ms=now_ms,
        )

    def routes(self) -> list[web.AbstractRouteDef]:
        """The doors for Alertmanager and for telephones."""
        return [*self._watchdog, *self._bridge.routes(), *self._page.routes(), *self._runbooks.routes()]

    def figures(self) -> OnCallFigures:
        """For a scrape."""
        pager = self._pager
        return OnCallFigures(
            open=pager.open(),
            alerts=pager.alerts(),
            pushes=pager.pushes,
            notifications=self._channels.results,
        )

    async def run(self, sites: SitesRunner) -> None:
        """Call people until cancelled. What was open before we came is taken up first."""
        self._book.listeners.append(self._pager.said)
        await sites.caught_up.wait()
        absences = Absences(self._escalate_after_ms)
        before = await asyncio.to_thread(self._taken_on_before, self._book.open_incidents(), absences)
        absences.alive(now_ms())
        # asked again: what ended while the record was read has been said already, and would stay open for ever
        self._pager.take_up(self._book.open_incidents(), before.found, before.louder_at, absences.found)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._messages.run(), name="messages")
            await self._pager.run()

    def _taken_on_before(self, open_before: Sequence[IncidentSaid], absences: Absences) -> TakingOn:
        reader = self._intake.ledgers[OPERATOR].open_reader()
        try:
            return taken_on_before(open_before, reader, absences)
        finally:
            reader.close()

    def _details_now(self, incident: str) -> dict[str, str] | None:
        """Asked through the book: the runner that knows is there later than this."""
        return self._book.details_now(incident)

    async def _take(self, incidents: Sequence[str], by: str) -> bool:
        """Put on record that `by` takes them on, then tell the pager. False where it cannot be recorded just now."""
        now = now_ms()
        found = [standing for incident in incidents if (standing := self._pager.standing(incident)) is not None]
        entries = [
            derived.incident_acknowledged(each.said.incident, by, now, revision=each.said.revision) for each in found
        ]
        try:
            await self._intake.append_derived(OPERATOR, entries)
        except (Busy, IntakeStopped):
            return False
        for incident in incidents:
            self._pager.acknowledged(incident, TakenOn(by, now))
        return True


def taken_on_before(open_before: Sequence[IncidentSaid], reader: LedgerReader, absences: Absences) -> TakingOn:
    """Who holds which of these incidents, and since when, by the record. Others are not looked for.

    What probes told meanwhile is not read: since a trouble that is weeks old that takes minutes, and nobody is called.
    absences: shown when the server was alive since the first of them; a clock entry tells of each minute.
    """
    size = reader.size()
    first = min((said.first_index for said in open_before), default=size)
    told = [stored for source in _TELL for stored in reader.span_of_source(source, first, size)]
    taking = TakingOn()
    for stored in sorted(told, key=lambda stored: stored.index):
        absences.alive(stored.received_at)
        if stored.source != CLOCK:
            taking.see(recorded(stored))
    return taking
