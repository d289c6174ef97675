"""Incidents through a real pair of Alertmanagers and a real Prometheus: one page, whichever way is first."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from dashboards.alerting.on_call import OnCall
from dashboards.exporter import Exporter
from dashboards.snapshot import OnCallFigures, Snapshot
from seatwatch.clock import now_ms
from seatwatch.config import Config, parse_config
from seatwatch.server.on_call import alertmanager_text, on_call, rules_text
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.incidents import incident
from tests.integration.alerting import (
    Recorder,
    active,
    quiet_for,
    recorder,
    run_alertmanagers,
    run_prometheus_for,
)
from tests.servers import LOOPBACK, Server, free_port
from tests.waiting import wait_until
from wire.incident import IncidentSaid, Severity


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


def written(told: Recorder, directory: Path) -> tuple[Path, Path]:
    """The generated files: routes and rules, the rules at the pace of these tests."""
    config = configured(told, [])
    (directory / "notify.token").write_text("a token\n")
    routes, rules = directory / "alertmanager.yml", directory / "rules.yml"
    routes.write_text(alertmanager_text(config, load_defaults(), directory / "notify.token"), encoding="utf-8")
    text = rules_text(config, load_defaults()).replace('interval: "5s"', 'interval: "1s"')
    rules.write_text(text, encoding="utf-8")
    return routes, rules


@asynccontextmanager
async def pager(told: Recorder, urls: list[str]) -> AsyncIterator[OnCall]:
    paging = on_call(configured(told, urls), load_defaults(), now_ms)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(paging.run(), name="paging")
        yield paging
        task.cancel()


@asynccontextmanager
async def scraped(figures: Callable[[], OnCallFigures]) -> AsyncIterator[str]:
    """/metrics over these figures. Yields host:port."""
    exporter = Exporter(lambda: Snapshot(now_ms=now_ms(), on_call=figures()), version="test", ids_max=100)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=exporter.render(openmetrics=False), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield f"{LOOPBACK}:{port}"
    finally:
        await runner.cleanup()


def battery_low(ended_at: int | None = None, revision: int = 0, *, at: int) -> IncidentSaid:
    return incident("battery_low", at, severity=Severity.CALL, ended_at=ended_at, revision=revision)


@pytest.mark.alone
async def test_a_pair_and_both_ways_give_one_page_and_one_all_clear(told: Recorder, tmp_path: Path) -> None:
    routes, rules = written(told, tmp_path)
    with run_alertmanagers(tmp_path, routes, count=2) as pair:
        urls = [f"http://{LOOPBACK}:{server.port}" for server in pair]
        async with pager(told, urls) as paging:
            figures = partial(figures_of, paging)
            async with scraped(figures) as target:
                with run_prometheus_for(tmp_path, target=target, rules=rules, alertmanagers=pair):
                    began = now_ms()
                    started = time.monotonic()
                    paging.said([battery_low(at=began)])
                    await wait_until(told.pages, what="the page")
                    assert told.pages()[0].at - started < 1.0
                    assert told.pages()[0].names() == ["BatteryLow"]
                    await wait_until(lambda: is_ruled(pair), 15, what="the rule to fire as well, into the same alert")
                    await quiet_for(3)
                    assert [page.names() for page in told.pages()] == [["BatteryLow"]]
                    paging.said([battery_low(now_ms(), 1, at=began)])
                    await wait_until(lambda: is_over(told), 60, what="the all-clear")
                    await quiet_for(3)
                    assert [page.names() for page in told.pages()] == [["BatteryLow"]]


def is_ruled(pair: Sequence[Server]) -> bool:
    """Whether every member of the pair holds one alert about the battery, told by a rule too: a push names no rule."""
    held = [[a for a in active(each.port) if a["labels"]["alertname"] == "BatteryLow"] for each in pair]
    return all(len(alerts) == 1 and "/graph" in alerts[0].get("generatorURL", "") for alerts in held)


def is_over(told: Recorder) -> bool:
    return any("BatteryLow" in each.names("resolved") for each in told.taken)


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
