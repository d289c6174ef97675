"""What screens have beside the live board: tokens and layouts of their own, and boards of past instants."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web

from dashboards.wallboard._core.layout import Layout
from dashboards.wallboard.access import Access
from dashboards.wallboard.devices import Devices
from dashboards.wallboard.layouts import LayoutDoor
from dashboards.wallboard.pages import PageSettings
from dashboards.wallboard.past import PastDoor
from dashboards.wallboard.settings import PastSettings, WallboardSettings
from seatwatch.clock import elapsed_ms, now_ms
from seatwatch.config import Config
from seatwatch.layouts import Known, read_layouts
from seatwatch.own_process import own_process
from seatwatch.portal.record import PortalRecord
from seatwatch.server.beside import Beside
from seatwatch.server.past_boards import RecordedBoards
from seatwatch.server.web import install_portal
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


class LayoutsOnDisk:
    """The layouts of a file as they are now; of a file that has faults, as they were before."""

    def __init__(self, path: Path | None, known: Known, turn_ms: int) -> None:
        self._path: Final = path
        self._known: Final = known
        self._turn_ms: Final = turn_ms
        self._read_at: tuple[int, int, int] | None = None
        self._held: dict[str, Layout] = {}

    def __call__(self) -> Mapping[str, Layout]:
        """By name."""
        try:
            stat = None if self._path is None else self._path.stat()
        except OSError:
            return self._held
        if self._path is None or stat is None:
            return self._held
        read_at = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if read_at != self._read_at:
            self._read_at = read_at
            found, faults = read_layouts(self._path, self._known, self._turn_ms)
            for fault in faults:
                log.warning("layouts.fault", key=fault.key, problem=fault.problem)
            if not faults:
                self._held = found
        return self._held


def wallboard_settings(defaults: Defaults) -> WallboardSettings:
    """What the wallboard, and every page of a screen, goes by."""
    pages = defaults.fill(PageSettings, "board")
    return defaults.fill(WallboardSettings, "board", time_zone=defaults.text("contract.time_zone"), pages=pages)


def install_layouts(app: web.Application, access: Access, config: Config, base: Path, defaults: Defaults) -> None:
    """Put the layouts of the configuration's file into `app`."""
    file = config.wallboard.layouts
    layouts = LayoutsOnDisk(None if file is None else base / file, config.known(), defaults.ms("board.layout_turn"))
    app.add_routes(LayoutDoor(layouts, access).routes())


async def install_record_pages(
    app: web.Application, access: Access, config: Config, base: Path, data: Path, defaults: Defaults, beside: Beside
) -> None:
    """Put what is read from the ledgers below `data` into `app`: boards of past instants, and the portal.

    beside: starts what answers the portal's questions.
    """
    settings = defaults.fill(PastSettings, "board")
    reader = own_process(defaults, "board.past_timeout")
    boards = RecordedBoards(data, config.names(), reader, rules_max=settings.past_rules_max)
    past = PastDoor(boards, access, settings, wallboard_settings(defaults), clock_ms=now_ms, elapsed_ms=elapsed_ms)
    app.add_routes(past.routes())
    record = PortalRecord(config, base, data, defaults=defaults, clock_ms=now_ms)
    await beside(record.answers.run(), name="portal answers")
    install_portal(app, record, data, defaults=defaults, elapsed_ms=elapsed_ms, past=past)
