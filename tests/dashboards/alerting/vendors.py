"""Messengers to speak to: they check what they are sent as their documents say, and write it down."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.servers import LOOPBACK, free_port


class Robot:
    """A custom robot of DingTalk: signature within an hour, twenty messages a minute, and always HTTP 200."""

    SECRET = "SEC000robot"

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.now_ms = 0
        self.answers: list[dict[str, Any]] = []
        self.url = ""
        self.asked = 0
        self.text = ""

    async def send(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.text:
            return web.Response(text=self.text)
        told = json.loads(await request.read())
        if self.answers:
            return web.json_response(self.answers.pop(0))
        if not self._is_signed(request):
            return web.json_response({"errcode": 310000, "errmsg": "sign not match"})
        self.taken.append(told)
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    def _is_signed(self, request: web.Request) -> bool:
        at = request.query.get("timestamp", "")
        mac = hmac.digest(self.SECRET.encode(), (at + "\n" + self.SECRET).encode(), "sha256")
        return request.query.get("sign") == base64.b64encode(mac).decode() and abs(int(at) - self.now_ms) <= 3_600_000


class Hook:
    """A webhook that checks signatures as Standard Webhooks describe them."""

    SECRET = "hook secret"

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.pages_shown = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.url = ""

    async def send(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked += 1
        await self.answers.wait()
        number, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        mac = hmac.new(self.SECRET.encode(), f"{number}.{at}.{body.decode()}".encode(), hashlib.sha256)
        if request.headers["webhook-signature"] != "v1," + base64.b64encode(mac.digest()).decode():
            return web.Response(status=401)
        if self.status == 200:
            self.taken.append(json.loads(body))
        if 300 <= self.status < 400:
            return web.Response(status=self.status, headers={"Location": "/login"})
        return web.Response(status=self.status)

    async def show(self, _: web.Request) -> web.Response:
        """The page to log in that a hook which moved leads to."""
        self.pages_shown += 1
        return web.Response(text="log in")


@asynccontextmanager
async def messengers() -> AsyncIterator[tuple[Robot, Hook]]:
    """Both, on a free port."""
    robot, hook = Robot(), Hook()
    app = web.Application()
    app.router.add_post("/robot/send", robot.send)
    app.router.add_post("/hook", hook.send)
    app.router.add_route("*", "/login", hook.show)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    robot.url, hook.url = (f"http://{LOOPBACK}:{port}/{path}" for path in ("robot/send?access_token=t", "hook"))
    try:
        yield robot, hook
    finally:
        hook.answers.set()
        await runner.cleanup()
