"""Enrolment in a running server: the door, the record of who came in, and the broker's access kept up to date."""

import asyncio
import sqlite3
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from collector._core.derived import entry
from collector._core.floods import FloodRules, Floods
from collector.docs_http import DocsDoor
from collector.enrolment._core.broker import HUB, BrokerLimits, Listener
from collector.enrolment._core.denials import Denials
from collector.enrolment._core.desk import DeskLimits
from collector.enrolment._core.twins import TwinRules, Twins
from collector.enrolment.authority import Authority, Span, write_secret
from collector.enrolment.bearer import Bearers
from collector.enrolment.broker import Broker, BrokerSettings, load_pair, needs_renewal
from collector.enrolment.broker_log import BrokerLog
from collector.enrolment.desk import Desk
from collector.enrolment.door import DoorSettings, EnrolmentDoor, tls_context
from collector.enrolment.errors import EnrolmentError
from collector.enrolment.store import STORE_FILE, EnrolmentStore
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from collector.intake_http import HttpDoor
from dashboards.rollout._core.fleet import Fleet, Ring
from dashboards.rollout.page import RolloutPage
from dashboards.snapshot import EnrolmentFigures
from dashboards.wallboard.access import Access
from seatwatch.addresses import bind_as_written
from seatwatch.clock import elapsed_ms, now_ms
from seatwatch.config import Config, ConfigError, Problem, probe_sources
from seatwatch.enrolment_job import FOLDER
from seatwatch.enrolment_section import EnrolmentSection, ring_of
from seatwatch.server.beside import Beside
from seatwatch.server.web import events_settings, words
from seatwatch.server.web_runner import web_runner
from seatwatch.settings import Defaults
from sla_engine.runners.tail import Tail
from wire.enrolment import Refusal
from wire.frame import Frame, Lane
from wire.ids import OPERATOR, SourceId

log = structlog.get_logger()
ENROLMENT: Final = SourceId("~enrolment")
"""What the record says was written by."""
_DOOR_FILE: Final = "door.pem"


def broker_of(
    section: EnrolmentSection, base: Path, authority: Authority, store: EnrolmentStore, defaults: Defaults
) -> Broker | None:
    """The broker whose files the configuration says to write; None where it names no folder."""
    if not section.broker_dir:
        return None
    listener = Listener(
        address=section.broker_listen,
        port=section.broker_port,
        folder=str((base / section.broker_dir).resolve()),
        plugin=section.broker_plugin,
        pid_file=str(base / section.broker_pid_file) if section.broker_pid_file else "",
        log=str((base / section.broker_log).resolve()) if section.broker_log else "",
    )
    settings = defaults.fill(BrokerSettings, "enrolment")
    return Broker(authority, store, listener, tuple(section.hosts), settings, defaults.fill(BrokerLimits, "enrolment"))


def may_speak(config: Config, store: EnrolmentStore, now: int) -> list[str]:
    """Identities that have a certificate and are still in the configuration."""
    return sorted(store.valid(now).keys() & {*_probes(config)})


def _probes(config: Config) -> list[str]:
    """Every probe of every configured site, in the configuration's order."""
    return [name for site in config.site for name in probe_sources(site)]


class Enrolment:
    """The parts of it in one server whose configuration has a section `enrolment`."""

    def __init__(self, config: Config, base: Path, data: Path, defaults: Defaults, intake: Intake) -> None:
        """Raises ConfigError where there is no authority yet."""
        section = self._section = config.enrolment or EnrolmentSection(hosts=[])
        try:
            self.authority = Authority.open(data / FOLDER)
        except EnrolmentError as error:
            raise ConfigError([Problem("enrolment", str(error), "then start the server again")]) from None
        try:
            self.store = EnrolmentStore(data / FOLDER, lock_wait_s=defaults.seconds("enrolment.lock_wait"))
        except (OSError, sqlite3.Error) as error:
            problem = f"{data / FOLDER / STORE_FILE} cannot be used ({error})"
            raise ConfigError([Problem("enrolment", problem, "restore it from the backup")]) from None
        limits = defaults.fill(DeskLimits, "enrolment")
        self._config = config
        self._intake = intake
        self._defaults = defaults
        self._span_ms = limits.backdate_ms, limits.certificate_ms
        self._changed = asyncio.Event()
        self._broker = broker_of(section, base, self.authority, self.store, defaults)
        self._twins = Twins(defaults.fill(TwinRules, "enrolment", prefix="twin_", live_ms=limits.live_ms))
        self._floods = Floods(defaults.fill(FloodRules, "collector", prefix="flood_"))
        self._away: frozenset[str] = frozenset()
        self.desk = Desk(
            self.authority, self.store, limits, clock_ms=now_ms, heard_at=self._heard_at, changed=self._changed.set
        )
        self._tls = tls_context(self.authority.pem)
        self._has_certificate = False
        self._fleet = Fleet()
        self._denials = Denials()
        self._log = None
        if section.broker_log:
            path = (base / section.broker_log).resolve()
            self._log = BrokerLog(path, defaults.int("enrolment.log_bytes_max"))
        self._broker_problem = ""
        self._log_problem = ""
        self._shown: ssl.SSLContext | None = None
        self._shown_at = 0

    def problems(self) -> Sequence[str]:
        """What keeps revocations from reaching the broker."""
        return [problem for problem in (self._broker_problem, self._log_problem) if problem]

    def figures(self) -> EnrolmentFigures:
        """What a scrape reads."""
        return EnrolmentFigures(
            steps=self.store.steps(),
            refused={reason.value: self.desk.refusals[reason] for reason in Refusal},
            denied={} if self._log is None else {kind.value: count for kind, count in self._denials.counts.items()},
        )

    def page(self, access: Access) -> RolloutPage:
        """The rollout page."""
        return RolloutPage(
            self._rings,
            self._intake.strangers.names,
            access=access,
            texts=words(),
            zone=ZoneInfo(self._defaults.text("contract.time_zone")),
            stop=lambda ring: self.store.hold(ring, "page", now_ms()),
            go=self.store.release,
            form_bytes_max=self._defaults.int("board.sign_in_bytes_max"),
        )

    def introduce(self, context: ssl.SSLContext) -> None:
        """Let the hub show itself to its broker, from now on and with a fresh certificate before each one ends."""
        load_pair(context, self.authority, HUB, self._span())
        self._shown, self._shown_at = context, now_ms()

    def accepts(self, frame: Frame) -> bool:
        """Whether to take a frame: not while two processes speak under its identity."""
        if frame.lane is Lane.SNAPSHOT and self._twins.heard(frame.source, frame.epoch, now_ms()):
            self.desk.doubled(frame.source)
        return not self._twins.is_doubled(frame.source)

    def may_pass(self, source: str) -> bool:
        """Whether to look at one more message of a source: not beyond what any probe sends."""
        return self._floods.may_pass(source, elapsed_ms())

    async def start(self, stack: AsyncExitStack, beside: Beside) -> str:
        """Open the door and begin with what runs beside it; what to tell a person of it."""
        said = await self.open_door(stack)
        await beside(self.run(), name="enrolment")
        await beside(self._follow(), name="fleet")
        return said

    async def open_door(self, stack: AsyncExitStack) -> str:
        """Serve the door, and beside it the one for events of whoever shows a certificate; what to tell a person."""
        door = EnrolmentDoor(
            self.desk,
            self._defaults.fill(DoorSettings, "enrolment"),
            ring_of=lambda identity: ring_of(self._config.ring, identity),
            is_held=lambda ring: ring in self.store.holds(),
        )
        events = HttpDoor(
            self._intake,
            self._intake.sources,
            events_settings(self._defaults),
            identify=Bearers(self.store, now_ms).identify,
            accepts=self.accepts,
        )
        app = web.Application()
        app.add_routes([*door.routes(), *events.routes(), *DocsDoor(words()).routes()])
        self._renew_door(now_ms())
        runner = web_runner(app, self._defaults)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        port = self._section.port
        bound = bind_as_written("enrolment.port", self._section.listen, port, port)
        await web.SockSite(runner, bound.socket, ssl_context=self._tls).start()
        return f"machines come in at https://{self._section.hosts[0]}:{bound.port}"

    async def run(self) -> None:
        """Keep record, broker and the door's own certificate up to date until cancelled."""
        seen, is_recorded, told_at = -1, False, None
        try:
            while True:
                now, version = now_ms(), self.store.version()
                is_changed = self._keep_away() or version != seen or self._changed.is_set()
                seen = version
                self._changed.clear()
                if is_changed or not is_recorded:
                    is_recorded = await self._record()
                    self._name_strangers(now)
                if is_changed or told_at is None or now - told_at >= self._defaults.ms("enrolment.broker_check"):
                    told_at = now if await self._tell_broker(now) else None
                    self._tidy(now)
                self._renew_door(now)
                self._count_denials()
                is_settled = is_recorded and told_at is not None
                await self._wait(self._defaults.seconds("enrolment.look" if is_settled else "enrolment.broker_retry"))
        finally:
            self.store.close()

    def _name_strangers(self, now: int) -> None:
        """Say once, and count, who holds a certificate and is of no configured site: the broker turns it away."""
        self._intake.strangers.hold_certificates(self.store.valid(now).keys() - {*_probes(self._config)})

    async def _record(self) -> bool:
        """Put what happened on the operator's record, where a repeat adds nothing; whether that was done."""
        waiting = self.store.unrecorded()
        if not waiting:
            return True
        entries = [entry(ENROLMENT, self.store.store_id(), ordinal, body) for ordinal, body in waiting]
        try:
            await self._intake.append_derived(OPERATOR, entries)
        except (Busy, IntakeStopped):
            return False
        self.store.recorded(waiting[-1][0])
        return True

    def _keep_away(self) -> bool:
        """Whether others are to be kept away for flooding than before."""
        away = self._floods.away(elapsed_ms())
        for identity in sorted(away - self._away):
            log.error("enrolment.flooding", identity=identity)
        is_changed = away != self._away
        self._away = away
        return is_changed

    async def _tell_broker(self, now: int) -> bool:
        """Whether the broker knows who may speak, or there is none to be told."""
        if self._broker is None:
            return True
        identities = [name for name in may_speak(self._config, self.store, now) if name not in self._away]
        try:
            if self._broker.write(identities, now):
                self._broker.reload()
            host = self._config.mqtt.host or self._section.hosts[0]
            changes = await self._broker.bring_up_to_date(host, identities, now)
        except (EnrolmentError, OSError) as error:
            if str(error) != self._broker_problem:
                log.warning("enrolment.broker", problem=str(error))
            self._broker_problem = str(error)
            return False
        self._broker_problem = ""
        if changes:
            log.info("enrolment.broker_told", identities=len(identities), changes=changes)
        return True

    def _tidy(self, now: int) -> None:
        """What is due now and then: forget what has run out, and show the broker a certificate that has not."""
        self.store.forget_ended(now)
        if self._shown is not None and now - self._shown_at >= self._span_ms[1] // 2:
            self.introduce(self._shown)

    def _count_denials(self) -> None:
        if self._log is not None:
            try:
                self._denials.take(self._log.lines())
            except OSError as error:
                self._log_problem = f"the broker's log cannot be read, and nothing denied is counted: {error}"
            else:
                self._log_problem = ""

    async def _follow(self) -> None:
        """Fold what probes say of themselves, from a little before now on, until cancelled."""
        feed = self._intake.ledgers[OPERATOR]
        first = max(0, feed.size - self._defaults.int("enrolment.fleet_entries"))
        tail = Tail(feed, first, self._defaults.int("enrolment.fleet_batch"), now_ms)
        while True:
            batch = tail.read()
            self._fleet.take(batch)
            if batch:
                await asyncio.sleep(0)
            else:
                await feed.changed(tail.next_index)

    def _rings(self) -> list[Ring]:
        now = now_ms()
        return self._fleet.rings(
            _probes(self._config),
            lambda probe: ring_of(self._config.ring, probe),
            self.store.valid(now),
            self.store.holds(),
        )

    def _renew_door(self, now: int) -> None:
        """Give the door a certificate before it ends; connections that come in later see the new one."""
        path, hosts = self.authority.directory / _DOOR_FILE, tuple(self._section.hosts)
        if needs_renewal(path, hosts, now, self._defaults.int("enrolment.renewal_left")):
            pair = self.authority.server(hosts, self._span())
            write_secret(path, pair.certificate + pair.key)
        elif self._has_certificate:
            return
        self._tls.load_cert_chain(path)
        self._has_certificate = True

    def _heard_at(self, identity: str) -> int | None:
        heard = self._intake.heard.get(identity)
        return None if heard is None else heard.at

    async def _wait(self, wait_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()

    def _span(self) -> Span:
        before_ms, after_ms = self._span_ms
        now = now_ms()
        return Span(now - before_ms, now + after_ms)
