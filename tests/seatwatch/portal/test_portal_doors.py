"""Every page of the portal by every role, asked for its own client and for somebody else's."""

import asyncio
import html
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from dashboards.portal.accounts import FILE, Role
from seatwatch.portal.record import PortalRecord
from seatwatch.settings import load_defaults
from tests.builders import customer, ms
from tests.seatwatch.portal.sites import two_clients
from tests.seatwatch.portal.worlds import NOW, PASSWORD, accounts, browser, client_of, config, portal, years_read_here

SPAN = "site=north&until=2026-11-02T13:00"
OF_CLIENT = (
    *("service", "service.csv", "service.json", "sessions", "sessions.csv", "sessions.json"),
    *("sessions?verdict=breached&cause=none", "sessions.csv?figure=attainment&weekday=0&hour=9"),
    *("conversation?id=c1", "search", "rules", f"site?{SPAN}", f"site.csv?{SPAN}", f"site.json?{SPAN}"),
    *("year?from=2026-10-01&to=2026-11-02", "year.csv?rows=month", "year.json?rows=day&from=2026-11-01&to=2026-11-02"),
    *("incident?id=i-line", "picture.csv?picture=heat", "picture.json?picture=days&from=2026-11-02&to=2026-11-02"),
)
ADMIN_ONLY = ("accounts",)
OF_SCOPE = ("board?at=2026-11-02T10:00", "past.json?at=2026-11-02T10:00", "past-day.json?of=beta")
"""Pages of all an account may see together."""
SIGNED_IN = ("", *OF_CLIENT, *OF_SCOPE, *ADMIN_ONLY)


@pytest.fixture(autouse=True)
def years(monkeypatch: pytest.MonkeyPatch) -> None:
    years_read_here(monkeypatch)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("written")
    two_clients(directory)
    accounts(directory)
    return directory


@pytest.fixture
async def app(written: Path, tmp_path: Path) -> AsyncIterator[web.Application]:
    """Over a copy: a disk takes half a second to keep each of what is written."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    async with portal(tmp_path) as application:
        yield application


def asked(path: str, client: str = "") -> str:
    address = f"/portal/{path}".rstrip("/")
    return f"{address}{'&' if '?' in path else '?'}lang=en" + (f"&client={client}" if client else "")


def test_the_sweep_leaves_no_page_out(tmp_path: Path) -> None:
    from dashboards.portal.accounts import Accounts
    from dashboards.portal.server import Portal
    from dashboards.portal.sessions import PortalSettings
    from seatwatch.server.web import words

    defaults = load_defaults()
    record = PortalRecord(config(), tmp_path, tmp_path, defaults=defaults, clock_ms=lambda: ms(NOW))
    settings = defaults.fill(PortalSettings, "portal")
    doors = Portal(record, Accounts(tmp_path / "a.json"), settings, words(), lambda: 0).doors()
    swept = {path.partition("?")[0].partition(".")[0] for path in SIGNED_IN}
    closed = {door for door in doors if door.roles is not None}
    shown = {re.sub(r"\.(\{.*|json)", "", door.path).removeprefix("/portal").lstrip("/") for door in closed}
    assert shown == swept | {"sign-out"}
    assert {door.path for door in doors if door.roles is None} == {"/portal/sign-in"}
    of_client = {re.sub(r"\.(\{.*|json)", "", door.path).removeprefix("/portal/") for door in doors if door.of_client}
    assert of_client == {path.partition("?")[0].partition(".")[0] for path in OF_CLIENT}


async def test_nobody_sees_a_page_without_signing_in(app: web.Application) -> None:
    async with browser(app) as opened:
        for path in SIGNED_IN:
            answer = await opened.get(asked(path), allow_redirects=False)
            form = URL(answer.headers["Location"])
            assert (answer.status, form.path, form.query["lang"]) == (303, "/portal/sign-in", "en"), path
            assert form.query.get("to") == (asked(path) if path else None), path
        for path in ("search", "sign-out"):
            assert (await opened.post(asked(path), data={"typed": "c1"})).status == 401, path


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_sees_its_own_client_and_of_another_not_even_that_it_exists(
    app: web.Application, role: Role
) -> None:
    async with browser(app, role.value) as opened:
        for path in OF_CLIENT:
            own = await opened.get(asked(path))
            assert own.status == 200, path
            body = await own.text()
            assert "beta" not in body, path
            assert "foreign-" not in body, path
            foreign, unknown = await opened.get(asked(path, "beta")), await opened.get(asked(path, "nobody"))
            assert (foreign.status, await foreign.read()) == (404, await unknown.read()), path
        other = await opened.get(asked("conversation?id=foreign-1"))
        assert other.status == 404
        for page, theirs in (("site?site=", "south"), ("site.csv?site=", "south"), ("incident?id=", "i-foreign-1")):
            foreign, unknown = await opened.get(asked(page + theirs)), await opened.get(asked(page + "nothing"))
            assert (foreign.status, await foreign.read()) == (404, await unknown.read()), page
        assert "Acme" in await (await opened.get(asked("service"))).text()
        token = re.search(r'name="csrf" value="([^"]+)"', await (await opened.get(asked("search"))).text())
        assert token is not None
        form = {"csrf": token[1], "typed": "foreign-1"}
        assert (await opened.post(asked("search", "beta"), data=form)).status == 404
        found = await opened.post(asked("search"), data=form)
        assert (found.status, "Not received" in await found.text()) == (200, True)
        for path in OF_SCOPE:
            own = await opened.get(asked(path))
            assert own.status == 200, path
            body = await own.text()
            assert "beta" not in body, path
            assert "foreign-" not in body, path
        past = await (await opened.get(asked(OF_SCOPE[1]))).json()
        assert list(past["board"]["queues"]) == ["acme|chat"]
        now = await opened.get(asked("board"), allow_redirects=False)
        assert (now.status, now.headers["Location"]) == (303, "/portal/service?lang=en"), "of now there is none here"
        for path in ADMIN_ONLY:
            answer = await opened.get(asked(path))
            assert answer.status == (200 if role is Role.ADMIN else 403)
            assert role is Role.ADMIN or "role does not open this page" in await answer.text()
        assert "There is no such page" in await (await opened.get(asked("service", "beta"))).text()


async def test_another_clients_data_changes_no_byte_of_what_a_client_receives(tmp_path: Path) -> None:
    async def received(data: Path) -> dict[str, bytes]:
        async with portal(data) as application, browser(application, "client") as opened:
            bodies = {path: await (await opened.get(asked(path))).read() for path in OF_CLIENT}
            return {path: re.sub(rb'name="csrf" value="[^"]+"', b"", body) for path, body in bodies.items()}

    worlds = []
    for number in (1, 2):
        data = tmp_path / str(number)
        two_clients(data, foreign=number)
        client_of(data, "beta", [customer("+1 13:00:00", "more")] * (number - 1))
        accounts(data)
        worlds.append(await received(data))
    assert worlds[0] == worlds[1]
    assert b"i-line" in worlds[0][f"site?{SPAN}"]


async def test_a_form_needs_its_sessions_token_and_a_page_of_ours(app: web.Application) -> None:
    async with browser(app, "client") as opened:
        page = await (await opened.get(asked("search"))).text()
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        form = {"csrf": token[1], "typed": "c1"}
        assert (await opened.post(asked("search"), data={"typed": "c1"})).status == 403
        for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            assert (await opened.post(asked("search"), data=form, headers=header)).status == 403
        assert (await opened.post(asked("search"), data=form, headers={"Origin": "null"})).status == 200
        assert (await opened.post(asked("search"), data={**form, "typed": "x" * 5_000})).status == 413


async def test_the_cookie_is_out_of_reach_of_scripts_and_ends_with_signing_out(app: web.Application) -> None:
    async with browser(app) as opened:
        form = {"name": "client", "password": PASSWORD}
        by_https = {"X-Forwarded-Proto": "https"}
        passed_on = await opened.post(asked("sign-in"), data=form, headers=by_https, allow_redirects=False)
        assert "Secure" in passed_on.headers["Set-Cookie"]
        answer = await opened.post(asked("sign-in"), data=form, allow_redirects=False)
        cookie = answer.headers["Set-Cookie"]
        for part in ("HttpOnly", "SameSite=Lax", "Path=/portal"):
            assert part in cookie
        assert "Secure" not in cookie
        page = await (await opened.get(asked("service"))).text()
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        kept = {"Cookie": cookie.partition(";")[0]}
        await opened.post(asked("sign-out"), data={"csrf": token[1]}, allow_redirects=False)
        assert (await opened.get(asked("service"), headers=kept, allow_redirects=False)).status == 303


@pytest.mark.parametrize("path", ["board?at=2026-11-02T10:00%2B08:00", "incident?id=i-line", "sessions?hour=9&page=2"])
async def test_who_has_to_sign_in_first_arrives_where_the_link_led(app: web.Application, path: str) -> None:
    async with browser(app) as opened:
        address = asked(path)
        asked_for = await opened.get(address, allow_redirects=False)
        page = await (await opened.get(URL(asked_for.headers["Location"], encoded=True))).text()
        action = re.search(r'<form class="sign-in" method="post" action="([^"]+)"', page)
        assert action is not None
        form = URL(html.unescape(action[1]), encoded=True)
        wrong = await opened.post(form, data={"name": "client", "password": "wrong"}, allow_redirects=False)
        again = URL(wrong.headers["Location"], encoded=True)
        assert (again.query["refused"], again.query["to"]) == ("1", form.query["to"])
        right = await opened.post(form, data={"name": "client", "password": PASSWORD}, allow_redirects=False)
        assert URL(right.headers["Location"]) == URL(address)
        chinese = form.update_query(lang="zh-CN")
        right = await opened.post(chinese, data={"name": "client", "password": PASSWORD}, allow_redirects=False)
        assert URL(right.headers["Location"]) == URL(address).update_query(lang="zh-CN")


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("//evil.example/portal/", "https://evil.example/portal/x", "/\\evil.example", "/portal/\\x", "/portal/../x"),
        *(
            "/elsewhere",
            "/portal/sign-in?to=/portal/service",
            "javascript:alert(1)",
            "/portal/%2e%2e/x",
            "/portal/a\nb",
        ),
        *("http://[", "http:/portal/service", "javascript:/portal/service"),
    ],
)
async def test_signing_in_leads_to_pages_of_the_portal_only(app: web.Application, elsewhere: str) -> None:
    async with browser(app) as opened:
        form = {"name": "client", "password": PASSWORD}
        params = {"lang": "en", "to": elsewhere}
        answer = await opened.post("/portal/sign-in", params=params, data=form, allow_redirects=False)
        assert answer.headers["Location"] == "/portal/service?lang=en"


async def test_a_wrong_password_and_an_unknown_name_are_refused_alike_and_then_held_back(app: web.Application) -> None:
    async with browser(app) as opened:
        places = []
        for name in ("client", "nobody"):
            form = {"name": name, "password": "wrong"}
            answer = await opened.post(asked("sign-in"), data=form, allow_redirects=False)
            places.append((answer.status, answer.headers["Location"], "Set-Cookie" in answer.headers))
        assert places == [(303, "/portal/sign-in?lang=en&refused=1", False)] * 2
        for _ in range(load_defaults().int("portal.sign_in_failures_max")):
            await opened.post(asked("sign-in"), data={"name": "client", "password": "wrong"}, allow_redirects=False)
        right = {"name": "client", "password": PASSWORD}
        answer = await opened.post(asked("sign-in"), data=right, allow_redirects=False)
        assert answer.headers["Location"] == "/portal/sign-in?lang=en&refused=2"


async def test_guesses_sent_all_at_once_are_counted_one_by_one(app: web.Application) -> None:
    most = load_defaults().int("portal.sign_in_failures_max")
    guesses = [*(f"guess {number}" for number in range(most + 2)), PASSWORD]
    async with browser(app) as opened, asyncio.TaskGroup() as at_once:
        tried = [
            at_once.create_task(
                opened.post(asked("sign-in"), data={"name": "client", "password": guess}, allow_redirects=False),
                name="test.guess",
            )
            for guess in guesses
        ]
    places = Counter(task.result().headers["Location"] for task in tried)
    assert places == {"/portal/sign-in?lang=en&refused=1": most, "/portal/sign-in?lang=en&refused=2": 3}


async def test_while_the_accounts_cannot_be_read_nobody_is_let_in_and_the_page_says_why(
    app: web.Application, tmp_path: Path
) -> None:
    async with browser(app, "client") as opened:
        (tmp_path / FILE).write_text("{ half of a file", encoding="utf-8")
        form = {"name": "client", "password": PASSWORD}
        for answer in (await opened.get(asked("service")), await opened.post(asked("sign-in"), data=form)):
            assert (answer.status, "The record cannot be read just now" in await answer.text()) == (503, True)


@pytest.mark.parametrize("days", ["from=9999-12-31", "to=9999-12-31", "to=0001-01-01", "from=9999-12-30&to=9999-12-31"])
async def test_days_at_the_ends_of_the_calendar_are_refused_in_words(app: web.Application, days: str) -> None:
    async with browser(app, "client") as opened:
        for path in ("service", "service.csv", "sessions", "picture.csv?picture=heat"):
            answer = await opened.get(asked(f"{path}{'&' if '?' in path else '?'}{days}"))
            assert (answer.status, 'class="message"' in await answer.text()) == (400, True), path


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded; charset=nope", b"name=client"),
        ("application/x-www-form-urlencoded", b"name=\xff\xfe"),
        ("application/x-www-form-urlencoded; charset=utf-8", b"name=%FF&password=\xff"),
        ("multipart/form-data", b"name=client"),
    ],
)
async def test_a_form_in_no_encoding_is_refused(app: web.Application, content_type: str, body: bytes) -> None:
    async with browser(app) as opened:
        headers = {"Content-Type": content_type}
        assert (await opened.post(asked("sign-in"), data=body, headers=headers)).status == 400


async def test_a_file_opens_in_a_spreadsheet_and_is_named_after_what_it_holds(app: web.Application) -> None:
    days = "from=2026-11-02&to=2026-11-02"
    async with browser(app, "client") as opened:
        for path, name, mark in (
            (f"site.csv?{SPAN}", "site-acme-north-2026-11-02T1300.csv", b"\xef\xbb\xbf"),
            (f"sessions.csv?{days}", "sessions-acme-2026-11-02-2026-11-02.csv", b"\xef\xbb\xbf"),
            (
                f"picture.csv?picture=heat&queue=presale&{days}",
                "heat-acme-presale-2026-11-02-2026-11-02.csv",
                b"\xef\xbb\xbf",
            ),
            (f"service.csv?{days}", "service-acme-2026-11-02-2026-11-02.csv", b""),
            (f"sessions.json?{days}", "sessions-acme-2026-11-02-2026-11-02.json", b""),
        ):
            answer = await opened.get(asked(path))
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            body = await answer.read()
            assert body.startswith(mark)
            assert body.startswith(b"\xef\xbb\xbf") == bool(mark)
        page = await (await opened.get(asked("site?site=north"))).text()
        assert "until=2026-11-03T12%3A00" in page.partition(">CSV<")[0].rpartition("<a ")[2]


@pytest.mark.parametrize("path", ["search", "rules"])
async def test_who_sees_several_clients_chooses_one_on_every_page(
    app: web.Application, tmp_path: Path, path: str
) -> None:
    async with browser(app, "client") as opened:
        assert 'name="client"' not in await (await opened.get(asked(path))).text()
    accounts(tmp_path, ("acme", "beta"))
    async with browser(app, "supervisor") as opened:
        page = await (await opened.get(asked(path, "beta"))).text()
        assert f'method="get" action="/portal/{path}"' in page
        assert '<option value="acme">' in page
        assert '<option value="beta" selected>' in page
