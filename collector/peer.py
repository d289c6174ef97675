"""From which address a request comes, as TCP says. What a header says of that is not looked at: anybody writes one."""

from ipaddress import ip_address

from aiohttp import web


def peer_address(request: web.Request) -> str:
    """An IPv4 address as such, also where the door listens on both families."""
    found = ip_address((request.remote or "0.0.0.0").partition("%")[0])  # noqa: S104 - stands for nobody's address
    return str(getattr(found, "ipv4_mapped", None) or found)
