"""Puts time itself on the record: clock entries, and who has fallen silent or is back.

So that the record, and not a timer, says what never came. Every entry has a key computed from what it is about, so a
restart appends nothing twice.

The hub's own absence is on the record too, as a silence of every live feed that cannot number: nobody can tell whether
what happened meanwhile came in later. A feed that numbers proves that by its numbers, or says that it missed a beat.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from collector._core import derived, keys
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from collector.sources import CONVERSATIONS, Source
from ledger.entry import NewEntry
from ledger.recorded import recorded
from wire.facility import Heartbeat
from wire.ids import OPERATOR, is_derived
from wire.record import Feed, SourceBack, SourceDeclared, SourceSilent
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
        self._awake_at: dict[str, int] = {}
        """Client -> up to when the hub is known to have listened for it."""
        self._last_word: dict[str, int] = {}
        """Source -> its word that was looked at last."""

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
        """Learn from the ledgers who was last heard when, who is known to be silent, and since when nobody listened."""
        oldest = {client: await asyncio.to_thread(self._look_back, client) for client in self._intake.ledgers}
        self._started_at = self._clock_ms()
        for client, handle in self._intake.ledgers.items():
            clock = await self._intake.latest(client, keys.CLOCK, keys.clock_epoch(handle.ledger_id))
            if clock.mark:
                self._awake_at[client] = keys.clock_instant(clock.mark)
        for source in self._intake.sources:
            silence = await self._intake.latest(source.client, keys.SILENCE, keys.silence_epoch(source.id))
            if isinstance(silence.body, SourceSilent):
                self._silent_since[source.id] = silence.body.heard_at
            declared = await self._intake.latest(source.client, keys.SOURCES, keys.declaration_epoch(source.id))
            if source.heartbeat_ms and declared.mark and source.id not in self._restored:
                # It did speak once, and not since the oldest entry looked at.
                self._restored[source.id] = _Last(oldest[source.client], source.heartbeat_ms)
            if source.id in self._restored and source.id not in self._silent_since:
                back_at = silence.body.occurred_at if isinstance(silence.body, SourceBack) else 0
                self._restored[source.id] = last = self._alive_at(source, back_at)
                self._last_word[source.id] = last.at

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

    def _alive_at(self, source: Source, back_at: int) -> _Last:
        """When a restored source was known to speak: a connector's frames without items leave no entry.

        Not called silent while the hub listened, it kept its promise until then. back_at: its last silence ended.
        """
        last = self._restored[source.id]
        listened_at = self._awake_at.get(source.client, 0)
        if source.carries == CONVERSATIONS and listened_at - last.at > last.heartbeat_ms * self._settings.silent_after:
            last = last._replace(at=listened_at)
        return last._replace(at=max(last.at, back_at))

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
            if source is None or is_derived(entry.source) or entry.received_at > self._started_at:
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
            entries = await self._unheard(client, now)
            entries.append(derived.clock(self._intake.ledgers[client].ledger_id, now))
            await self._intake.append_derived(client, entries, latest=True)
            self._last_clock[client] = second
        self._awake_at[client] = now

    async def _unheard(self, client: str, now: int) -> list[NewEntry]:
        """What to say before the next clock entry, and with it: who promised nothing and was not listened to.

        Only where a clock entry is missing, so that the record itself shows that nobody listened.
        """
        entries: list[NewEntry] = []
        listened_at = self._awake_at.get(client, now)
        if now - listened_at <= self._settings.clock_idle_ms + self._settings.clock_open_ms:
            return entries
        for source in self._intake.sources:
            if source.client != client or source.id in self._silent_since:
                continue
            last = self._last_of(source)
            if last is not None and last.heartbeat_ms:
                continue
            since = max(listened_at, self._last_word.get(source.id, 0))
            if since < now and await self._is_unnumbered_feed(source):
                entries += [derived.silent(source.id, since, now), derived.back(source.id, since, now)]
        return entries

    async def _is_unnumbered_feed(self, source: Source) -> bool:
        """Whether nothing it tells later proves that it told everything."""
        if source.carries != CONVERSATIONS or source.feed is not Feed.LIVE:
            return False
        declared = await self._intake.latest(source.client, keys.SOURCES, keys.declaration_epoch(source.id))
        return isinstance(declared.body, SourceDeclared) and not declared.body.numbered

    async def _silence(self, source: Source, now: int) -> None:
        last = self._last_of(source)
        if last is None:
            return
        promised_ms = last.heartbeat_ms * self._settings.silent_after
        before = self._last_word.get(source.id, last.at)
        silent_since = self._silent_since.get(source.id)
        if silent_since is not None:
            if last.at > silent_since:
                await self._say(source, derived.back(source.id, silent_since, last.at))
                del self._silent_since[source.id]
        elif promised_ms and now >= max(last.at, self._started_at) + promised_ms:
            missed_at = max(last.at, self._started_at) + promised_ms
            await self._say(source, derived.silent(source.id, last.at, missed_at))
            self._silent_since[source.id] = last.at
        elif promised_ms and last.at >= before + promised_ms and await self._is_unnumbered_feed(source):
            # Told in time, had the hub listened. Over already, so nobody has to be told of it but the client's record.
            entries = [
                derived.silent(source.id, before, before + promised_ms),
                derived.back(source.id, before, last.at),
            ]
            await self._intake.append_derived(source.client, entries, latest=True)
        self._last_word[source.id] = last.at

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
