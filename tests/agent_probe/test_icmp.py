"""Echo requests and replies, byte by byte."""

import errno
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe._core.icmp import checksum, decode_reply, encode_request
from agent_probe.errors import ProbeUnavailable
from agent_probe.sensors.uplink.echo import Bound, Echoes, Target

TOKEN = b"seatwtch"


def reply_to(request: bytes) -> bytes:
    """As any host answers: the type becomes 0, the checksum follows, the rest stays."""
    plain = b"\x00\x00\x00\x00" + request[4:]
    return plain[:2] + checksum(plain).to_bytes(2, "big") + plain[4:]


def test_the_checksum_is_that_of_the_rfcs_example() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    assert checksum(encode_request(TOKEN, 7)) == 0


@given(st.integers(0, 2**64 - 1))
def test_a_reply_names_the_request_it_answers(number: int) -> None:
    reply = reply_to(encode_request(TOKEN, number))
    assert decode_reply(reply, TOKEN) == number
    with_ip_header = bytes.fromhex("4500003000004000400100007f0000017f000001") + reply
    assert decode_reply(with_ip_header, TOKEN) == number


def test_replies_to_others_requests_and_errors_are_none_of_ours() -> None:
    request = encode_request(TOKEN, 7)
    assert decode_reply(reply_to(request), b"otherone") is None
    assert decode_reply(request, TOKEN) is None
    assert decode_reply(reply_to(request)[:20], TOKEN) is None
    assert decode_reply(b"", TOKEN) is None


@given(st.binary(max_size=100))
def test_noise_answers_nothing(data: bytes) -> None:
    assert decode_reply(data, TOKEN) is None


@pytest.mark.parametrize("no_such", [errno.EPROTONOSUPPORT, errno.EPROTOTYPE, errno.ESOCKTNOSUPPORT])
@pytest.mark.parametrize("raw_refused", [errno.EACCES, errno.EPERM])
async def test_a_system_without_ordinary_sockets_for_icmp_is_asked_for_a_raw_one_as_windows_is(
    monkeypatch: pytest.MonkeyPatch, no_such: int, raw_refused: int
) -> None:
    asked: list[socket.SocketKind] = []

    def refusing(_family: int, kind: socket.SocketKind, _protocol: int) -> None:
        asked.append(kind)
        error = no_such if kind is socket.SOCK_DGRAM else raw_refused
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("agent_probe.sensors.uplink.echo.socket.socket", refusing)
    with pytest.raises(ProbeUnavailable, match="use targets with a port"):
        Echoes(Bound("", ""), lambda _: None).send(1, Target("192.0.2.1", None))
    assert asked == [socket.SOCK_DGRAM, socket.SOCK_RAW]
