"""PagerDuty keeps incidents of its own: each of ours is one there, and ends as that one, whatever it stood beside."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from dashboards.alerting._core.message import Told
from seatwatch.cli import run
from seatwatch.config import parse_config
from tests.dashboards.alerting.bridge_world import CONFIGURATION, World, bridge_world, over, told
from tests.servers import LOOPBACK, free_port

LINES = [told("line_down", severity="page", incident=f"i-{n}", subject=f"line{n}") for n in (1, 2, 3)]


class Events:
    """Takes events as the Events API v2 does. open: severities by key. refuse_from: so many are taken before."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.open: dict[str, str] = {}
        self.refuse_from = 1_000
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        event = json.loads(await request.read())
        if len(self.taken) >= self.refuse_from:
            return web.Response(status=429)
        self.taken.append(event)
        if event["event_action"] == "trigger":
            self.open[event["dedup_key"]] = event["payload"]["severity"]
        else:
            self.open.pop(event["dedup_key"], None)
        return web.json_response({"status": "success", "dedup_key": event["dedup_key"]}, status=202)


@pytest.fixture
async def events() -> AsyncIterator[Events]:
    found, app = Events(), web.Application()
    app.router.add_post("/v2/enqueue", found.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    found.url = f"http://{LOOPBACK}:{(port := free_port())}/v2/enqueue"
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield found
    finally:
        await runner.cleanup()


@pytest.fixture
async def world(events: Events, tmp_path: Path) -> AsyncIterator[World]:
    """With a channel "pd" besides."""
    async with bridge_world(tmp_path) as found:
        for name, text in (("pd.url", events.url), ("pd.key", "routing key")):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o600)
        text = CONFIGURATION.format(command=tmp_path / "call")
        text += '[[channel]]\nid = "pd"\nkind = "pagerduty"\nurl_file = "pd.url"\nsecret_file = "pd.key"\n'
        found.config = parse_config(text + 'language = "en"\n', base=tmp_path)
        found.restart()
        yield found


async def test_three_at_one_site_are_three_and_each_ends_by_itself(world: World, events: Events) -> None:
    assert await world.bridge.deliver(["pd"], Told("firing", LINES)) == []
    assert events.open == {"i-1": "error", "i-2": "error", "i-3": "error"}
    assert [event["payload"]["summary"] for event in events.taken] == [
        f"[Alert] site1 一号职场 Line down line{n}" for n in (1, 2, 3)
    ]
    assert {event["routing_key"] for event in events.taken} == {"routing key"}
    await world.bridge.deliver(["pd"], Told("firing", [over(LINES[1]), LINES[0], LINES[2]]))
    assert set(events.open) == {"i-1", "i-3"}
    await world.bridge.deliver(["pd"], Told("resolved", [over(LINES[0]), over(LINES[2])]))
    assert events.open == {}
    assert [event["event_action"] for event in events.taken] == ["trigger"] * 3 + ["resolve"] * 3


async def test_one_that_was_not_taken_comes_again_and_counts_as_one_failure(world: World, events: Events) -> None:
    events.refuse_from = 2
    assert await world.bridge.deliver(["pd"], Told("firing", LINES)) == ["pd"]
    assert world.channels.results["pd", "failed"] == 1
    events.refuse_from = 1_000
    assert await world.bridge.deliver(["pd"], Told("firing", LINES)) == []
    assert set(events.open) == {"i-1", "i-2", "i-3"}


async def test_every_call_about_the_hub_is_about_one_incident_there(world: World, events: Events) -> None:
    calls = [told("hub_down", site="hub", subject="", tier=tier) for tier in "12"]
    for call in calls:
        del call.labels["incident"]
        await world.bridge.deliver(["pd"], Told("firing", [call]))
    assert len(events.open) == 1
    await world.bridge.deliver(["pd"], Told("resolved", [over(calls[1])]))
    assert events.open == {}


async def test_what_is_heard_of_no_more_is_not_closed_there(world: World, events: Events) -> None:
    silent = over(LINES[1])
    silent.annotations["said_at"] = "1763784602"
    await world.bridge.deliver(["pd"], Told("firing", LINES[:2]))
    ended = over(LINES[0], "2025-11-22T04:11:01Z")
    await world.bridge.deliver(["pd"], Told("resolved", [ended, silent]))
    assert set(events.open) == {"i-2"}
    assert events.taken[-2]["payload"]["summary"].startswith("[No word] ")


async def test_trying_the_channel_leaves_nothing_open_there(world: World, events: Events) -> None:
    (world.directory / "call").chmod(0o700)
    text = CONFIGURATION.format(command=world.directory / "call")
    text += '[[channel]]\nid = "pd"\nkind = "pagerduty"\nurl_file = "pd.url"\nsecret_file = "pd.key"\n'
    file = world.directory / "seatwatch.toml"
    file.write_text(text, encoding="utf-8")
    assert await asyncio.to_thread(run, ["notify", "test", "pd", "--config", str(file)]) == 0
    assert ([event["event_action"] for event in events.taken], events.open) == (["trigger", "resolve"], {})


async def test_a_key_is_as_long_as_theirs_may_be(world: World, events: Events) -> None:
    other = told("", severity="page", site="x" * 300)
    del other.labels["incident"]
    await world.bridge.deliver(["pd"], Told("firing", [other]))
    await world.bridge.deliver(["pd"], Told("resolved", [over(other)]))
    assert {len(event["dedup_key"]) for event in events.taken} == {64}
    assert events.open == {}


async def test_a_channel_by_itself_is_asked_at_most_so_often_however_the_events_come(
    world: World, events: Events
) -> None:
    for number in range(4):
        found = [told(incident=f"i-{number}-{n}", subject=f"line{n}") for n in range(40)]
        assert await world.bridge.deliver(["pd"], Told("firing", found)) == ([] if number < 3 else ["pd"])
    assert len(events.taken) == 120
