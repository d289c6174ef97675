"""The web door: page, event stream, board, words, metrics and health. What tells data asks for a Scope first.

`install(app, wallboard)` puts it into an application, which may have other routes too.
"""

import asyncio
import hashlib
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
from aiohttp import HttpVersion11, web

from dashboards.exposition import OPENMETRICS, PLAIN_TEXT, wants_openmetrics
from dashboards.wallboard._core.sight import Sight
from dashboards.wallboard.access import COOKIE, Access, is_encrypted
from dashboards.wallboard.forms import posted
from dashboards.wallboard.hub import Hub, Screen, TooManyScreensError
from dashboards.wallboard.pages import REVALIDATE, attributes, page_response
from wire.scope import EVERYTHING, Scope

STATIC: Final = Path(__file__).with_name("static")
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NO_STORE: Final = {"Cache-Control": "no-store"}
KEPT: Final = frozenset({"lang", "at", "known_at", "layout", "page", "to"})
"""What of an address goes along through the sign-in."""
STREAM_HEADERS: Final = {**NO_STORE, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}

Words = Mapping[str, Mapping[str, str]]
"""Language tag -> key -> text. The first language is the one for whoever asks for none of them."""
Problems = Callable[[], Sequence[str]]
"""Names what is wrong; nothing = fine."""


class Metrics(Protocol):
    """What /metrics needs of dashboards.exporter.Exporter."""

    def render(self, *, openmetrics: bool) -> bytes:
        """The exposition."""
        ...


class Wallboard:
    """The handlers. alive, ready: what /healthz and /readyz ask; both are open to anyone and tell no data."""

    def __init__(
        self,
        hub: Hub,
        *,
        access: Access,
        words: Words,
        metrics: Metrics,
        alive: Problems,
        ready: Problems,
    ) -> None:
        self.hub = hub
        self._access = access
        self._metrics = metrics
        self._alive = alive
        self._ready = ready
        names = {language: texts["language_name"] for language, texts in words.items()}
        self._words = {
            language: msgspec.json.encode({"language": language, "languages": names, "words": dict(texts)})
            for language, texts in words.items()
        }
        hub.page = fingerprint(STATIC, [*self._words.values(), attributes(hub.settings.pages).encode()])

    def routes(self) -> list[web.AbstractRouteDef]:
        """All routes of the wallboard."""
        return [
            web.get("/", self.page),
            web.get("/sign-in", self.sign_in_page),
            web.post("/sign-in", self.sign_in),
            web.get("/events", self.events),
            web.get("/board.json", self.board),
            web.get("/words.json", self.words),
            web.get("/metrics", self.metrics),
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.static("/static", STATIC),
        ]

    def scope(self, request: web.Request) -> Scope:
        """What the request may see. Raises HTTPUnauthorized."""
        scope = self._access.scope_of_request(request)
        if scope is None:
            raise web.HTTPUnauthorized(headers={**NO_STORE, "WWW-Authenticate": "Bearer"})
        return scope

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The wallboard."""
        return self.shell(request, STATIC / "index.html")

    def shell(self, request: web.Request, file: Path) -> web.StreamResponse:
        """A page itself, which holds no data. `?token=` signs a screen in and leaves the address bar at once."""
        token = request.query.get("token")
        if token is not None:
            return self._signed_in(request, token)
        if self._access.scope_of_request(request) is None:
            to = {} if request.path == "/" else {"to": request.path}
            why = {"withdrawn": "1"} if self._access.is_withdrawn(request) else {}
            raise web.HTTPSeeOther(request.rel_url.with_path("/sign-in").with_query({**request.query, **to, **why}))
        return page_response(file, self.hub.settings.pages)

    async def sign_in_page(self, _: web.Request) -> web.StreamResponse:
        """A form for the token."""
        return web.FileResponse(STATIC / "sign_in.html", headers=REVALIDATE)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Take the form's token and answer with a cookie."""
        token = (await posted(request, self.hub.settings.sign_in_bytes_max)).get("token", "")
        return self._signed_in(request, token if isinstance(token, str) else "")

    def _signed_in(self, request: web.Request, token: str) -> web.StreamResponse:
        rest = {name: value for name, value in request.query.items() if name in KEPT}
        if self._access.scope_of_token(token) is None:
            raise web.HTTPSeeOther(request.rel_url.with_path("/sign-in").with_query({**rest, "refused": "1"}))
        # back to where they came from, and only ever to a page of ours: a path, never an address
        to = rest.pop("to", request.path if request.method == "GET" else "/")
        response = web.HTTPSeeOther(request.rel_url.with_path(f"/{to.lstrip('/')}").with_query(rest))
        response.set_cookie(
            COOKIE,
            token,
            max_age=self.hub.settings.cookie_age_ms // 1000,
            httponly=True,
            samesite="Lax",
            secure=is_encrypted(request),
        )
        raise response

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The wallboard's event stream."""
        return await self.stream(request, Sight(scope=self.scope(request)))

    async def stream(
        self, request: web.Request, sight: Sight, may_look: Callable[[], bool] | None = None
    ) -> web.StreamResponse:
        """The event stream of one screen: `hello`, then `delta` and `tick` until either side ends it.

        may_look: asked at every tick; None = by the token or the place it was asked with.
        """
        transport = request.transport
        if transport is None:
            raise web.HTTPServiceUnavailable
        try:
            screen = self.hub.connect(sight, transport, may_look or self._access.may_still_look(request))
        except TooManyScreensError:
            retry = str(max(1, self.hub.settings.write_timeout_ms // 1000))
            raise web.HTTPServiceUnavailable(headers={**NO_STORE, "Retry-After": retry}) from None
        try:
            return await self._stream(request, screen)
        finally:
            self.hub.disconnect(screen)

    async def _stream(self, request: web.Request, screen: Screen) -> web.StreamResponse:
        settings = self.hub.settings
        _shrink_buffer(screen.transport, settings.socket_buffer_bytes)
        response = web.StreamResponse(headers=STREAM_HEADERS)
        try:
            await response.prepare(request)
            await response.write(b"retry: %d\n\n" % settings.reconnect_after_ms)
        except ConnectionError:
            return response  # the screen went away; it asks again when it is back
        self.hub.start(screen, chunked=request.version >= HttpVersion11)
        await screen.over.wait()
        if screen.congested:
            screen.transport.abort()
        return response

    async def board(self, request: web.Request) -> web.Response:
        """The newest board as the caller may see it; 503 before there is one."""
        board = self.hub.board_json(self.scope(request))
        if board is None:
            raise web.HTTPServiceUnavailable(headers={**NO_STORE, "Retry-After": "1"})
        return web.Response(body=board, content_type="application/json", headers=NO_STORE)

    async def words(self, request: web.Request) -> web.Response:
        """The words of the screen in the language asked for, or in the nearest there is."""
        wanted = request.query.get("lang", "")
        alike = [tag for tag in self._words if tag.partition("-")[0] == wanted.partition("-")[0]]
        body = self._words.get(wanted) or self._words[(alike or list(self._words))[0]]
        return web.Response(body=body, content_type="application/json", headers=REVALIDATE)

    async def metrics(self, request: web.Request) -> web.Response:
        """The metrics, which name every client: for those who may see everything only, and for no TV."""
        if self.scope(request) != EVERYTHING or self._access.device_of(request) is not None:
            raise web.HTTPForbidden(headers=NO_STORE)
        openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
        body = self._metrics.render(openmetrics=openmetrics)
        content_type = OPENMETRICS if openmetrics else PLAIN_TEXT
        return web.Response(body=body, headers={**NO_STORE, "Content-Type": content_type})

    async def healthz(self, _: web.Request) -> web.Response:
        """200 while the process should be left running."""
        return _verdict(self._alive())

    async def readyz(self, _: web.Request) -> web.Response:
        """200 when it is worth being sent to."""
        return _verdict(self._ready())


def install(app: web.Application, wallboard: Wallboard) -> None:
    """Put routes, security headers and the screens' end into `app`."""

    async def end_streams(_: web.Application) -> None:
        wallboard.hub.close()

    app.add_routes(wallboard.routes())
    app.on_response_prepare.append(_add_security_headers)
    app.on_shutdown.append(end_streams)


async def _add_security_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SECURITY_HEADERS)


def _verdict(problems: Sequence[str]) -> web.Response:
    body = msgspec.json.encode({"ok": not problems, "problems": list(problems)})
    return web.Response(body=body, status=503 if problems else 200, content_type="application/json", headers=NO_STORE)


def _shrink_buffer(transport: asyncio.Transport, size: int) -> None:
    """Keep little of the past in the kernel: what waits there cannot be replaced by something newer."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)


def fingerprint(folder: Path, texts: Iterable[bytes] = ()) -> str:
    """Of everything a loaded page is made of: its files, and texts such as its words."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    for text in texts:
        digest.update(text)
    return digest.hexdigest()[:16]
