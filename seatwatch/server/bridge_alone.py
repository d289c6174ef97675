"""The notification bridge as a process of its own: its door, the runbooks, and what a scrape reads of it."""

from pathlib import Path
from typing import Final

from aiohttp import web

from dashboards.alerting.channels import Channels
from dashboards.exporter import Exporter
from dashboards.exposition import OPENMETRICS, PLAIN_TEXT, wants_openmetrics
from dashboards.runbooks.server import Runbooks
from dashboards.snapshot import OnCallFigures, Snapshot
from seatwatch import __version__
from seatwatch.clock import now_ms
from seatwatch.config import Config
from seatwatch.server import on_call
from seatwatch.server.web_runner import readable
from seatwatch.settings import Defaults

METRICS: Final = "/metrics"


def application(config: Config, base: Path, data: Path, defaults: Defaults) -> web.Application:
    """The bridge over `config`. base: its folder; data: the data directory whose keys sign the links."""
    links = on_call.links(config, data, defaults, now_ms)
    ways = on_call.channels(config.channel, base, defaults, now_ms)
    app = web.Application(middlewares=[readable])
    app.add_routes(on_call.watchdog(config, base, data, ways, defaults, now_ms))
    app.add_routes(on_call.bridge(config, data, ways, defaults, links, now_ms).routes())
    app.add_routes(Runbooks(on_call.language_names(config, defaults)).routes())
    app.add_routes([web.get(METRICS, _Scrape(ways, defaults).answer)])
    return app


class _Scrape:
    def __init__(self, ways: Channels, defaults: Defaults) -> None:
        def snapshot() -> Snapshot:
            return Snapshot(now_ms=now_ms(), on_call=OnCallFigures(notifications=ways.results))

        self._exporter = Exporter(snapshot, version=__version__, ids_max=defaults.int("metrics.series_cap"))

    async def answer(self, request: web.Request) -> web.Response:
        """What was sent and what failed, by channel."""
        openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
        body = self._exporter.render(openmetrics=openmetrics)
        content_type = OPENMETRICS if openmetrics else PLAIN_TEXT
        return web.Response(body=body, headers={"Cache-Control": "no-store", "Content-Type": content_type})
