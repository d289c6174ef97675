"""The machine's own battery, or a USB UPS that the system shows as one, said in NUT's words."""

from collections.abc import Callable
from typing import Final

from agent_probe.errors import ProbeUnavailable
from agent_probe.platform import Battery
from agent_probe.sensors.aside import Aside
from agent_probe.sensors.ups.sources import Observed
from wire.facility import Comms

# Bound: three years.
SECONDS_BELIEVABLE: Final = 100_000_000
"""More is no time but an unknown in disguise: Windows says 4294967295 (psutil pull request 2875)."""


def observed(battery: Battery | None, *, low_ratio: float) -> Observed | Comms:
    """What a battery says. low_ratio: of the charge, at and below which a discharging battery is low."""
    if battery is None:
        return Comms.UNKNOWN_UPS
    tokens = {True: "OL", False: "OB DISCHRG", None: ""}[battery.power_plugged]
    variables = {}
    if battery.percent is not None:
        variables["battery.charge"] = f"{battery.percent:.2f}"
        if battery.power_plugged is False and battery.percent <= 100 * low_ratio:
            tokens += " LB"
    if 0 <= int(battery.secsleft) < SECONDS_BELIEVABLE:
        variables["battery.runtime"] = str(int(battery.secsleft))
    return Observed(tokens, variables)


class BatterySource:
    """Reads the battery when asked, in a thread: a controller that hangs holds whoever reads its files."""

    def __init__(self, read: Callable[[], Battery | None], *, low_ratio: float) -> None:
        self._low_ratio = low_ratio
        self._battery = Aside(read)

    async def open(self) -> None:
        """Nothing to open."""

    async def observe(self, now: int) -> Observed | Comms:  # noqa: ARG002 - every value comes fresh
        """The battery as it is."""
        try:
            return observed(await self._battery.ask(), low_ratio=self._low_ratio)
        except FileNotFoundError:
            return Comms.UNKNOWN_UPS  # a system that knows of no power supplies at all
        except (OSError, ValueError, TypeError) as error:  # numbers are reckoned with as the firmware wrote them
            raise ProbeUnavailable("unreachable", f"the battery cannot be read: {error}") from None

    async def close(self) -> None:
        """Nothing to close."""
