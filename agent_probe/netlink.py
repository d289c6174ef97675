"""Follows the interfaces of this machine: the kernel tells, or where it does not, they are asked for.

Format: groups of rtnetlink(7); a read takes what one answer may hold.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final, Protocol

from agent_probe._core.netlink import GET_LINK, GET_ROUTE, LISTINGS, DefaultRoute, Interfaces, Seen, encode_request
from agent_probe.errors import ProbeUnavailable

ROUTE_FAMILY: Final = 0
GROUPS: Final = 0x1 | 0x10 | 0x40
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE"""
READ_AT_ONCE: Final = 64 * 1024


class Links(Protocol):
    """The interfaces of this machine."""

    tells: bool
    """Whether `changed` is called; where it is not, whoever wants to know has to look."""
    failure: ProbeUnavailable | None
    """Why nothing is told any more, until it is opened again; `changed` is called when that comes about."""

    def open(self, changed: Callable[[], None]) -> None:
        """Begin; call `changed` whenever something may be different. Raises ProbeUnavailable."""

    def seen(self, name: str) -> Seen | None:
        """The interface of that name as it is now; None as long as nothing is known yet."""

    def default_routes(self) -> list[DefaultRoute] | None:
        """The best ones first, or None where that cannot be told."""

    def close(self) -> None:
        """Let go."""


class NetlinkLinks:
    """Linux. The kernel tells of a pulled cable within milliseconds."""

    tells = True

    def __init__(self) -> None:
        self.failure: ProbeUnavailable | None = None
        self._interfaces: Interfaces | None = None
        self._being_listed: Interfaces | None = None
        self._socket: socket.socket | None = None
        self._changed: Callable[[], None] | None = None
        self._to_list: list[int] = []
        self._is_listing = False

    def open(self, changed: Callable[[], None]) -> None:
        """As Links says."""
        self.close()
        self.failure = None
        self._changed = changed
        try:
            self._socket = _netlink_socket()
            asyncio.get_running_loop().add_reader(self._socket, self._read)
            self._list_everything()
            self._list_next()
        except OSError as error:
            self.close()
            raise ProbeUnavailable("netlink", str(error)) from None

    def seen(self, name: str) -> Seen | None:
        """As Links says."""
        return None if self._interfaces is None else self._interfaces.seen(name)

    def default_routes(self) -> list[DefaultRoute] | None:
        """As Links says."""
        return None if self._interfaces is None else self._interfaces.default_routes()

    def close(self) -> None:
        """As Links says."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
        self._socket = self._interfaces = None
        self._is_listing = False

    def _list_everything(self) -> None:
        """Into a table of its own, which takes the place of the present one when it is complete.

        It is asked for when all that waits was read: the kernel has no room for an answer before.
        """
        self._being_listed = Interfaces()
        self._to_list = list(LISTINGS)

    def _list_next(self) -> None:
        if self._socket is not None and self._to_list and not self._is_listing:
            self._is_listing = True
            self._socket.send(encode_request(self._to_list.pop(0)))

    def _read(self) -> None:
        """Take everything there is. A socket that fails would call again and again for nothing: it is let go."""
        try:
            is_news = self._take_everything()
            self._list_next()
        except OSError as error:
            self.close()
            self.failure = ProbeUnavailable("netlink", str(error))
            is_news = True
        if is_news and self._changed is not None and (self._interfaces is not None or self.failure is not None):
            self._changed()

    def _take_everything(self) -> bool:
        """Whether something may be different. News that were lost in a flood are made good by listing all again."""
        is_news = False
        while self._socket is not None:
            try:
                data = self._socket.recv(READ_AT_ONCE)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._list_everything()
                continue
            is_news = self._take(data) or is_news
        return is_news

    def _take(self, data: bytes) -> bool:
        """Whether something may be different."""
        tables = [table for table in (self._interfaces, self._being_listed) if table is not None]
        was_told, finished, is_cut = [table.take(data) for table in tables][-1]
        if finished:
            self._is_listing = False
        if is_cut:
            self._list_everything()
        is_whole = GET_ROUTE in finished and GET_LINK not in self._to_list  # else it was asked for before the flood
        if is_whole and self._being_listed is not None:
            self._interfaces, self._being_listed = self._being_listed, None
        if was_told and GET_ROUTE not in self._to_list:
            self._to_list.append(GET_ROUTE)
        return was_told or GET_ROUTE in finished


class PolledLinks:
    """Any system, by asking: as quick as whoever looks, and without routes."""

    tells = False
    failure: ProbeUnavailable | None = None

    def open(self, changed: Callable[[], None]) -> None:
        """As Links says; nobody is called."""

    def seen(self, name: str) -> Seen | None:
        """As Links says."""
        import psutil  # noqa: PLC0415 - a megabyte that a system with netlink need not load

        found = psutil.net_if_stats().get(name)
        addresses = psutil.net_if_addrs().get(name, [])
        usable = tuple(a.address for a in addresses if a.family is socket.AF_INET and a.address)
        return Seen(is_enabled=True, has_link=found is not None and found.isup, addresses=usable)

    def default_routes(self) -> list[DefaultRoute] | None:
        """As Links says."""
        return None

    def close(self) -> None:
        """As Links says."""


def links() -> Links:
    """What this system has."""
    return NetlinkLinks() if hasattr(socket, "AF_NETLINK") else PolledLinks()


def _netlink_socket() -> socket.socket:
    family: int = getattr(socket, "AF_NETLINK")  # noqa: B009 - Windows has no such name
    opened = socket.socket(family, socket.SOCK_RAW, ROUTE_FAMILY)
    try:
        opened.setblocking(False)  # noqa: FBT003 - the library's own
        opened.bind((0, GROUPS))
    except OSError:
        opened.close()
        raise
    return opened
