"""Time zones by the names of the IANA: what a machine calls its own time is none, since another machine has another."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

OFFSETS_FROM: Final = datetime(1990, 1, 1, tzinfo=UTC)
OFFSETS_UNTIL: Final = datetime(2045, 1, 1, tzinfo=UTC)
"""The table of a zone's offsets covers these years; the last offset holds after them. Wider would not fit an entry."""
_STRIDE: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def zone_named(name: str) -> ZoneInfo:
    """The zone of that name. Raises ZoneInfoNotFoundError where the IANA has none, whatever files the machine has."""
    if name not in _names():
        raise ZoneInfoNotFoundError(name)
    return ZoneInfo(name)


@cache
def changes_of(zone: ZoneInfo) -> tuple[tuple[int, int], ...]:
    """(instant in ms, offset in s) of each change of offset in a zone, the first one at the start of the table."""
    found = [(_ms_of(OFFSETS_FROM), _offset_s(zone, OFFSETS_FROM))]
    at = OFFSETS_FROM
    while at < OFFSETS_UNTIL:
        following = min(at + _STRIDE, OFFSETS_UNTIL)
        if _offset_s(zone, following) != found[-1][1]:
            change = _change_between(zone, at, following)
            found.append((_ms_of(change), _offset_s(zone, change)))
            at = change
        else:
            at = following
    return tuple(found)


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second in (before, after] that has another offset than `before`."""
    offset = _offset_s(zone, before)
    low, high = 0, (after - before) // timedelta(seconds=1)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(zone, before + timedelta(seconds=middle)) == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _offset_s(zone: ZoneInfo, at: datetime) -> int:
    return (at.astimezone(zone).utcoffset() or timedelta()) // timedelta(seconds=1)


def _ms_of(at: datetime) -> int:
    return (at - _EPOCH) // _MS


@cache
def _names() -> frozenset[str]:
    """`localtime`, `posixrules` and the trees `posix/` and `right/` are files of machines and not among them."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - {"Factory"}
