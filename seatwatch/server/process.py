"""One server process: everything `seatwatch up` runs, started in order and stopped in the reverse of it."""

import asyncio
import errno
import os
import secrets
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import web

from collector.at_once import SideBySide
from collector.broker_watch import BrokerWatch, BrokerWatchSettings
from collector.checkpoints import Checkpoints, CheckpointSettings
from collector.intake import Intake, IntakeSettings
from collector.intake_mqtt import MqttDoor, MqttSettings
from collector.ledgers import ledger_directory
from collector.maintenance_http import MaintenanceDoor
from collector.roster_http import RosterDoor
from collector.sources import Sources
from collector.timekeeper import Timekeeper, TimekeeperSettings
from dashboards.wallboard.hub import Hub
from ledger.checkpoint import Signer
from ledger.reader import LedgerReader
from ledger.segment import LedgerSettings
from seatwatch.addresses import LOOPBACK, PortBusy, bind_as_written, url_of
from seatwatch.clock import RecordClock, elapsed_ms, now_ms
from seatwatch.config import BROKER_PORT, SERVER_PORT, Config, ConfigError, Problem, token_digest
from seatwatch.importing import import_sources, import_token
from seatwatch.runtime_file import Runtime, remove_runtime, write_runtime
from seatwatch.server import screens
from seatwatch.server.ahead import Ahead
from seatwatch.server.beside import Beside, run_beside
from seatwatch.server.desk import Desk
from seatwatch.server.engines import Engines
from seatwatch.server.enrolment import Enrolment
from seatwatch.server.incidents import INCIDENTS, IncidentBook, sites_runner
from seatwatch.server.lead import FollowUps, leader_names
from seatwatch.server.memory import settle_memory
from seatwatch.server.opening import open_writers, reader_scopes, registered_sources
from seatwatch.server.publishing import publish
from seatwatch.server.removed_sites import say_removed_sites
from seatwatch.server.rules import client_rules
from seatwatch.server.web import Figures, web_application
from seatwatch.server.web_runner import web_runner
from seatwatch.server.witness import Witness
from seatwatch.settings import Defaults
from sla_engine.runners.tail import LedgerFeed
from wire.board import Board
from wire.ids import OPERATOR

if TYPE_CHECKING:
    from seatwatch.server.unheard import Unheard
    from sla_engine.runners.redis_streams import RedisFeed

log = structlog.get_logger()


# Format: sysexits.h of BSD.
EXIT_COMMIT_FAILED: Final = 70
"""EX_SOFTWARE of sysexits.h: only a fresh start knows what is durable."""


def end_at_once(error: BaseException) -> None:
    """A commit failed: nothing may be acknowledged any more, so the process ends without any clean-up."""
    log.critical("intake.commit_failed", error=str(error))
    os._exit(EXIT_COMMIT_FAILED)


class Part(StrEnum):
    """What a process runs. Apart, the collector feeds Redis and the engine follows it."""

    ALL = "all"
    COLLECTOR = "collector"
    ENGINE = "engine"


class Server:
    """`seatwatch up`. say: how a person is told where it is (one line a call)."""

    def __init__(
        self, config: Config, base: Path, data: Path, *, part: Part, defaults: Defaults, say: Callable[[str], None]
    ) -> None:
        if part is not Part.ALL and config.redis is None:
            problem = f"a process that runs the {part} alone needs Redis between the two"
            raise ConfigError([Problem("redis.url", problem, 'add [redis] url = "redis://127.0.0.1:6379/0"')])
        self._config = config
        self._base = base
        self._data = data
        self._part = part
        self._defaults = defaults
        self._say = say
        self._boot_id = secrets.token_hex(8)
        slower = round(defaults.ratio("collector.set_back_slower"))
        self._record_clock = RecordClock(now_ms, elapsed_ms, slower=slower)
        self._ahead = Ahead(self._record_clock, now_ms, most_ms=defaults.ms("board.record_ahead_max"), slower=slower)
        self._unheard: Unheard | None = None
        self._door: MqttDoor | None = None
        self._enrolment: Enrolment | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises LedgerBusy, LedgerCorrupt, ConfigError, OSError before it serves."""
        async with asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:
            beside = partial(run_beside, stack, tasks)
            intake, mqtt_port = None, 0
            if self._part is not Part.ENGINE:
                intake = await self._intake(stack, beside)
                for problem in self._ahead.problems():
                    self._say(f"WARNING: {problem}")
                for client in self._config.client:
                    await intake.append_derived(client.id, client_rules(client, self._base))
                if self._config.enrolment is not None:
                    self._enrolment = Enrolment(self._config, self._base, self._data, self._defaults, intake)
                    self._say(await self._enrolment.start(stack, beside))
                mqtt_port = await self._mqtt(stack, beside, intake)
                await self._feed_redis(stack, beside, intake)
            engines = None
            feeds: Mapping[str, LedgerFeed]
            feeds = await self._streams(stack, beside, stop) if intake is None else intake.ledgers
            book = None if intake is None else IncidentBook(intake)
            if self._part is not Part.COLLECTOR:
                if stop.is_set():
                    return
                engines = Engines(
                    self._config.client,
                    feeds,
                    self._data / "facts",
                    defaults=self._defaults,
                    clock_ms=now_ms,
                    sites={site.id: site.seats + 1 for site in self._config.site},
                    book=book,
                )
                await beside(engines.run(), name="engines")
                rarer = round(self._defaults.ratio("engine.full_collections_rarer"))
                await beside(settle_memory(engines, rarer), name="settle memory")
                sites = engines.sites
            else:
                directory = self._data / INCIDENTS
                sites = sites_runner(feeds[OPERATOR], directory, book, defaults=self._defaults, clock_ms=now_ms)
                await beside(sites.run(), name="incidents")
            desk = None
            if intake is not None and book is not None:
                await self._keep_time(beside, intake, engines)
                known = [site.id for site in self._config.site]
                removed = say_removed_sites(sites, known, book, self._record_clock.now_ms)
                await beside(removed, name="removed sites")
                desk = Desk(self._config, self._base, self._data, defaults=self._defaults, intake=intake, book=book)
                await beside(desk.run(sites), name="desk")
                witness = Witness(intake, sites, defaults=self._defaults, clock_ms=self._record_clock.now_ms)
                await beside(witness.run(), name="witness")
            url = await self._web(stack, beside, intake, engines, feeds, desk)
            token_file = str(import_token(self._data).resolve())
            write_runtime(self._data, Runtime(os.getpid(), self._boot_id, url, mqtt_port, token_file))
            stack.callback(remove_runtime, self._data, self._boot_id)
            broker = f"MQTT on port {mqtt_port}, " if mqtt_port else ""
            self._say(f"Seatwatch is up: {url}/  ({broker}record in {self._data})")
            await stop.wait()

    def _sources(self) -> Sources:
        """Everybody the configuration names, and the imports of the data directory's owner."""
        named = registered_sources(self._config, self._base, self._defaults)
        digest = token_digest(import_token(self._data)).hex()
        imports = import_sources((client.id for client in self._config.client), digest)
        return Sources([*named, *(source for source in imports if named.get(source.id) is None)])

    async def _keep_time(self, beside: Beside, intake: Intake, engines: Engines | None) -> None:
        """Put time on the record. Without an engine here, a client who was told of lately may be owed a reply."""
        lately_ms = self._defaults.ms("collector.owing_after")

        def told_lately(client: str) -> bool:
            sources = [source.id for source in intake.sources if source.client == client]
            newest = max((intake.heard[name].at for name in sources if name in intake.heard), default=0)
            return self._record_clock.now_ms() - newest < lately_ms

        timekeeper = Timekeeper(
            intake,
            self._defaults.fill(TimekeeperSettings, "collector"),
            clock_ms=self._record_clock.now_ms,
            owes=told_lately if engines is None else engines.owes,
        )
        await beside(timekeeper.run(), name="timekeeper")
        if self._door is not None:
            watch = BrokerWatch(
                intake,
                self._defaults.fill(BrokerWatchSettings, "collector", prefix="broker_"),
                is_connected=self._door.connected.is_set,
                clock_ms=self._record_clock.now_ms,
            )
            await beside(watch.run(self._defaults.seconds("collector.clock_open")), name="broker watch")

    async def _intake(self, stack: AsyncExitStack, beside: Beside) -> Intake:
        defaults = self._defaults
        writers = open_writers(
            self._data, self._config, settings=defaults.fill(LedgerSettings, "ledger"), clock_ms=now_ms
        )
        for writer in writers.values():
            stack.callback(writer.close)
            self._record_clock.not_before(writer.last_received_at)
        at_once = SideBySide(defaults.int("collector.commit_threads"))
        stack.callback(at_once.close)
        intake = Intake(
            writers,
            self._sources(),
            settings=defaults.fill(IntakeSettings, "collector"),
            clock_ms=self._record_clock.now_ms,
            open_reader=lambda client: LedgerReader.open(ledger_directory(self._data, client)),
            die=end_at_once,
            at_once=at_once,
        )
        await beside(intake.run(), name="intake")
        signer = Signer.open(self._data / "keys" / "checkpoints.key", authority=self._config.server.name)
        checkpoints = Checkpoints(intake, signer, defaults.fill(CheckpointSettings, "ledger"))
        await beside(checkpoints.run(), name="checkpoints")
        return intake

    async def _mqtt(self, stack: AsyncExitStack, beside: Beside, intake: Intake) -> int:
        """Start the door to the broker, and the broker itself where none is configured. Returns the broker's port."""
        mqtt = self._config.mqtt
        password = None
        if mqtt.password_file is not None:
            password = (self._base / mqtt.password_file).read_text(encoding="utf-8").strip()
        if mqtt.host is None:
            port = await self._broker(stack, mqtt.port)
        else:
            port = BROKER_PORT if mqtt.port is None else mqtt.port
        settings = self._defaults.fill(
            MqttSettings,
            "collector",
            prefix="mqtt_",
            host=mqtt.host or LOOPBACK,
            port=port,
            protocol="3.1.1" if mqtt.host is None else "5",
            username=mqtt.username,
            password=password,
        )
        tls = None
        if mqtt.tls:
            tls = ssl.create_default_context(cafile=None if mqtt.ca_file is None else self._base / mqtt.ca_file)
            if self._enrolment is not None:
                self._enrolment.introduce(tls)
        accepts = None if self._enrolment is None else self._enrolment.accepts
        may_pass = None if self._enrolment is None else self._enrolment.may_pass
        self._door = door = MqttDoor(intake, intake.sources, settings, tls=tls, accepts=accepts, may_pass=may_pass)
        await beside(door.run(), name="mqtt")
        return port

    async def _broker(self, stack: AsyncExitStack, written: int | None) -> int:
        """Start the embedded broker where probes of this machine look for it. Raises PortBusy, OSError."""
        from collector.broker_embedded import embedded_broker  # noqa: PLC0415 - sites with a broker of their own need none

        wanted = BROKER_PORT if written is None else written
        try:
            return await stack.enter_async_context(embedded_broker(wanted))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        if written is not None:
            raise PortBusy("mqtt.port", written)
        port = await stack.enter_async_context(embedded_broker(0))
        self._say(f"port {wanted} is busy, the embedded broker uses {port} instead")
        return port

    async def _feed_redis(self, stack: AsyncExitStack, beside: Beside, intake: Intake) -> None:
        """Copy every ledger into its stream, where a Redis is configured."""
        if self._config.redis is None:
            return
        from seatwatch.server.streams import connect, feed  # noqa: PLC0415 - most servers run without, and it takes 0.2 s

        redis = connect(self._config.redis.url, stack, self._defaults)
        await feed(redis, intake.ledgers, beside, defaults=self._defaults, clock_ms=self._record_clock.now_ms)

    async def _streams(self, stack: AsyncExitStack, beside: Beside, stop: asyncio.Event) -> "dict[str, RedisFeed]":
        """Follow every configured client's stream; none when told to stop before all were announced."""
        from seatwatch.server.streams import connect, follow  # noqa: PLC0415 - see above

        redis = connect("" if self._config.redis is None else self._config.redis.url, stack, self._defaults)
        wanted = {OPERATOR, *(client.id for client in self._config.client)}
        streams = await follow(redis, wanted, beside, stop, defaults=self._defaults)
        if streams is None:
            return {}
        self._unheard = streams.unheard
        return streams.feeds

    def _withhold(self, board: Board) -> Board:
        """Take away what must not pass for live."""
        return self._ahead.withhold(board if self._unheard is None else self._unheard.withhold(board))

    def _problems(self, engines: Engines | None) -> list[str]:
        """What keeps this server from being ready, in words."""
        problems = self._ahead.problems() + ([] if engines is None else engines.problems())
        if self._unheard is not None:
            problems += self._unheard.problems()
        if self._door is not None and not self._door.connected.is_set():
            problems.append("the MQTT broker cannot be reached: probes keep what they measure")
        if self._enrolment is not None:
            problems += self._enrolment.problems()
        return problems

    async def _web(
        self,
        stack: AsyncExitStack,
        beside: Beside,
        intake: Intake | None,
        engines: Engines | None,
        feeds: Mapping[str, LedgerFeed],
        desk: Desk | None,
    ) -> str:
        defaults, server, names = self._defaults, self._config.server, self._config.names()
        hub = Hub(
            screens.wallboard_settings(defaults), boot_id=self._boot_id, clock_ms=now_ms, team_names=names.of_teams()
        )
        figures = Figures(
            intake, feeds, hub, now_ms, self._record_clock.ahead_ms, {} if engines is None else engines.lateness
        )
        scopes, devices = reader_scopes(self._config, self._base), screens.devices_of(self._data, defaults)
        access = screens.access_of(scopes, devices)
        await beside(screens.keep_seen(devices, defaults.seconds("board.device_seen")), name="devices seen")
        app = web_application(
            intake,
            hub,
            figures,
            access=access,
            defaults=defaults,
            problems=partial(self._problems, engines),
            leaders=leader_names(self._config, self._base),
            follow_up=None if intake is None else FollowUps(intake, self._record_clock.now_ms).take,
        )
        screens.install_layouts(app, access, self._config, self._base, defaults)
        if intake is not None:
            await screens.install_record_pages(app, access, self._config, self._base, self._data, defaults, beside)
            self._install_doors(app, intake)
        if desk is not None:
            app.add_routes(desk.routes())
            figures.on_call = desk.figures
        if self._enrolment is not None:
            app.add_routes(self._enrolment.page(access).routes())
            figures.enrolment = self._enrolment.figures
        runner = web_runner(app, defaults)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        bound = bind_as_written("server.port", server.listen, server.port, SERVER_PORT)
        if bound.replaced is not None:
            self._say(f"port {bound.replaced} is busy, using {bound.port} instead")
        await web.SockSite(runner, bound.socket).start()
        if engines is not None:
            await beside(publish(engines, hub, figures, names, defaults, self._withhold), name="publish")
        return url_of(server.listen, bound.port)

    def _install_doors(self, app: web.Application, intake: Intake) -> None:
        """What only a process that takes entries has: roster and planned work."""
        owner = token_digest(import_token(self._data)).hex()
        app.add_routes(RosterDoor(intake, owner).routes())
        app.add_routes(MaintenanceDoor(intake, owner, self._record_clock.now_ms).routes())
