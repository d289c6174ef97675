"""One line at work: its verdict, its sockets and when it has something to do."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from agent_probe._core.line import GATEWAY, Line, LineRules, Link
from agent_probe._core.netlink import DefaultRoute, Seen
from agent_probe.errors import ProbeUnavailable
from agent_probe.sensors.uplink.echo import Bound, Echoes, Target
from agent_probe.shared_timer import SharedTimer
from wire.uplink import LineReason, LineState

NS_PER_US: Final = 1000
# Bound: of echoes under way.
NUMBERS_KEPT: Final = 64
"""More echoes than are ever under way."""


class LineAt(NamedTuple):
    """Where a line is. source_address "": the interface's first. gateway "": that of the default route over it."""

    name: str
    carrier: str
    interface: str
    source_address: str
    gateway: str
    targets: tuple[Target, ...]


class WatchedLine:
    """Measures on its own once it was shown its interface; calls `changed` when its finding is another one.

    timer: that of all lines, which send at the same instants.
    """

    def __init__(
        self,
        at: LineAt,
        rules: LineRules,
        timer: SharedTimer,
        *,
        now_ms: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self.at = at
        self.line = Line(rules, targets=len(at.targets), has_gateway=True, now=now_ms())
        self.seen: Seen | None = None
        self.has_link: bool | None = None
        self.is_default_route: bool | None = None
        self.source_address = at.source_address
        self.failure: ProbeUnavailable | None = None
        self._gateway = at.gateway
        self._shown: tuple[Seen, Sequence[DefaultRoute] | None, bool | None] | None = None
        self._timer = timer
        self._now_ms = now_ms
        self._changed = changed
        self._found: tuple[LineState, LineReason, str, bool | None] | None = None
        self._echoes: Echoes | None = None
        self._sent_ns: dict[int, int] = {}

    def look(self, seen: Seen, routes: Sequence[DefaultRoute] | None, *, router_link: bool | None) -> None:
        """What the system says of the interface and the default routes, and the router of the line behind it."""
        shown = (seen, routes, router_link)
        if shown == self._shown:
            return
        self._shown = shown
        at = self.at
        self.seen = seen
        self.has_link = seen.has_link and router_link is not False
        addresses = seen.addresses
        self.source_address = at.source_address or (addresses[0] if addresses else "")
        over_it = [route for route in routes or () if route.interface == at.interface]
        self._gateway = at.gateway or next((route.gateway for route in over_it if route.gateway), "")
        if routes is not None:
            best_metric = routes[0].metric if routes else 0
            self.is_default_route = any(
                route.metric == best_metric and (not at.gateway or route.gateway in {at.gateway, ""})
                for route in over_it
            )
        bound = Bound(at.interface, self.source_address)
        link = Link(seen.is_enabled, self.has_link, bool(self.source_address) and self.source_address in addresses)
        if self._echoes is not None and (bound != self._echoes.bound or not all(link)):
            self._echoes.close()  # an interface that comes back may be a new one of the same name
            self._echoes = None
        if self._echoes is None and all(link):
            self._echoes = Echoes(bound, self._answered)
        self.line.observe_link(link, self._now_ms())
        self._turn()

    def close(self) -> None:
        """Let go of sockets, and do nothing more."""
        self._timer.call_at(self._turn, None)
        if self._echoes is not None:
            self._echoes.close()
        self._echoes = None

    def _turn(self) -> None:
        """Send what is due, and come back when something else is."""
        try:
            for number, target in self.line.due(self._now_ms()):
                self._send(number, target)
        finally:  # a line that stumbled and was asked nothing more would look up for ever
            self._done()

    def _done(self) -> None:
        self._timer.call_at(self._turn, self.line.next_wake_at() if self.failure is None else None)
        self._tell()

    def _send(self, number: int, target: int) -> None:
        where = self.at.targets[target] if target != GATEWAY else Target(self._gateway, None)
        for old in [begun for begun in self._sent_ns if begun < number - NUMBERS_KEPT]:
            del self._sent_ns[old]
        self._sent_ns[number] = time.monotonic_ns()
        if self._echoes is None or not where.address:
            self.line.unsent(number, self._now_ms())
            return
        try:
            self._echoes.forget_before(number - NUMBERS_KEPT)
            self._echoes.send(number, where)
        except OSError:
            self.line.unsent(number, self._now_ms())
        except ProbeUnavailable as error:
            if target != GATEWAY:
                self.failure = error
            self.line.unsent(number, self._now_ms())

    def _answered(self, number: int) -> None:
        sent_ns = self._sent_ns.pop(number, None)
        if sent_ns is not None:
            self.line.answered(number, (time.monotonic_ns() - sent_ns) // NS_PER_US, self._now_ms())
            self._done()

    def _tell(self) -> None:
        verdict = self.line.verdict
        found = (self.line.state, verdict.reason, self.source_address, self.line.internet_reachable)
        if found != self._found or self.failure is not None:
            self._found = found
            self._changed()
