"""Opening hours by looking at the clock on the wall of the definition's zone, quarter by quarter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import gcd
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sla_engine._core.definition import Definition, ServiceWindow

MINUTE_MS = 60_000
DAY_MINUTES = 24 * 60
DAY_MS = DAY_MINUTES * MINUTE_MS
SEARCH_DAYS = 400
ZONES_CHANGE_BY_MINUTES = 15
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """Half-open, in ms."""

    start: int
    end: int


class Hours:
    """When a definition's windows are open. Every answer comes from `is_open`, asked once a step."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._zone = ZoneInfo(definition.time_zone)
        windows = [window for of_day in _all_windows(definition) for window in of_day]
        edges = [minute for window in windows for minute in (window.opens_minute, window.closes_minute)]
        self._step = gcd(ZONES_CHANGE_BY_MINUTES, *edges) * MINUTE_MS
        self._spans: dict[int, list[Span]] = {}

    def is_open(self, at: int) -> bool:
        return any(True for _ in self._windows_around(at))

    def limit(self, at: int) -> int:
        """The first response limit of a clock that starts at `at`."""
        for day in self._windows_around(at):
            for special in self._definition.special_days:
                if special.date == day.isoformat() and special.first_response_limit_ms is not None:
                    return special.first_response_limit_ms
        return self._definition.first_response_limit_ms

    def next_open(self, at: int) -> int | None:
        """`at` itself where it is open."""
        return next((max(at, span.start) for span in self._after(at)), None)

    def next_midnight(self, at: int) -> int:
        """When the wall clock next shows another date, looked for quarter by quarter."""
        step = ZONES_CHANGE_BY_MINUTES * MINUTE_MS
        today, later = self._date(at), at - at % step + step
        while self._date(later) <= today:
            later += step
        return later

    def _date(self, at: int) -> date:
        return (EPOCH + timedelta(milliseconds=at)).astimezone(self._zone).date()

    def closes_at(self, at: int) -> int | None:
        """The end of the run of windows that `at` lies in; None where they never end."""
        end = at
        for span in self._after(at):
            if span.start > end:
                return end
            end = span.end
        return None if end - at > (SEARCH_DAYS - 1) * DAY_MS else end

    def open_ms(self, start: int, end: int) -> int:
        total = 0
        for span in self._after(start):
            if span.start >= end:
                break
            total += max(0, min(end, span.end) - max(start, span.start))
        return total

    def add_open(self, at: int, open_ms: int) -> int | None:
        """The instant at which so much open time has passed since `at`."""
        left = open_ms
        for span in self._after(at):
            start = max(at, span.start)
            if start + left <= span.end:
                return start + left
            left -= span.end - start
        return None

    def _after(self, at: int) -> Iterator[Span]:
        """Spans that end after `at`, in order, cut at midnights UTC."""
        first = at // DAY_MS
        for day in range(first, first + SEARCH_DAYS):
            yield from (span for span in self._day(day) if span.end > at)

    def _day(self, day: int) -> list[Span]:
        if day not in self._spans:
            spans: list[Span] = []
            for at in range(day * DAY_MS, (day + 1) * DAY_MS, self._step):
                if self.is_open(at):
                    if spans and spans[-1].end == at:
                        spans[-1] = Span(spans[-1].start, at + self._step)
                    else:
                        spans.append(Span(at, at + self._step))
            self._spans[day] = spans
        return self._spans[day]

    def _windows_around(self, at: int) -> Iterator[date]:
        """The local dates whose windows hold `at`: today's, and yesterday's that run over midnight."""
        wall = (EPOCH + timedelta(milliseconds=at)).astimezone(self._zone)
        minute = wall.hour * 60 + wall.minute
        for days_back in (0, 1):
            day = wall.date() - timedelta(days=days_back)
            of_day = minute + days_back * DAY_MINUTES
            if any(window.opens_minute <= of_day < window.closes_minute for window in self._windows_of(day)):
                yield day

    def _windows_of(self, day: date) -> tuple[ServiceWindow, ...]:
        for special in self._definition.special_days:
            if special.date == day.isoformat():
                return special.windows
        for yearly in self._definition.yearly_days:
            if yearly.month_day == day.isoformat()[5:]:
                return yearly.windows
        for weekly in self._definition.weekday_windows:
            if weekly.weekday == day.weekday():
                return weekly.windows
        return self._definition.service_windows


def _all_windows(definition: Definition) -> Iterator[tuple[ServiceWindow, ...]]:
    yield definition.service_windows
    for special in definition.special_days:
        yield special.windows
    for yearly in definition.yearly_days:
        yield yearly.windows
    for weekly in definition.weekday_windows:
        yield weekly.windows
