"""What the HTTPS port makes of answers that are not an acknowledgement, over a server that says what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from agent_probe.config import HubConfig
from agent_probe.errors import ProbeUnavailable
from agent_probe.http_port import HttpPort
from tests.agent_probe.living_probe import SETTINGS
from tests.waiting import wait_until

SLOWLY_MS = SETTINGS.http.slowly_ms


@asynccontextmanager
async def answering(
    *answers: bytes, bind_address: Callable[[], str] | None = None, came_from: list[str] | None = None
) -> AsyncIterator[tuple[HttpPort, list[bytes]]]:
    """A port to a server that gives one answer to each request; an empty one closes the connection."""
    left, heads = list(answers), list[bytes]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if came_from is not None:
            came_from.append(writer.get_extra_info("peername")[0])
        while left:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            await reader.readexactly(3)
            answer = left.pop(0)
            writer.write(answer)
            if not answer or b"Connection: close" in answer:
                break
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    port = HttpPort(HubConfig(url), SETTINGS.uplink, SETTINGS.http, bind_address=bind_address)
    try:
        await port.connect()
        yield port, heads
    finally:
        await port.close()
        server.close()


def http(status: str, *headers: str, body: bytes = b"") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""])
    return head.encode("ascii") + body


@pytest.mark.parametrize(
    ("answer", "retry_ms", "detail"),
    [
        (http("503 Busy", "Retry-After: 7"), 7_000, "HTTP 503"),
        (http("429 Often", "Retry-After: 99999"), SLOWLY_MS, "HTTP 429"),
        (http("503 Busy", "Retry-After: Sun, 22 Nov 2026 04:15:00 GMT"), SETTINGS.uplink.reconnect_max_ms, "HTTP 503"),
        (http("401 Who"), SLOWLY_MS, "HTTP 401"),
        (http("422 What"), SLOWLY_MS, "HTTP 422"),
        (http("302 There", "Location: http://portal/"), SLOWLY_MS, "HTTP 302"),
        (http("200 OK", "Content-Type: text/html", body=b"<html>"), SLOWLY_MS, "not the hub"),
        (http("500 Oh"), None, "HTTP 500"),
        (b"", None, "ended inside the answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None, "not HTTP"),
    ],
)
async def test_without_an_acknowledgement_nothing_is_taken_for_one(
    answer: bytes, retry_ms: int | None, detail: str
) -> None:
    async with answering(answer) as (port, _):
        with pytest.raises(ProbeUnavailable, match=detail) as refused:
            await port.publish("unused", b"abc")
        assert refused.value.retry_ms == retry_ms
        assert port._acks.empty()


async def test_a_connection_that_the_other_end_closes_in_good_order_is_made_again_for_the_next_frame() -> None:
    taken = http("200 OK", "Content-Type: application/msgpack; v=1", "Connection: close", body=b"ack")
    async with answering(taken, taken, taken) as (port, heads):
        acks = port.messages()
        for _ in range(3):
            await port.publish("unused", b"abc")
            assert await anext(acks) == b"ack"
    assert len(heads) == 3
    assert heads[0].startswith(b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization" not in heads[0]


async def test_a_connection_that_is_made_again_stays_on_its_line_until_the_uplink_chooses_anew() -> None:
    taken = http("200 OK", "Content-Type: application/msgpack", "Connection: close", body=b"ack")
    lines, came_from = iter(("127.0.0.2", "127.0.0.3")), list[str]()
    async with answering(taken, taken, bind_address=lambda: next(lines), came_from=came_from) as (port, _):
        await port.publish("unused", b"abc")
        await port.publish("unused", b"abc")
        await port.connect()
        await wait_until(lambda: len(came_from) == 3, what="the third connection")
    assert came_from == ["127.0.0.2", "127.0.0.2", "127.0.0.3"]
