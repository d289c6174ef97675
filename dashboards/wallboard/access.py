"""Who asks, and what they may therefore see: a token becomes a Scope, or nothing."""

import hashlib
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias

from aiohttp import web

from wire.scope import EVERYTHING, Scope

COOKIE: Final = "seatwatch_screen"
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")

ScopeOf: TypeAlias = Callable[[web.Request], Scope | None]
"""What a request may see; None = it may not come in."""


class Access:
    """Tokens and what each may see. tokens: SHA-256 of the token, as hex -> Scope.

    With no token configured, whoever asks from this machine sees everything and nobody else anything: a request that a
    proxy passed on, or that calls this machine by another name (a web page may point a name of its own at 127.0.0.1),
    does not count as from this machine.
    """

    def __init__(self, tokens: Mapping[str, Scope]) -> None:
        self._tokens = dict(tokens)

    def scope_of_token(self, token: str) -> Scope | None:
        """What the bearer of `token` may see. Looked up by hash, so timing tells nothing about the tokens there are."""
        return self._tokens.get(hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest())

    def scope_of_request(self, request: web.Request) -> Scope | None:
        """The scope of the request's bearer token or cookie; without any token configured, of where it comes from."""
        if not self._tokens:
            return EVERYTHING if _from_this_machine(request) else None
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.scope_of_token(bearer.strip())
        cookie = request.cookies.get(COOKIE)
        return None if cookie is None else self.scope_of_token(cookie)


def _from_this_machine(request: web.Request) -> bool:
    try:
        called = request.url.host
    except ValueError:
        return False
    return (
        _is_loopback(request.remote or "")
        and called in _LOOPBACK_NAMES
        and not any(name in request.headers for name in _FORWARDED)
    )


def _is_loopback(remote: str) -> bool:
    try:
        address = ip_address(remote)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
