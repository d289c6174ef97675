"""The sans-IO client half of HTTP/1.1: what is whole, what is too much, what is ambiguous, however it is cut up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe._core.http1 import HttpProtocolError, Response, ResponseParser, encode_request

WHOLE: dict[str, tuple[bytes, Response]] = {
    "length": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: 3\r\n\r\nabc",
        Response(200, {"content-type": "application/msgpack", "content-length": "3"}, b"abc", keeps_open=True),
    ),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=1\r\nab\r\n01\r\nc\r\n0\r\nTrailer: t\r\n\r\n",
        Response(200, {"transfer-encoding": "chunked"}, b"abc", keeps_open=True),
    ),
    "nothing": (
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        Response(204, {"connection": "close"}, b"", keeps_open=False),
    ),
    "empty": (
        b"HTTP/1.1 503 \r\nContent-Length: 0\r\nRetry-After: 2\r\n\r\n",
        Response(503, {"content-length": "0", "retry-after": "2"}, b"", keeps_open=True),
    ),
    "interim": (
        b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nz",
        Response(200, {"content-length": "1"}, b"z", keeps_open=False),
    ),
    "old but kept": (
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\nVia: a\r\nVia: b\r\n\r\nz",
        Response(200, {"connection": "Keep-Alive", "content-length": "1", "via": "a, b"}, b"z", keeps_open=True),
    ),
}


def parser(head_bytes: int = 200, body_bytes: int = 10, *, never_a_body: bool = False) -> ResponseParser:
    return ResponseParser(head_bytes=head_bytes, body_bytes=body_bytes, never_a_body=never_a_body)


@pytest.mark.parametrize("case", WHOLE)
def test_an_answer_is_whole_at_its_last_byte_however_it_is_cut_up(case: str) -> None:
    data, expected = WHOLE[case]
    for size in (1, 2, 3, 7, len(data)):
        reading = parser()
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        found = [reading.feed(part) for part in parts]
        assert found[:-1] == [None] * (len(parts) - 1)
        assert found[-1] == expected


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    reading = parser()
    assert reading.feed(b"HTTP/1.1 502 Bad\r\n\r\nso") is None
    assert reading.feed(b"rry") is None
    assert reading.ended() == Response(502, {}, b"sorry", keeps_open=False)


def test_the_answer_to_a_connect_has_no_body_whatever_it_says() -> None:
    reading = parser(never_a_body=True)
    answer = reading.feed(b"HTTP/1.1 200 Established\r\nContent-Length: 99\r\n\r\n")
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "without a name"),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n", "without a name"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "two lengths"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n", "no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", "more than 10 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "encoded"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "encoded"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", "without a size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "without a size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", "longer than it said"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890", "more than 10 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n01234567890", "more than 10 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200, "head of more"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 300, "line of more"),
    ],
)
def test_what_is_ambiguous_or_too_much_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(HttpProtocolError, match=problem):
        parser().feed(data)


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"])
def test_a_connection_that_ends_inside_an_answer_is_no_answer(data: bytes) -> None:
    reading = parser()
    assert reading.feed(data) is None
    with pytest.raises(HttpProtocolError, match="ended inside"):
        reading.ended()


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_hostile_bytes_are_an_answer_or_a_refusal_and_never_grow(parts: list[bytes]) -> None:
    reading = parser()
    try:
        for part in [b"HTTP/1.1 200 OK\r\n", *parts]:
            answer = reading.feed(part)
            if answer is not None:
                assert len(answer.body) <= 10
                return
    except HttpProtocolError:
        return
    assert len(reading._buffer) <= 200 + 40


def test_a_request_says_how_long_its_body_is_and_no_header_can_add_another() -> None:
    request = encode_request("POST", "/v1/events", [("Host", "hub")], b"abc")
    assert request == b"POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Length: 3\r\n\r\nabc"
    with pytest.raises(ValueError, match="line break"):
        encode_request("GET", "/", [("Authorization", "Bearer a\r\nX: y")])
