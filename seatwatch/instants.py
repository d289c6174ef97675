"""Instants and time zones as a person writes them on a command line."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from seatwatch.clock import now_ms
from seatwatch.refusals import say
from wire.zones import zone_named as iana_zone

if TYPE_CHECKING:
    from sla_engine._core.windows import ZoneTable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS: Final = timedelta(milliseconds=1)
_END: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""Later than this a clock in some zone shows no year any more."""


def zone_named(name: str) -> str:
    """The name again. Exits with 2 when there is no such time zone."""
    try:
        iana_zone(name)
    except ZoneInfoNotFoundError:
        say(f"--zone {name}: no IANA time zone; write one such as Asia/Shanghai")
        raise typer.Exit(2) from None
    return name


def instant_named(option: str, text: str, zone: str) -> int:
    """Ms since the epoch of "now" or an ISO date-time, in `zone` unless it states an offset. Exits with 2 otherwise.

    A date alone is its first moment; a time that the zone's clock skips is refused.
    """
    if text == "now":
        return now_ms()
    moment = _moment(option, text)
    if moment.tzinfo is None:
        said, moment = moment, moment.replace(tzinfo=ZoneInfo(zone))
        if said.time() != time.min and said != _shown(moment):
            say(f"{option} {text}: the clock of {zone} skips that time; write one that it shows")
            raise typer.Exit(2)
    return in_the_record(option, text, (moment - _EPOCH) // _ONE_MS)


def instant_or_day(option: str, text: str, zone: "ZoneTable", starts_ms: int) -> int:
    """Ms of an instant as `instant_named`; of a date alone, where its day starts: `starts_ms` by that zone's clock."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return instant_named(option, text, zone.name)
    local = (datetime.combine(day, time.min, tzinfo=UTC) - _EPOCH) // _ONE_MS + starts_ms
    return in_the_record(option, text, zone.first_instant_of(local))


def _shown(moment: datetime) -> datetime:
    """What the clock shows at that instant."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None)


def in_the_record(option: str, text: str, at: int) -> int:
    """The instant (ms) again. Exits with 2 for one that no entry can have, or that a clock somewhere cannot show."""
    if 0 <= at < (_END - _EPOCH) // _ONE_MS:
        return at
    say(f"{option} {text}: before 1970 or after 9999-12-29; write an instant such as 2026-11-21 11:00")
    raise typer.Exit(2)


def _moment(option: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        say(f"{option} {text}: no date and time; write it as 2026-11-21 11:00, or now")
        raise typer.Exit(2) from None


def states_offset(option: str, text: str) -> bool:
    """Whether such a text means the same instant in every zone. Exits with 2 as `instant_named`."""
    return text == "now" or _moment(option, text).tzinfo is not None


def local_time(at: int, zone: ZoneInfo) -> str:
    """An instant (ms) as a clock in `zone` shows it, to the millisecond."""
    return (_EPOCH + at * _ONE_MS).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def unmistakable_time(at: int, zone: ZoneInfo) -> str:
    """The same, with its offset where the clock shows that time twice."""
    moment = (_EPOCH + at * _ONE_MS).astimezone(zone)
    if moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset():
        return local_time(at, zone)
    return moment.isoformat(" ", "milliseconds")


def local_day(at: int, zone: ZoneInfo) -> tuple[int, int]:
    """[start, end) in ms of the local date that an instant (ms) lies on."""
    midnight = (_EPOCH + at * _ONE_MS).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - _EPOCH) // _ONE_MS, (midnight + timedelta(days=1) - _EPOCH) // _ONE_MS
