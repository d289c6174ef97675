"""Incidents through a real pair of Alertmanagers and a real Prometheus: one page, whichever way is first."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from msgspec.structs import replace

from dashboards.alerting.on_call import OnCall
from dashboards.exporter import Exporter
from dashboards.snapshot import OnCallFigures, Snapshot
from seatwatch.clock import now_ms
from seatwatch.config import Config, parse_config
from seatwatch.server.on_call import alertmanager_text, bridge, channels, links, on_call, rules_text
from seatwatch.settings import Defaults, load_defaults
from sla_engine._core.sites import fold_sites, new_sites
from tests.dashboards.alerting.incidents import incident
from tests.dashboards.alerting.vendors import Hook, messengers
from tests.integration.alerting import (
    Recorder,
    active,
    quiet_for,
    recorder,
    run_alertmanagers,
    run_prometheus_for,
)
from tests.integration.pages_world import PEER_TIMEOUT_S
from tests.servers import LOOPBACK, Server, free_port
from tests.sla_engine.entries import Log
from tests.sla_engine.floors import two_lines
from tests.sla_engine.site_limits import LIMITS
from tests.waiting import wait_until
from wire.facility import Power
from wire.incident import IncidentSaid, Severity
from wire.recorded import Recorded
from wire.uplink import LineState


def configured(recorder: Recorder, urls: list[str]) -> Config:
    listed = ", ".join(f'"{url}"' for url in urls)
    text = f'[alerting]\nalertmanager_urls = [{listed}]\nbridge_url = "{recorder.url}"\n'
    text += "".join(f'[[duty]]\nname = "{name}"\nchannels = ["floor"]\n' for name in ("first", "second"))
    text += '[[channel]]\nid = "floor"\nkind = "command"\ncommand = ["/bin/true"]\n'
    return parse_config(text, base=Path())


@pytest.fixture
async def told() -> AsyncIterator[Recorder]:
    async with recorder() as found:
        yield found


def written(told: Recorder, directory: Path, token_file: Path | None = None) -> tuple[Path, Path]:
    """The generated files: routes and rules, the rules at the pace of these tests."""
    config = configured(told, [])
    if token_file is None:
        token_file = directory / "notify.token"
        token_file.write_text("a token\n")
    routes, rules = directory / "alertmanager.yml", directory / "rules.yml"
    routes.write_text(alertmanager_text(config, load_defaults(), token_file), encoding="utf-8")
    text = rules_text(config, load_defaults()).replace('interval: "5s"', 'interval: "1s"')
    rules.write_text(text, encoding="utf-8")
    return routes, rules


def quicker(quick: Mapping[str, float]) -> Defaults:
    """quick: keys of `[paging]` with other values, in their own units."""
    shipped = load_defaults()
    changed = {
        f"paging.{key}": dataclasses.replace(shipped[f"paging.{key}"], value=value) for key, value in quick.items()
    }
    return Defaults({**shipped, **changed})


@asynccontextmanager
async def pager(told: Recorder, urls: list[str], quick: Mapping[str, float] | None = None) -> AsyncIterator[OnCall]:
    paging = on_call(configured(told, urls), quicker(quick or {}), now_ms)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(paging.run(), name="paging")
        yield paging
        task.cancel()


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    """Yields host:port."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield f"{LOOPBACK}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def scraped(figures: Callable[[], OnCallFigures]) -> AsyncIterator[str]:
    """/metrics over these figures. Yields host:port."""
    exporter = Exporter(lambda: Snapshot(now_ms=now_ms(), on_call=figures()), version="test", ids_max=100)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=exporter.render(openmetrics=False), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    async with listening(app) as address:
        yield address


def battery_low(ended_at: int | None = None, revision: int = 0, *, at: int) -> IncidentSaid:
    return incident("battery_low", at, severity=Severity.CALL, ended_at=ended_at, revision=revision)


@asynccontextmanager
async def bridged(directory: Path, quick: Mapping[str, float] | None = None) -> AsyncIterator[tuple[Hook, str]]:
    """The bridge apart, with one webhook. Yields that and where Alertmanager finds the bridge."""
    async with messengers() as (_, hook):
        for name, text in (("hook.url", hook.url), ("hook.secret", Hook.SECRET)):
            (directory / name).write_text(text)
            (directory / name).chmod(0o600)
        text = '[alerting]\npublic_url = "https://hub.example.com"\n[[duty]]\nname = "first"\nchannels = ["desk"]\n'
        text += '[[channel]]\nid = "desk"\nkind = "webhook"\nurl_file = "hook.url"\nsecret_file = "hook.secret"\n'
        config = parse_config(text + 'language = "en"\n', base=directory)
        defaults = quicker(quick or {})
        ways = channels(config.channel, directory, defaults, now_ms)
        app = web.Application()
        app.add_routes(
            bridge(config, directory, ways, defaults, links(config, directory, defaults, now_ms), now_ms).routes()
        )
        async with listening(app) as address:
            yield hook, f"http://{address}/notify"


@pytest.mark.alone
async def test_a_page_goes_through_a_pair_within_a_second(told: Recorder, tmp_path: Path) -> None:
    async with bridged(tmp_path) as (hook, told.url):
        routes, _ = written(told, tmp_path, tmp_path / "keys" / "notify.token")
        with run_alertmanagers(tmp_path, routes, count=2) as pair:
            async with pager(told, [f"http://{LOOPBACK}:{server.port}" for server in pair]) as paging:
                started = time.monotonic()
                paging.said([battery_low(at=now_ms())])
                await wait_until(lambda: hook.taken, what="the page")
                assert time.monotonic() - started < 1.0


async def test_a_pair_and_both_ways_give_one_page_and_one_all_clear(told: Recorder, tmp_path: Path) -> None:
    """Through the bridge: the pair by itself pages once more after the end (Bridge, what is outdated)."""
    async with bridged(tmp_path) as (hook, told.url):
        routes, rules = written(told, tmp_path, tmp_path / "keys" / "notify.token")
        with run_alertmanagers(tmp_path, routes, count=2) as pair:
            urls = [f"http://{LOOPBACK}:{server.port}" for server in pair]
            async with pager(told, urls) as paging, scraped(partial(figures_of, paging)) as target:
                with run_prometheus_for(tmp_path, target=target, rules=rules, alertmanagers=pair):
                    await page_and_all_clear(paging, hook, pair)
                    await quiet_for(PEER_TIMEOUT_S + 5)
        assert [message["title"].split("]")[0] for message in hook.taken] == ["[Alert", "[Resolved"]


async def page_and_all_clear(paging: OnCall, hook: Hook, pair: Sequence[Server]) -> None:
    began = now_ms()
    paging.said([battery_low(at=began)])
    await wait_until(lambda: hook.taken, what="the page")
    await wait_until(lambda: is_ruled(pair), 15, what="the rule to fire as well, into the same alert")
    await quiet_for(3)
    assert [message["title"].split("]")[0] for message in hook.taken] == ["[Alert"]
    paging.said([battery_low(now_ms(), 1, at=began)])
    await wait_until(lambda: len(hook.taken) > 1, 60, what="the all-clear")


def is_ruled(pair: Sequence[Server], name: str = "BatteryLow") -> bool:
    """Whether every member of the pair holds one alert of that name, told by a rule too: a push names no rule."""
    held = [[a for a in active(each.port) if a["labels"]["alertname"] == name] for each in pair]
    return all(len(alerts) == 1 and "/graph" in alerts[0].get("generatorURL", "") for alerts in held)


def figures_of(paging: OnCall) -> OnCallFigures:
    return OnCallFigures(open=paging.open(), alerts=paging.alerts())


async def test_without_a_push_the_rules_alone_page_with_the_same_labels(told: Recorder, tmp_path: Path) -> None:
    routes, rules = written(told, tmp_path)
    with run_alertmanagers(tmp_path, routes) as [alertmanager]:
        async with pager(told, []) as paging:
            figures = partial(figures_of, paging)
            async with scraped(figures) as target:
                with run_prometheus_for(tmp_path, target=target, rules=rules, alertmanagers=[alertmanager]):
                    paging.said([battery_low(at=now_ms())])
                    await wait_until(told.pages, 20, what="the page")
                    [pushed] = paging.alerts()
                    by_rule = [alert["labels"] for alert in told.pages()[0].alerts]
                    assert by_rule == [pushed.identity.labels()]


async def test_an_alertmanager_that_was_away_learns_of_what_is_open(told: Recorder, tmp_path: Path) -> None:
    routes, _ = written(told, tmp_path)
    with run_alertmanagers(tmp_path, routes) as [alertmanager]:
        alertmanager.kill()
        async with pager(told, [f"http://{LOOPBACK}:{alertmanager.port}"]) as paging:
            paging.said([battery_low(at=now_ms())])
            await wait_until(lambda: paging.pushes["failed"] > 0, what="a push that fails")
            alertmanager.start()
            await wait_until(told.pages, 20, what="the page")
            assert len(told.pages()) == 1


async def test_a_server_that_dies_beside_no_prometheus_is_no_all_clear_and_its_own_word_is(
    told: Recorder, tmp_path: Path
) -> None:
    """A lapse takes 4 s here instead of a minute."""
    quick = {"alert_lasts": 4, "resend": 1, "resolve_after": 1, "unsaid_after": 3}
    async with bridged(tmp_path, quick) as (hook, told.url):
        routes, _ = written(told, tmp_path, tmp_path / "keys" / "notify.token")
        with run_alertmanagers(tmp_path, routes) as [alertmanager]:
            urls, began = [f"http://{LOOPBACK}:{alertmanager.port}"], now_ms()
            async with pager(told, urls, quick) as paging:
                paging.said([battery_low(at=began)])
                await wait_until(lambda: len(hook.taken) == 1, 20, what="the page")
            await wait_until(lambda: len(hook.taken) == 2, 20, what="the alert to lapse")
            async with pager(told, urls, quick) as paging:
                paging.take_up([battery_low(at=began)], {})
                await wait_until(lambda: active(alertmanager.port), 20, what="the server to be back")
                paging.said([battery_low(now_ms(), 1, at=began)])
                await wait_until(lambda: len(hook.taken) == 3, 20, what="the end")
    assert [message["title"].split("]")[0] for message in hook.taken] == ["[Alert", "[No word", "[Resolved"]


async def test_what_calms_down_is_told_as_that_before_a_rule_can_say_that_it_ended(
    told: Recorder, tmp_path: Path
) -> None:
    """The bridge apart knows nothing but what it is told, and a rule alone tells of an end like any other."""
    async with bridged(tmp_path) as (hook, told.url):
        routes, rules = written(told, tmp_path, tmp_path / "keys" / "notify.token")
        with run_alertmanagers(tmp_path, routes) as [alertmanager]:
            async with (
                pager(told, [f"http://{LOOPBACK}:{alertmanager.port}"], {"hold_line_down": 0}) as paging,
                scraped(partial(figures_of, paging)) as target,
            ):
                with run_prometheus_for(
                    tmp_path, target=target, rules=rules, alertmanagers=[alertmanager], resend="1s"
                ):
                    down = incident("line_down", now_ms(), subject="telecom")
                    paging.said([down])
                    await wait_until(lambda: hook.taken, what="the page")
                    await wait_until(lambda: is_ruled([alertmanager], "LineDown"), 20, what="the rule to fire too")
                    paging.said([replace(down, revision=1, severity=Severity.TICKET)])
                    await wait_until(lambda: len(hook.taken) == 2, 5, what="that it is less urgent")
                    await quiet_for(10)
    assert [message["title"].split("]")[0] for message in hook.taken] == ["[Alert", "[Less urgent"]


async def test_a_symptom_the_rules_alone_know_is_kept_quiet_by_a_pushed_cause(told: Recorder, tmp_path: Path) -> None:
    """Lines of a site without power, as another tool's rules might tell them."""
    routes, _ = written(told, tmp_path)
    with run_alertmanagers(tmp_path, routes) as [alertmanager]:
        url = f"http://{LOOPBACK}:{alertmanager.port}"
        async with pager(told, [url]) as paging, pager(told, [url]) as other_tool:
            paging.said([battery_low(at=now_ms())])
            await wait_until(told.pages, what="the page")
            begun = now_ms() - 60_000
            other_tool.take_up([incident("line_down", begun, subject=line) for line in ("ct", "cu")], {})
            await wait_until(lambda: len(active(alertmanager.port)) == 3, what="the symptoms to arrive")
            await quiet_for(2)
            assert [page.names() for page in told.pages()] == [["BatteryLow"]]
            states = {alert["labels"]["alertname"]: alert["status"]["state"] for alert in active(alertmanager.port)}
            assert states == {"BatteryLow": "active", "LineDown": "suppressed"}


async def test_mains_that_take_both_lines_with_them_are_one_page_and_lines_that_stay_dead_another(
    told: Recorder, tmp_path: Path
) -> None:
    """The lines are told first, as a cable is noticed before a UPS; all holds are shorter than shipped."""
    async with bridged(tmp_path) as (hook, told.url):
        routes, _ = written(told, tmp_path, tmp_path / "keys" / "notify.token")
        with run_alertmanagers(tmp_path, routes) as [alertmanager]:
            url = f"http://{LOOPBACK}:{alertmanager.port}"
            quick = {"hold_mains_lost": 2, "hold_lines_down": 1, "after_cause": 4, "resolve_after": 1}
            async with pager(told, [url], quick) as paging, pager(told, [url], quick) as other_tool:
                began, log, state = now_ms(), Log(), new_sites(LIMITS)

                def hub_hears(*entries: Recorded) -> None:
                    fold_sites(state, entries)
                    paging.said(state.unsaid)
                    state.unsaid.clear()

                down = [log.line("gate", began + 1, name, LineState.DOWN) for name in ("telecom", "unicom")]
                hub_hears(*two_lines(log, began), log.ups("gate", began), *down)
                hub_hears(log.ups("gate", began + 900, Power.BATTERY))
                lines_down = next(each for each in paging.open() if each.what == "lines_down")
                await wait_until(lambda: hook.taken, what="the page")
                other_tool.take_up([lines_down], {})
                await wait_until(lambda: len(active(alertmanager.port)) == 2, what="the lines by another tool")
                await quiet_for(2)
                [page] = hook.taken
                assert page["title"] == "[Alert] north Site mains lost rack lines gone with the mains: telecom, unicom"
                states = {each["labels"]["alertname"]: each["status"]["state"] for each in active(alertmanager.port)}
                assert states == {"MainsLost": "active", "LinesDown": "suppressed"}
                other_tool.said([replace(lines_down, revision=2, ended_at=now_ms())])
                await wait_until(lambda: len(active(alertmanager.port)) == 1, 20, what="the other tool to be silent")
                hub_hears(log.ups("gate", now_ms()))
                await wait_until(lambda: len(hook.taken) >= 3, 20, what="the end of the one and the other page")
        assert [message["title"] for message in hook.taken[1:]] == [
            "[Resolved] north Site mains lost rack",
            "[Alert] north All lines down",
        ]


async def test_a_call_that_nobody_takes_on_goes_round_the_duty_list_until_the_last(
    told: Recorder, tmp_path: Path
) -> None:
    """Two on duty, 1.5 s apart instead of five minutes; the telephone is the first one's."""
    async with bridged(tmp_path) as (hook, told.url):
        routes, _ = written(told, tmp_path, tmp_path / "keys" / "notify.token")
        with run_alertmanagers(tmp_path, routes) as [alertmanager]:
            url = f"http://{LOOPBACK}:{alertmanager.port}"
            async with pager(told, [url], {"escalate_after": 0.025, "resolve_after": 1}) as paging:
                began = now_ms()
                paging.said([battery_low(at=began)])
                await wait_until(lambda: len(hook.taken) == 5, 20, what="five rounds")
                await quiet_for(3)
                paging.said([battery_low(now_ms(), 1, at=began)])
                await wait_until(lambda: len(hook.taken) > 5, 20, what="the end")
    again = ["[Nobody took it on"] * 4
    assert [message["title"].split("]")[0] for message in hook.taken] == ["[Alert", *again, "[Resolved"]
    assert {len([line for line in message["lines"] if "Battery" in line]) for message in hook.taken} == {1}


async def test_a_prometheus_that_was_away_goes_on_with_the_calls_about_a_hub_that_is_down(
    told: Recorder, tmp_path: Path
) -> None:
    """Two on duty, 6 s apart instead of five minutes. It had begun anew with some calls and gone on with others."""
    routes, rules = written(told, tmp_path)
    quick = {"escalate_after": 0.1, "hub_down_after": 2, "evaluation_interval": 1}
    rules.write_text(rules_text(configured(told, []), quicker(quick)), encoding="utf-8")

    def calls() -> list[tuple[str, str]]:
        told_of = [(page.receiver, alert) for page in told.taken for alert in page.alerts if page.names()]
        return [(who, each["labels"]["tier"]) for who, each in told_of if each["status"] == "firing"]

    with run_alertmanagers(tmp_path, routes) as [alertmanager]:
        nobody = f"{LOOPBACK}:{free_port()}"
        with run_prometheus_for(tmp_path, target=nobody, rules=rules, alertmanagers=[alertmanager], resend="1s") as it:
            await wait_until(lambda: ("duty-1", "3") in calls(), 30, what="the third call")
            await asyncio.to_thread(it.stop)
            await wait_until(lambda: not active(alertmanager.port), 30, what="Alertmanager to take it for over")
            told.taken.clear()
            await asyncio.to_thread(it.start)
            goes_on = {("duty-1", "3"), ("duty-2", "4")}
            await wait_until(lambda: goes_on <= {*calls()}, 30, what="the newest call to the first, and the next one")
    assert {*calls()} <= {*goes_on, ("duty-2", "2")}, "nobody from the first call on"
