"""The door to layouts: what one TV shows, and how its pages turn.

`GET /layout.json?name=` gives one as far as whoever asks may see it; without a name, the one of the device that asks.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from aiohttp import web

from dashboards.wallboard._core.layout import TEAM, Layout
from dashboards.wallboard.access import Access
from wire.scope import Scope

NO_STORE: Final = {"Cache-Control": "no-store"}


Layouts = Callable[[], Mapping[str, Layout]]
"""The layouts there are now, by name."""


class LayoutDoor:
    """The handler."""

    def __init__(self, layouts: Layouts, access: Access) -> None:
        self._layouts: Final = layouts
        self._access: Final = access

    def routes(self) -> list[web.AbstractRouteDef]:
        """The one there is."""
        return [web.get("/layout.json", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """The layout as JSON, null where neither address nor device names one or nothing is left of it to be seen.

        404 where nobody knows it.
        """
        scope = self._access.scope_of_request(request)
        if scope is None:
            raise web.HTTPUnauthorized(headers={**NO_STORE, "WWW-Authenticate": "Bearer"})
        device = self._access.device_of(request)
        name = request.query.get("name") or ("" if device is None else device.layout)
        found = self._layouts().get(name)
        if name and found is None:
            raise web.HTTPNotFound(headers=NO_STORE)
        seen = None if found is None else _seen(found, scope)
        body = msgspec.json.encode(seen if seen is not None and seen.pages else None)
        return web.Response(body=body, content_type="application/json", headers=NO_STORE)


def _seen(layout: Layout, scope: Scope) -> Layout:
    """Without the ids of what the reader may not see, and without the screens of teams they may not see."""
    pages = [
        msgspec.structs.replace(
            page,
            clients=_those(page.clients, scope.sees_client),
            queues=_those(page.queues, lambda queue: scope.sees_client(queue.partition("/")[0])),
            teams=_those(page.teams, scope.sees_team),
            sites=_those(page.sites, scope.sees_site),
        )
        for page in layout.pages
        if not page.screen.startswith(TEAM) or scope.sees_team(page.screen.removeprefix(TEAM))
    ]
    return msgspec.structs.replace(layout, pages=tuple(pages))


def _those(ids: tuple[str, ...] | None, sees: Callable[[str], bool]) -> tuple[str, ...] | None:
    return None if ids is None else tuple(filter(sees, ids))
