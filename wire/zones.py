"""Time zones by the names of the IANA: what a machine calls its own time is none, since another machine has another."""

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_named(name: str) -> ZoneInfo:
    """The zone of that name. Raises ZoneInfoNotFoundError where the IANA has none, whatever files the machine has."""
    if name not in _names():
        raise ZoneInfoNotFoundError(name)
    return ZoneInfo(name)


@cache
def _names() -> frozenset[str]:
    """`localtime`, `posixrules` and the trees `posix/` and `right/` are files of machines and not among them."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - {"Factory"}
