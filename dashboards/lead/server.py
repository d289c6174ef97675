"""`/team/N`, `/map` and their doors, beside the wallboard's: its access, its event streams, its words.

Their routes go into the application that has the wallboard.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from dashboards.lead.leaders import Leaders
from dashboards.wallboard._core.sight import Shows, Sight
from dashboards.wallboard.forms import posted_json, require_json
from dashboards.wallboard.server import NO_STORE, Wallboard, fingerprint
from wire.board import PersonTile

STATIC: Final = Path(__file__).with_name("static")

FollowUp = Callable[[PersonTile, str], Awaitable[None]]
"""Puts on record that somebody (by name) looks after a person and what they owe. Raises HTTPServiceUnavailable."""


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """person: key of the tile that was clicked."""

    person: str


class _Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """teams: by the key of their tile, since when (ms) the surge goes on that was seen."""

    teams: dict[str, int]


_asked: Final = msgspec.json.Decoder(_Asked)
_seen: Final = msgspec.json.Decoder(_Seen)


class LeadScreens:
    """The handlers. follow_up: None in a process that cannot write the record."""

    def __init__(self, wallboard: Wallboard, leaders: Leaders, follow_up: FollowUp | None) -> None:
        self._wallboard: Final = wallboard
        self._leaders: Final = leaders
        self._follow_up: Final = follow_up
        # a change of these files, too, is a reason for a screen to load itself anew
        wallboard.hub.page += fingerprint(STATIC)

    def routes(self) -> list[web.AbstractRouteDef]:
        """All of them."""
        return [
            web.get("/map", self.floor_page),
            web.get("/map/events", self.floor_events),
            web.get("/team/{team}", self.team_page),
            web.get("/team/{team}/events", self.team_events),
            web.get("/team/{team}/follow-up", self.may),
            web.post("/team/{team}/follow-up", self.take),
            web.post("/seen", self.seen),
            web.static("/lead", STATIC),
        ]

    async def team_page(self, request: web.Request) -> web.StreamResponse:
        """One team, person by person."""
        return self._wallboard.shell(request, STATIC / "team.html")

    async def floor_page(self, request: web.Request) -> web.StreamResponse:
        """The floor, seat by seat."""
        return self._wallboard.shell(request, STATIC / "map.html")

    async def team_events(self, request: web.Request) -> web.StreamResponse:
        """The event stream of one team's screen."""
        return await self._wallboard.stream(request, self._sight(request))

    async def floor_events(self, request: web.Request) -> web.StreamResponse:
        """The event stream of a seat map."""
        sight = Sight(scope=self._wallboard.scope(request), shows=Shows.FLOOR)
        return await self._wallboard.stream(request, sight)

    async def may(self, request: web.Request) -> web.Response:
        """Under which name the caller may look after somebody: `{"by": null}` shows no button."""
        self._wallboard.scope(request)
        by = None if self._follow_up is None else self._leaders.name_of(request)
        return web.json_response({"by": by}, headers=NO_STORE)

    async def take(self, request: web.Request) -> web.Response:
        """Look after one person of the team. Who is looked after already stays with whoever said so first.

        JSON alone is taken, which no page of another site can send with our cookie.
        """
        return await self.follow(request, self._sight(request), self._leaders.name_of(request))

    async def seen(self, request: web.Request) -> web.Response:
        """Somebody before a screen has seen its alarms. The one thing a device may say, and in no record."""
        scope = self._wallboard.scope(request)
        return await self.quiet(request, Sight(scope=scope), self._leaders.screen_of(request))

    async def quiet(self, request: web.Request, sight: Sight, by: str) -> web.Response:
        """What `seen` does, for whoever may see `sight`."""
        require_json(request)
        hub = self._wallboard.hub
        said = await posted_json(request, hub.settings.sign_in_bytes_max, _seen)
        hub.quiet(sight, said.teams, by)
        return web.Response(status=web.HTTPNoContent.status_code, headers=NO_STORE)

    @property
    def wallboard(self) -> Wallboard:
        """Whose streams and boards these are."""
        return self._wallboard

    @property
    def can_follow(self) -> bool:
        """Whether this process can put it on record."""
        return self._follow_up is not None

    async def follow(self, request: web.Request, sight: Sight, by: str | None) -> web.Response:
        """What `take` does, for whoever may see `sight` and is recorded as `by`, None = who may not."""
        if by is None:
            raise web.HTTPForbidden(headers=NO_STORE)
        require_json(request)
        if self._follow_up is None:
            raise web.HTTPServiceUnavailable(headers=NO_STORE)
        asked = await posted_json(request, self._wallboard.hub.settings.sign_in_bytes_max, _asked)
        tile = self._person(sight, asked.person)
        if tile.followed_at is None:
            await self._follow_up(tile, by)
        return web.json_response({"by": tile.followed_by or by}, headers=NO_STORE)

    def _sight(self, request: web.Request) -> Sight:
        team = request.match_info["team"]
        return Sight(scope=self._wallboard.scope(request), shows=Shows.TEAM, team=team)

    def _person(self, sight: Sight, key: str) -> PersonTile:
        """The person as the newest board has them, within what the caller may see."""
        board = self._wallboard.hub.board
        people = () if board is None else sight.cut(board).people
        found = next((tile for tile in people if tile.key == key), None)
        if found is None:
            raise web.HTTPNotFound(headers=NO_STORE)
        return found
