"""Digest authentication without I/O (RFC 7616, and RFC 2617 for registrars that ask in the old way)."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from agent_probe.sensors.phone_line.sip import Answer

ALGORITHMS: Final[Mapping[str, str]] = {"MD5": "md5", "SHA-256": "sha256"}
CHALLENGES: Final[Mapping[int, tuple[str, str]]] = {
    401: ("www-authenticate", "Authorization"),
    407: ("proxy-authenticate", "Proxy-Authorization"),
}
"""By answer: the header that asks, and the header that replies."""


class Challenge(NamedTuple):
    """What a registrar asks for. header: where the reply goes. stale: only the nonce was too old."""

    header: str
    realm: str
    nonce: str
    opaque: str
    algorithm: str
    has_qop: bool
    stale: bool


def challenge_of(answer: Answer) -> Challenge | None:
    """The first challenge in a 401 or 407 that can be met; None if there is none."""
    asks, replies = CHALLENGES.get(answer.code, ("", ""))
    for value in answer.headers.get(asks, ()):
        scheme, _, rest = value.partition(" ")
        said = {name.lower(): quoted or plain for name, quoted, plain in PARAMETER.findall(rest)}
        algorithm = said.get("algorithm", "MD5").upper()
        qops = {word.strip().lower() for word in said.get("qop", "").split(",") if word.strip()}
        if scheme.lower() == "digest" and algorithm in ALGORITHMS and (not qops or "auth" in qops):
            return Challenge(
                replies,
                realm=said.get("realm", ""),
                nonce=said.get("nonce", ""),
                opaque=said.get("opaque", ""),
                algorithm=algorithm,
                has_qop=bool(qops),
                stale=said.get("stale", "").lower() == "true",
            )
    return None


PARAMETER: Final = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


def credentials(
    challenge: Challenge, *, username: str, password: str, method: str, uri: str, cnonce: str, count: int
) -> str:
    """The value of the replying header. count: how often this nonce has been used, from 1. cnonce: random."""

    def digest(text: str) -> str:
        return hashlib.new(ALGORITHMS[challenge.algorithm], text.encode(), usedforsecurity=False).hexdigest()

    secret = digest(f"{username}:{challenge.realm}:{password}")
    asked = digest(f"{method}:{uri}")
    times = f"{count:08x}"
    middle = f"{challenge.nonce}:{times}:{cnonce}:auth" if challenge.has_qop else challenge.nonce
    quoted = {
        "username": username,
        "realm": challenge.realm,
        "nonce": challenge.nonce,
        "uri": uri,
        "response": digest(f"{secret}:{middle}:{asked}"),
    }
    if challenge.opaque:
        quoted["opaque"] = challenge.opaque
    if challenge.has_qop:
        quoted["cnonce"] = cnonce
    parts = [f'{name}="{value}"' for name, value in quoted.items()]
    parts.append(f"algorithm={challenge.algorithm}")
    if challenge.has_qop:
        parts += ["qop=auth", f"nc={times}"]
    return "Digest " + ", ".join(parts)
