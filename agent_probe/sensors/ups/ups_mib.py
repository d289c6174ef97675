"""A UPS with a network card: the standard UPS-MIB over SNMP (RFC 1628), said in NUT's words.

One GET a time. The alarm table is not read (it takes a walk): an ordered shutdown is seen when the output goes off.
"""

from collections.abc import Mapping
from typing import Final

from agent_probe.sensors.ups.sources import Observed
from agent_probe.snmp import SnmpAddress, SnmpClient, Value
from wire.facility import Comms

MIB: Final = "1.3.6.1.2.1.33.1"
BATTERY_STATUS: Final = f"{MIB}.2.1.0"
OUTPUT_SOURCE: Final = f"{MIB}.4.1.0"
# Format: RFC 1628.
NUMBERS: Final[Mapping[str, tuple[str, int, int]]] = {
    f"{MIB}.2.3.0": ("battery.runtime", 60, 1),  # minutes
    f"{MIB}.2.4.0": ("battery.charge", 1, 1),
    f"{MIB}.2.5.0": ("battery.voltage", 1, 10),  # tenths of a volt
    f"{MIB}.3.3.1.3.1": ("input.voltage", 1, 1),
    f"{MIB}.4.4.1.5.1": ("ups.load", 1, 1),
    f"{MIB}.9.9.0": ("input.transfer.low", 1, 1),
}
"""Object -> variable, and the factor that makes NUT's unit of it, as numerator and denominator."""
TEST: Final = f"{MIB}.7.1.0"
TEST_RESULT: Final = f"{MIB}.7.3.0"
OBJECTS: Final = (BATTERY_STATUS, OUTPUT_SOURCE, TEST, TEST_RESULT, *NUMBERS)
CALIBRATION: Final = f"{MIB}.7.7.5"
IN_PROGRESS: Final = 5
SOURCES: Final[Mapping[int, str]] = {2: "OFF", 3: "OL", 4: "OL BYPASS", 5: "OB", 6: "OL BOOST", 7: "OL TRIM"}
TESTS: Final[Mapping[int, str]] = {
    1: "Done and passed",
    2: "Done and warning",
    3: "Done and error",
    4: "Aborted",
    5: "In progress",
    6: "No test initiated",
}
"""upsTestResultsSummary, as NUT's own driver says it."""
LOW: Final = frozenset({3, 4})
"""batteryLow, batteryDepleted."""


def observed(values: Mapping[str, Value]) -> Observed | Comms:
    """What the agent's values say. An agent that knows neither status nor source has no UPS behind it."""
    battery, source = values.get(BATTERY_STATUS), values.get(OUTPUT_SOURCE)
    if not isinstance(battery, int) and not isinstance(source, int):
        return Comms.UNKNOWN_UPS
    tokens = [SOURCES.get(source, "")] if isinstance(source, int) else []
    if isinstance(battery, int) and battery in LOW:
        tokens.append("LB")
    variables = {}
    for name, (variable, times, per) in NUMBERS.items():
        value = values.get(name)
        if isinstance(value, int) and value >= 0:  # negative: not known to the device
            variables[variable] = f"{value * times / per:g}" if per > 1 else str(value * times)
    tested = values.get(TEST_RESULT)
    if isinstance(tested, int) and tested in TESTS:
        variables["ups.test.result"] = TESTS[tested]
    if tested == IN_PROGRESS and values.get(TEST) == CALIBRATION:
        tokens.append("CAL")
    return Observed(" ".join(token for token in tokens if token), variables)


class SnmpSource:
    """One UPS card."""

    def __init__(self, address: SnmpAddress, *, resend_ms: int) -> None:
        self._client = SnmpClient(address, resend_ms=resend_ms)

    async def open(self) -> None:
        """Get a socket."""
        await self._client.open()

    async def observe(self, now: int) -> Observed | Comms:  # noqa: ARG002 - every value comes fresh
        """Everything, in one GET."""
        return observed(await self._client.get(OBJECTS))

    async def close(self) -> None:
        """Let go of the socket."""
        await self._client.close()
