"""Windows that figures are counted in: quarters of an hour and business days, by the wall clock of the contract's zone.

Wall clocks come in as integer tables (a definition carries one, sla_engine/zones.py makes others), so a window start
is integer arithmetic.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec

from sla_engine._core.definition import Definition
from wire.errors import require

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
DAY_MS: Final = 24 * 60 * MINUTE_MS
MONTHS_PER_YEAR: Final = 12


class ZoneTable(msgspec.Struct, frozen=True):
    """One zone's offsets from UTC: `offsets[i]` ms holds from instant `starts[i]` on; the first also before it."""

    name: str
    starts: tuple[int, ...]
    offsets: tuple[int, ...]

    def __post_init__(self) -> None:
        require(0 < len(self.starts) == len(self.offsets), "a zone table needs one offset per start")
        require(all(a < b for a, b in pairwise(self.starts)), "zone table starts must ascend")

    def offset_at(self, instant: int) -> int:
        """Local time minus UTC at `instant`, ms."""
        return self.offsets[max(bisect_right(self.starts, instant) - 1, 0)]

    def pieces(self, since: int, until: int) -> Iterator[tuple[int, int, int]]:
        """[since, until) cut where the offset changes: start, end and offset of each piece."""
        index = max(bisect_right(self.starts, since) - 1, 0)
        while since < until:
            last = index + 1 == len(self.starts)
            ends = until if last else min(until, self.starts[index + 1])
            yield since, ends, self.offsets[index]
            since = ends
            index += 1

    def first_instant_of(self, local: int) -> int:
        """The first instant at which a wall clock of this zone shows `local` (ms, as if it were UTC) or later.

        In an autumn hour shown twice that is the first showing; in a spring hour never shown, the end of the jump.
        """
        for index in range(max(bisect_right(self.starts, local - DAY_MS) - 1, 0), len(self.starts)):
            instant = local - self.offsets[index]
            if index + 1 == len(self.starts) or instant < self.starts[index + 1]:
                return instant if index == 0 else max(instant, self.starts[index])
        message = "a zone table ends with an open-ended offset"
        raise AssertionError(message)


class WindowCalendar(msgspec.Struct, frozen=True):
    """Where windows start: intervals of `interval_ms`, business days `day_starts_ms` after local midnight."""

    zone: ZoneTable
    interval_ms: int
    day_starts_ms: int

    def __post_init__(self) -> None:
        require(DAY_MS % self.interval_ms == 0, "a day must hold a whole number of intervals")
        require(0 <= self.day_starts_ms < DAY_MS, "a business day starts within a day")

    def interval_start(self, instant: int) -> int:
        """Start of the interval `instant` lies in, ms."""
        return instant - (instant + self.zone.offset_at(instant)) % self.interval_ms

    def day_start(self, instant: int) -> int:
        """Start of the business day `instant` lies in, ms."""
        local = instant + self.zone.offset_at(instant) - self.day_starts_ms
        start = local - local % DAY_MS + self.day_starts_ms
        # in an hour shown twice the clock may have shown the start of the next day before
        following = self.zone.first_instant_of(start + DAY_MS)
        return following if following <= instant else self.zone.first_instant_of(start)

    def previous_day_start(self, day_start: int) -> int:
        """Start of the business day before the one that starts at `day_start`."""
        return self.day_start(day_start - 1)

    def next_day_start(self, day_start: int) -> int:
        """End of the business day that starts at `day_start`: 23, 24 or 25 hours later."""
        local = day_start + self.zone.offset_at(day_start) - self.day_starts_ms
        days = (local + DAY_MS // 2) // DAY_MS + 1
        return self.zone.first_instant_of(days * DAY_MS + self.day_starts_ms)

    def month_of(self, instant: int) -> tuple[int, int]:
        """Year and month of the business day `instant` lies in: the period a session that starts then belongs to."""
        day = self.day_start(instant)
        return civil_month((day + self.zone.offset_at(day)) // DAY_MS)


class PeriodCalendar(msgspec.Struct, frozen=True):
    """Where periods of `months` whole months are cut: on the first of a month, `starts_ms` after local midnight.

    Quarters begin with January, April, July, October.
    """

    zone: ZoneTable
    months: int
    starts_ms: int

    def __post_init__(self) -> None:
        require(self.months > 0 and MONTHS_PER_YEAR % self.months == 0, "a year must hold a whole number of periods")
        require(0 <= self.starts_ms < DAY_MS, "a period starts within a day")

    def bounds(self, instant: int) -> tuple[int, int]:
        """Start and end (ms, half-open) of the period `instant` lies in."""
        year, month = civil_month((instant + self.zone.offset_at(instant) - self.starts_ms) // DAY_MS)
        period = (year * MONTHS_PER_YEAR + month - 1) // self.months
        following = self.start_of(period + 1)
        # in an hour shown twice the clock may have shown the start of the next period before
        if following <= instant:
            return following, self.start_of(period + 2)
        return self.start_of(period), following

    def start_of(self, period: int) -> int:
        """Start (ms) of a period, counted from the year 0."""
        year, month = divmod(period * self.months, MONTHS_PER_YEAR)
        return self.zone.first_instant_of(first_of_month(year, month + 1) * DAY_MS + self.starts_ms)


def zone_of(definition: Definition) -> ZoneTable:
    """The zone of a definition, by the offsets it carries."""
    offsets = definition.zone_offsets
    return ZoneTable(
        definition.time_zone,
        tuple(offset.from_ms for offset in offsets),
        tuple(offset.offset_s * SECOND_MS for offset in offsets),
    )


def calendar_of(definition: Definition, interval_ms: int) -> WindowCalendar:
    """The windows of a definition's own zone and business day."""
    return WindowCalendar(zone_of(definition), interval_ms, definition.business_day_starts_minute * MINUTE_MS)


def civil_month(days: int) -> tuple[int, int]:
    """Year and month of the day that is `days` after 1970-01-01."""
    year, month, _ = civil_date(days)
    return year, month


def civil_date(days: int) -> tuple[int, int, int]:
    """Year, month and day of the day that is `days` after 1970-01-01 in the proleptic Gregorian calendar.

    Years are counted from March, so that the leap day ends one; 719,468 days lie between 0000-03-01 and 1970-01-01.
    """
    # Format: the Gregorian calendar.
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    month = march_month + 3 if march_month < 10 else march_month - 9
    day = day_of_year - (153 * march_month + 2) // 5 + 1
    return era * 400 + year_of_era + (month <= 2), month, day


def first_of_month(year: int, month: int) -> int:
    """Days from 1970-01-01 to the first of a month in the proleptic Gregorian calendar, as `civil_date` counts."""
    # Format: the Gregorian calendar.
    march_month = (month + 9) % MONTHS_PER_YEAR
    era, year_of_era = divmod(year - (month <= 2), 400)
    day_of_year = (153 * march_month + 2) // 5
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468
