"""Where the hub's HTTPS door is, and through which proxy it is reached."""

import base64
import ipaddress
import os
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

# Format: IANA, the ports of https and http.
HTTPS_PORT: Final = 443
HTTP_PORT: Final = 80
DIRECT: Final = "direct"
"""What a configuration says instead of a proxy when the environment's must not be used either."""


class Address(NamedTuple):
    """Where to connect. path: what stands before /v1/events, "" or starting with a slash. user: `name:password`."""

    host: str
    port: int
    is_tls: bool
    path: str = ""
    user: str = ""

    @property
    def authority(self) -> str:
        """The host as a header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (HTTPS_PORT if self.is_tls else HTTP_PORT) else f"{host}:{self.port}"


def read_url(url: str) -> Address:
    """The address in an http or https URL. Raises ValueError, with what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no http or https address")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} has more than host and path")
    is_tls = parts.scheme == "https"
    port = parts.port or (HTTPS_PORT if is_tls else HTTP_PORT)
    user = "" if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Address(parts.hostname, port, is_tls, parts.path.rstrip("/"), user)


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxy_for(hub: Address, configured: str, environment: Mapping[str, str] = os.environ) -> Address | None:
    """The proxy to ask: the configured one, else what HTTPS_PROXY and NO_PROXY say; None for none.

    Raises ValueError for an address that is none.
    """
    if configured:
        return None if configured == DIRECT else read_url(configured)
    name = "https_proxy" if hub.is_tls else "http_proxy"
    found = environment.get(name) or environment.get(name.upper()) or ""
    passed_by = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if not found or _matches(hub.host, passed_by):
        return None
    return read_url(found if "://" in found else f"http://{found}")


def basic_credentials(user: str) -> str:
    """The value of a header that names `name:password`."""
    return f"Basic {base64.b64encode(user.encode()).decode('ascii')}"


def _matches(host: str, passed_by: str) -> bool:
    """Whether a list such as `localhost, .example.com, *` holds `host` or a domain it is in."""
    domains = [word.strip().lstrip(".").lower() for word in passed_by.split(",") if word.strip()]
    return "*" in domains or any(host.lower() == domain or host.lower().endswith(f".{domain}") for domain in domains)
