"""Whatever is on the wallboard, numbers stay in their place and names stay text."""

from random import Random
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboards.boards import board, floor, site, tile
from tests.dashboards.screens import PHONE, TV, Wall, live, looking, row
from tests.dashboards.states import STATES
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


COVERED = """() => {
  const seen = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...(node.data ? range : node).getClientRects()].map((line) => within(node, line));
  };
  const within = (node, { left, right, top, bottom }) => {
    const air = (bottom - top) * 0.28; // above and below the letters
    [top, bottom] = [top + air, bottom - air];
    for (let at = node.parentElement; at; at = at.parentElement) {
      if (getComputedStyle(at).overflow === "visible") continue;
      const limit = at.getBoundingClientRect();
      [left, right] = [Math.max(left, limit.left), Math.min(right, limit.right)];
      [top, bottom] = [Math.max(top, limit.top), Math.min(bottom, limit.bottom)];
    }
    return { left, right, top, bottom, node, text: node.data || node.localName };
  };
  const nodes = [...document.querySelectorAll("img")];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (walk.currentNode.data.trim()) nodes.push(walk.currentNode);
  const boxes = nodes.flatMap(seen).filter((box) => box.right - box.left > 1 && box.bottom - box.top > 1);
  const shared = (a, b) => [
    Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
  ];
  return boxes.flatMap((a, at) => boxes.slice(at + 1).filter((b) => a.node !== b.node && Math.min(...shared(a, b)) > 1)
    .map((b) => `${a.text} lies over ${b.text}`));
}"""
"""Texts and pictures of which one covers a part of another."""


def misfits(page: Page) -> list[str]:
    """Numbers that stick out of their cell or card, whatever covers something else or is wider than the screen."""
    found: list[str] = page.evaluate(
        """() => {
          const wrong = [];
          for (const value of document.querySelectorAll(".value")) {
            const range = document.createRange();
            range.selectNodeContents(value);
            const box = range.getBoundingClientRect();
            if (box.width === 0) continue;
            for (const around of [value.closest(".cell"), value.closest(".card, .row, #now")]) {
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
    covered: list[str] = page.evaluate(COVERED)
    return found + covered


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


BOARDS = {**STATES, "floor": floor(Random(1)), "five hundred": floor(Random(2), queues=500)}
LOOKS = [(size, language) for size in (TV, PHONE, (1366, 768), (3840, 2160)) for language in ("zh-CN", "en")]


def turn_to(wall: Wall, page: Page, shown: Board, number: int) -> None:
    """Show `shown` under a number of its own and wait until the page shows that."""
    wall.show(msgspec.structs.replace(shown, entries=number))
    expect(page.locator("#record")).to_contain_text(f"{number:,}")


@pytest.mark.parametrize(("size", "language"), LOOKS, ids=str)
def test_nothing_sticks_out_and_nothing_scrolls_sideways(
    shared: Wall, browser: Browser, size: tuple[int, int], language: str
) -> None:
    shared.show(board())
    wrong = {}
    with looking(browser, f"{shared.base}/?lang={language}", size) as page:
        live(page)
        for number, (name, shown) in enumerate(BOARDS.items(), start=10):
            turn_to(shared, page, shown, number)
            wrong[name] = misfits(page)
            if size != PHONE and not page.evaluate("document.documentElement.scrollHeight <= innerHeight"):
                wrong[name].append("the page is higher than the screen")
    assert {name: found for name, found in wrong.items() if found} == {}


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


FAINT = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return channels(getComputedStyle(document.documentElement).backgroundColor);
  };
  // in a picture a text has a fill, and may stand on the cell that was drawn before it
  const cell = (node) => {
    const under = node.previousElementSibling;
    const [at, box] = [node, under || node].map((made) => made.getBoundingClientRect());
    const outside = (a, b) => a.left < b.left || a.right > b.right || a.bottom > b.bottom;
    if (under === null || under.localName !== "rect" || outside(at, box)) return ground(node);
    const { fill, fillOpacity } = getComputedStyle(under);
    const below = ground(node);
    return channels(fill).map((value, part) => value * fillOpacity + below[part] * (1 - fillOpacity));
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode;
    const node = text.parentElement;
    if (!text.data.trim() || node.getClientRects().length === 0) continue;
    const style = getComputedStyle(node);
    const drawn = node.localName === "text";
    const colours = drawn ? [channels(style.fill), cell(node)] : [channels(style.color), ground(node)];
    const [a, b] = colours.map(light).sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.push(`${node.className}: ${text.data} ${contrast.toFixed(2)}`);
  }
  return faint;
}"""


@pytest.mark.parametrize("size", [TV, PHONE], ids=str)
def test_every_text_stands_out_from_its_ground_as_wcag_aa_asks(
    shared: Wall, browser: Browser, size: tuple[int, int]
) -> None:
    shared.show(board())
    with looking(browser, f"{shared.base}/?lang=en", size) as page:
        live(page)
        for number, name in enumerate(["busy", "everything", "silent", "nobody", "surge", "no_figures"], start=10):
            turn_to(shared, page, STATES[name], number)
            assert page.evaluate(FAINT) == [], name


OURS = ("merkle", "watermark", "hash", "epoch", "shard", "\u54c8\u5e0c", "\u6c34\u4f4d", "\u5206\u7247")
"""Words of our own trade, which tell a floor nothing; in Chinese: hash, watermark, shard."""


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_word_of_our_own_trade_is_on_a_tv(shared: Wall, browser: Browser, language: str) -> None:
    shared.show(board())
    with looking(browser, f"{shared.base}/?lang={language}") as page:
        live(page)
        for number, (name, shown) in enumerate(BOARDS.items(), start=10):
            turn_to(shared, page, shown, number)
            text = page.inner_text("body").lower()
            assert [word for word in OURS if word in text] == [], name
