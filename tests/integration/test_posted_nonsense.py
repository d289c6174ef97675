"""Whatever is posted to whichever door of a running server is refused in words, never by a fault of ours."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
import pytest
from aiohttp import web
from argon2 import PasswordHasher

from collector.enrolment.authority import Authority, Span
from dashboards.alerting.acknowledging import PATH as ACKNOWLEDGE
from dashboards.portal.accounts import FILE as ACCOUNTS
from dashboards.portal.accounts import Account, Role
from seatwatch.clock import now_ms
from seatwatch.config import read_config
from seatwatch.enrolment_job import FOLDER
from seatwatch.importing import import_token
from seatwatch.runtime_file import read_runtime
from seatwatch.server import enrolment, on_call, process
from seatwatch.server.web_runner import web_runner
from seatwatch.settings import Defaults, load_defaults
from tests.servers import LOOPBACK, free_port
from tests.waiting import wait_until

CONFIGURATION = """
[server]
port = 0
[alerting]
public_url = "http://hub.example"
tickets = []
[enrolment]
hosts = ["127.0.0.1"]
listen = "127.0.0.1"
port = {door}
[[client]]
id = "acme"
[[client.queue]]
id = "presale"
[[site]]
id = "site1"
token_file = "site1.token"
"""
TOKEN = "a token of the site"
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"


class Nonsense(NamedTuple):
    name: str
    content_type: str
    body: bytes
    encoding: str = ""


def part(headers: str, body: bytes = b"x", end: bytes = b"\r\n--b--\r\n") -> bytes:
    return b"--b\r\n" + headers.encode() + b"\r\n\r\n" + body + end


NO_TEXT = b'{"alerts":[{"status":"\xff"}],"code":"\xff","source":"\xff","items":[{"kind":"\xff"}]}'
NAMED = 'Content-Disposition: form-data; name="name"'
BODIES = (
    Nonsense("a charset that is none", f"{FORM}; charset=nonsense", b"name=x"),
    Nonsense("a charset of no text", f"{FORM}; charset=base64", b"name=x"),
    Nonsense("a charset that refuses all", f"{FORM}; charset=undefined", b"name=x"),
    Nonsense("a charset of other bytes", f"{FORM}; charset=utf-16", b"name=x&"),
    Nonsense("a charset that means to run", f"{FORM}; charset=idna", b"name=" + b"x" * 100),
    Nonsense("a charset in no letters", f"{FORM}; charset=\u00e9", b"name=x"),
    Nonsense("bytes that are no text", FORM, b"name=\xff\xfe&csrf=%ff%00"),
    Nonsense("many fields", FORM, b"&".join(b"a%d=1" % n for n in range(500))),
    Nonsense("parts without a boundary", "multipart/form-data", b"--b\r\n"),
    Nonsense("a boundary that never comes", PARTS, b"nothing of the kind"),
    Nonsense("nothing at all in parts", PARTS, b""),
    Nonsense("a boundary of a thousand letters", f"multipart/form-data; boundary={'b' * 1000}", part(NAMED)),
    Nonsense("a part that is cut", PARTS, part(NAMED, b"x" * 20, b"")),
    Nonsense("a part without a name", PARTS, part("Content-Disposition: form-data")),
    Nonsense("a part without a head", PARTS, b"--b\r\nno head of any kind\r\n\r\nx\r\n--b--\r\n"),
    Nonsense("parts within a part", PARTS, part(f"{NAMED}\r\nContent-Type: multipart/mixed; boundary=c", b"--c--")),
    Nonsense("a part in no encoding", PARTS, part(f"{NAMED}\r\nContent-Transfer-Encoding: nonsense")),
    Nonsense("a part in broken base64", PARTS, part(f"{NAMED}\r\nContent-Transfer-Encoding: base64", b"!")),
    Nonsense("a part in broken gzip", PARTS, part(f"{NAMED}\r\nContent-Encoding: gzip", b"no gzip")),
    Nonsense("a part in an unknown compression", PARTS, part(f"{NAMED}\r\nContent-Encoding: zap", b"x")),
    Nonsense("a part in no charset", PARTS, part(f"{NAMED}\r\nContent-Type: text/plain; charset=nonsense")),
    Nonsense("a charset told by a field", PARTS, part('Content-Disposition: form-data; name="_charset_"', b"nonsense")),
    Nonsense("a file for a name", PARTS, part(f'{NAMED}; filename="../../x"\r\nContent-Type: a/b', b"\xff")),
    Nonsense("a length that is none", PARTS, part(f"{NAMED}\r\nContent-Length: many")),
    Nonsense("no type", "", b"x"),
    Nonsense("a type of semicolons", ";;;", b"x"),
    Nonsense("a type of another kind", "application/x-nonsense; a=b; c", b"\x00\xff"),
    Nonsense("broken gzip", FORM, b"no gzip", "gzip"),
    Nonsense("an unknown compression", FORM, b"x", "zap"),
    Nonsense("much in little", FORM, gzip.compress(b"a" * 3_000_000), "gzip"),
    Nonsense("no json", "application/json", b"{"),
    Nonsense("json in no charset", "application/json; charset=nonsense", b"{}"),
    Nonsense("json of no text", "application/json", b'{"person":"\xff","alerts":[]}'),
    Nonsense("json with half a character", "application/json", b'{"person":"\\ud800"}'),
    Nonsense("json in broken gzip", "application/json", b"no gzip", "gzip"),
    Nonsense("deep json", "application/json", b"[" * 4_000),
    Nonsense("deep json where nobody looks", "application/json", b'{"x":' + b"[" * 4_000),
    Nonsense("deep objects where nobody looks", "application/json", b'{"x":' * 800),
    Nonsense("no text where text is wanted", "application/json", NO_TEXT),
    Nonsense("json of a list", "application/json", b"[]"),
    Nonsense("no msgpack", "application/msgpack", b"\xc1"),
    Nonsense("deep msgpack", "application/msgpack", b"\x91" * 4_000),
    Nonsense("deep msgpack where nobody looks", "application/msgpack", b"\x81\xa1x" + b"\x91" * 4_000),
    Nonsense("msgpack of a number", "application/msgpack", b"\x01"),
)


class Door(NamedTuple):
    """A route: what its path is filled in with, and what lets a caller in."""

    fills: Mapping[str, str]
    headers: Mapping[str, str]


class World(NamedTuple):
    """A server with every door open. apps: by the address of each."""

    http: aiohttp.ClientSession
    apps: dict[str, web.Application]
    doors: dict[str, Door]


@asynccontextmanager
async def running_server(directory: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server in this process, so that its routes can be asked for; its doors are real ones."""
    door, data, defaults = free_port(), directory / "data", load_defaults()
    made: list[web.Application] = []

    def kept(app: web.Application, given: Defaults) -> web.AppRunner:
        made.append(app)
        return web_runner(app, given)

    monkeypatch.setattr(process, "web_runner", kept)
    monkeypatch.setattr(enrolment, "web_runner", kept)
    (directory / "site1.token").touch(mode=0o600)
    (directory / "site1.token").write_text(TOKEN, encoding="utf-8")
    (directory / "seatwatch.toml").write_text(CONFIGURATION.format(door=door), encoding="utf-8")
    data.mkdir()
    authority = Authority.create(data / FOLDER, "hub", Span(now_ms() - 1_000, now_ms() + 86_400_000))
    hashed = PasswordHasher(1, 8, 1).hash("a long password")
    lin = Account(name="lin", role=Role.ADMIN, clients=None, sites=None, password=hashed, staff="w1")
    (data / ACCOUNTS).write_bytes(msgspec.json.encode([lin]))
    config = read_config(directory / "seatwatch.toml")
    server = process.Server(config, directory, data, part=process.Part.ALL, defaults=defaults, say=lambda _: None)
    stop, trusting = asyncio.Event(), ssl.create_default_context(cadata=authority.pem.decode())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run(stop), name="server")
        await wait_until(lambda: read_runtime(data) is not None, what="the server")
        runtime = read_runtime(data)
        assert runtime is not None
        connector = aiohttp.TCPConnector(ssl=trusting, force_close=True)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            form = {"name": "lin", "password": "a long password"}
            async with http.post(f"{runtime.url}/portal/sign-in", data=form, allow_redirects=False) as answer:
                assert answer.status == 303
            bearers = {
                "/v1/events": TOKEN,
                "/v1/roster": import_token(data).read_text(encoding="utf-8").strip(),
                "/v1/maintenance": import_token(data).read_text(encoding="utf-8").strip(),
                "/notify/{receiver}": on_call.secret_file(data, "notify.token").read_text(encoding="utf-8").strip(),
            }
            link = on_call.links(config, data, defaults, now_ms).link(["i-1"], "floor")
            fills = {"team": "t", "receiver": "tickets"}
            apps = {f"https://{LOOPBACK}:{door}": made[0], runtime.url: made[1]}
            doors = {
                path: Door(fills, {"Authorization": f"Bearer {bearers[path]}"} if path in bearers else {})
                for path in routes(apps)
            }
            doors[ACKNOWLEDGE] = Door({"": link.partition("?")[2]}, {})

            async def knows_what_is_open() -> bool:
                async with http.get(f"{runtime.url}{ACKNOWLEDGE}?{link.partition('?')[2]}") as answer:
                    return answer.status == 200

            await wait_until(knows_what_is_open, what="the server to know what is open")
            yield World(http, apps, doors)
        stop.set()


def routes(apps: Mapping[str, web.Application]) -> dict[str, str]:
    """Every path that takes a POST, and the address of the server it is of."""
    return {
        route.resource.canonical: address
        for address, app in apps.items()
        for route in app.router.routes()
        if route.method == "POST" and route.resource is not None
    }


async def answered(world: World, path: str, sent: Nonsense) -> tuple[int, str]:
    fills, headers = world.doors[path]
    url = routes(world.apps)[path] + path.format(**fills) + (f"?{fills['']}" if "" in fills else "")
    head = {**headers, "Content-Type": sent.content_type, "Sec-Fetch-Site": "same-origin"}
    if sent.encoding:
        head["Content-Encoding"] = sent.encoding
    async with world.http.post(url, data=sent.body, headers=head, allow_redirects=False) as answer:
        return answer.status, (await answer.read()).decode(errors="replace")


async def test_no_door_answers_nonsense_by_a_fault_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = []
    async with running_server(tmp_path, monkeypatch) as world:
        for path in sorted(world.doors):
            for sent in BODIES:
                status, said = await answered(world, path, sent)
                if status >= 500:
                    faults.append(f"{path}: {sent.name}: {status} {said}")
    assert set(world.doors) >= {"/sign-in", "/rollout", ACKNOWLEDGE, "/portal/search", "/v1/enrol", "/v1/events"}
    assert faults == []


@pytest.mark.parametrize("path", ["/sign-in", "/rollout", ACKNOWLEDGE, "/portal/search"])
async def test_a_form_that_no_browser_sends_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async with running_server(tmp_path, monkeypatch) as world:
        for sent in BODIES[:3]:
            status, said = await answered(world, path, sent)
            assert (status, said) == (400, "This form cannot be read. Open its page again, and send it from there.")
