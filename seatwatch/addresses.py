"""Ports and addresses: a busy port that nobody asked for is replaced, and a LAN address can be printed."""

import errno
import socket
from typing import Final, NamedTuple

LOOPBACK: Final = "127.0.0.1"
LOOPBACK_NAMES: Final = frozenset({LOOPBACK, "::1", "localhost"})
EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


class Bound(NamedTuple):
    """A listening socket and whether it is on the port that was asked for."""

    socket: socket.socket
    port: int
    replaced: int | None
    """The busy port that was asked for, None when it was free."""


class PortBusy(OSError):
    """A port that the configuration names is taken: whoever was told of it would not find us. key: where it says so."""

    def __init__(self, key: str, port: int) -> None:
        super().__init__(errno.EADDRINUSE, f"port {port} is busy")
        self.key: Final = key


def bind_as_written(key: str, host: str, written: int | None, otherwise: int) -> Bound:
    """Listen where the configuration says (`key`); where it says nothing, as `bind` does. Raises PortBusy, OSError."""
    if written is None:
        return bind(host, otherwise)
    try:
        return _listen(host, written, None)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
    raise PortBusy(key, written)


def bind(host: str, port: int) -> Bound:
    """Listen on `host`:`port`, or on a free port if that one is busy. OSError for any other reason."""
    try:
        return _listen(host, port, None)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
    return _listen(host, 0, port)


def _listen(host: str, port: int, replaced: int | None) -> Bound:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)  # noqa: FBT003 - the name of the parameter is the name of the method
    return Bound(listening, listening.getsockname()[1], replaced)


def url_of(host: str, port: int) -> str:
    """Where this machine itself finds what listens on `host`:`port`. An IPv6 address stands in brackets (RFC 3986)."""
    if host in EVERYWHERE:
        host = LOOPBACK
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def lan_address() -> str | None:
    """This machine's address as others on its network see it, None without a network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: a route is looked up, no packet leaves
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address
