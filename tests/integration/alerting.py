"""Real Alertmanagers and Prometheus over the generated files, and a webhook that writes down what it is told."""

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from tests.servers import LOOPBACK, Server, free_port, program, running
from tests.waiting import wait_until_blocking

SETTLED_S: Final = 30.0


class Notified(msgspec.Struct, frozen=True):
    """One notification as it came in. at: by this machine's monotonic clock, in seconds."""

    at: float
    receiver: str
    status: str
    alerts: list[dict[str, Any]]

    def names(self, status: str = "firing") -> list[str]:
        """The alerts of that status in it."""
        return sorted(alert["labels"]["alertname"] for alert in self.alerts if alert["status"] == status)


class Recorder:
    """Takes notifications at /notify/{receiver} and answers `status`."""

    def __init__(self) -> None:
        self.taken: list[Notified] = []
        self.status = 200
        self.url = ""

    async def hook(self, request: web.Request) -> web.Response:
        told = await request.json()
        name = request.match_info["receiver"]
        self.taken.append(Notified(time.monotonic(), name, told["status"], told["alerts"]))
        return web.Response(status=self.status)

    def pages(self, receiver: str = "duty-1") -> list[Notified]:
        """Notifications to a receiver that call somebody."""
        return [each for each in self.taken if each.receiver == receiver and each.names()]


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    """A recorder on a free port."""
    found = Recorder()
    app = web.Application()
    app.router.add_post("/notify/{receiver}", found.hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    found.url = f"http://{LOOPBACK}:{port}/notify"
    try:
        yield found
    finally:
        await runner.cleanup()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/api/v2/status", timeout=2) as answer:
            return bool(json.load(answer)["cluster"]["status"] in {"ready", "disabled"})
    except OSError:
        return False


@contextmanager
def run_alertmanagers(
    directory: Path, configuration: Path, *, count: int = 1, ports: Sequence[int] = ()
) -> Iterator[list[Server]]:
    """One Alertmanager, or several that gossip. Each may be stopped, killed and started again."""
    clusters = [free_port() for _ in range(count)]
    with ExitStack() as stack:
        servers = []
        for number in range(count):
            port, storage = ports[number] if ports else free_port(), directory / f"alertmanager-{number}"
            own = f"{LOOPBACK}:{clusters[number]}" if count > 1 else ""
            peers = [f"--cluster.peer={LOOPBACK}:{peer}" for peer in clusters if count > 1 and peer != clusters[number]]
            command = [
                program("prometheus-alertmanager"),
                f"--config.file={configuration}",
                f"--web.listen-address={LOOPBACK}:{port}",
                f"--storage.path={storage}",
                f"--cluster.listen-address={own}",
                "--cluster.settle-timeout=5s",
                *peers,
            ]
            servers.append(Server(command, port=port, directory=directory, ready=lambda _: True))
        for server in servers:
            stack.enter_context(running(server))
        for server in servers:
            wait_until_blocking(partial(_is_ready, server.port), SETTLED_S, what="Alertmanager to settle")
        yield servers


def active(port: int) -> list[dict[str, Any]]:
    """The alerts an Alertmanager holds."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/api/v2/alerts", timeout=5) as answer:
        found: list[dict[str, Any]] = json.load(answer)
        return found


@contextmanager
def run_prometheus_for(
    directory: Path,
    *,
    target: str,
    rules: Path,
    alertmanagers: Sequence[Server],
    interval: str = "1s",
    resend: str = "15s",
) -> Iterator[Server]:
    """Prometheus that scrapes `target` as job seatwatch, and tells every Alertmanager."""
    port = free_port()
    configuration = directory / f"prometheus-{port}.yml"
    told = ", ".join(f"'{LOOPBACK}:{server.port}'" for server in alertmanagers)
    configuration.write_text(
        f"global: {{scrape_interval: {interval}, evaluation_interval: {interval}}}\n"
        f"rule_files: ['{rules}']\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: [{told}]}}]}}]}}\n"
        f"scrape_configs: [{{job_name: seatwatch, static_configs: [{{targets: ['{target}']}}]}}]\n",
        encoding="utf-8",
    )
    command = [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--web.listen-address={LOOPBACK}:{port}",
        f"--storage.tsdb.path={directory / f'prometheus-{port}'}",
        f"--rules.alert.resend-delay={resend}",
    ]
    with running(Server(command, port=port, directory=directory, ready=is_prometheus_ready)) as server:
        yield server


def is_prometheus_ready(port: int) -> bool:
    """Whether it answers there."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def quiet_for(seconds: float) -> None:
    """Give a second page the time it would need to come. What is awaited is that nothing does."""
    done = asyncio.Event()
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return
