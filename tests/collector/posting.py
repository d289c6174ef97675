"""A door of its own over a running hub, and documents to post to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from collector.docs_http import DocsDoor
from collector.intake_http import HttpDoor, HttpSettings
from seatwatch.server.web import words
from tests.collector.running import TOKEN, Hub
from tests.collector.store import EPOCH, NOW, SOURCE

HTTP = HttpSettings(requests_per_s=1000, requests_burst=1000, body_timeout_ms=5000, retry_after_ms=1500)
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
MSGPACK = {**AUTHORISED, "Content-Type": "application/msgpack"}
WORDS = words()
Client = TestClient[web.Request, web.Application]


@asynccontextmanager
async def http_client(hub: Hub, settings: HttpSettings = HTTP) -> AsyncIterator[tuple[Client, HttpDoor]]:
    door = HttpDoor(hub.intake, hub.sources, settings, monotonic_s=lambda: 100.0)
    app = web.Application()
    app.add_routes([*door.routes(), *DocsDoor(WORDS).routes()])
    async with TestClient(TestServer(app)) as client:
        yield client, door


def document(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"source": SOURCE, "epoch": EPOCH.hex(), "items": list(items), **fields}


def said(sequence: int, **fields: Any) -> dict[str, Any]:
    return {"sequence": sequence, "kind": "customer_turn", "occurred_at": NOW, "conversation": "c-1", **fields}
