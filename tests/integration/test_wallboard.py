"""The wallboard as people see it: Debian's Chromium in front of a real server that a test tells what to publish."""

import re
from pathlib import Path
from random import Random

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from dashboards.wallboard._core.board import apply, diff, to_json
from tests.dashboards.boards import NOON, board, figures, floor, line, site, tile, waiting
from tests.dashboards.screens import Wall, live, looking, row, wall, word
from tests.dashboards.states import STATES
from wire.board import Figures, Ratio, TroubleTile, Waiting
from wire.record import Feed
from wire.scope import EVERYTHING

STEP_MS = 2_000
"""A second that is shown whole, and as much for a busy machine between reading the clock and drawing."""


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_queue_shows_its_figures_with_counts_words_and_bands_in_both_languages(
    shared: Wall, browser: Browser, language: str
) -> None:
    target = Ratio(90, 100)
    shared.show(
        board(
            queues=[
                tile(id_="good", name="Good", live=waiting(NOON), day=figures(24, 26, 18_400)),
                tile(id_="mid", name="Mid", live=waiting(NOON), day=figures(95, 100, 24_700), attainment_target=target),
                tile(id_="bad", name="Bad", live=waiting(NOON), day=figures(13, 26, 30_001), attainment_target=target),
                tile(id_="near", name="Near", live=waiting(NOON), day=figures(1_999, 2_000, 20_000)),
            ]
        )
    )
    with looking(browser, f"{shared.base}/?lang={language}") as page:
        live(page)
        assert page.evaluate("document.documentElement.lang") == language
        expect(page.locator("#title")).to_have_text(word("wallboard", language))
        good = row(page, "Good")
        expect(good.locator(".attainment .big")).to_have_text("92.3%")
        expect(good.locator(".attainment .small")).to_have_text("24/26")
        expect(good.locator(".attainment")).to_have_attribute("data-tone", "")
        expect(good.locator(".average_response .big")).to_have_text("18.4")
        expect(good.locator(".average_response .small")).to_have_text(word("good", language))
        expect(good.locator(".average_response svg")).to_have_count(1)
        expect(good.locator(".agents .serving .big")).to_have_text("5")
        expect(good.locator(".to_breach .small")).to_have_text(word("nobody_waiting", language))
        expect(row(page, "Mid").locator(".attainment .small")).to_have_text(f"95/100 {word('on_target', language)}")
        expect(row(page, "Mid").locator(".average_response .small")).to_have_text(word("acceptable", language))
        expect(row(page, "Bad").locator(".attainment .small")).to_have_text(f"13/26 {word('below_target', language)}")
        expect(row(page, "Bad").locator(".average_response .small")).to_have_text(word("over_limit", language))
        expect(row(page, "Near").locator(".attainment .big")).to_have_text("99.9%")
        text = page.inner_text("body")
        other = "en" if language == "zh-CN" else "zh-CN"
        for key in ("waiting", "oldest_wait", "to_breach", "attainment", "average_response", "site", "team"):
            assert word(key, language) in text
            assert word(key, other) not in text


WATCH = """() => {
  const row = document.querySelector("#rows .row:not([hidden])");
  window.seen = [];
  new MutationObserver(() => seen.push({
    at: Date.now(),
    rank: row.dataset.rank,
    small: row.querySelector(".to_breach .small").textContent,
    big: row.querySelector(".to_breach .big").textContent,
    oldest: row.querySelector(".oldest_wait .big").textContent,
  })).observe(row, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
"""Keeps whatever the row shows, and when: a busy machine may look late, but the page itself must not."""


def test_waits_and_countdowns_run_in_the_browser_from_calm_over_warning_to_breach(
    shared: Wall, browser: Browser
) -> None:
    promised = {"first_response_limit_ms": 6_000, "warning_after_ms": 3_000}
    shared.show(board(queues=[tile("queue", "chat", "acme", live=waiting(NOON), **promised)]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        page.evaluate(WATCH)
        one_waits = waiting(NOON, 0, limit_ms=6_000)
        shared.show(board(queues=[tile("queue", "chat", "acme", live=one_waits, **promised)]))
        over = page.locator("#rows .row:not([hidden]) .to_breach .big")
        expect(over).to_have_text(re.compile(r"\+0:0[1-9]|\+0:[1-5]\d"), timeout=30_000)
        (shown,) = page.evaluate("fetch('/board.json').then(a => a.json()).then(b => Object.values(b.queues))")
        seen = [one for one in page.evaluate("window.seen") if one["small"] != word("nobody_waiting")]
    since, due = shown["live"]["oldest_since"], shown["live"]["oldest_since"] + 6_000
    phases = [(one["rank"], one["small"]) for one in seen]
    assert list(dict.fromkeys(phases)) == [
        ("2", word("in_time")),
        ("1", word("due_soon")),
        ("0", f"{word('overdue')} 1"),
    ]
    assert phases == sorted(phases, key=lambda phase: -int(phase[0])), "no phase comes twice"
    for one in seen:
        late = one["big"].startswith("+")
        left_s = -int(one["big"].rpartition(":")[2]) if late else int(one["big"])
        assert abs(left_s * 1_000 - (due - one["at"])) <= STEP_MS, one
        assert abs(int(one["oldest"].rpartition(":")[2]) * 1_000 - (one["at"] - since)) <= STEP_MS, one


def test_who_waits_off_the_clock_is_told_apart_and_no_first_reply_is_claimed(shared: Wall, browser: Browser) -> None:
    # a later reply, or a customer who wrote at night and has heard nothing: a tile does not tell which
    later = Waiting(waiting=2, overdue=0, oldest_since=NOON - 60_000, next_due_at=None)
    both = msgspec.structs.replace(later, overdue=1, overdue_since=NOON - 4_000)
    shared.show(board(queues=[tile(id_="later", name="Later", live=later), tile(id_="both", name="Both", live=both)]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        expect(row(page, "Later").locator(".oldest_wait .small")).to_have_text(word("not_due"))
        expect(row(page, "Later").locator(".to_breach .small")).to_have_text(word("nothing_due"))
        assert "repl" not in row(page, "Later").inner_text().lower()
        expect(row(page, "Both").locator(".to_breach .small")).to_have_text(f"{word('overdue')} 1")
        expect(row(page, "Both").locator(".to_breach .big")).to_have_text(re.compile(r"\+0:0[4-9]"))


@pytest.mark.parametrize(("language", "told"), [("en", "Pre-sale"), ("zh-CN", "\u552e\u524d")])
def test_english_screens_show_english_names_where_there_are_some(
    shared: Wall, browser: Browser, language: str, told: str
) -> None:
    both = {"name": "\u552e\u524d", "name_en": "Pre-sale"}
    dark = site("sh1", "on_battery", **both, shops={"acme": ["\u552e\u524d"]}, shops_en={"acme": ["Pre-sale"]})
    scopes = ("client", "queue", "team")
    clients, queues, teams = ([tile(scope, **both), tile(scope, "b", "b", name="b")] for scope in scopes)
    shared.show(board(clients=clients, queues=queues, teams=teams, sites=[dark]))
    with looking(browser, f"{shared.base}/?lang={language}") as page:
        live(page)
        for part in ("#rows .row", "#clients .card", "#teams .card", "#sites .card"):
            expect(page.locator(f"{part}:not([hidden]) bdi.title", has_text=told)).to_have_count(1)
        expect(page.locator("#sites .behind")).to_contain_text(told)
        assert ("\u552e\u524d" in page.inner_text("body")) == (language != "en")


def test_what_a_silent_site_said_last_does_not_look_like_a_reading(shared: Wall, browser: Browser) -> None:
    gone = site("gz3", "silent", reason="silent_together", probes_reporting=0, runtime_ms=1_800_000)
    team = tile("team", "unassigned", "acme", name="unassigned")
    clients = [tile("client", "acme", name="Acme Outdoor"), tile("client", "beta", "beta", name="Beta")]
    shared.show(board(sites=[gone], clients=clients, teams=[team]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        power = page.locator(".site-card .power")
        expect(power).to_have_text(f"{word('last_known')} {word('mains')} 100%  ·  {word('silent_together')}")
        expect(power).to_have_attribute("data-tone", "none")
        expect(page.locator(".team-card .title")).to_have_text(word("unassigned"))
        expect(page.locator(".team-card .client")).to_have_text("Acme Outdoor")


def test_a_site_shows_its_seats_of_those_that_are_to_be_there_else_its_probes(shared: Wall, browser: Browser) -> None:
    seats = site("gz3", name="Three", seats_present=580, seats_expected=600, is_planned=True)
    shared.show(board(sites=[seats, site("gz4", name="Four")]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        three = page.locator(".site-card", has_text="Three").locator(".probes")
        expect(three).to_have_text(f"{word('seats_present')} 580/600  ·  {word('planned')}")
        expect(page.locator(".site-card", has_text="Four").locator(".probes")).to_have_text(f"{word('probes')} 16/16")
        shared.show(board(sites=[site("gz3", name="Three", seats_present=8, seats_expected=0)]))
        expect(page.locator(".site-card:visible")).to_have_count(1)
        expect(page.locator(".site-card:visible .probes")).to_have_text(f"{word('seats_present')} 8")


def test_a_time_left_that_the_unit_does_not_tell_is_called_an_estimate(shared: Wall, browser: Browser) -> None:
    shared.show(
        board(sites=[site("gz3", "on_battery", power="battery", runtime_ms=1_380_000, runtime_is_estimate=True)])
    )
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        expect(page.locator(".site-card .power")).to_contain_text(f"23 {word('minutes')} ({word('estimated')})")


def test_no_data_is_a_dash_with_its_word_and_a_daily_queue_has_no_countdown(shared: Wall, browser: Browser) -> None:
    shared.show(
        board(
            queues=[
                tile(id_="daily", name="Daily", feed=Feed.DAILY, live=None),
                tile(id_="never", name="Never", feed=None, live=None, day=Figures(), agents=[]),
                tile(id_="silent", name="Silent", stale_since=NOON - 65_000, unsequenced=True),
            ]
        )
    )
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        daily = row(page, "Daily")
        expect(daily.locator(".t-plus-1")).to_have_text(word("t_plus_1_only"))
        for name in ("waiting", "oldest_wait", "to_breach"):
            expect(daily.locator(f".{name}")).to_be_hidden()
        never = row(page, "Never")
        for name in ("waiting", "oldest_wait", "to_breach", "attainment", "average_response"):
            expect(never.locator(f".{name} .big")).to_have_text("\u2014")
            expect(never.locator(f".{name} .small")).to_have_text(word("no_data"))
        assert "%" not in never.inner_text()
        assert "0" not in never.inner_text()
        expect(row(page, "Silent").locator(".badges")).to_contain_text(word("stale_since"))
        expect(row(page, "Silent").locator(".badges")).to_contain_text(word("unsequenced"))


def test_sites_show_state_and_power_as_word_icon_and_since_when_the_worst_first(shared: Wall, browser: Browser) -> None:
    shared.show(
        board(
            sites=[
                site("a", name="Fine"),
                site("b", "on_battery", name="Dark", power="battery", charge_percent=62, since=NOON - 60_000),
                site("c", "silent", name="Mute", power=None, comms=None, charge_percent=None, runtime_ms=None),
                site("d", "degraded", name="Deaf", comms="driver_dead"),
            ]
        )
    )
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        cards = page.locator("#sites .card:not([hidden])")
        expect(cards.locator("bdi.title")).to_have_text(["Mute", "Dark", "Deaf", "Fine"])
        expect(cards.nth(1).locator(".state")).to_have_text(word("on_battery"))
        expect(cards.nth(1).locator(".power")).to_contain_text("62%")
        expect(cards.nth(1).locator("svg[data-shape=battery]")).to_have_count(2)
        expect(cards.nth(0).locator(".power")).to_have_text(word("no_ups"))
        expect(cards.nth(2).locator(".power")).to_contain_text(word("comms_driver_dead"))
        assert "%" not in cards.nth(2).inner_text(), "a reading that cannot be trusted is not shown"
        expect(cards.nth(3).locator(".power")).to_contain_text(word("mains"))


def test_a_site_shows_each_line_the_broken_first_and_at_a_fault_whom_it_concerns(
    shared: Wall, browser: Browser
) -> None:
    troubles = [
        TroubleTile("mains_lost", 1, NOON, False, False),
        TroubleTile("seat_down", 3, NOON, True, False),
        TroubleTile("line_down", 1, NOON, False, False),
        TroubleTile("of no word", 1, NOON, False, False),
    ]
    faulty = site(
        "b",
        "on_battery",
        reason="mains_lost",
        lines=[line("wan0", name="Telecom"), line("wan1", "down", "Unicom"), line("wan2", "unheard of")],
        phone_lines=[line("trunk1", "lagged")],
        troubles=troubles,
        clients=["acme", "beta"],
        teams=["red"],
        shops={"acme": ["flagship", "outlet"], "beta": ["one", "two", "three"]},
    )
    both = [tile("client", "acme", name="Acme"), tile("client", "beta", "beta")]
    shared.show(board(clients=both, sites=[faulty]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        lines = page.locator("#sites .line:not([hidden])")
        expect(lines.locator("bdi")).to_have_text(["Unicom", "trunk1", "wan2", "Telecom"])
        expect(lines.locator(".line-word")).to_have_text([word("line_down_short"), word("trunk_lagged_short"), "", ""])
        shapes = lines.evaluate_all("all => all.map((one) => one.querySelector('svg').dataset.shape)")
        assert shapes == ["bad", "warn", "unknown", "fine"]
        behind = page.locator("#sites .behind .fact:not([hidden])")
        said = [f"{word('behind_it')} red, Acme, beta beta", f"{word('shop')} flagship, outlet +3"]
        expect(behind).to_have_text([*said, f"{word('incident_seat_down')} \u00d73"])
        shared.show(
            board(clients=both[:1], sites=[msgspec.structs.replace(faulty, troubles=[], clients=["acme"], shops={})])
        )
        expect(behind).to_have_text([f"{word('behind_it')} red"])  # a TV of one client
        flapping = TroubleTile("mains_flapping", 1, NOON, False, False)
        shared.show(board(sites=[site("b", "degraded", reason="incident_mains_flapping", troubles=[flapping])]))
        expect(page.locator("#sites")).to_contain_text(word("incident_mains_flapping"))
        assert page.locator("#sites").inner_text().count(word("incident_mains_flapping")) == 1, "said once"
        shared.show(board(sites=[site("b", "on_battery", reason="mains_lost", troubles=[flapping])]))
        expect(behind).to_have_text([word("incident_mains_flapping")])
        shared.show(board(sites=[site("b", "silent", lines=[line("wan0", "up", "Telecom")])]))
        expect(lines).to_have_count(1)
        expect(lines.locator("svg")).to_have_attribute("data-shape", "unknown")
        expect(page.locator("#sites .behind")).to_be_hidden()


COLOURED = """() => {
  const coloured = "good ok warn bad".split(" ").map((tone) => `[data-tone="${tone}"]`).join(",");
  const all = [...document.querySelectorAll(".cell, .state, .power, .line")].filter((one) => one.matches(coloured));
  const seen = all.filter((one) => one.getClientRects().length > 0);
  const bare = seen.filter((one) => one.querySelector("svg") === null || one.innerText.trim() === "");
  return [seen.length, bare.map((one) => `${one.className}: ${one.innerText}`)];
}"""


def test_no_colour_is_without_its_shape_and_its_text(shared: Wall, browser: Browser) -> None:
    shared.show(board())
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        for entries, state in enumerate(("busy", "everything", "surge", "nobody", "battery"), start=11):
            shared.show(msgspec.structs.replace(STATES[state], entries=entries))
            expect(page.locator("#record")).to_contain_text(str(entries))
            number, bare = page.evaluate(COLOURED)
            assert number > 5
            assert bare == [], state


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_before_the_first_board_and_with_an_empty_one_it_says_so(
    tmp_path: Path, browser: Browser, language: str
) -> None:
    with wall(tmp_path) as own, looking(browser, f"{own.base}/?lang={language}") as page:
        expect(page.locator("#overlay strong")).to_have_text(word("waiting_for_data", language))
        own.show(board())
        live(page)
        expect(page.locator("#more")).to_have_text(word("no_queues", language))
        expect(page.locator("#sites .rest")).to_have_text(word("no_sites", language))
        expect(page.locator("#overlay")).to_be_hidden()
        assert page.locator("#rows .row:not([hidden])").count() == 0


def test_two_hundred_queues_show_the_most_urgent_first_and_say_how_many_more(shared: Wall, browser: Browser) -> None:
    calm = [tile(id_=f"q{n:03}", name=f"Calm {n:03}", live=waiting(NOON)) for n in range(197)]
    urgent = [
        tile(id_="warn", name="Zeta warns", live=waiting(NOON, 6_500, limit_ms=60_000), first_response_limit_ms=60_000),
        tile(id_="late", name="Zeta late", live=waiting(NOON, 20_000)),
        tile(id_="later", name="Zeta later", live=waiting(NOON, 90_000)),
    ]
    shared.show(board(queues=[*calm, *urgent]))
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        names = page.locator("#rows .row:not([hidden]) bdi.title")
        shown = names.count()
        assert shown < 200
        assert names.all_inner_texts()[:3] == ["Zeta later", "Zeta late", "Zeta warns"]
        expect(page.locator("#more")).to_contain_text(f"+{200 - shown} more")
        first = set(names.all_inner_texts())
        page.locator("#more").click()
        expect(row(page, "Zeta late")).to_have_count(0)
        assert not first & set(names.all_inner_texts())


def test_motion_stops_for_those_who_ask_for_less_of_it(shared: Wall, browser: Browser) -> None:
    shared.show(board(queues=[tile(live=waiting(NOON, 30_000))]))
    moving = "getComputedStyle(document.querySelector('.to_breach .mark')).animationName"
    with looking(browser, shared.base) as page:
        live(page)
        assert page.evaluate(moving) == "beat"
    with looking(browser, shared.base, reduced_motion="reduce") as page:
        live(page)
        assert page.evaluate(moving) == "none"


def test_the_page_applies_differences_exactly_as_the_server_makes_them(shared: Wall, browser: Browser) -> None:
    shared.show(board())
    random = Random(7)
    cases = []
    for _ in range(25):
        sizes = [
            {"queues": random.randrange(6), "teams": random.randrange(3), "sites": random.randrange(4)}
            for _ in range(2)
        ]
        old, new = (to_json(floor(random, now=NOON + n, **size), EVERYTHING) for n, size in enumerate(sizes))
        cases.append([old, diff(old, new)])
    with looking(browser, shared.base) as page:
        script = (
            "cases => import('/static/board.js').then(m => cases.map(([view, delta]) => m.applyDelta(view, delta)))"
        )
        applied = page.evaluate(script, cases)
    assert applied == [apply(view, delta) for view, delta in cases]


def test_a_token_behind_a_hash_signs_a_tv_in_and_is_in_no_address_that_is_sent(
    tmp_path: Path, browser: Browser
) -> None:
    with wall(tmp_path, "s3cret", "acme") as own:
        own.show(board(queues=[tile(name="Ours")]))
        sent: list[str] = []
        context = browser.new_context()
        page = context.new_page()
        page.on("request", lambda request: sent.append(request.url.partition("#")[0]))
        page.goto(f"{own.base}/map?lang=en#token=s3cret")
        live(page)
        assert page.url.partition("#")[0] == f"{own.base}/map?lang=en"
        assert "s3cret" not in page.url + "".join(sent)
        page.goto(f"{own.base}/sign-in?lang=en#token=wrong")
        expect(page.locator("#refused")).to_have_text(word("token_refused"))
        assert "wrong" not in page.url
        context.close()


def test_a_tv_signs_in_once_by_address_and_sees_its_client_only(tmp_path: Path, browser: Browser) -> None:
    with wall(tmp_path, "s3cret", "acme") as own:
        own.show(board(queues=[tile(name="Ours"), tile(client="beta", name="Theirs")]))
        with looking(browser, f"{own.base}/?token=s3cret&lang=en") as page:
            live(page)
            assert page.url == f"{own.base}/?lang=en"
            expect(row(page, "Ours")).to_be_visible()
            assert "Theirs" not in page.content()
            assert page.evaluate("document.cookie") == ""
        with looking(browser, f"{own.base}/?lang=en") as page:
            page.fill("input[name=token]", "wrong")
            page.click("button")
            expect(page.locator("#refused")).not_to_be_empty()
            page.fill("input[name=token]", "s3cret")
            page.click("button")
            live(page)
            expect(row(page, "Ours")).to_be_visible()
