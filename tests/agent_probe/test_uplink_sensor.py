"""The line sensor before interfaces that are a table, with real sockets on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest

from agent_probe._core.netlink import DefaultRoute, Seen
from agent_probe.errors import ProbeUnavailable
from agent_probe.lines import Lines
from agent_probe.platform import current
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.uplink.echo import Bound, Echoes, Target
from agent_probe.sensors.uplink.router import RouterSensor
from agent_probe.sensors.uplink.sensor import UplinkSensor
from agent_probe.sensors.uplink.watched import LineAt
from agent_probe.snmp import SnmpAddress
from tests.agent_probe.living_probe import SETTINGS
from tests.waiting import wait_until
from wire.body import Body
from wire.codec import KIND_OF, decode_body, encode_body
from wire.uplink import Failover, FailoverOf, LineReading, LineReason, LineState

NOW_MS = current().monotonic_ms
PLUGGED = Seen(is_enabled=True, has_link=True, addresses=("127.0.0.1",))
ROUTES = [DefaultRoute("lo", "127.0.0.1", 100), DefaultRoute("lo1", "127.0.0.1", 200)]


class TableOfLinks:
    """Interfaces as a test says."""

    tells = False

    def __init__(self) -> None:
        self.failure: ProbeUnavailable | None = None
        self.table = {"lo": PLUGGED, "lo1": PLUGGED}
        self.routes: list[DefaultRoute] | None = list(ROUTES)
        self.changed: Callable[[], None] = lambda: None

    def open(self, changed: Callable[[], None]) -> None:
        self.failure = None
        self.changed = changed
        changed()

    def seen(self, name: str) -> Seen | None:
        return self.table.get(name)

    def default_routes(self) -> list[DefaultRoute] | None:
        return self.routes

    def close(self) -> None:
        self.changed = lambda: None


def stamp() -> Stamp:
    return Stamp(1_800_000_000_000, NOW_MS(), True)


class World:
    def __init__(self, *targets: Target) -> None:
        self.links = TableOfLinks()
        self.lines = Lines(NOW_MS)
        self.targets = targets
        self.sensor = self.sensor_of(
            [LineAt("telecom", "Telecom", "lo", "", "", targets), LineAt("unicom", "Unicom", "lo1", "", "", targets)]
        )

    def sensor_of(self, lines: Sequence[LineAt]) -> UplinkSensor:
        return UplinkSensor(
            lines,
            SETTINGS.lines,
            self.lines,
            site="sz1",
            clock_domain="sz1/gw1",
            now_ms=NOW_MS,
            watch=self.links,
        )

    async def said(self) -> list[Body]:
        return [reading.body() for reading in await self.sensor.sample(stamp())]

    async def line(self, name: str) -> LineReading:
        return next(body for body in await self.said() if isinstance(body, LineReading) and body.line == name)

    async def until_up(self) -> None:
        async def is_up() -> bool:
            return (await self.line("telecom")).state is LineState.UP

        await wait_until(is_up, what="the line to be up")


@asynccontextmanager
async def world_with_a_listener() -> AsyncIterator[World]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    world = World(Target("127.0.0.1", port))
    await world.sensor.open()
    try:
        yield world
    finally:
        await world.sensor.close()
        server.close()
        await server.wait_closed()


async def test_a_line_that_answers_is_up_and_says_by_what_it_was_measured() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        found = await world.line("telecom")
        assert (found.site, found.carrier, found.interface, found.source_address) == (
            "sz1",
            "Telecom",
            "lo",
            "127.0.0.1",
        )
        assert (found.reason, found.has_link, found.has_address, found.internet_reachable) == (
            LineReason.OK,
            True,
            True,
            True,
        )
        assert (found.is_default_route, found.carries_mqtt, found.targets) == (True, False, 1)
        assert found.rtt_us is not None
        assert (await world.line("unicom")).is_default_route is False


async def test_a_pulled_cable_is_told_at_once_and_takes_everything_known_with_it() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        world.sensor.news.clear()
        world.links.table["lo"] = PLUGGED._replace(has_link=False)
        world.links.changed()
        assert world.sensor.news.is_set()
        reading = next(r for r in await world.sensor.sample(stamp()) if r.about == "uplink/telecom")
        assert reading.urgent
        body = reading.body()
        assert isinstance(body, LineReading)
        assert (body.state, body.reason, body.has_link) == (LineState.DOWN, LineReason.NO_LINK, False)
        assert body.first_bad_at is not None
        assert body.first_bad_at <= body.occurred_at


async def test_what_changed_after_the_sample_was_stamped_has_held_for_no_time_and_can_be_told() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        before = stamp()
        earlier = before._replace(wall=before.wall - 60_000, monotonic=before.monotonic - 60_000)
        bodies = [reading.body() for reading in await world.sensor.sample(earlier)]
        found = next(body for body in bodies if isinstance(body, LineReading) and body.line == "telecom")
        assert found.since_ms == 0
        assert decode_body(*KIND_OF[LineReading], encode_body(found)) == found


async def test_a_line_whose_address_changes_is_measured_from_the_new_one() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        world.links.table["lo"] = PLUGGED._replace(addresses=("127.0.0.2",))
        world.links.changed()
        found = await world.line("telecom")
        assert (found.state, found.source_address) == (LineState.UP, "127.0.0.2")
        before = found.targets_failed
        world.links.table["lo"] = PLUGGED._replace(addresses=("192.0.2.9",))
        world.links.changed()

        async def is_missed() -> bool:
            return (await world.line("telecom")).targets_failed > before

        await wait_until(is_missed, what="an address that is not ours to answer nothing")


async def test_the_default_route_on_another_line_is_a_failover_said_once() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        world.links.table["lo"] = PLUGGED._replace(addresses=())
        world.links.routes = ROUTES[1:]
        world.links.changed()
        moves = [body for body in await world.said() if isinstance(body, Failover)]
        assert [(move.of, move.from_line, move.to_line, move.cause) for move in moves] == [
            (FailoverOf.ROUTE, "telecom", "unicom", LineReason.NO_ADDRESS)
        ]
        assert not [body for body in await world.said() if isinstance(body, Failover)]
        world.links.routes = []
        world.links.changed()
        assert [(m.from_line, m.to_line) for m in await world.said() if isinstance(m, Failover)] == [("unicom", "")]


async def test_the_line_that_carries_the_connection_says_so_and_a_move_is_told() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        world.lines.take_best()
        world.lines.connected()
        assert world.sensor.news.is_set()
        assert (await world.line("telecom")).carries_mqtt is True
        world.lines.disconnected()
        world.links.table["lo"] = PLUGGED._replace(is_enabled=False)
        world.links.changed()
        world.lines.take_best()
        world.lines.connected()
        moves = [body for body in await world.said() if isinstance(body, Failover)]
        assert [(move.of, move.to_line, move.cause) for move in moves] == [
            (FailoverOf.MQTT, "unicom", LineReason.SWITCHED_OFF)
        ]


async def test_a_router_that_says_the_line_has_no_link_is_believed() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        world.sensor.router_says("telecom", has_link=False)
        assert (await world.line("telecom")).reason is LineReason.NO_LINK
        world.sensor.router_says("telecom", has_link=None)
        assert (await world.line("telecom")).has_link is True


async def test_a_router_that_falls_silent_does_not_mend_a_line_that_it_alone_tells_from_the_other() -> None:
    async with world_with_a_listener() as world:
        behind = [LineAt(name, name, "lo", "", "", world.targets) for name in ("telecom", "unicom")]
        await world.sensor.close()
        world.sensor = world.sensor_of(behind)
        await world.sensor.open()
        await world.until_up()
        world.sensor.router_says("telecom", has_link=False)
        world.sensor.router_says("telecom", has_link=None)
        found = await world.line("telecom")
        assert (found.state, found.reason, found.has_link) == (LineState.DOWN, LineReason.NO_LINK, False)
        assert (await world.line("unicom")).state is LineState.UP
        world.sensor.router_says("telecom", has_link=True)
        assert (await world.line("telecom")).has_link is True


async def test_where_the_system_tells_nothing_a_pulled_cable_is_seen_by_the_next_sample() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        world.links.table["lo"] = PLUGGED._replace(has_link=False)
        assert (await world.line("telecom")).reason is LineReason.NO_LINK


async def test_without_anything_listening_a_refusal_is_an_answer_too() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world = World(Target("127.0.0.1", free.getsockname()[1]))
        await world.sensor.open()
        await world.until_up()
        assert (await world.line("telecom")).internet_reachable
        await world.sensor.close()


async def test_where_echoes_are_forbidden_the_sensor_is_unavailable_and_the_lines_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_: object) -> socket.socket:
        raise PermissionError

    monkeypatch.setattr("agent_probe.sensors.uplink.echo.open_bound", forbidden)
    world = World(Target("127.0.0.1", None))
    await world.sensor.open()
    with pytest.raises(ProbeUnavailable, match="ping_group_range"):
        await world.sensor.sample(stamp())
    await world.sensor.close()
    bodies = [reading.body() for reading in world.sensor.unavailable(stamp(), "forbidden")]
    assert [b.state for b in bodies if isinstance(b, LineReading)] == [LineState.UNKNOWN] * 2


async def test_a_target_that_the_system_refuses_is_refused_at_once() -> None:
    echoes = Echoes(Bound("lo", "127.0.0.1"), lambda _: None)
    with pytest.raises(OSError):
        echoes.send(1, Target("255.255.255.255", 9))
    echoes.close()


class Router(asyncio.DatagramProtocol):
    """Says of every interface that its ifOperStatus is `status`, or nothing at all."""

    def __init__(self) -> None:
        self.status = 1
        self.value_type = 2
        self.is_deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name = bytes.fromhex("060a2b060102010202010803")
        binding = bytes([0x30, len(name) + 3]) + name + bytes([self.value_type, 1, self.status])
        listed = bytes([0x30, len(binding)]) + binding
        request_id = data[data.index(0xA0) + 2 :][:3]
        pdu = request_id + bytes.fromhex("020100020100") + listed
        body = bytes.fromhex("0201010403707562") + bytes([0xA2, len(pdu)]) + pdu
        if not self.is_deaf:
            self._transport.sendto(bytes([0x30, len(body)]) + body, addr)


async def test_a_router_is_asked_for_the_links_of_its_lines() -> None:
    router = Router()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: router, ("127.0.0.1", 0))
    heard: list[tuple[str, bool | None]] = []

    def told(line: str, *, has_link: bool | None) -> None:
        heard.append((line, has_link))

    address = SnmpAddress("127.0.0.1", transport.get_extra_info("sockname")[1], "pub")
    sensor = RouterSensor(address, {"mobile": 3}, SETTINGS.lines.router, resend_ms=50, told=told)
    await sensor.open()
    assert await sensor.sample(stamp()) == ()
    router.status = 2
    await sensor.sample(stamp())
    router.status = 7
    await sensor.sample(stamp())
    router.status = 4
    await sensor.sample(stamp())
    router.status, router.value_type = ord("1"), 4
    await sensor.sample(stamp())
    assert sensor.unavailable(stamp(), "timeout") == ()
    assert [has_link for _, has_link in heard] == [True, False, False, None, None, None]
    await sensor.close()
    transport.close()


async def test_a_line_that_stumbles_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        stumbled: list[str] = []
        again, send = asyncio.Event(), Echoes.send

        def stumbles(echoes: Echoes, number: int, target: Target) -> None:
            if not stumbled:
                stumbled.append(echoes.bound.interface)
                raise RuntimeError("of a driver nobody thought of")
            if echoes.bound.interface == stumbled[0]:
                again.set()
            send(echoes, number, target)

        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        monkeypatch.setattr(Echoes, "send", stumbles)
        await wait_until(again.is_set, what="another echo over the same line")
        assert (await world.line("telecom")).state is LineState.UP


async def test_a_system_that_tells_nothing_more_is_said_to_be_unknown_and_opened_again() -> None:
    async with world_with_a_listener() as world:
        await world.until_up()
        world.sensor.news.clear()
        world.links.failure = ProbeUnavailable("netlink", "no memory")
        world.links.changed()
        assert world.sensor.news.is_set(), "it is sampled at once"
        with pytest.raises(ProbeUnavailable, match="no memory"):
            await world.said()
        await world.sensor.close()
        gone = [reading.body() for reading in world.sensor.unavailable(stamp(), "netlink")]
        assert {body.state for body in gone if isinstance(body, LineReading)} == {LineState.UNKNOWN}
        await world.sensor.open()
        await world.until_up()
