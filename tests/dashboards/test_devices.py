"""Devices: what a token of a TV is, what it opens, and that it ends."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from dashboards.wallboard._core.layout import Layout
from dashboards.wallboard.access import COOKIE, Access
from dashboards.wallboard.devices import FILE, SEEN_FILE, DeviceError, Devices
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.layouts import LayoutDoor
from dashboards.wallboard.past import PastDoor
from dashboards.wallboard.server import install
from dashboards.wallboard.settings import PastSettings
from seatwatch.settings import load_defaults
from tests.dashboards.boards import NOON, board, site, tile
from tests.dashboards.days import day
from tests.dashboards.served import settings, wallboard
from tests.dashboards.test_layouts import layout, page
from tests.dashboards.test_server import bearer
from wire.board import Board
from wire.day_curve import DayCurve
from wire.scope import EVERYTHING, Scope

SHOWN = board(
    queues=[tile(client="acme"), tile(client="beta")],
    teams=[tile("team", "north"), tile("team", "south"), tile("team", "north", "beta")],
    sites=[site("sh1"), site("cd2")],
)


@pytest.fixture
def devices(tmp_path: Path) -> Devices:
    return Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)


def added(devices: Devices, name: str = "tv", *, clients: tuple[str, ...] | None = ("acme",)) -> str:
    return devices.add(name, clients=clients, sites=("sh1",), teams=("north",), layout="", at=NOON)


def test_a_token_is_told_once_short_enough_to_type_and_kept_as_a_hash(devices: Devices, tmp_path: Path) -> None:
    token = added(devices)
    assert [len(part) for part in token.split("-")] == [5, 5, 5, 5]
    file = tmp_path / FILE
    assert token not in file.read_text()
    assert token.replace("-", "") not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = devices.of_token(token)
    assert found is not None
    assert found.scope == Scope(clients=frozenset({"acme"}), sites=frozenset({"sh1"}), teams=frozenset({"north"}))


def test_a_token_may_be_typed_as_it_is_read(devices: Devices) -> None:
    token = added(devices)
    for typed in (
        token.lower(),
        token.replace("-", ""),
        token.replace("-", " "),
        token.replace("0", "O").replace("1", "l"),
    ):
        assert devices.of_token(typed) is not None, typed
    assert devices.of_token(token[:-1]) is None
    assert devices.of_token("") is None


def test_a_name_is_used_once_until_it_is_revoked_and_then_has_another_token(devices: Devices) -> None:
    first = added(devices)
    with pytest.raises(DeviceError, match="revoke tv"):
        added(devices)
    device = devices.of_token(first)
    assert device is not None
    assert devices.is_active(device)
    devices.revoke("tv", NOON + 1)
    assert not devices.is_active(device)
    revoked = devices.of_token(first)
    assert revoked is not None
    assert revoked.revoked_at == NOON + 1
    second = added(devices)
    assert devices.of_token(first) is None
    assert devices.of_token(second) is not None
    with pytest.raises(DeviceError, match="no such device"):
        devices.revoke("nosuch", NOON)


def test_what_another_process_writes_holds_after_the_next_look(tmp_path: Path) -> None:
    now = 0
    server = Devices(tmp_path, elapsed_ms=lambda: now, look_ms=1_000)
    command = Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)
    assert server.of_token("nobody's") is None
    token = added(command)
    now = 999
    assert server.of_token(token) is None
    now = 1_000
    assert server.of_token(token) is not None


def test_a_damaged_file_is_said_and_lets_nobody_in(devices: Devices, tmp_path: Path) -> None:
    token = added(devices)
    (tmp_path / FILE).write_text("[{")
    with pytest.raises(DeviceError, match="damaged"):
        devices.of_token(token)
    assert Access({"a" * 64: EVERYTHING}, devices).scope_of_token(token) is None


def test_who_was_seen_is_written_down_for_another_process_and_never_hinders(devices: Devices, tmp_path: Path) -> None:
    devices.saw("tv", NOON)
    assert devices.seen() == {}
    devices.write_seen()
    other = Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)
    assert other.seen() == {"tv": NOON}
    (tmp_path / SEEN_FILE).unlink()
    devices.write_seen()
    assert not (tmp_path / SEEN_FILE).exists(), "nobody was seen since"
    (tmp_path / SEEN_FILE).write_text("{")
    assert other.seen() == {}


@asynccontextmanager
async def served(devices: Devices, tokens: dict[str, Scope] | None = None) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]  # of any request
    hub = Hub(settings(tick_interval_ms=20), boot_id="b1", clock_ms=lambda: NOON)
    app = Application()
    install(app, wallboard(hub, access=Access(tokens or {}, devices, clock_ms=lambda: NOON), board=SHOWN))
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as opened:
        hub.publish(SHOWN)
        yield opened


async def test_a_device_shows_its_clients_teams_and_sites_and_nothing_else(devices: Devices) -> None:
    token = added(devices)
    async with served(devices) as opened:
        shown = await (await opened.get("/board.json", headers=bearer(token))).json()
        assert (list(shown["queues"]), list(shown["teams"]), list(shown["sites"])) == (
            ["acme|chat"],
            ["acme|north"],
            ["sh1"],
        )
        everything = await (await opened.get("/board.json")).json()
        assert len(everything["queues"]) == 2, "no reader is configured: this machine sees everything without a token"


async def test_a_tv_is_let_in_by_typing_and_a_revoked_one_is_told_so_and_not_taken_for_this_machine(
    devices: Devices,
) -> None:
    token = added(devices)
    async with served(devices) as opened:
        form = await opened.post(
            "/sign-in?layout=floor-2&lang=en", data={"token": token.lower()}, allow_redirects=False
        )
        assert (form.status, form.headers["Location"]) == (303, "/?layout=floor-2&lang=en")
        assert (await opened.get("/", allow_redirects=False)).status == 200
        devices.revoke("tv", NOON)
        page = await opened.get("/?lang=en", allow_redirects=False)
        assert (page.status, page.headers["Location"]) == (303, "/sign-in?lang=en&withdrawn=1")
        assert (await opened.get("/board.json")).status == 401
        again = await opened.post("/sign-in", data={"token": token}, allow_redirects=False)
        assert again.headers["Location"] == "/sign-in?refused=1"


async def test_a_stream_of_a_revoked_device_ends_with_a_word_and_others_go_on(devices: Devices) -> None:
    token, other = added(devices), added(devices, "other")
    async with (
        served(devices) as opened,
        opened.get("/events", headers=bearer(token)) as first,
        opened.get("/events", headers=bearer(other)) as second,
    ):
        await first.content.readuntil(b"event: hello")
        devices.revoke("tv", NOON)
        assert (await first.content.read()).endswith(b"event: withdrawn\ndata: {}\n\n")
        await second.content.readuntil(b"event: tick")
        await second.content.readuntil(b"event: tick")
    devices.write_seen()
    assert devices.seen()["other"] == NOON


async def test_a_device_that_may_show_everything_is_still_no_scraper(devices: Devices) -> None:
    token = devices.add("all", clients=None, sites=None, teams=None, layout="", at=NOON)
    async with served(devices, {"f" * 64: EVERYTHING}) as opened:
        assert (await opened.get("/metrics", headers=bearer(token))).status == 403
        assert (await opened.get("/board.json", headers={"Cookie": f"{COOKIE}={token}"})).status == 200


class Floor:
    """What the doors to layouts and to the past are about: a second client that the device may not see."""

    async def board(self, _at: int, _known_at: int | None) -> Board:
        return SHOWN

    async def day(self, _until: int, _span_ms: int) -> DayCurve:
        return day()

    def layouts(self) -> dict[str, Layout]:
        return {"floor": layout("floor", page("queues", clients=("acme", "beta")))}


OPEN = {"/sign-in", "/words.json", "/healthz", "/readyz", "/static"}
TOLD = {"/board.json", "/events", "/past.json", "/past-day.json", "/layout.json"}


async def test_every_route_of_the_screens_answers_nobody_a_device_and_a_revoked_one_as_it_should(
    devices: Devices,
) -> None:
    token, revoked = added(devices), added(devices, "gone")
    devices.revoke("gone", NOON)
    access = Access({"f" * 64: EVERYTHING}, devices, clock_ms=lambda: NOON)
    hub = Hub(settings(tick_interval_ms=20), boot_id="b1", clock_ms=lambda: NOON)
    app = Application()
    install(app, wallboard(hub, access=access, board=SHOWN))
    past = load_defaults().fill(PastSettings, "board")
    door = PastDoor(Floor(), access, past, settings(), clock_ms=lambda: NOON, elapsed_ms=lambda: 0)
    app.add_routes([*door.routes(), *LayoutDoor(Floor().layouts, access).routes()])
    resources = {
        (route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None
    }
    paths = {path for method, path in resources if method == "GET"}
    assert paths == OPEN | TOLD | {"/", "/metrics"}
    assert {(method, path) for method, path in resources if method not in {"GET", "HEAD"}} == {("POST", "/sign-in")}
    queries = {"/past.json": "?at=2025-11-21T11:00", "/layout.json": "?name=floor", "/static": "/main.js"}
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as opened:
        hub.publish(SHOWN)
        for path in sorted(paths):
            wanted = {"": 401, token: 200, revoked: 401}
            if path in OPEN:
                wanted = dict.fromkeys(wanted, 200)
            elif path == "/":
                wanted |= {"": 303, revoked: 303}
            elif path == "/metrics":
                wanted[token] = 403
            for shown, status in wanted.items():
                headers = bearer(shown) if shown else {}
                answer = await opened.get(path + queries.get(path, ""), headers=headers, allow_redirects=False)
                assert answer.status == status, (path, shown)
                first = await (
                    answer.content.readuntil(b"event: tick") if path == "/events" and shown == token else answer.read()
                )
                assert b"beta" not in first, (path, shown)
                answer.close()
