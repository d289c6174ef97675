"""A supervisor's way from the portal to a team: whose people are seen, and under which number they follow up."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp.web import Application

from dashboards.lead.leaders import Leaders
from dashboards.lead.server import LeadScreens
from dashboards.portal.accounts import FILE, Account, Accounts, Role
from dashboards.portal.sessions import PortalSettings, Sessions
from dashboards.wallboard.access import Access
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.server import install
from seatwatch.portal.record import PortalRecord
from seatwatch.server.web import LEAD, install_portal
from seatwatch.settings import load_defaults
from tests.builders import ms
from tests.dashboards.boards import NOON, tile
from tests.dashboards.people import person, team_board
from tests.dashboards.served import settings, wallboard
from tests.seatwatch.portal.worlds import NOW, Browser, _hashed, answering, browser, config
from wire import surge
from wire.board import PersonTile
from wire.surge import Surge

SHOWN = team_board(
    person("w1001", 3_000),
    person("w1002", 4_000, followed_at=NOON - 1_000, followed_by="w808"),
    person("w2001", 3_000, team="blue", client="beta"),
)
PATH = "/portal/team/red"


class Taken(list[tuple[str, str]]):
    """What was taken down: the conversation, and by whom."""

    async def take(self, tile: PersonTile, by: str) -> None:
        self.append((tile.oldest, by))


def people(data: Path) -> None:
    """A supervisor of each client, one without a staff number, and one account of every other role."""

    def account(name: str, role: Role, client: str = "acme", staff: str = "") -> Account:
        return Account(name=name, role=role, clients=(client,), sites=None, password=_hashed(), staff=staff)

    others = [account(role.value, role, staff="w1") for role in Role if role is not Role.SUPERVISOR]
    found = [
        account("lead", Role.SUPERVISOR, staff="w900"),
        account("bare", Role.SUPERVISOR),
        account("theirs", Role.SUPERVISOR, "beta", "w901"),
        *others,
    ]
    (data / FILE).write_bytes(msgspec.json.encode(found))


@asynccontextmanager
async def served(data: Path) -> AsyncIterator[tuple[Application, Taken]]:
    """The portal beside the leaders' screens of a board that is shown."""
    people(data)
    hub, app, access, taken = (
        Hub(settings(push_interval_ms=0), boot_id="b1", clock_ms=lambda: NOON),
        Application(),
        Access({}),
        Taken(),
    )
    screens = wallboard(hub, access=access)
    install(app, screens)
    app[LEAD] = LeadScreens(screens, Leaders(access, {}), taken.take)
    defaults = load_defaults()
    record = PortalRecord(config(), data, data, defaults=defaults, clock_ms=lambda: ms(NOW))
    install_portal(app, record, data, defaults=defaults, elapsed_ms=lambda: 0)
    hub.publish(SHOWN)
    async with answering(record):
        yield app, taken


async def click(opened: Browser, person: str = "w1001", path: str = PATH, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await opened.post(f"{path}/follow-up", json={"person": person}, headers=named)).status


async def test_a_supervisor_follows_up_under_their_own_staff_number(tmp_path: Path) -> None:
    async with served(tmp_path) as (app, taken), browser(app, "lead") as opened:
        assert await (await opened.get(f"{PATH}/follow-up")).json() == {"by": "w900"}
        assert await click(opened) == 200
        assert taken == [("c-w1001", "w900")]
        answer = await opened.post(f"{PATH}/follow-up", json={"person": "w1002"})
        assert await answer.json() == {"by": "w808"}, "it stays with whoever said so first"
        teams = await (await opened.get("/portal/teams?lang=en")).text()
        assert "/portal/team/red?lang=en" in teams
        assert "blue" not in teams
        page = await opened.get(f"{PATH}?lang=en")
        assert (page.status, "/lead/team.js" in await page.text()) == (200, True)


async def test_that_a_supervisor_has_seen_an_alarm_is_told_without_who_they_are(tmp_path: Path) -> None:
    async with served(tmp_path) as (app, _), browser(app, "lead") as opened:
        hub = app[LEAD].wallboard.hub
        hub.publish(msgspec.structs.replace(SHOWN, teams=[tile("team", "red", "acme", surge=Surge(4, NOON))]))
        assert (await opened.post(f"{PATH}/seen", json={"teams": {"acme|red": NOON}})).status == 204
        hello = await first_event(opened, f"{PATH}/events")
        assert f"'seen_by': '{surge.LEAD}'" in str(hello["board"]["teams"])


async def test_without_a_staff_number_there_is_no_button_and_no_way_around_it(tmp_path: Path) -> None:
    async with served(tmp_path) as (app, taken), browser(app, "bare") as opened:
        assert await (await opened.get(f"{PATH}/follow-up")).json() == {"by": None}
        assert await click(opened) == 403
        assert "has no staff number" in await (await opened.get("/portal/teams?lang=en")).text()
        assert taken == []


async def test_nobody_of_another_client_is_seen_or_followed_up(tmp_path: Path) -> None:
    async with served(tmp_path) as (app, taken), browser(app, "theirs") as opened:
        assert await click(opened) == 404
        assert await click(opened, "w2001", "/portal/team/red") == 404
        hello = await first_event(opened, f"{PATH}/events")
        assert hello["board"]["people"] == {}
        assert list((await first_event(opened, "/portal/team/blue/events"))["board"]["people"]) == ["w2001"]
        assert "red" not in await (await opened.get("/portal/teams?lang=en")).text()
        assert taken == []


async def first_event(opened: Browser, path: str) -> dict[str, dict[str, dict[str, object]]]:
    """What a screen is greeted with."""
    async with opened.get(path) as answer:
        assert answer.status == 200
        async for line in answer.content:
            if line.startswith(b"data: "):
                found: dict[str, dict[str, dict[str, object]]] = json.loads(line.removeprefix(b"data: "))
                return found
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SUPERVISOR])
async def test_no_other_role_sees_people_and_nobody_without_signing_in(tmp_path: Path, role: Role) -> None:
    async with served(tmp_path) as (app, taken):
        async with browser(app, role.value) as opened:
            for path in ("/portal/teams", PATH, f"{PATH}/events", f"{PATH}/follow-up"):
                assert (await opened.get(path)).status == 403, path
            assert await click(opened) == 403
            assert (await opened.post(f"{PATH}/seen", json={"teams": {}})).status == 403
        async with browser(app) as stranger:
            for path in ("/portal/teams", PATH, f"{PATH}/events", f"{PATH}/follow-up"):
                assert (await stranger.get(path, allow_redirects=False)).status == 303, path
            assert await click(stranger) == 401
        assert taken == []


async def test_a_page_of_somebody_elses_follows_nothing_up(tmp_path: Path) -> None:
    async with served(tmp_path) as (app, taken), browser(app, "lead") as opened:
        assert await click(opened, Sec_Fetch_Site="cross-site") == 403
        assert await click(opened, Origin="https://elsewhere.example") == 403
        form = await opened.post(f"{PATH}/follow-up", data={"person": "w1001"})
        assert (form.status, taken) == (403, [])


def test_a_screen_that_stays_open_keeps_no_session_from_ending(tmp_path: Path) -> None:
    now = 0
    people(tmp_path)
    settings = load_defaults().fill(PortalSettings, "portal")
    accounts = Accounts(tmp_path / FILE)
    sessions = Sessions(accounts, settings, lambda: now)
    token = sessions.start(accounts.all()["lead"])
    now = settings.session_idle_ms - 1
    assert sessions.lasts(token)
    now += 1
    assert not sessions.lasts(token)
    again = sessions.start(accounts.all()["lead"])
    accounts.disable("lead")
    assert not sessions.lasts(again)


def test_a_screen_ends_while_the_accounts_cannot_be_read_instead_of_failing_before_other_screens(
    tmp_path: Path,
) -> None:
    people(tmp_path)
    accounts = Accounts(tmp_path / FILE)
    sessions = Sessions(accounts, load_defaults().fill(PortalSettings, "portal"), lambda: 0)
    token = sessions.start(accounts.all()["lead"])
    assert sessions.lasts(token)
    (tmp_path / FILE).write_text("{ half of a file", encoding="utf-8")
    assert not sessions.lasts(token)
