"""The rollout page: what probes say of themselves by ring, and the switch, for whoever may see everything only."""

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web

from collector.sources import token_hash
from dashboards.rollout._core.fleet import Fleet, Told
from dashboards.rollout.page import RolloutPage
from dashboards.wallboard.access import Access
from dashboards.wallboard.devices import Devices
from seatwatch.server.web import words
from wire.facility import Heartbeat, Role
from wire.identity import IdentitySaid, IdentityStep
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.scope import EVERYTHING, Scope
from wire.seat import Noticed, ProbeNote

NOW = 1_795_300_000_000
PROBES = ["site1/gateway", "site1/seat-01", "site2/gateway"]


def beat(probe: str, at: int, version: str = "1.0.0", errors: int = 0, *, received: int | None = None) -> Recorded:
    site = probe.partition("/")[0]
    body = Heartbeat(at, 1, probe, at, True, "", site, "<A-1>", Role.SEAT, 10_000, 1, 0, 0, version, errors)
    return Recorded(0, received or at, probe, b"e" * 16, 1, Kind.HEARTBEAT, 1, body)


def stepped(probe: str, at: int, step: IdentityStep = IdentityStep.SEEN_TWICE) -> Recorded:
    body = IdentitySaid(at, 1, "hub", None, True, "", probe, step)
    return Recorded(0, at, "~enrolment", b"e" * 16, 1, Kind.IDENTITY, 1, body)


def ring_of(probe: str) -> str:
    return "first" if probe.endswith("seat-01") else "rest"


def test_the_newest_word_of_a_probe_holds_and_history_changes_nothing() -> None:
    fleet = Fleet()
    fleet.take([beat("site1/gateway", NOW, "1.1.0", 3), beat("site1/gateway", NOW - 60_000, "1.0.0", received=NOW + 9)])
    assert fleet.probes["site1/gateway"] == Told("1.1.0", "<A-1>", 3, NOW + 9, NOW, None)


def test_a_clock_that_was_a_year_off_either_way_does_not_freeze_its_line() -> None:
    fleet, year = Fleet(), 365 * 86_400_000
    fleet.take([beat("site1/gateway", NOW + year, received=NOW), beat("site1/gateway", NOW + 60_000, "1.1.0")])
    assert fleet.probes["site1/gateway"].version == "1.1.0"
    note = ProbeNote(NOW - year, 1, "p", 9, False, "", "site1", "", Noticed.CLOCK_STEPPED, "", 0, -year)
    set_back = Recorded(0, NOW + 70_000, "site1/gateway", b"e" * 16, 9, Kind.PROBE_NOTE, 1, note)
    fleet.take([set_back, beat("site1/gateway", NOW - year + 60_000, "1.2.0", received=NOW + 120_000)])
    told = fleet.probes["site1/gateway"]
    assert (told.version, told.heard_at) == ("1.2.0", NOW + 120_000)


def test_probes_are_listed_by_ring_with_how_many_run_which_version() -> None:
    fleet = Fleet()
    fleet.take([beat("site1/gateway", NOW), beat("site1/seat-01", NOW, "1.1.0"), stepped("site1/gateway", NOW + 5)])
    rest, first = fleet.rings(PROBES, ring_of, {"site1/gateway": NOW + 9}, {"first": (NOW, "ann")})
    assert (rest.name, rest.versions, rest.held_at) == ("rest", {"1.0.0": 1}, None)
    assert (first.name, first.versions, first.held_at, first.held_by) == ("first", {"1.1.0": 1}, NOW, "ann")
    assert [row.probe for row in rest.rows] == ["site1/gateway", "site2/gateway"]
    assert [row.certificate_until for row in rest.rows] == [NOW + 9, None]
    assert rest.rows[0].told.doubled_at == NOW + 5


def test_a_ring_that_is_stopped_is_listed_even_when_no_probe_is_in_it() -> None:
    assert [ring.name for ring in Fleet().rings([], ring_of, {}, {"gone": (NOW, "ann")})] == ["gone"]


class Served:
    def __init__(self) -> None:
        self.held: dict[str, tuple[int, str]] = {}
        self.strangers: list[str] = []
        self.fleet = Fleet()
        self.url = ""
        self.tv = ""

    def stop(self, ring: str) -> None:
        self.held[ring] = (NOW, "page")

    def go(self, ring: str) -> None:
        del self.held[ring]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """The page for three tokens: `all` and that of a TV see everything, `one` a single client."""
    made = Served()
    devices = Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)
    made.tv = devices.add("floor-1", clients=None, sites=None, teams=None, layout="", at=NOW)
    scopes = {token_hash("all"): EVERYTHING, token_hash("one"): Scope(clients=frozenset({"acme"}))}
    page = RolloutPage(
        lambda: made.fleet.rings(PROBES, ring_of, {}, made.held),
        lambda: made.strangers,
        access=Access(scopes, devices),
        texts=words(),
        zone=ZoneInfo("Asia/Shanghai"),
        stop=made.stop,
        go=made.go,
        form_bytes_max=4096,
    )
    app = web.Application()
    app.add_routes(page.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/rollout"
    yield made
    await runner.cleanup()


async def ask(
    url: str, token: str = "all", form: dict[str, str] | None = None, more: dict[str, str] | None = None
) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}", **(more or {})}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request("GET" if form is None else "POST", url, data=form, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text()


async def test_only_who_may_see_everything_sees_and_changes_it(served: Served) -> None:
    for token, expected in (("", 401), ("wrong", 401), ("one", 403)):
        assert (await ask(served.url, token))[0] == expected
        assert (await ask(served.url, token, {"ring": "first", "step": "stop"}))[0] == expected
    assert served.held == {}


async def test_the_page_speaks_chinese_first_and_english_when_asked(served: Served) -> None:
    served.fleet.take([beat("site1/seat-01", NOW, "1.1.0", 7)])
    _, chinese = await ask(served.url)
    _, english = await ask(f"{served.url}?lang=en")
    assert '<html lang="zh-CN">' in chinese
    assert words()["zh-CN"]["rollout_last_heard"] in chinese
    assert "Last seen" in english
    for text in (chinese, english):
        assert "1.1.0 × 1" in text
        assert "2026-11-22 06:26:40" in text
        assert "&lt;A-1&gt;" in text
        assert "<script" not in text


async def test_a_probe_without_heartbeat_and_certificate_is_said_so_in_words(served: Served) -> None:
    for lang, tag in (("zh", "zh-CN"), ("en", "en")):
        _, text = await ask(f"{served.url}?lang={lang}")
        word = words()[tag]["rollout_none"]
        assert text.count(f"<td>{word}</td>") == 2 * len(PROBES)
        assert ">None<" not in text


async def test_senders_nobody_configured_are_named(served: Served) -> None:
    assert "Not configured" not in (await ask(served.url + "?lang=en"))[1]
    served.strangers += ["site-9/gateway", "site-1/seat-99"]
    assert "<strong>Not configured</strong> site-9/gateway, site-1/seat-99" in (await ask(served.url + "?lang=en"))[1]


async def test_a_revoked_probe_is_called_so_until_it_is_enrolled_anew(served: Served) -> None:
    for step, is_revoked in (
        (IdentityStep.ENROLLED, False),
        (IdentityStep.REVOKED, True),
        (IdentityStep.SEEN_TWICE, True),
        (IdentityStep.ENROLLED, False),
    ):
        served.fleet.take([stepped("site1/seat-01", NOW, step)])
        _, text = await ask(f"{served.url}?lang=en")
        assert ("Revoked since 2026-11-22 06:26:40" in text) is is_revoked


async def test_a_ring_is_stopped_and_goes_on(served: Served) -> None:
    assert await ask(served.url, "all", {"ring": "first", "step": "stop"}) == (303, "303: See Other")
    assert served.held == {"first": (NOW, "page")}
    assert "Stopped since 2026-11-22" in (await ask(f"{served.url}?lang=en"))[1]
    assert (await ask(served.url, "all", {"ring": "first", "step": "go"}))[0] == 303
    assert served.held == {}


async def test_a_tv_that_may_show_everything_stops_nothing(served: Served) -> None:
    assert await ask(served.url, served.tv) == (403, "403: Forbidden")
    assert (await ask(served.url, served.tv, {"ring": "first", "step": "stop"}))[0] == 403
    assert served.held == {}


@pytest.mark.parametrize("elsewhere", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}])
async def test_a_form_of_another_site_stops_nothing(served: Served, elsewhere: dict[str, str]) -> None:
    assert (await ask(served.url, "all", {"ring": "first", "step": "stop"}, elsewhere))[0] == 403
    assert served.held == {}


@pytest.mark.parametrize(
    "form", [{}, {"ring": "first"}, {"ring": "nobody", "step": "stop"}, {"ring": "first", "step": "x"}]
)
async def test_what_no_button_sends_is_refused(served: Served, form: dict[str, str]) -> None:
    assert (await ask(served.url, "all", form))[0] == 422
    assert served.held == {}
