"""Integer zone tables for the engine's core, read from the machine's IANA time zone database."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sla_engine._core.windows import ZoneTable

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
"""Years a table covers. Outside them the nearest offset is used: no record of ours is older, no deadline later."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(days=7)
_MS: Final = timedelta(milliseconds=1)


class UnknownZone(ValueError):
    """The zone's name is not in the IANA database: a typo, or a machine without tzdata."""


@cache
def zone_table(name: str) -> ZoneTable:
    """The offsets of zone `name` from 1970 to 2100, found by bisecting between weekly probes. Raises UnknownZone."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnknownZone(f"{name!r} is no IANA time zone known here; install tzdata or correct the name") from error
    start = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    starts, offsets = [_to_ms(start)], [_offset_ms(zone, start)]
    here = start
    while here < end:
        ahead = here + _STEP
        if _offset_ms(zone, ahead) != offsets[-1]:
            changed = _first_change(zone, here, ahead)
            starts.append(_to_ms(changed))
            offsets.append(_offset_ms(zone, changed))
            here = changed
        else:
            here = ahead
    return ZoneTable(name, tuple(starts), tuple(offsets))


def _first_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """First whole second in (before, after] at which the offset is no longer the one at `before`."""
    offset = _offset_ms(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset_ms(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset_ms(zone: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // _MS


def _to_ms(instant: datetime) -> int:
    return (instant - _EPOCH) // _MS
