"""The doors of the leaders' screens: who may look, who may follow up, and what is taken down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application
from msgspec.structs import replace

from dashboards.lead.leaders import Leaders
from dashboards.lead.server import LeadScreens
from dashboards.wallboard.access import COOKIE, Access
from dashboards.wallboard.devices import Devices
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.server import install
from tests.dashboards.boards import NOON, tile
from tests.dashboards.people import person, team_board
from tests.dashboards.served import settings, wallboard
from wire.board import Board, PersonTile
from wire.scope import Scope
from wire.surge import Surge

ACME = Scope(clients=frozenset({"acme"}))
TOKENS = {"lead": ACME, "tv": ACME, "other": Scope(clients=frozenset({"beta"}))}
SHOWN = team_board(
    person("w1001", 3_000),
    person("w1002", 4_000, followed_at=NOON - 1_000, followed_by="lead-two"),
    person("w2001", 3_000, team="blue"),
)
PATH = "/team/red/follow-up"


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


class Door:
    """A client of the doors, and what was taken down by them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.hub: Hub
        self.http: TestClient  # type: ignore[type-arg]  # of any request

    async def take(self, tile: PersonTile, by: str) -> None:
        self.taken.append((tile.oldest, by))

    async def click(self, person: str = "w1001", token: str = "lead", path: str = PATH, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.http.post(path, json={"person": person}, headers={**bearer, **named})
        return answer.status


@asynccontextmanager
async def doors(access: Access | None = None, *, records: bool = True, **changes: int) -> AsyncIterator[Door]:
    hub = Hub(settings(**changes), boot_id="b1", clock_ms=lambda: NOON)
    app = Application()
    access = access or Access({digest(token): scope for token, scope in TOKENS.items()})
    screens = wallboard(hub, access=access)
    install(app, screens)
    door = Door()
    leaders = Leaders(access, {digest("lead"): "lead-one"})
    app.add_routes(LeadScreens(screens, leaders, door.take if records else None).routes())
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as door.http:
        hub.publish(SHOWN)
        door.hub = hub
        yield door


async def test_a_click_is_taken_down_with_the_longest_wait_and_the_name_of_the_credential() -> None:
    async with doors() as door:
        assert await door.click() == 200
        assert door.taken == [("c-w1001", "lead-one")]


async def test_who_is_looked_after_already_stays_with_whoever_said_so_first() -> None:
    async with doors() as door:
        headers = {"Authorization": "Bearer lead"}
        answer = await door.http.post(PATH, json={"person": "w1002"}, headers=headers)
        assert (answer.status, await answer.json()) == (200, {"by": "lead-two"})
        assert door.taken == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"token": ""}, 401),
        ({"token": "guess"}, 401),
        ({"token": "tv"}, 403),
        ({"token": "other"}, 403),
        ({"person": "w2001"}, 404),
        ({"person": "nobody"}, 404),
        ({"path": "/team/blue/follow-up"}, 404),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
    ],
    ids=str,
)
async def test_nothing_is_taken_down_for(asked: dict[str, str], status: int) -> None:
    async with doors() as door:
        assert await door.click(**asked) == status
        assert door.taken == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"person=w1001", "application/x-www-form-urlencoded", 403),
        (b'{"person": "w1001"}', "text/plain", 403),
        (b'{"person": 7}', "application/json", 422),
        (b'{"person": "w1001", "by": "me"}', "application/json", 422),
        (b"{" * 5_000, "application/json", 413),
    ],
)
async def test_only_a_small_json_of_ours_is_read(body: bytes, content_type: str, status: int) -> None:
    async with doors() as door:
        headers = {"Authorization": "Bearer lead", "Content-Type": content_type}
        answer = await door.http.post(PATH, data=body, headers=headers)
        assert (answer.status, door.taken) == (status, [])


async def test_a_screen_that_only_looks_and_a_process_without_a_record_offer_no_button() -> None:
    async with doors() as door:
        for token, name in (("lead", "lead-one"), ("tv", None)):
            answer = await door.http.get(PATH, headers={"Authorization": f"Bearer {token}"})
            assert await answer.json() == {"by": name}
    async with doors(records=False) as door:
        answer = await door.http.get(PATH, headers={"Authorization": "Bearer lead"})
        assert await answer.json() == {"by": None}
        assert await door.click() == 503


async def test_without_tokens_the_machine_itself_may_and_nobody_through_a_proxy() -> None:
    async with doors(Access({})) as door:
        assert await door.click(token="") == 200
        assert door.taken == [("c-w1001", "localhost")]
        assert await door.click(token="", X_Forwarded_For="10.0.0.9") == 401


async def test_a_tv_with_a_token_of_its_own_only_looks_even_where_no_reader_is_configured(tmp_path: Path) -> None:
    devices = Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)
    token = devices.add("tv", clients=None, sites=None, teams=None, layout="", at=NOON)
    async with doors(Access({}, devices)) as door:
        answer = await door.http.get(PATH, headers={"Authorization": f"Bearer {token}"})
        assert await answer.json() == {"by": None}
        assert await door.click(token=token) == 403
        assert door.taken == []


def alarm(door: Door, team: str = "red") -> tuple[int | None, str]:
    """When, and where, the newest board says that the team's alarm was seen."""
    board = door.hub.board
    assert board is not None
    (surge,) = [tile.surge for tile in board.teams if tile.id == team and tile.surge is not None]
    return surge.seen_at, surge.seen_by


def surging(since: int, *teams: str) -> Board:
    return replace(SHOWN, teams=[tile("team", team, "acme", surge=Surge(4, since)) for team in teams])


async def test_a_tv_says_that_its_alarm_was_seen_for_every_screen_and_for_that_surge_alone(tmp_path: Path) -> None:
    devices = Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)
    token = devices.add("tv-3", clients=None, sites=None, teams=("red",), layout="", at=NOON)
    async with doors(Access({}, devices), push_interval_ms=0) as door:
        door.hub.publish(surging(NOON - 2_000, "red", "blue"))
        said = {"teams": {"acme|red": NOON - 2_000, "acme|blue": NOON, "acme|none": NOON}}
        headers = {"Authorization": f"Bearer {token}"}
        assert (await door.http.post("/seen", json=said, headers=headers)).status == 204
        assert alarm(door) == (NOON, "tv-3")
        assert alarm(door, "blue") == (None, ""), "a screen says nothing of what it may not see"
        door.hub.publish(surging(NOON - 2_000, "red"))
        assert alarm(door) == (NOON, "tv-3")
        door.hub.publish(surging(NOON + 5_000, "red"))
        assert alarm(door) == (None, ""), "that is another surge"
        assert (await door.http.post("/seen", json=said, headers=headers)).status == 204
        assert alarm(door) == (None, ""), "what was seen was an earlier one"
        devices.revoke("tv-3", NOON)
        assert (await door.http.post("/seen", json=said, headers=headers)).status == 401


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b'{"teams": {}}', 401),
        ({"Authorization": "Bearer tv", "Sec-Fetch-Site": "cross-site"}, b'{"teams": {}}', 403),
        ({"Authorization": "Bearer tv", "Content-Type": "text/plain"}, b'{"teams": {}}', 403),
        ({"Authorization": "Bearer tv"}, b'{"teams": {"acme|red": "now"}}', 422),
        ({"Authorization": "Bearer tv"}, b"[" * 900, 422),
    ],
    ids=str,
)
async def test_an_alarm_is_not_quieted_by(headers: dict[str, str], body: bytes, status: int) -> None:
    async with doors() as door:
        headers = {"Content-Type": "application/json", **headers}
        assert (await door.http.post("/seen", data=body, headers=headers)).status == status


@pytest.mark.parametrize("path", ["/team/red/events", "/map/events", "/team/red/follow-up"])
async def test_what_tells_of_people_is_refused_without_a_valid_token(path: str) -> None:
    async with doors() as door:
        assert (await door.http.get(path)).status == 401
        assert (await door.http.get(path, headers={"Authorization": "Bearer guess"})).status == 401


@pytest.mark.parametrize("path", ["/team/red", "/map"])
async def test_a_page_leads_to_the_form_and_the_form_back_to_the_page(path: str) -> None:
    async with doors() as door:
        answer = await door.http.get(f"{path}?lang=en", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, f"/sign-in?lang=en&to={path}")
        back = await door.http.post(f"/sign-in?lang=en&to={path}", data={"token": "lead"}, allow_redirects=False)
        assert (back.status, back.headers["Location"], COOKIE in back.cookies) == (303, f"{path}?lang=en", True)
        assert (await door.http.get(path)).status == 200


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_the_form_leads_nowhere_else(elsewhere: str) -> None:
    async with doors() as door:
        answer = await door.http.post(
            "/sign-in", params={"to": elsewhere}, data={"token": "lead"}, allow_redirects=False
        )
        location = answer.headers["Location"]
        assert location.startswith("/")
        assert location[1] not in "/\\"
