"""Whatever is on the wallboard, numbers stay in their place and names stay text."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboards.boards import NOON, board, figures, floor, people, site, tile, waiting
from tests.dashboards.demo_board import demo_board
from tests.dashboards.screens import PHONE, TV, Wall, chromium, live, looking, row, wall
from wire.board import Board, Ratio

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
    "__proto__",
    "constructor",
    "   ",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    with wall(tmp_path_factory.mktemp("wall")) as opened:
        yield opened


def misfits(page: Page) -> list[str]:
    """Numbers that stick out of their cell or card, and whatever is wider than the screen."""
    found: list[str] = page.evaluate(
        """() => {
          const wrong = [];
          for (const value of document.querySelectorAll(".value")) {
            const range = document.createRange();
            range.selectNodeContents(value);
            const box = range.getBoundingClientRect();
            if (box.width === 0) continue;
            for (const around of [value.closest(".cell"), value.closest(".card, .row")]) {
              const limit = around.getBoundingClientRect();
              const aside = box.right - limit.right > 1 || box.left - limit.left < -1;
              const below = value.getBoundingClientRect().bottom - limit.bottom > 1;
              if (aside || below) wrong.push(`${around.className}: ${value.textContent}`);
            }
          }
          const page = document.documentElement;
          if (page.scrollWidth > innerWidth) wrong.push(`page is ${page.scrollWidth} wide`);
          return wrong;
        }"""
    )
    return found


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
            assert page.evaluate("({}).polluted === undefined && document.scripts.length") == 1
            assert page.locator("main img, main b, section img, section b, main script").count() == 0
            assert misfits(page) == []


BOARDS = {
    "demo": demo_board(),
    "floor": floor(Random(1)),
    "empty": board(),
    "wide": board(
        clients=[tile("client", live=waiting(NOON, *range(999)), day=figures(99_998, 99_999, 3_599_000))],
        queues=[
            tile(
                live=waiting(NOON, *range(0, 8_000_000, 8_000)),
                day=figures(99_998, 99_999, 3_599_000),
                agents=people(999, 999, 999, 999, 999),
            )
        ],
        teams=[
            tile(
                "team",
                day=figures(99_998, 99_999, 3_599_000),
                agents=people(999, 999, 999),
                attainment_target=Ratio(99, 100),
            )
        ],
    ),
}


SIZES = [
    *((name, size) for name in BOARDS for size in (TV, PHONE)),
    ("wide", (1366, 768)),
    ("demo", (3840, 2160)),
]


@pytest.mark.parametrize(("name", "size"), SIZES, ids=str)
def test_nothing_sticks_out_and_nothing_scrolls_sideways(
    shared: Wall, browser: Browser, name: str, size: tuple[int, int]
) -> None:
    shown: Board = BOARDS[name]
    shared.show(shown)
    for language in ("zh-CN", "en"):
        with looking(browser, f"{shared.base}/?lang={language}", size) as page:
            live(page)
            assert misfits(page) == []
            if size != PHONE:
                assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
