"""The guide for chat platforms does what it says, and the bridge it points to loses nothing."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.intake_http import HttpDoor, HttpSettings
from collector.sources import Source, token_hash
from tests.collector.running import CLIENT, Hub, running_hub
from tests.collector.store import NOW
from tests.servers import DIES_WITH_THE_TESTS, free_port, program
from tests.waiting import wait_until
from wire.conversation import AgentTurn, Author, Closed, CustomerTurn, Offered
from wire.errors import Reason
from wire.ids import OPERATOR
from wire.record import Quarantined

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "operate" / "connect-chat.md"
BRIDGE = ROOT / "examples" / "chat_bridge" / "bridge.py"
SECRET = "signs-webhooks"
HTTP = HttpSettings(requests_per_s=100, requests_burst=100, body_timeout_ms=5000, retry_after_ms=1000)
CHAT = Source(id="chat/acme", client=CLIENT, token_hash=token_hash("t"), queues=frozenset({"acme-presale"}))


@asynccontextmanager
async def door(hub: Hub, port: int = 0) -> AsyncIterator[str]:
    hub.now = NOW + 3_600_000
    app = web.Application()
    app.add_routes(HttpDoor(hub.intake, hub.sources, HTTP).routes())
    async with TestServer(app, port=port or None) as server:
        yield str(server.make_url("/")).rstrip("/")


async def run_shell(command: str, environment: Mapping[str, str]) -> Any:
    process = await asyncio.create_subprocess_exec(
        *DIES_WITH_THE_TESTS,
        program("sh"),
        "-c",
        command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, command
    return json.loads(output)


def test_the_guides_examples_come_in_pairs() -> None:
    fences = re.findall(r"^```(sh|json)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert fences[0] == "sh"
    assert fences[1:] == ["sh", "json"] * 9


async def test_every_command_in_the_guide_answers_what_the_guide_says(tmp_path: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    pairs = re.findall(r"^```sh\n(curl.*?)^```.*?^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    async with running_hub(tmp_path, sources=[CHAT]) as hub, door(hub) as url:
        for command, expected in pairs:
            said = await run_shell(command, {"SEATWATCH_URL": url, "SEATWATCH_TOKEN": "t"})
            _assert_says(said, json.loads(expected))
        assert len(hub.bodies(AgentTurn)) == 2
        assert len(hub.records(OPERATOR)) == 1, "the stray queue's event stands in the operator's ledger"


def _assert_says(said: Any, expected: Any) -> None:
    """`said` holds everything in `expected`, and possibly more."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            _assert_says(said[key], value)
    elif isinstance(expected, list):
        assert len(said) == len(expected)
        for one, other in zip(said, expected, strict=True):
            _assert_says(one, other)
    else:
        assert said == expected


# ----------------------------------------------------------------------------------------------------------- the bridge


class Bridge:
    """The example as a process of its own, which a test may kill."""

    def __init__(self, directory: Path, seatwatch_url: str) -> None:
        self.outbox = directory / "outbox.sqlite"
        self._log = directory / "bridge.log"
        self.url = f"http://127.0.0.1:{(port := free_port())}/webhook"
        self._environment = {
            **os.environ,
            "SEATWATCH_URL": seatwatch_url,
            "SEATWATCH_TOKEN": "t",
            "SOURCE": CHAT.id,
            "WEBHOOK_SECRET": SECRET,
            "PSEUDONYM_KEY": "only-here",
            "PSEUDONYM_KEY_ID": "acme-2026",
            "OUTBOX": str(self.outbox),
            "PORT": str(port),
            "HEARTBEAT_S": "0.1",
        }
        self._process: asyncio.subprocess.Process | None = None
        self.said = ""

    async def start(self) -> None:
        with self._log.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *DIES_WITH_THE_TESTS, sys.executable, str(BRIDGE), env=self._environment, stdout=log
            )
        await wait_until(self._answers, what="the bridge to listen")

    def log(self) -> str:
        """What it printed."""
        return self._log.read_text(encoding="utf-8")

    async def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None

    async def say(self, event: str, number: int, *, secret: str = SECRET, **fields: Any) -> int:
        """Deliver one webhook, with all the private things a platform puts into it."""
        hook = {
            "id": f"d-{event}-{number}",
            "event": event,
            "at_ms": NOW + number,
            "content": "my number is 13800138000",
            "conversation": {"id": f"c-{number}", "inbox": "acme-presale", "contact": "wechat:li-lei"},
            **fields,
        }
        body = json.dumps(hook).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        async with aiohttp.request("POST", self.url, data=body, headers={"X-Signature": signature}) as answer:
            self.said = await answer.text()
            return answer.status

    def waiting(self) -> int:
        with sqlite3.connect(self.outbox) as reading:
            (count,) = reading.execute("SELECT count(*) FROM outbox").fetchone()
        reading.close()
        return int(count)

    async def _answers(self) -> bool:
        try:
            return await self.say("ping", 0, secret="wrong") == 401
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def running_bridge(directory: Path, seatwatch_url: str) -> AsyncIterator[Bridge]:
    bridge = Bridge(directory, seatwatch_url)
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.kill()


async def test_webhooks_become_events_without_anything_private(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=[CHAT]) as hub, door(hub) as url, running_bridge(tmp_path, url) as bridge:
        for event in ("opened", "customer_message", "bot_message", "agent_message", "resolved", "typing"):
            assert await bridge.say(event, 1, agent="acme:07") == 204
        await wait_until(lambda: len(hub.bodies(Closed)) == 1 and bridge.waiting() == 0, what="five events to arrive")
        (opened,) = hub.bodies(Offered)
        assert (opened.queue, opened.customer_key, opened.shard_key) == ("acme-presale", "acme-2026", opened.customer)
        assert [turn.author for turn in hub.bodies(AgentTurn)] == [Author.BOT, Author.HUMAN]
        assert {r.body.shard_key for r in hub.records() if r.source == CHAT.id and r.body} == {opened.customer}
        assert _files_with(tmp_path, rb"13800138000|li-lei") == []
        assert _files_with(tmp_path, b"acme-presale") != [], "the search does find what is there"


def _files_with(directory: Path, pattern: bytes) -> list[Path]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [path for path in files if re.search(pattern, path.read_bytes())]


async def test_a_bridge_without_webhooks_says_that_it_lives_and_leaves_no_event(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=[CHAT]) as hub, door(hub) as url, running_bridge(tmp_path, url):
        await wait_until(lambda: CHAT.id in hub.intake.heard, what="a sign of life")
        hub.now += 1000
        await wait_until(lambda: hub.intake.heard[CHAT.id].at == hub.now, what="another one")
        assert [record.source for record in hub.records() if record.source == CHAT.id] == []


async def test_deliveries_during_an_outage_and_a_crash_arrive_once(tmp_path: Path) -> None:
    port = free_port()
    async with running_hub(tmp_path, sources=[CHAT]) as hub:
        async with running_bridge(tmp_path, f"http://127.0.0.1:{port}") as bridge:
            for number in range(1, 6):
                assert await bridge.say("customer_message", number) == 204
            await bridge.kill()
            await bridge.start()
            assert await bridge.say("customer_message", 5) == 204
            assert await bridge.say("customer_message", 6) == 204
            async with door(hub, port):
                await wait_until(lambda: len(hub.bodies(CustomerTurn)) == 6, what="six turns to arrive")
                assert await bridge.say("customer_message", 6) == 204
                await wait_until(lambda: bridge.waiting() == 0, what="the outbox to empty")
        assert sorted(turn.conversation for turn in hub.bodies(CustomerTurn)) == [f"c-{n}" for n in range(1, 7)]


async def test_an_event_that_does_not_fit_is_put_aside_by_the_hub_and_the_others_go_on(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=[CHAT]) as hub, door(hub) as url, running_bridge(tmp_path, url) as bridge:
        await bridge.say("customer_message", 1, at_ms="yesterday")
        await bridge.say("customer_message", 2)
        await wait_until(lambda: len(hub.bodies(CustomerTurn)) == 1, what="the good one to arrive")
        await wait_until(lambda: bridge.waiting() == 0, what="the outbox to empty")
        assert [kept.reason for kept in hub.bodies(Quarantined)] == [Reason.BODY_MALFORMED]
    assert '"d-customer_message-1","field":"$.items[0].occurred_at"' in bridge.log()


async def test_half_an_emoji_in_a_webhook_holds_nothing_up(tmp_path: Path) -> None:
    half = {"id": "c-\ud83d", "inbox": "acme-presale", "contact": "wechat:li-lei"}
    async with running_hub(tmp_path, sources=[CHAT]) as hub, door(hub) as url, running_bridge(tmp_path, url) as bridge:
        assert await bridge.say("customer_message", 1, conversation=half) == 204
        await bridge.say("customer_message", 2)
        await wait_until(lambda: len(hub.bodies(CustomerTurn)) == 1, what="the good one to arrive")
        await wait_until(lambda: bridge.waiting() == 0, what="the outbox to empty")
        assert len(hub.bodies(Quarantined)) == 1, "no conversation has a ? in its name"


async def test_fifty_events_of_the_greatest_length_fit_one_request(tmp_path: Path) -> None:
    port = free_port()
    async with running_hub(tmp_path, sources=[CHAT]) as hub:
        async with running_bridge(tmp_path, f"http://127.0.0.1:{port}") as bridge:
            wide = {"id": "c-1", "inbox": "q" * 950, "contact": "wechat:li-lei"}
            for number in range(50):
                assert await bridge.say("opened", number, conversation=wide) == 204
            async with door(hub, port):
                await wait_until(lambda: bridge.waiting() == 0, what="the outbox to empty")
        assert len(hub.bodies(Quarantined)) == 50, "no queue has so long a name"


@pytest.mark.parametrize("odd", [None, "", 7, "x" * 70_000])
async def test_a_webhook_whose_id_is_none_is_refused_with_the_reason_and_never_in_the_way(
    tmp_path: Path, odd: object
) -> None:
    async with running_bridge(tmp_path, "http://127.0.0.1:9") as bridge:
        assert await bridge.say("customer_message", 1, id=odd) == 400
        assert bridge.said == "the id must be a string, the event no longer than 1,200 characters"
        assert bridge.waiting() == 0


def test_the_bridge_is_short_enough_to_read_in_one_go() -> None:
    assert len(BRIDGE.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize(
    "name", ["SEATWATCH_URL", "PSEUDONYM_KEY", "OUTBOX", "PORT", "SOURCE", "WEBHOOK_SECRET", "HEARTBEAT_S"]
)
def test_every_setting_of_the_bridge_is_explained(name: str) -> None:
    assert f'environ["{name}"]' in BRIDGE.read_text(encoding="utf-8")
    assert f"`{name}`" in (BRIDGE.parent / "README.md").read_text(encoding="utf-8")
