"""Every query of every Grafana board, executed by a real Prometheus that scrapes a real demo: it returns data.

What a demo has nothing of is asked of the figures of a hub that has everything.
"""

import asyncio
import json
import re
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.test_utils import TestServer

from dashboards.alerting.burn import burn_groups
from dashboards.alerting.yaml_text import yaml_text
from seatwatch.config import parse_config
from seatwatch.demo.run import Demo, DemoOptions
from seatwatch.floor.plan import CLIENTS, NAMES
from seatwatch.grafana_boards import boards
from seatwatch.on_call_config import AlertingSection
from seatwatch.printed.teller import Teller
from seatwatch.server.on_call import annotation_words, rules_text
from seatwatch.server.promises import burn_settings
from seatwatch.settings import Defaults, load_defaults
from tests.dashboards.alerting.promises import promise
from tests.dashboards.test_exporter import exporter, full
from tests.servers import LOOPBACK, Server, free_port, run_prometheus
from tests.waiting import NeverHappenedError, wait_until

WAIT_S: Final = 90.0
SCRAPED_EVERY_S: Final = 1.0
CHOSEN: Final = {"$__rate_interval": "20s", "$__range": "1m", "$client": ".*", "$queue": ".*", "$site": ".*"}
"""What Grafana puts in for everything chosen."""
QUIET: Final[Mapping[str, str]] = {
    "seatwatch_contracted_seats": "the demo's roster states no contracted seats",
    "seatwatch_seat_shortfall_seconds": "likewise",
    "seatwatch_team_occupancy_ratio": "no source of a demo tells who serves",
    "seatwatch_window_second_judged": "the demo judges by one definition",
    "seatwatch_window_second_met": "likewise",
    "seatwatch_notifications_total": "nobody is on duty in a demo",
    'site=~"hub|"': "a server in order alerts on nothing about itself",
}
"""What a demo has nothing to show of, and why."""


def queries() -> Iterator[tuple[str, str]]:
    """(where, query) of every panel, annotation and variable."""
    for name, board in boards(load_defaults(), "seatwatch").items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield f"{name}: {panel['title']} {target['refId']}", target["expr"]
        for annotation in board["annotations"]["list"]:
            yield f"{name}: {annotation['name']}", annotation["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                listed = variable["query"]["query"]
                yield f"{name}: ${variable['name']}", listed.removeprefix("query_result(").removesuffix(")")


def asked(port: int, query: str) -> list[dict[str, Any]]:
    """The samples Prometheus answers with. What it cannot parse fails the test."""
    for name, value in CHOSEN.items():
        query = query.replace(name, value)
    url = f"http://{LOOPBACK}:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        told = json.load(answer)
    assert told["status"] == "success", told
    return [sample for sample in told["data"]["result"] if sample["value"][1] != "NaN"]


@asynccontextmanager
async def demo(port: int) -> AsyncIterator[None]:
    """The shipped demo, with what befalls it close together."""
    shipped = load_defaults()
    at = {"demo.surge_at": 2, "demo.cut_at": 4, "demo.mains_at": 4, "demo.mend_at": 600}
    quick = {key: replace(shipped[key], value=value) for key, value in at.items()}
    options = DemoOptions(for_s=None, seed=1, sites=3, seats=6, listen=LOOPBACK, port=port)
    running = Demo(options, Defaults({**shipped, **quick}), tell=Teller("en", ZoneInfo("UTC")), say=lambda _: None)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(running.run(), name="demo")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def written_rules(directory: Path) -> list[Path]:
    """What Prometheus is given: the alerts of sites, and of contracts that promise the demo's clients something."""
    config = parse_config("", base=directory)
    promised = [promise(client=client) for client, _ in CLIENTS]
    groups = burn_groups(promised, annotation_words(), burn_settings(load_defaults(), AlertingSection()))
    texts = [rules_text(config, load_defaults()), yaml_text({"groups": groups}, heading="promises")]
    files = [directory / f"rules-{number}.yml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(re.sub(r'interval: "\d+s"', 'interval: "1s"', text), encoding="utf-8")
    return files


def is_quiet(query: str) -> bool:
    return any(name in query for name in QUIET)


async def without_data(prometheus: Server, wanted: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Those of `wanted`, by where they stand, that went on returning nothing."""
    missing = dict(wanted)

    def found() -> list[str]:
        return [where for where, query in missing.items() if asked(prometheus.port, query)]

    async def answered() -> bool:
        for where in await asyncio.to_thread(found):
            del missing[where]
        return not missing

    with suppress(NeverHappenedError):  # which of them did not is what is told
        await wait_until(answered, WAIT_S, what="every query to return data", poll_s=SCRAPED_EVERY_S)
    return missing


async def test_every_query_of_every_board_returns_data_of_a_running_demo(tmp_path: Path) -> None:
    port = free_port()
    rules = written_rules(tmp_path)
    wanted = {where: query for where, query in queries() if not is_quiet(query)}
    with run_prometheus(tmp_path, targets={"seatwatch": f"{LOOPBACK}:{port}"}, rule_files=rules) as prometheus:
        async with demo(port):
            assert await without_data(prometheus, wanted.items()) == {}
            clients = await asyncio.to_thread(choices, prometheus.port, "client")
            queues = await asyncio.to_thread(choices, prometheus.port, "queue")
            assert clients == {client: NAMES[client] for client, _ in CLIENTS}
            assert queues == {queue: NAMES[queue] for _, queues in CLIENTS for queue in queues}


def choices(port: int, wanted: str) -> dict[str, str]:
    """What Grafana offers for a variable, value -> text: the series as it writes them, read by the variable's regex."""
    found = {}
    for board in boards(load_defaults(), "seatwatch").values():
        for variable in board["templating"]["list"]:
            if variable["name"] == wanted:
                pattern = variable["regex"].strip("/").replace("(?<", "(?P<")
                query = variable["query"]["query"].removeprefix("query_result(").removesuffix(")")
                for sample in asked(port, query):
                    labels = ",".join(f'{name}="{value}"' for name, value in sample["metric"].items())
                    match = re.search(pattern, f"{{{labels}}} {sample['value'][1]} {sample['value'][0]}")
                    assert match is not None, labels
                    found[match["value"]] = match["text"]
    return found


async def test_what_a_demo_has_nothing_of_returns_data_of_a_hub_that_has_it(tmp_path: Path) -> None:
    busy = exporter(full())
    broken = asyncio.Event()

    async def metrics(_: web.Request) -> web.Response:
        if broken.is_set():
            raise web.HTTPServiceUnavailable
        return web.Response(body=busy.render(openmetrics=False), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    wanted = {where: query for where, query in queries() if is_quiet(query)}
    assert {name for name in QUIET for query in wanted.values() if name in query} == set(QUIET), "an excuse of nothing"
    figures = {where: query for where, query in wanted.items() if "ALERTS" not in query}
    rules = written_rules(tmp_path)
    for file in rules:  # nobody waits here for what lasts
        file.write_text(file.read_text("utf-8").replace('for: "20s"', 'for: "1s"'), encoding="utf-8")
    async with TestServer(app, host=LOOPBACK) as hub:
        targets = {"seatwatch": f"{LOOPBACK}:{hub.port}"}
        with run_prometheus(tmp_path, targets=targets, rule_files=rules) as prometheus:
            assert await without_data(prometheus, figures.items()) == {}
            broken.set()
            assert await without_data(prometheus, wanted.items() - figures.items()) == {}
