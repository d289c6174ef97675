"""Echoes over one line: sockets bound to its device and its source address, so that no other line answers for it.

Device alone would look for a far target on the line's own wire; source alone may leave by the other line. ICMP where
the system lets us (an ordinary socket, else a raw one), a TCP handshake with the targets that are given with a port.
"""

import asyncio
import errno
import secrets
import socket
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from agent_probe._core.icmp import TOKEN_SIZE, decode_reply, encode_request
from agent_probe.errors import ProbeUnavailable

# Batch: bytes of one read, more than an echo takes.
READ_AT_ONCE: Final = 2048
UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})
NOT_OF_THAT_KIND: Final = frozenset({errno.EPROTONOSUPPORT, errno.EPROTOTYPE, errno.ESOCKTNOSUPPORT})
"""What a system says that has no such socket, as Windows has no ordinary one for ICMP."""
ABANDONED: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: closed without a farewell, nothing stays behind in the kernel."""


class Target(NamedTuple):
    """An IPv4 address; port None asks by ICMP, a port by a TCP handshake."""

    address: str
    port: int | None


class Bound(NamedTuple):
    """What the sockets of a line are bound to. interface "": the source address alone."""

    interface: str
    source_address: str


def open_bound(bound: Bound, kind: socket.SocketKind, protocol: int) -> socket.socket:
    """A socket of a line. Raises OSError."""
    opened = socket.socket(socket.AF_INET, kind, protocol)
    try:
        opened.setblocking(False)  # noqa: FBT003 - the library's own
        to_device = getattr(socket, "SO_BINDTODEVICE", None)
        if bound.interface and to_device is not None:
            opened.setsockopt(socket.SOL_SOCKET, to_device, bound.interface.encode() + b"\0")
        if bound.source_address:
            opened.bind((bound.source_address, 0))
    except OSError:
        opened.close()
        raise
    return opened


class Echoes:
    """Sends echoes over one line, and calls `answered(number)` for each that comes back."""

    def __init__(self, bound: Bound, answered: Callable[[int], None]) -> None:
        self.bound = bound
        self._answered = answered
        self._token = secrets.token_bytes(TOKEN_SIZE)
        self._icmp: socket.socket | None = None
        self._handshakes: dict[int, socket.socket] = {}

    def send(self, number: int, target: Target) -> None:
        """Send one. Raises OSError when the system refuses, ProbeUnavailable when it forbids ICMP altogether."""
        if target.port is not None:
            self._shake_hands(number, target.address, target.port)
            return
        if self._icmp is None:
            self._icmp = self._open_icmp()
            asyncio.get_running_loop().add_reader(self._icmp, self._read)
        self._icmp.sendto(encode_request(self._token, number), (target.address, 0))

    def forget_before(self, number: int) -> None:
        """Give up handshakes of earlier numbers."""
        for old in [begun for begun in self._handshakes if begun < number]:
            self._end(old)

    def close(self) -> None:
        """Let go of every socket."""
        self.forget_before(1 + max(self._handshakes, default=0))
        if self._icmp is not None:
            asyncio.get_running_loop().remove_reader(self._icmp)
            self._icmp.close()
            self._icmp = None

    def _open_icmp(self) -> socket.socket:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
            try:
                return open_bound(self.bound, kind, socket.IPPROTO_ICMP)
            except PermissionError:
                continue
            except OSError as error:
                if error.errno not in NOT_OF_THAT_KIND:
                    raise
        raise ProbeUnavailable("forbidden", "ICMP: set net.ipv4.ping_group_range, or use targets with a port")

    def _read(self) -> None:
        """Take one, which is what there is but for a flood; if there is more, we are called again."""
        if self._icmp is None:
            return
        try:
            data = self._icmp.recv(READ_AT_ONCE)
        except OSError:
            return  # what a router says of an echo that is missed in time anyway
        number = decode_reply(data, self._token)
        if number is not None:
            self._answered(number)

    def _shake_hands(self, number: int, address: str, port: int) -> None:
        opened = open_bound(self.bound, socket.SOCK_STREAM, 0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABANDONED)
        result = opened.connect_ex((address, port))
        if result not in UNDER_WAY:
            opened.close()
            raise OSError(result, f"no handshake with {address}:{port}")
        self._handshakes[number] = opened
        asyncio.get_running_loop().add_writer(opened, self._shaken, number)

    def _shaken(self, number: int) -> None:
        """The handshake ended. A port that refuses is an answer as well: it came from there."""
        error = self._handshakes[number].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._end(number)
        if error in {0, errno.ECONNREFUSED}:
            self._answered(number)

    def _end(self, number: int) -> None:
        ended = self._handshakes.pop(number)
        asyncio.get_running_loop().remove_writer(ended)
        ended.close()
