"""Platforms and softphones as a seat sees them: programs by file name, doors by TCP and TLS."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import trustme

from agent_probe.platform import current
from agent_probe.platform.linux import Linux
from agent_probe.platform.windows import Windows
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.seat.platform import PlatformSensor, PlatformTarget
from agent_probe.sensors.seat.programs import Programs
from tests.agent_probe.living_probe import SETTINGS
from tests.servers import free_port
from wire.codec import encode_body
from wire.seat import PlatformReading


@contextmanager
def door() -> Iterator[int]:
    """A port that the system opens by itself, without anybody behind it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@asynccontextmanager
async def tls_door(context: ssl.SSLContext) -> AsyncIterator[int]:
    left = asyncio.Event()

    async def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError, ssl.SSLError):
            await reader.read()
        writer.transport.abort()
        left.set()

    server = await asyncio.start_server(opened, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await left.wait()


def sensor(
    port: int,
    *,
    programs: Sequence[str] = (),
    running: Sequence[str] = (),
    read: Callable[[], frozenset[str]] | None = None,
    tls: bool = False,
    ca_file: str = "",
    host: str = "127.0.0.1",
    connect_ms: int = 2_000,
) -> PlatformSensor:
    return PlatformSensor(
        PlatformTarget("shop", programs, host, port, tls, ca_file),
        Programs(read or (lambda: frozenset(running)), max_age_ms=30_000),
        replace(SETTINGS.platform, connect_ms=connect_ms),
        site="sz1",
        seat="s01",
        clock_domain="sz1/p1",
    )


async def said(sensor: PlatformSensor, second: int = 0) -> PlatformReading:
    (reading,) = await sensor.sample(Stamp(1_800_000_000_000 + second * 1000, second * 1000, True))
    body = reading.body()
    assert isinstance(body, PlatformReading)
    encode_body(body)
    return body


async def test_a_door_that_opens_is_reachable_and_the_time_it_took_is_said() -> None:
    with door() as port:
        body = await said(sensor(port))
    assert (body.is_reachable, body.error, body.is_running) == (True, "", None)
    assert body.connect_ms is not None


async def test_a_system_that_lists_no_programs_says_nothing_against_the_door() -> None:
    def refuse() -> frozenset[str]:
        raise PermissionError("not for us")

    with door() as port:
        shop = sensor(port, programs=["shop.exe"], read=refuse)
        found = [await said(shop, second) for second in range(4)]
    assert {(body.is_running, body.is_reachable) for body in found} == {(None, True)}


async def test_a_sample_that_stumbled_is_no_door_that_did_not_open() -> None:
    with door() as port:
        shop = sensor(port)
        assert (await said(shop)).is_reachable is True
        stumbled = [shop.unavailable(Stamp(0, second * 1_000, True), "error")[0].body() for second in range(4)]
    assert {body.is_reachable for body in stumbled if isinstance(body, PlatformReading)} == {None}


def test_windows_that_lists_no_programs_says_so_as_any_system_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> Iterator[psutil.Process]:
        raise psutil.AccessDenied(4)

    monkeypatch.setattr(psutil, "process_iter", refuse)
    with pytest.raises(OSError, match="4"):
        Windows().program_names()


async def test_a_closed_door_is_believed_after_three_tries_which_come_sooner_meanwhile() -> None:
    with door() as port:
        shop = sensor(port)
        assert (await said(shop)).is_reachable is True
    seen = []
    for second in (30, 40, 50):
        body = await said(shop, second)
        seen.append((body.is_reachable, body.error, body.connect_ms, body.since_ms, shop.schedule.interval_ms))
    assert seen == [
        (True, "refused", None, 30_000, 10_000),
        (True, "refused", None, 40_000, 10_000),
        (False, "refused", None, 0, 30_000),
    ]


async def test_the_certificate_of_a_platform_is_checked(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    for name, chosen in {"ours": authority, "other": stranger}.items():
        chosen.cert_pem.write_to_path(str(tmp_path / name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with tls_door(context) as port:
        assert (await said(sensor(port, tls=True, ca_file=str(tmp_path / "other")))).error == "certificate"
        assert (await said(sensor(port, tls=True, ca_file=str(tmp_path / "ours")))).is_reachable is True
    with door() as port:
        assert (await said(sensor(port, tls=True, ca_file=str(tmp_path / "none")))).error == "unreachable"


async def test_a_softphone_without_a_door_is_only_looked_for_by_name() -> None:
    phone = sensor(0, host="", programs=["MicroSIP.exe"], running=["explorer.exe", "microsip.exe"])
    body = await said(phone)
    assert (body.is_running, body.is_reachable, body.error) == (True, None, "")
    assert phone.unavailable(Stamp(0, 0, True), "timeout") == []
    assert (await said(sensor(0, host="", programs=["other"], running=["microsip.exe"]))).is_running is False


async def test_a_sample_that_took_too_long_counts_as_a_door_that_did_not_open() -> None:
    shop = sensor(free_port())
    readings = [
        reading for second in range(3) for reading in shop.unavailable(Stamp(0, second * 1000, True), "timeout")
    ]
    body = readings[-1].body()
    assert isinstance(body, PlatformReading)
    assert (body.is_reachable, body.error) == (False, "timeout")


async def test_the_list_of_programs_is_read_once_for_all_who_ask_within_its_age() -> None:
    reads: list[int] = []

    def read() -> frozenset[str]:
        reads.append(1)
        return frozenset({"a"})

    programs = Programs(read, max_age_ms=30_000)
    assert [await programs.is_any_running(["a", "b"], now) for now in (0, 10, 29_999, 30_000)] == [True] * 4
    assert len(reads) == 2


async def test_a_list_of_programs_that_hangs_delays_no_door_and_is_asked_for_once() -> None:
    released, asked = threading.Event(), []

    def hang() -> frozenset[str]:
        asked.append(1)
        released.wait()
        return frozenset({"chat.exe"})

    with door() as port:
        shop = sensor(port, programs=["chat.exe"], read=hang, connect_ms=100)
        seen = [await said(shop, second) for second in (0, 30, 60)]
        assert [(body.is_reachable, body.is_running) for body in seen] == [(True, None)] * 3
        assert len(asked) == 1
        released.set()
        assert (await said(shop, 90)).is_running is True


async def test_a_long_name_is_found_by_what_linux_keeps_of_it(tmp_path: Path) -> None:
    for process, name in {"1": "init", "77": "shop-chat-for-a", "self": "pytest"}.items():
        (tmp_path / process).mkdir()
        (tmp_path / process / "comm").write_text(f"{name}\n", encoding="ascii")
    (tmp_path / "88").mkdir()  # ended between the list and the look
    assert Linux(tmp_path).program_names() == {"init", "shop-chat-for-a"}
    assert await Programs(Linux(tmp_path).program_names, max_age_ms=0).is_any_running(["Shop-Chat-For-Agents"], 0)


def test_this_very_program_is_among_those_that_run_on_either_half() -> None:
    ours = psutil.Process(os.getpid()).name()
    assert ours[:15] in current().program_names()
    assert ours in Windows().program_names()
    assert Windows().default_gateway() is None
