"""The page behind the link of a page, in a real browser of a telephone's width, under the server's own headers."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from aiohttp import web
from playwright.sync_api import Browser

from dashboards.runbooks.server import Runbooks
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.server import install
from tests.dashboards.alerting.test_acknowledging import CARRIED, NOON, POWER, Office
from tests.dashboards.screens import PHONE, looking
from tests.dashboards.served import settings, wallboard
from tests.servers import LOOPBACK, free_port


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server of its own thread: the browser's driver has the loop of this one."""
    port, ready = free_port(), threading.Event()
    found = Office(f"http://{LOOPBACK}:{port}", tmp_path_factory.mktemp("office"))
    found.hear(POWER, CARRIED)
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        install(app, wallboard(Hub(settings(), boot_id="b", clock_ms=lambda: NOON)))
        app.add_routes([*found.page.routes(), *Runbooks({"zh-CN": "中文", "en": "English"}).routes()])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port).start()
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="office")
    thread.start()
    assert ready.wait(10)
    yield found
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def test_a_telephone_shows_it_whole_and_a_thumb_takes_it_on(office: Office, browser: Browser) -> None:
    link = office.links.link([POWER.incident, CARRIED.incident], "floor")
    with looking(browser, link, PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        button = page.locator("button")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert box["y"] + box["height"] <= PHONE[1], "no scrolling to it with two incidents"
        assert page.locator("h2").all_inner_texts() == ["职场市电中断 rack1 电量 98 %", "宽带线路中断 电信"]
        assert office.taken == []
        page.fill("input[name=name]", "07")
        button.click()
        page.wait_for_selector("main[data-state=notify_taken_on]")
        assert page.locator("button").count() == 0
        assert page.locator(".people").first.inner_text() == "07 (floor) 于 2025-11-22 12:00:30 接手"
        page.get_by_text("English").click()
        page.wait_for_selector("html[lang=en]")
        assert page.locator("h1").inner_text() == "Taken on"
        page.get_by_text("Runbook").first.click()
        page.wait_for_selector("nav")
        assert page.locator("h1").inner_text() == "MainsLost"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert office.taken == [([POWER.incident, CARRIED.incident], "07 (floor)")]
