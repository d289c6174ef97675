"""What the kernel says of its interfaces, as recorded from one with two lines, and what noise makes of it."""

import asyncio
import errno
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe import netlink
from agent_probe._core.netlink import (
    ERROR,
    GET_LINK,
    GET_ROUTE,
    LISTINGS,
    DefaultRoute,
    Interfaces,
    Seen,
    encode_request,
)
from agent_probe.errors import ProbeUnavailable
from agent_probe.netlink import NetlinkLinks, PolledLinks
from agent_probe.sensors import uplink
from tests.waiting import wait_until

CASES = Path(uplink.__file__).parent / "cases"
FIRST, SECOND = DefaultRoute("wan0", "10.0.0.1", 100), DefaultRoute("wan1", "10.0.1.1", 101)


def recorded(case: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in (CASES / f"{case}.hex").read_text(encoding="ascii").splitlines()]


def told(*cases: str) -> Interfaces:
    interfaces = Interfaces()
    for case in cases:
        for data in recorded(case):
            interfaces.take(data)
    return interfaces


def test_the_first_listing_names_links_addresses_and_default_routes() -> None:
    interfaces = Interfaces()
    taken = [interfaces.take(data) for data in recorded("listing")]
    assert not any(each.was_told for each in taken)
    assert {listing for each in taken for listing in each.finished} == set(LISTINGS)
    assert interfaces.seen("wan0") == Seen(is_enabled=True, has_link=True, addresses=("10.0.0.2",))
    assert interfaces.seen("wan1").addresses == ("10.0.1.2",)
    assert interfaces.default_routes() == [FIRST, SECOND]


def test_an_interface_that_does_not_exist_has_no_link() -> None:
    assert told("listing").seen("ppp0") == Seen(is_enabled=True, has_link=False, addresses=())


def test_a_pulled_cable_takes_the_link_and_nothing_else() -> None:
    interfaces = told("listing")
    assert any(interfaces.take(data).was_told for data in recorded("pulled_cable"))
    assert interfaces.seen("wan0") == Seen(is_enabled=True, has_link=False, addresses=("10.0.0.2",))
    assert interfaces.seen("wan1").has_link


def test_an_address_that_is_taken_away_is_gone() -> None:
    interfaces = told("listing", "address_gone")
    assert interfaces.seen("wan1") == Seen(is_enabled=True, has_link=True, addresses=())
    assert interfaces.seen("wan0").addresses == ("10.0.0.2",)


def test_default_routes_are_those_of_the_newest_listing() -> None:
    assert told("listing", "address_gone", "default_route_gone").default_routes() == []
    both = told("listing", "two_ways").default_routes()
    assert both == [DefaultRoute("wan0", "10.0.0.1", 0), DefaultRoute("wan1", "10.0.1.1", 0)]


def test_an_interface_that_went_away_is_as_one_that_never_was() -> None:
    interfaces = told("listing", "interface_gone")
    assert interfaces.seen("wan1") == Seen(is_enabled=True, has_link=False, addresses=())
    assert interfaces.seen("wan0").has_link


def test_a_request_names_its_listing_so_that_the_answer_can_be_told_from_news() -> None:
    assert encode_request(GET_LINK).hex() == "20000000120001031200000000000000" + "00" * 16
    assert encode_request(GET_ROUTE)[8:12] == GET_ROUTE.to_bytes(4, "little")


@given(st.binary(max_size=200) | st.integers(0, 1500).map(lambda cut: recorded("pulled_cable")[0][:cut]))
def test_noise_and_halves_of_messages_break_nothing(data: bytes) -> None:
    interfaces = told("listing")
    interfaces.take(data)
    assert interfaces.seen("wan1").has_link in {True, False}


@pytest.mark.parametrize("links", [NetlinkLinks(), PolledLinks()], ids=["netlink", "polled"])
async def test_this_machine_has_its_loopback(links: NetlinkLinks | PolledLinks) -> None:
    changed = asyncio.Event()
    links.open(changed.set)
    await wait_until(lambda: links.seen("lo") is not None, what="the first listing")
    found = links.seen("lo")
    assert found is not None
    assert (found.is_enabled, found.has_link) == (True, True)
    assert links.seen("no-such-device") == Seen(is_enabled=True, has_link=False, addresses=())
    links.close()
    links.close()


class Kernel:
    """The socket, as the kernel would fill it: answers to what it is asked, and `given`: news, or errors by number."""

    def __init__(self) -> None:
        self.given: list[bytes | int] = []
        self.asked: list[int] = []
        self.answers = answers()
        self._ours, self._theirs = socket.socketpair()
        self._theirs.send(b"something to read")

    def fileno(self) -> int:
        return self._ours.fileno()

    def recv(self, _most: int) -> bytes:
        if not self.given:
            raise BlockingIOError
        found = self.given.pop(0)
        if isinstance(found, int):
            raise OSError(found, errno.errorcode[found])
        return found

    def send(self, request: bytes) -> None:
        listing = int.from_bytes(request[8:12], "little")
        self.asked.append(listing)
        self.given += self.answers[listing]

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


def answers() -> dict[int, list[bytes]]:
    """What the kernel answered to each question, as recorded."""
    interfaces, found, so_far = Interfaces(), dict[int, list[bytes]](), list[bytes]()
    for data in recorded("listing"):
        so_far.append(data)
        for listing in interfaces.take(data).finished:
            found[listing], so_far = so_far, []
    return found


async def listed(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> tuple[NetlinkLinks, asyncio.Event]:
    """Links that know what was recorded, and whether something changed since."""
    monkeypatch.setattr(netlink, "_netlink_socket", lambda: kernel)
    links, changed = NetlinkLinks(), asyncio.Event()
    links.open(changed.set)
    await changed.wait()
    changed.clear()
    return links, changed


def failed(links: NetlinkLinks) -> str:
    return "" if links.failure is None else links.failure.cause


@pytest.mark.parametrize("failing", [errno.ENOMEM, errno.ENETDOWN])
async def test_a_kernel_that_tells_nothing_more_is_let_go_and_opened_anew(
    failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    accidents: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: accidents.append(context))
    kernel = Kernel()
    with monkeypatch.context() as broken:
        links, changed = await listed(kernel, broken)
        kernel.given = [failing, failing]
        await changed.wait()
    assert (failed(links), kernel.given, accidents) == ("netlink", [failing], []), "it is not read again"
    assert links.seen("wan0") is None
    links.open(changed.set)
    await wait_until(lambda: links.seen("lo") is not None, what="the first listing of the new socket")
    assert failed(links) == ""
    links.close()


async def test_a_kernel_that_takes_no_question_is_no_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(Kernel):
        def send(self, request: bytes) -> None:
            raise OSError(errno.ENOBUFS, "no room")

    monkeypatch.setattr(netlink, "_netlink_socket", Deaf)
    with pytest.raises(ProbeUnavailable, match=r"netlink: .*no room"):
        NetlinkLinks().open(lambda: None)


async def test_a_flood_while_routes_are_asked_for_takes_no_link_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """News were lost, so everything is listed anew; the routes that were under way do not make that listing whole."""
    kernel = Kernel()
    links, changed = await listed(kernel, monkeypatch)
    routes, kernel.answers[GET_ROUTE] = kernel.answers[GET_ROUTE], []
    kernel.given += recorded("pulled_cable")
    await changed.wait()
    assert kernel.asked[-1] == GET_ROUTE
    changed.clear()
    kernel.given += [errno.ENOBUFS, *routes]
    await changed.wait()
    other = links.seen("wan1")
    assert other is not None
    assert other.has_link
    links.close()


@pytest.mark.parametrize("refused", LISTINGS)
@pytest.mark.parametrize("why", [errno.EBUSY, errno.ENOBUFS])
async def test_a_listing_that_the_kernel_has_no_room_for_is_not_taken_for_whole(
    refused: int, why: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a flood it says so of one, and what is missing of the others is no cable that was pulled."""
    kernel = Kernel()
    links, changed = await listed(kernel, monkeypatch)
    before, routes = links.seen("wan1"), links.default_routes()
    answer, error = kernel.answers[refused], struct.pack("=IHHIIi16x", 36, ERROR, 0, refused, 0, -why)
    kernel.answers[refused] = [error]
    asked = len(kernel.asked)
    kernel.given += [errno.ENOBUFS]
    await wait_until(lambda: kernel.asked[asked:].count(refused) > 1, what="that it is asked again")
    assert (links.seen("wan1"), links.default_routes()) == (before, routes)
    kernel.answers[refused] = answer
    changed.clear()
    await changed.wait()
    assert (links.seen("wan1"), links.default_routes()) == (before, routes)
    links.close()
