"""A real server's wallboard of a past instant: equal to the command, in a look of its own, without alarm or motion."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.wallboard._core.board import to_json
from dashboards.wallboard._core.sight import Sight
from seatwatch.__main__ import main
from seatwatch.glossary import words
from tests.dashboards.looks import FAINT, misfits
from tests.dashboards.screens import PHONE, TV, live, looking
from tests.integration.running import server
from tests.seatwatch.portal.worlds import client_of, day
from wire.board import Board
from wire.scope import EVERYTHING

CONFIG = """
[server]
port = 0
[mqtt]
port = 0
[[client]]
id = "acme"
name = "Acme Ltd"
[[client.queue]]
id = "presale"
name = "Before the sale"
"""
OVERDUE = "2026-11-02T10:00:11"
"""c3 has waited for 11 s: overdue by one."""


DARK_S = 4.0
"""A look at the file, a tick, and as much again for a busy machine."""


class Floor:
    def __init__(self, base: str, data: Path, config: Path) -> None:
        self.base = base
        self.data = data
        self.config = config


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    directory = tmp_path_factory.mktemp("past")
    data = directory / "data"
    client_of(data, "acme", day())
    with server(directory, CONFIG) as (_, runtime):
        yield Floor(runtime.url, data, directory / "seatwatch.toml")


def asked(floor: Floor, query: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"{floor.base}/past.json?{query}", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


@pytest.mark.parametrize("known", ["", "2026-11-02T10:00:11"])
def test_the_past_on_a_screen_is_what_the_command_prints(
    floor: Floor, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = asked(floor, f"at={OVERDUE}" + (f"&known_at={known}" if known else ""))
    assert status == 200
    arguments = [
        "board",
        "--at",
        f"{OVERDUE}+08:00",
        "--config",
        str(floor.config),
        "--data",
        str(floor.data),
        "--json",
    ]
    assert main([*arguments, *(["--known-at", f"{known}+08:00"] if known else [])]) == 0
    printed = msgspec.json.decode(capsys.readouterr().out, type=Board)
    assert told["board"] == to_json(Sight(scope=EVERYTHING).cut(printed), EVERYTHING)
    assert told["board"]["queues"]["acme|presale"]["live"]["overdue"] == 1
    assert told["board"]["queues"]["acme|presale"]["name"] == "Before the sale"


def test_a_time_before_the_record_is_no_empty_floor(floor: Floor) -> None:
    status, told = asked(floor, "at=2019-05-01T12:00:00")
    assert (status, told["says"]) == (404, "past_nothing_then")


def shown(page: Page) -> Page:
    page.wait_for_selector("body[data-state=past]", timeout=30_000)
    page.wait_for_selector("#past time:not(:empty)")
    return page


def word(key: str, language: str) -> str:
    return words()[key].text("zh" if language == "zh-CN" else "en")


@pytest.mark.parametrize(("size", "language"), [(TV, "zh-CN"), (PHONE, "en")], ids=str)
def test_a_past_board_says_what_it_is_stands_still_and_calls_nobody(
    floor: Floor, browser: Browser, size: tuple[int, int], language: str
) -> None:
    with looking(browser, f"{floor.base}/?lang={language}&at={OVERDUE}", size) as page:
        shown(page)
        band = page.locator("#past")
        expect(band.locator("strong")).to_have_text(word("past_picture", language))
        expect(band.locator("time")).to_contain_text("10:00:11")
        expect(page.locator("#link")).to_have_text(word("past_picture", language))
        expect(page.locator("#overlay")).to_be_hidden()
        expect(page.locator("#alarm")).to_be_hidden()
        expect(page.locator("#rows .row:not([hidden])").first.locator(".to_breach .big")).to_have_text("+0:01")
        page.wait_for_selector("day-curve canvas", timeout=60_000)  # the day comes after the board
        before = page.inner_text("body")
        assert page.evaluate("document.getAnimations().length") == 0
        page.evaluate("new Promise((done) => setTimeout(done, 1200))")
        assert page.inner_text("body") == before, "no figure counts on"
        assert misfits(page) == []
        assert page.evaluate(FAINT) == []


def test_nobody_takes_the_past_for_now(floor: Floor, browser: Browser) -> None:
    ground = """() => [getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.body, "::after").borderTopStyle]"""
    with looking(browser, f"{floor.base}/?lang=en") as page:
        now = live(page).evaluate(ground)
        page.click("#look-back")
        shown(page)
        past = page.evaluate(ground)
        assert past[0] != now[0]
        assert (now[1], past[1]) == ("none", "solid"), "a frame around it all"
        page.click("#past a")
        live(page)
        assert page.evaluate(ground) == now
        assert "at=" not in page.url


def test_the_slider_moves_by_minutes_over_a_day_and_the_address_goes_along(floor: Floor, browser: Browser) -> None:
    with looking(browser, f"{floor.base}/?lang=en&at={OVERDUE}") as page:
        shown(page)
        page.get_by_role("button", name="+1 min", exact=True).click()
        expect(page.locator("#past time")).to_contain_text("10:01:11")
        page.wait_for_url("**at=2026-11-02T02%3A01%3A11Z*")
        shown(page)
        expect(page.locator("#rows .row:not([hidden])").first.locator(".waiting .big")).to_have_text("0")
        slider = page.locator("#past input")
        span = page.evaluate("() => { const s = document.querySelector('#past input'); return s.max - s.min; }")
        assert span == 24 * 3_600_000
        slider.fill(str(int(slider.input_value()) // 60_000 * 60_000 - 120_000))
        expect(page.locator("#past time")).to_contain_text("09:59")
        page.wait_for_url("**at=2026-11-02T01%3A59*")
        shown(page)


@pytest.mark.parametrize(
    ("at", "says", "language"),
    [
        ("noon", "past_malformed", "zh-CN"),
        ("2099-01-01T00:00", "past_in_future", "en"),
    ],
)
def test_an_instant_that_has_no_board_is_said_in_a_sentence_and_shows_no_figure(
    floor: Floor, browser: Browser, at: str, says: str, language: str
) -> None:
    with looking(browser, f"{floor.base}/?lang={language}&at={at}", PHONE) as page:
        expect(page.locator("#overlay strong")).to_have_text(word(says, language), timeout=30_000)
        assert page.locator("#rows .row:not([hidden])").count() == 0
        page.click("#past a")
        live(page)


@pytest.mark.alone
def test_a_tv_is_let_in_by_its_token_can_change_nothing_and_goes_dark_within_seconds_of_its_revocation(
    floor: Floor, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(floor.data)]
    assert main(["device", "add", "east", "--client", "acme", *data]) == 0
    token = capsys.readouterr().out.split()[-1]
    for path in ("/v1/events", "/v1/roster", "/v1/maintenance"):
        request = urllib.request.Request(f"{floor.base}{path}", data=b"{}", method="POST")
        request.add_header("Authorization", f"Bearer {token}")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code in {401, 403}, path
    with looking(browser, f"{floor.base}/sign-in?lang=en", TV) as page:
        page.fill("[name=token]", token.lower().replace("-", ""))
        page.click("button")
        live(page)
        assert main(["device", "revoke", "east", *data]) == 0
        revoked = time.monotonic()
        expect(page.locator("#refused")).to_have_text(word("access_withdrawn", "en"))
        assert time.monotonic() - revoked < DARK_S
        assert "withdrawn=1" in page.url
        assert "lang=en" in page.url
