"""Puts time itself on the record: clock entries, and who has fallen silent or is back.

So that the record, and not a timer, says what never came. Every entry has a key computed from what it is about, so a
restart appends nothing twice.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from collector._core import derived, keys
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from collector.sources import Source
from ledger.entry import NewEntry
from ledger.recorded import recorded
from wire.facility import Heartbeat
from wire.ids import OPERATOR, is_derived
from wire.record import SourceSilent
from wire.recorded import Recorded


class TimekeeperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[collector]` in defaults.toml.

    clock_open_ms, clock_idle_ms: how often a clock entry is due, with and without open obligations.
    silent_after: how many promised heartbeats may be missed. restore_rows: how far back a restart looks for the last.
    """

    clock_open_ms: int
    clock_idle_ms: int
    silent_after: int
    restore_rows: int


class _Last(NamedTuple):
    """The last thing known of a source: when it was heard (hub's ms), and what it promised (ms, 0 = nothing)."""

    at: int
    heartbeat_ms: int


class Timekeeper:
    """One per intake. `owes` says whether somebody waits for a reply in a client's ledger."""

    def __init__(
        self,
        intake: Intake,
        settings: TimekeeperSettings,
        *,
        clock_ms: Callable[[], int],
        owes: Callable[[str], bool],
    ) -> None:
        self._intake = intake
        self._settings = settings
        self._clock_ms = clock_ms
        self._owes = owes
        self._started_at = clock_ms()
        self._last_clock: dict[str, int] = {}
        self._restored: dict[str, _Last] = {}
        self._silent_since: dict[str, int] = {}

    async def run(self) -> None:
        """Keep the time until cancelled. The intake must be running."""
        try:
            await self.restore()
            while True:
                await self.tick()
                period_ms = self._settings.clock_open_ms
                await asyncio.sleep((period_ms - self._clock_ms() % period_ms) / 1000)
        except IntakeStopped:
            return

    async def restore(self) -> None:
        """Learn from the ledgers who was last heard when, and who is known to be silent."""
        self._started_at = self._clock_ms()
        oldest = {client: await asyncio.to_thread(self._look_back, client) for client in self._intake.ledgers}
        for source in self._intake.sources:
            silence = await self._intake.latest(source.client, keys.SILENCE, keys.silence_epoch(source.id))
            if isinstance(silence.body, SourceSilent):
                self._silent_since[source.id] = silence.body.heard_at
            declared = await self._intake.latest(source.client, keys.SOURCES, keys.declaration_epoch(source.id))
            if source.heartbeat_ms and declared.mark and source.id not in self._restored:
                # It did speak once, and not since the oldest entry looked at.
                self._restored[source.id] = _Last(oldest[source.client], source.heartbeat_ms)

    async def tick(self) -> None:
        """Append what is due now. What a full queue refuses is due again at the next tick."""
        now = self._clock_ms()
        try:
            for client in self._intake.ledgers:
                await self._clock(client, now)
            for source in self._intake.sources:
                await self._silence(source, now)
        except Busy:
            return

    def _look_back(self, client: str) -> int:
        """Read the newest entries of a ledger; returns received_at of the oldest one looked at."""
        reader = self._intake.ledgers[client].open_reader()
        try:
            size = reader.size()
            entries = [recorded(entry) for entry in reader.read(max(0, size - self._settings.restore_rows), size)]
        finally:
            reader.close()
        self._remember(entries)
        return entries[0].received_at if entries else 0

    def _remember(self, entries: Iterable[Recorded]) -> None:
        for entry in entries:
            source = self._intake.sources.get(entry.source)
            if source is None or is_derived(entry.source):
                continue
            before = self._restored.get(source.id)
            promise = source.heartbeat_ms if before is None else before.heartbeat_ms
            if isinstance(entry.body, Heartbeat):
                promise = entry.body.interval_ms
            self._restored[source.id] = _Last(entry.received_at, promise)

    async def _clock(self, client: str, now: int) -> None:
        period_ms = self._settings.clock_open_ms if self._owes(client) else self._settings.clock_idle_ms
        second = keys.clock_sequence(now)
        last = self._last_clock.get(client)
        if last is None or keys.clock_instant(second - last) >= period_ms:
            entry = derived.clock(self._intake.ledgers[client].ledger_id, now)
            await self._intake.append_derived(client, [entry], latest=True)
            self._last_clock[client] = second

    async def _silence(self, source: Source, now: int) -> None:
        last = self._last_of(source)
        if last is None:
            return
        silent_since = self._silent_since.get(source.id)
        if silent_since is not None:
            if last.at > silent_since:
                await self._say(source, derived.back(source.id, silent_since, last.at))
                del self._silent_since[source.id]
            return
        missed_at = max(last.at, self._started_at) + last.heartbeat_ms * self._settings.silent_after
        if last.heartbeat_ms and now >= missed_at:
            await self._say(source, derived.silent(source.id, last.at, missed_at))
            self._silent_since[source.id] = last.at

    async def _say(self, source: Source, entry: NewEntry) -> None:
        """Into the ledger the source writes, where it judges, and into the operator's, where somebody is told of it."""
        for client in dict.fromkeys((OPERATOR, source.client)):
            await self._intake.append_derived(client, [entry], latest=True)

    def _last_of(self, source: Source) -> _Last | None:
        """What this run heard of it, else what the run before left in the ledger."""
        restored = self._restored.get(source.id)
        heard = self._intake.heard.get(source.id)
        if heard is None:
            return restored
        promise = heard.heartbeat_ms
        if promise is None:
            promise = source.heartbeat_ms if restored is None else restored.heartbeat_ms
        return _Last(heard.at, promise)
