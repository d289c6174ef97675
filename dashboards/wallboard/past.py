"""The board of a past instant, for the shift review: `GET /past.json?at=`.

Making one takes seconds and is somebody else's work (`PastBoards`). Here it is asked for one at a time, few may wait,
and what was made is kept a while, so that a screen left on a past instant or a slider costs the live ones nothing.

* PastError: nothing to show. `says` is a key of the glossary, `status` the HTTP status.
  InFutureError, MalformedError (the reader's to cure), NothingThenError, BusyError, UnreadableError (the world's).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from dashboards.wallboard._core.board import to_json
from dashboards.wallboard._core.sight import Sight
from dashboards.wallboard.access import Access
from dashboards.wallboard.pages import page_response
from dashboards.wallboard.settings import PastSettings, WallboardSettings
from wire.board import Board
from wire.limits import INSTANT_MAX_MS
from wire.scope import Scope

NO_STORE: Final = {"Cache-Control": "no-store"}
_MS_PER_S: Final = 1_000


class PastError(Exception):
    """There is nothing to show."""

    says = ""
    status = web.HTTPBadRequest.status_code


class MalformedError(PastError):
    """What was asked for is no instant."""

    says = "past_malformed"


class InFutureError(PastError):
    """The instant has not come yet."""

    says = "past_in_future"


class NothingThenError(PastError):
    """The record begins later, and nothing that came in since is of that time."""

    says = "past_nothing_then"
    status = web.HTTPNotFound.status_code


class BusyError(PastError):
    """Enough others are waiting for theirs."""

    says = "past_busy"
    status = web.HTTPServiceUnavailable.status_code


class UnreadableError(PastError):
    """It took too long, or the record could not be read."""

    says = "past_unreadable"
    status = web.HTTPServiceUnavailable.status_code


class PastBoards(Protocol):
    """Whoever reads the record."""

    async def board(self, at: int, known_at: int | None) -> Board:
        """The board at `at` (ms), as far as known at `known_at` (ms; None = by now), with its names.

        Raises NothingThenError, UnreadableError.
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
        self._elapsed_ms: Final = elapsed_ms
        self._one_by_one: Final = asyncio.Lock()
        self.waiting = 0
        """Questions that are not answered yet."""
        self._kept: Final[dict[tuple[int, int | None], tuple[int, Board]]] = {}

    def routes(self) -> list[web.AbstractRouteDef]:
        """The one there is."""
        return [web.get("/past.json", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """The board of `?at=`, as far as known at `?known_at=`, and what a screen needs to draw it."""
        scope = self._access.scope_of_request(request)
        if scope is None:
            raise web.HTTPUnauthorized(headers={**NO_STORE, "WWW-Authenticate": "Bearer"})
        return await self.told(request, scope)

    def page(self, file: Path) -> web.Response:
        """The page in `file`, which asks for them."""
        return page_response(file, self._screen.pages)

    async def told(self, request: web.Request, scope: Scope) -> web.Response:
        """The same for somebody who may see `scope`, by whatever credential."""
        try:
            at, known_at = self._asked(request)
            board = await self._board(at, known_at)
        except PastError as error:
            told: dict[str, Any] = {"says": error.says, "server_now": self._clock_ms()}
            return web.json_response(told, status=error.status, headers=NO_STORE)
        answer = {
            "at": at,
            "known_at": known_at,
            "server_now": self._clock_ms(),
            "time_zone": self._screen.time_zone,
            "few_judged": self._screen.few_judged,
            "span_ms": self._settings.past_span_ms,
            "sees_sites": scope.sees_sites(),
            "board": to_json(Sight(scope=scope).cut(board), scope),
        }
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json", headers=NO_STORE)

    def _asked(self, request: web.Request) -> tuple[int, int | None]:
        known = request.query.get("known_at")
        at = instant_of(request.query.get("at", ""), self._zone)
        known_at = None if known is None else instant_of(known, self._zone)
        if at > self._clock_ms():
            raise InFutureError
        return at, known_at

    async def _board(self, at: int, known_at: int | None) -> Board:
        key = at, known_at
        kept = self._fresh(key)
        if kept is not None:
            return kept
        if self.waiting >= self._settings.past_waiting_max:
            raise BusyError
        self.waiting += 1
        try:
            async with self._one_by_one:
                kept = self._fresh(key)
                if kept is not None:
                    return kept
                board = await self._boards.board(at, known_at)
        finally:
            self.waiting -= 1
        self._kept.pop(key, None)
        while len(self._kept) >= self._settings.past_kept_max:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = self._elapsed_ms(), board
        return board

    def _fresh(self, key: tuple[int, int | None]) -> Board | None:
        made_at, board = self._kept.get(key, (None, None))
        if made_at is None or self._elapsed_ms() - made_at >= self._settings.past_kept_ms:
            return None
        return board
