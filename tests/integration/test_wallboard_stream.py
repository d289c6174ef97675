"""The event stream over real sockets: what a screen is sent, what a slow one is not, and how it all ends."""

import asyncio
import json
import socket
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
from aiohttp import web

from dashboards.wallboard._core.board import View, apply, to_json
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.server import install
from tests.dashboards.boards import NOON, board, floor, tile
from tests.dashboards.served import clock_ms, settings, wallboard
from tests.servers import Server, run_prometheus
from tests.waiting import wait_until, wait_until_blocking
from wire.board import Board
from wire.scope import EVERYTHING

STOP_S = 2.0
SHARE = (
    'seatwatch_first_response_seconds_bucket{le="10.0", queue="queue-000"}'
    " / on(client, queue) seatwatch_first_response_seconds_count"
)


class Floor:
    """A running wallboard server in this process."""

    def __init__(self, hub: Hub, runner: web.AppRunner, port: int) -> None:
        self.hub = hub
        self.runner = runner
        self.port = port
        self.base = f"http://127.0.0.1:{port}"


@asynccontextmanager
async def running_floor(shown: Board | None = None, **changes: int) -> AsyncIterator[Floor]:
    hub = Hub(settings(**changes), boot_id="b1", clock_ms=clock_ms)
    app = web.Application()
    install(app, wallboard(hub, board=shown))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Floor(hub, runner, runner.addresses[0][1])
    finally:
        await runner.cleanup()


class Reader:
    """A screen: reads events and applies them as the page does."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content
        self.view: View | None = None
        self.names: list[str] = []

    async def event(self) -> tuple[str, dict[str, Any]]:
        """The next event and its data."""
        fields: dict[str, str] = {}
        while line := (await self._content.readline()).decode():
            if line == "\n":
                if "event" in fields:
                    break
                continue
            name, _, text = line.rstrip("\n").partition(": ")
            fields[name] = text
        else:
            raise EOFError
        name, data = fields["event"], json.loads(fields["data"])
        self.names.append(name)
        if name == "hello":
            self.view = data["board"]
        elif name == "delta":
            assert self.view is not None
            self.view = apply(self.view, data)
        return name, data

    async def until(self, as_of: int) -> View:
        """The view once it is of `as_of`."""
        while self.view is None or self.view["as_of"] != as_of:
            await self.event()
        return self.view


@asynccontextmanager
async def screen(on: Floor) -> AsyncIterator[Reader]:
    timeout = aiohttp.ClientTimeout(total=30)
    async with (
        aiohttp.ClientSession(read_bufsize=2**20, timeout=timeout) as session,
        session.get(f"{on.base}/events") as answer,
    ):
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        yield Reader(answer.content)


async def test_a_screen_gets_the_whole_board_then_differences_and_ends_up_with_the_newest() -> None:
    boards = [floor(Random(seed), queues=20, now=NOON + seed) for seed in range(8)]
    async with running_floor() as on, screen(on) as reader:
        on.hub.publish(boards[0])
        assert await reader.until(NOON) == to_json(boards[0], EVERYTHING)
        for shown in boards[1:]:
            on.hub.publish(shown)
        assert await reader.until(NOON + 7) == to_json(boards[7], EVERYTHING)
        assert reader.names.count("hello") == 2, "once before there was a board, once with it"
        assert "delta" in reader.names


async def test_boards_made_faster_than_the_push_interval_are_merged_and_the_newest_wins() -> None:
    async with running_floor(push_interval_ms=200) as on, screen(on) as reader:
        for step in range(50):
            on.hub.publish(board(NOON + step, entries=step))
        await reader.until(NOON + 49)
        assert on.hub.figures().frames <= 2


async def test_a_tick_comes_every_second_even_when_nothing_is_published() -> None:
    async with running_floor(tick_interval_ms=50) as on, screen(on) as reader:
        assert (await reader.event())[0] == "hello"
        ticks = [await reader.event() for _ in range(4)]
        assert {name for name, _ in ticks} == {"tick"}
        assert ticks[0][1]["as_of"] is None
        assert ticks[0][1]["server_now"] < ticks[3][1]["server_now"]


async def test_a_late_screen_starts_with_the_newest_board() -> None:
    async with running_floor() as on:
        on.hub.publish(board(NOON + 5, queues=[tile()]))
        async with screen(on) as reader:
            name, data = await reader.event()
            assert (name, data["board"]["as_of"], data["boot_id"]) == ("hello", NOON + 5, "b1")


@asynccontextmanager
async def stalled_screen(on: Floor) -> AsyncIterator[socket.socket]:
    """A screen that asks for the stream and then reads nothing."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        connection.setblocking(False)
        before = on.hub.figures().connected
        await loop.sock_connect(connection, ("127.0.0.1", on.port))
        await loop.sock_sendall(connection, b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await wait_until(lambda: on.hub.figures().connected > before, what="the stalled screen to connect")
        yield connection


async def read_to(connection: socket.socket, as_of: int) -> tuple[View, int]:
    """Read the stalled screen's bytes until its view is of `as_of`: that view, and how many bytes it took."""
    loop = asyncio.get_running_loop()
    received, rest, view = 0, b"", View()
    while view.get("as_of") != as_of:
        more = await loop.sock_recv(connection, 65_536)
        assert more, "the stream ended early"
        received += len(more)
        *lines, rest = (rest + more).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                data = json.loads(line[6:])
                view = data["board"] if "board" in data else apply(view, data) if "changes" in data else view
    return view, received


async def test_a_slow_screen_is_sent_the_newest_board_and_never_a_backlog() -> None:
    boards = [floor(Random(seed), queues=60, now=NOON + seed) for seed in range(40)]
    whole = sum(len(json.dumps(to_json(shown, EVERYTHING))) for shown in boards)
    async with running_floor(push_interval_ms=1, socket_buffer_bytes=8_192) as on, screen(on) as quick:
        on.hub.publish(boards[0])
        async with stalled_screen(on) as stalled:
            for shown in boards[1:]:
                on.hub.publish(shown)
                await quick.until(shown.as_of)
            view, received = await read_to(stalled, boards[-1].as_of)
        assert view == quick.view == to_json(boards[-1], EVERYTHING), "skipping left no trace in what is shown"
        assert received < whole / 10, "the past was not sent"
        assert on.hub.figures().frames_dropped > len(boards) / 2


async def test_a_screen_that_takes_nothing_for_long_is_let_go() -> None:
    async with running_floor(
        push_interval_ms=1, socket_buffer_bytes=4_096, write_timeout_ms=300, tick_interval_ms=50
    ) as on:
        on.hub.publish(floor(Random(0)))
        async with stalled_screen(on):
            await wait_until(lambda: on.hub.figures().connected == 0, what="the stalled screen to be let go")
    assert on.hub.figures().connected == 0


async def test_the_server_stops_within_two_seconds_with_screens_connected_one_of_them_stuck() -> None:
    loop = asyncio.get_running_loop()
    async with running_floor(socket_buffer_bytes=4_096) as on, screen(on) as quick:
        on.hub.publish(floor(Random(0)))
        await quick.until(NOON)
        async with stalled_screen(on):
            started = loop.time()
            await on.runner.cleanup()
            assert loop.time() - started < STOP_S
    assert on.hub.figures().connected == 0


def query(server: Server, expression: str) -> list[dict[str, Any]]:
    address = f"http://{server.host}:{server.port}/api/v1/query?query={urllib.parse.quote(expression)}"
    with urllib.request.urlopen(address, timeout=5) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


async def test_a_real_prometheus_scrapes_the_metrics_and_finds_the_share_within_ten_seconds(tmp_path: Path) -> None:
    shown = floor(Random(3), queues=5, teams=2, sites=2)
    totals = shown.queues[0].totals
    assert totals is not None
    async with running_floor(shown) as on:
        on.hub.publish(shown)

        def scraped() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
            with run_prometheus(tmp_path, targets={"seatwatch": f"127.0.0.1:{on.port}"}) as prometheus:
                wait_until_blocking(lambda: query(prometheus, 'up{job="seatwatch"} == 1'), what="a first scrape")
                return query(prometheus, SHARE), query(prometheus, "seatwatch_site_state == 1"), query(prometheus, "up")

        ratio, sites, up = await asyncio.to_thread(scraped)
    assert [item["value"][1] for item in up] == ["1"]
    assert float(ratio[0]["value"][1]) == totals.met / totals.judged
    assert {item["metric"]["site"]: item["metric"]["state"] for item in sites} == {s.id: s.state for s in shown.sites}
