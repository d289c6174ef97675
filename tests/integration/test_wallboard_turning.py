"""What does not fit: how many of it are urgent is said in colour, all of it comes by in turn, no broken line goes."""

from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboards.boards import NOON, board, line, site, tile, waiting
from tests.dashboards.screens import Wall, live, looking, word
from tests.dashboards.test_layouts import layout, page
from wire.board import Tile
from wire.surge import Surge

HURRY = """
  const real = performance.now.bind(performance);
  window.ahead = 0;
  performance.now = () => real() + window.ahead;
"""
CHANGED = """([part, before]) => {
  const titles = document.querySelectorAll(`${part} :is(.row, .card):not([hidden]) bdi.title`);
  return [...titles].some((title, n) => title.textContent !== before[n]);
}"""
TURN = "window.ahead += 12000"  # board.page_turn


def team(name: str, surge: Surge | None) -> Tile:
    """A team whose customers nobody keeps waiting: the clock of these screens leaps."""
    return tile("team", name, name=name, live=waiting(NOON), surge=surge)


def names(shown: Page, part: str) -> list[str]:
    return shown.locator(f"{part} :is(.row, .card):not([hidden]) bdi.title").all_inner_texts()


def seen_in_turns(shown: Page, part: str, until: int) -> set[str]:
    """The names that came by in `part` until there were so many, or after more turns than that takes."""
    seen = set(names(shown, part))
    for _ in range(until):
        if len(seen) >= until:
            break
        before = names(shown, part)
        shown.evaluate(TURN)
        shown.wait_for_function(CHANGED, arg=[part, before])
        seen |= set(names(shown, part))
    return seen


def test_urgent_ones_that_are_hidden_are_counted_in_colour_and_come_by_in_turns(shared: Wall, browser: Browser) -> None:
    queues = [
        tile(id_=f"q{n:02}", name=f"Q{n:02}", live=waiting(NOON, *((12_000,) if n < 20 else ()))) for n in range(40)
    ]
    teams = [team(f"T{n:02}", surge=Surge(9, NOON - 3_000) if n % 3 == 0 else None) for n in range(40)]
    sites = [site(f"s{n:02}", "silent" if n < 9 else "ok", reason="silent_together") for n in range(12)]
    shared.show(board(clients=[tile("client")], queues=queues, teams=teams, sites=sites))
    with looking(browser, shared.base) as shown:
        shown.add_init_script(HURRY)
        shown.goto(f"{shared.base}/?lang=en")
        live(shown)
        for part, urgent, tone in (("#teams", 14, "warn"), ("#sites", 9, "bad")):
            told = shown.locator(f"{part} .rest .urgent")
            expect(told).to_have_text(word("of_which_urgent").replace("{n}", str(urgent - len(names(shown, part)))))
            expect(told).to_have_attribute("data-tone", tone)
        expect(shown.locator("#more")).to_have_attribute("data-tone", "bad")
        assert seen_in_turns(shown, "#teams", 14) == {f"T{n:02}" for n in range(0, 40, 3)}
        assert seen_in_turns(shown, "#sites", 9) == {f"S{n:02}" for n in range(9)}
        assert seen_in_turns(shown, "#queues", 20) >= {f"Q{n:02}" for n in range(20)}


def test_calm_ones_turn_in_the_room_that_urgent_ones_leave(shared: Wall, browser: Browser) -> None:
    teams = [team(f"T{n}", surge=Surge(9, NOON) if n == 11 else None) for n in range(12)]
    shared.show(board(clients=[tile("client")], queues=[tile()], teams=teams, sites=[site()]))
    with looking(browser, shared.base) as shown:
        shown.add_init_script(HURRY)
        shown.goto(f"{shared.base}/?lang=en")
        live(shown)
        expect(shown.locator("#teams .rest .urgent")).to_be_empty()
        assert names(shown, "#teams")[0] == "T11"
        assert seen_in_turns(shown, "#teams", 12) == {f"T{n}" for n in range(12)}
        assert names(shown, "#teams")[0] == "T11", "it stays"


def test_a_page_of_teams_alone_has_room_for_forty(shared: Wall, browser: Browser) -> None:
    teams = [tile("team", f"t{n}", name=f"Team {n}") for n in range(40)]
    sites = [site(f"s{n}", lines=[line("telecom")]) for n in range(6)]
    shared.show(board(clients=[tile("client")], teams=teams, sites=sites), layouts=[layout("t", page("teams"))])
    with looking(browser, f"{shared.base}/?layout=t&lang=en") as shown:
        live(shown)
        expect(shown.locator("#teams .card:not([hidden]):not(.rest)")).to_have_count(40)
        assert names(shown, "#teams") == [f"Team {n}" for n in range(40)], "2 comes before 10"
        inside = "(all) => all.every((card) => card.getBoundingClientRect().bottom <= innerHeight)"
        assert shown.locator("#teams .card:not([hidden])").evaluate_all(inside)


SEEN = ".site-card:not([hidden]) .line:not([hidden])"
UNSEEN_LINES = """(seen) => [...document.querySelectorAll(seen)].filter((line) => {
  const [box, around] = [line.getBoundingClientRect(), line.parentNode.getBoundingClientRect()];
  const name = line.querySelector("bdi").getBoundingClientRect();
  const isTold = line.dataset.tone === "good" || Math.min(name.right, box.right) - name.left > box.height;
  return !isTold || box.bottom > around.bottom + 2 || box.right > around.right + 2 || box.width < box.height * 0.8;
}).map((line) => line.innerText)"""


@pytest.mark.parametrize("count", [1, 3, 5])
def test_every_line_of_every_site_is_seen_and_of_a_broken_one_its_name(
    shared: Wall, browser: Browser, count: int
) -> None:
    lines = [line("a", "down", "\u7535\u4fe1"), line("b", "degraded", "\u8054\u901a"), line("c", "up", "\u79fb\u52a8")]
    trunk = [line("sip", "lagged", "\u4e2d\u7ee7")]
    sites = [site(f"s{n}", "redundancy_lost", lines=lines, phone_lines=trunk) for n in range(count)]
    shared.show(board(clients=[tile("client")], queues=[tile()], teams=[tile("team")], sites=sites))
    with looking(browser, f"{shared.base}/?lang=zh-CN") as shown:
        live(shown)
        assert shown.locator(SEEN).count() >= 4
        assert shown.evaluate(UNSEEN_LINES, SEEN) == []


CUT = """(seen) => [...document.querySelectorAll(seen)].flatMap((line) =>
  [...line.children].filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.innerText))"""
TALL = "(cards) => cards.map((card) => Math.round(card.getBoundingClientRect().height))"


@pytest.mark.parametrize(
    ("language", "carriers", "trunk"),
    [("zh-CN", ("\u7535\u4fe1", "\u8054\u901a"), "\u4e2d\u7ee7\u4e00"), ("en", ("Telecom", "Unicom"), "Trunk 1")],
)
def test_four_sites_beside_each_other_of_which_two_have_two_broken_lines_say_so_in_whole_words(
    shared: Wall, browser: Browser, language: str, carriers: tuple[str, str], trunk: str
) -> None:
    def lines(first: str, second: str, third: str) -> dict[str, Any]:
        one, other = (
            line(f"l{n}", state, name) for n, (state, name) in enumerate(zip((first, second), carriers, strict=True))
        )
        return {"lines": [one, other], "phone_lines": [line("t", third, trunk)]}

    fine = [site(f"fine{n}", **lines("up", "up", "reachable")) for n in range(2)]
    one_each = [site(name, "degraded", **lines("down", "up", "reachable")) for name in ("b", "c")]
    two_each = [
        site("b", "on_battery", power="battery", charge_percent=82, **lines("degraded", "down", "reachable")),
        site("c", "degraded", **lines("down", "up", "unreachable")),
    ]
    floor = board(clients=[tile("client")], queues=[tile()], teams=[tile("team")])
    with looking(browser, f"{shared.base}/?lang={language}") as shown:
        heights = []
        for entries, faulty in enumerate((one_each, two_each), start=21):
            shared.show(msgspec.structs.replace(floor, sites=[*fine, *faulty], entries=entries))
            live(shown)
            expect(shown.locator("#record")).to_contain_text(str(entries))
            heights.append(shown.locator(".site-card:not([hidden])").evaluate_all(TALL))
        broken = shown.locator(".site-card:not([hidden]) .line[data-tone=bad], .site-card .line[data-tone=warn]")
        expect(broken).to_have_count(4)
        words = [word("line_down_short", language), word("line_degraded_short", language)]
        for said in (*words, word("trunk_unreachable_short", language)):
            expect(shown.locator("#sites")).to_contain_text(said)
        assert shown.evaluate(CUT, ".site-card .line[data-tone=bad], .site-card .line[data-tone=warn]") == []
        assert heights[0] == heights[1], "nothing else moves"
