"""The door to layouts: whose layout, and no id of what the asker may not see."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from dashboards.wallboard._core.layout import Layout, LayoutPage
from dashboards.wallboard.access import Access
from dashboards.wallboard.devices import Devices
from dashboards.wallboard.layouts import LayoutDoor
from tests.dashboards.test_server import TOKENS, bearer


def page(*panels: str, **lists: object) -> LayoutPage:
    fields: dict[str, object] = {
        "title": "",
        "clients": None,
        "queues": None,
        "teams": None,
        "sites": None,
        "columns": 1,
    }
    return LayoutPage(panels=panels, **{**fields, **lists})  # type: ignore[arg-type]  # the caller names real fields


def layout(name: str, *pages: LayoutPage, turn_ms: int = 60_000, language: str = "") -> Layout:
    return Layout(name=name, language=language, turn_ms=turn_ms, pages=pages)


FLOOR = layout(
    "floor",
    page("queues", clients=("acme", "beta"), queues=("beta/chat", "acme/chat"), teams=("north",), sites=("sh1",)),
    page("sites"),
)


@asynccontextmanager
async def served(devices: Devices | None = None) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]  # of any request
    access = Access({hashlib.sha256(token.encode()).hexdigest(): scope for token, scope in TOKENS.items()}, devices)
    app = Application()
    app.add_routes(LayoutDoor(lambda: {"floor": FLOOR}, access).routes())
    async with TestClient(TestServer(app)) as opened:
        yield opened


@pytest.mark.parametrize(("query", "status"), [({"name": "floor"}, 200), ({}, 200), ({"name": "attic"}, 404)])
async def test_a_layout_is_had_by_name_none_without_and_an_unknown_one_is_not_found(
    query: dict[str, str], status: int
) -> None:
    async with served() as opened:
        assert (await opened.get("/layout.json", params=query)).status == 401
        answer = await opened.get("/layout.json", params=query, headers=bearer("for-all"))
        assert answer.status == status
        if status == 200:
            told = await answer.json()
            assert (None if told is None else told["name"]) == query.get("name")


async def test_ids_of_what_the_reader_may_not_see_are_left_out() -> None:
    async with served() as opened:
        told = await (await opened.get("/layout.json?name=floor", headers=bearer("for-acme"))).json()
    first, second = told["pages"]
    assert (first["clients"], first["queues"], first["teams"]) == (["acme"], ["acme/chat"], ["north"])
    assert first["sites"] == [], "an empty list shows none of them"
    assert second["sites"] is None
    assert "beta" not in str(told)


async def test_the_screen_of_a_team_that_the_reader_may_not_see_is_no_page_of_theirs(tmp_path: Path) -> None:
    pages = layout("floor", page(screen="team/north"), page(screen="map"), page(screen="team/south"))
    alone = layout("alone", page(screen="team/north"))
    devices = Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)
    token = devices.add("tv", clients=None, sites=None, teams=("south",), layout="floor", at=0)
    app = Application()
    app.add_routes(LayoutDoor(lambda: {"floor": pages, "alone": alone}, Access({}, devices)).routes())
    async with TestClient(TestServer(app)) as opened:
        told = await (await opened.get("/layout.json?name=floor", headers=bearer(token))).json()
        assert [each["screen"] for each in told["pages"]] == ["map", "team/south"]
        nothing = await opened.get("/layout.json?name=alone", headers=bearer(token))
        assert await nothing.json() is None, "a layout of nothing they may see shows everything they may see"


async def test_a_device_has_a_layout_of_its_own_unless_the_address_names_another(tmp_path: Path) -> None:
    devices = Devices(tmp_path, elapsed_ms=lambda: 0, look_ms=0)
    token = devices.add("tv", clients=None, sites=None, teams=None, layout="floor", at=0)
    async with served(devices) as opened:
        assert (await (await opened.get("/layout.json?name=", headers=bearer(token))).json())["name"] == "floor"
        assert (await opened.get("/layout.json?name=attic", headers=bearer(token))).status == 404
