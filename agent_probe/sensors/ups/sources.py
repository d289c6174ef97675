"""Where a UPS's state comes from: upsd, an SNMP agent, the machine's own battery. All speak NUT's words here."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from agent_probe.errors import ProbeUnavailable
from agent_probe.sensors.ups.connection import NutConnection
from agent_probe.sensors.ups.nut import Listing, Refusal, Variable, get_variable, list_variables
from agent_probe.sensors.ups.status import STATUS_NOT_OFFERED, comms_of_refusal
from wire.facility import Comms


class Observed(NamedTuple):
    """status: tokens as in `ups.status`. variables: by NUT's names, in NUT's units; what is not known is not there.

    They are not changed once they were given: what was read from them holds for as long as they are the same object.
    """

    status: str
    variables: Mapping[str, str]


class UpsSource(Protocol):
    """One UPS, asked again and again."""

    async def open(self) -> None:
        """Get ready. Raises ProbeUnavailable."""

    async def observe(self, now: int) -> Observed | Comms:
        """What it says at `now` (monotonic ms), or why it says nothing. Raises ProbeUnavailable."""

    async def close(self) -> None:
        """Let go of everything."""


class UpsAddress(NamedTuple):
    """Where upsd is, and its own name for the UPS."""

    host: str
    port: int
    ups: str


class NutSource:
    """One UPS of one upsd, over a connection of its own: a dead upsd costs the others nothing.

    list_ms: how old the variables beside the status may get.
    """

    def __init__(self, address: UpsAddress, *, list_ms: int) -> None:
        self._ups = address.ups
        self._list_ms = list_ms
        self._connection = NutConnection(address.host, address.port)
        self._status = ""
        self._variables: Mapping[str, str] = {}
        self._listed_at: int | None = None

    async def open(self) -> None:
        """Connect to upsd."""
        self._listed_at = None
        await self._connection.open()

    async def observe(self, now: int) -> Observed | Comms:
        """The status, and the variables when they are due."""
        answer = await self._connection.ask(get_variable(self._ups, "ups.status"))
        if isinstance(answer, Refusal) and answer.code != STATUS_NOT_OFFERED:
            self._listed_at = None
            self._variables = {}  # an old charge must not look like a present one
            return comms_of_refusal(answer.code)
        if not isinstance(answer, Refusal | Variable):
            raise ProbeUnavailable("unreachable", "not NUT that speaks there")
        status = answer.value if isinstance(answer, Variable) else ""
        is_old = self._listed_at is None or now - self._listed_at >= self._list_ms
        if status != self._status or is_old:
            listing = await self._connection.ask(list_variables(self._ups))
            found = listing.variables() if isinstance(listing, Listing) else None
            self._variables = found or {}  # what is not told any more is not known: as above
            self._listed_at = None if found is None else now
        self._status = status
        return Observed(status, self._variables)

    async def close(self) -> None:
        """Drop the connection."""
        self._variables = {}
        await self._connection.close()
