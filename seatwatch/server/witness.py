"""Asks the clients' ledgers about incidents that probes only suspect, and puts what they say on the record."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from collector._core import derived
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from seatwatch.settings import Defaults
from sla_engine.runners.sites import SitesRunner
from sla_engine.witness import Hearing, WitnessLimits
from wire.ids import OPERATOR
from wire.incident import IncidentSaid

log = structlog.get_logger()


class WitnessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[incidents]` in defaults.toml. every_s: between two looks. asked_ms: after so long, no more."""

    every_s: float
    asked_ms: int


class Witness:
    """One for each process that writes ledgers. Costs nothing while nothing is suspected."""

    def __init__(self, intake: Intake, sites: SitesRunner, *, defaults: Defaults, clock_ms: Callable[[], int]) -> None:
        self._intake: Final = intake
        self._sites: Final = sites
        self._settings: Final = defaults.fill(WitnessSettings, "incidents", prefix="witness_")
        self._limits: Final = defaults.fill(WitnessLimits, "incidents", prefix="witness_")
        self._clock_ms: Final = clock_ms
        self._hearings: dict[str, Hearing] = {}
        self._said: dict[str, bool] = {}

    async def run(self) -> None:
        """Ask again and again until cancelled."""
        await self._sites.caught_up.wait()
        while True:
            await asyncio.sleep(self._settings.every_s)
            try:
                await self.look()
            except IntakeStopped:
                return

    async def look(self) -> None:
        """Ask once about everything that is suspected now. Raises IntakeStopped, LedgerCorrupt."""
        now = self._clock_ms()
        asked = {
            said.incident: said
            for said in self._sites.suspected_incidents()
            if now - said.started_at <= self._settings.asked_ms
        }
        for incident in self._hearings.keys() - asked.keys():
            del self._hearings[incident]
            self._said.pop(incident, None)
        for said in asked.values():
            if said.incident not in self._hearings:
                accounts = {
                    client: found
                    for client, found in self._sites.accounts_of(said).items()
                    if client in self._intake.ledgers and client != OPERATOR
                }
                self._hearings[said.incident] = Hearing(said, accounts, self._limits)
        if any(hearing.accounts for hearing in self._hearings.values()):
            await asyncio.to_thread(self._hear)
        for incident, said in asked.items():
            await self._tell(said, self._hearings[incident], now)

    def _hear(self) -> None:
        """Read what is new in the ledgers of everybody concerned: in a thread of its own, by readers of its own."""
        for client in sorted({client for hearing in self._hearings.values() for client in hearing.accounts}):
            reader = self._intake.ledgers[client].open_reader()
            try:
                size = reader.size()
                for hearing in self._hearings.values():
                    if client in hearing.accounts:
                        hearing.hear(client, reader, size)
            finally:
                reader.close()

    async def _tell(self, said: IncidentSaid, hearing: Hearing, now: int) -> None:
        found = hearing.testimony(now)
        if found is None or self._said.get(said.incident) is found.is_working:
            return
        entry = derived.work_seen(said, now, found.usual, found.replies, found.signed_out, is_working=found.is_working)
        try:
            await self._intake.append_derived(OPERATOR, [entry])
        except Busy:
            return  # it is asked again
        self._said[said.incident] = found.is_working
        log.info("incident.witnessed", incident=said.incident, site=said.site, is_working=found.is_working)
