"""This machine's clock beside a time server's, asked once over SNTP."""

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Final

from agent_probe._core.sntp import NONCE_SIZE, PACKET, Told, question, read_answer
from agent_probe.doctor.findings import Because, Finding, Subject, problem, well
from agent_probe.sensors.config import NetworkConfig

MS_PER_S: Final = 1000


async def look_at_clock(
    network: NetworkConfig, now_ms: Callable[[], int], *, wait_ms: int, limit_ms: int
) -> list[Finding]:
    """One finding where a time server is configured: how far off, or that the server says nothing."""
    if not network.time_server:
        return []
    about = f"{network.time_server}:{network.time_port}"
    try:
        async with asyncio.timeout(wait_ms / MS_PER_S):
            told = await _ask(network.time_server, network.time_port, now_ms)
    except OSError:
        return [problem(Subject.CLOCK, about, Because.CLOCK_UNANSWERED)]
    # half of the way there and back is how wrong the offset itself may be
    if abs(told.offset_ms) - told.round_trip_ms // 2 > limit_ms:
        return [problem(Subject.CLOCK, about, Because.CLOCK_WRONG, offset=f"{told.offset_ms / MS_PER_S:+.1f}")]
    return [well(Subject.CLOCK, about, f"{told.offset_ms:+d} ms")]


async def _ask(host: str, port: int, now_ms: Callable[[], int]) -> Told:
    """What the server tells; answers to other questions are passed over. Raises OSError."""
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM))[0]
    nonce = secrets.token_bytes(NONCE_SIZE)
    with socket.socket(family, kind, protocol) as asking:
        asking.settimeout(0)
        asking.connect(address)
        sent_at = now_ms()
        await loop.sock_sendall(asking, question(nonce))
        while True:
            told = read_answer(await loop.sock_recv(asking, PACKET.size), nonce, sent_at, now_ms())
            if told is not None:
                return told
