"""Sends the messages of a day when they are due, each once, over restarts too."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

import aiohttp
import msgspec
import structlog

from dashboards.alerting._core import duty_memory as memory
from dashboards.alerting._core.duty_facts import DutyFacts
from dashboards.alerting._core.duty_memory import Fate, Remembered
from dashboards.alerting._core.message import Message
from ledger.errors import LedgerError
from seatwatch.config import Config
from seatwatch.duty.messages import KINDS, duty_message
from seatwatch.duty.schedule import Due, ScheduleSettings, next_due
from seatwatch.duty.times import duty_times
from seatwatch.glossary import Language
from seatwatch.message_section import MessageSection
from seatwatch.own_process import OwnProcess, OwnProcessError
from seatwatch.settings import Defaults

log = structlog.get_logger()
FILE: Final = "messages.json"
"""Below the data directory: what became of each message."""
_decode: Final = msgspec.json.Decoder(dict[str, Remembered]).decode
_decode_facts: Final = msgspec.json.Decoder(DutyFacts).decode

Facts: TypeAlias = Callable[[MessageSection, Due], Awaitable[DutyFacts]]
Send: TypeAlias = Callable[[aiohttp.ClientSession, str, Message], Awaitable[str]]


class NotMadeError(Exception):
    """The facts of a message could not be gathered just now."""


class DutyDeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`, as `message_...`. late_after_ms: later than this a message says so.

    skip_after_ms: later than this it is not sent any more. look_ms: between looks at the timetable.
    """

    late_after_ms: int
    skip_after_ms: int
    look_ms: int


class DutyDesk:
    """Every `[[message]]` of a configuration. send: gives why a channel did not take a message, "" = it did."""

    def __init__(
        self,
        config: Config,
        data: Path,
        *,
        defaults: Defaults,
        send: Send,
        facts: Facts,
        clock_ms: Callable[[], int],
    ) -> None:
        self._config: Final = config
        self._data: Final = data
        self._defaults: Final = defaults
        self._send: Final = send
        self._channels: Final = {channel.id: channel for channel in config.channel}
        self._facts: Final = facts
        self._clock_ms: Final = clock_ms
        self._settings: Final = defaults.fill(DutyDeskSettings, "paging", prefix="message_")
        self._schedule: Final = defaults.fill(ScheduleSettings, "paging", prefix="message_")
        self._held: Final = self._read()
        self._never_due: Final[set[str]] = set()
        """What waits for an opening of a service that never closes, and was said to."""

    async def run(self) -> None:
        """Send what is due until cancelled."""
        async with aiohttp.ClientSession() as session:
            while self._config.message:
                await self.look(session)
                await asyncio.sleep(self._settings.look_ms / 1_000)

    async def look(self, session: aiohttp.ClientSession) -> None:
        """Send everything that is due by now."""
        for message in self._config.message:
            try:
                await self._look_at(session, message)
            except (LedgerError, NotMadeError, OSError) as error:
                log.warning("message.not_made", message=message.key, why=str(error))

    async def _look_at(self, session: aiohttp.ClientSession, message: MessageSection) -> None:
        now = self._clock_ms()
        if message.key not in self._held:
            # nothing of before it was configured is owed
            self._keep(message, Remembered(due_at=now))
        while True:
            held = self._held[message.key]
            if not held.waiting:
                due = await asyncio.to_thread(next_due, message, self._data, held.due_at, self._schedule)
                if due is None:
                    if message.key not in self._never_due:
                        self._never_due.add(message.key)
                        log.warning("message.never_due", message=message.key, fix="use a handover with its times")
                    return
                self._never_due.discard(message.key)
                channels = tuple(dict.fromkeys(message.channels))
                held = memory.taken_up(
                    held, Remembered(due_at=due.due_at, at=due.at, since=due.since, waiting=channels)
                )
            fate = memory.fate(held.due_at, now, skip_after_ms=self._settings.skip_after_ms)
            if fate is Fate.WAIT:
                return
            if fate is Fate.SKIP:
                log.warning("message.skipped", message=message.key, due_at=held.due_at, channels=list(held.waiting))
                self._keep(message, memory.given_up(held))
                continue
            self._keep(message, held)
            await self._tell(session, message, Due(held.due_at, held.at, held.since))
            if self._held[message.key].waiting:
                return  # refused: the next look tries again

    async def _tell(self, session: aiohttp.ClientSession, message: MessageSection, due: Due) -> None:
        facts = await self._facts(message, due)
        zone = (await asyncio.to_thread(duty_times, self._data, message.client, message.site, due.at)).zone
        for name in self._held[message.key].waiting:
            held = memory.begun(self._held[message.key], name)
            self._keep(message, held)
            late_ms = self._clock_ms() - due.due_at
            refusal = await self._send(session, name, self._composed(facts, name, zone, late_ms, held.skipped))
            fallback = self._channels[name].fallback
            if refusal and fallback is not None and late_ms > self._settings.late_after_ms:
                log.warning("message.fallback_used", message=message.key, channel=name, fallback=fallback)
                composed = self._composed(facts, fallback, zone, late_ms, held.skipped)
                refusal = await self._send(session, fallback, composed)
            if refusal:
                log.warning("message.refused", message=message.key, channel=name, why=refusal)
            else:
                log.info("message.sent", message=message.key, channel=name, due_at=due.due_at)
            self._keep(message, memory.ended(held, was_taken=not refusal))

    def _composed(self, facts: DutyFacts, channel: str, zone: str, late_ms: int, skipped: int) -> Message:
        language: Language = "zh" if self._channels[channel].language.startswith("zh") else "en"
        return duty_message(
            facts,
            language,
            zone,
            names=self._config.names(),
            public_url=self._config.alerting.public_url,
            defaults=self._defaults,
            late_ms=late_ms if late_ms > self._settings.late_after_ms else 0,
            skipped=skipped,
        )

    def _read(self) -> dict[str, Remembered]:
        """What was kept; whatever was begun then is not tried again."""
        try:
            held = _decode((self._data / FILE).read_bytes())
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            log.error("message.memory_unreadable", why=str(error))  # noqa: TRY400 - the file is at fault, not the code
            return {}
        for key, each in held.items():
            if each.begun:
                log.warning("message.interrupted", message=key, channel=each.begun, due_at=each.due_at)
        channels = {message.key: message.channels for message in self._config.message}
        return {key: memory.after_restart(each, channels.get(key, ())) for key, each in held.items()}

    def _keep(self, message: MessageSection, held: Remembered) -> None:
        """Whole or not at all."""
        self._held[message.key] = held
        unfinished = self._data / f"{FILE}.new"
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(self._held)))
        unfinished.replace(self._data / FILE)


def facts_beside(data: Path, process: OwnProcess) -> Facts:
    """Facts gathered by another process."""

    async def facts(message: MessageSection, due: Due) -> DutyFacts:
        since = [] if due.since is None else [str(due.since)]
        arguments = [str(data), KINDS[message.kind].value, message.client, message.site, str(due.at), *since]
        try:
            return _decode_facts(await process.printed("seatwatch.duty.facts", *arguments))
        except OwnProcessError as error:
            raise NotMadeError(str(error)) from None

    return facts
