"""SNMP: bytes as real programs send them, anything else refused, and the client before an agent that may be slow."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe.errors import ProbeUnavailable
from agent_probe.snmp import SnmpAddress, SnmpClient, SnmpDecodeError, decode_response, encode_get

OUTPUT_SOURCE = "1.3.6.1.2.1.33.1.4.1.0"
MAKER = "1.3.6.1.2.1.33.1.1.1.0"
MINUTES_LEFT = "1.3.6.1.2.1.33.1.2.3.0"
SYSTEM = "1.3.6.1.2.1.1.2.0"
SEVENTH_LINK = "1.3.6.1.2.1.2.2.1.8.7"
REQUEST_ID = 0x0884A7A7
# Between snmpget of net-snmp 5.9.3 and snmpsim.
ASKED = bytes.fromhex(
    "30660201010403757073a05c02040884a7a7020100020100304e300e060a2b0601020121010401000500300e060a2b06010201210101"
    "01000500300e060a2b0601020121010203000500300c06082b060102010102000500300e060a2b0601020102020108070500"
)
ANSWERED = bytes.fromhex(
    "30720201010403757073a26802040884a7a7020100020100305a300f060a2b060102012101040100020103"
    "3012060a2b060102012101010100040441434d45300f060a2b06010201210102030002011e301206082b06"
    "01020101020006062b0601020121300e060a2b0601020102020108078100"
)
OF_REQUEST_1 = ANSWERED.replace(REQUEST_ID.to_bytes(4, "big"), b"\x00\x00\x00\x01")


def test_a_question_has_the_bytes_that_net_snmp_sends() -> None:
    assert encode_get("ups", REQUEST_ID, [OUTPUT_SOURCE, MAKER, MINUTES_LEFT, SYSTEM, SEVENTH_LINK]) == ASKED


def test_an_agents_answer_is_read_and_what_it_does_not_have_is_none() -> None:
    response = decode_response(ANSWERED)
    assert (response.request_id, response.error) == (REQUEST_ID, 0)
    assert response.values == {
        OUTPUT_SOURCE: 3,
        MAKER: b"ACME",
        MINUTES_LEFT: 30,
        SYSTEM: "1.3.6.1.2.1.33",
        SEVENTH_LINK: None,
    }


def test_counters_are_unsigned_and_integers_are_not() -> None:
    for tag, content, value in ((0x02, b"\xff", -1), (0x42, b"\xff", 255), (0x46, b"\xff" * 8, 2**64 - 1)):
        binding = bytes([0x30, 4 + 2 + len(content), 0x06, 2, 0x2B, 0x06, tag, len(content)]) + content
        listed = bytes([0x30, len(binding)]) + binding
        head = bytes.fromhex("020101020100020100")
        body = bytes.fromhex("0201010403757073") + bytes([0xA2, len(head + listed)]) + head + listed
        assert decode_response(bytes([0x30, len(body)]) + body).values == {"1.3.6": value}


@pytest.mark.parametrize("name", ["1", "", "1.x", "3.1.2", "1.3.-6"])
def test_what_is_no_object_id_is_not_asked_for(name: str) -> None:
    with pytest.raises(ValueError):
        encode_get("ups", 1, [name])


@given(st.binary(max_size=80) | st.integers(0, len(ANSWERED) - 1).map(lambda cut: ANSWERED[:cut]))
def test_anything_else_is_refused_and_never_crashes(data: bytes) -> None:
    with pytest.raises(SnmpDecodeError):
        decode_response(data)


def long(tag: int, content: bytes) -> bytes:
    """An element with its length in two bytes."""
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def answer_of(name: bytes, value: bytes) -> bytes:
    """An answer with one object."""
    pdu = bytes.fromhex("020101020100020100") + long(0x30, long(0x30, name + value))
    return long(0x30, bytes.fromhex("0201010403757073") + long(0xA2, pdu))


@pytest.mark.parametrize("tag", [0x02, 0x41, 0x42, 0x46])
def test_a_number_longer_than_snmp_has_is_not_known(tag: int) -> None:
    name = bytes.fromhex("06022b06")
    assert decode_response(answer_of(name, long(tag, b"\x00" + b"\xff" * 8))).values == {"1.3.6": 2**64 - 1}
    assert decode_response(answer_of(name, long(tag, b"\x7f" * 3_000))).values == {"1.3.6": None}


def test_an_object_id_with_a_number_beyond_32_bits_is_refused() -> None:
    endless = long(0x06, b"\x2b" + b"\xff" * 3_000 + b"\x01")
    with pytest.raises(SnmpDecodeError, match="beyond 32 bits"):
        decode_response(answer_of(endless, b"\x05\x00"))


@given(st.integers(0, len(ANSWERED) - 1), st.integers(0, 255))
def test_an_answer_with_a_changed_byte_is_refused_or_read(at: int, octet: int) -> None:
    damaged = ANSWERED[:at] + bytes([octet]) + ANSWERED[at + 1 :]
    with suppress(SnmpDecodeError):
        assert len(decode_response(damaged).values) <= 5


class Agent(asyncio.DatagramProtocol):
    """Answers the nth question with what its script says."""

    def __init__(self, answers: Callable[[int], list[bytes]]) -> None:
        self.asked = 0
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        for answer in self._answers(self.asked):
            self._transport.sendto(answer, addr)


async def client_before(agent: Agent) -> tuple[SnmpClient, asyncio.BaseTransport]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: agent, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    client = SnmpClient(SnmpAddress("127.0.0.1", port, "ups"), resend_ms=20)
    await client.open()
    return client, transport


async def test_a_lost_question_is_asked_again_and_stray_answers_are_left_aside() -> None:
    agent = Agent(lambda asked: [] if asked == 1 else [b"noise", ANSWERED, OF_REQUEST_1])
    client, transport = await client_before(agent)
    values = await client.get([OUTPUT_SOURCE])
    assert values[OUTPUT_SOURCE] == 3
    assert agent.asked == 2
    await client.close()
    transport.close()


async def test_an_agent_that_says_no_is_unavailable() -> None:
    refused = OF_REQUEST_1.replace(b"\x00\x00\x00\x01\x02\x01\x00", b"\x00\x00\x00\x01\x02\x01\x05")
    client, transport = await client_before(Agent(lambda _: [refused]))
    with pytest.raises(ProbeUnavailable, match="refused: SNMP error 5"):
        await client.get([OUTPUT_SOURCE])
    await client.close()
    transport.close()


def said(request: int, error: int, index: int) -> bytes:
    """An answer that names the output source, 3."""
    bindings = bytes.fromhex("3011300f060a2b060102012101040100020103")
    pdu = bytes([2, 1, request, 2, 1, error, 2, 1, index]) + bindings
    body = bytes.fromhex("0201010403757073") + bytes([0xA2, len(pdu)]) + pdu
    return bytes([0x30, len(body)]) + body


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([(2, 1), (2, 2), (0, 0)], id="it says which"),
        pytest.param([(2, 0), (2, 0), (0, 0), (2, 1)], id="it does not, and is asked one by one"),
    ],
)
async def test_an_object_for_which_an_agent_refuses_all_is_left_out_of_the_next_question(
    script: list[tuple[int, int]],
) -> None:
    agent = Agent(lambda asked: [said(asked, *(script[asked - 1] if asked <= len(script) else (0, 0)))])
    client, transport = await client_before(agent)
    assert await client.get([MAKER, OUTPUT_SOURCE, MINUTES_LEFT]) == {OUTPUT_SOURCE: 3}
    assert agent.asked == len(script)
    assert await client.get([MAKER, OUTPUT_SOURCE, MINUTES_LEFT]) == {OUTPUT_SOURCE: 3}
    assert agent.asked == len(script) + 1, "what is absent is known"
    assert await client.get([MAKER]) == {}
    await client.close()
    transport.close()


async def test_an_agent_that_refuses_an_object_nobody_asked_for_is_unavailable() -> None:
    client, transport = await client_before(Agent(lambda asked: [said(asked, 2, 9)]))
    with pytest.raises(ProbeUnavailable, match="refused: SNMP error 2"):
        await client.get([OUTPUT_SOURCE])
    await client.close()
    transport.close()


async def test_a_port_nobody_listens_on_is_unavailable_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = SnmpClient(SnmpAddress("127.0.0.1", port, "ups"), resend_ms=1_000)
    await client.open()
    with pytest.raises(ProbeUnavailable, match="unreachable"):
        await client.get([OUTPUT_SOURCE])
    await client.close()
    with pytest.raises(ProbeUnavailable, match="not open"):
        await client.get([OUTPUT_SOURCE])
