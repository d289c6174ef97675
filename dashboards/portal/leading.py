"""A supervisor's way to the screen of a team: live, person by person, with "I follow up" under their own staff number.

The screen is the one of dashboards.lead; whose people are seen comes from the account alone, as on every page here.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import quote

from aiohttp import web

from dashboards.lead.server import STATIC, LeadScreens
from dashboards.portal.accounts import Role
from dashboards.portal.doors import COOKIE, ROOT, Door, Visit
from dashboards.portal.sessions import Sessions
from dashboards.wallboard._core.sight import Shows, Sight
from dashboards.wallboard.pages import page_response
from dashboards.wallboard.server import NO_STORE
from wire.board import Tile
from wire.surge import LEAD

LEADERS: Final = frozenset({Role.SUPERVISOR})
"""Who may see people, and say that they look after somebody."""

Draw = Callable[..., web.Response]
"""Makes a page of a template: draw(name, visit, **shown)."""


class TeamLink(NamedTuple):
    """A team of one client in a list, both by name. waiting, overdue: None = nobody can say."""

    team: str
    name: str
    client: str
    address: str
    waiting: int | None
    overdue: int | None


class Leading:
    """The pages."""

    def __init__(self, screens: LeadScreens, sessions: Sessions, draw: Draw) -> None:
        self._screens: Final = screens
        self._sessions: Final = sessions
        self._draw: Final = draw

    def doors(self) -> tuple[Door, ...]:
        """All of them."""
        team = f"{ROOT}/team/{{team}}"
        door = partial(Door, roles=LEADERS, of_client=False, is_form=False)
        return (
            door(method="GET", path=f"{ROOT}/teams", page=self._teams),
            door(method="GET", path=team, page=self._team),
            door(method="GET", path=f"{team}/events", page=self._events),
            door(method="GET", path=f"{team}/follow-up", page=self._may),
            door(method="POST", path=f"{team}/follow-up", page=self._take),
            door(method="POST", path=f"{team}/seen", page=self._seen),
        )

    async def _teams(self, visit: Visit) -> web.StreamResponse:
        board = self._screens.wallboard.hub.board
        scope = None if visit.account is None else visit.account.scope
        seen = None if board is None or scope is None else Sight(scope=scope).cut(board)
        names = {} if seen is None else {tile.id: tile.name for tile in seen.clients}
        links = [] if seen is None else [_link(tile, names, visit.language) for tile in seen.teams]
        return self._draw("teams.html", visit, teams=sorted(links))

    async def _team(self, _: Visit) -> web.StreamResponse:
        return page_response(STATIC / "team.html", self._screens.wallboard.hub.settings.pages)

    async def _events(self, visit: Visit) -> web.StreamResponse:
        token = visit.request.cookies.get(COOKIE, "")
        may_look = partial(self._sessions.lasts, token)
        return await self._screens.wallboard.stream(visit.request, _sight(visit), may_look)

    async def _may(self, visit: Visit) -> web.StreamResponse:
        return web.json_response({"by": _staff(visit) if self._screens.can_follow else None}, headers=NO_STORE)

    async def _take(self, visit: Visit) -> web.StreamResponse:
        return await self._screens.follow(visit.request, _sight(visit), _staff(visit))

    async def _seen(self, visit: Visit) -> web.StreamResponse:
        return await self._screens.quiet(visit.request, _sight(visit), LEAD)


def _sight(visit: Visit) -> Sight:
    if visit.account is None:
        raise web.HTTPUnauthorized(headers=NO_STORE)
    return Sight(scope=visit.account.scope, shows=Shows.TEAM, team=visit.request.match_info["team"])


def _staff(visit: Visit) -> str | None:
    return None if visit.account is None else visit.account.staff or None


def _link(tile: Tile, clients: Mapping[str, str], language: str) -> TeamLink:
    live = tile.live
    return TeamLink(
        tile.id,
        tile.name,
        clients.get(tile.client, tile.client),
        f"{ROOT}/team/{quote(tile.id, safe='')}?lang={language}",
        None if live is None else live.waiting,
        None if live is None else live.overdue,
    )
