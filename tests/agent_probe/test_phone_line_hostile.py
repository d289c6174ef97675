"""A SIP peer over TLS that means harm, or is broken: bounded time, bounded memory, and the other sensors go on."""

import asyncio
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agent_probe.sensors.base import Stamp
from agent_probe.sensors.phone_line.sensor import PhoneLineSensor
from tests.agent_probe.sip_replay import QUICK, phone_line
from tests.relays import Authority
from tests.servers import LOOPBACK
from wire.phone import PhoneLineReading

ENOUGH_MS = QUICK.transaction.phone_answer_ms
MUCH_LATER_S = 20 * ENOUGH_MS / 1000
MOST_BYTES = 2_000_000
"""Of memory that a peer may make the probe take: a TLS connection alone takes half a megabyte while it is read."""
Peer = Callable[[socket.socket], None]


def for_ever(peer: socket.socket, data: bytes) -> None:
    while True:
        peer.sendall(data)


def garbage(peer: socket.socket) -> None:
    peer.recv(100)
    for_ever(peer, bytes(range(256)) * 64)


def endless_headers(peer: socket.socket) -> None:
    peer.recv(100)
    peer.sendall(b"SIP/2.0 200 OK\r\n")
    for_ever(peer, b"X-Filler: " + b"y" * 80 + b"\r\n")


def endless_blank_lines(peer: socket.socket) -> None:
    peer.recv(100)
    for_ever(peer, b"\r\n" * 8_000)


def endless_answers_to_nobody(peer: socket.socket) -> None:
    peer.recv(100)
    for_ever(peer, b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKother\r\n\r\n" * 200)


def endless_requests(peer: socket.socket) -> None:
    peer.recv(100)
    for_ever(peer, b"OPTIONS sip:probe SIP/2.0\r\n\r\n" * 500)


def endless_ringing(peer: socket.socket) -> None:
    asked = peer.recv(4_000).decode()
    via = "".join(line for line in asked.split("\r\n") if line.startswith("Via:"))
    for_ever(peer, f"SIP/2.0 100 Trying\r\n{via}\r\n\r\n".encode() * 100)


def a_body_that_never_ends(peer: socket.socket) -> None:
    peer.recv(100)
    peer.sendall(b"SIP/2.0 200 OK\r\nContent-Length: 60000\r\n\r\n")
    says_nothing(peer)


def a_body_larger_than_any(peer: socket.socket) -> None:
    peer.recv(100)
    peer.sendall(b"SIP/2.0 200 OK\r\nContent-Length: 999999999\r\n\r\n")
    for_ever(peer, b"z" * 16_000)


def one_byte_after_the_other(peer: socket.socket) -> None:
    peer.recv(100)
    for byte in b"SIP/2.0 200 OK\r\n" + b"a: b\r\n" * 100_000:
        peer.sendall(bytes([byte]))


def hangs_up_half_way(peer: socket.socket) -> None:
    peer.recv(100)
    peer.sendall(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS h;bra")


def says_nothing(peer: socket.socket) -> None:
    while peer.recv(4_000):
        pass


def no_tls_but_records(peer: socket.socket) -> None:
    peer.recv(100)
    for_ever(peer, b"\x16\x03\x03\x40\x00" + b"\xff" * 0x4000)


def hello_and_away(peer: socket.socket) -> None:
    peer.recv(10)


@contextmanager
def listening(behaves: Peer, tls: ssl.SSLContext | None) -> Iterator[int]:
    """A peer of its own thread, so that what it does is not taken for what the probe does."""
    with socket.create_server((LOOPBACK, 0)) as server, ThreadPoolExecutor(1) as threads:
        ended = threading.Event()
        connected: list[socket.socket] = []
        server.settimeout(ENOUGH_MS / 1000)

        def serve() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    taken, _ = server.accept()
                    with taken:
                        taken.settimeout(MUCH_LATER_S)
                        with taken if tls is None else tls.wrap_socket(taken, server_side=True) as peer:
                            connected.append(peer)
                            behaves(peer)

        threads.submit(serve)
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            for peer in connected:  # the loop that would close the other end stands still until the thread has ended
                with suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)


async def said(sensor: PhoneLineSensor, second: int) -> PhoneLineReading:
    (reading,) = await sensor.sample(Stamp(1_800_000_000_000 + second * 1000, second * 1000, True))
    body = reading.body()
    assert isinstance(body, PhoneLineReading)
    return body


class OtherSensor:
    """Of the same probe: how often it had its turn."""

    def __init__(self) -> None:
        self.turns = 0

    async def run(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


SPEAKS_TLS = {
    garbage: {"protocol", "timeout"},
    endless_headers: {"protocol"},
    endless_blank_lines: {"timeout", "protocol"},
    endless_answers_to_nobody: {"timeout", "protocol"},
    endless_ringing: {"timeout", "protocol"},
    endless_requests: {"timeout", "protocol"},
    a_body_that_never_ends: {"timeout"},
    a_body_larger_than_any: {"protocol"},
    one_byte_after_the_other: {"timeout", "protocol"},
    hangs_up_half_way: {"closed", "unreachable"},
    says_nothing: {"timeout"},
}
SPEAKS_NONE = {no_tls_but_records: {"tls"}, says_nothing: {"timeout"}, hello_and_away: {"unreachable", "closed", "tls"}}


TURNS_LEAST = 3
SAMPLES_OF_A_DAY = 60
"""As many as show whether memory grows with each."""


@pytest.mark.parametrize(
    ("behaves", "words", "is_tls"),
    [(*each, True) for each in SPEAKS_TLS.items()] + [(*each, False) for each in SPEAKS_NONE.items()],
)
async def test_a_hostile_peer_is_a_miss_in_time_and_takes_no_other_sensors_turn(
    tmp_path: Path, behaves: Peer, words: set[str], *, is_tls: bool
) -> None:
    authority = Authority(tmp_path)
    with listening(behaves, authority.serving(LOOPBACK) if is_tls else None) as port:
        sensor = phone_line(port, transport="tls", ca_file=str(authority.file), settings=QUICK)
        other = OtherSensor()
        running = asyncio.get_running_loop().create_task(other.run(), name="other sensor")
        try:
            for second in range(2):
                before = other.turns
                async with asyncio.timeout(MUCH_LATER_S):
                    body = await said(sensor, second)
                assert body.last_code is None
                assert body.error in words
                assert other.turns - before >= TURNS_LEAST
        finally:
            running.cancel()
            await sensor.close()


@pytest.mark.parametrize(("behaves", "is_tls"), [(garbage, True), (endless_headers, True), (no_tls_but_records, False)])
async def test_a_hostile_peer_takes_no_more_memory_the_longer_it_is_asked(
    tmp_path: Path, behaves: Peer, *, is_tls: bool
) -> None:
    authority = Authority(tmp_path)
    with listening(behaves, authority.serving(LOOPBACK) if is_tls else None) as port:
        sensor = phone_line(port, transport="tls", ca_file=str(authority.file), settings=QUICK)
        tracemalloc.start()
        try:
            for second in range(SAMPLES_OF_A_DAY):
                assert (await said(sensor, second)).last_code is None
            _, peak = tracemalloc.get_traced_memory()
            print(behaves.__name__, peak)
        finally:
            tracemalloc.stop()
            await sensor.close()
        assert peak <= MOST_BYTES
