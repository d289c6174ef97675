"""Facts that do not fit come by in turns, whole; what is asked of every board is on a crowded one, too."""

import re

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dashboards.boards import NOON, board, second, site
from tests.dashboards.looks import misfits
from tests.dashboards.screens import PHONE, TV, Wall, live, looking, row, word
from tests.dashboards.states import LOSSY, NO_PEOPLE, STATES, client, queue, team
from tests.dashboards.test_layouts import layout
from tests.dashboards.test_layouts import page as page_of
from tests.integration.test_wallboard_turning import CHANGED, HURRY, TURN, names
from wire.board import Board, Ratio
from wire.surge import Surge

TARGET = Ratio(90, 100)
BOTH = [second("tmall-art", 388, 451), second("jd-3min", 300, 451)]
PROMISED = {"attainment_target": TARGET, "seconds": BOTH, "followed": 2}
WHOLE = """line => {
  const isLoose = (made) => getComputedStyle(made).display === "contents";
  const items = [...line.children].flatMap((made) => (isLoose(made) ? [...made.children] : [made]));
  const around = line.getBoundingClientRect();
  const isIn = (box) => box.width > 0 && box.top >= around.top - 1 && box.bottom <= around.bottom + 1;
  return items.filter((made) => isIn(made.getBoundingClientRect())).map((made) => made.textContent.trim());
}"""
"""The texts of a line that stand on it."""
ORDERS = "line => [...line.children].map((made) => made.style.order).join()"
CUT = "line => [...line.querySelectorAll('.fact')].filter((made) => made.scrollWidth > made.clientWidth + 1).length"


def crowded(**changes: object) -> Board:
    """Seven queues of one client that is promised something, has lost data, and has a platform's rules beside."""
    fields: dict[str, object] = {
        "clients": [client("Nordlicht Audio Vertrieb", coverage=LOSSY, **PROMISED), client("b"), client("c")],
        "queues": [queue(n, "Nordlicht Audio Vertrieb", **PROMISED) for n in range(7)],
        **changes,
    }
    return board(NOON, **fields)


def in_turns(page: Page, lines: list[Locator], beacon: Locator, turns: int = 9) -> list[set[str]]:
    """What stood on each of `lines`, turn after turn; the facts of `beacon` take several."""
    seen: list[set[str]] = [set() for _ in lines]
    for _ in range(turns):
        for found, line in zip(seen, lines, strict=True):
            found |= set(line.evaluate(WHOLE))
        before = beacon.evaluate(ORDERS)
        page.evaluate(TURN)
        page.wait_for_function(
            f"([line, before]) => ({ORDERS})(line) !== before", arg=[beacon.element_handle(), before]
        )
    return seen


def all_of(line: Locator) -> set[str]:
    return {text.strip() for text in line.locator(".fact:not([hidden])").all_inner_texts()}


@pytest.mark.parametrize(("columns", "size"), [(1, TV), (2, TV), (1, (1366, 768))], ids=str)
def test_every_fact_of_a_crowded_board_comes_by_whole_and_the_name_of_the_client_too(
    shared: Wall, browser: Browser, columns: int, size: tuple[int, int]
) -> None:
    shared.show(crowded(), layouts=[layout("crowd", page_of("queues", "clients", "teams", "sites", columns=columns))])
    with looking(browser, shared.base, size) as page:
        page.add_init_script(HURRY)
        page.goto(f"{shared.base}/?layout=crowd&lang=en")
        live(page)
        name, card = row(page, "Queue 3"), page.locator("#clients .card").first
        lines = [name.locator(".under"), name.locator(".beside"), card.locator(".facts")]
        if columns == 2:
            lines = [name.locator(".under .facts"), card.locator(".facts")]
        assert misfits(page) == []
        wanted = [all_of(line) for line in lines]
        assert sum(len(each) for each in wanted) >= 12
        seen = in_turns(page, lines, card.locator(".facts"))
        assert [each - found for each, found in zip(wanted, seen, strict=True)] == [set()] * len(lines)
        if columns == 1:
            assert "Nordlicht Audio Vertrieb" in seen[0], "whole, where it was cut to its first letters"
        assert [line.evaluate(CUT) for line in lines] == [0] * len(lines)


@pytest.mark.parametrize("pages", [2, 3])
def test_a_queue_that_takes_turns_itself_tells_all_of_its_facts(shared: Wall, browser: Browser, pages: int) -> None:
    many = crowded(queues=[queue(n, "Nordlicht Audio Vertrieb", **PROMISED) for n in range(80)])
    shared.show(many)
    with looking(browser, shared.base) as page:
        page.add_init_script(HURRY)
        page.goto(f"{shared.base}/?lang=en")
        rows = len(names(live(page), "#queues"))
        shared.show(msgspec.structs.replace(many, queues=many.queues[: rows * pages]))
        expect(page.locator("#more")).to_contain_text(word("more").replace("{n}", f"{rows * (pages - 1)}"))
        first = row(page, "Queue 0")
        seen: set[str] = set()
        wanted: set[str] = set()
        for _ in range(pages * 4):
            before = names(page, "#queues")
            if first.count():
                lines = [first.locator(".under"), first.locator(".beside")]
                wanted |= {text for line in lines for text in all_of(line)}
                seen |= {text for line in lines for text in line.evaluate(WHOLE)}
            page.evaluate(TURN)
            page.wait_for_function(CHANGED, arg=["#queues", before])
        assert len(wanted) >= 6
        assert wanted - seen == set()


WRONG: dict[str, dict[str, object]] = {
    "nobody": {"agents": NO_PEOPLE},
    "unnumbered": {"unsequenced": True},
    "silent": {"stale_since": NOON - 65_000},
    "silent too": {"stale_since": NOON - 65_000, "unsequenced": True},
}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_is_wrong_with_a_queue_stays_and_hides_no_fact_beside_it(
    shared: Wall, browser: Browser, language: str
) -> None:
    plain = [queue(n, "Nordlicht Audio", **PROMISED) for n in range(4)]
    wrong = [queue(9, "Nordlicht Audio", **{"name": name, **PROMISED, **what}) for name, what in WRONG.items()]
    wrong = [msgspec.structs.replace(one, id=one.name) for one in wrong]
    shared.show(crowded(queues=[*plain, *wrong]))
    with looking(browser, shared.base) as page:
        page.add_init_script(HURRY)
        page.goto(f"{shared.base}/?lang={language}")
        live(page)
        rows = [page.locator("#rows .row", has=page.get_by_text(name, exact=True)) for name in WRONG]
        lines = [one.locator(".under") for one in rows]
        wanted = [all_of(line) for line in lines]
        assert misfits(page) == []
        seen = in_turns(page, lines, page.locator("#clients .card").first.locator(".facts"))
        assert [each - found for each, found in zip(wanted, seen, strict=True)] == [set()] * len(lines)
        assert [each.locator(".badges").bounding_box() is not None for each in rows] == [True] * len(rows)


LINES = [
    # widths, room, lines, pinned: on which line each stands
    ([60, 60, 30], 100, 1, 0, [0, 1, 0]),
    ([60, 60, 30, 90], 100, 2, 0, [0, 1, 0, 2]),
    ([60, 60], 100, 1, 50, [0, 1]),
    ([200, 10], 100, 1, 0, [0, 1]),
    ([], 100, 1, 0, []),
]


def test_a_fact_stands_on_the_first_line_with_room_for_it_and_the_others_on_later_pages(
    shared: Wall, browser: Browser
) -> None:
    with looking(browser, shared.base) as page:
        script = "cases => import('/static/turned_facts.js').then((m) => cases.map((args) => m.linesOf(...args)))"
        assert page.evaluate(script, [list(case[:4]) for case in LINES]) == [case[4] for case in LINES]


def test_who_looks_after_a_team_is_on_a_crowded_tv(shared: Wall, browser: Browser) -> None:
    teams = [team(1, "b", followed=1), team(2, "b", followed=3, surge=Surge(5, NOON)), team(3, "b")]
    shared.show(crowded(teams=teams))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        told = page.locator("#teams .card:not([hidden]) .followed")
        expect(page.locator("body")).to_have_class(re.compile("dense"))
        expect(told.nth(0)).to_have_text(f"{word('followed')} 1")
        expect(told.nth(1).locator("svg")).to_have_attribute("data-shape", "eye")
        assert told.nth(1).inner_text().strip() == "3", "beside an alarm the name of the team has the room"
        assert told.nth(2).inner_text().strip() == ""
        assert misfits(page) == []


@pytest.mark.parametrize("size", [TV, PHONE], ids=str)
def test_seats_there_of_those_to_be_there_are_on_a_crowded_board_once(
    shared: Wall, browser: Browser, size: tuple[int, int]
) -> None:
    seats = {"seats_present": 20, "seats_expected": 24, "teams": ["red"], "clients": ["b"]}
    sites = [site("a", "ok", name="Fine", **seats), site("b", "on_battery", name="Dark", **seats)]
    shared.show(crowded(sites=sites))
    with looking(browser, f"{shared.base}/?lang=en", size) as page:
        live(page)
        for name in ("Fine", "Dark"):
            card = page.locator(".site-card", has_text=name)
            assert card.inner_text().count("20/24") == 1, name
        assert misfits(page) == []


def test_a_name_written_from_the_right_is_cut_at_its_end_on_a_card_of_a_team(shared: Wall, browser: Browser) -> None:
    long = "\u05e2\u05d1\u05e8\u05d9\u05ea " * 20
    shown = msgspec.structs.replace(STATES["busy"], teams=[team(n, "b", name=long) for n in range(4)])
    shared.show(shown)
    with looking(browser, f"{shared.base}/?lang=en") as page:
        title = live(page).locator("#teams .card:visible .title").first
        inside = """title => {
          const range = document.createRange();
          range.setStart(title.firstChild, 0);
          range.setEnd(title.firstChild, 1);
          const [first, around] = [range, title.parentElement].map((made) => made.getBoundingClientRect());
          return first.left >= around.left - 1 && first.right <= around.right + 1;
        }"""
        assert title.evaluate(inside), "the first letter is seen"
