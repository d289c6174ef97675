"""The past for the shift review: `GET /past.json?at=`, the board of an instant, and `GET /past-day.json`, the day.

Making one takes seconds and is somebody else's work (`PastBoards`). Here it is asked for one at a time, few may wait,
and what was made is kept a while, so that a screen left on a past instant or a slider costs the live ones nothing.
What cannot be shown is said: past_errors.py.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from dashboards.wallboard._core.board import to_json
from dashboards.wallboard._core.day import day_for
from dashboards.wallboard._core.sight import Sight
from dashboards.wallboard.access import Access
from dashboards.wallboard.pages import page_response
from dashboards.wallboard.past_errors import InFutureError, MalformedError, PastError
from dashboards.wallboard.past_made import Kept, Turns
from dashboards.wallboard.settings import PastSettings, WallboardSettings
from wire.board import Board
from wire.day_curve import DayCurve
from wire.limits import INSTANT_MAX_MS
from wire.scope import Scope

NO_STORE: Final = {"Cache-Control": "no-store"}
_MS_PER_S: Final = 1_000


class PastBoards(Protocol):
    """Whoever reads the record."""

    async def board(self, at: int, known_at: int | None) -> Board:
        """The board at `at` (ms), as far as known at `known_at` (ms; None = by now), with its names.

        Raises NothingThenError, UnreadableError.
        """
        ...

    async def day(self, until: int, span_ms: int) -> DayCurve:
        """How the `span_ms` up to `until` (ms) went, with all that is known by now and with names.

        Raises UnreadableError.
        """
        ...


def instant_of(text: str, zone: ZoneInfo) -> int:
    """Ms since the epoch of an ISO date-time, in `zone` unless it states an offset. Raises MalformedError.

    An address turns the plus of an offset into a space: `2026-11-21T11:00:00 08:00` is read as it was meant.
    """
    head, separator, time = text.strip().partition("T")
    try:
        moment = datetime.fromisoformat(head + separator + time.replace(" ", "+"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        at = round(moment.timestamp() * _MS_PER_S)
    except (ValueError, OverflowError):
        raise MalformedError(text) from None
    if not 0 <= at < INSTANT_MAX_MS:
        raise MalformedError(text)
    return at


class PastDoor:
    """The handler. clock_ms: wall clock, ms since the Unix epoch. elapsed_ms: time that nobody sets back."""

    def __init__(
        self,
        boards: PastBoards,
        access: Access,
        settings: PastSettings,
        screen: WallboardSettings,
        *,
        clock_ms: Callable[[], int],
        elapsed_ms: Callable[[], int],
    ) -> None:
        self._boards: Final = boards
        self._access: Final = access
        self._settings: Final = settings
        self._screen: Final = screen
        self._zone: Final = ZoneInfo(screen.time_zone)
        self._clock_ms: Final = clock_ms
        self.turns: Final = Turns(settings, elapsed_ms)
        self._kept: Final = Kept(self.turns, self._make_board)
        self._days: Final = Kept(self.turns, self._make_day)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Those there are."""
        return [web.get("/past.json", self.show), web.get("/past-day.json", self.show_day)]

    async def show(self, request: web.Request) -> web.Response:
        """The board of `?at=`, as far as known at `?known_at=`, and what a screen needs to draw it."""
        return await self.told(request, self._scope(request))

    async def show_day(self, request: web.Request) -> web.Response:
        """How the day up to `?until=` went, without it the last one; `?of=`: a client or one of its queues."""
        return await self.told_day(request, self._scope(request))

    def _scope(self, request: web.Request) -> Scope:
        scope = self._access.scope_of_request(request)
        if scope is None:
            raise web.HTTPUnauthorized(headers={**NO_STORE, "WWW-Authenticate": "Bearer"})
        return scope

    def page(self, file: Path) -> web.Response:
        """The page in `file`, which asks for them."""
        return page_response(file, self._screen.pages)

    async def told(self, request: web.Request, scope: Scope) -> web.Response:
        """The same for somebody who may see `scope`, by whatever credential."""
        try:
            at, known_at = self._asked(request)
            board = await self._kept.get((at, known_at))
        except PastError as error:
            return self._nothing(error)
        answer = {
            "at": at,
            "known_at": known_at,
            "server_now": self._clock_ms(),
            "time_zone": self._screen.time_zone,
            "few_judged": self._screen.few_judged,
            "span_ms": self._settings.past_span_ms,
            "page_turn_ms": self._screen.page_turn_ms,
            "sees_sites": scope.sees_sites(),
            "board": to_json(Sight(scope=scope).cut(board), scope),
        }
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json", headers=NO_STORE)

    async def told_day(self, request: web.Request, scope: Scope) -> web.Response:
        """The day for somebody who may see `scope`."""
        try:
            until = request.query.get("until")
            day = await self._days.get(None if until is None else self._no_later_than_now(until))
        except PastError as error:
            return self._nothing(error)
        answer = {
            "server_now": self._clock_ms(),
            "few_judged": self._screen.few_judged,
            **day_for(day, scope, request.query.get("of", "")),
        }
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json", headers=NO_STORE)

    def _nothing(self, error: PastError) -> web.Response:
        told: dict[str, Any] = {"says": error.says, "server_now": self._clock_ms()}
        return web.json_response(told, status=error.status, headers=NO_STORE)

    def _asked(self, request: web.Request) -> tuple[int, int | None]:
        known = request.query.get("known_at")
        at = self._no_later_than_now(request.query.get("at", ""))
        return at, None if known is None else instant_of(known, self._zone)

    def _no_later_than_now(self, text: str) -> int:
        at = instant_of(text, self._zone)
        if at > self._clock_ms():
            raise InFutureError
        return at

    async def _make_board(self, asked: tuple[int, int | None]) -> Board:
        return await self._boards.board(*asked)

    async def _make_day(self, until: int | None) -> DayCurve:
        """until: None = now."""
        return await self._boards.day(self._clock_ms() if until is None else until, self._settings.past_span_ms)
