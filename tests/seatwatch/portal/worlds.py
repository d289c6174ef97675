"""Two clients on disk, a portal over them, and browsers that have signed in."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import msgspec
import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from dashboards.portal.accounts import FILE, Account, Role
from dashboards.wallboard.access import Access
from dashboards.wallboard.past import PastDoor
from dashboards.wallboard.settings import PastSettings
from seatwatch import year_told
from seatwatch.config import ClientSection, Config
from seatwatch.config_names import NamedSection
from seatwatch.portal.kept_file import KeptFile
from seatwatch.portal.record import PortalRecord, served_client
from seatwatch.portal.served import ServiceRecord
from seatwatch.portal.year_record import YearRecords
from seatwatch.portal_told import Question, answer
from seatwatch.server.web import install_portal
from seatwatch.settings import load_defaults
from seatwatch.year_told import YearAsked
from tests.builders import Event, agent, assigned, clock, closed, customer, declared, left, ms, rules, works
from tests.dashboards.boards import board, site, tile
from tests.dashboards.days import curve, trouble
from tests.dashboards.days import day as day_of
from tests.dashboards.served import settings
from tests.sla_engine.feeding import Feed
from wire.board import Board
from wire.day_curve import DayCurve

PASSWORD = "three or four words"
NOW = "+1 12:00"
Browser = TestClient[web.Request, web.Application]


def day(prefix: str = "c", queue: str = "presale") -> list[Event]:
    """Six sessions: answered after 8 s, at 10 s sharp and after 12 s, left, never answered, and one a week before."""
    return [
        *rules(),
        declared("-7 08:00:00"),
        *works("anna", "p-1", "=cmd|'/c calc'!A1", "a1", "north"),
        customer("-7 09:02:00", f"{prefix}0", queue),
        agent("-7 09:02:03", "anna", f"{prefix}0"),
        closed("-7 09:03:00", f"{prefix}0"),
        customer("09:00:00", f"{prefix}1", queue),
        assigned("09:00:02", "anna", f"{prefix}1"),
        agent("09:00:08", "anna", f"{prefix}1"),
        closed("09:10:00", f"{prefix}1"),
        customer("09:20:00", f"{prefix}2", queue),
        agent("09:20:10", "anna", f"{prefix}2"),
        closed("09:30:00", f"{prefix}2"),
        customer("10:00:00", f"{prefix}3", queue),
        agent("10:00:12", "anna", f"{prefix}3"),
        closed("10:10:00", f"{prefix}3"),
        customer("11:00:00", f"{prefix}4", "aftersale"),
        left("11:00:30", f"{prefix}4"),
        customer("12:00:00", f"{prefix}5", queue),
        closed("12:30:00", f"{prefix}5"),
        clock(NOW),
    ]


def client_of(data: Path, client: str, events: Iterable[Event]) -> None:
    ledger = Feed(data / "clients" / client)
    ledger.append(events)
    ledger.close()


def config() -> Config:
    queues = [NamedSection(id="presale", name="Before"), NamedSection(id="aftersale")]
    return Config(
        client=[
            ClientSection(id="acme", name="Acme & <b>Sons</b>", queue=queues, pseudonym_key_files=["acme.key"]),
            ClientSection(id="beta", queue=queues),
        ]
    )


def accounts(data: Path, clients: tuple[str, ...] = ("acme",)) -> None:
    """One account of every role, named after it; they see `clients`."""
    found = [Account(name=role.value, role=role, clients=clients, sites=(), password=_hashed()) for role in Role]
    (data / FILE).write_bytes(msgspec.json.encode(found))


@cache
def _hashed() -> str:
    """Quickly checked, unlike one of the portal's own making; tests/dashboards/portal/test_accounts.py has those."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def served(data: Path) -> ServiceRecord:
    """What a process of the portal's own answers from, here: figures as of NOW, read anew by every question."""
    clients = [served_client(section) for section in config().client]
    defaults, names = load_defaults(), config().names()
    return ServiceRecord(clients, names, data, data, defaults=defaults, clock_ms=lambda: ms(NOW))


class ReadHere:
    """In place of processes of their own for the portal's answers, which test_portal_answers.py has."""

    async def printed(self, module: str, *arguments: str, told: bytes = b"", files: Sequence[int] = ()) -> bytes:
        assert (module, arguments) == ("seatwatch.portal_told", (str(files[0]),))
        question = msgspec.msgpack.decode(told, type=Question)
        said = await asyncio.to_thread(answer, question, KeptFile(files[0]), load_defaults())
        return msgspec.msgpack.encode(said)


@asynccontextmanager
async def answering(record: PortalRecord) -> AsyncIterator[None]:
    """Its questions are answered here; however busy this machine is, no page says that it takes long."""
    answers = record.answers
    object.__setattr__(answers, "_process", ReadHere())
    object.__setattr__(answers, "_settings", msgspec.structs.replace(answers._settings, page_waits_ms=60_000))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(answers.run(), name="portal answers")
        yield
        running.cancel()


def years_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a process of its own for each; test_portal_year.py has those."""

    async def printed(records: YearRecords, question: YearAsked) -> bytes:
        return msgspec.json.encode(year_told.answer(records._data, question))

    monkeypatch.setattr(YearRecords, "_printed", printed)


class BothClients:
    """Boards of the past that hold both clients."""

    async def board(self, at: int, _known_at: int | None) -> Board:
        return board(at, queues=[tile(), tile(client="beta", name="foreign-")], sites=[site("foreign-site")])

    async def day(self, _until: int, _span_ms: int) -> DayCurve:
        foreign = [curve("beta", queue, name=f"foreign-{queue}") for queue in ("", "presale")]
        return day_of([curve(), *foreign], [trouble("foreign-site")])


@asynccontextmanager
async def portal(data: Path) -> AsyncIterator[web.Application]:
    """The portal's application over `data`, at NOW."""
    (data / "acme.key").write_bytes(b"a key of acme\n")
    app, defaults = web.Application(), load_defaults()
    record = PortalRecord(config(), data, data, defaults=defaults, clock_ms=lambda: ms(NOW))
    past = PastDoor(
        BothClients(),
        Access({}),
        defaults.fill(PastSettings, "board"),
        settings(),
        clock_ms=lambda: ms(NOW),
        elapsed_ms=lambda: 0,
    )
    install_portal(app, record, data, defaults=defaults, elapsed_ms=lambda: 0, past=past)
    async with answering(record):
        yield app


@asynccontextmanager
async def browser(app: web.Application, name: str = "") -> AsyncIterator[Browser]:
    """A browser, signed in as `name`."""
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as opened:
        if name:
            form = {"name": name, "password": PASSWORD}
            went = await opened.post("/portal/sign-in?lang=en", data=form, allow_redirects=False)
            assert (went.status, went.headers["Location"]) == (303, "/portal/service?lang=en")
        yield opened
