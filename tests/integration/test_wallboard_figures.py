"""What stands beside the waits: sums on top, seats, coverage, load, second figures, surges, nobody online."""

import re
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, expect

from seatwatch.glossary import words
from tests.dashboards.boards import NOON, board, figures, people, second, site, tile, waiting
from tests.dashboards.screens import PHONE, TV, Wall, live, looking, row
from tests.dashboards.states import LOSSY, UNKNOWN_LOSS, WHOLE, client, staffed
from wire.board import Coverage, Figures, Ratio, Tile
from wire.record import Feed
from wire.surge import Surge


def word(key: str, n: int = 0, m: int = 0) -> str:
    return words()[key].text("en").replace("{n}", str(n)).replace("{m}", str(m))


def facts(of: Locator) -> list[str]:
    """The facts of a card or row, in their order."""
    return of.locator(".fact:not([hidden])").all_inner_texts()


def test_the_top_sums_what_waits_over_live_queues_only_and_says_how_many_those_are(
    shared: Wall, browser: Browser
) -> None:
    queues = [
        tile(id_="late", name="Late", live=waiting(NOON, 45_000, 2_000)),
        tile(id_="calm", name="Calm", live=waiting(NOON, 1_000)),
        tile(id_="mute", name="Mute", live=waiting(NOON, 900_000), stale_since=NOON - 60_000),
        tile(id_="daily", name="Daily", live=None, feed=Feed.DAILY),
    ]
    shared.show(board(queues=queues))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        top = page.locator("#now")
        expect(top.locator(".waiting .big")).to_have_text("3")
        expect(top.locator(".waiting .small")).to_have_text(word("live_queues", 2, 4))
        expect(top.locator(".oldest_wait .big")).to_have_text(re.compile(r"0:4[5-9]|0:5\d"))
        expect(top.locator(".overdue .big")).to_have_text("1")
        expect(top.locator(".overdue")).to_have_attribute("data-tone", "bad")
        expect(top.locator(".site")).to_be_hidden()
        shared.show(board(queues=queues[2:]))
        for name in ("waiting", "oldest_wait", "overdue"):
            expect(top.locator(f".{name} .big")).to_have_text("\u2014")
            expect(top.locator(f".{name} .small")).to_have_text(word("no_data"))


def test_a_phone_shows_on_top_how_many_sites_are_in_trouble_and_the_worst_of_it(shared: Wall, browser: Browser) -> None:
    troubled = [site("a"), site("b", "on_battery"), site("c", "power_lost")]
    shared.show(board(queues=[tile()], sites=troubled))
    with looking(browser, f"{shared.base}/?lang=en", PHONE) as page:
        live(page)
        top = page.locator("#now .site")
        expect(top.locator(".big")).to_have_text("2")
        expect(top.locator(".small")).to_have_text(word("power_lost"))
        expect(top).to_have_attribute("data-tone", "bad")
        shared.show(board(queues=[tile()], sites=troubled[:1]))
        expect(top.locator(".small")).to_have_text(word("ok"))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            client("acme", coverage=LOSSY, seconds=[second("tmall-art", 70, 90)]),
            [
                "Data coverage 97.9% 3.9/4.0 h",
                "Attainment between 93.5%\u201395.0% 1,914\u20131,945/2,047",
                "Staffed seats 15.0/18",
                "Seat shortfall 1.5 h",
                "Platform rules 77.7% 70/90 tmall-art",
                "Saturation 64.5% 31/48",
                "Occupancy 72.0% 1.2/1.6 h",
            ],
        ),
        (
            client("acme", coverage=WHOLE, staffing=[staffed(contracted=None)], saturation=None, occupancy=Ratio(0, 0)),
            ["Staffed seats 15.0", "Data coverage 100.0% 4.0/4.0 h"],
        ),
        (
            client("acme", coverage=UNKNOWN_LOSS, staffing=[], saturation=Ratio(48, 48), occupancy=None),
            ["Data coverage 72.2% 2.8/4.0 h", "Saturation 100.0% 48/48"],
        ),
        (
            client(
                "acme",
                coverage=Coverage(Ratio(0, 0), None, None, None),
                staffing=[],
                saturation=Ratio(0, 0),
                occupancy=None,
                seconds=[second("unseen", 0, 0)],
            ),
            [],
        ),
    ],
    ids=["losses", "whole", "unknown loss", "nothing known"],
)
def test_a_client_tells_what_may_be_missing_first_and_leaves_out_what_nobody_knows(
    shared: Wall, browser: Browser, shown: Tile, expected: list[str]
) -> None:
    shared.show(board(clients=[shown]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        assert facts(page.locator(".client-card")) == expected
        for caption in page.locator(".client-card .caption").all():
            expect(caption).to_be_visible()


def test_how_many_a_client_has_overdue_is_its_large_figure_and_those_waiting_its_small_one(
    shared: Wall, browser: Browser
) -> None:
    late, calm = (client(name, *waits) for name, waits in (("late", (30_000, 25_000, 1_000)), ("calm", (1_000,))))
    shared.show(board(clients=[late, calm]), live=False)
    with looking(browser, f"{shared.base}/?lang=en") as page:
        # a busy machine may draw it when it is no longer live
        expect(page.locator(".client-card")).to_have_count(2)
        for name, told in (("late", ("Overdue", "2", "Waiting 3")), ("calm", ("Waiting", "1", ""))):
            third = page.locator(".client-card", has_text=name).locator(".figures > :nth-child(3)")
            assert tuple(third.locator(part).inner_text() for part in (".caption", ".big", ".small")) == told


def test_fewer_people_than_seats_paid_for_full_hands_and_holes_in_the_data_are_amber(
    shared: Wall, browser: Browser
) -> None:
    enough = client("b", staffing=[staffed(18 * 30 * 60_000, shortfall_ms=0)], coverage=WHOLE)
    shared.show(board(clients=[client("a", coverage=LOSSY, saturation=Ratio(48, 48)), enough]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)

        def amber(at: int) -> list[str]:
            card = page.locator(".client-card").nth(at)
            return card.locator(".fact[data-tone=warn]:not([hidden]) .name").all_inner_texts()

        assert amber(0) == [word("coverage"), word("attainment_bounds"), word("staffed_seats"), word("saturation")]
        assert amber(1) == []


def test_a_second_figure_is_small_and_named_and_a_surge_is_one_thing_on_its_team(
    shared: Wall, browser: Browser
) -> None:
    twice = tile(id_="twice", name="Twice", seconds=[second("tmall-art", 70, 90), second("unseen", 0, 0)])
    surging = tile("team", "red", "acme", name="Red", surge=Surge(4, NOON - 2_000))
    early = tile(id_="early", name="Early", interval=Figures())
    shared.show(board(queues=[twice, tile(id_="once", name="Once"), early], teams=[surging]))
    this_quarter = f"{word('interval')} 100.0% 4/4 {word('few')}"
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        assert facts(row(page, "Twice")) == [this_quarter, f"{word('second_figure')} 77.7% 70/90 tmall-art"]
        assert facts(row(page, "Once")) == [this_quarter], "of the day and of the quarter, each with its counts"
        assert facts(row(page, "Early")) == []
        expect(page.locator(".team-card .verdict")).to_have_text(f"{word('surge')} 4")
        expect(page.locator(".team-card .verdict")).to_have_attribute("data-tone", "warn")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_team_that_comes_first_for_somebody_overdue_says_so_on_its_card(
    shared: Wall, browser: Browser, language: str
) -> None:
    overdue = words()["overdue"].text("en" if language == "en" else "zh")
    late = tile("team", "red", "acme", name="Red", live=waiting(NOON, 14_000, 12_000))
    calm = [tile("team", f"calm{n}", "acme", live=waiting(NOON)) for n in range(9)]
    shared.show(board(teams=[*calm, late]))
    with looking(browser, f"{shared.base}/?lang={language}") as page:
        first = live(page).locator(".team-card").first
        expect(first.locator(".title")).to_have_text("Red")
        expect(first.locator(".verdict")).to_have_text(f"{overdue} 2")
        expect(first.locator(".verdict")).to_have_attribute("data-tone", "bad")
        expect(first.locator(".verdict .mark svg")).to_have_attribute("data-shape", "bad")
        expect(page.locator(".team-card").nth(1).locator(".verdict")).not_to_contain_text(overdue)


def test_a_card_whose_feeds_fell_silent_says_since_when_and_calls_nobody_late(shared: Wall, browser: Browser) -> None:
    mute: dict[str, Any] = {"live": waiting(NOON, 14_000), "stale_since": NOON - 65_000}
    teams = [tile("team", "red", "acme", name="Red", **mute), tile("team", "blue", "acme", live=waiting(NOON, 12_000))]
    shared.show(board(teams=teams, clients=[tile("client", "acme", **mute)]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        late, silent = (live(page).locator(".team-card").nth(place) for place in (0, 1))
        expect(late.locator(".verdict")).to_have_text(f"{word('overdue')} 1")
        for card in (silent, page.locator(".client-card")):
            expect(card.locator(".verdict")).to_contain_text(re.compile(rf"^{word('stale')} \d\d:\d\d:\d\d$"))
            expect(card).not_to_contain_text(word("overdue"))
            expect(card.locator(".average_response")).to_have_css("color", "rgb(143, 155, 167)")


WHOLE_FACTS = """(row) => Array.from(row.querySelectorAll(".facts"))
  .map((facts) => [facts, getComputedStyle(facts).display === "contents" ? facts.parentElement : facts])
  .filter(([, line]) => line.getClientRects().length > 0)
  .flatMap(([facts, line]) => Array.from(facts.querySelectorAll(".fact:not([hidden])"), (fact) => {
    const [inner, outer] = [fact, line].map((made) => made.getBoundingClientRect());
    const whole = inner.bottom <= outer.bottom + 1 && fact.scrollWidth <= fact.clientWidth;
    return whole ? fact.innerText : "";
  }))
  .filter((text) => text !== "")"""
"""The facts of a row that are seen, none of them cut off."""


def test_a_row_of_a_crowded_tv_still_has_room_for_the_figure_by_the_platforms_own_rules(
    shared: Wall, browser: Browser
) -> None:
    whose: dict[str, Any] = {
        "seconds": [second("tmall-art", 388, 451)],
        "attainment_target": Ratio(90, 100),
        "day": figures(400, 451),
        "interval": figures(21, 24),
    }
    queues = [tile(id_=f"q{n:02}", name=f"Queue {n:02}", **whose) for n in range(12)]
    shared.show(board(queues=queues[:6]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        for count in (6, 12):
            shared.show(board(queues=queues[:count]))
            expect(live(page).locator("#rows .row:not([hidden])")).to_have_count(count)
            assert row(page, "Queue 01").evaluate(WHOLE_FACTS) == [
                f"{word('budget_over')} 6",
                f"{word('interval')} 87.5% 21/24",
                f"{word('second_figure')} 86.0% 388/451",
            ]


def test_nobody_online_is_red_where_somebody_waits_and_not_said_where_nobody_is_known(
    shared: Wall, browser: Browser
) -> None:
    nobody = people(0, 0, 0, 2)
    queues = [
        tile(id_="alone", name="Alone", live=waiting(NOON, 3_000), agents=nobody),
        tile(id_="empty", name="Empty", live=waiting(NOON), agents=nobody),
        tile(id_="untold", name="Untold", agents=[]),
    ]
    shared.show(board(queues=queues))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        expect(row(page, "Alone").locator(".badges")).to_have_text(word("nobody_online"))
        expect(row(page, "Alone").locator(".badges")).to_have_attribute("data-tone", "bad")
        expect(row(page, "Empty").locator(".badges")).to_have_attribute("data-tone", "warn")
        expect(row(page, "Untold").locator(".badges")).to_be_empty()


def test_where_cards_do_not_all_fit_those_with_trouble_come_first(shared: Wall, browser: Browser) -> None:
    calm = [client(f"calm-{n}", day=figures()) for n in range(6)]
    teams = [tile("team", f"t{n:02}", name=f"T{n:02}", surge=Surge(3, NOON) if n == 13 else None) for n in range(14)]
    shared.show(board(clients=[*calm, client("zeta", 90_000)], teams=teams))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        shown = page.locator("#clients .card:not([hidden]) .title").all_inner_texts()
        assert shown[0] == "zeta"
        expect(page.locator("#clients .rest")).to_have_text(word("more", 7 - len(shown)))
        assert page.locator("#teams .card:not([hidden]) .title").first.inner_text() == "T13"


def test_two_queues_fill_the_screen_and_sixty_keep_their_lines(shared: Wall, browser: Browser) -> None:
    few = [tile(id_=f"q{n}", name=f"Q{n}", live=waiting(NOON, 1_000)) for n in range(2)]
    many = [tile(id_=f"q{n}", name=f"Q{n}", live=waiting(NOON, 1_000)) for n in range(60)]
    shared.show(board(clients=[client("acme")], queues=few, teams=[tile("team")], sites=[site()]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        rows = page.locator("#rows .row:not([hidden])")
        expect(rows).to_have_count(2)
        covered = sum(box["height"] for box in (each.bounding_box() for each in rows.all()) if box)
        assert covered > 0.4 * 1_080
        shared.show(board(clients=[client("acme")], queues=many, teams=[tile("team")], sites=[site()]))
        expect(rows).not_to_have_count(2)
        assert rows.count() >= 8


def test_a_rate_of_few_is_grey_and_says_so_whatever_the_target(shared: Wall, browser: Browser) -> None:
    target = Ratio(90, 100)
    few, enough = figures(9, 19), figures(10, 20)
    shared.show(
        board(
            clients=[tile("client", "acme", name="Acme", day=few, attainment_target=target)],
            queues=[
                tile(id_="few", name="Few", day=few, attainment_target=target, seconds=[second("art", 3, 4)]),
                tile(id_="many", name="Many", day=enough, attainment_target=target),
            ],
            teams=[tile("team", "night", name="Night", day=few)],
        )
    )
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        expect(row(page, "Few").locator(".attainment")).to_have_attribute("data-tone", "none")
        expect(row(page, "Few").locator(".attainment .small")).to_have_text(f"9/19 {word('few')}")
        assert facts(row(page, "Few"))[1:3] == [
            f"{word('target')} 90%",
            f"{word('second_figure')} 75.0% 3/4 {word('few')} art",
        ]
        expect(row(page, "Many").locator(".attainment")).to_have_attribute("data-tone", "bad")
        for card in (page.locator("#clients .card").first, page.locator("#teams .card").first):
            expect(card.locator(".attainment")).to_have_attribute("data-tone", "none")
            expect(card.locator(".verdict")).to_have_text(word("few"))


@pytest.mark.parametrize(
    ("met", "judged", "expected"),
    [
        (2_000, 2_021, "budget_left 181"),
        (95, 100, "budget_left 5"),
        (90, 100, "budget_left 0"),
        (89, 100, "budget_over 1"),
    ],
)
def test_what_may_still_be_missed_is_counted_in_conversations(
    shared: Wall, browser: Browser, met: int, judged: int, expected: str
) -> None:
    name, number = expected.split()
    shared.show(board(queues=[tile(name=f"Of {met}", day=figures(met, judged), attainment_target=Ratio(90, 100))]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        assert facts(row(page, f"Of {met}"))[1] == f"{word(name)} {number}"


@pytest.mark.parametrize(("target", "stated"), [(Ratio(90, 100), "90%"), (Ratio(9_995, 10_000), "99.95%")])
def test_a_rate_stands_beside_the_target_of_the_contract_as_it_is_stated(
    shared: Wall, browser: Browser, target: Ratio, stated: str
) -> None:
    name = f"Asked for {stated}"
    queues = [tile(name=name, attainment_target=target), *(tile(id_=f"q{n}", name=f"Nothing {n}") for n in range(5))]
    told = f"{word('target')} {stated}"
    for shown in (queues[:1], queues):  # two storeys, and rows of one line
        shared.show(board(queues=shown))
        with looking(browser, f"{shared.base}/?lang=en") as page:
            live(page)
            expect(page.locator("#rows .row:not([hidden])")).to_have_count(len(shown))
            assert told in facts(row(page, name))
            assert page.locator("#rows .facts", has_text=word("target")).count() == 1


@pytest.mark.parametrize("size", [TV, PHONE], ids=str)
def test_that_figures_of_a_running_day_are_provisional_is_always_said(
    shared: Wall, browser: Browser, size: tuple[int, int]
) -> None:
    shared.show(board(queues=[tile()]))
    with looking(browser, f"{shared.base}/?lang=zh-CN", size) as page:
        live(page)
        expect(page.get_by_text(words()["provisional"].zh)).to_be_visible()


LINES = """(made) => {
  const range = document.createRange();
  const tops = Array.from(made.textContent, (_, at) => {
    range.setStart(made.firstChild, at);
    range.setEnd(made.firstChild, at + 1);
    return range.getBoundingClientRect().top;
  });
  const broken = Array.from(made.textContent, (text, at) => (at > 0 && tops[at] > tops[at - 1] ? "\\n" : "") + text);
  return broken.join("").replace(/\u00a0/g, " ").replace(/ *\\n */g, "\\n");
}"""
"""A text as it is broken into lines."""


def test_a_queue_says_how_many_are_about_to_be_overdue_beside_those_that_are(shared: Wall, browser: Browser) -> None:
    both = msgspec.structs.replace(waiting(NOON, 90_000, 1_000, 900, limit_ms=60_000), due_soon=2)
    shared.show(board(queues=[tile(name="Both", live=both, first_response_limit_ms=60_000, warning_after_ms=500)]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        told = row(page, "Both").locator(".to_breach .small")
        expect(told).to_have_text(f"{word('overdue')} 1 {word('due_soon')} 2")
        assert told.evaluate("(made) => made.scrollWidth <= made.clientWidth"), "whole"
    more = msgspec.structs.replace(waiting(NOON, *[90_000] * 15, *[1_000] * 16, limit_ms=60_000), due_soon=16)
    shared.show(board(queues=[tile(name="More", live=more, first_response_limit_ms=60_000, warning_after_ms=500)]))
    with looking(browser, f"{shared.base}/?lang=zh-CN", PHONE) as page:
        live(page)
        told = row(page, "More").locator(".to_breach .small")
        assert told.evaluate(LINES).splitlines() == [
            f"{words()[key].zh} {n}" for key, n in (("overdue", 15), ("due_soon", 16))
        ]
