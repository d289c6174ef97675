"""When a gateway asks the hub over a line from where it comes, and when it leaves that alone."""

import asyncio
import logging
import socket
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent_probe._core.line_choice import LineNow
from agent_probe.config import HubConfig
from agent_probe.errors import ProbeUnavailable
from agent_probe.line_config import LineConfig
from agent_probe.lines import Lines
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.registry import Host, build
from agent_probe.sensors.seat.sensor import Load
from agent_probe.sensors.uplink.echo import Bound
from agent_probe.sensors.uplink.witness import WitnessDoor, WitnessSensor
from tests.agent_probe.living_probe import SETTINGS, gateway
from wire.uplink import LineReason, LineState

NOW = Stamp(1_800_000_000_000, 1_000, True)
OFTEN = SETTINGS.lines.witness
ADDRESS = "192.0.2.10"


class Door(WitnessDoor):
    """Says what it is told to, and who asked."""

    def __init__(self) -> None:
        super().__init__(HubConfig("https://hub.example"), SETTINGS.http, "sz1/gw1")
        self.asked: list[tuple[str, Bound]] = []
        self.answers: list[str | ProbeUnavailable] = []

    async def ask(self, line: str, bound: Bound) -> str:
        self.asked.append((line, bound))
        answer = self.answers.pop(0) if self.answers else "203.0.113.1"
        if isinstance(answer, ProbeUnavailable):
            raise answer
        return answer


def known(state: LineState = LineState.UP, *, name: str = "telecom", address: str = ADDRESS) -> LineNow:
    return LineNow(name, state, LineReason.OK, None, address, None)


def watched(door: Door, *lines: LineNow, connected: bool = True) -> WitnessSensor:
    seen = Lines(lambda: 0)
    for line in (known(name="unicom", address="192.0.2.20"), *lines):
        seen.update(line)
    if connected:
        seen.take_best()
        seen.connected()
    return WitnessSensor(
        "telecom",
        "wan0",
        door,
        seen,
        OFTEN,
        soon_ms=SETTINGS.lines.witness_soon_ms,
        patience_ms=SETTINGS.uplink.connect_ms,
    )


@pytest.mark.parametrize("state", [LineState.UP, LineState.DEGRADED])
async def test_the_hub_is_asked_from_the_device_and_the_address_of_that_line(state: LineState) -> None:
    door = Door()
    sensor = watched(door, known(state))
    assert await sensor.sample(NOW) == ()
    assert door.asked == [("telecom", Bound("wan0", ADDRESS))]
    assert sensor.schedule is OFTEN


@pytest.mark.parametrize(
    ("line", "connected"),
    [
        pytest.param(None, True, id="nothing is known of it yet"),
        pytest.param(known(LineState.DOWN), True, id="it is down"),
        pytest.param(known(LineState.SUSPECT), True, id="it is suspect: a failover may be under way"),
        pytest.param(known(LineState.UNKNOWN), True, id="it is not measured"),
        pytest.param(known(LineState.DISABLED), True, id="it is switched off"),
        pytest.param(known(address=""), True, id="it has no address"),
        pytest.param(known(), False, id="the probe itself has no connection: that comes first"),
    ],
)
async def test_nothing_is_asked_over_a_line_that_does_not_answer_nor_while_the_connection_is_away(
    line: LineNow | None, *, connected: bool
) -> None:
    door = Door()
    sensor = watched(door, *([] if line is None else [line]), connected=connected)
    await sensor.sample(NOW)
    assert door.asked == []
    assert sensor.schedule.interval_ms == SETTINGS.lines.witness_soon_ms


async def test_a_closed_door_is_no_failure_of_the_sensor_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    door, closed = Door(), ProbeUnavailable("refused")
    door.answers = ["203.0.113.1", "203.0.113.1", closed, closed, "203.0.113.1", "198.51.100.1"]
    sensor = watched(door, known())
    with caplog.at_level(logging.INFO):
        for _ in range(6):
            assert await sensor.sample(NOW) == ()
            assert sensor.schedule is OFTEN, "a door that is closed is not asked more often"
    said = [(each.message, each.__dict__["answer"]) for each in caplog.records]
    assert said == [
        ("witness.seen", "203.0.113.1"),
        ("witness.none", "refused"),
        ("witness.seen", "203.0.113.1"),
        ("witness.seen", "198.51.100.1"),
    ]


async def test_a_name_that_nobody_resolves_takes_one_thread_however_often_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, asked = threading.Event(), []

    def never(name: str) -> str:
        asked.append(name)
        answered.wait(10)
        raise socket.gaierror

    monkeypatch.setattr(socket, "gethostbyname", never)
    door = WitnessDoor(HubConfig("https://hub.example"), SETTINGS.http, "sz1/gw1")
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await door.ask("telecom", Bound("lo", "127.0.0.1"))
    assert asked == ["hub.example"]
    answered.set()
    with pytest.raises(ProbeUnavailable, match="name"):
        await door.ask("telecom", Bound("lo", "127.0.0.1"))


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: http://portal\r\n\r\n",
        b"hello",
        b"",
    ],
)
async def test_what_is_not_the_hub_is_no_witness(says: bytes) -> None:
    async def portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(portal, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = WitnessDoor(HubConfig(f"http://127.0.0.1:{port}"), SETTINGS.http, "sz1/gw1")
    with pytest.raises(ProbeUnavailable):
        await door.ask("telecom", Bound("lo", "127.0.0.1"))
    server.close()


def test_a_gateway_has_a_witness_for_each_line_only_where_the_hub_has_a_door_that_no_proxy_hides() -> None:
    def witnesses(hub: HubConfig | None) -> list[str]:
        lines = [LineConfig(name, name, "lo", ["192.0.2.1", "192.0.2.2"]) for name in ("telecom", "unicom")]
        config = replace(gateway(Path("nowhere"), 1, hub=hub), line=lines)
        built = build(config, SETTINGS, Host(lambda: Load(0, 0), Lines(lambda: 0), lambda: 0))
        return [sensor.name for sensor in built if isinstance(sensor, WitnessSensor)]

    assert witnesses(HubConfig("https://hub.example", proxy="direct")) == ["witness/telecom", "witness/unicom"]
    assert witnesses(HubConfig("https://hub.example", proxy="http://proxy:3128")) == []
    assert witnesses(None) == []
