"""ICMP echo without I/O: a request to bytes, bytes to the number of the request they answer (RFC 792).

Format: ICMP of RFC 792 with the checksum of RFC 1071.
"""

import struct
from typing import Final

ECHO_REPLY: Final = 0
ECHO_REQUEST: Final = 8
HEAD: Final = struct.Struct("!BBHHH")
BODY: Final = struct.Struct("!8sQ")
"""A token that tells our echoes from those of others, and the number of the echo."""
TOKEN_SIZE: Final = 8
IPV4: Final = 4
WORD: Final = 0xFFFF


def encode_request(token: bytes, number: int) -> bytes:
    """An echo request. token: 8 bytes. The identifier is the kernel's to choose where it wants one."""
    body = BODY.pack(token, number)
    identifier = int.from_bytes(token[:2], "big")
    plain = HEAD.pack(ECHO_REQUEST, 0, 0, identifier, number & WORD) + body
    return HEAD.pack(ECHO_REQUEST, 0, checksum(plain), identifier, number & WORD) + body


def decode_reply(data: bytes, token: bytes) -> int | None:
    """The number of our request that `data` answers, or None. A raw socket gives the IP header as well."""
    if data and data[0] >> 4 == IPV4:
        data = data[(data[0] & 0x0F) * 4 :]
    if len(data) < HEAD.size + BODY.size or data[0] != ECHO_REPLY:
        return None
    theirs, number = data[HEAD.size : HEAD.size + TOKEN_SIZE], data[HEAD.size + TOKEN_SIZE : HEAD.size + BODY.size]
    return int.from_bytes(number, "big") if theirs == token else None


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    # words whose carries are added again: what is left of the whole number, where that is no nought but all ones
    whole = int.from_bytes(data, "big")
    return WORD - (whole % WORD or min(whole, WORD))
