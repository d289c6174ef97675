"""What the hub sees of a probe's connection by itself: when it begins and ends, and from which address it comes.

Over HTTP that is the peer of a request; a gateway sends a small one over each of its lines, for this alone. Over MQTT a
subscriber is not told; Mosquitto says it in its log, which it publishes on `$SYS/broker/log/N` where its configuration
has `log_dest topic`. A second witness only: what is lost here because the intake is busy is not missed.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from collector._core import derived
from collector.errors import Busy, IntakeStopped
from collector.sources import FACILITIES, Sources
from collector.told import Append
from wire.ids import OPERATOR
from wire.limits import MEASURED_MAX

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


class _Over(NamedTuple):
    """The address a line was seen from, as recorded. is_confirmed: twice, so that no more is said of it."""

    address: str
    is_confirmed: bool


class Connections:
    """Puts connections of probes on the operator's record, when they begin, end or come from elsewhere than before.

    And the address of each line: when it is another one, once more when that is seen again, and anew when the
    connection came or went since.
    """

    def __init__(self, sources: Sources, append: Append, clock_ms: Callable[[], int]) -> None:
        self._sources = sources
        self._append = append
        self._clock_ms = clock_ms
        self._address: dict[str, str] = {}
        self._over: dict[str, dict[str, _Over]] = {}

    async def seen(self, source: str, address: str) -> None:
        """The connection of `source` comes from `address`; "" = it has none any more."""
        known = self._sources.get(source)
        if known is None or known.carries != FACILITIES or self._address.get(source, "") == address:
            return
        egress = address or self._address.get(source, "")
        self._address[source] = address
        self._over.pop(source, None)
        entry = derived.connection(source, egress, self._clock_ms(), is_open=bool(address))
        try:
            await self._append(OPERATOR, [entry])
        except (Busy, IntakeStopped):
            return

    async def witnessed(self, source: str, line: str, address: str) -> None:
        """A request of `source` over `line` came from `address`. Of no more lines than a probe may have."""
        known = self._sources.get(source)
        if known is None or known.carries != FACILITIES:
            return
        lines = self._over.setdefault(source, {})
        before = lines.get(line)
        is_same = before is not None and before.address == address
        if (before is not None and is_same and before.is_confirmed) or (before is None and len(lines) >= MEASURED_MAX):
            return
        lines[line] = _Over(address, is_same)
        try:
            await self._append(OPERATOR, [derived.line_witnessed(source, line, address, self._clock_ms())])
        except (Busy, IntakeStopped):
            lines.pop(line, None)  # said by the next one

    async def logged(self, line: str) -> None:
        """A line of the broker's log. A probe's client id is its source id."""
        found = noticed(line)
        if found is not None:
            await self.seen(found.client_id, found.address)
