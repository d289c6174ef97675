"""A stand-in for a site's upsd, speaking enough of the NUT protocol (RFC 9271) for the probe's real UPS sensor.

The demo needs a UPS it can unplug on a machine without NUT; tests use Debian's nut-server instead.
"""

import asyncio
from contextlib import suppress
from typing import Final

from seatwatch.floor.listener import Listener

MAINS: Final = {
    "ups.status": "OL CHRG",
    "battery.charge": "100",
    "battery.runtime": "1800",
    "ups.load": "34",
    "input.voltage": "228.4",
}
BATTERY: Final = {
    "ups.status": "OB DISCHRG",
    "battery.charge": "97",
    "battery.runtime": "1620",
    "ups.load": "34",
    "input.voltage": "0.0",
}


class Upsd(Listener):
    """One UPS named `ups`."""

    def __init__(self) -> None:
        super().__init__()
        self._variables = dict(MAINS)

    @property
    def has_mains(self) -> bool:
        """Whether the UPS says that mains is there."""
        return self._variables["ups.status"].startswith("OL")

    def lose_mains(self) -> None:
        """The site runs on battery from now on."""
        self._variables = dict(BATTERY)

    def restore_mains(self) -> None:
        """Mains is back."""
        self._variables = dict(MAINS)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client's requests, a line each."""
        with suppress(OSError, asyncio.LimitOverrunError, ValueError):
            while line := await reader.readline():
                answer = self.answer(line.decode("ascii", "replace").split())
                writer.write(answer.encode("ascii"))
                await writer.drain()
                if answer == "OK Goodbye\n":
                    break
        writer.transport.abort()

    def answer(self, words: list[str]) -> str:
        """What upsd says to one request, already split into words."""
        match words:
            case ["LIST", "UPS"]:
                return 'BEGIN LIST UPS\nUPS ups "demo"\nEND LIST UPS\n'
            case ["LIST", "VAR", "ups"]:
                lines = "".join(f'VAR ups {name} "{value}"\n' for name, value in self._variables.items())
                return f"BEGIN LIST VAR ups\n{lines}END LIST VAR ups\n"
            case ["GET", "VAR", "ups", name]:
                value = self._variables.get(name)
                return f'VAR ups {name} "{value}"\n' if value is not None else "ERR VAR-NOT-SUPPORTED\n"
            case [("GET" | "LIST"), "VAR", *_]:
                return "ERR UNKNOWN-UPS\n"
            case ["VER"]:
                return "Network UPS Tools upsd demo\n"
            case ["NETVER" | "PROTVER"]:
                return "1.3\n"
            case ["LOGOUT"]:
                return "OK Goodbye\n"
            case _:
                return "ERR UNKNOWN-COMMAND\n"
