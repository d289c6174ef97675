"""SNTP without I/O (RFC 4330 over NTP version 4): one question to a time server, and what its answer says of our clock.

Only the sender's nonce travels in the question, no time of ours. All times in ms since the Unix epoch, whole numbers.

Format: SNTP of RFC 4330, in the packet of RFC 5905.
"""

import struct
from typing import Final, NamedTuple

PACKET: Final = struct.Struct("!BBbb11I")
QUESTION: Final = 0x23
"""No warning, version 4, client."""
SERVER: Final = 4
UNSYNCHRONISED: Final = 3
STRATA: Final = range(1, 16)
UNIX_EPOCH_IN_NTP: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""
ERA: Final = 1 << 32
NONCE_SIZE: Final = 8


class Told(NamedTuple):
    """offset_ms: our clock minus the server's. round_trip_ms: on the way; half of it is how wrong the offset may be."""

    offset_ms: int
    round_trip_ms: int


def question(nonce: bytes) -> bytes:
    """What to send. nonce: 8 random bytes, which the answer must repeat."""
    high, low = struct.unpack("!II", nonce)
    return PACKET.pack(QUESTION, 0, 0, 0, *(0,) * 9, high, low)


def read_answer(data: bytes, nonce: bytes, sent_at: int, received_at: int) -> Told | None:
    """What an answer tells; None if it answers another question, or comes from a server that does not know the time.

    sent_at, received_at: by our clock.
    """
    if len(data) < PACKET.size:
        return None
    flags, stratum, _, _, *words = PACKET.unpack_from(data)
    asked, heard, said = words[5:7], words[7:9], words[9:11]
    is_usable = flags & 7 == SERVER and flags >> 6 != UNSYNCHRONISED and stratum in STRATA and any(said)
    if not is_usable or struct.pack("!II", *asked) != nonce:
        return None
    heard_at, said_at = (_unix_ms(seconds, fraction, sent_at) for seconds, fraction in (heard, said))
    return Told(
        offset_ms=((sent_at - heard_at) + (received_at - said_at)) // 2,
        round_trip_ms=max(0, (received_at - sent_at) - (said_at - heard_at)),
    )


def _unix_ms(seconds: int, fraction: int, near: int) -> int:
    """An NTP time stamp, in the era that is closest to `near`: the first one ends in 2036."""
    first = (seconds - UNIX_EPOCH_IN_NTP) * 1000 + (fraction * 1000 >> 32)
    era_ms = ERA * 1000
    return first + (near - first + era_ms // 2) // era_ms * era_ms
