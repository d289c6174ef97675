"""A site with two broadband lines, in network namespaces of their own that go away with the test.

    site --wan0--> isp0 --> net        the hub and everything else are in `net`, at 203.0.113.1
         --wan1--> isp1 -->

Names begin with `sw` and end in random letters, so that several tests, and several people, do not meet.
"""

import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.servers import program

HUB: Final = "203.0.113.1"
FAR_TARGETS: Final = ("203.0.113.1", "203.0.113.2", "203.0.113.3")
DROP_ALL: Final = 100
FIRST_INDEX: Final = 50
LAN_ADDRESSES: Final = ("192.168.7.10", "192.168.7.11")


class TwoLines:
    """The four namespaces. `unplug` and `cut` are what happens to a line, `plug` and `mend` undo them."""

    def __init__(self) -> None:
        mark = secrets.token_hex(3)
        self.site, self.net = f"sw{mark}site", f"sw{mark}net"
        self.providers = [f"sw{mark}isp0", f"sw{mark}isp1"]

    def make(self) -> None:
        for name in (self.site, self.net, *self.providers):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        for n, provider in enumerate(self.providers):
            # Indexes that differ: of a pair with equal ones the kernel tells one change a second at most, of all links.
            near, far = [f"wan{n}", "index", str(FIRST_INDEX + n)], ["name", "lan", "netns", provider]
            _ip("link", "add", *near, "netns", self.site, "type", "veth", "peer", *far)
            _ip("link", "add", "wup", "netns", provider, "type", "veth", "peer", "name", f"isp{n}", "netns", self.net)
            for where, address, device in (
                (self.site, f"10.0.{n}.2/24", f"wan{n}"),
                (provider, f"10.0.{n}.1/24", "lan"),
                (provider, f"10.1.{n}.2/24", "wup"),
                (self.net, f"10.1.{n}.1/24", f"isp{n}"),
            ):
                _ip("-n", where, "addr", "add", address, "dev", device)
                _ip("-n", where, "link", "set", device, "up")
            _in(provider, "sysctl", "-qw", "net.ipv4.ip_forward=1")
            _ip("-n", provider, "route", "add", "default", "via", f"10.1.{n}.1")
            _ip("-n", self.net, "route", "add", f"10.0.{n}.0/24", "via", f"10.1.{n}.2")
            self.route(n)
            _ip("-n", self.site, "rule", "add", "from", f"10.0.{n}.2", "lookup", str(100 + n), "pref", str(100 + n))
        _in(self.site, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=2", "net.ipv4.ping_group_range=0 2147483647")
        for address in FAR_TARGETS:
            _ip("-n", self.net, "addr", "add", f"{address}/32", "dev", "lo")

    def remove(self) -> None:
        for name in (self.site, self.net, *self.providers):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def route(self, n: int) -> None:
        """The default routes over line `n`: in the main table, the first line before the second, and in its own."""
        gateway, device = f"10.0.{n}.1", f"wan{n}"
        _ip("-n", self.site, "route", "replace", "default", "via", gateway, "dev", device, "metric", str(100 + n))
        _ip("-n", self.site, "route", "replace", "default", "via", gateway, "dev", device, "table", str(100 + n))

    def unplug(self, n: int) -> None:
        """The cable of line `n` is pulled at the provider's end: the site's interface loses its link."""
        _ip("-n", self.providers[n], "link", "set", "lan", "down")

    def plug(self, n: int) -> None:
        _ip("-n", self.providers[n], "link", "set", "lan", "up")

    def cut(self, n: int, percent: int = DROP_ALL) -> None:
        """Beyond the provider `percent` of everything on line `n` is lost; its link stays up."""
        self.mend(n)
        loss = "" if percent == DROP_ALL else f"numgen random mod 100 < {percent} "
        rules = (
            "table inet loss {\nchain f {\ntype filter hook forward priority 0; policy accept;\n"
            f'oifname "wup" {loss}drop\n}}\n}}\n'
        )
        _in(self.providers[n], "nft", "-f", "-", text=rules)

    def mend(self, n: int) -> None:
        subprocess.run(
            ["ip", "netns", "exec", self.providers[n], "nft", "delete", "table", "inet", "loss"],
            check=False,
            capture_output=True,
        )


class DualWanRouter:
    """Stands between a LAN and two lines: what was the site is the router, and the probe sits in `lan`.

    Each line has a source address of the probe's own, which the router sends over it and hides behind its own there.
    """

    def __init__(self, lines: TwoLines) -> None:
        self.lines = lines
        self.lan = lines.site.replace("site", "lan")

    def make(self) -> None:
        router = self.lines.site
        _ip("netns", "add", self.lan)
        _ip("-n", self.lan, "link", "set", "lo", "up")
        _ip("link", "add", "eth0", "netns", self.lan, "type", "veth", "peer", "name", "lan0", "netns", router)
        _ip("-n", router, "addr", "add", "192.168.7.1/24", "dev", "lan0")
        _ip("-n", router, "link", "set", "lan0", "up")
        _ip("-n", self.lan, "link", "set", "eth0", "up")
        for n, address in enumerate(LAN_ADDRESSES):
            _ip("-n", self.lan, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", router, "rule", "add", "from", address, "lookup", str(200 + n), "pref", str(90 + n))
            self.send(n, over=n)
        _ip("-n", self.lan, "route", "add", "default", "via", "192.168.7.1")
        _in(self.lan, "sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")
        _in(router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        nat = 'table ip nat {\nchain p {\ntype nat hook postrouting priority 100;\noifname "wan*" masquerade\n}\n}\n'
        _in(router, "nft", "-f", "-", text=nat)

    def send(self, n: int, *, over: int) -> None:
        """The router sends what belongs to line `n` over another one, or over its own again."""
        route = ["default", "via", f"10.0.{over}.1", "dev", f"wan{over}", "table", str(200 + n)]
        for table in (route, ["192.168.7.0/24", "dev", "lan0", "table", str(200 + n)]):
            _ip("-n", self.lines.site, "route", "replace", *table)

    def remove(self) -> None:
        subprocess.run(["ip", "netns", "delete", self.lan], check=False, capture_output=True)


@contextmanager
def dual_wan_router() -> Iterator[DualWanRouter]:
    """Two working lines behind one router."""
    with two_lines() as lines:
        router = DualWanRouter(lines)
        try:
            router.make()
            yield router
        finally:
            router.remove()


@contextmanager
def two_lines() -> Iterator[TwoLines]:
    """Two working lines. Fails the test, naming the remedy, where the programs are missing."""
    program("nft")
    assert os.geteuid() == 0, "network namespaces take root"
    lines = TwoLines()
    try:
        lines.make()
        yield lines
    finally:
        lines.remove()


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets that this thread opens within the block belong to `namespace`; those it has stay where they are."""
    with Path("/run/netns", namespace).open() as there, Path("/proc/thread-self/ns/net").open() as here:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(here.fileno())


def command_inside(namespace: str, command: Sequence[str]) -> list[str]:
    """`command` as it runs in `namespace`."""
    return ["ip", "netns", "exec", namespace, *command]


def _enter(descriptor: int) -> None:
    import ctypes

    clone_newnet = 0x40000000
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def _in(namespace: str, *command: str, text: str | None = None) -> None:
    subprocess.run(command_inside(namespace, command), check=True, capture_output=True, text=True, input=text)
