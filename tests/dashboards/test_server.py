import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from aiohttp.web import Application
from multidict import CIMultiDict
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from dashboards.lead.server import STATIC as LEAD
from dashboards.wallboard.access import COOKIE, Access, address_of
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.server import SECURITY_HEADERS, STATIC, install
from seatwatch.glossary import words
from tests.dashboards.boards import NOON, board, site, tile
from tests.dashboards.served import settings, wallboard
from wire.board import Board
from wire.scope import EVERYTHING, Scope

TOKENS = {"for-all": EVERYTHING, "for-acme": Scope(clients=frozenset({"acme"}), sites=frozenset())}
ACCESS = Access({hashlib.sha256(token.encode()).hexdigest(): scope for token, scope in TOKENS.items()})
SHOWN = board(queues=[tile(client="acme"), tile(client="beta")], sites=[site()])
DATA = ("/board.json", "/events", "/metrics")
OPEN = ("/sign-in", "/words.json", "/healthz", "/readyz", "/static/main.js")


@asynccontextmanager
async def client(access: Access = ACCESS, shown: Board | None = SHOWN, **changes: int) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]  # of any request
    hub = Hub(settings(**changes), boot_id="b1", clock_ms=lambda: NOON)
    app = Application()
    install(app, wallboard(hub, access=access, board=shown))
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as opened:
        if shown is not None:
            hub.publish(shown)
        yield opened


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def queues(answer: ClientResponse) -> set[str]:
    return set((await answer.json())["queues"])


@pytest.mark.parametrize("path", DATA)
async def test_what_tells_data_is_refused_without_a_valid_token(path: str) -> None:
    async with client() as opened:
        assert (await opened.get(path)).status == 401
        assert (await opened.get(path, headers=bearer("guess"))).status == 401
        assert (await opened.get(path, headers={"Cookie": f"{COOKIE}=guess"})).status == 401


@pytest.mark.parametrize("path", OPEN)
async def test_what_tells_no_data_is_open_to_anyone(path: str) -> None:
    async with client() as opened:
        answer = await opened.get(path)
        assert answer.status == 200
        assert "acme" not in await answer.text()


async def test_a_token_shows_its_scope_and_nothing_else() -> None:
    async with client() as opened:
        assert await queues(await opened.get("/board.json", headers=bearer("for-all"))) == {"acme|chat", "beta|chat"}
        answer = await opened.get("/board.json", headers=bearer("for-acme"))
        assert await queues(answer) == {"acme|chat"}
        assert "beta" not in await answer.text()


async def test_metrics_name_every_client_and_are_for_those_who_may_see_everything() -> None:
    async with client() as opened:
        assert (await opened.get("/metrics", headers=bearer("for-acme"))).status == 403
        plain = await opened.get("/metrics", headers=bearer("for-all"))
        assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert {"seatwatch_accepted"} <= {family.name for family in parse_plain(await plain.text())}
        asked = {**bearer("for-all"), "Accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"}
        openmetrics = await opened.get("/metrics", headers=asked)
        assert openmetrics.headers["Content-Type"].startswith("application/openmetrics-text")
        assert (await openmetrics.text()).endswith("# EOF\n")


async def test_a_tv_signs_in_by_address_once_and_keeps_a_cookie_no_script_can_read() -> None:
    async with client() as opened:
        answer = await opened.get("/?token=for-acme&lang=en", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/?lang=en")
        cookie = answer.headers["Set-Cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="))
        assert await queues(await opened.get("/board.json")) == {"acme|chat"}
        assert (await opened.get("/", allow_redirects=False)).status == 200
        by_https = {"X-Forwarded-Proto": "https"}
        passed_on = await opened.get("/?token=for-acme", headers=by_https, allow_redirects=False)
        assert ("Secure" in cookie, "Secure" in passed_on.headers["Set-Cookie"]) == (False, True)


@pytest.mark.parametrize(
    ("remote", "told", "expected"),
    [
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("::1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("192.0.2.4", ["203.0.113.9"], "192.0.2.4"),
    ],
)
def test_where_a_request_comes_from_is_told_by_a_proxy_on_this_machine_only(
    remote: str, told: list[str], expected: str
) -> None:
    headers = CIMultiDict([("X-Forwarded-For", each) for each in told])
    assert address_of(make_mocked_request("GET", "/", headers).clone(remote=remote)) == expected


async def test_the_sign_in_form_takes_a_token_and_refuses_a_wrong_or_oversized_one() -> None:
    async with client() as opened:
        wrong = await opened.post("/sign-in", data={"token": "guess"}, allow_redirects=False)
        assert (wrong.status, wrong.headers["Location"], "Set-Cookie" in wrong.headers) == (
            303,
            "/sign-in?refused=1",
            False,
        )
        assert (await opened.post("/sign-in", data={"token": "x" * 5_000}, allow_redirects=False)).status == 413
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=nope"}
        assert (await opened.post("/sign-in", data=b"token=for-all", headers=headers)).status == 400
        right = await opened.post("/sign-in", data={"token": "for-all"}, allow_redirects=False)
        assert (right.status, right.headers["Location"]) == (303, "/")
        assert (await opened.get("/board.json")).status == 200


async def test_a_page_without_a_token_leads_to_the_form() -> None:
    async with client() as opened:
        answer = await opened.get("/?lang=en", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?lang=en")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "board.evil.example"},
        {"Host": "board.evil.example:80"},
        {"Host": "[::"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
    ],
)
async def test_without_tokens_only_this_machine_under_its_own_name_and_through_no_proxy(
    headers: dict[str, str],
) -> None:
    async with client(Access({})) as opened:
        assert (await opened.get("/board.json")).status == 200
        assert (await opened.get("/board.json", headers=headers)).status in {400, 401}


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/words.json", "/board.json", "/metrics", "/static/board.css", "/nowhere"]
)
async def test_every_answer_carries_the_security_headers(path: str) -> None:
    async with client() as opened:
        for headers in ({}, bearer("for-all")):
            answer = await opened.get(path, headers=headers, allow_redirects=False)
            assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


async def test_data_is_never_stored_on_the_way() -> None:
    async with client() as opened:
        for path in ("/board.json", "/metrics", "/healthz", "/readyz"):
            assert (await opened.get(path, headers=bearer("for-all"))).headers["Cache-Control"] == "no-store"


async def test_health_and_readiness_name_what_is_missing() -> None:
    async with client(shown=None) as opened:
        assert (await opened.get("/healthz")).status == 200
        waiting = await opened.get("/readyz")
        assert (waiting.status, await waiting.json()) == (503, {"ok": False, "problems": ["no board yet"]})
        assert (await opened.get("/board.json", headers=bearer("for-all"))).status == 503


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("zh-CN", "zh-CN"), ("en", "en"), ("en-GB", "en"), ("zh", "zh-CN"), ("", "zh-CN"), ("xx", "zh-CN")],
)
async def test_words_come_in_the_nearest_language(asked: str, spoken: str) -> None:
    async with client() as opened:
        answer = await (await opened.get("/words.json", params={"lang": asked})).json()
        assert answer["language"] == spoken
        assert answer["words"]["t_plus_1_only"] == words()["t_plus_1_only"].text("zh" if spoken == "zh-CN" else "en")
        assert set(answer["languages"]) == {"zh-CN", "en"}


async def test_no_more_screens_than_the_limit_and_the_next_is_told_when_to_come_back() -> None:
    async with client(screens_max=1) as opened, opened.get("/events", headers=bearer("for-all")) as first:
        assert first.status == 200
        refused = await opened.get("/events", headers=bearer("for-all"))
        assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        metrics = await (await opened.get("/metrics", headers=bearer("for-all"))).text()
        assert "seatwatch_screens_refused_total 1" in metrics
        assert "seatwatch_screens_connected 1" in metrics


WORD = re.compile(r"""\bw\(\s*["'`]([a-z0-9_]+)["'`]""")
KEYED = re.compile(r"""(?:word|title|empty):\s*["']([a-z0-9_]+)["']""")


def scripts() -> list[Path]:
    return sorted([*STATIC.glob("*.js"), *LEAD.glob("*.js")])


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.name)
def test_every_word_a_script_asks_for_is_in_the_glossary(script: Path) -> None:
    asked = {*WORD.findall(script.read_text(encoding="utf-8")), *KEYED.findall(script.read_text(encoding="utf-8"))}
    assert asked <= set(words())


def test_every_state_a_board_can_hold_has_its_word() -> None:
    from dashboards.catalogue import SITE_STATES
    from wire.facility import Comms

    assert set(SITE_STATES) - {"other"} <= set(words())
    assert {f"comms_{comms}" for comms in Comms} - {"comms_ok"} <= set(words())


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.name)
def test_scripts_stay_within_es2019_and_put_text_in_as_text(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    for banned in (
        "?.",
        "??",
        *("replaceAll", "matchAll", ".at(", "findLast", "hasOwn(", "allSettled", "structuredClone", "globalThis"),
        *("toSorted", "AbortSignal", "import.meta"),
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "replaceChildren",
    ):
        assert banned not in text, f"{script.name} uses {banned}"


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_code() -> None:
    for path in sorted(path for path in STATIC.iterdir() if path.is_file()):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, f"{path.name} names another host"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\bon[a-z]+=\"|style=\"|<style", text), (
            f"{path.name} has inline code"
        )


async def test_the_greeting_names_the_page_and_the_page_changes_with_the_words() -> None:
    hub = Hub(settings(), boot_id="b1", clock_ms=lambda: NOON)
    wallboard(hub)
    first = hub.page
    assert re.fullmatch(r"[0-9a-f]{16}", first)
    async with client() as opened, opened.get("/events", headers=bearer("for-acme")) as answer:
        lines = [(await answer.content.readline()).decode().strip() for _ in range(4)]
        assert lines[:3] == ["retry: 1000", "", "event: hello"]
        hello = msgspec.json.decode(lines[3].removeprefix("data: "))
        assert (hello["page"], hello["boot_id"], hello["server_now"]) == (first, "b1", NOON)
        assert set(hello["board"]["queues"]) == {"acme|chat"}


@pytest.mark.parametrize("sheet", sorted([*STATIC.glob("*.css"), *LEAD.glob("*.css")]), ids=lambda path: path.name)
def test_what_a_style_clamps_has_a_plain_value_before_it_for_browsers_that_cannot(sheet: Path) -> None:
    lines = [line.strip() for line in sheet.read_text("utf-8").splitlines()]
    bare = [line for before, line in pairwise(lines) if "clamp(" in line and line.partition(":")[0] not in before]
    assert bare == []
