"""HTTP/1.1 as a client needs it, without a socket: a request as bytes, bytes fed in, one response out.

Every size is capped, and what is ambiguous is refused and not guessed: two lengths, a bare line feed in a chunk, a
length beside chunks (RFC 9112, section 6).
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

END_OF_LINE: Final = b"\r\n"
END_OF_HEAD: Final = b"\r\n\r\n"
WITHOUT_BODY: Final = frozenset({204, 304})
HEX_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")


class HttpProtocolError(ValueError):
    """What came is no HTTP we can take: the connection is of no further use."""


class Response(NamedTuple):
    """headers: by lower-case name, repeated ones joined by a comma. keeps_open: whether another request may follow."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    keeps_open: bool


def encode_request(method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """The bytes of a request. Raises ValueError for a header that would end its line."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break inside a header")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class _Phase(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    TRAILER = auto()
    UNTIL_CLOSED = auto()


class ResponseParser:
    """Reads one response. `head_bytes`, `body_bytes`: the most that is taken of each."""

    def __init__(self, *, head_bytes: int, body_bytes: int, never_a_body: bool = False) -> None:
        """never_a_body: the request was a HEAD or a CONNECT, whose answers end with their head."""
        self._head_bytes = head_bytes
        self._body_bytes = body_bytes
        self._never_a_body = never_a_body
        self._buffer = bytearray()
        self._body = bytearray()
        self._phase = _Phase.HEAD
        self._status = 0
        self._headers: dict[str, str] = {}
        self._keeps_open = False
        self._left = 0

    def feed(self, data: bytes) -> Response | None:
        """The response once it is whole. What comes behind it is not looked at. Raises HttpProtocolError."""
        self._buffer += data
        while True:
            before = self._phase
            if self._step():
                return Response(self._status, self._headers, bytes(self._body), self._keeps_open)
            if self._phase is before:
                return None

    def ended(self) -> Response:
        """The response that the other end's closing completes. Raises HttpProtocolError if that cut it short."""
        if self._phase is not _Phase.UNTIL_CLOSED:
            raise HttpProtocolError("the connection ended inside the answer")
        return Response(self._status, self._headers, bytes(self._body), keeps_open=False)

    def _step(self) -> bool:
        """Take what the present phase can use; True when the response is whole."""
        match self._phase:
            case _Phase.HEAD:
                return self._take_head()
            case _Phase.LENGTH | _Phase.CHUNK:
                return self._take_counted()
            case _Phase.CHUNK_SIZE:
                self._take_chunk_size()
                return False
            case _Phase.TRAILER:
                return self._take_trailer()
            case _Phase.UNTIL_CLOSED:
                self._add(len(self._buffer))
                return False

    def _take_head(self) -> bool:
        end = self._buffer.find(END_OF_HEAD)
        if end > self._head_bytes or (end < 0 and len(self._buffer) > self._head_bytes):
            raise HttpProtocolError(f"a head of more than {self._head_bytes} bytes")
        if end < 0:
            return False
        head = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + len(END_OF_HEAD)]
        version, self._status, self._headers = _read_head(head)
        # Format: RFC 9110, section 15.2: below 200 an answer is not the last one.
        if self._status < 200 and self._status != 101:
            return self._take_head()  # an interim answer: the real one follows
        said = self._headers.get("connection", "").lower()
        self._keeps_open = "close" not in said if version == "1.1" else "keep-alive" in said
        return self._choose_body()

    def _choose_body(self) -> bool:
        length, coding = self._headers.get("content-length"), self._headers.get("transfer-encoding", "").lower()
        if self._never_a_body or self._status in WITHOUT_BODY:
            return True
        if coding:
            if coding != "chunked" or length is not None:
                raise HttpProtocolError(f"a body encoded as {coding!r}")
            self._phase = _Phase.CHUNK_SIZE
        elif length is not None:
            self._left = _whole(length)
            if self._left > self._body_bytes:
                raise self._too_large()
            self._phase = _Phase.LENGTH
        else:
            self._phase, self._keeps_open = _Phase.UNTIL_CLOSED, False
        return self._phase is _Phase.LENGTH and self._take_counted()

    def _take_counted(self) -> bool:
        self._left -= self._add(min(self._left, len(self._buffer)))
        if self._left:
            return False
        if self._phase is _Phase.LENGTH:
            return True
        if len(self._buffer) < len(END_OF_LINE):
            return False
        if not self._buffer.startswith(END_OF_LINE):
            raise HttpProtocolError("a chunk is longer than it said")
        del self._buffer[: len(END_OF_LINE)]
        self._phase = _Phase.CHUNK_SIZE
        return False

    def _take_chunk_size(self) -> None:
        line = self._take_line()
        if line is None:
            return
        size = line.partition(b";")[0].strip()
        if not size or not HEX_DIGITS.issuperset(size) or len(size) > 2 * len(f"{self._body_bytes:x}"):
            raise HttpProtocolError("a chunk without a size")
        self._left = int(size, 16)
        self._phase = _Phase.CHUNK if self._left else _Phase.TRAILER

    def _take_trailer(self) -> bool:
        while (line := self._take_line()) is not None:
            if not line:
                return True
        return False

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(END_OF_LINE)
        if end > self._head_bytes or (end < 0 and len(self._buffer) > self._head_bytes):
            raise HttpProtocolError(f"a line of more than {self._head_bytes} bytes")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + len(END_OF_LINE)]
        return line

    def _add(self, count: int) -> int:
        if len(self._body) + count > self._body_bytes:
            raise self._too_large()
        self._body += self._buffer[:count]
        del self._buffer[:count]
        return count

    def _too_large(self) -> HttpProtocolError:
        return HttpProtocolError(f"a body of more than {self._body_bytes} bytes")


def _read_head(head: str) -> tuple[str, int, dict[str, str]]:
    """HTTP version, status and headers."""
    status_line, *lines = head.split("\r\n")
    protocol, _, rest = status_line.partition(" ")
    # Format: RFC 9112, section 4: three digits.
    code = rest[:3]
    if protocol not in {"HTTP/1.1", "HTTP/1.0"} or not (code.isascii() and code.isdecimal() and len(code) == 3):
        raise HttpProtocolError("the answer is not HTTP/1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key, value = name.lower(), value.strip()
        if not colon or not name or name != name.strip():
            raise HttpProtocolError("a header without a name")
        if key == "content-length" and headers.get(key, value) != value:
            raise HttpProtocolError("two lengths for one body")
        headers[key] = f"{headers[key]}, {value}" if key in headers and key != "content-length" else value
    return protocol.removeprefix("HTTP/"), int(code), headers


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise HttpProtocolError("a length that is no number")
    return int(text)
