"""A seat about itself: link, LAN gateway, clock. Gateway and time server are played, the link is this machine's."""

import asyncio
import json
import shutil
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe._core.sntp import NONCE_SIZE, question, read_answer
from agent_probe.platform.linux import Linux
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.seat import network
from agent_probe.sensors.seat.echo import GatewayEcho
from agent_probe.sensors.seat.network import Link, NetworkAddress, SeatSensor, interface_in_use, link_of
from agent_probe.sensors.seat.reach import Reach
from tests.agent_probe.living_probe import SETTINGS
from tests.servers import free_port
from wire.codec import encode_body
from wire.seat import SeatReading

NOW = 1_800_000_000_000
CASES = sorted((Path(network.__file__).parent / "cases").iterdir())
UNIX_IN_NTP_S = 2_208_988_800


def answer(nonce: bytes, heard_ms: int, said_ms: int, *, flags: int = 0x24, stratum: int = 2) -> bytes:
    def stamp(ms: int) -> tuple[int, int]:
        return (ms // 1000 + UNIX_IN_NTP_S) % 2**32, (ms % 1000) * 2**32 // 1000

    words = [0] * 5 + list(struct.unpack("!II", nonce)) + [*stamp(heard_ms), *stamp(said_ms)]
    return struct.pack("!BBbb11I", flags, stratum, 6, -20, *words)


NONCE = bytes(range(1, NONCE_SIZE + 1))


@given(
    st.integers(-10_000_000, 10_000_000), st.integers(0, 2_000), st.integers(0, 50), st.integers(0, 4_000_000_000_000)
)
def test_the_offset_is_ours_minus_the_servers_and_never_wrong_by_more_than_half_the_way(
    ahead_ms: int, way_ms: int, busy_ms: int, true_ms: int
) -> None:
    ours = true_ms + 10_000_000 + ahead_ms
    heard = true_ms + 10_000_000 + way_ms
    told = read_answer(answer(NONCE, heard, heard + busy_ms), NONCE, ours, ours + way_ms + busy_ms)
    assert told is not None
    assert abs(told.offset_ms - ahead_ms) <= way_ms // 2 + 2
    assert told.round_trip_ms <= way_ms + 2


def test_a_question_tells_the_server_nothing_of_our_clock() -> None:
    asked = question(NONCE)
    assert (len(asked), asked[0], asked[-NONCE_SIZE:]) == (48, 0x23, NONCE)
    assert set(asked[1:-NONCE_SIZE]) == {0}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        answer(NONCE, NOW, NOW)[:47],
        answer(b"x" * NONCE_SIZE, NOW, NOW),
        answer(NONCE, NOW, NOW, flags=0xE4),  # says itself that it does not know the time
        answer(NONCE, NOW, NOW, flags=0x23),  # a question
        answer(NONCE, NOW, NOW, stratum=0),  # go away
        answer(NONCE, NOW, NOW, stratum=16),
    ],
)
def test_an_answer_to_somebody_else_or_from_a_server_without_time_is_none(data: bytes) -> None:
    assert read_answer(data, NONCE, NOW, NOW) is None


@given(st.binary(max_size=100))
def test_noise_tells_no_time(data: bytes) -> None:
    assert read_answer(data, NONCE, NOW, NOW) is None


def test_a_time_after_2036_is_of_the_next_era() -> None:
    later = 2_085_978_496_000 + 12_345_000
    told = read_answer(answer(NONCE, later, later), NONCE, later + 40, later + 40)
    assert told is not None
    assert told.offset_ms == 40


def test_an_answer_is_believed_at_once_and_its_absence_after_three_tries() -> None:
    reach = Reach(3)
    tries = [False, True, False, False, True, False, False, False, False, True]
    seen = [reach.observe(answered=answered, now=1_000 * n) for n, answered in enumerate(tries)]
    assert [each.is_reachable for each in seen] == [None, True, True, True, True, True, True, False, False, True]
    assert [each.is_settled for each in seen] == [False, True, False, False, True, False, False, True, True, True]
    assert [each.since_ms for each in seen][5:] == [4_000, 5_000, 0, 1_000, 0]


class Answering:
    """A LAN gateway that answers, or not."""

    def __init__(self, *script: int | None) -> None:
        self.script = list(script)
        self.asked: list[str] = []

    async def rtt_us(self, address: str, answer_ms: int) -> int | None:
        self.asked.append(address)
        return self.script.pop(0)

    def close(self) -> None: ...


def seat(echo: Answering, gateway: str | None = "192.0.2.1", time_server: str = "", time_port: int = 123) -> SeatSensor:
    return SeatSensor(
        NetworkAddress("lo", "", time_server, time_port),
        replace(SETTINGS.seat, answer_ms=200),
        echo,
        find_gateway=lambda: gateway,
        site="sz1",
        seat="s01",
        clock_domain="sz1/p1",
    )


async def said(sensor: SeatSensor, second: int) -> tuple[SeatReading, object]:
    (reading,) = await sensor.sample(Stamp(NOW + second * 1000, second * 1000, True))
    body = reading.body()
    assert isinstance(body, SeatReading)
    encode_body(body)
    return body, reading.state


async def test_the_gateway_is_gone_after_three_misses_and_back_with_its_first_answer() -> None:
    sensor = seat(Answering(300, None, None, None, 400))
    seen = [(await said(sensor, 10 * n))[0] for n in range(5)]
    assert [body.gateway_reachable for body in seen] == [True, True, True, False, True]
    assert [body.gateway_rtt_us for body in seen] == [300, None, None, None, 400]
    assert [body.since_ms for body in seen] == [0, 10_000, 20_000, 0, 0]


async def test_a_gateway_that_never_answered_may_be_one_that_answers_nobody() -> None:
    sensor = seat(Answering(*[None] * 5))
    assert {(await said(sensor, 10 * n))[0].gateway_reachable for n in range(5)} == {None}


async def test_without_a_route_there_is_no_gateway_to_ask() -> None:
    echo = Answering()
    body, _ = await said(seat(echo, gateway=None), 0)
    assert (body.gateway_reachable, body.gateway_rtt_us, echo.asked) == (None, None, [])


@asynccontextmanager
async def time_server(behind_ms: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    asked: list[bytes] = []

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # what it is
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            asked.append(data)
            self.transport.sendto(b"noise", addr)
            self.transport.sendto(answer(data[-NONCE_SIZE:], NOW - behind_ms, NOW - behind_ms), addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    yield transport.get_extra_info("sockname")[1], asked
    transport.abort()


async def test_the_clock_is_compared_now_and_then_and_being_far_off_is_a_change() -> None:
    async with time_server(behind_ms=90_000) as (port, asked):
        sensor = seat(Answering(*[300] * 4), time_server="127.0.0.1", time_port=port)
        seen = [await said(sensor, second) for second in (0, 10, 599, 600)]
        assert len(asked) == 2
    offsets = [body.clock_offset_ms for body, _ in seen]
    assert all(offset is not None and 90_000 <= offset < 90_200 for offset in offsets[:3])
    quiet = seat(Answering(300))
    assert (await said(quiet, 0))[1] != seen[0][1]


async def test_a_time_server_that_does_not_answer_leaves_the_offset_unknown() -> None:
    sensor = seat(Answering(300), time_server="127.0.0.1", time_port=free_port())
    assert (await said(sensor, 0))[0].clock_offset_ms is None


async def test_the_real_gateway_echo_reaches_loopback_by_icmp() -> None:
    echo = GatewayEcho()
    rtt_us = await echo.rtt_us("127.0.0.1", 1_000)
    again_us = await echo.rtt_us("127.0.0.1", 1_000)
    echo.close()
    assert rtt_us is not None
    assert again_us is not None
    assert 0 < again_us < 1_000_000


async def test_where_icmp_is_forbidden_a_handshake_is_tried_and_a_refusal_is_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("agent_probe.sensors.uplink.echo.Echoes._open_icmp", forbidden)
    echo = GatewayEcho()
    assert await echo.rtt_us("127.0.0.1", 1_000) is not None
    echo.close()


def test_a_link_is_as_the_card_says_and_an_interface_that_is_gone_has_none() -> None:
    assert link_of("lo") == Link(True, None)
    assert link_of("nothing0") == Link(None, None)
    assert interface_in_use() in {"", *psutil.net_if_addrs()}


def test_a_machine_without_a_way_out_uses_no_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "ANYWHERE", ("255.255.255.255", 9))
    assert interface_in_use() == ""


ROUTES = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth1 00000000 0101A8C0 0003 0 0 200 00000000 0 0 0
eth0 00000000 0100A8C0 0003 0 0 100 00000000 0 0 0
eth0 0000A8C0 00000000 0001 0 0 100 00FFFFFF 0 0 0
tun0 00000000 00000000 0001 0 0 50 00000000 0 0 0
"""


@pytest.mark.parametrize(
    ("table", "gateway"),
    [(ROUTES, "192.168.0.1"), (ROUTES.splitlines()[0], None), (None, None)],
)
def test_the_gateway_of_the_default_route_with_the_lowest_metric_is_found(
    tmp_path: Path, table: str | None, gateway: str | None
) -> None:
    if table is not None:
        (tmp_path / "net").mkdir()
        (tmp_path / "net" / "route").write_text(table, encoding="ascii")
    assert Linux(tmp_path).default_gateway() == gateway


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_gateway_in_each_recorded_table_of_routes_is_the_one_that_is_asked(case: Path, tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    shutil.copy(case / "route", tmp_path / "net")
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert {"gateway": Linux(tmp_path).default_gateway()} == expected


def test_tables_of_routes_were_recorded() -> None:
    assert len(CASES) >= 6
