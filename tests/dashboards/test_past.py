"""The door to boards of past instants: what may be asked, what is kept, and who waits for whom."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from dashboards.wallboard._core.board import to_json
from dashboards.wallboard.access import Access
from dashboards.wallboard.past import PastDoor, instant_of
from dashboards.wallboard.past_errors import MalformedError, NothingThenError, UnreadableError
from dashboards.wallboard.settings import PastSettings
from seatwatch.glossary import words
from seatwatch.settings import load_defaults
from tests.dashboards.boards import NOON, board, site, tile
from tests.dashboards.days import day
from tests.dashboards.people import person
from tests.dashboards.served import settings
from tests.dashboards.test_server import TOKENS, bearer
from tests.waiting import wait_until
from wire.board import Board
from wire.day_curve import DayCurve
from wire.scope import EVERYTHING

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOWN = board(NOON, queues=[tile(client="acme"), tile(client="beta")], sites=[site()], people=[person()])
HOUR_AGO = "2025-11-21T11:00:00"
AN_HOUR_AGO = NOON - 3_600_000


class Boards:
    """Answers with SHOWN once `open` is set; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int | None]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None

    async def board(self, at: int, known_at: int | None) -> Board:
        self.asked.append((at, known_at))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return SHOWN

    async def day(self, until: int, _span_ms: int) -> DayCurve:
        self.asked.append((until, None))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return day()


class Past:
    def __init__(self) -> None:
        self.boards = Boards()
        self.elapsed = 0
        self.door: PastDoor
        self.client: TestClient  # type: ignore[type-arg]  # of any request

    async def ask(self, token: str = "for-all", path: str = "/past.json", **query: str) -> tuple[int, dict[str, Any]]:
        answer = await self.client.get(path, params=query, headers=bearer(token))
        return answer.status, await answer.json()


@asynccontextmanager
async def past() -> AsyncIterator[Past]:
    access = Access({hashlib.sha256(token.encode()).hexdigest(): scope for token, scope in TOKENS.items()})
    made = Past()
    door = PastDoor(
        made.boards,
        access,
        load_defaults().fill(PastSettings, "board"),
        settings(),
        clock_ms=lambda: NOON,
        elapsed_ms=lambda: made.elapsed,
    )
    app = Application()
    app.add_routes(door.routes())
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as opened:
        made.client, made.door = opened, door
        yield made


@pytest.mark.parametrize(
    "text",
    [
        "2025-11-21T11:00:00",
        "2025-11-21 11:00",
        "2025-11-21T11:00:00+08:00",
        "2025-11-21T11:00:00 08:00",
        "2025-11-21T03:00:00Z",
        "2025-11-21T03:00:00.000+00:00",
    ],
)
def test_an_instant_is_read_in_the_floors_zone_or_by_the_offset_it_states(text: str) -> None:
    assert instant_of(text, SHANGHAI) == AN_HOUR_AGO


@pytest.mark.parametrize(
    "text", ["", "noon", "2025-13-01T00:00", "1969-12-31T00:00Z", "0001-01-01", "99999999", "\u0000"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        instant_of(text, SHANGHAI)


async def test_the_board_of_then_is_cut_to_whoever_asks_with_all_a_screen_needs_to_draw_it() -> None:
    async with past() as on:
        status, told = await on.ask(at=HOUR_AGO, known_at=HOUR_AGO)
        assert status == 200
        assert told["board"] == to_json(msgspec.structs.replace(SHOWN, people=[]), EVERYTHING), "nobody one by one"
        assert (told["at"], told["known_at"], told["server_now"]) == (AN_HOUR_AGO, AN_HOUR_AGO, NOON)
        assert told["time_zone"] == "Asia/Shanghai"
        assert told["page_turn_ms"] == settings().page_turn_ms
        _, narrow = await on.ask("for-acme", at=HOUR_AGO, known_at=HOUR_AGO)
        assert list(narrow["board"]["queues"]) == ["acme|chat"]
        assert "beta" not in str(narrow)
        assert on.boards.asked == [(AN_HOUR_AGO, AN_HOUR_AGO)], "made once, cut for each"
        assert (await on.client.get("/past.json", params={"at": HOUR_AGO})).status == 401


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"at": "noon"}, 400, "past_malformed"),
        ({}, 400, "past_malformed"),
        ({"at": HOUR_AGO, "known_at": "later"}, 400, "past_malformed"),
        ({"at": "2025-11-21T12:00:00.001"}, 400, "past_in_future"),
    ],
)
async def test_what_cannot_be_shown_is_said_with_a_word_of_the_glossary(
    query: dict[str, str], status: int, says: str
) -> None:
    async with past() as on:
        assert await on.ask(**query) == (status, {"says": says, "server_now": NOON})
        assert says in words()
        assert on.boards.asked == []


@pytest.mark.parametrize(("error", "status"), [(NothingThenError(), 404), (UnreadableError(), 503)])
async def test_what_the_record_cannot_tell_is_said_and_asked_for_anew_the_next_time(
    error: NothingThenError | UnreadableError, status: int
) -> None:
    async with past() as on:
        on.boards.error = error
        assert await on.ask(at=HOUR_AGO) == (status, {"says": error.says, "server_now": NOON})
        assert error.says in words()
        on.boards.error = None
        assert (await on.ask(at=HOUR_AGO))[0] == 200


async def test_an_answer_is_kept_for_a_while_and_only_so_many_are() -> None:
    async with past() as on:
        kept_ms, kept_max = (load_defaults().ms("board.past_kept"), load_defaults().int("board.past_kept_max"))
        await on.ask(at=HOUR_AGO)
        on.elapsed = kept_ms - 1
        await on.ask(at=HOUR_AGO)
        assert len(on.boards.asked) == 1
        on.elapsed = kept_ms
        await on.ask(at=HOUR_AGO)
        assert len(on.boards.asked) == 2
        for minute in range(kept_max):
            await on.ask(at=f"2025-11-20T10:{minute:02d}:00")
        await on.ask(at=HOUR_AGO)
        assert len(on.boards.asked) == kept_max + 3, "the oldest made room"


async def test_one_is_made_at_a_time_a_few_wait_and_the_next_is_told_to_come_back() -> None:
    async with past() as on, asyncio.TaskGroup() as tasks:
        waiting_max = load_defaults().int("board.past_waiting_max")
        on.boards.open.clear()
        twins = [tasks.create_task(on.ask(at=HOUR_AGO), name=f"twin[{n}]") for n in range(2)]
        others = [
            tasks.create_task(on.ask(at=f"2025-11-20T10:{n:02d}:00"), name=f"other[{n}]")
            for n in range(waiting_max - 2)
        ]
        await wait_until(lambda: on.boards.asked != [], what="the first question to be asked")
        await wait_until(lambda: on.door.turns.waiting == waiting_max, what="the others to wait")
        assert await on.ask(at="2025-11-20T09:00:00") == (503, {"says": "past_busy", "server_now": NOON})
        assert len(on.boards.asked) == 1
        on.boards.open.set()
        assert [(await each)[0] for each in (*twins, *others)] == [200] * waiting_max
        assert on.boards.asked.count((AN_HOUR_AGO, None)) == 1, "who asks for the same gets the same"


async def test_the_day_is_made_once_for_all_and_cut_to_whoever_asks() -> None:
    async with past() as on:
        status, told = await on.ask(path="/past-day.json")
        assert status == 200
        assert [choice["of"] for choice in told["choices"]] == ["acme", "acme|chat", "beta", "beta|chat"]
        assert (told["server_now"], told["few_judged"]) == (NOON, load_defaults().int("board.few_judged"))
        _, narrow = await on.ask("for-acme", path="/past-day.json", of="beta|chat")
        assert [choice["of"] for choice in narrow["choices"]] == ["acme", "acme|chat"]
        assert narrow["of"] == "acme", "what is not theirs is as if it were not there"
        assert "beta" not in str(narrow)
        assert narrow["troubles"] == [], "who sees no site sees none of its troubles"
        assert on.boards.asked == [(NOON, None)]
        assert (await on.client.get("/past-day.json")).status == 401


async def test_the_day_of_an_older_instant_is_another_one_and_what_cannot_be_shown_is_said() -> None:
    async with past() as on:
        assert (await on.ask(path="/past-day.json", until=HOUR_AGO))[0] == 200
        assert (await on.ask(path="/past-day.json"))[0] == 200
        assert on.boards.asked == [(AN_HOUR_AGO, None), (NOON, None)]
        assert await on.ask(path="/past-day.json", until="noon") == (
            400,
            {"says": "past_malformed", "server_now": NOON},
        )
        later = await on.ask(path="/past-day.json", until="2025-11-22T12:00:00")
        assert later == (400, {"says": "past_in_future", "server_now": NOON})
        on.boards.error = UnreadableError()
        on.elapsed = load_defaults().ms("board.past_kept")
        assert (await on.ask(path="/past-day.json"))[0] == 503


async def test_a_day_waits_for_the_board_that_is_being_made_and_counts_among_those_that_wait() -> None:
    async with past() as on, asyncio.TaskGroup() as tasks:
        waiting_max = load_defaults().int("board.past_waiting_max")
        on.boards.open.clear()
        asked = [
            tasks.create_task(on.ask(at=f"2025-11-20T10:{n:02d}:00"), name=f"board[{n}]") for n in range(waiting_max)
        ]
        await wait_until(lambda: on.door.turns.waiting == waiting_max, what="all of them to wait")
        assert await on.ask(path="/past-day.json") == (503, {"says": "past_busy", "server_now": NOON})
        assert len(on.boards.asked) == 1
        on.boards.open.set()
        assert [(await each)[0] for each in asked] == [200] * waiting_max
