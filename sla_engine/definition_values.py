"""Values of a definition or contract file as a person writes them: times of day, windows, durations, dates, zones."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sla_engine._core import definition as definitions
from sla_engine._core.definition import DefinitionError, refuse
from wire.limits import INSTANT_MAX_MS
from wire.zones import zone_named

# Format: HH:MM of a clock.
_DIGITS: Final = 2
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS: Final = timedelta(milliseconds=1)
SpecialDay = tuple[str, list[tuple[int, int]], int | None]


def special_day(day: str, said: object) -> SpecialDay:
    """A list of windows, or a table of `windows` and `first_response_limit_s`."""
    key = f"special_days.{day}"
    if not isinstance(said, dict):
        return day, windows(key, said), None
    wrong = [
        DefinitionError(f"{key}.{unknown}", said[unknown], "no such key", "write windows, first_response_limit_s")
        for unknown in sorted(said.keys() - {"windows", "first_response_limit_s"})
    ]
    found: list[tuple[int, int]] = []
    limit = None
    try:
        found = windows(f"{key}.windows", said.get("windows"))
    except DefinitionError as error:
        wrong += error.faults
    try:
        limit = duration(f"{key}.first_response_limit_s", said.get("first_response_limit_s"))
    except DefinitionError as error:
        wrong += error.faults
    refuse(wrong)
    return day, found, limit


def weekday(name: str) -> int:
    """0 = Monday."""
    days = definitions.WEEKDAYS
    if name not in days:
        raise DefinitionError(f"weekday_windows.{name}", name, "no day of the week", f"write one of {', '.join(days)}")
    return days.index(name)


def title(key: str, said: object) -> object:
    """What people call it; whether it is a text is seen with the other fields."""
    if isinstance(said, str) and not said.strip():
        raise DefinitionError(key, '""', "is empty", "write what people call it")
    return said


def list_of(key: str, said: object) -> Sequence[Any]:
    """What should be a list."""
    if not isinstance(said, list):
        raise DefinitionError(key, said, "not a list", "write it in brackets, such as [6, 8]")
    return said


def windows(key: str, texts: object) -> list[tuple[int, int]]:
    """Opening and closing minutes; a window that closes before it opens runs into the next day."""
    if not isinstance(texts, list):
        raise DefinitionError(key, texts, "not a list", 'write a list such as ["08:00-24:00"], or [] for closed')
    found = []
    wrong: list[DefinitionError] = []
    for text in texts:
        opens, dash, closes = str(text).partition("-")
        if not dash:
            wrong.append(DefinitionError(key, text, "no window", 'write it as "08:00-24:00"'))
            continue
        try:
            start, end = minute(key, opens), minute(key, closes)
            found.append((start, end if end > start else end + definitions.MINUTES_PER_DAY))
        except DefinitionError as error:
            wrong.append(error)
    refuse(wrong)
    return found


def minute(key: str, text: str) -> int:
    """Minutes since midnight, 24:00 included."""
    hours, colon, minutes = text.strip().partition(":")
    is_short = len(hours) <= _DIGITS and len(minutes) <= _DIGITS
    # Format: HH:MM of a clock.
    if colon and is_short and hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60:
        found = int(hours) * 60 + int(minutes)
        if found <= definitions.MINUTES_PER_DAY:
            return found
    raise DefinitionError(key, text, "no time of day", 'write it as "HH:MM", 00:00 to 24:00')


def start_of_day(key: str, said: object) -> int:
    """Minutes since midnight, before the next one."""
    found = minute(key, str(said))
    if found == definitions.MINUTES_PER_DAY:
        raise DefinitionError(key, said, "no start of a day", 'write it as "HH:MM", 00:00 to 23:59')
    return found


def duration(key: str, seconds: object) -> int | None:
    """Whole ms of a number of seconds."""
    if seconds is None:
        return None
    fix = "write it as 10 or 0.5"
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise DefinitionError(key, seconds, "not a number of seconds", fix)
    if not abs(seconds) <= INSTANT_MAX_MS:  # nor are its milliseconds a number then
        is_finite = isinstance(seconds, int) or isfinite(seconds)
        raise DefinitionError(key, seconds, "too many seconds" if is_finite else "not a number of seconds", fix)
    ms = round(seconds * 1000)
    # Format: what a float cannot tell apart.
    if abs(seconds * 1000 - ms) > 1e-6:
        raise DefinitionError(key, seconds, "finer than a millisecond", "write at most three decimals")
    return ms


def instant(key: str, value: object, in_zone: ZoneInfo) -> int:
    """Ms of a TOML date (its first moment in the zone) or date-time (in the zone unless it says its own offset)."""
    if isinstance(value, datetime):
        at = value if value.tzinfo is not None else value.replace(tzinfo=in_zone)
    elif isinstance(value, date):
        at = datetime(value.year, value.month, value.day, tzinfo=in_zone)
    else:
        raise DefinitionError(key, value, "neither a date nor a date-time", "write it as 2026-11-01, without quotes")
    return ms_of(at)


def zone(name: object) -> ZoneInfo:
    """The IANA zone of that name."""
    try:
        return zone_named(str(name))
    except ZoneInfoNotFoundError:
        raise DefinitionError("time_zone", name, "no such zone", 'write an IANA name such as "Asia/Shanghai"') from None


def ms_of(at: datetime) -> int:
    """Ms since the Unix epoch."""
    return (at - EPOCH) // _ONE_MS
