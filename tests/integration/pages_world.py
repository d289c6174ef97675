"""All between a UPS and a telephone, real: NUT, Mosquitto, probes, server, bridge, two Alertmanagers, Prometheus.

Made up are the gateways of the sites "lines" and "dark", which speak the wire as a probe does: lines and seats cannot
be cut on one machine without network namespaces.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import aiomqtt
from aiohttp import web

from seatwatch.__main__ import main
from seatwatch.clock import now_ms
from seatwatch.config import Config, read_config
from seatwatch.runtime_file import read_runtime
from seatwatch.server.on_call import alertmanager_text, rules_text, secret_file
from seatwatch.settings import load_defaults
from tests.collector.store import frame, item
from tests.integration.alerting import is_prometheus_ready, quiet_for, run_alertmanagers, run_prometheus_for
from tests.integration.running import Running, board, get
from tests.servers import LOOPBACK, ONLINE_UPS, Server, UpsServer, free_port, run_mosquitto, run_ups_server
from tests.waiting import NeverHappenedError, wait_until
from wire.body import Body
from wire.codec import encode_frame
from wire.facility import Heartbeat, Role
from wire.topics import backlog_topic
from wire.uplink import LineReading, LineReason, LineState

CONFIGURATION: Final = """
[server]
port = {web}
[mqtt]
host = "127.0.0.1"
port = {broker}
{fleet}
[[site]]
id = "dark"
seats = 2
[alerting]
alertmanager_urls = [{alertmanagers}]
bridge_url = "http://127.0.0.1:{bridge}/notify"
public_url = "http://127.0.0.1:{web}"
tickets = ["desk"]
[[duty]]
name = "first"
channels = ["telephone"]
[[duty]]
name = "second"
channels = ["desk"]
[[channel]]
id = "telephone"
kind = "webhook"
url_file = "telephone.url"
language = "en"
[[channel]]
id = "desk"
kind = "webhook"
url_file = "desk.url"
language = "en"
"""
PROBE: Final = """
site = "{site}"
probe = "gateway"
role = "gateway"
data_dir = "{directory}"
[broker]
host = "127.0.0.1"
port = {broker}
[[ups]]
name = "rack1"
port = {port}
ups = "{ups}"
"""
BEAT_MS: Final = {Role.GATEWAY: 2_000, Role.SEAT: 5_000}
LINES: Final = {"line1": "电信", "line2": "联通"}
MAIN_LINE: Final = "line1"
START_S: Final = 40.0
PEER_TIMEOUT_S: Final = 15.0
"""Alertmanager's default: how long the second of a pair waits for the first to tell."""


class Telephone:
    """Where the bridge's messages arrive. taken: when (monotonic seconds), over which channel, the message."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str, dict[str, Any]]] = []

    async def ring(self, request: web.Request) -> web.Response:
        self.taken.append((time.monotonic(), request.match_info["channel"], await request.json()))
        return web.Response()

    def pages(self, since: float, site: str, *, is_over: bool = False) -> list[tuple[float, str]]:
        """When it rang about `site` ("" = anything) since then, and with which title. What is over is no page."""
        rung = [(at, told) for at, channel, told in self.taken if at >= since and channel == "telephone"]
        titles = [(at, str(told["title"])) for at, told in rung if told["is_resolved"] == is_over]
        return [(at, title) for at, title in titles if not site or site in title.split(" ")]


class MadeUp:
    """A probe that says what a test wants, and beats as it promised while it is alive."""

    def __init__(self, world: "World", site: str, seat: str = "") -> None:
        self._world = world
        self._site = site
        self._seat = seat
        self._source = f"{site}/{seat or 'gateway'}"
        self._epoch = os.urandom(16)
        self._sequence = 0
        self._waiting: asyncio.Queue[Body] = asyncio.Queue(maxsize=100)
        self.is_alive = True

    async def run(self) -> None:
        """Speak until cancelled; through a broker that comes and goes."""
        role = Role.SEAT if self._seat else Role.GATEWAY
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(LOOPBACK, self._world.broker.port, identifier=self._source) as client:
                    while True:
                        if self.is_alive:
                            beat = BEAT_MS[role]
                            await self._send(client, Heartbeat(*_head(), self._site, self._seat, role, beat, 1))
                        with suppress(TimeoutError):
                            async with asyncio.timeout(BEAT_MS[role] / 1000):
                                await self._send(client, await self._waiting.get())
            await quiet_for(0.2)

    def line(self, line: str, state: LineState) -> None:
        """One line is like this from now on."""
        reason = LineReason.NO_INTERNET if state is LineState.DOWN else LineReason.OK
        is_default = line == MAIN_LINE
        reading = LineReading(*_head(), self._site, line, LINES[line], state, reason, is_default_route=is_default)
        self._waiting.put_nowait(reading)

    async def _send(self, client: aiomqtt.Client, body: Body) -> None:
        self._sequence += 1
        told = frame(item(self._sequence, body), source=self._source, epoch=self._epoch, base=self._sequence)
        await client.publish(backlog_topic(self._source), encode_frame(told), qos=1)


def _head() -> tuple[int, int, str, None, bool, str]:
    return now_ms(), 1, "made-up", None, True, ""


class World:
    """The running parts, by name. alertmanagers: a pair. powers: the UPS of each site that has one, lines: the gateway.

    after_end_s: how long after each all-clear a page is waited for that must not come; 0 = not even the all-clear is.
    """

    broker: Server
    ups: UpsServer
    alertmanagers: list[Server]
    config: Config
    url: str
    dark: list[MadeUp]

    def __init__(self, directory: Path, stack: AsyncExitStack, sites_each: int) -> None:
        self.directory = directory
        self.telephone = Telephone()
        self.after_end_s = 0.0
        self.bridge_port = free_port()
        self.powers = {name: f"ups{number}" for number, name in enumerate(_names("power", sites_each), start=1)}
        self.lines = {name: MadeUp(self, name) for name in _names("lines", sites_each)}
        self._turns = {"power": cycle(self.powers), "lines": cycle(self.lines)}
        self._stack = stack
        self._commands: dict[str, Running] = {}

    @property
    def sites(self) -> list[str]:
        """All of them."""
        return [*self.powers, *self.lines, "dark"]

    def next_of(self, kind: str) -> str:
        """The site of this kind whose turn it is: one that fails thrice in minutes flaps, a trouble of its own."""
        return next(self._turns[kind])

    def start(self, name: str, *arguments: str) -> None:
        """Start a command of ours, or start it again."""
        self._commands[name] = running = Running(list(arguments), self.directory / f"{name}.log")
        self._stack.callback(_stop, running)

    def kill(self, name: str) -> None:
        """kill -9, as a crash would."""
        self._commands[name].process.kill()
        self._commands[name].process.wait()

    def start_server(self) -> None:
        """The server, or the server again."""
        self.start("server", "up", "--config", str(self.directory / "seatwatch.toml"))

    def start_bridge(self) -> None:
        """The bridge, or the bridge again."""
        config = str(self.directory / "seatwatch.toml")
        self.start("bridge", "notify", "bridge", "--config", config, "--port", str(self.bridge_port))

    async def server_is_ready(self) -> None:
        """Wait until it serves a board."""

        def ready() -> bool:
            running = self._commands["server"]
            assert running.process.poll() is None, running.said()
            try:
                return read_runtime(self.directory / "data") is not None and get(f"{self.url}/board.json") != b""
            except OSError:
                return False

        await wait_until(ready, START_S, what="the server to serve")

    async def state(self, site: str) -> str:
        """The verdict on a site, by the board."""
        shown = await asyncio.to_thread(board, self.url)
        found: str = shown["sites"].get(site, {}).get("state", "")
        return found

    async def is_in(self, site: str, *states: str, within_s: float = 30.0) -> float:
        """Wait until the board says so; the instant, in monotonic seconds."""

        async def arrived() -> bool:
            return await self.state(site) in states

        await wait_until(arrived, within_s, what=f"{site} to be {' or '.join(states)}")
        return time.monotonic()

    async def page(self, since: float, site: str, within_s: float) -> tuple[float, str] | None:
        """The first page about `site` since then: seconds after it, and its title. None if none came in time."""
        with suppress(NeverHappenedError):
            await wait_until(lambda: self.telephone.pages(since, site), within_s, what=f"a page about {site}")
        pages = self.telephone.pages(since, site)
        return (pages[0][0] - since, pages[0][1]) if pages else None


def _names(kind: str, count: int) -> list[str]:
    return [kind, *(f"{kind}{number}" for number in range(2, count + 1))]


def _stop(running: Running) -> None:
    if running.process.poll() is None:
        running.stop()


@asynccontextmanager
async def running_world(directory: Path, *, with_prometheus: bool = False, sites_each: int = 1) -> AsyncIterator[World]:
    """All of it, once every site is as it should be. sites_each: how many with a UPS, and as many with lines."""
    async with AsyncExitStack() as stack:
        world = World(directory, stack, sites_each)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        telephone = await _serve_telephone(stack, world.telephone)
        world.broker = stack.enter_context(run_mosquitto(directory))
        world.ups = stack.enter_context(run_ups_server(directory, dict.fromkeys(world.powers.values(), ONLINE_UPS)))
        port, alertmanagers = free_port(), [free_port(), free_port()]
        world.url = f"http://{LOOPBACK}:{port}"
        for name in ("telephone", "desk"):
            (directory / f"{name}.url").write_text(f"{telephone}/{name}")
            (directory / f"{name}.url").chmod(0o600)
        config = directory / "seatwatch.toml"
        text = CONFIGURATION.format(
            web=port,
            bridge=world.bridge_port,
            alertmanagers=", ".join(f'"http://{LOOPBACK}:{each}"' for each in alertmanagers),
            broker=world.broker.port,
            fleet="\n".join(f'[[site]]\nid = "{site}"' for site in (*world.powers, *world.lines)),
        )
        config.write_text(text, encoding="utf-8")
        world.config = read_config(config)
        await asyncio.to_thread(_serve_around_the_clock, world, config)
        token = secret_file(directory / "data", "notify.token")
        routes, rules = directory / "alertmanager.yml", directory / "rules.yml"
        routes.write_text(alertmanager_text(world.config, load_defaults(), token), encoding="utf-8")
        rules.write_text(rules_text(world.config, load_defaults()), encoding="utf-8")
        world.start_bridge()
        pair = run_alertmanagers(directory, routes, count=len(alertmanagers), ports=alertmanagers)
        world.alertmanagers = stack.enter_context(pair)
        if with_prometheus:
            target = f"{LOOPBACK}:{port}"
            told = world.alertmanagers
            prometheus = run_prometheus_for(directory, target=target, rules=rules, alertmanagers=told, interval="5s")
            assert is_prometheus_ready(stack.enter_context(prometheus).port)
        world.start_server()
        await world.server_is_ready()
        for site, ups in world.powers.items():
            _start_probe(world, site, ups)
        world.dark = [MadeUp(world, "dark", seat) for seat in ("", "seat-01", "seat-02")]
        speaking = [
            tasks.create_task(each.run(), name=f"made up {number}")
            for number, each in enumerate([*world.lines.values(), *world.dark])
        ]
        for gateway in world.lines.values():
            for line in LINES:
                gateway.line(line, LineState.UP)
        for site in world.sites:
            await world.is_in(site, "ok")
        yield world
        for task in speaking:
            task.cancel()
        await asyncio.wait(speaking)  # before the broker goes


def _serve_around_the_clock(world: World, config: Path) -> None:
    """Otherwise it would hang on the hour of the test what is a page and what waits for the morning."""
    roster = world.directory / "roster.csv"
    rows = [f"{site},00:00-24:00,2026-01-01" for site in world.sites]
    roster.write_text("\n".join(["site,service_hours,effective_from", *rows]) + "\n", encoding="utf-8")
    assert main(["roster", "import", str(roster), "--config", str(config), "--time-zone", "UTC"]) == 0


def _start_probe(world: World, site: str, ups: str) -> None:
    file, directory = world.directory / f"probe-{site}.toml", world.directory / f"probe-{site}"
    text = PROBE.format(site=site, ups=ups, directory=directory, broker=world.broker.port, port=world.ups.port)
    file.write_text(text, encoding="utf-8")
    world.start(f"probe-{site}", "probe", "--config", str(file))


async def _serve_telephone(stack: AsyncExitStack, telephone: Telephone) -> str:
    app = web.Application()
    app.router.add_post("/{channel}", telephone.ring)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    return f"http://{LOOPBACK}:{port}"
