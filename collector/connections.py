"""What the hub sees of a probe's connection by itself: when it begins and ends, and from which address it comes.

Over HTTP that is the peer of a request. Over MQTT a subscriber is not told; Mosquitto says it in its log, which it
publishes on `$SYS/broker/log/N` where its configuration has `log_dest topic`. A second witness only: what is lost here
because the intake is busy is not missed.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from collector._core import derived
from collector.errors import Busy, IntakeStopped
from collector.sources import FACILITIES, Sources
from collector.told import Append
from wire.ids import OPERATOR

_BEGAN: Final = re.compile(r"New client connected from (\S+):\d+ as (\S+) \(")
_ENDED: Final = re.compile(
    r"Client (\S+)(?: \[[^\]]*\])? (?:closed its connection|(?:been )?disconnected|has exceeded timeout)"
)


class Noticed(NamedTuple):
    """A line of the broker's log. address: "" where the connection ended."""

    client_id: str
    address: str


def noticed(line: str) -> Noticed | None:
    """What a line of Mosquitto's log says of a connection; None for any other line."""
    if (began := _BEGAN.search(line)) is not None:
        return Noticed(began[2], began[1])
    if (ended := _ENDED.search(line)) is not None:
        return Noticed(ended[1], "")
    return None


class Connections:
    """Puts connections of probes on the operator's record, when they begin, end or come from elsewhere than before."""

    def __init__(self, sources: Sources, append: Append, clock_ms: Callable[[], int]) -> None:
        self._sources = sources
        self._append = append
        self._clock_ms = clock_ms
        self._address: dict[str, str] = {}

    async def seen(self, source: str, address: str) -> None:
        """The connection of `source` comes from `address`; "" = it has none any more."""
        known = self._sources.get(source)
        if known is None or known.carries != FACILITIES or self._address.get(source, "") == address:
            return
        egress = address or self._address.get(source, "")
        self._address[source] = address
        entry = derived.connection(source, egress, self._clock_ms(), is_open=bool(address))
        try:
            await self._append(OPERATOR, [entry])
        except (Busy, IntakeStopped):
            return

    async def logged(self, line: str) -> None:
        """A line of the broker's log. A probe's client id is its source id."""
        found = noticed(line)
        if found is not None:
            await self.seen(found.client_id, found.address)
