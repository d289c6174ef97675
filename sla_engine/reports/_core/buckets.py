"""The rows of a table over time: where hours, business days, weeks and months are cut, and what each is called."""

from bisect import bisect_right
from enum import StrEnum
from typing import Final, NamedTuple

from sla_engine._core.windows import DAY_MS, PeriodCalendar, WindowCalendar, civil_date
from wire.errors import require

HOUR_MS: Final = 60 * 60 * 1_000
DAYS_PER_WEEK: Final = 7
# Format: of the calendar.
_EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday; Monday is 0."""


class By(StrEnum):
    """What the rows of a table are. A table by cause is of misses alone, and made in sla_engine/causes.py."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SHIFT = "shift"
    TEAM = "team"
    SITE = "site"
    SHOP = "shop"
    AGENT = "agent"
    CAUSE = "cause"


OVER_TIME: Final = frozenset({By.HOUR, By.DAY, By.WEEK, By.MONTH})


class Frame(NamedTuple):
    """Where a table is cut. days: in hours, and business days of the zone. months: as the contract cuts its periods."""

    days: WindowCalendar
    months: PeriodCalendar

    def start(self, by: By, at: int) -> int:
        """Start (ms) of the hour, day, week or month that `at` lies in."""
        match by:
            case By.HOUR:
                return self._hour(at)[0]
            case By.DAY:
                return self.days.day_start(at)
            case By.WEEK:
                return self._week(at, 0)
            case By.MONTH:
                return self.months.bounds(at)[0]
        raise ValueError(by)

    def end(self, by: By, at: int) -> int:
        """End (ms) of the hour, day, week or month that `at` lies in."""
        match by:
            case By.HOUR:
                return self._hour(at)[1]
            case By.DAY:
                return self.days.next_day_start(self.days.day_start(at))
            case By.WEEK:
                return self._week(at, 1)
            case By.MONTH:
                return self.months.bounds(at)[1]
        raise ValueError(by)

    def edges(self, by: By, since: int, until: int) -> list[int]:
        """[since, until) cut into rows, one row where they are not over time.

        An hour that the clock shows twice is two rows, one that it skips is none.
        """
        require(since < until, "a table is over some time")
        found = [since]
        while found[-1] < until:
            found.append(min(self.end(by, found[-1]), until) if by in OVER_TIME else until)
        return found

    def name(self, by: By, at: int) -> str:
        """The row `at` lies in, by the local clock: 2026-10-25 02:00+02:00, 2026-10-25, 2026-10."""
        start = self.start(by, at)
        offset = self.days.zone.offset_at(start)
        year, month, day = civil_date((start + offset) // DAY_MS)
        if by is By.MONTH:
            return f"{year:04}-{month:02}"
        if by is not By.HOUR:
            return f"{year:04}-{month:02}-{day:02}"
        of_day = (start + offset) % DAY_MS // 60_000
        sign, minutes = ("-", -offset // 60_000) if offset < 0 else ("+", offset // 60_000)
        shown = f"{of_day // 60:02}:{of_day % 60:02}{sign}{minutes // 60:02}:{minutes % 60:02}"
        return f"{year:04}-{month:02}-{day:02} {shown}"

    def days_before(self, end: int, days: int) -> list[int]:
        """Starts of the last `days` business days that have begun before `end`, oldest first."""
        found = [self.days.day_start(end - 1)]
        while len(found) < days:
            found.append(self.days.previous_day_start(found[-1]))
        return found[::-1]

    def _hour(self, at: int) -> tuple[int, int]:
        """A full hour of the local clock; shorter where the clock is set within it."""
        zone = self.days.zone
        offset = zone.offset_at(at)
        start = at - (at + offset) % HOUR_MS
        end = start + HOUR_MS
        following = bisect_right(zone.starts, at)
        if following and zone.offsets[following - 1] != zone.offset_at(start):
            start = zone.starts[following - 1]
        if following < len(zone.starts) and zone.offsets[following] != offset:
            end = min(end, zone.starts[following])
        return start, end

    def _week(self, at: int, weeks: int) -> int:
        """Start of the Monday of the week of `at`'s business day, or of one so many weeks later."""
        zone, starts_ms = self.days.zone, self.days.day_starts_ms
        start = self.days.day_start(at)
        # a start within a skipped hour is later than the clock would have it, never by half a day
        number = (start + zone.offset_at(start) - starts_ms + DAY_MS // 2) // DAY_MS
        monday = number - (number + _EPOCH_WEEKDAY) % DAYS_PER_WEEK + weeks * DAYS_PER_WEEK
        return zone.first_instant_of(monday * DAY_MS + starts_ms)
