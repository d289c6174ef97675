"""An upsd that says what one said before: answers over real TCP, for tests of the sensor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent_probe.sensors.ups.sensor import UpsSensor
from agent_probe.sensors.ups.sources import NutSource, UpsAddress
from tests.agent_probe.living_probe import SETTINGS


@dataclass
class Screen:
    """What it says now."""

    status: bytes
    variables: bytes = b"ERR DATA-STALE\n"


def recorded(session: Path) -> list[tuple[str, Screen]]:
    """(UPS asked for, what was said) for each time the status was asked in a session file."""
    steps: list[tuple[str, Screen]] = []
    request = ""
    for line in session.read_text(encoding="utf-8").splitlines():
        said = line[2:].encode() + b"\n"
        if line.startswith("> "):
            request = line[2:]
            if request.startswith("GET VAR"):
                steps.append((request.split()[2], Screen(b"")))
            else:
                steps[-1][1].variables = b""
        elif request.startswith("GET VAR"):
            steps[-1][1].status += said
        else:
            steps[-1][1].variables += said
    return steps


@asynccontextmanager
async def sensor_before(screen: Screen) -> AsyncIterator[UpsSensor]:
    """A connected sensor whose upsd says what `screen` says at the time."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readline():
                writer.write(screen.variables if request.startswith(b"LIST VAR") else screen.status)
        except ConnectionResetError:
            pass
        finally:
            writer.transport.abort()
            gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        source = NutSource(UpsAddress("127.0.0.1", port, "u"), list_ms=SETTINGS.ups.list_ms)
        sensor = UpsSensor("u", source, SETTINGS.ups, site="sz1", clock_domain="sz1/gw1")
        await sensor.open()
        try:
            yield sensor
        finally:
            await sensor.close()
            await gone.wait()
