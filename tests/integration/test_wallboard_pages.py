"""Layouts on a screen: what a page shows, that pages turn, and that no alarm and no key is turned away from."""

from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from dashboards.wallboard._core.layout import Layout
from seatwatch.glossary import words
from tests.dashboards.boards import NOON, board, site, tile, waiting
from tests.dashboards.days import past_of
from tests.dashboards.looks import FAINT, misfits
from tests.dashboards.screens import PHONE, TV, Wall, live, looking
from tests.dashboards.states import STATES
from tests.dashboards.test_layouts import layout, page
from tests.integration.test_wallboard_turning import HURRY
from wire.board import Board
from wire.surge import Surge

QUICK_MS = 400
NEVER_MS = 3_600_000
BOTH_TURN = "window.ahead += 24000"  # longer than board.page_turn and board.layout_turn


def word(key: str) -> str:
    return words()[key].en


def floor(surging: str = "") -> Board:
    teams = [tile("team", name, name=name, surge=Surge(4, NOON) if name == surging else None) for name in ("n", "s")]
    return board(
        clients=[tile("client", "acme"), tile("client", "beta", "beta")],
        queues=[tile(id_=f"q{n}", client=of, name=f"{of} {n}") for of in ("acme", "beta") for n in range(3)],
        teams=teams,
        sites=[site("sh1"), site("cd2")],
    )


def titles(shown: Page, part: str) -> list[str]:
    return shown.locator(f"{part} :is(.row, .card):not([hidden]) bdi.title").all_inner_texts()


def turning(turn_ms: int) -> Layout:
    return layout(
        "floor",
        page("queues", "clients", title="Acme", clients=("acme",)),
        page("teams", title="North", teams=("n",)),
        page("teams", title="South", teams=("s",)),
        turn_ms=turn_ms,
    )


def test_a_page_shows_its_panels_in_their_order_and_of_each_what_it_names(shared: Wall, browser: Browser) -> None:
    two = page("sites", "queues", queues=("beta/q2", "acme/q0"), sites=("cd2",), columns=2)
    shared.show(floor(), layouts=[layout("two", two, language="en")])
    with looking(browser, f"{shared.base}/?layout=two") as shown:
        live(shown)
        assert shown.evaluate("document.documentElement.lang") == "en", "the layout's language"
        assert titles(shown, "#queues") == ["beta 2", "acme 0"]
        assert titles(shown, "#sites") == ["CD2"]
        expect(shown.locator("#clients")).to_be_hidden()
        expect(shown.locator("#teams")).to_be_hidden()
        top = "(id) => document.getElementById(id).getBoundingClientRect().top"
        assert shown.evaluate(top, "sites") < shown.evaluate(top, "queues")
        lefts = shown.locator("#rows .row:not([hidden])").evaluate_all(
            "(all) => all.map((row) => row.getBoundingClientRect().left)"
        )
        assert lefts[0] < lefts[1], "two columns"
        expect(shown.locator("#now .waiting .big")).to_have_text("2")
        shown.goto(f"{shared.base}/?layout=two&lang=zh-CN")
        live(shown)
        assert shown.evaluate("document.documentElement.lang") == "zh-CN", "the address wins"


def test_queues_go_on_where_their_page_of_the_layout_was_left(shared: Wall, browser: Browser) -> None:
    taking_turns = layout("both", page("queues"), page("teams"), turn_ms=20_000)
    queues = [tile(id_=f"q{n:03}", name=f"Q{n:03}", live=waiting(NOON)) for n in range(120)]
    many = msgspec.structs.replace(floor(), queues=queues)
    shared.show(many, layouts=[taking_turns])
    with looking(browser, shared.base) as shown:
        shown.add_init_script(HURRY)
        shown.goto(f"{shared.base}/?lang=en&layout=both")
        rows = len(titles(live(shown), "#queues"))
        shared.show(msgspec.structs.replace(many, queues=queues[: rows * 2]), layouts=[taking_turns])
        expect(shown.locator("#more")).to_contain_text(word("page").replace("{n}", "1").replace("{m}", "2"))
        seen: set[str] = set()
        for turn in range(3):
            expect(shown.locator("h1 small")).to_have_text(f"Page {turn % 2 + 1} of 2")
            if turn % 2 == 0:
                seen |= set(titles(shown, "#queues"))
            if turn < 2:
                shown.evaluate(BOTH_TURN)
        assert len(seen) == rows * 2, "not those alone that turn together with the layout"
        last = titles(shown, "#queues")
        live(shown).reload()  # as after a page that is a screen of its own
        assert titles(live(shown), "#queues") == last


def test_an_unknown_layout_is_said_and_everything_is_shown(shared: Wall, browser: Browser) -> None:
    shared.show(floor())
    with looking(browser, f"{shared.base}/?layout=attic&lang=en") as shown:
        live(shown)
        expect(shown.locator("h1 small")).to_have_text(word("layout_unknown"))
        assert len(titles(shown, "#queues")) == 6


def test_pages_turn_by_themselves_and_a_key_stops_and_turns_them(shared: Wall, browser: Browser) -> None:
    shared.show(floor(), layouts=[turning(QUICK_MS)])
    with looking(browser, f"{shared.base}/?layout=floor&lang=en") as shown:
        live(shown)
        title, under = shown.locator("#title"), shown.locator("h1 small")
        for wanted in ("Acme", "North", "South", "Acme"):
            expect(title).to_have_text(wanted)
        shown.keyboard.press(" ")
        expect(under).to_contain_text(word("page_paused"))
        before = title.inner_text()
        shown.evaluate(f"new Promise((done) => setTimeout(done, {3 * QUICK_MS}))")
        expect(title).to_have_text(before)
        names = ["Acme", "North", "South"]
        shown.keyboard.press("ArrowRight")
        expect(title).to_have_text(names[(names.index(before) + 1) % 3])
        shown.keyboard.press("ArrowLeft")
        expect(title).to_have_text(before)
        shown.keyboard.press("Enter")
        expect(under).not_to_contain_text(word("page_paused"))
        expect(title).not_to_have_text(before)


def test_pages_stay_on_the_one_that_has_the_alarm_until_somebody_has_seen_it(shared: Wall, browser: Browser) -> None:
    layouts = [turning(QUICK_MS)]
    shared.show(floor(), layouts=layouts)
    with looking(browser, f"{shared.base}/?layout=floor&lang=en") as shown:
        live(shown)
        shared.show(floor("s"), layouts=layouts)
        expect(shown.locator("#alarm button")).to_be_visible()
        expect(shown.locator("#title")).to_have_text("South")
        shown.evaluate(f"new Promise((done) => setTimeout(done, {3 * QUICK_MS}))")
        expect(shown.locator("#title")).to_have_text("South")
        assert titles(shown, "#teams") == ["s"]
        shown.keyboard.press("Enter")
        expect(shown.locator("#alarm button")).to_be_hidden()
        expect(shown.locator("#title")).not_to_have_text("South")
        expect(shown.locator("h1 small")).not_to_contain_text(word("page_paused"))


LAYOUTS = [
    layout("queues", page("queues", columns=2), turn_ms=NEVER_MS),
    layout("people", page("teams", "clients"), turn_ms=NEVER_MS),
    layout("buildings", page("sites", title="A title that is much longer than there is room for"), turn_ms=NEVER_MS),
    layout("mixed", page("teams", "queues", "sites"), turn_ms=NEVER_MS),
]


def turning_away(turn_ms: int) -> Layout:
    return layout(
        "tour", page("teams", title="Teams"), page(screen="map"), page(screen="team/n"), turn_ms=turn_ms, language="en"
    )


def test_pages_turn_to_the_map_and_to_a_team_and_back_and_a_key_stops_them(shared: Wall, browser: Browser) -> None:
    shared.show(floor(), layouts=[turning_away(QUICK_MS)])
    with looking(browser, f"{shared.base}/?layout=tour") as shown:
        for number, path in ((2, "/map"), (3, "/team/n"), (1, "/")):
            shown.wait_for_url(f"{shared.base}{path}?layout=tour&page={number}")
    shared.show(floor(), layouts=[turning_away(NEVER_MS)])  # a page that turns does so whether a test is ready or not
    with looking(browser, f"{shared.base}/map?layout=tour&page=2") as shown:
        live(shown)
        assert shown.evaluate("document.documentElement.lang") == "en", "the layout's language"
        expect(shown.locator("h1 small")).to_have_text(word("page").format(n=2, m=3))
        shown.keyboard.press("Space")
        expect(shown.locator("h1 small")).to_have_text(word("page_paused"))
        shown.keyboard.press("ArrowRight")
        shown.wait_for_url("**/team/n?layout=tour&page=3&paused=1")
        live(shown)
        expect(shown.locator("h1 small")).to_have_text(word("page_paused"))


def test_no_live_screen_comes_in_turn_with_a_picture_of_the_past(shared: Wall, browser: Browser) -> None:
    shared.show(floor(), layouts=[turning_away(QUICK_MS)])
    told = past_of(floor())
    with looking(browser, f"{shared.base}/sign-in") as shown:
        shown.route("**/past.json*", lambda route: route.fulfill(json=told))
        visited: list[str] = []
        shown.on("framenavigated", lambda frame: visited.append(urlsplit(frame.url).path))
        shown.goto(f"{shared.base}/?layout=tour&at=2025-11-21T12:00")
        shown.wait_for_selector("body[data-state=past]")
        shown.evaluate(f"new Promise((done) => setTimeout(done, {QUICK_MS * 4}))")
        assert set(visited) == {"/"}
        expect(shown.locator("#title")).to_have_text("Teams")
        assert titles(shown, "#teams") == ["n", "s"]


def test_an_alarm_elsewhere_brings_its_page_back_and_once_seen_it_is_not_heard_again(
    shared: Wall, browser: Browser
) -> None:
    layouts = [turning_away(NEVER_MS)]
    shared.show(floor(), layouts=layouts)
    with looking(browser, f"{shared.base}/map?layout=tour&page=2") as shown:
        live(shown)
        shared.show(floor(surging="s"), layouts=layouts)
        shown.wait_for_url("**/?layout=tour&page=1")
        expect(shown.locator("#alarm button")).to_be_visible()
        shown.keyboard.press("Enter")
        expect(shown.locator("#alarm button")).to_be_hidden()
        shown.keyboard.press("ArrowRight")
        shown.wait_for_url("**/map?layout=tour&page=2")
        live(shown)
        shown.keyboard.press("ArrowLeft")
        shown.wait_for_url("**/?layout=tour&page=1")
        live(shown)
        expect(shown.locator("#alarm button")).to_be_hidden()


def test_a_screen_that_is_not_there_is_passed_over_and_a_page_that_is_gone_leads_back(
    shared: Wall, browser: Browser
) -> None:
    shared.show(floor(), layouts=[turning_away(QUICK_MS)])
    with looking(browser, f"{shared.base}/?layout=tour") as shown:
        asked: list[str] = []

        def nobody(route: Route) -> None:
            asked.append(route.request.method)
            route.abort()

        shown.route("**/map?**", nobody)
        shown.goto(f"{shared.base}/?layout=tour&page=1")
        shown.wait_for_url("**/team/n?**")
        assert asked == ["HEAD"] * len(asked)
        assert asked, "asked whether it is there, and never loaded"
        shown.unroute_all()
        shown.goto(f"{shared.base}/map?layout=tour&page=9&lang=en")
        shown.wait_for_url(lambda url: urlsplit(url).path == "/" and "page=9" not in url)


@pytest.mark.parametrize(("size", "language"), [(TV, "zh-CN"), (PHONE, "en")], ids=str)
def test_nothing_sticks_out_of_any_layout(shared: Wall, browser: Browser, size: tuple[int, int], language: str) -> None:
    wrong = {}
    shared.show(STATES["overflow"], layouts=LAYOUTS)
    with looking(browser, shared.base, size) as shown:
        for made in LAYOUTS:
            shown.goto(f"{shared.base}/?layout={made.name}&lang={language}")
            live(shown)
            for number, state in enumerate(("overflow", "wide"), start=11):
                shared.show(msgspec.structs.replace(STATES[state], entries=number), layouts=LAYOUTS)
                expect(shown.locator("#record")).to_contain_text(str(number))
                found = misfits(shown) + shown.evaluate(FAINT)
                if size == TV and not shown.evaluate("document.documentElement.scrollHeight <= innerHeight"):
                    found.append("higher than the screen")
                if found:
                    wrong[made.name, state] = found
    assert wrong == {}
