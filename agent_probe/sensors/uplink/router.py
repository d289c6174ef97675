"""A router that both lines end at, asked over SNMP which of them has a link (IF-MIB, RFC 2863)."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from agent_probe.sensors.base import Reading, Schedule, Stamp
from agent_probe.snmp import SnmpAddress, SnmpClient, Value

IF_OPER_STATUS: Final = "1.3.6.1.2.1.2.2.1.8"
LINKS: Final[Mapping[Value, bool]] = {1: True, 2: False, 3: False, 5: False, 6: False, 7: False}
"""up; down, testing, dormant, notPresent, lowerLayerDown. Of 4 the router itself does not know, nor do we of a text."""


class Told(Protocol):
    """Whoever wants to know."""

    def __call__(self, line: str, *, has_link: bool | None) -> None:
        """The link of `line`, None where the router does not say."""


class RouterSensor:
    """Asks one router. `links`: line -> ifIndex. It has no readings of its own: what it hears belongs to the lines."""

    def __init__(
        self, address: SnmpAddress, links: Mapping[str, int], schedule: Schedule, *, resend_ms: int, told: Told
    ) -> None:
        self.name = f"router/{address.host}"
        self.schedule = schedule
        self._objects = {line: f"{IF_OPER_STATUS}.{index}" for line, index in links.items()}
        self._client = SnmpClient(address, resend_ms=resend_ms)
        self._told = told

    async def open(self) -> None:
        """Get a socket. Raises ProbeUnavailable."""
        await self._client.open()

    async def sample(self, now: Stamp) -> Sequence[Reading]:  # noqa: ARG002 - the protocol's argument
        """Ask. Raises ProbeUnavailable."""
        values = await self._client.get(list(self._objects.values()))
        for line, name in self._objects.items():
            self._told(line, has_link=LINKS.get(values.get(name)))
        return ()

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - whatever the cause
        """A router that does not answer proves nothing about the lines."""
        for line in self._objects:
            self._told(line, has_link=None)
        return ()

    async def close(self) -> None:
        """Let go of the socket."""
        await self._client.close()
