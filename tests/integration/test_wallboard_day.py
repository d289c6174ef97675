"""The curve of the day under the slider of the past, in a real browser: it says where to look, and takes one there."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from seatwatch.__main__ import main
from tests.builders import ms
from tests.dashboards import day_world
from tests.dashboards.looks import FAINT, misfits
from tests.dashboards.screens import PHONE, TV, live, looking, word
from tests.integration.running import server
from tests.integration.test_wallboard_turning import CHANGED, HURRY, TURN, seen_in_turns
from tests.waiting import wait_until_blocking

AT = "2026-11-02T14:10:00"
LAPTOP = (1366, 768)
BARE = "[mqtt]\nport = 0\n[server]\nport = 0\n"


class Floor:
    def __init__(self, base: str, data: Path) -> None:
        self.base = base
        self.data = data


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    directory = tmp_path_factory.mktemp("day")
    data = day_world.written(directory / "data")
    with server(directory, day_world.CONFIG) as (_, runtime):
        yield Floor(runtime.url, data)


def asked(floor: Floor, path: str, token: str = "") -> dict[str, Any]:
    request = urllib.request.Request(f"{floor.base}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def scope_is_told(floor: Floor, token: str) -> bool:
    """Whether what the bearer sees is less than everybody on this machine sees, who needs no token."""
    path = "/past-day.json?until=2026-11-02T18:00:00"
    return bool(asked(floor, path, token)["choices"] != asked(floor, path)["choices"])


def drawn(page: Page) -> Page:
    page.wait_for_selector("body[data-state=past]", timeout=60_000)
    page.wait_for_selector("day-curve canvas", timeout=60_000)
    expect(page.locator("day-curve .day-told")).to_contain_text(":")
    return page


def told(page: Page) -> Any:
    return expect(page.locator("day-curve .day-told"))


def place(page: Page, time: str) -> tuple[float, float]:
    """Where in the picture an instant of the day lies."""
    share = page.evaluate(
        "([at]) => { const s = document.querySelector('#past input'); return (at - s.min) / (s.max - s.min); }",
        [ms(time)],
    )
    box = page.locator("day-curve .u-over").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def test_the_quarter_of_the_curve_is_the_interval_of_the_board_of_that_instant(floor: Floor) -> None:
    day = asked(floor, "/past-day.json?until=2026-11-02T14:10:00&of=acme")
    then = asked(floor, "/past.json?at=2026-11-02T14:10:00")["board"]["clients"]["acme|acme"]
    assert day["judged"][-1] == then["interval"]["attainment"]["whole"] > 0
    assert day["met"][-1] == then["interval"]["attainment"]["part"]
    assert day["offered"][-1] == then["interval"]["offered"]
    assert sum(day["judged"]) == then["day"]["attainment"]["whole"]
    assert sum(day["met"]) == then["day"]["attainment"]["part"]


def test_a_tv_is_told_of_its_own_clients_and_sites_alone(floor: Floor, capsys: pytest.CaptureFixture[str]) -> None:
    seen = {}
    for name, *scope in (("east", "--client", "acme", "--site", "north"), ("west", "--client", "beta")):
        assert main(["device", "add", name, *scope, "--data", str(floor.data)]) == 0
        token = capsys.readouterr().out.split()[-1]
        wait_until_blocking(partial(scope_is_told, floor, token), what=f"the server to know the device {name}")
        told_of = asked(floor, "/past-day.json?until=2026-11-02T18:00:00&of=beta", token)
        seen[name] = {choice["client"] for choice in told_of["choices"]}, len(told_of["troubles"]), told_of["of"]
    assert seen["east"] == ({"acme"}, 2, "acme")
    assert seen["west"][0] == {"beta"}
    assert seen["west"][2] == "beta"


def test_a_live_board_loads_nothing_of_it(floor: Floor, browser: Browser) -> None:
    with looking(browser, f"{floor.base}/?lang=en") as page:
        live(page)
        loaded = page.evaluate("performance.getEntriesByType('resource').map((each) => new URL(each.name).pathname)")
        assert [path for path in loaded if "vendor" in path or "/day" in path] == []
        assert page.evaluate("typeof window.uPlot") == "undefined"
        page.click("#look-back")
        drawn_at = page.wait_for_selector("day-curve .day-told:not(:empty)", timeout=60_000)
        assert drawn_at is not None
        assert page.evaluate("typeof window.uPlot") == "function"


@pytest.mark.parametrize(
    ("size", "language"), [(TV, "zh-CN"), (TV, "en"), (LAPTOP, "en"), (PHONE, "zh-CN"), (PHONE, "en")], ids=str
)
def test_the_day_fits_every_screen_and_can_be_read(
    floor: Floor, browser: Browser, size: tuple[int, int], language: str
) -> None:
    address = f"{floor.base}/?lang={language}&at={AT}"
    with looking(browser, address, size, reduced_motion="reduce") as page:
        drawn(page)
        told(page).to_contain_text("14:00\u201314:15")
        told(page).to_contain_text("100.0%")
        keys = page.locator("day-curve .day-keys")
        for key in ("attainment", "target", "below_target", "offered", "no_data", "provisional"):
            expect(keys).to_contain_text(word(key, language))
        labels = page.locator("day-curve .day-word bdi")
        expect(labels).to_have_count(2)
        expect(labels.first).to_contain_text(word("incident_line_down", language))
        expect(labels.first).to_contain_text("North <i>hall</i>")
        assert misfits(page) == []
        assert page.evaluate(FAINT) == []
        assert page.evaluate("document.getAnimations().length") == 0
        assert page.locator("day-curve b, day-curve bdi i").count() == 0, "names are text"


def test_pointing_at_the_curve_takes_the_board_there_and_looking_does_not(floor: Floor, browser: Browser) -> None:
    with looking(browser, f"{floor.base}/?lang=en&at={AT}") as page:
        drawn(page)
        page.mouse.move(*place(page, "12:20"))
        told(page).to_contain_text("12:15\u201312:30")
        told(page).to_contain_text(word("below_target"))
        told(page).to_contain_text("23/30")
        told(page).to_contain_text(word("incident_mains_lost"))
        expect(page.locator("#past time")).to_contain_text("14:10:00")
        page.mouse.down()
        page.mouse.move(*place(page, "11:05"), steps=5)
        page.mouse.up()
        expect(page.locator("#past time")).to_contain_text("11:0")
        page.wait_for_url("**at=2026-11-02T03%3A0*")
        drawn(page)
        expect(page.locator("#as-of time")).to_contain_text("11:0")


def test_keys_and_buttons_go_from_one_stretch_below_target_to_the_next(floor: Floor, browser: Browser) -> None:
    with looking(browser, f"{floor.base}/?lang=en&at={AT}") as page:
        drawn(page)
        later = page.get_by_role("button", name=word("day_next_below"))
        expect(later).to_be_disabled()
        page.get_by_role("button", name=word("day_previous_below")).click()
        expect(page.locator("#past time")).to_contain_text("12:14:00")
        page.wait_for_url("**at=2026-11-02T04%3A14*")
        expect(page.locator("#as-of time")).to_contain_text("12:14:00", timeout=60_000)
        figures = page.locator("#clients .card").first
        expect(figures).to_contain_text("Acme Ltd")
        chart = page.locator("day-curve [role=slider]")
        chart.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#past time")).to_contain_text("12:29:00")
        page.keyboard.press("PageUp")
        expect(page.locator("#past time")).to_contain_text("13:29:00")
        assert "13:15" in str(chart.get_attribute("aria-valuetext"))


def test_the_curve_is_of_whomever_one_chooses(floor: Floor, browser: Browser) -> None:
    with looking(browser, f"{floor.base}/?lang=en&at=2026-11-02T17:01") as page:
        drawn(page)
        choice = page.locator("day-curve select")
        assert choice.locator("option").all_inner_texts() == [
            "Acme Ltd",
            "Acme Ltd \u00b7 <b>After</b> elas",
            "Acme Ltd \u00b7 Before the sale",
            "beta",
            "beta \u00b7 orders",
        ]
        choice.select_option("beta")
        told(page).to_contain_text("3/3")
        told(page).to_contain_text(word("few"))
        expect(page.get_by_role("button", name=word("day_next_below"))).to_be_hidden()
        choice.select_option("acme|presale")
        told(page).to_contain_text("20/20")


def test_the_feeds_silence_is_a_hole_in_the_curve(floor: Floor, browser: Browser) -> None:
    with looking(browser, f"{floor.base}/?lang=en&at=2026-11-02T15:20") as page:
        drawn(page)
        told(page).to_contain_text(word("no_data"))
        rates = page.evaluate("document.querySelector('day-curve').plot.uplot.data[2]")
        counts = page.evaluate("document.querySelector('day-curve').plot.uplot.data[1]")
        dark = [number for number, count in enumerate(counts) if count is None]
        assert len(dark) >= 3
        assert all(rates[number] is None for number in dark)
        assert 0 not in rates


def test_what_goes_wrong_on_the_way_is_said_and_leaves_the_board(floor: Floor, browser: Browser) -> None:
    with looking(browser, f"{floor.base}/?lang=en") as page:
        live(page)
        page.route("**/past-day.json*", lambda route: route.fulfill(status=503, body='{"says": "past_unreadable"}'))
        page.goto(f"{floor.base}/?lang=en&at={AT}")
        told(page).to_have_text(word("day_unreadable"), timeout=60_000)
        expect(page.locator("#rows .row:not([hidden])").first).to_be_visible()
        page.unroute("**/past-day.json*")
        page.route("**/uPlot.iife*", lambda route: route.abort())
        page.reload()
        expect(page.locator("day-curve")).to_have_text(word("day_unreadable"), timeout=60_000)


def test_a_floor_without_a_client_has_no_curve_and_breaks_nothing(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "data").mkdir()
    with (
        server(tmp_path, BARE) as (_, runtime),
        looking(browser, f"{runtime.url}/?lang=en&at=2026-11-02T12:00", LAPTOP) as page,
    ):
        page.wait_for_selector("body[data-state=past_waiting], body[data-state=past]", timeout=60_000)
        expect(page.locator("#overlay strong")).to_have_text(word("past_nothing_then"), timeout=60_000)
        assert page.locator("day-curve canvas").count() == 0


@contextmanager
def queues_called(names: Mapping[str, str], directory: Path) -> Iterator[str]:
    """The address of a server over a day of one client with these queues, id -> name."""
    queues = "".join(f'[[client.queue]]\nid = "{queue}"\nname = "{name}"\n' for queue, name in names.items())
    day_world.many_queues(directory / "data", list(names))
    with server(directory, f'{BARE}[[client]]\nid = "acme"\n{queues}') as (_, runtime):
        yield runtime.url


def test_five_hundred_queues_can_be_chosen_from_and_the_day_is_there_within_the_time_it_may_take(
    tmp_path: Path, browser: Browser
) -> None:
    names = {f"q{number:03}": f"q{number:03} {'x' * 60}" for number in range(500)}
    with (
        queues_called(names, tmp_path) as url,
        looking(browser, f"{url}/?lang=en&at=2026-11-02T12:30", LAPTOP) as page,
    ):
        drawn(page)
        assert page.locator("day-curve option").count() == len(names) + 1
        assert misfits(page) == []


MOVED_JUST_BEFORE_A_TURN = """() => {
  const left = () => 12000 - (performance.now() % 12000);
  if (left() > 6000) window.ahead += 6000;
  [...document.querySelectorAll("#past button")].find((button) => button.textContent === "+1 min").click();
  window.ahead += left() + 10;
}"""


def titles(page: Page) -> list[str]:
    return page.locator("#rows .row:not([hidden]) bdi.title").all_text_contents()


def test_queues_of_the_past_turn_pages_as_those_of_now_but_not_under_a_hand_on_the_slider(
    tmp_path: Path, browser: Browser
) -> None:
    names = [f"q{number:02}" for number in range(40)]
    with (
        queues_called({name: name for name in names}, tmp_path) as url,
        looking(browser, f"{url}/sign-in", LAPTOP) as page,
    ):
        page.add_init_script(HURRY)
        page.goto(f"{url}/?lang=en&at=2026-11-02T12:30")
        drawn(page)
        assert seen_in_turns(page, "#queues", len(names)) == set(names)
        before = titles(page)
        page.evaluate(MOVED_JUST_BEFORE_A_TURN)
        expect(page.locator("#past time")).to_contain_text("12:31:00")
        page.evaluate("new Promise((done) => setTimeout(done, 600))")
        assert titles(page) == before
        page.evaluate(TURN)
        page.wait_for_function(CHANGED, arg=["#queues", before])
