"""What makes a wallboard loud, how it is made quiet, and that nobody is blinded by it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from seatwatch.glossary import words
from tests.dashboards.boards import NOON, board, site, tile, waiting
from tests.dashboards.screens import PHONE, TV, Wall, live, looking
from wire.board import Board
from wire.surge import Surge

LISTEN = """() => {
  window.tones = 0;
  const Real = window.AudioContext;
  window.AudioContext = class extends Real {
    get state() { return window.mute ? "suspended" : "running"; }
    createOscillator() { window.tones += 1; return super.createOscillator(); }
  };
}"""
"""Counts tones before the first one is played: a test machine has no loudspeaker and nobody touches its screen."""


def surging(*teams: str, since: int = NOON, entries: int = 1_000) -> Board:
    calm = [tile("team", "calm", name="Calm")]
    return board(
        queues=[tile(live=waiting(NOON, 90_000))],
        teams=[*calm, *(tile("team", id_, name=id_.title(), surge=Surge(4, since)) for id_ in teams)],
        sites=[site("sh1", "silent")],
        entries=entries,
    )


def tones(page: Page) -> int:
    counted: int = page.evaluate("window.tones")
    return counted


def tall(page: Page) -> int:
    box = page.locator("#alarm").bounding_box()
    return 0 if box is None else round(box["height"])


@pytest.mark.parametrize("size", [TV, PHONE], ids=str)
def test_a_surge_is_colour_icon_and_word_and_sounds_until_somebody_has_seen_it(
    shared: Wall, browser: Browser, size: tuple[int, int]
) -> None:
    shared.show(surging())
    with looking(browser, f"{shared.base}/?lang=en", size) as page:
        live(page).evaluate(LISTEN)
        band = page.locator("#alarm")
        expect(band).to_be_hidden()
        assert tones(page) == 0, "somebody overdue and a site in trouble are seen, not heard"
        shared.show(surging("night"))
        expect(band.locator("strong")).to_have_text(f"{words()['surge'].en}  \u00d74 Night acme")
        expect(band.locator("svg[data-shape=warn]")).to_be_visible()
        expect(band.locator(".mute")).to_be_hidden()
        assert tones(page) == 2
        loud = tall(page)
        band.locator("button").click()
        expect(band).to_have_class("calm")
        expect(band.locator("button, .mute")).to_have_count(2)
        expect(band.locator("button:visible, .mute:visible")).to_have_count(0)
        assert tall(page) == loud, "nothing moves because somebody has seen it"
        shared.show(surging("night", "late"))
        expect(band.locator("strong")).to_have_text(f"{words()['surge'].en}  \u00d74 Late acme")
        assert tones(page) == 4
        page.keyboard.press("Enter")
        expect(band).to_have_class("calm")
        shared.show(surging("night", "late", entries=77_777))
        expect(page.locator("#record")).to_contain_text("77,777")
        expect(band).to_have_class("calm")
        assert tones(page) == 4
        shared.show(surging(entries=77_778))
        expect(band).to_be_hidden()


def test_of_many_surges_the_number_of_teams_and_the_largest_are_read_on_a_phone(shared: Wall, browser: Browser) -> None:
    teams = [tile("team", f"t{n}", name=f"Team {n} of the floor", surge=Surge(n, NOON)) for n in range(4, 10)]
    shared.show(board(queues=[tile()], teams=teams))
    with looking(browser, f"{shared.base}/?lang=en", PHONE) as page:
        told = live(page).locator("#alarm strong")
        expect(told).to_contain_text(re.compile(r"^Surge in 6 teams\s+\u00d79 Team 9 of the floor"))
        page.locator("#alarm button").click()
        expect(page.locator("#alarm")).to_have_class("calm")
    shared.show(board())


def test_what_was_seen_before_one_screen_is_quiet_on_all_of_them_which_say_where_and_when(
    shared: Wall, browser: Browser
) -> None:
    shared.show(surging())
    team = f"{shared.base}/team/night?lang=en"
    with looking(browser, f"{shared.base}/?lang=en") as tv, looking(browser, team) as lead:
        for page in (tv, lead):
            live(page).evaluate(LISTEN)
        shared.show(surging("night"))
        for page in (tv, lead):
            expect(page.locator("#alarm button")).to_be_visible()
            assert tones(page) == 2
        lead.locator("#alarm button").click()
        for page in (tv, lead):
            expect(page.locator("#alarm .who")).to_have_text(re.compile(r"^Already seen \d\d:\d\d:\d\d localhost$"))
            expect(page.locator("#alarm.calm svg[data-shape=eye]")).to_be_visible()
            assert tones(page) == 2
        shared.show(surging("night", since=NOON + 3_000))
        expect(tv.locator("#alarm button")).to_be_visible()


def test_a_browser_that_keeps_the_sound_to_itself_says_so(shared: Wall, browser: Browser) -> None:
    shared.show(surging())
    with looking(browser, f"{shared.base}/?lang=zh-CN") as page:
        live(page).evaluate(LISTEN)
        page.evaluate("window.mute = true")
        shared.show(surging("night"))
        expect(page.locator("#alarm .mute")).to_have_text(words()["sound_off"].zh)
        assert tones(page) == 0


def test_the_alarm_repeats_at_its_interval_and_begins_anew_with_a_new_surge(shared: Wall, browser: Browser) -> None:
    shared.show(surging())
    script = """async () => {
      const { Ring } = await import("/static/alarm.js");
      const ring = new Ring();
      const teams = (since) => ({ "acme|night": { surge: since === null ? null : { conversations: 3, since } } });
      const due = (since, now) => ring.isDue(ring.unseen(teams(since)), now, 10000);
      const heard = [due(5, 0), due(5, 9999), due(5, 10000), due(5, 15000)];
      ring.acknowledge(ring.unseen(teams(5)));
      heard.push(due(5, 20001), due(4, 20002), due(6, 20003), due(null, 20004), due(6, 20005));
      // another screen of this TV, which shows one other team, forgets nothing of what was seen here
      ring.acknowledge(ring.unseen(teams(7)));
      ring.unseen({ "acme|day": { surge: null } });
      heard.push(due(7, 20006));
      return heard;
    }"""
    with looking(browser, shared.base) as page:
        live(page)
        heard = page.evaluate(script)
    assert heard == [True, False, True, False, False, False, True, False, True, False]


def test_nothing_flashes_faster_than_once_a_second(shared: Wall, browser: Browser) -> None:
    shared.show(surging("night"))
    running = "() => document.getAnimations().map((one) => one.effect.getTiming().duration)"
    with looking(browser, f"{shared.base}/?lang=en") as page:
        live(page)
        expect(page.locator("#alarm")).to_be_visible()
        durations = page.evaluate(running)
        assert len(durations) == 3, "the queue that is over, the site that is silent, the alarm"
        assert min(durations) >= 1_000
    with looking(browser, f"{shared.base}/?lang=en", reduced_motion="reduce") as page:
        live(page)
        expect(page.locator("#alarm")).to_be_visible()
        assert page.evaluate(running) == []
