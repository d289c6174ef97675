"""How long a connection to one of our web doors may be open for nothing."""

from aiohttp import web

from seatwatch.settings import Defaults


def web_runner(app: web.Application, defaults: Defaults) -> web.AppRunner:
    """Serves `app`: `board.shutdown` is what a stop leaves to requests under way.

    A connection on which no whole head of a request came for `board.idle` is closed, from its first byte on as well as
    between two requests. Answers under way, event streams too, take as long as they take.
    """
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=defaults.seconds("board.shutdown"),
        keepalive_timeout=defaults.seconds("board.idle"),
    )
