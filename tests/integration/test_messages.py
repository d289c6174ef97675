"""The messages of a day from a real record, made in another process, over HTTP to a webhook that writes down."""

from pathlib import Path

import aiohttp

from seatwatch.config import parse_config
from seatwatch.own_process import own_process
from seatwatch.server import on_call
from seatwatch.server.duty_desk import DutyDesk, facts_beside
from seatwatch.settings import load_defaults
from sla_engine._core.sites import fold_sites, new_sites
from tests.builders import Event
from tests.dashboards.alerting.vendors import Hook, messengers
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.feeding import Feed
from tests.sla_engine.floors import two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.uplink import LineReason, LineState

MINUTE = 60_000
HOUR = 60 * MINUTE
OPENING = NOON + 20 * HOUR
CONFIGURATION = """
[alerting]
public_url = "https://hub.example.com"
[[site]]
id = "north"
name = "North"
[[channel]]
id = "floor"
kind = "webhook"
language = "en"
url_file = "hook.url"
secret_file = "hook.secret"
[[message]]
kind = "pre-opening"
site = "north"
channels = ["floor"]
"""


def standby_line_lost_at_night(data: Path) -> None:
    log, state = Log(), new_sites(LIMITS)
    night = NOON + 14 * HOUR + 13 * MINUTE
    entries = [
        *two_lines(log),
        log.line("gate", night, "unicom", LineState.DOWN, reason=LineReason.NO_INTERNET),
        log.ups("gate", night + 5 * HOUR),
    ]
    fold_sites(state, entries)
    feed = Feed(data / "operator")
    feed.append(Event(entry.body, entry.source, entry.received_at) for entry in entries if entry.body is not None)
    feed.append(Event(each, "~incident", each.occurred_at) for each in state.unsaid)
    feed.close()


def desk(base: Path, clock: list[int]) -> DutyDesk:
    config, defaults = parse_config(CONFIGURATION, base=base), load_defaults()
    channels = on_call.channels(config.channel, base, defaults, lambda: clock[0])
    facts = facts_beside(base / "data", own_process(defaults, "paging.message_made_within"))
    return DutyDesk(
        config,
        base / "data",
        defaults=defaults,
        send=channels.send,
        facts=facts,
        clock_ms=lambda: clock[0],
    )


async def test_the_standby_line_lost_at_night_reaches_the_floor_before_opening_once(tmp_path: Path) -> None:
    standby_line_lost_at_night(tmp_path / "data")
    async with messengers() as (_, hook), aiohttp.ClientSession() as session:
        for name, text in (("hook.url", hook.url), ("hook.secret", Hook.SECRET)):
            (tmp_path / name).write_text(text, encoding="utf-8")
            (tmp_path / name).chmod(0o600)
        clock = [OPENING - 2 * HOUR]
        await desk(tmp_path, clock).look(session)
        clock[0] = OPENING - 30 * MINUTE
        hook.status = 503
        await desk(tmp_path, clock).look(session)
        assert hook.taken == []
        hook.status = 200
        for _ in range(2):
            clock[0] += MINUTE
            await desk(tmp_path, clock).look(session)
        (told,) = hook.taken
    assert told["title"].startswith("[Pre-opening check] North 11-23 07:30 ")
    assert told["lines"][0] == "! unicom: line down (since 02:13)"
    assert told["lines"][1].startswith("! North Line down unicom (since 02:13, ")
    assert told["link"] == "https://hub.example.com/?at=2026-11-23T07:30:00%2B08:00"
