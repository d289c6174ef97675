"""SIP without I/O (RFC 3261): requests out, answers in. Only what a monitor needs: OPTIONS and REGISTER.

Bytes go in, answers come out; the parser never waits. Sizes are capped: the other end may be anything.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

# Bound: no registrar sends the half of it.
MESSAGE_BYTES_TOLERATED: Final = 64 * 1024
HEADER_LINES_TOLERATED: Final = 256  # Bound: as above
VERSION: Final = "SIP/2.0"
COOKIE: Final = "z9hG4bK"
"""What every branch begins with (RFC 3261, 8.1.1.7)."""
COMPACT: Final[Mapping[str, str]] = {"v": "via", "l": "content-length", "i": "call-id", "m": "contact", "t": "to"}
"""Compact header names (RFC 3261, 7.3.3), as far as anything here reads them."""


class SipProtocolError(Exception):
    """The other end does not speak SIP: the connection is of no further use."""


class Answer(NamedTuple):
    """A response. headers: by lower-case name, in the order they came."""

    code: int
    reason: str
    headers: Mapping[str, Sequence[str]]

    def header(self, name: str) -> str:
        """The first value of a header, "" if there is none."""
        return next(iter(self.headers.get(name, ())), "")

    def number(self, name: str) -> int | None:
        """A header that begins with a whole number (Retry-After, Expires), None if it does not."""
        found = re.match(r"\s*(\d{1,9})(?!\d)", self.header(name))
        return int(found[1]) if found else None

    @property
    def branch(self) -> str:
        """Which transaction it answers: the branch of the topmost Via."""
        found = re.search(r";\s*branch\s*=\s*([^;,\s]+)", self.header("via").partition(",")[0], re.IGNORECASE)
        return found[1] if found else ""

    @property
    def is_final(self) -> bool:
        """Whether no other answer to the same request follows."""
        # Format: RFC 3261, section 7.2: from 200 on it is the last one.
        return self.code >= 200


class Hop(NamedTuple):
    """Where a request leaves from. transport: UDP, TCP or TLS; host, port: our end of it."""

    transport: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """host:port, as Via and Contact write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Dialogue(NamedTuple):
    """What ties requests together. uri: asked. to, sender: addresses without brackets; sender "" is our end itself."""

    uri: str
    to: str
    sender: str
    tag: str
    call_id: str


def request(
    method: str,
    dialogue: Dialogue,
    hop: Hop,
    *,
    branch: str,
    number: int,
    more: Sequence[tuple[str, str]] = (),
) -> bytes:
    """One request without a body. number: its CSeq. branch: unique, beginning with COOKIE."""
    ours = f"sip:monitor@{hop.place}"
    contact = ours if hop.transport == "UDP" else f"{ours};transport={hop.transport.lower()}"
    headers = (
        ("Via", f"{VERSION}/{hop.transport} {hop.place};branch={branch};rport"),
        ("Max-Forwards", "70"),
        ("From", f"<{dialogue.sender or ours}>;tag={dialogue.tag}"),
        ("To", f"<{dialogue.to}>"),
        ("Call-ID", dialogue.call_id),
        ("CSeq", f"{number} {method}"),
        ("Contact", f"<{contact}>"),
        ("User-Agent", "seatwatch-probe"),
        *more,
        ("Content-Length", "0"),
    )
    lines = [f"{method} {dialogue.uri} {VERSION}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


def read_datagram(data: bytes) -> Answer | None:
    """The answer in one datagram; None for anything else (a request to us, a keep-alive, noise)."""
    head, separator, _ = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    return _answer(head) if separator else None


class SipStream:
    """Cuts the byte stream of one connection into messages; requests to us are passed over."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Answer]:
        """The answers completed by `data`. Raises SipProtocolError; the stream is then of no further use."""
        self._buffer += data
        answers: list[Answer] = []
        while True:
            self._buffer = self._buffer.lstrip(b"\r\n")
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            length = _content_length(head) if separator else 0
            if max(len(head), length) > MESSAGE_BYTES_TOLERATED:
                raise SipProtocolError(f"a message of more than {MESSAGE_BYTES_TOLERATED} bytes")
            if not separator or len(rest) < length:
                return answers
            self._buffer = rest[length:]
            if (answer := _answer(head)) is not None:
                answers.append(answer)


def _answer(head: bytes) -> Answer | None:
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    found = re.fullmatch(rf"{re.escape(VERSION)} ([1-6]\d\d)(?: (.*))?", first, re.IGNORECASE)
    if found is None or len(lines) > HEADER_LINES_TOLERATED:
        return None
    headers: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line[:1] in {" ", "\t"} and name:
            headers[name][-1] += " " + line.strip()
            continue
        word, _, value = line.partition(":")
        name = word.strip().lower()
        name = COMPACT.get(name, name)
        headers.setdefault(name, []).append(value.strip())
    return Answer(int(found[1]), (found[2] or "").strip(), headers)


def _content_length(head: bytes) -> int:
    found = re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$", head)
    return int(found[1]) if found else 0
