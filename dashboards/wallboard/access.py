"""Who asks, and what they may therefore see: a token becomes a Scope, or nothing."""

import hashlib
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias
from urllib.parse import urlsplit

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

    @property
    def has_tokens(self) -> bool:
        """Whether any is configured."""
        return bool(self._tokens)

    def digest_of_request(self, request: web.Request) -> str:
        """SHA-256, as hex, of the bearer token or cookie of the request; of nothing where it has neither."""
        return _digest(_token(request) or "")

    def scope_of_token(self, token: str) -> Scope | None:
        """What the bearer of `token` may see. Looked up by hash, so timing tells nothing about the tokens there are."""
        return self._tokens.get(_digest(token))

    def scope_of_request(self, request: web.Request) -> Scope | None:
        """The scope of the request's bearer token or cookie; without any token configured, of where it comes from."""
        if not self._tokens:
            return EVERYTHING if _from_this_machine(request) else None
        token = _token(request)
        return None if token is None else self.scope_of_token(token)


def is_same_origin(request: web.Request) -> bool:
    """Whether something was sent from a page of ours, as far as the browser says.

    Our pages send no referrer, so that the Origin of their forms is "null".
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.host


def _token(request: web.Request) -> str | None:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


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
