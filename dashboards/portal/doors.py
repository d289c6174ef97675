"""Every page of the portal and who may open it. A page that is not in this table does not exist."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from aiohttp import web

from dashboards.portal.accounts import Account, Role
from dashboards.portal.sessions import Session

ROOT: Final = "/portal"
COOKIE: Final = "seatwatch_portal"
EVERYBODY: Final = frozenset(Role)
ANYBODY: Final[frozenset[Role] | None] = None
"""Also who is not signed in."""


class Visit(NamedTuple):
    """One request: whose it is, and of which client; "" where the page is of none."""

    request: web.Request
    language: str
    session: Session | None
    account: Account | None
    client: str


Page = Callable[[Visit], Awaitable[web.StreamResponse]]


class Door(NamedTuple):
    """One page. roles: None = also who is not signed in. of_client: it shows one client's data.

    is_form: what is posted there is a form of ours; otherwise the page itself says what it takes.
    """

    method: str
    path: str
    roles: frozenset[Role] | None
    page: Page
    of_client: bool = True
    is_form: bool = True
