"""The wallboard never shows an old number as a live one: what stops, dies or freezes is seen within three seconds."""

import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from seatwatch.glossary import Language, words
from tests.dashboards.boards import board, tile
from tests.dashboards.demo_board import demo_board
from tests.dashboards.screens import Wall, live, looking, row, wall, word

STALE_S = 3.0
RESTART_S = 3.0
"""From a server that answers again to a screen that is live."""
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
        expect(page.locator("#overlay strong")).to_have_text(word("data_stopped").replace("{n}", "3"))
        expect(page.locator("#overlay span")).to_have_text(word("source_stopped"))
        expect(page.locator("#link")).to_have_text(word("stale"))
        assert page.evaluate("getComputedStyle(document.querySelector('#queues')).filter") == "grayscale(1)"
        frozen = page.locator("#rows .oldest_wait .big").first.inner_text()
        expect(page.locator("#overlay strong")).to_have_text(word("data_stopped").replace("{n}", "5"))
        assert page.locator("#rows .oldest_wait .big").first.inner_text() == frozen, "old numbers do not move"
        shared.show(demo_board())
        page.wait_for_selector("body[data-state=live]:not(.stale)")
        expect(page.locator("#overlay")).to_be_hidden()
        assert page.evaluate("window.loadedOnce")


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
