"""Who asks, and what they may therefore see: a token becomes a Scope, or nothing."""

import hashlib
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from dashboards.wallboard.devices import Device, DeviceError, Devices
from wire.scope import EVERYTHING, Scope

log = structlog.get_logger()
COOKIE: Final = "seatwatch_screen"
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")

ScopeOf: TypeAlias = Callable[[web.Request], Scope | None]
"""What a request may see; None = it may not come in."""


class Access:
    """Tokens and what each may see: of readers, SHA-256 as hex -> Scope, fixed; of devices, which come and go.

    With no reader's token configured, whoever asks from this machine sees everything and nobody else anything, but for
    devices: a request that a proxy passed on, or that calls this machine by another name (a web page may point a name
    of its own at 127.0.0.1), does not count as from this machine.
    """

    def __init__(
        self, tokens: Mapping[str, Scope], devices: Devices | None = None, *, clock_ms: Callable[[], int] | None = None
    ) -> None:
        """clock_ms: wall clock, ms since the Unix epoch; without it nobody is told when a device was seen."""
        self._tokens = dict(tokens)
        self._devices = devices
        self._clock_ms = clock_ms

    @property
    def has_tokens(self) -> bool:
        """Whether any is configured."""
        return bool(self._tokens)

    def digest_of_request(self, request: web.Request) -> str:
        """SHA-256, as hex, of the bearer token or cookie of the request; of nothing where it has neither."""
        return _digest(_token(request) or "")

    def scope_of_token(self, token: str) -> Scope | None:
        """What the bearer of `token` may see. Looked up by hash, so timing tells nothing about the tokens there are."""
        found = self._tokens.get(_digest(token))
        if found is not None:
            return found
        device = self._device(token)
        return None if device is None or device.revoked_at is not None else device.scope

    def scope_of_request(self, request: web.Request) -> Scope | None:
        """The scope of the request's bearer token or cookie; without any token configured, of where it comes from."""
        token = _token(request)
        found = None if token is None else self.scope_of_token(token)
        if found is not None or self._tokens or self.is_withdrawn(request):
            return found
        return EVERYTHING if _from_this_machine(request) else None

    def device_of(self, request: web.Request) -> Device | None:
        """The device that asks, if it may look; None for everybody else."""
        token = _token(request)
        device = None if token is None else self._device(token)
        return None if device is None or device.revoked_at is not None else device

    def is_withdrawn(self, request: web.Request) -> bool:
        """Whether a device asks that was revoked."""
        token = _token(request)
        device = None if token is None else self._device(token)
        return device is not None and device.revoked_at is not None

    def may_still_look(self, request: web.Request) -> Callable[[], bool]:
        """Asked again and again while somebody looks: whether they still may. A device counts as seen by it."""
        device, devices, clock_ms = self.device_of(request), self._devices, self._clock_ms
        if device is None or devices is None:
            return lambda: True

        def may() -> bool:
            if clock_ms is not None:
                devices.saw(device.name, clock_ms())
            try:
                return devices.is_active(device)
            except (DeviceError, OSError):
                return False

        return may

    def _device(self, token: str) -> Device | None:
        """Whose token it is; nobody's while the file of devices cannot be read."""
        try:
            return None if self._devices is None else self._devices.of_token(token)
        except (DeviceError, OSError) as error:
            log.warning("devices.unreadable", error=str(error))
            return None


def is_same_origin(request: web.Request) -> bool:
    """Whether something was sent from a page of ours, as far as the browser says.

    Our pages send no referrer, so that the Origin of their forms is "null".
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.host


def is_encrypted(request: web.Request) -> bool:
    """Whether the browser's own connection is: to us, or to the proxy that passed the request on."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"


def address_of(request: web.Request) -> str:
    """Where a request comes from; of one that a proxy on this machine passed on, where the proxy had it from."""
    remote = request.remote or ""
    passed_on = ",".join(request.headers.getall("X-Forwarded-For", ())).rpartition(",")[2].strip()
    return passed_on if passed_on and _is_loopback(remote) else remote


def _token(request: web.Request) -> str | None:
    """What the request shows: its bearer token, else its cookie."""
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
