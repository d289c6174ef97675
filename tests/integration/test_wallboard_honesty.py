"""The wallboard never shows an old number as a live one: what stops, dies or freezes is seen within three seconds."""

import re
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, Route, expect

from seatwatch.glossary import Language, words
from tests.dashboards.boards import board, tile
from tests.dashboards.demo_board import demo_board
from tests.dashboards.screens import Wall, live, looking, row, wall, word
from tests.dashboards.states import STATES

STALE_S = 3.0
RESTART_S = 3.0
"""From a server that answers again to a screen that is live."""
LOOK = "made => getComputedStyle(made).filter"
SLACK_S = 0.5
"""What a busy machine may take to tell the server and to look at the page."""


@pytest.mark.alone
def test_a_board_that_stops_looks_stopped_within_three_seconds_and_recovers_without_a_reload(
    shared: Wall, browser: Browser
) -> None:
    shared.show(demo_board())
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page).evaluate("window.loadedOnce = true")
        shared.show(demo_board(), live=False)
        stopped = time.monotonic()
        page.wait_for_selector("body.stale")
        assert time.monotonic() - stopped < STALE_S + SLACK_S
        # each number stands for a second, and a busy machine may look at the next one only
        expect(page.locator("#overlay strong")).to_have_text(re.compile(word("data_stopped").replace("{n}", "[34]")))
        expect(page.locator("#overlay span")).to_have_text(word("source_stopped"))
        expect(page.locator("#link")).to_have_text(word("stale"))
        assert page.evaluate("getComputedStyle(document.querySelector('#queues')).filter") == "grayscale(1)"
        frozen = page.locator("#rows .oldest_wait .big").first.inner_text()
        expect(page.locator("#overlay strong")).to_have_text(re.compile(word("data_stopped").replace("{n}", "[5-9]")))
        assert page.locator("#rows .oldest_wait .big").first.inner_text() == frozen, "old numbers do not move"
        shared.show(demo_board())
        page.wait_for_selector("body[data-state=live]:not(.stale)")
        expect(page.locator("#overlay")).to_be_hidden()
        assert page.evaluate("window.loadedOnce")


def test_an_alarm_of_before_does_not_look_like_one_of_now(shared: Wall, browser: Browser) -> None:
    shared.show(STATES["surge"], live=True)
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        band = page.locator("#alarm")
        expect(band).to_be_visible()
        assert band.evaluate(LOOK) == "none"
        shared.show(STATES["surge"], live=False)
        page.wait_for_selector("body.stale")
        assert band.evaluate(LOOK) == "grayscale(1)"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_board_whose_record_is_ahead_of_the_clock_says_so_over_its_numbers(
    shared: Wall, browser: Browser, language: Language
) -> None:
    shared.show(replace(demo_board(), record_ahead_ms=100_000_000))
    with looking(browser, f"{shared.base}/?lang={'zh-CN' if language == 'zh' else language}") as page:
        page.wait_for_selector("body.stale")
        lead = "27:46:40"
        expected = words()["clock_behind"].text(language).replace("{n}", lead)
        expect(page.locator("#overlay strong")).to_have_text(expected)
        expect(page.locator("#overlay span")).to_have_text(words()["clock_behind_why"].text(language))
    shared.show(demo_board())


@pytest.mark.alone
def test_a_killed_server_is_told_apart_from_a_silent_one_and_its_return_needs_no_reload(
    tmp_path: Path, browser: Browser
) -> None:
    with wall(tmp_path) as own:
        own.show(board(queues=[tile(name="Before")]))
        with looking(browser, f"{own.base}/?lang=en") as page:
            live(page).evaluate("window.loadedOnce = true")
            own.server.kill()
            killed = time.monotonic()
            page.wait_for_selector("body.stale")
            assert time.monotonic() - killed < STALE_S + SLACK_S
            expect(page.locator("#overlay span")).to_contain_text(word("link_lost"))
            expect(page.locator("#overlay strong")).to_contain_text("NO DATA FOR")
            own.server.start()
            back = time.monotonic()
            # it has no board yet: what is left on the screen is from before
            expect(page.locator("#overlay span")).to_have_text(word("waiting_for_data"))
            expect(page.locator("#overlay strong")).to_contain_text("NO DATA FOR")
            assert page.evaluate("getComputedStyle(document.querySelector('#queues')).filter") == "grayscale(1)"
            own.show(board(queues=[tile(name="After")]))
            live(page)
            assert time.monotonic() - back < RESTART_S + SLACK_S
            expect(row(page, "After")).to_be_visible()
            assert page.evaluate("window.loadedOnce")


@pytest.mark.alone
def test_a_frozen_server_keeps_its_connections_and_is_seen_through_all_the_same(
    tmp_path: Path, browser: Browser
) -> None:
    with wall(tmp_path) as own:
        own.show(demo_board())
        with looking(browser, f"{own.base}/?lang=zh-CN") as page:
            live(page)
            own.server.pause()
            paused = time.monotonic()
            page.wait_for_selector("body.stale")
            assert time.monotonic() - paused < STALE_S + SLACK_S
            expect(page.locator("#overlay span")).to_contain_text(word("link_lost", "zh-CN"))
            own.server.resume()
            page.wait_for_selector("body[data-state=live]")


CLOCKS = """
window.links = [];
window.EventSource = class extends EventSource {
  constructor(address) {
    super(address);
    window.links.push(this);
    document.documentElement.dataset.links = String(window.links.length);
  }
};
window.ahead = { at: 0, on: 0 };
const [at, on] = [performance.now.bind(performance), Date.now];
performance.now = () => at() + window.ahead.at;
Date.now = () => on() + window.ahead.on;
"""
"""Lets a test move both clocks of a page, and counts the links it opened."""
HOUR_MS = 3_600_000
UNDER_WAY = "window.links.filter((link) => link.readyState !== EventSource.CLOSED).length"


def with_clocks(wall: Wall, browser: Browser) -> Page:
    """A live page whose clocks a test can move, of a context of its own."""
    page = browser.new_context().new_page()
    page.add_init_script(CLOCKS)
    page.goto(f"{wall.base}/?lang=en")
    return live(page)


@pytest.mark.alone
@pytest.mark.parametrize("slept", [True, False], ids=["asleep", "awake"])
def test_what_was_shown_before_a_silence_is_old_at_once_and_a_link_that_the_network_forgot_is_opened_anew(
    shared: Wall, browser: Browser, *, slept: bool
) -> None:
    shared.show(demo_board())
    page = with_clocks(shared, browser)
    shared.server.pause()
    try:
        # in standby a TV's own clock stands while that of the wall goes on
        page.evaluate(f"window.ahead = {{ at: {0 if slept else HOUR_MS}, on: {HOUR_MS} }}")
        page.wait_for_selector("body[data-state=link_lost]", timeout=1_000)
        expect(page.locator("#overlay strong")).to_contain_text("NO DATA FOR 3,60")
        expect(page.locator("html")).to_have_attribute("data-links", "2", timeout=2_500)
        expect(page.locator("body")).to_have_attribute("data-state", "link_lost")
    finally:
        shared.server.resume()
    live(page)
    page.context.close()


@pytest.mark.alone
def test_an_attempt_that_nobody_answers_gets_another_one_beside_it_and_the_first_to_tell_something_stays(
    shared: Wall, browser: Browser
) -> None:
    #  a browser repeats a packet that was lost after 1, 3, 7 s: within that gap a server would be back unseen
    shared.show(demo_board())
    page = with_clocks(shared, browser)
    page.evaluate("window.loadedOnce = true")
    shared.server.pause()
    try:
        expect(page.locator("html")).to_have_attribute("data-links", "2", timeout=4_500)
        attempted = time.monotonic()
        for number in ("3", "4"):
            expect(page.locator("html")).to_have_attribute("data-links", number, timeout=3_000)
        assert time.monotonic() - attempted < 2 * (1.5 + 0.25) + SLACK_S
        assert page.evaluate(UNDER_WAY) == 2
    finally:
        shared.server.resume()
    back = time.monotonic()
    live(page)
    assert time.monotonic() - back < RESTART_S
    page.wait_for_timeout(500)
    assert page.evaluate(UNDER_WAY) == 1
    assert page.evaluate("window.loadedOnce")
    page.context.close()


@pytest.mark.alone
def test_a_proxy_that_refuses_and_a_page_that_is_never_answered_hold_no_screen_up(
    shared: Wall, browser: Browser
) -> None:
    shared.show(demo_board())
    context = browser.new_context()
    page = context.new_page()
    refused: list[float] = []

    def first_is_refused(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(time.monotonic())
            route.fulfill(status=502)

    page.route("**/events", first_is_refused)
    # the page itself comes, and is not answered when it is asked for again
    page.route(f"{shared.base}/", lambda route: route.continue_() if not refused else None)
    page.goto(shared.base)
    live(page)
    assert time.monotonic() - refused[0] < RESTART_S
    context.close()


@pytest.mark.parametrize("lost", ["/layout.json?name=", "/static/facts.js"])
def test_a_page_of_which_a_file_was_lost_on_the_way_loads_itself_anew(
    shared: Wall, browser: Browser, lost: str
) -> None:
    shared.show(demo_board())
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []

    def first_is_lost(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    page.route(lambda address: address.removeprefix(shared.base) == lost, first_is_lost)
    page.clock.install()
    page.goto(shared.base)
    page.clock.fast_forward(11_000)
    live(page)
    assert len(asked) == 2
    context.close()
