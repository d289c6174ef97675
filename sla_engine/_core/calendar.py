"""Local time of a definition: when the service window is open, for how long, and until when.

Whole milliseconds and the offset table the definition carries; no time zone database is asked here. It is open at an
instant when a local clock shows a time within a window: where an hour is shown twice it is open twice, where one is
skipped it is not open in it. So open time is time that really passes.
"""

from datetime import date, timedelta
from typing import Final, NamedTuple

from sla_engine._core.definition import Definition, ServiceWindow
from sla_engine._core.limits import DAYS_HELD, DAYS_SEARCHED
from sla_engine._core.windows import DAY_MS, MINUTE_MS, civil_date, zone_of
from wire.limits import INSTANT_MAX_MS

_EPOCH: Final = date(1970, 1, 1)
_ONE_DAY: Final = timedelta(days=1)
DAYS_PER_WEEK: Final = 7
# Format: of the calendar.
_EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday; Monday is 0."""

_Spans = tuple[tuple[int, int], ...]
"""Half-open, in ms: of a local day as its clock shows them, or instants."""


class _Day(NamedTuple):
    """What is open of one day of UTC: instants, in order, apart from each other."""

    spans: _Spans
    open_ms: int


class Calendar:
    """A definition's windows, ready to be asked. Built once when a definition is activated.

    Instants and durations are ms. Windows that overlap or touch are one.
    """

    __slots__ = ("_days", "_limit_ms", "_limits", "_special", "_usual", "_weekdays", "_yearly", "zone")

    def __init__(self, definition: Definition) -> None:
        self.zone: Final = zone_of(definition)
        self._usual = _spans(definition.service_windows)
        self._weekdays = {each.weekday: _spans(each.windows) for each in definition.weekday_windows}
        self._yearly = {_month_and_day(each.month_day): _spans(each.windows) for each in definition.yearly_days}
        self._special = {_day_number(each.date): _spans(each.windows) for each in definition.special_days}
        self._limit_ms = definition.first_response_limit_ms
        self._limits = {
            _day_number(each.date): each.first_response_limit_ms
            for each in definition.special_days
            if each.first_response_limit_ms is not None
        }
        self._days: dict[int, _Day] = {}

    def is_open(self, at: int) -> bool:
        """Whether the service window is open at `at`. A window belongs to the local date it opens on."""
        for opens, closes in self._day(at // DAY_MS).spans:  # asked for every session: a loop takes half of any()
            if at < closes:
                return opens <= at
        return False

    def next_open(self, at: int) -> int | None:
        """`at` while it is open, else the next opening; None when there is none within DAYS_SEARCHED days."""
        number = at // DAY_MS
        for day in range(number, number + DAYS_SEARCHED + 1):
            for opens, closes in self._day(day).spans:
                if at < closes:
                    return max(opens, at)
        return None

    def closes_at(self, at: int) -> int:
        """The end of the run of windows that holds `at`, also over midnight; `at` itself while it is closed.

        INSTANT_MAX_MS when it stays open for DAYS_SEARCHED days.
        """
        number = at // DAY_MS
        closing = at
        for day in range(number, number + DAYS_SEARCHED + 1):
            for opens, closes in self._day(day).spans:
                if opens <= closing < closes:
                    closing = closes
            if closing < (day + 1) * DAY_MS:
                return closing
        return INSTANT_MAX_MS

    def day_ends_at(self, at: int) -> int:
        """The first midnight of the local clock after `at`."""
        offset = self.zone.offset_at(at)
        midnight = ((at + offset) // DAY_MS + 1) * DAY_MS
        found = self.zone.first_instant_of(midnight)
        # a clock that is set back over midnight shows it twice, and `at` may lie between
        return found if found > at else midnight - offset

    def open_ms(self, since: int, until: int) -> int:
        """How long it is open within [since, until); 0 when `until` is not later."""
        if until <= since:
            return 0
        first, last = since // DAY_MS, (until - 1) // DAY_MS
        found = _within(self._day(first).spans, since, until)
        if first < last:
            found += _within(self._day(last).spans, since, until)
            found += sum(self._day(day).open_ms for day in range(first + 1, last))
        return found

    def add_open(self, at: int, open_ms: int) -> int:
        """The first instant by which it has been open for `open_ms` since `at`.

        INSTANT_MAX_MS when it stays closed for DAYS_SEARCHED days before that.
        """
        if open_ms <= 0:
            return at
        owed, shut, day = open_ms, 0, at // DAY_MS
        while shut <= DAYS_SEARCHED:
            held = self._day(day)
            for opens, closes in held.spans:
                begins = max(opens, at)
                if owed <= closes - begins:
                    return begins + owed
                owed -= max(closes - begins, 0)
            shut = 0 if held.spans else shut + 1
            day += 1
        return INSTANT_MAX_MS

    def limit_of(self, at: int) -> int:
        """The first response limit (ms) of a clock that starts at `at`: a special day's own within its windows.

        Where the windows of two such days hold `at`, the limit is that of the date `at` lies on.
        """
        if self._limits:
            day, of_day = divmod(at + self.zone.offset_at(at), DAY_MS)
            for date_of, shown in ((day, of_day), (day - 1, of_day + DAY_MS)):
                limit_ms = self._limits.get(date_of)
                if limit_ms is not None and any(opens <= shown < closes for opens, closes in self._special[date_of]):
                    return limit_ms
        return self._limit_ms

    def date_of(self, at: int) -> int:
        """The local date that `at` is worked on, in days from 1970-01-01.

        Its own while that date's windows hold it or none do; the date before where only a window of that one holds it.
        """
        own, of_day = divmod(at + self.zone.offset_at(at), DAY_MS)
        for date_of, shown in ((own, of_day), (own - 1, of_day + DAY_MS)):
            if any(opens <= shown < closes for opens, closes in self._windows_of(date_of)):
                return date_of
        return own

    def _day(self, number: int) -> _Day:
        """Day `number` of UTC, counted from 1970-01-01. Made once: nearly all questions are about very few days."""
        held = self._days.get(number)
        if held is None:
            if len(self._days) >= DAYS_HELD:
                self._days.clear()
            held = self._days[number] = self._made(number * DAY_MS, (number + 1) * DAY_MS)
        return held

    def _made(self, since: int, until: int) -> _Day:
        found: list[tuple[int, int]] = []
        for begins, ends, offset in self.zone.pieces(since, until):
            # a window may run through the whole day after the one it opens on
            for date_of in range((begins + offset) // DAY_MS - 1, (ends - 1 + offset) // DAY_MS + 1):
                midnight = date_of * DAY_MS - offset
                for opens, closes in self._windows_of(date_of):
                    span = max(begins, midnight + opens), min(ends, midnight + closes)
                    if span[0] < span[1]:
                        found.append(span)
        spans = _joined(found)
        return _Day(spans, sum(closes - opens for opens, closes in spans))

    def _windows_of(self, date_of: int) -> _Spans:
        """Of a local date, counted in days from 1970-01-01: what is said of it most closely."""
        special = self._special.get(date_of)
        if special is not None:
            return special
        if self._yearly:
            yearly = self._yearly.get(civil_date(date_of)[1:])
            if yearly is not None:
                return yearly
        return self._weekdays.get((date_of + _EPOCH_WEEKDAY) % DAYS_PER_WEEK, self._usual)


def _joined(found: list[tuple[int, int]]) -> _Spans:
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted(found):
        if joined and opens <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(closes, joined[-1][1])
        else:
            joined.append((opens, closes))
    return tuple(joined)


def _within(spans: _Spans, since: int, until: int) -> int:
    found = 0
    for opens, closes in spans:
        if opens < until and since < closes:
            found += min(until, closes) - max(since, opens)
    return found


def _spans(windows: tuple[ServiceWindow, ...]) -> _Spans:
    return tuple((window.opens_minute * MINUTE_MS, window.closes_minute * MINUTE_MS) for window in windows)


def _day_number(text: str) -> int:
    return (date.fromisoformat(text) - _EPOCH) // _ONE_DAY


def _month_and_day(text: str) -> tuple[int, int]:
    month, _, day = text.partition("-")
    return int(month), int(day)
