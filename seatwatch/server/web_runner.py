"""How long a connection to one of our web doors may be open for nothing."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from seatwatch.settings import Defaults

_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
"""What anybody may send before we know who it is: whoever signs in. Other bodies come with a credential."""


def forms_in_time(defaults: Defaults) -> Middleware:
    """A middleware that answers 408 to a form of which half never comes, after `collector.http_body_timeout`."""
    limit_s = defaults.seconds("collector.http_body_timeout")

    @web.middleware
    async def read_first(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.content_type in _FORMS:
            try:
                async with asyncio.timeout(limit_s):
                    await request.read()  # kept by the request: its handler reads it again for nothing
            except TimeoutError:
                raise web.HTTPRequestTimeout(headers={"Connection": "close"}) from None
        return await handler(request)

    return read_first


@web.middleware
async def readable(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A body that is not what its head says of it is its sender's fault, whichever door reads it."""
    try:
        return await handler(request)
    except web.RequestPayloadError:
        said = "The body cannot be read: it is cut, or not compressed as its head says."
        raise web.HTTPBadRequest(text=said, headers={"Connection": "close"}) from None


def web_runner(app: web.Application, defaults: Defaults) -> web.AppRunner:
    """Serves `app`: `board.shutdown` is what a stop leaves to requests under way.

    A connection on which no whole head of a request came for `board.idle` is closed, from its first byte on as well as
    between two requests. Answers under way, event streams too, take as long as they take. What cannot be read is a 400.
    """
    app.middlewares.insert(0, readable)
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=defaults.seconds("board.shutdown"),
        keepalive_timeout=defaults.seconds("board.idle"),
    )
