"""A wallboard server that does what a test tells it: `python -m tests.dashboards.served PORT [TOKEN CLIENT]`.

`PUT /control` takes `{"board": <Board as JSON> | null, "live": true | false, "layouts": {}}`. A live board is
published over and over with its times moved to now, as a running engine would; otherwise nothing more is published.
"""

import asyncio
import dataclasses
import hashlib
import sys
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from aiohttp import web

from dashboards.exporter import Exporter
from dashboards.lead.leaders import Leaders
from dashboards.lead.server import LeadScreens
from dashboards.snapshot import IntakeFigures, LedgerFigures, Snapshot
from dashboards.wallboard._core.layout import Layout
from dashboards.wallboard.access import Access
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.layouts import LayoutDoor
from dashboards.wallboard.server import Wallboard, install
from dashboards.wallboard.settings import WallboardSettings
from seatwatch.glossary import words
from seatwatch.server.screens import wallboard_settings
from seatwatch.settings import load_defaults
from wire.board import Board, PersonTile, Tile
from wire.scope import Scope

REPUBLISH_S = 0.2


TEAM_NAMES = {"zh/t-quiet": "\u591c\u73ed\u7ec4", "en/t-quiet": "Night team"}
"""What the configuration calls a team that no board has."""


class Control(msgspec.Struct):
    """What to show from now on."""

    board: Board | None
    live: bool = True
    layouts: dict[str, Layout] = {}


def settings(**changes: Any) -> WallboardSettings:
    """The shipped settings, with `changes`."""
    return dataclasses.replace(wallboard_settings(load_defaults()), **changes)


def screen_words() -> dict[str, dict[str, str]]:
    """The glossary as the wallboard takes it."""
    return {
        "zh-CN": {key: word.zh for key, word in words().items()},
        "en": {key: word.en for key, word in words().items()},
    }


def clock_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - this process stands for the wiring, which has a clock


def wallboard(hub: Hub, *, access: Access | None = None, board: Board | None = None) -> Wallboard:
    """A wallboard around `hub` whose scrape shows `board`."""
    exporter = Exporter(
        lambda: Snapshot(
            now_ms=clock_ms(),
            board=board,
            intake=IntakeFigures(accepted=3),
            ledgers=[LedgerFigures(ledger="acme", entries=3, folded=3)],
            screens=hub.figures(),
        ),
        version="0.1.0",
        ids_max=load_defaults().int("metrics.series_cap"),
    )
    return Wallboard(
        hub,
        access=access or Access({}),
        words=screen_words(),
        metrics=exporter,
        alive=list,
        ready=lambda: [] if hub.board_json(Scope()) else ["no board yet"],
    )


def moved(shown: Board, by_ms: int) -> Board:
    """`shown` with every instant later by `by_ms`."""

    def later(instant: int | None) -> int | None:
        return None if instant is None else instant + by_ms

    def tile(one: Tile) -> Tile:
        live = one.live and msgspec.structs.replace(
            one.live,
            oldest_since=later(one.live.oldest_since),
            next_due_at=later(one.live.next_due_at),
            overdue_since=later(one.live.overdue_since),
            oldest_due_at=later(one.live.oldest_due_at),
        )
        return msgspec.structs.replace(one, live=live, stale_since=later(one.stale_since))

    return msgspec.structs.replace(
        shown,
        as_of=shown.as_of + by_ms,
        computed_at=shown.computed_at + by_ms,
        clients=[tile(one) for one in shown.clients],
        queues=[tile(one) for one in shown.queues],
        teams=[tile(one) for one in shown.teams],
        people=[
            msgspec.structs.replace(
                one,
                since=later(one.since),
                oldest_since=later(one.oldest_since),
                due_at=later(one.due_at),
                stale_since=later(one.stale_since),
                followed_at=later(one.followed_at),
            )
            for one in shown.people
        ],
        sites=[msgspec.structs.replace(one, since=one.since + by_ms if one.since else 0) for one in shown.sites],
    )


class Publisher:
    """Publishes what it was last told, for as long as it is told to."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._control = Control(board=None)
        self._base = 0

    async def take(self, request: web.Request) -> web.Response:
        """`PUT /control`. The board's instants are taken as if its as_of were now."""
        self._control = msgspec.json.decode(await request.read(), type=Control)
        if self._control.board is not None:
            self._base = clock_ms() - self._control.board.as_of
            self._hub.publish(moved(self._control.board, self._base))
        return web.json_response({"screens": self._hub.figures().connected})

    async def follow(self, tile: PersonTile, by: str) -> None:
        """What the engine makes of a follow-up: it shows on the person and on the tiles of the team."""
        shown = self._control.board
        if shown is None:
            raise web.HTTPServiceUnavailable
        at = clock_ms() - self._base
        self._control.board = msgspec.structs.replace(
            shown,
            people=[
                msgspec.structs.replace(one, followed_at=at, followed_by=by) if one.id == tile.id else one
                for one in shown.people
            ],
            teams=[
                msgspec.structs.replace(one, followed=one.followed + 1) if one.id == tile.team else one
                for one in shown.teams
            ],
        )

    def layouts(self) -> Mapping[str, Layout]:
        """The layouts it was last told."""
        return self._control.layouts

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        """Lifetime of the republishing task."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._republish(), name="publisher.republish")
            yield
            task.cancel()

    async def _republish(self) -> None:
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        while True:
            wake.clear()
            loop.call_later(REPUBLISH_S, wake.set)
            await wake.wait()
            shown = self._control.board
            if shown is not None and self._control.live:
                # waits grow as they would: only the instant up to which the board is true moves on
                now = clock_ms()
                self._hub.publish(msgspec.structs.replace(moved(shown, self._base), as_of=now, computed_at=now))


def main() -> None:
    """Serve until stopped."""
    port, *token = sys.argv[1:]
    access = Access(
        {hashlib.sha256(token[0].encode()).hexdigest(): Scope(clients=frozenset(token[1:]))} if token else {}
    )
    hub = Hub(settings(), boot_id=f"test-{clock_ms()}", clock_ms=clock_ms, team_names=TEAM_NAMES)
    publisher = Publisher(hub)
    app = web.Application(client_max_size=8 * 2**20)
    served = wallboard(hub, access=access)
    install(app, served)
    leaders = {} if not token else {hashlib.sha256(token[0].encode()).hexdigest(): "lead-one"}
    app.add_routes(LeadScreens(served, Leaders(access, leaders), publisher.follow).routes())
    app.add_routes(LayoutDoor(publisher.layouts, access).routes())
    app.router.add_put("/control", publisher.take)
    app.cleanup_ctx.append(publisher.run)
    web.run_app(app, host="127.0.0.1", port=int(port), print=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
