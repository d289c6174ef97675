"""SNMP version 2c, as little of it as reading devices takes: GET, without I/O; and a client for one agent over UDP.

Object ids are dotted text, `1.3.6.1.2.1.1.3.0`. Values come as int, bytes, dotted text (an object id), or None where
the agent has no such object. Whoever can reach the agent's port reads the community: it is no secret worth the name.

Format: SNMP of RFC 3416, in the BER of X.690.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from agent_probe.errors import ProbeUnavailable

MS_PER_S: Final = 1000
VERSION_2C: Final = 1
INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OBJECT_ID: Final = 0x06
SEQUENCE: Final = 0x30
IP_ADDRESS: Final = 0x40
UNSIGNED: Final = frozenset({0x41, 0x42, 0x43, 0x46})
"""Counter32, Gauge32, TimeTicks, Counter64."""
OPAQUE: Final = 0x44
ABSENT: Final = frozenset({NULL, 0x80, 0x81, 0x82})
"""NULL, noSuchObject, noSuchInstance, endOfMibView."""
GET: Final = 0xA0
RESPONSE: Final = 0xA2
REQUEST_ID_BITS: Final = 31
NUMBER_BYTES_MAX: Final = 9
"""A Counter64 above the middle of its range takes nine."""
ARC_MAX: Final = 2**32 - 1
NO_SUCH_NAME: Final = 2

Value = int | bytes | str | None


class SnmpDecodeError(Exception):
    """These bytes are no SNMP response."""


class Response(NamedTuple):
    """error: 0, or the agent's error-status (RFC 3416); then `values` holds nothing of worth.

    about: which object the error is about, from 1; 0 = not said.
    """

    request_id: int
    error: int
    about: int
    values: Mapping[str, Value]


def encode_get(community: str, request_id: int, objects: Sequence[str]) -> bytes:
    """A GET for `objects`. Raises ValueError for what is no object id."""
    asked = b"".join(_tagged(SEQUENCE, _object_id(name) + _tagged(NULL, b"")) for name in objects)
    pdu = _integer(request_id) + _integer(0) + _integer(0) + _tagged(SEQUENCE, asked)
    return _tagged(SEQUENCE, _integer(VERSION_2C) + _tagged(OCTETS, community.encode()) + _tagged(GET, pdu))


def decode_response(data: bytes) -> Response:
    """What an agent answered. Raises SnmpDecodeError."""
    try:
        version, _community, pdu = _parts(_open(data, SEQUENCE), 3)
        if version != (INTEGER, bytes([VERSION_2C])) or pdu[0] != RESPONSE:
            raise SnmpDecodeError("no response of version 2c")
        request_id, error, index, bindings = _parts(pdu[1], 4)
        values = {}
        for tag, binding in _elements(_content(bindings, SEQUENCE)):
            name, value = _parts(_content((tag, binding), SEQUENCE), 2)
            values[_dotted(_content(name, OBJECT_ID))] = _value(*value)
        number, status, about = (_number(_content(part, INTEGER)) for part in (request_id, error, index))
        return Response(number, status, about, values)
    except IndexError:
        raise SnmpDecodeError("cut short") from None


def _object_id(name: str) -> bytes:
    arcs = [int(arc) for arc in name.strip(".").split(".")]
    if len(arcs) < 2 or arcs[0] > 2 or any(arc < 0 for arc in arcs):
        raise ValueError(f"{name!r} is no object id")
    content = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | (arc & 0x7F))
        content += bytes(reversed(septets))
    return _tagged(OBJECT_ID, bytes(content))


def _integer(number: int) -> bytes:
    return _tagged(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """(tag, content) of each element in `data`."""
    found = []
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            digits = size & 0x7F
            size, at = int.from_bytes(data[at : at + digits], "big"), at + digits
        if at + size > len(data):
            raise SnmpDecodeError("cut short")
        found.append((tag, data[at : at + size]))
        at += size
    return found


def _parts(data: bytes, count: int) -> list[tuple[int, bytes]]:
    found = _elements(data)
    if len(found) < count:
        raise SnmpDecodeError(f"{len(found)} parts where {count} belong")
    return found[:count]


def _open(data: bytes, tag: int) -> bytes:
    return _content(_parts(data, 1)[0], tag)


def _content(element: tuple[int, bytes], tag: int) -> bytes:
    if element[0] != tag:
        raise SnmpDecodeError(f"tag {element[0]:#x} where {tag:#x} belongs")
    return element[1]


def _number(content: bytes) -> int:
    return int.from_bytes(content, "big", signed=True)


def _dotted(content: bytes) -> str:
    arcs = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if max(arcs, default=0) > ARC_MAX:
        raise SnmpDecodeError("an object id with a number beyond 32 bits")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(part) for part in (first, arcs[0] - first * 40, *arcs[1:]))


def _value(tag: int, content: bytes) -> Value:
    if (tag == INTEGER or tag in UNSIGNED) and len(content) > NUMBER_BYTES_MAX:
        return None  # no number that SNMP has: of this object nothing is known, of the others all that was said
    if tag == INTEGER:
        return _number(content)
    if tag in UNSIGNED:
        return int.from_bytes(content, "big")
    if tag in {OCTETS, OPAQUE, IP_ADDRESS}:
        return content
    if tag == OBJECT_ID:
        return _dotted(content)
    if tag in ABSENT:
        return None
    raise SnmpDecodeError(f"a value of tag {tag:#x}")


class SnmpAddress(NamedTuple):
    """Where an agent listens, and the community it answers to."""

    host: str
    port: int
    community: str


class SnmpClient(asyncio.DatagramProtocol):
    """Asks one agent; one question at a time.

    Some agents refuse a whole question for one object they do not have, as version 1 did: it is left out from then on.
    """

    def __init__(self, address: SnmpAddress, *, resend_ms: int) -> None:
        self._address = address
        self._resend_s = resend_ms / MS_PER_S
        self._transport: asyncio.DatagramTransport | None = None
        self._request_id = 0
        self._answer: asyncio.Future[Response] | None = None
        self._absent: set[str] = set()

    async def open(self) -> None:
        """Get a socket. Raises ProbeUnavailable if the host's name cannot be resolved."""
        await self.close()
        self._absent.clear()
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self, remote_addr=(self._address.host, self._address.port)
            )
        except OSError as error:
            raise ProbeUnavailable("unreachable", f"{self._address.host}: {error}") from None
        self._transport = transport

    async def get(self, objects: Sequence[str]) -> Mapping[str, Value]:
        """The values of `objects`, asked for again every `resend_ms`; how long altogether is for the caller to say.

        Raises ProbeUnavailable when nobody listens there, or the agent answers with an error.
        """
        asked = [name for name in objects if name not in self._absent]
        while asked:
            response = await self._ask(asked)
            if not response.error:
                return response.values
            if response.error != NO_SUCH_NAME or response.about > len(asked):
                raise ProbeUnavailable("refused", f"SNMP error {response.error}")
            if response.about < 1 and len(asked) > 1:  # not said which: one by one tells
                return {name: value for each in asked for name, value in (await self.get([each])).items()}
            self._absent.add(asked.pop(max(response.about, 1) - 1))
        return {}

    async def _ask(self, objects: Sequence[str]) -> Response:
        if self._transport is None:
            raise ProbeUnavailable("unreachable", "not open")
        self._request_id = (self._request_id + 1) % (1 << REQUEST_ID_BITS)
        question = encode_get(self._address.community, self._request_id, objects)
        self._answer = asyncio.get_running_loop().create_future()
        while True:
            self._transport.sendto(question)
            done, _ = await asyncio.wait({self._answer}, timeout=self._resend_s)
            if done:
                return self._answer.result()

    async def close(self) -> None:
        """Let go of the socket."""
        if self._transport is not None:
            self._transport.abort()
        self._transport = None

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """Take an answer to the present question; anything else is somebody else's, or late."""
        try:
            response = decode_response(data)
        except SnmpDecodeError:
            return
        if self._answer is not None and not self._answer.done() and response.request_id == self._request_id:
            self._answer.set_result(response)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens on that port."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ProbeUnavailable("unreachable", f"{self._address.host}: {exc}"))
