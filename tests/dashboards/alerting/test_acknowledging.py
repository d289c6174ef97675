"""The link in a page: one click takes it on, a preview does not, and nobody can make one up."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from dashboards.alerting.acknowledging import Acknowledging
from seatwatch.config import Config
from seatwatch.on_call_config import AlertingSection
from seatwatch.server.on_call import acknowledging
from seatwatch.settings import load_defaults
from tests.servers import LOOPBACK, free_port

NOON = 1_763_784_000_000
DAY_MS = 86_400_000


class Office:
    """Where links lead, and what was taken on there."""

    def __init__(self, url: str, directory: Path) -> None:
        self.now_ms = NOON
        self.taken: list[tuple[list[str], str]] = []
        config = Config(alerting=AlertingSection(public_url=url))
        self.links: Acknowledging = acknowledging(config, directory, load_defaults(), self._take, lambda: self.now_ms)

    async def _take(self, incidents: Sequence[str], by: str) -> None:
        self.taken.append((list(incidents), by))


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[Office]:
    port = free_port()
    office = Office(f"http://{LOOPBACK}:{port}", directory)
    app = web.Application()
    app.add_routes(office.links.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield office
    finally:
        await runner.cleanup()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with serving(tmp_path) as found:
        yield found


async def asked(url: str, method: str = "POST") -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
        return answer.status, await answer.text()


async def test_a_preview_sees_a_page_and_takes_nothing_on_and_a_click_does(office: Office) -> None:
    link = office.links.link(["i-1", "i-2"], "floor")
    status, page = await asked(link, "GET")
    assert (status, office.taken) == (200, [])
    assert "/static/acknowledge.js" in page
    assert (await asked(link))[0] == 200
    assert office.taken == [(["i-1", "i-2"], "floor")]


async def test_a_link_that_was_changed_opens_nothing(office: Office) -> None:
    link = office.links.link(["i-1"], "floor")
    for changed in (link.replace("i-1", "i-2"), link.replace("floor", "boss"), link[:-1], link.split("?")[0]):
        assert (await asked(changed))[0] == 403
    assert office.taken == []


async def test_a_link_of_yesterday_has_run_out(office: Office) -> None:
    link = office.links.link(["i-1"], "floor")
    office.now_ms = NOON + DAY_MS + 1
    assert (await asked(link))[0] == 410
    assert office.taken == []


def test_without_a_public_address_there_is_no_link(tmp_path: Path) -> None:
    assert Office("", tmp_path).links.link(["i-1"], "floor") == ""


def test_a_link_names_a_handful_of_incidents_however_many_there_are(tmp_path: Path) -> None:
    link = Office("https://hub.example.com", tmp_path).links.link([f"i-{n}" for n in range(99)], "floor")
    assert "i-9&" in link
    assert "i-10" not in link
