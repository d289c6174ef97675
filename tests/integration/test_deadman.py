"""The dead man's switch behind a real Prometheus, a real Alertmanager and the bridge, which are then killed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from dashboards.alerting.channels import Channels
from dashboards.alerting.deadman import Deadman, DeadmanSettings
from seatwatch.clock import now_ms
from seatwatch.config import parse_config
from seatwatch.on_call_config import ChannelSection
from seatwatch.server.on_call import (
    alertmanager_text,
    annotation_words,
    channels,
    rules_text,
    secret_file,
    watchdog,
)
from seatwatch.settings import load_defaults
from tests.integration.alerting import run_alertmanagers, run_prometheus_for
from tests.servers import LOOPBACK, free_port
from tests.waiting import wait_until

CONFIGURATION = """
[alerting]
bridge_url = "http://127.0.0.1:{bridge}/notify"
deadman_url = "{deadman}/watchdog"
deadman_token_file = "deadman.token"
"""
TOKEN = hashlib.sha256(b"secret").digest()
AT_ONCE = DeadmanSettings(watchdog_timeout_ms=300, watchdog_retry_ms=200, watchdog_again_ms=60_000)
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
async def served(*routes: web.AbstractRouteDef, port: int = 0) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = port or free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield f"http://{LOOPBACK}:{port}"
    finally:
        await runner.cleanup()


def two_channels(directory: Path, url: str) -> Channels:
    """A telephone, and one in its place when nobody answers there."""
    sections = []
    for name, path, fallback in (("telephone", "ring", "other"), ("other", "other", None)):
        (directory / f"{name}.url").write_text(f"{url}/{path}")
        sections.append(
            ChannelSection(id=name, kind="webhook", url_file=f"{name}.url", language="en", fallback=fallback)
        )
    return channels(sections, directory, load_defaults(), now_ms)


@asynccontextmanager
async def switch(
    telephone: Telephone, directory: Path, settings: DeadmanSettings = SOON, *, other: Telephone | None = None
) -> AsyncIterator[tuple[Deadman, str]]:
    """The switch over one telephone; without an `other` there is none in its place."""
    texts, steps = {"en": annotation_words()["en"]}, {"en": ["Look at the server."]}
    ringing = [web.post("/ring", telephone.ring), *([] if other is None else [web.post("/other", other.ring)])]
    async with served(*ringing) as url:
        ways = two_channels(directory, url)
        watch = Deadman(ways, ["telephone"], texts=texts, steps=steps, token=TOKEN, settings=settings, clock_ms=now_ms)
        async with served(*watch.routes()) as own, asyncio.TaskGroup() as tasks:
            task = tasks.create_task(watch.run(), name="deadman")
            yield watch, own
            task.cancel()


def titles(telephone: Telephone) -> list[str]:
    return [message["title"] for message in telephone.taken]


async def test_a_chain_that_breaks_anywhere_is_called_about_once_and_its_return_is_told(tmp_path: Path) -> None:
    telephone, defaults, data, port = Telephone(), load_defaults(), tmp_path / "data", free_port()
    async with switch(telephone, tmp_path) as (watch, own), AsyncExitStack() as bridge:
        (tmp_path / "deadman.token").write_text("secret\n")
        (tmp_path / "deadman.token").chmod(0o600)
        config = parse_config(CONFIGURATION.format(bridge=port, deadman=own), base=tmp_path)
        routes, rules = tmp_path / "alertmanager.yml", tmp_path / "rules.yml"
        pace = alertmanager_text(config, defaults, secret_file(data, "notify.token"))
        routes.write_text(pace.replace('"15s"', '"1s"').replace('"7500ms"', '"500ms"'), encoding="utf-8")
        rules.write_text(rules_text(config, defaults).replace('interval: "5s"', 'interval: "1s"'))
        ways = channels([], tmp_path, defaults, now_ms)
        await bridge.enter_async_context(served(*watchdog(config, tmp_path, data, ways, defaults, now_ms), port=port))
        with run_alertmanagers(tmp_path, routes) as [alertmanager]:
            target = f"{LOOPBACK}:{free_port()}"
            with run_prometheus_for(tmp_path, target=target, rules=rules, alertmanagers=[alertmanager], resend="1s"):
                await wait_until(lambda: watch.times_heard > 1, 20, what="the chain to be heard")
                before = len(telephone.taken)
                await bridge.aclose()
                await wait_until(lambda: len(telephone.taken) == before + 1, 20, what="the call about the bridge")
                assert titles(telephone)[-1] == "[Alert] Alert chain silent"
                assert telephone.taken[-1]["lines"][1:] == ["Look at the server."]
                async with served(*watchdog(config, tmp_path, data, ways, defaults, now_ms), port=port):
                    await wait_until(lambda: len(telephone.taken) == before + 2, 30, what="the all-clear")
                    assert titles(telephone)[-1] == "[Resolved] Alert chain silent"
                    alertmanager.kill()
                    await wait_until(lambda: len(telephone.taken) == before + 3, 20, what="the call")
                    assert titles(telephone)[-1] == "[Alert] Alert chain silent"


async def test_the_bridge_lets_only_alertmanager_through_and_says_what_was_not_heard(tmp_path: Path) -> None:
    passed, data, clock = [], tmp_path / "data", [now_ms()]
    ways = channels([], tmp_path, load_defaults(), now_ms)
    (tmp_path / "deadman.token").write_text("another\n")
    (tmp_path / "deadman.token").chmod(0o600)
    token = secret_file(data, "notify.token").read_text().strip()
    async with switch(Telephone(), tmp_path) as (watch, own), aiohttp.ClientSession() as session:
        config = parse_config(CONFIGURATION.format(bridge=1, deadman=own), base=tmp_path)
        beats = watchdog(config, tmp_path, data, ways, load_defaults(), lambda: clock[0])
        async with served(*beats) as bridge:
            for bearer, later_ms in (("", 0), ("secret", 0), (token, 59_999), (token, 1)):
                clock[0] += later_ms
                headers = {"Authorization": f"Bearer {bearer}"}
                async with session.post(f"{bridge}/notify/deadman", headers=headers) as answer:
                    passed.append((answer.status, ways.results["deadman", "failed"]))
        assert (passed, watch.times_heard) == ([(401, 0), (401, 0), (502, 0), (502, 1)], 0)


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


async def test_who_was_called_is_told_the_end_even_if_not_at_the_first_attempt(tmp_path: Path) -> None:
    telephone = Telephone()
    async with switch(telephone, tmp_path, AT_ONCE) as (watch, own), aiohttp.ClientSession() as session:

        async def beat() -> None:
            async with session.post(f"{own}/watchdog", headers={"Authorization": "Bearer secret"}) as answer:
                assert answer.status == 200

        await wait_until(lambda: titles(telephone), what="the call")
        telephone.status = 500
        await beat()
        await wait_until(lambda: watch._channels.results["telephone", "failed"], what="the end that was not taken")
        telephone.status = 200
        await beat()
        await wait_until(lambda: titles(telephone)[-1] == "[Resolved] Alert chain silent", what="the end")


async def test_the_one_in_its_place_is_called_when_nobody_answers_and_hears_the_end(tmp_path: Path) -> None:
    telephone, other = Telephone(), Telephone()
    telephone.status = 500
    async with switch(telephone, tmp_path, AT_ONCE, other=other) as (_, own), aiohttp.ClientSession() as session:
        await wait_until(lambda: titles(other), what="the call")
        telephone.status = 200
        async with session.post(f"{own}/watchdog", headers={"Authorization": "Bearer secret"}) as answer:
            assert answer.status == 200
        await wait_until(lambda: len(titles(other)) > 1, what="the end, though the first can be reached again")
    assert titles(other)[:2] == ["[Alert] Alert chain silent", "[Resolved] Alert chain silent"]
