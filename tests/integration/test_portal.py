"""The portal of a real server in a real browser: sign-in, pictures, a way down to one conversation, both languages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from seatwatch.glossary import words
from tests.dashboards.looks import COVERED, FAINT
from tests.dashboards.screens import PHONE
from tests.integration.running import server
from tests.seatwatch.portal.sites import incident, operator_of, site_day
from tests.seatwatch.portal.worlds import PASSWORD, accounts, client_of, day

CONFIG = """
[server]
port = 0
[mqtt]
port = 0
[[client]]
id = "acme"
name = "<b>Acme</b> \\u202egnol {long}"
[[client.queue]]
id = "presale"
[[client.queue]]
id = "aftersale"
"""
SPAN = "from=2026-11-02&to=2026-11-02"
AT = "site=north&until=2026-11-02T13:00"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server over a day's record listens."""
    directory = tmp_path_factory.mktemp("portal")
    data = directory / "data"
    client_of(data, "acme", [*day(), incident()])
    operator_of(data, site_day())
    accounts(data)
    with server(directory, CONFIG.format(long="long " * 40)) as (_, runtime):
        yield f"{runtime.url}/portal"


def sign_in(opened: Page, base: str) -> None:
    opened.goto(f"{base}/service?lang=zh-CN")
    assert opened.url.startswith(f"{base}/sign-in?lang=zh-CN&to=")
    opened.fill("[name=name]", "client")
    opened.fill("[name=password]", PASSWORD)
    opened.click("main button")
    opened.wait_for_url(f"{base}/service?lang=zh-CN")


def show(opened: Page, address: str) -> None:
    """Go there, and wait for a page that is still being made."""
    opened.goto(address)
    expect(opened.locator("main [role=status]")).to_have_count(0, timeout=60_000)


@pytest.fixture(scope="module")
def signed_in(base: str, browser: Browser) -> StorageState:
    """The cookies of one session."""
    context = browser.new_context()
    sign_in(context.new_page(), base)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def page(browser: Browser, signed_in: StorageState) -> Iterator[Page]:
    """A phone's page, signed in; whatever the browser complains of fails the test."""
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, storage_state=signed_in)
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def test_a_percentage_leads_to_its_sessions_and_one_of_them_to_its_timeline(page: Page, base: str) -> None:
    show(page, f"{base}/service?lang=en&{SPAN}")
    assert page.locator("figure svg:visible").count() == 6
    assert page.locator("h1").inner_text().startswith("<b>Acme</b>")
    page.get_by_text("See the missed ones").click()
    page.locator(".sessions").wait_for()
    assert page.locator(".sessions .missed-row").count() == 3
    page.get_by_text("c3", exact=True).click()
    assert page.locator("h1").inner_text() == "Conversation c3"
    assert "Cause: " in page.locator("main").inner_text()


def test_a_stretch_of_a_sites_past_leads_to_the_incident_and_says_itself_what_it_is(page: Page, base: str) -> None:
    show(page, f"{base}/site?lang=en&{AT}")
    assert page.locator("figure svg:visible").count() == 2, "lanes, a battery"
    said = page.locator("rect.look-bad title").all_text_contents()
    assert "Mains rack: On battery  2026-11-02 11:00:00 .. 2026-11-02 11:10:00" in said
    page.locator("svg:visible a").first.click()
    page.wait_for_url("**/incident?**")
    assert "Line down" in page.locator("h1").inner_text()
    assert "internet unreachable" in page.locator("main").inner_text()
    page.get_by_text("Sessions missed for it").click()
    page.locator(".common").wait_for()
    assert "Missed for incident i-" in page.locator(".common").inner_text()
    page.go_back()
    page.get_by_role("link", name="Site history").last.click()
    assert page.locator("rect.look-bad").count() > 0


@pytest.mark.parametrize("path", [f"service?{SPAN}", f"site?{AT}"])
def test_a_picture_is_whole_on_any_screen_without_scrolling_sideways(page: Page, base: str, path: str) -> None:
    show(page, f"{base}/{path}&lang=en")
    for wide in (360, PHONE[0], 700, 768, 1366):
        page.set_viewport_size({"width": wide, "height": PHONE[1]})
        drawn = page.locator("figure svg:visible").all()
        assert len(drawn) == (6 if path.startswith("service") else 2)
        for picture in drawn:
            assert picture.evaluate("svg => svg.closest('.wide').scrollWidth <= svg.closest('.wide').clientWidth")


def test_a_table_scrolled_sideways_on_a_phone_still_says_whose_rows_they_are(page: Page, base: str) -> None:
    show(page, f"{base}/service?{SPAN}&lang=en")
    table = page.locator(".wide:has(> table)", has_text="First response").first
    table.evaluate("wide => { wide.scrollLeft = wide.scrollWidth; }")
    day, held = table.locator("tbody th").bounding_box(), table.bounding_box()
    assert day is not None
    assert held is not None
    assert table.evaluate("wide => wide.scrollLeft") > 0
    assert abs(day["x"] - held["x"]) <= 1


def test_on_a_phone_a_battery_is_seen_from_its_first_reading_over_the_last_to_the_projected_end(
    page: Page, base: str
) -> None:
    show(page, f"{base}/site?lang=en&{AT}")
    drawn = page.locator(".discharge:visible")
    dots = drawn.locator(".dot")
    for mark in (dots.first, dots.last, drawn.locator(".projected")):
        box = mark.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]


def test_on_a_laptop_a_battery_fills_its_panel(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    show(page, f"{base}/site?lang=en&{AT}")
    drawn, held = (page.locator(each).bounding_box() for each in (".discharge:visible", "figure:has(.discharge)"))
    assert drawn is not None
    assert held is not None
    assert drawn["width"] > 0.9 * held["width"]


def test_a_laptop_shows_the_months_of_a_year_with_all_their_columns(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    show(page, f"{base}/year?lang=en")
    months = page.locator(".wide:has(> table)")
    assert "Data coverage" in months.inner_text()
    assert months.evaluate("wide => wide.scrollWidth <= wide.clientWidth")


def test_a_range_is_chosen_by_the_browsers_own_form(page: Page, base: str) -> None:
    show(page, f"{base}/site?lang=en&{AT}")
    page.select_option("[name=range]", "hour")
    page.fill("[name=until]", "2026-11-02T11:30")
    page.click("main button")
    assert "Shown: 2026-11-02 10:30 .. 2026-11-02 11:30" in page.locator("main").inner_text()
    page.get_by_text("Later").click()
    assert "Shown: 2026-11-02 11:30 .. 2026-11-02 12:30" in page.locator("main").inner_text()


PATHS = (
    *(f"service?{SPAN}", f"sessions?{SPAN}", "conversation?id=c1", "rules?", "search?"),
    *("year?", f"site?{AT}", f"site?range=hour&{AT}", "incident?id=i-line"),
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_page_is_wider_than_a_phone_or_hides_a_text_by_day_or_night(
    page: Page, base: str, path: str, language: str
) -> None:
    show(page, f"{base}/{path}&lang={language}")
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert page.evaluate(COVERED) == []
    assert page.evaluate(FAINT) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(FAINT) == []


def test_a_search_and_signing_out_work_from_the_browsers_own_forms(page: Page, base: str) -> None:
    page.context.clear_cookies()
    sign_in(page, base)
    show(page, f"{base}/search?lang=en&{SPAN}")
    page.fill("[name=typed]", "c3")
    page.click("main button")
    page.locator(".found a").click()
    assert "c3" in page.locator("h1").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{base}/sign-in?lang=en")
    show(page, f"{base}/service?lang=en")
    assert page.url.startswith(f"{base}/sign-in?lang=en&to=")


def test_a_teams_screen_whose_session_is_over_leads_to_the_sign_in(base: str, browser: Browser) -> None:
    context = browser.new_context()
    opened = context.new_page()
    # what a browser finds after a restart of the server: the sign-in form where a stream of events was
    opened.route("**/events", lambda route: route.fulfill(content_type="text/html", body="<form>"))
    opened.goto(f"{base}/team/red?lang=en")
    opened.fill("[name=name]", "supervisor")
    opened.fill("[name=password]", PASSWORD)
    opened.click("main button")
    opened.wait_for_selector("body[data-state=connecting]")
    context.clear_cookies()
    opened.wait_for_url("**/portal/sign-in?**")
    assert opened.locator("[name=password]").is_visible()
    context.close()


def test_who_signed_in_here_sees_the_board_of_then_and_comes_back(page: Page, base: str) -> None:
    show(page, f"{base}/board?lang=zh-CN&at=2026-11-02T10:00:11")
    page.wait_for_selector("body[data-state=past]", timeout=30_000)
    assert page.locator("#rows .row:not([hidden])").count() == 1
    assert page.locator("#past a").inner_text() == words()["to_portal"].zh
    assert page.locator("#title").text_content() == words()["portal_board_then"].zh, "not called live"
    assert words()["no_sites"].zh not in page.locator("body").inner_text(), "nobody here knows whether there are any"
    page.click("#sites a")
    page.wait_for_url(f"{base}/site?until=2026-11-02T02%3A00%3A11Z&lang=zh-CN")
    assert "2026-11-02 10:00" in page.locator("main").inner_text()
    page.go_back()
    page.wait_for_selector("body[data-state=past]", timeout=30_000)
    page.click("#past a")
    page.wait_for_url(f"{base}/service?lang=zh-CN")
