"""The leaders' screens as people see them: Debian's Chromium in front of a server that a test tells what to publish."""

import re
import time

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dashboards.boards import NOON, site, tile
from tests.dashboards.looks import COVERED, FAINT
from tests.dashboards.people import fifteen, floor_board, person, red, team_board
from tests.dashboards.screens import PHONE, TV, Wall, live, looking, word
from wire.board import PersonTile, SeatTile

STALE_S = 3.5
"""Three seconds, and half a one for a busy machine to look."""
LAPTOP = (1440, 900)
HOSTILE = ('<img src=x onerror="alert(1)">', "\u202egnp.exe\u202c", "W" * 200)
BOXES = """() => Array.from(document.querySelectorAll("#list .cell, #list .person, .kept, header > *"), (made) => {
  const { x, y, width, height } = made.getBoundingClientRect();
  return [x, y, width, height].map(Math.round).join();
})"""
OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
CUT_OFF = """() => Array.from(document.querySelectorAll("#list .big, #list .unit, .seat .wait"))
  .filter((made) => made.getBoundingClientRect().width > 0)
  .filter((made) => made.scrollWidth > made.parentElement.parentElement.clientWidth + 1)
  .map((made) => made.textContent)"""


def row(page: Page, number: str) -> Locator:
    return page.locator("#list .person", has=page.locator("bdi.title", has_text=re.compile(f"^{number}$")))


def order(page: Page) -> list[str]:
    return page.locator("#list bdi.title").all_inner_texts()


@pytest.mark.parametrize(("size", "language"), [(TV, "zh-CN"), ((1366, 768), "en")], ids=str)
def test_fifteen_people_who_work_for_two_clients_are_all_on_a_screen_that_nobody_scrolls(
    shared: Wall, browser: Browser, size: tuple[int, int], language: str
) -> None:
    clients = [tile("client", name, name, name=f"{name} Outdoor") for name in ("acme", "bolt")]
    teams = [red(), msgspec.structs.replace(red(), client="bolt")]
    shared.show(team_board(*fifteen(), clients=clients, teams=teams))
    with looking(browser, f"{shared.base}/team/red?lang={language}", size) as page:
        expect(live(page).locator("#list .person")).to_have_count(15)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert page.evaluate(COVERED) == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_team_is_sorted_by_seconds_to_breach_and_says_everything_in_both_languages(
    shared: Wall, browser: Browser, language: str
) -> None:
    shared.show(team_board(*fifteen()))
    with looking(browser, f"{shared.base}/team/red?lang={language}", LAPTOP) as page:
        live(page)
        expect(page.locator("#list .person")).to_have_count(15)
        expect(page.locator("#title")).to_have_text("Early shift")
        shown = order(page)
        assert shown[:6] == ["w1001", "w1002", "w1010", "w1003", "w1004", "w1005"]
        assert shown[-2:] == ["w1013", "w1014"], "who is silent and who was never told of come last"
        late = row(page, "w1001")
        expect(late.locator(".to_breach .big")).to_have_text(re.compile(r"\+0:\d\d"))
        expect(late.locator(".to_breach .small")).to_contain_text(word("overdue", language))
        expect(late.locator(".in_hands .big")).to_have_text("3/5")
        expect(late.locator(".overdue_today .big")).to_have_text("4")
        expect(late.locator(".to_breach svg")).to_have_count(1)
        expect(late.locator("button")).to_have_text(word("follow_up", language))
        over = row(page, "w1005").locator(".presence")
        expect(over.locator(".big")).to_have_text(word("on_break", language))
        expect(over.locator(".unit")).to_have_text(re.compile(r"19:\d\d"))
        expect(over.locator(".small")).to_have_text(re.compile(rf"{word('break_overrun', language)} 4:\d\d"))
        expect(row(page, "w1010").locator(".followed")).to_contain_text(word("followed", language))
        expect(row(page, "w1010").locator(".followed .by")).to_have_text("lead-one")
        expect(row(page, "w1013").locator(".presence .small")).to_contain_text(word("stale_since", language))
        expect(row(page, "w1013").locator(".to_breach .big")).to_have_text("\u2014")
        expect(row(page, "w1014").locator(".presence .big")).to_have_text(word("unknown", language))
        expect(row(page, "w1009").locator("button")).to_be_hidden()
        assert page.evaluate(CUT_OFF) == []
        assert not page.evaluate(OVERFLOWS)
        other = "en" if language == "zh-CN" else "zh-CN"
        text = page.inner_text("body")
        for key in ("staff_number", "in_hands", "oldest_unanswered", "overdue_today"):
            assert word(key, language) in text
            assert word(key, other) not in text


def test_one_click_is_taken_down_and_seen_on_every_screen_of_the_team(shared: Wall, browser: Browser) -> None:
    shared.show(team_board(person("w1001", 4_000), person("w1002")))
    with (
        looking(browser, f"{shared.base}/team/red?lang=en", LAPTOP) as page,
        looking(browser, f"{shared.base}/team/red?lang=en", PHONE) as other,
        looking(browser, f"{shared.base}/?lang=en", TV) as screen,
    ):
        for each in (page, other, screen):
            live(each)
        row(page, "w1001").locator("button").click()
        for each in (page, other):
            expect(row(each, "w1001").locator(".followed .by")).to_have_text("localhost")
            expect(row(each, "w1001").locator("button")).to_be_hidden()
        expect(screen.locator("#teams .card .facts")).to_contain_text(f"{word('followed')} 1")


def test_a_click_that_did_not_get_on_the_record_says_so_and_can_be_repeated(shared: Wall, browser: Browser) -> None:
    shared.show(team_board(person("w1001", 4_000)))
    with looking(browser, f"{shared.base}/team/red?lang=en", LAPTOP) as page:
        live(page)
        page.route("**/follow-up", lambda route: route.fulfill(status=503))
        button = row(page, "w1001").locator("button")
        button.click()
        expect(button).to_have_text(word("follow_up_failed"))
        page.unroute("**/follow-up")
        button.click()
        expect(row(page, "w1001").locator(".followed .by")).to_have_text("localhost")


def test_who_may_only_look_has_no_button(shared: Wall, browser: Browser) -> None:
    shared.show(team_board(person("w1001", 14_000)))
    context = browser.new_context()
    page = context.new_page()
    page.route("**/follow-up", lambda route: route.fulfill(json={"by": None}))
    with page.expect_response("**/follow-up"):
        page.goto(f"{shared.base}/team/red?lang=en")
    live(page)
    expect(row(page, "w1001").locator(".to_breach svg")).to_have_count(1)
    expect(row(page, "w1001").locator("button")).to_be_hidden()
    context.close()


def test_rows_stand_still_under_a_pointer_that_is_about_to_press(shared: Wall, browser: Browser) -> None:
    shared.show(team_board(person("w1001", 4_000), person("w1002", 1_000), person("w1003")))
    with looking(browser, f"{shared.base}/team/red?lang=en", LAPTOP) as page:
        live(page)
        expect(page.locator("#list .person")).to_have_count(3)
        row(page, "w1002").hover()
        shared.show(team_board(person("w1001"), person("w1002", 1_000), person("w1003", 8_000)))
        expect(row(page, "w1003").locator(".to_breach svg")).to_have_count(1)
        assert order(page) == ["w1001", "w1002", "w1003"]
        page.mouse.move(5, 5)
        expect(page.locator("#list bdi.title").first).to_have_text("w1003")
        assert order(page) == ["w1003", "w1002", "w1001"]


@pytest.mark.alone
@pytest.mark.parametrize("path", ["/team/red", "/map"])
def test_old_numbers_look_old_within_three_seconds_and_stand_still(shared: Wall, browser: Browser, path: str) -> None:
    shared.show(floor_board(1, 3, 8, teams=[red()]))
    with looking(browser, f"{shared.base}{path}?lang=en", LAPTOP) as page:
        live(page)
        expect(page.get_by_text(word("provisional"))).to_be_visible()
        shared.show(floor_board(1, 3, 8), live=False)
        stopped = time.monotonic()
        page.wait_for_selector("body.stale", timeout=10_000)
        assert time.monotonic() - stopped <= STALE_S
        expect(page.locator("#overlay strong")).to_have_text(re.compile(r"\d+"))
        big = page.locator("#now .oldest_wait .big")
        before = big.inner_text()
        expect(page.locator("#overlay strong")).to_contain_text("5")
        assert big.inner_text() == before
        shared.show(floor_board(1, 3, 8))
        page.wait_for_selector("body[data-state=live]")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_phone_shows_a_team_without_sideways_scrolling_and_a_button_for_a_thumb(
    shared: Wall, browser: Browser, language: str
) -> None:
    shared.show(team_board(*fifteen()))
    with looking(browser, f"{shared.base}/team/red?lang={language}", PHONE) as page:
        live(page)
        expect(page.locator("#title")).to_be_visible()
        expect(page.locator("#list .person")).to_have_count(15)
        assert not page.evaluate(OVERFLOWS)
        assert page.evaluate(CUT_OFF) == []
        button = row(page, "w1001").locator("button").bounding_box()
        assert button is not None
        assert button["height"] >= 40
        expect(row(page, "w1001").locator(".in_hands .caption")).to_have_text(word("in_hands", language))


def _with(digits: int) -> list[PersonTile]:
    many = 10**digits - 1
    since = NOON - min(many, 86_000) * 1_000
    big = person("w1001", 4_000, hands=many, limit=many, overdue_today=many, waiting=many, since=since)
    return [big, person("w1002", since=NOON - 1_000)]


def test_nothing_moves_when_numbers_grow_from_one_digit_to_five(shared: Wall, browser: Browser) -> None:
    shared.show(team_board(*_with(1)))
    with looking(browser, f"{shared.base}/team/red?lang=zh-CN", LAPTOP) as page:
        live(page)
        expect(row(page, "w1001").locator(".in_hands .big")).to_have_text("9/9")
        before = page.evaluate(BOXES)
        shared.show(team_board(*_with(5)))
        expect(row(page, "w1001").locator(".in_hands .big")).to_have_text("99,999/99,999")
        assert page.evaluate(BOXES) == before
        assert page.evaluate(CUT_OFF) == []


def test_hostile_labels_are_text_and_break_nothing(shared: Wall, browser: Browser) -> None:
    people = [person(label, 4_000, seat=label, followed_at=NOON - 1_000, followed_by=label) for label in HOSTILE]
    people.append(person("~n~E5~BC~A0~20~E4~B8~89", 4_000))  # an account of an exchange, as the import spelled it
    seats = [SeatTile(label, label, label, label, None) for label in HOSTILE]
    sites = [site(label, name=label) for label in HOSTILE]
    shown = team_board(*people, seats=seats, sites=sites)
    for path, size in (("/team/red", LAPTOP), ("/team/red", PHONE), ("/map", TV), ("/map", PHONE)):
        shared.show(shown)
        with looking(browser, f"{shared.base}{path}?lang=en", size) as page:
            live(page)
            page.wait_for_selector("#list .person, .seat")
            assert page.locator("img[src=x]").count() == 0
            assert not page.evaluate(OVERFLOWS), (path, size)
            assert page.locator("#list .person", has_text="\u5f20 \u4e09").count() == (path == "/team/red")


LOOKS = [
    ("/team/red", LAPTOP, "en"),
    ("/team/red", PHONE, "zh-CN"),
    ("/map", TV, "zh-CN"),
    ("/map", PHONE, "en"),
]


@pytest.mark.parametrize(("path", "size", "language"), LOOKS, ids=str)
def test_every_text_stands_out_from_its_ground_as_wcag_aa_asks_and_covers_no_other(
    shared: Wall, browser: Browser, path: str, size: tuple[int, int], language: str
) -> None:
    shared.show(floor_board(2, 3, 8) if path == "/map" else team_board(*fifteen()))
    with looking(browser, f"{shared.base}{path}?lang={language}", size) as page:
        live(page)
        page.wait_for_selector("#list .followed:not([hidden]), .seat[data-look=over]")
        assert page.evaluate(FAINT) == []
        assert page.evaluate(COVERED) == []


def test_a_team_that_nobody_knows_says_so(shared: Wall, browser: Browser) -> None:
    shared.show(team_board(person("w1001")))
    with looking(browser, f"{shared.base}/team/nosuch?lang=en", LAPTOP) as page:
        live(page)
        expect(page.locator("#nobody")).to_have_text(word("no_people"))


def test_of_two_clients_that_warn_differently_the_first_warning_holds_whoever_is_named_first(
    shared: Wall, browser: Browser
) -> None:
    shared.show(team_board(person("w1001")))
    later, earlier = (f"{{first_response_limit_ms: 10000, warning_after_ms: {ms}}}" for ms in (8_000, 6_000))
    promises = f"[[{later}, {earlier}], [{earlier}, {later}]]"
    with looking(browser, f"{shared.base}/team/t-07?lang=en", LAPTOP) as page:
        found = page.evaluate(f"import('/lead/people.js').then((m) => {promises}.map(m.promiseOf))")
    assert found == 2 * [{"limit": 10_000, "warning": 6_000}]


@pytest.mark.parametrize(("language", "title"), [("zh-CN", "\u591c\u73ed\u7ec4"), ("en", "Night team")])
def test_a_team_that_nobody_told_of_yet_is_called_by_its_name(
    shared: Wall, browser: Browser, language: str, title: str
) -> None:
    shared.show(team_board(person("w1001")))
    with looking(browser, f"{shared.base}/team/t-quiet?lang={language}", LAPTOP) as page:
        live(page)
        expect(page.locator("#title")).to_have_text(title)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_six_hundred_seats_fit_a_tv_each_with_a_shape_and_a_word_and_nobodys_name(
    shared: Wall, browser: Browser, language: str
) -> None:
    shared.show(floor_board())
    with looking(browser, f"{shared.base}/map?lang={language}", TV) as page:
        live(page)
        expect(page.locator(".seat")).to_have_count(600)
        page.wait_for_selector(".seat[data-look=warn]")
        inside = page.evaluate(
            """() => Array.from(document.querySelectorAll(".seat"), (made) => made.getBoundingClientRect())
              .every((box) => box.left >= 0 && box.right <= innerWidth && box.width >= 20
                && box.top >= 60 && box.bottom <= innerHeight - 20)"""
        )
        assert inside
        looks = page.evaluate("[...new Set(Array.from(document.querySelectorAll('.seat'), (s) => s.dataset.look))]")
        assert {"over", "warn", "wait", "ready", "on_break", "offline", "unknown", "free"} <= set(looks)
        assert (
            page.locator(".seat:not([data-look=free]) svg").count()
            == page.locator(".seat:not([data-look=free])").count()
        )
        late = page.locator(".seat[data-look=over]").first
        expect(late).to_have_attribute("aria-label", re.compile(f"{word('overdue', language)}$"))
        expect(late.locator(".wait")).to_have_text(re.compile(r"\d+:\d\d"))
        expect(page.locator("#legend")).to_contain_text(word("due_soon", language))
        assert not re.search(r"\bw\d{4}\b", page.content()), "no staff number either"
        expect(page.locator(".block h2").first).to_contain_text(word("on_battery", language))
        assert not page.evaluate(OVERFLOWS)


@pytest.mark.parametrize("size", [(1600, 900), (1366, 768)], ids=str)
def test_every_floor_fits_whole_whatever_its_shape(shared: Wall, browser: Browser, size: tuple[int, int]) -> None:
    hidden = """() => {
      const floor = document.getElementById("floor").getBoundingClientRect();
      const out = (box) => ["left", "top"].some((side) => box[side] < floor[side])
        || ["right", "bottom"].some((side) => box[side] > floor[side]);
      return Array.from(document.querySelectorAll(".block")).filter((made) => out(made.getBoundingClientRect())).length;
    }"""
    shared.show(floor_board(1, 2, 2))
    with looking(browser, f"{shared.base}/map?lang=en", size) as page:
        for sites, rows, columns in ((2, 6, 10), (3, 4, 9), (4, 3, 5), (1, 12, 8)):
            shared.show(floor_board(sites, rows, columns))
            expect(live(page).locator(".seat")).to_have_count(sites * rows * columns)
            assert page.evaluate(hidden) == 0, (sites, rows, columns)


PLACE = """() => {
  const { x, y, width, height } = document.querySelector(".seat").getBoundingClientRect();
  return width > 0 && [x, y, width, height];
}"""


def test_a_seat_changes_its_look_where_it_stands(shared: Wall, browser: Browser) -> None:
    def floor(*waits_ms: int) -> None:
        seats = [SeatTile("sh1/01", "sh1", "", "", True), SeatTile("sh1/02", "sh1", "", "", False)]
        shared.show(team_board(person("w1", *waits_ms, seat="sh1/01"), seats=seats, sites=[site("sh1")]))

    floor()
    with looking(browser, f"{shared.base}/map?lang=en", PHONE) as page:
        live(page)
        seat = page.locator(".seat").first
        expect(seat).to_have_attribute("data-look", "ready")
        expect(page.locator(".seat").last).to_have_attribute("data-look", "silent")
        place = page.wait_for_function(PLACE).json_value()
        floor(14_000)
        expect(seat).to_have_attribute("data-look", "over")
        assert page.wait_for_function(PLACE).json_value() == place


FLOOR_PLAN = """async () => {
  const { blocksOf, sizeFor } = await import("/lead/seats.js");
  const seat = (id, site, row, column) => ({ id, site, row, column });
  const shown = (seats) => blocksOf(seats).map(({ site, columns, rows }) => [
    site, columns, rows.map(({ name, seats }) => [name, ...seats.map(({ seat, column }) => [seat.id, column])]),
  ]);
  const room = { width: 1000, height: 500, least: 10, most: 50, head: 20, gap: 10, names: 20 };
  const wide = blocksOf(Array.from({ length: 600 }, (_, n) => seat(`s${n}`, "north", `${n % 20}`, `${n % 30}`)));
  return {
    rows: shown(
      [seat("b", "s2", "2", "4"), seat("a", "s2", "10", "1"), seat("c", "s2", "2", "1"), seat("d", "s10", "", "")]
    ),
    letters: shown([seat("x2", "n", "A", "left"), seat("x1", "n", "A", "aisle")]),
    lines: shown([seat("w10", "n", "", ""), seat("w9", "n", "", ""), seat("w1", "n", "", "")]),
    sizes: [sizeFor(blocksOf([seat("a", "n", "A", "1")]), room), sizeFor(wide, room), sizeFor([], room)],
  };
}"""


def test_a_floor_is_laid_out_by_rows_and_columns_with_its_aisles(shared: Wall, browser: Browser) -> None:
    with looking(browser, f"{shared.base}/map?lang=en", LAPTOP) as page:
        plan = page.evaluate(FLOOR_PLAN)
    assert plan["rows"] == [
        ["s2", 4, [["2", ["c", 1], ["b", 4]], ["10", ["a", 1]]]],
        ["s10", 1, [["", ["d", 1]]]],
    ]
    assert plan["letters"] == [["n", 2, [["A", ["x1", 1], ["x2", 2]]]]]
    assert plan["lines"] == [["n", 3, [["", ["w1", 1], ["w9", 2], ["w10", 3]]]]]
    assert plan["sizes"] == [50, 24, 50]
