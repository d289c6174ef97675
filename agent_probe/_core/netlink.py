"""What Linux says of its interfaces (rtnetlink), without I/O: bytes to news, and the table the news add up to.

Links and addresses are followed by their news. Routes are listed anew after every change instead: the kernel takes
IPv4 routes away with their link without a word. Only IPv4, and of the routes only the default ones of the main table.

Format: rtnetlink(7) of Linux, linux/rtnetlink.h and linux/netlink.h.
"""

import errno
import struct
from typing import Final, NamedTuple

HEAD: Final = struct.Struct("=IHHII")
LINK: Final = struct.Struct("=BxHiII")
ADDRESS: Final = struct.Struct("=BBBBi")
ROUTE: Final = struct.Struct("=BBBBBBBBI")
NEXT_HOP: Final = struct.Struct("=HBBi")
ATTRIBUTE: Final = struct.Struct("=HH")
RESULT: Final = struct.Struct("=i")

ERROR, DONE = 2, 3
NEW_LINK, DELETED_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, DELETED_ADDRESS, GET_ADDRESS = 20, 21, 22
NEW_ROUTE, GET_ROUTE = 24, 26
LISTINGS: Final = (GET_LINK, GET_ADDRESS, GET_ROUTE)
"""In the order in which they must be asked for: the kernel gives one at a time."""
REQUEST_OF_ALL: Final = 0x301
"""NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH"""
PART_OF_LISTING: Final = 0x2
"""NLM_F_MULTI"""
NOT_NOW: Final = frozenset({-errno.EBUSY, -errno.ENOBUFS})
"""Another listing is under way, or what waits to be read leaves no room for one."""

AF_INET: Final = 2
ENABLED, LOWER_UP = 0x1, 0x10000
NAME: Final = 3
LOCAL: Final = 2
VIA, METRIC, TABLE, OUT, MULTIPATH = 5, 6, 15, 4, 9
MAIN_TABLE: Final = 254
DEAD: Final = 1
EVERYWHERE: Final = 0
"""Scope of an address that is good beyond its own link."""


class Seen(NamedTuple):
    """An interface. addresses: dotted text."""

    is_enabled: bool
    has_link: bool
    addresses: tuple[str, ...]


class DefaultRoute(NamedTuple):
    """gateway: dotted text, "" where the link needs none (PPPoE)."""

    interface: str
    gateway: str
    metric: int


class Taken(NamedTuple):
    """What came of a read. was_told: something changed, apart from what was listed. finished: listings that ended.

    is_cut: one of them ended before everything was listed.
    """

    was_told: bool
    finished: frozenset[int]
    is_cut: bool


class _Interface(NamedTuple):
    name: str
    flags: int


def encode_request(listing: int) -> bytes:
    """Ask for all links, addresses or routes; the answer bears `listing` as its sequence number."""
    body = struct.pack("=B15x", AF_INET if listing != GET_LINK else 0)
    return HEAD.pack(HEAD.size + len(body), listing, REQUEST_OF_ALL, listing, 0) + body


class Interfaces:
    """The table, made of what the socket gave."""

    def __init__(self) -> None:
        self._links: dict[int, _Interface] = {}
        self._addresses: dict[int, dict[str, None]] = {}
        self._routes: list[tuple[int, str, int]] = []
        self._listed: list[tuple[int, str, int]] = []

    def take(self, data: bytes) -> Taken:
        """Tolerates what it does not know."""
        was_told = is_cut = False
        finished = set()
        at = 0
        while at + HEAD.size <= len(data):
            size, kind, flags, sequence, _port = HEAD.unpack_from(data, at)
            if size < HEAD.size:
                break
            body = data[at + HEAD.size : at + size]
            at += size + 3 & ~3
            if kind in {DONE, ERROR}:
                finished.add(sequence)
                if kind == ERROR and len(body) >= RESULT.size and RESULT.unpack_from(body)[0] in NOT_NOW:
                    is_cut, self._listed = True, []
                elif sequence == GET_ROUTE:
                    self._routes, self._listed = self._listed, []
                continue
            was_listed = bool(flags & PART_OF_LISTING)
            was_told = was_told or not was_listed
            if kind in {NEW_LINK, DELETED_LINK} and len(body) >= LINK.size:
                self._link(body, is_there=kind == NEW_LINK)
            elif kind in {NEW_ADDRESS, DELETED_ADDRESS} and len(body) >= ADDRESS.size:
                self._address(body, is_there=kind == NEW_ADDRESS)
            elif kind == NEW_ROUTE and was_listed and len(body) >= ROUTE.size:
                self._listed += _default_routes(body)
        return Taken(was_told, frozenset(finished), is_cut)

    def seen(self, name: str) -> Seen:
        """The interface of that name; one that does not exist has neither link nor address."""
        for index, link in self._links.items():
            if link.name == name:
                addresses = tuple(self._addresses.get(index, ()))
                return Seen(bool(link.flags & ENABLED), bool(link.flags & LOWER_UP), addresses)
        return Seen(is_enabled=True, has_link=False, addresses=())

    def default_routes(self) -> list[DefaultRoute]:
        """The best ones first; several of one metric share the traffic."""
        names = {index: link.name for index, link in self._links.items()}
        found = [DefaultRoute(names[index], via, metric) for index, via, metric in self._routes if index in names]
        return sorted(found, key=lambda route: route.metric)

    def _link(self, body: bytes, *, is_there: bool) -> None:
        _family, _type, index, flags, _changed = LINK.unpack_from(body)
        name = _attributes(body, LINK.size).get(NAME, b"").rstrip(b"\0").decode("utf-8", "replace")
        if is_there:
            self._links[index] = _Interface(name, flags)
        else:
            self._links.pop(index, None)
            self._addresses.pop(index, None)

    def _address(self, body: bytes, *, is_there: bool) -> None:
        family, _bits, _flags, scope, index = ADDRESS.unpack_from(body)
        local = _attributes(body, ADDRESS.size).get(LOCAL, b"")
        if family != AF_INET or len(local) != 4 or scope != EVERYWHERE:
            return
        addresses = self._addresses.setdefault(index, {})
        if is_there:
            addresses[_dotted(local)] = None
        else:
            addresses.pop(_dotted(local), None)


def _default_routes(body: bytes) -> list[tuple[int, str, int]]:
    """(interface, gateway, metric) of each way a default route of the main table takes."""
    family, bits, _source_bits, _tos, table, _protocol, _scope, _kind, flags = ROUTE.unpack_from(body)
    attributes = _attributes(body, ROUTE.size)
    if TABLE in attributes:
        table = _number(attributes[TABLE])
    if family != AF_INET or bits or table != MAIN_TABLE or flags & DEAD:
        return []
    metric = _number(attributes.get(METRIC, b""))
    if OUT in attributes:
        return [(_number(attributes[OUT]), _dotted(attributes.get(VIA, b"")), metric)]
    ways = []
    hops, at = attributes.get(MULTIPATH, b""), 0
    while at + NEXT_HOP.size <= len(hops):
        size, _flags, _weight, index = NEXT_HOP.unpack_from(hops, at)
        if size < NEXT_HOP.size:
            break
        via = _attributes(hops[at : at + size], NEXT_HOP.size).get(VIA, b"")
        ways.append((index, _dotted(via), metric))
        at += size + 3 & ~3
    return ways


def _attributes(body: bytes, at: int) -> dict[int, bytes]:
    found = {}
    while at + ATTRIBUTE.size <= len(body):
        size, kind = ATTRIBUTE.unpack_from(body, at)
        if size < ATTRIBUTE.size:
            break
        found[kind] = body[at + ATTRIBUTE.size : at + size]
        at += size + 3 & ~3
    return found


def _number(content: bytes) -> int:
    return int.from_bytes(content, "little")


def _dotted(content: bytes) -> str:
    return ".".join(str(octet) for octet in content)
