"""Whatever is on the wallboard, numbers stay in their place and names stay text."""

import re
from random import Random
from typing import Any, Final

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboards.boards import NOON, board, floor, site, tile, waiting
from tests.dashboards.days import past_of
from tests.dashboards.looks import FAINT, misfits
from tests.dashboards.screens import PHONE, TV, Wall, live, looking, row, word
from tests.dashboards.states import STATES
from tests.dashboards.test_layouts import layout
from tests.dashboards.test_layouts import page as page_of
from wire.board import Board

HOSTILE = (
    "<script>window.pwned=1</script>",
    '<img src=x onerror="window.pwned=1">',
    '"><svg onload=window.pwned=1>',
    "<b>bold</b>&amp;&lt;",
    "javascript:alert(1)",
    "${window.pwned=1}{{7*7}}",
    "\u202egnp.exe\u2066",
    "Z\u0351\u036b\u0343\u0363" * 40,
    "W" * 96,
    "\u957f" * 200,
    "__proto__",
    "constructor",
    "   ",
)


def test_hostile_names_are_shown_as_text_and_do_nothing(shared: Wall, browser: Browser) -> None:
    def all_of(scope: str) -> list[Any]:
        return [tile(scope, f"{scope}{n}", text, name=text, definition=text) for n, text in enumerate(HOSTILE)]

    shared.show(
        board(
            clients=all_of("client"),
            queues=all_of("queue"),
            teams=all_of("team"),
            sites=[site(text, text, name=text, reason=text, power=text, comms=text) for text in HOSTILE],
        )
    )
    for size in (TV, PHONE):
        with looking(browser, f"{shared.base}/?lang=%3Cscript%3Ewindow.pwned=1%3C/script%3E", size) as page:
            live(page)
            expect(row(page, "<img src=x").first).to_be_visible()
            assert page.evaluate("window.pwned") is None
            assert page.evaluate("({}).polluted === undefined && document.scripts.length") == 2
            assert page.locator("main img, main b, section img, section b, main script").count() == 0
            assert misfits(page) == []


LONG: Final = "\u676d\u5dde\u67d0\u67d0\u6237\u5916\u8fd0\u52a8\u7528\u54c1" * 2
READ_AT_8_M_PX: Final = 26
"""Of a letter on 1080 lines: its capital is 11.7 mm tall on a TV of 55 inches, as docs/operate/wallboard.md says."""


def test_how_many_are_late_is_read_at_eight_metres_and_a_long_name_hides_no_state(
    shared: Wall, browser: Browser
) -> None:
    busy = STATES["busy"]
    queues = [tile(id_=f"q{number}", live=waiting(NOON, *[40_000] * 12)) for number in range(16)]
    sites = [msgspec.structs.replace(one, name=LONG) for one in busy.sites]
    shared.show(msgspec.structs.replace(busy, queues=queues, sites=sites))
    with looking(browser, f"{shared.base}/?lang=zh-CN") as page:
        count = live(page).locator("#rows .count").first
        expect(count).to_have_text("\u00d712")
        assert count.evaluate("count => parseFloat(getComputedStyle(count).fontSize)") >= READ_AT_8_M_PX
        assert page.locator("body.dense").count() == 1
        states = page.locator(".site-card:visible .state > span:last-child")
        assert sorted(states.all_inner_texts()) == sorted(word(one.state, "zh-CN") for one in busy.sites)
        assert states.evaluate_all(CUT) == []


BOARDS = {**STATES, "floor": floor(Random(1))}
MANY = {"five hundred": floor(Random(2), queues=500)}
"""More of the same: in the language whose words are longer."""
LOOKS = [(size, language) for size in (TV, PHONE, (1366, 768), (3840, 2160)) for language in ("zh-CN", "en")]


CUT: Final = """texts => texts.filter((text) => {
  const around = text.parentElement.getBoundingClientRect();
  return text.getBoundingClientRect().right > around.right + 1;
}).map((text) => text.textContent)"""
"""Texts that go on beyond the place they are in."""
SHOWN_WITHIN_MS = 20_000
"""A busy machine draws five hundred queues late; how late is not what is asked here."""


def turn_to(wall: Wall, page: Page, shown: Board, number: int) -> None:
    """Show `shown` under a number of its own and wait until the page shows that."""
    wall.show(msgspec.structs.replace(shown, entries=number))
    expect(page.locator("#record")).to_contain_text(f"{number:,}", timeout=SHOWN_WITHIN_MS)


@pytest.mark.parametrize(("size", "language"), LOOKS, ids=str)
def test_nothing_sticks_out_nothing_scrolls_sideways_and_every_text_stands_out_as_wcag_aa_asks(
    shared: Wall, browser: Browser, size: tuple[int, int], language: str
) -> None:
    shared.show(board())
    wrong = {}
    with looking(browser, f"{shared.base}/?lang={language}", size) as page:
        live(page)
        boards = {**BOARDS, **(MANY if language == "en" else {})}
        for number, (name, shown) in enumerate(boards.items(), start=10):
            turn_to(shared, page, shown, number)
            wrong[name] = misfits(page) + page.evaluate(FAINT)
            wrong[name] += page.locator(".site-card:visible .state > span:last-child").evaluate_all(CUT)
            if size != PHONE and not page.evaluate("document.documentElement.scrollHeight <= innerHeight"):
                wrong[name].append("the page is higher than the screen")
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_past_board_in_english_leaves_its_head_room_for_long_waits(shared: Wall, browser: Browser) -> None:
    past = STATES["rush"]
    queues = [msgspec.structs.replace(one, live=waiting(NOON, *[3_760_000] * 432)) for one in past.queues]
    shown = msgspec.structs.replace(past, queues=queues)
    told = past_of(shown)
    with looking(browser, f"{shared.base}/sign-in") as page:
        page.route("**/past.json*", lambda route: route.fulfill(json=told))
        page.goto(f"{shared.base}/?lang=en&at=2025-11-21T12:00")
        page.wait_for_selector("body[data-state=past]")
        expect(page.locator("#now .overdue .big")).to_have_text("1,296")
        assert misfits(page) == []


def test_a_site_that_was_never_heard_has_no_time_since_when_and_counts_who_is_behind_it(
    shared: Wall, browser: Browser
) -> None:
    shared.show(STATES["rush"])
    with looking(browser, f"{shared.base}/?lang=en") as page:
        card = live(page).locator(".site-card", has_text="Site 4")
        expect(card.locator(".state")).to_have_text(word("unknown"))
        expect(card.locator(".since")).to_be_hidden()
        expect(card.locator(".behind .more").first).to_have_text("+3")
        assert card.locator(".behind .more").evaluate_all(CUT) == []


PLACES = """() => Array.from(document.querySelectorAll(".cell"))
  .filter((cell) => cell.getClientRects().length > 0)
  .map((cell) => [cell.className, cell.getBoundingClientRect().toJSON()])"""


def test_no_figure_moves_on_a_tv_when_numbers_grow_from_one_digit_to_five(shared: Wall, browser: Browser) -> None:
    shared.show(board())
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        turn_to(shared, page, STATES["narrow"], 11)
        before = page.evaluate(PLACES)
        turn_to(shared, page, STATES["wide"], 12)
        after = page.evaluate(PLACES)
    assert len(before) > 40
    assert after == before


OURS = ("merkle", "watermark", "hash", "epoch", "shard", "\u54c8\u5e0c", "\u6c34\u4f4d", "\u5206\u7247")
"""Words of our own trade, which tell a floor nothing; in Chinese: hash, watermark, shard."""


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_word_of_our_own_trade_is_on_a_tv(shared: Wall, browser: Browser, language: str) -> None:
    shared.show(board())
    with looking(browser, f"{shared.base}/?lang={language}") as page:
        live(page)
        for number, (name, shown) in enumerate(STATES.items(), start=10):
            turn_to(shared, page, shown, number)
            text = page.inner_text("body").lower()
            assert [word for word in OURS if word in text] == [], name


TAILS_CUT = """() => [...document.querySelectorAll(".state *, .power *, #alarm strong")].flatMap((made) => {
  const isText = [...made.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
  if (!isText || made.clientHeight === 0) return [];
  let around = made;
  while (around !== document.body && getComputedStyle(around).overflow === "visible") around = around.parentElement;
  const range = document.createRange();
  range.selectNodeContents(made);
  const [last] = [...range.getClientRects()].slice(-1);
  // 0.05 of the box below the letters are air
  const below = last.bottom - (last.bottom - last.top) * 0.05 - around.getBoundingClientRect().bottom;
  return below > 0.5 ? [`${made.className}: ${made.innerText} by ${below.toFixed(1)}`] : [];
})"""
"""Texts of which the lower end of letters such as g and y lies outside of what is shown."""


def test_no_letter_has_its_tail_cut_off(shared: Wall, browser: Browser) -> None:
    stale = site("sh1", "degraded", power="mains", name="Shanghai")
    shown = msgspec.structs.replace(STATES["surge"], sites=[*STATES["everything"].sites, stale])
    alone = layout("alone", page_of("sites"))
    shared.show(shown, layouts=[alone])
    for query in ("", "&layout=alone"):
        with looking(browser, f"{shared.base}/?lang=en{query}") as page:
            live(page)
            cut = page.evaluate(TAILS_CUT)
            assert cut == [], query


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_in_two_columns_a_queue_tells_the_rate_of_the_interval_with_its_number(
    shared: Wall, browser: Browser, language: str
) -> None:
    shared.show(STATES["busy"], layouts=[layout("two", page_of("queues", "clients", columns=2))])
    with looking(browser, f"{shared.base}/?layout=two&lang={language}") as page:
        live(page)
        expect(page.locator("#queues")).to_have_class(re.compile("airy"))
        for name in ("#rows .row:not([hidden]) .facts .fact:first-child", "#rows .row:not([hidden]) .client"):
            widths = page.locator(name).evaluate_all("(all) => all.map((each) => each.scrollWidth - each.clientWidth)")
            assert len(widths) == 12
            assert max(widths) <= 1
        assert misfits(page) == []
