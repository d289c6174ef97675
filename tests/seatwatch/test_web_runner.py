"""A connection that asks for nothing is closed, and so is half a form; one that waits for its answer is not."""

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web

from seatwatch.server.web_runner import forms_in_time, web_runner
from seatwatch.settings import Defaults, load_defaults
from tests.servers import LOOPBACK, free_port


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: hub\r\nX-Slow: ", b"G"])
async def test_half_a_request_holds_no_connection_and_an_answer_under_way_is_not_cut(sent: bytes) -> None:
    shipped = load_defaults()
    soon = Defaults({**shipped, "board.idle": replace(shipped["board.idle"], value=0.05)})
    closed = asyncio.Event()

    async def patient(_: web.Request) -> web.Response:
        await closed.wait()
        return web.Response(text="in the end")

    app = web.Application()
    app.router.add_get("/", patient)
    runner = web_runner(app, soon)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        waiting, asked = await asyncio.open_connection(LOOPBACK, port)
        asked.write(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n")
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(sent)
        assert await reader.read() == b"", "closed without a word"
        closed.set()
        assert (await waiting.readline()).startswith(b"HTTP/1.1 200")
        assert b"in the end" in await waiting.read(), "and closed in turn when nothing more is asked"
        for each in (asked, writer):
            each.close()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("sent", "answered"),
    [(b"token=sw_", b"HTTP/1.1 408"), (b"", b"HTTP/1.1 408"), (b"token=sw_whole&x=", b"HTTP/1.1 200")],
)
async def test_half_a_form_is_given_up_and_a_whole_one_reaches_its_page(sent: bytes, answered: bytes) -> None:
    shipped = load_defaults()
    timeout = replace(shipped["collector.http_body_timeout"], value=0.05)
    soon = Defaults({**shipped, "collector.http_body_timeout": timeout})

    async def sign_in(request: web.Request) -> web.Response:
        return web.Response(text=str((await request.post())["token"]))

    app = web.Application(middlewares=[forms_in_time(soon)])
    app.router.add_post("/sign-in", sign_in)
    runner = web_runner(app, soon)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        head = b"POST /sign-in HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        writer.write(head + b"Content-Length: 17\r\n\r\n" + sent)
        assert (await reader.readline()).startswith(answered)
        writer.close()
    finally:
        await runner.cleanup()
