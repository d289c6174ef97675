"""The world of the kill rounds: broker, Redis, collector, engine and two gateway probes as processes, under load.

Connectors and UPSes live in the test process, so that what was said is known whatever happens to those who were told.
"""

import asyncio
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import aiohttp
import aiomqtt
from redis.asyncio import Redis

from seatwatch.clock import now_ms
from seatwatch.floor.bridge import ChatBridge
from seatwatch.floor.plan import plan_floor
from seatwatch.floor.traffic import Habits, Traffic
from seatwatch.floor.upsd import Upsd
from seatwatch.runtime_file import Runtime, read_runtime
from tests.servers import LOOPBACK, STOP_S, Server, free_port, run_mosquitto, run_redis
from tests.waiting import wait_until
from wire.body import Body
from wire.codec import decode_ack, encode_body
from wire.limits import EPOCH_BYTES

REPOSITORY: Final = Path(__file__).parents[2]
PROBES: Final = ("site1", "site2")
UPS_PER_PROBE: Final = 3
ROUND_TRIP_S: Final = 60.0
TRAFFIC_MS: Final = 20
MAINS_MS: Final = 250
HABITS: Final = Habits(
    arrivals_per_s=16.0,
    surge_factor=1,
    windows=8,
    think_median_ms=700,
    think_sigma=0.5,
    think_least_ms=500,
    customer_pause_ms=800,
    customer_pause_least_ms=200,
    patience_ms=5_000,
    patience_least_ms=1_000,
    caught_up_first_ms=200,
    caught_up_ms=2_000,
    turns_max=3,
)


class OutboxRow(NamedTuple):
    """One row of a probe's outbox file: what it had made durable and did not know to be acknowledged."""

    epoch: bytes
    sequence: int
    body: bytes


class Child(Server):
    """A Seatwatch process. data: where its runtime.json or its outbox is."""

    def __init__(self, data: Path, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "seatwatch", *arguments]
        here = {"PYTHONPATH": str(REPOSITORY)}
        super().__init__(command, port=0, directory=data, ready=lambda _: True, environment=here)
        self.log = data.parent / f"{data.name}.log"

    @property
    def runtime(self) -> Runtime | None:
        """Where it serves; None while it does not."""
        found = read_runtime(self.directory)
        return found if found is not None and self._process is not None and found.pid == self.pid else None

    def check_alive(self) -> None:
        """Fail with the end of its log if it ended by itself."""
        code = self._running().poll()
        assert code is None, f"{self.directory.name} ended with {code}:\n{self.log.read_text(errors='replace')[-3000:]}"

    def end(self) -> int:
        """SIGTERM, and its exit code."""
        process = self._running()
        process.terminate()
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            self._process = None


class Bridge(ChatBridge):
    """A connector that remembers every byte it said. acked: set whenever something new was acknowledged."""

    acked: asyncio.Event

    def put(self, body: Body) -> None:
        self.said: list[bytes]
        self.said.append(encode_body(body))
        super().put(body)

    async def _deliver(self, http: aiohttp.ClientSession) -> bool:
        progressed = await super()._deliver(http)
        if progressed:
            self.acked.set()
        return progressed


class World:
    """Everything that runs, by name. Made by `running_world`."""

    def __init__(self, base: Path, seed: int) -> None:
        self.base = base
        self.rng = Random(seed)
        self.data = base / "hub"
        self.servers: dict[str, Server] = {}
        self.bridges: dict[str, Bridge] = {}
        self.upses: list[Upsd] = []
        self.acks: dict[tuple[str, bytes], int] = {}
        """Highest acknowledgement a probe's topic carried, by (source, epoch), overheard on the broker."""
        self.chat_acked = asyncio.Event()
        self.probe_acked = asyncio.Event()
        self.kept: dict[str, set[OutboxRow]] = {probe: set() for probe in PROBES}
        """Rows seen in the outbox of each probe after one of its deaths."""
        self.is_quiet = False
        self._where: str | None = None

    def child(self, name: str) -> Child:
        """A Seatwatch process by name."""
        found = self.servers[name]
        assert isinstance(found, Child)
        return found

    @property
    def sent(self) -> int:
        """Events the connectors have said."""
        return sum(bridge.sent for bridge in self.bridges.values())

    @property
    def acknowledged(self) -> int:
        """Events the connectors were told to be durable."""
        return sum(bridge.acknowledged for bridge in self.bridges.values())

    def url(self) -> str | None:
        """Where the collector's web door is, as the connectors know it."""
        return self._where

    def redis(self) -> Redis:
        """A client of the Redis between collector and engine."""
        return Redis(host=LOOPBACK, port=self.servers["redis"].port, protocol=2)

    def kill(self, name: str) -> None:
        """kill -9. Of a probe, what its outbox then holds is noted."""
        self.servers[name].kill()
        if name == "collector":
            self._where = None
        if name in PROBES:
            self.kept[name].update(self.outbox(name))

    def outbox(self, probe: str) -> set[OutboxRow]:
        """The rows in the outbox of a probe that is not running."""
        return set(_outbox_rows(self.base / probe / "box", self.base / "scratch"))

    def outbox_changed(self, probe: str) -> int:
        """When a probe last wrote to its outbox, in nanoseconds of the file system's clock."""
        log = self.base / probe / "box" / "outbox.sqlite-wal"
        return log.stat().st_mtime_ns if log.exists() else 0

    async def start(self, name: str) -> None:
        """Start it again, and return when it can be reached."""
        self.servers[name].start()
        await self.is_up(name)

    async def is_up(self, name: str) -> None:
        """Return when a started process can be reached. A probe can be as soon as it runs."""
        if name in {"collector", "engine"}:
            child = self.child(name)

            def serves() -> Runtime | None:
                child.check_alive()
                return child.runtime

            runtime = await wait_until(serves, ROUND_TRIP_S, what=f"{name} to serve")
            if name == "collector" and runtime is not None:
                self._where = runtime.url

    async def caught_up(self) -> None:
        """Everything the connectors have said by now is acknowledged."""
        goal = self.sent
        await wait_until(
            lambda: self.acknowledged >= goal, ROUND_TRIP_S, what=f"{goal} events to be acknowledged ({self._problems})"
        )

    @property
    def _problems(self) -> list[str]:
        return [refusal for bridge in self.bridges.values() for refusal in bridge.refused[-2:]]

    # ----------------------------------------------------------------------------------------------------------- load

    async def talk(self) -> None:
        """Conversations, as fast as customers come, until told to be quiet."""
        plan = plan_floor(2, 20, team_size=15)
        traffic = Traffic(plan, HABITS, seed=self.rng.randrange(1 << 30), start_ms=now_ms())
        while not self.is_quiet:
            for happened in traffic.advance(now_ms()):
                self.bridges[happened.client].put(happened.body)
            await _next(TRAFFIC_MS)

    async def unplug(self) -> None:
        """Mains comes and goes at one UPS after another, so that probes always have something to keep."""
        while not self.is_quiet:
            ups = self.rng.choice(self.upses)
            if ups.has_mains:
                ups.lose_mains()
            else:
                ups.restore_mains()
            await _next(MAINS_MS)

    async def overhear(self) -> None:
        """Read along what the collector acknowledges to probes, over every death of the broker."""
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(LOOPBACK, self.servers["broker"].port) as client:
                    await client.subscribe("v1/+/+/ack")
                    async for message in client.messages:
                        self._overheard(str(message.topic), bytes(message.payload))
            await _next(MAINS_MS)

    def _overheard(self, topic: str, payload: bytes) -> None:
        ack = decode_ack(payload)
        key = (topic.removeprefix("v1/").removesuffix("/ack"), ack.epoch)
        if ack.acknowledged_through > self.acks.get(key, 0):
            self.acks[key] = ack.acknowledged_through
            self.probe_acked.set()


async def _next(pause_ms: int) -> None:
    due = now_ms() + pause_ms
    await wait_until(lambda: now_ms() >= due, what="the clock")


@asynccontextmanager
async def running_world(base: Path, seed: int) -> AsyncIterator[World]:
    """The world, started and under load; ended whatever happens."""
    world = World(base, seed)
    async with AsyncExitStack() as stack:
        world.servers["broker"] = stack.enter_context(run_mosquitto(base))
        world.servers["redis"] = stack.enter_context(run_redis(base))
        _write_configuration(world)
        for name in ("collector", "engine"):
            data = base / ("hub" if name == "collector" else "engine")
            data.mkdir()
            arguments = ["up", "--config", str(base / f"{name}.toml"), "--data", str(data), "--only", name]
            world.servers[name] = stack.enter_context(_started(Child(data, arguments)))
        for probe in PROBES:
            upses = [await stack.enter_async_context(Upsd()) for _ in range(UPS_PER_PROBE)]
            world.upses += upses
            config = _write_probe(world, probe, upses)
            child = Child(base / probe / "box", ["probe", "--config", str(config)])
            world.servers[probe] = stack.enter_context(_started(child))
        for name in ("collector", "engine"):
            await world.is_up(name)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work, name=f"kills.{number}")
                for number, work in enumerate(
                    [world.talk(), world.unplug(), world.overhear(), *(b.run() for b in world.bridges.values())]
                )
            ]
            try:
                yield world
            finally:
                for task in running:
                    task.cancel()


@contextmanager
def _started(child: Child) -> Iterator[Child]:
    """Started, and stopped at the end whatever happens."""
    child.directory.mkdir(parents=True, exist_ok=True)
    try:
        child.start()
        yield child
    finally:
        child.stop()


def _write_configuration(world: World) -> None:
    base = world.base
    lines = [
        f'[mqtt]\nhost = "{LOOPBACK}"\nport = {world.servers["broker"].port}',
        f'[redis]\nurl = "redis://{LOOPBACK}:{world.servers["redis"].port}/0"',
    ]
    for client, queues in plan_floor(1, 1, team_size=15).queues.items():
        token = secrets.token_urlsafe()
        path = base / f"{client}.token"
        path.touch(mode=0o600)
        path.write_text(token)
        lines.append(f'[[client]]\nid = "{client}"\ndefinition = "all-day.toml"')
        lines += [f'[[client.queue]]\nid = "{queue}"' for queue in queues]
        lines.append(f'[[source]]\nid = "chat/{client}"\nclient = "{client}"\ntoken_file = "{client}.token"')
        bridge = Bridge(
            f"chat/{client}",
            token=token,
            epoch=secrets.token_bytes(EPOCH_BYTES),
            url=world.url,
            retry_s=0.05,
            timeout_s=10.0,
        )
        bridge.said, bridge.acked = [], world.chat_acked
        world.bridges[client] = bridge
    lines += [f'[[site]]\nid = "{site}"' for site in PROBES]
    (base / "all-day.toml").write_text('based_on = "contract-10s"\nname = "kills"\nservice_windows = ["00:00-24:00"]\n')
    for name in ("collector", "engine"):
        text = "\n".join([f"[server]\nport = {free_port()}", *lines])
        (base / f"{name}.toml").write_text(text + "\n")


def _write_probe(world: World, site: str, upses: list[Upsd]) -> Path:
    home = world.base / site
    home.mkdir()
    text = f'site = "{site}"\nprobe = "gateway"\nrole = "gateway"\ndata_dir = "{home / "box"}"\n'
    text += f'[broker]\nhost = "{LOOPBACK}"\nport = {world.servers["broker"].port}\n'
    for number, ups in enumerate(upses, start=1):
        text += f'[[ups]]\nname = "rack{number}"\nups = "ups"\nport = {ups.port}\n'
    config = home / "probe.toml"
    config.write_text(text)
    return config


def _outbox_rows(box: Path, scratch: Path) -> Iterator[OutboxRow]:
    """Read a copy with SQLite alone: opening the file itself would tidy away what the next start has to cope with."""
    scratch.mkdir(exist_ok=True)
    for suffix in ("", "-wal"):
        (scratch / f"outbox{suffix}").unlink(missing_ok=True)
        original = box / f"outbox.sqlite{suffix}"
        if original.exists():
            (scratch / f"outbox{suffix}").write_bytes(original.read_bytes())
    with closing(sqlite3.connect(scratch / "outbox")) as file:
        tables = file.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rows_%' AND type = 'table'").fetchall()
        for (table,) in tables:
            for row in file.execute(f"SELECT epoch, sequence, body FROM {table}"):
                yield OutboxRow(*row)
