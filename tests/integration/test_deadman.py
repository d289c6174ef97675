"""The dead man's switch as a process, behind a real Prometheus and a real Alertmanager that are then killed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from dashboards.alerting.channels import Channels
from dashboards.alerting.deadman import Deadman, DeadmanSettings
from seatwatch.clock import now_ms
from seatwatch.config import parse_config
from seatwatch.on_call_config import ChannelSection
from seatwatch.server.on_call import alertmanager_text, annotation_words, channels, rules_text
from seatwatch.settings import load_defaults
from tests.integration.alerting import run_alertmanagers, run_prometheus_for
from tests.servers import LOOPBACK, free_port
from tests.waiting import wait_until

CONFIGURATION = """
[alerting]
deadman_url = "{deadman}/watchdog"
deadman_token_file = "{token}"
"""
TOKEN = hashlib.sha256(b"secret").digest()
SOON = DeadmanSettings(watchdog_timeout_ms=4_000, watchdog_retry_ms=200, watchdog_again_ms=60_000)


class Telephone:
    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 200

    async def ring(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.taken.append(await request.json())
        return web.Response(status=self.status)


@asynccontextmanager
async def served(*routes: web.AbstractRouteDef) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield f"http://{LOOPBACK}:{port}"
    finally:
        await runner.cleanup()


def one_channel(directory: Path, url: str) -> Channels:
    (directory / "telephone.url").write_text(url)
    section = ChannelSection(id="telephone", kind="webhook", url_file="telephone.url", language="en")
    return channels([section], directory, load_defaults(), now_ms)


@asynccontextmanager
async def switch(telephone: Telephone, directory: Path) -> AsyncIterator[tuple[Deadman, str]]:
    texts = {"en": annotation_words()["en"]}
    async with served(web.post("/ring", telephone.ring)) as url:
        ways = one_channel(directory, f"{url}/ring")
        watch = Deadman(ways, ["telephone"], texts=texts, token=TOKEN, settings=SOON, clock_ms=now_ms)
        async with served(*watch.routes()) as own, asyncio.TaskGroup() as tasks:
            task = tasks.create_task(watch.run(), name="deadman")
            yield watch, own
            task.cancel()


def titles(telephone: Telephone) -> list[str]:
    return [message["title"] for message in telephone.taken]


async def test_a_chain_that_dies_is_called_about_once_and_its_return_is_told(tmp_path: Path) -> None:
    telephone = Telephone()
    async with switch(telephone, tmp_path) as (watch, own):
        config = parse_config(CONFIGURATION.format(deadman=own, token=tmp_path / "deadman.token"), base=tmp_path)
        routes, rules = tmp_path / "alertmanager.yml", tmp_path / "rules.yml"
        (tmp_path / "deadman.token").write_text("secret\n")
        pace = alertmanager_text(config, load_defaults(), tmp_path / "token").replace('"15s"', '"1s"')
        routes.write_text(pace, encoding="utf-8")
        rules.write_text(rules_text(config, load_defaults()).replace('interval: "5s"', 'interval: "1s"'))
        with run_alertmanagers(tmp_path, routes) as [alertmanager]:
            target = f"{LOOPBACK}:{free_port()}"
            with run_prometheus_for(tmp_path, target=target, rules=rules, alertmanagers=[alertmanager], resend="1s"):
                await wait_until(lambda: watch.times_heard > 1, 20, what="the chain to be heard")
                before = len(telephone.taken)
                alertmanager.kill()
                await wait_until(lambda: len(telephone.taken) == before + 1, 20, what="the call")
                assert titles(telephone)[-1] == "[Alert] Alert chain silent"
                alertmanager.start()
                await wait_until(lambda: len(telephone.taken) == before + 2, 30, what="the all-clear")
                assert titles(telephone)[-1] == "[Resolved] Alert chain silent"


async def test_only_who_bears_the_token_keeps_it_calm(tmp_path: Path) -> None:
    async with switch(Telephone(), tmp_path) as (watch, own), aiohttp.ClientSession() as session:
        for bearer, status, heard in (("", 401, 0), ("another", 401, 0), ("secret", 200, 1)):
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            async with session.post(f"{own}/watchdog", headers=headers) as answer:
                assert (answer.status, watch.times_heard) == (status, heard)


async def test_who_cannot_be_reached_is_tried_again_until_he_is(tmp_path: Path) -> None:
    telephone = Telephone()
    telephone.status = 500
    async with switch(telephone, tmp_path) as (watch, _):
        tried = watch._channels.results
        await wait_until(lambda: tried["telephone", "failed"] > 1, 15, what="a second attempt")
        telephone.status = 200
        await wait_until(lambda: titles(telephone), what="the call")
        assert titles(telephone) == ["[Alert] Alert chain silent"]
