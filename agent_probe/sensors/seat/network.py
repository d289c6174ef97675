"""A seat PC's own network and clock: its link, its LAN gateway, how far its clock is off."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from agent_probe._core.sntp import NONCE_SIZE, Told, question, read_answer
from agent_probe.sensors.aside import Aside
from agent_probe.sensors.base import Reading, Stamp
from agent_probe.sensors.seat.reach import Reach
from agent_probe.sensors.seat.settings import SeatSettings
from wire.seat import SeatReading

MS_PER_S: Final = 1000
# Format: RFC 5737 and RFC 863.
ANYWHERE: Final = ("192.0.2.1", 9)
"""An address nobody has (RFC 5737): asking the system which way leads there sends nothing."""
# Bound: one echo is under way at a time.
ANSWERS_QUEUED: Final = 4


class NetworkAddress(NamedTuple):
    """interface, gateway: "" to find them. time_server: "" to ask for no time."""

    interface: str
    gateway: str
    time_server: str
    time_port: int


class Link(NamedTuple):
    """has_link: None where there is no such interface. mbps: None where the card does not say."""

    has_link: bool | None
    mbps: int | None


class Echo(Protocol):
    """Asks an address whether it is there."""

    async def rtt_us(self, address: str, answer_ms: int) -> int | None:
        """Microseconds until it answered, None if it did not."""

    def close(self) -> None:
        """Let go of everything."""


class SeatSensor:
    """Samples this machine. `find_gateway` names the LAN gateway by the system's routes, None if there is none."""

    name = "seat"

    def __init__(
        self,
        address: NetworkAddress,
        settings: SeatSettings,
        echo: Echo,
        *,
        find_gateway: Callable[[], str | None],
        site: str,
        seat: str,
        clock_domain: str,
    ) -> None:
        self.schedule = settings.schedule
        self._address = address
        self._settings = settings
        self._echo = echo
        self._find_gateway = find_gateway
        self._site = site
        self._seat = seat
        self._clock_domain = clock_domain
        self._interface = address.interface
        self._card = Aside(self._look_at_card)
        self._reach = Reach(settings.misses_believed)
        self._has_answered = False
        self._offset_ms: int | None = None
        self._asked_at: int | None = None
        self._state: tuple[object, ...] | None = None
        self._since = 0

    async def open(self) -> None:
        """Nothing to open."""

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """Link, gateway, and the clock when it is due."""
        began = asyncio.get_running_loop().time()
        self._interface, link = await self._card.ask()
        gateway = self._address.gateway or self._find_gateway()
        rtt_us = None if gateway is None else await self._echo.rtt_us(gateway, self._settings.answer_ms)
        self._has_answered = self._has_answered or rtt_us is not None
        is_reachable = None  # one that never answered may be of those that answer nobody
        if self._has_answered:
            is_reachable = self._reach.observe(answered=rtt_us is not None, now=now.monotonic).is_reachable
        if self._address.time_server and self._is_clock_due(now.monotonic):
            told = await self._ask_for_time(now.wall, began)
            self._offset_ms = None if told is None else told.offset_ms
        return [self._reading(link, rtt_us, now, is_reachable=is_reachable)]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - the protocol's arguments
        """A machine that cannot look at itself in time says nothing new of itself."""
        return ()

    async def close(self) -> None:
        """Let go of the echo's socket."""
        self._echo.close()

    def _look_at_card(self) -> tuple[str, Link]:
        """The interface in use and its link; the last one used while there is no way to anywhere."""
        interface = self._address.interface or interface_in_use() or self._interface
        return interface, link_of(interface)

    def _is_clock_due(self, now: int) -> bool:
        is_due = self._asked_at is None or now - self._asked_at >= self._settings.clock_every_ms
        if is_due:
            self._asked_at = now
        return is_due

    async def _ask_for_time(self, wall_at_start: int, began: float) -> Told | None:
        loop = asyncio.get_running_loop()

        def wall() -> int:
            return wall_at_start + round((loop.time() - began) * MS_PER_S)

        nonce = secrets.token_bytes(NONCE_SIZE)
        try:
            async with asyncio.timeout(self._settings.answer_ms / MS_PER_S):
                transport, answers = await loop.create_datagram_endpoint(
                    _Answers, remote_addr=(self._address.time_server, self._address.time_port)
                )
                try:
                    sent_at = wall()
                    transport.sendto(question(nonce))
                    while True:
                        told = read_answer(await answers.next(), nonce, sent_at, wall())
                        if told is not None:
                            return told
                finally:
                    transport.abort()
        except OSError:
            return None

    def _reading(self, link: Link, rtt_us: int | None, now: Stamp, *, is_reachable: bool | None) -> Reading:
        offset_ms = self._offset_ms
        is_off = offset_ms is not None and abs(offset_ms) > self._settings.clock_off_ms
        state = (link, is_reachable, is_off)
        if state != self._state:
            self._state, self._since = state, now.monotonic

        def body() -> SeatReading:
            return SeatReading(
                **now.head(self._clock_domain),
                site=self._site,
                seat=self._seat,
                has_link=link.has_link,
                link_mbps=link.mbps,
                gateway_reachable=is_reachable,
                gateway_rtt_us=rtt_us,
                clock_offset_ms=offset_ms,
                since_ms=now.held_ms(self._since),
            )

        return Reading(self.name, state, self._settings.rhythm, body)


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self._inbox: asyncio.Queue[bytes | Exception] = asyncio.Queue(maxsize=ANSWERS_QUEUED)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the protocol's arguments
        if not self._inbox.full():
            self._inbox.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if not self._inbox.full():
            self._inbox.put_nowait(exc)

    async def next(self) -> bytes:
        """The next datagram. Raises what the system says instead of one."""
        found = await self._inbox.get()
        if isinstance(found, Exception):
            raise found
        return found


def interface_in_use() -> str:
    """The interface by which this machine would reach the world, "" if there is no way at present."""
    import psutil  # noqa: PLC0415 - only seats look at their network cards

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(ANYWHERE)
            ours = way.getsockname()[0]
        except OSError:
            return ""
    interfaces = psutil.net_if_addrs()
    return next((name for name, found in interfaces.items() if any(each.address == ours for each in found)), "")


def link_of(interface: str) -> Link:
    """Whether an interface has a link, and how fast."""
    import psutil  # noqa: PLC0415 - as above

    found = psutil.net_if_stats().get(interface)
    return Link(None, None) if found is None else Link(found.isup, found.speed or None)
