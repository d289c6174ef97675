"""A server over a data directory, as far as commands that write through it can tell."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.intake import Intake
from collector.intake_http import HttpSettings, routes
from collector.maintenance_http import MaintenanceDoor
from collector.roster_http import RosterDoor
from collector.sources import token_hash
from seatwatch.clock import now_ms
from seatwatch.importing import import_sources, import_token, local_intake
from seatwatch.runtime_file import Runtime, write_runtime
from seatwatch.settings import load_defaults


def _application(intake: Intake, token_digest: str) -> web.Application:
    app = web.Application()
    settings = load_defaults().fill(HttpSettings, "collector", prefix="http_", retry_after_ms=1000)
    app.add_routes(routes(intake, intake.sources, settings))
    app.add_routes(RosterDoor(intake, token_digest).routes())
    app.add_routes(MaintenanceDoor(intake, token_digest, now_ms).routes())
    return app


@contextmanager
def a_server(data: Path) -> Iterator[None]:
    """Ledgers held by another thread of this process, reachable by HTTP as `seatwatch up` is."""
    ready, stop = Event(), Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        defaults = load_defaults()
        token = import_token(data).read_text(encoding="utf-8").strip()
        sources = import_sources(["acme"], token_hash(token))
        async with (
            local_intake(data, ["acme"], sources, defaults) as local,
            TestServer(_application(local.intake, token_hash(token))) as server,
        ):
            write_runtime(data, Runtime(os.getpid(), "boot", str(server.make_url("")), 0, str(import_token(data))))
            ready.set()
            await asyncio.to_thread(stop.wait)

    def in_thread() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - told in the thread that waits for it
            failed.append(error)
            ready.set()

    thread = Thread(target=in_thread, name="server")
    thread.start()
    try:
        assert ready.wait(20)
        assert not failed
        yield
    finally:
        stop.set()
        thread.join(20)
