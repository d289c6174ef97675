"""When a certificate is valid, read from its DER bytes: all the probe needs of X.509, without a library for it.

Format: X.509 of RFC 5280, in the DER of X.690.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

SEQUENCE: Final = 0x30
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
VERSION: Final = 0xA0
LONG_FORM: Final = 0x80
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
BEFORE_VALIDITY: Final = 3
"""Serial number, signature algorithm, issuer."""


class Validity(NamedTuple):
    """First and last instant, in ms since the Unix epoch."""

    since: int
    until: int


def validity(der: bytes) -> Validity:
    """When the certificate is valid (RFC 5280, section 4.1.2.5). Raises ValueError if these are no such bytes."""
    _, certificate, _ = _element(der, SEQUENCE)
    _, rest, _ = _element(certificate, SEQUENCE)
    if rest[:1] == bytes([VERSION]):
        _, _, rest = _element(rest)
    for _ in range(BEFORE_VALIDITY):
        _, _, rest = _element(rest)
    _, dates, _ = _element(rest, SEQUENCE)
    tag, since, dates = _element(dates)
    other, until, _ = _element(dates)
    return Validity(_instant(tag, since), _instant(other, until))


def _element(data: bytes, expected: int | None = None) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows of the first element. Raises ValueError."""
    if len(data) < 2 or (expected is not None and data[0] != expected):
        raise ValueError("not a certificate")
    length, start = data[1], 2
    if length & LONG_FORM:
        digits = length & ~LONG_FORM
        start += digits
        length = int.from_bytes(data[2:start], "big")
        if not 1 <= digits <= 4:
            raise ValueError("a length that no certificate has")
    if len(data) < start + length:
        raise ValueError("the certificate is cut short")
    return data[0], data[start : start + length], data[start + length :]


def _instant(tag: int, content: bytes) -> int:
    text = content.decode("ascii", "replace")
    if tag == UTC_TIME:
        text = f"{'19' if text >= '50' else '20'}{text}"
    elif tag != GENERALIZED_TIME:
        raise ValueError("a date of another form")
    if len(text) != len("20261122041500Z") or not text.endswith("Z") or not text[:-1].isdecimal():
        raise ValueError("a date that cannot be read")
    parts = [text[:4], *(text[at : at + 2] for at in range(4, 14, 2))]
    year, month, day, hour, minute, second = map(int, parts)
    return (datetime(year, month, day, hour, minute, second, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
