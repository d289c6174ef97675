"""What screens have beside the live board: tokens of their own, and boards of past instants."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog
from aiohttp import web

from dashboards.wallboard.access import Access
from dashboards.wallboard.devices import Devices
from dashboards.wallboard.past import PastDoor
from dashboards.wallboard.settings import PastSettings, WallboardSettings
from seatwatch.clock import elapsed_ms, now_ms
from seatwatch.config import Config
from seatwatch.server.past_boards import RecordedBoards
from seatwatch.settings import Defaults
from wire.scope import Scope

log = structlog.get_logger()


def devices_of(data: Path, defaults: Defaults) -> Devices:
    """The devices of a data directory."""
    return Devices(data, elapsed_ms=elapsed_ms, look_ms=defaults.ms("board.device_look"))


def access_of(scopes: Mapping[str, Scope], devices: Devices) -> Access:
    """Readers by SHA-256 of their token, and devices."""
    return Access(scopes, devices, clock_ms=now_ms)


async def keep_seen(devices: Devices, every_s: float) -> None:
    """Write down every so often which devices were seen; until cancelled, then once more."""
    try:
        while True:
            await asyncio.sleep(every_s)
            _write(devices)
    finally:
        _write(devices)


def _write(devices: Devices) -> None:
    try:
        devices.write_seen()
    except OSError as error:
        log.warning("devices.seen_not_written", error=str(error))


def install_past(
    app: web.Application, access: Access, config: Config, data: Path, screen: WallboardSettings, defaults: Defaults
) -> None:
    """Put boards of past instants into `app`, from the ledgers below `data`."""
    settings = defaults.fill(PastSettings, "board")
    boards = RecordedBoards(data, config.names(), timeout_ms=settings.past_timeout_ms)
    door = PastDoor(boards, access, settings, screen, clock_ms=now_ms, elapsed_ms=elapsed_ms)
    app.add_routes(door.routes())
