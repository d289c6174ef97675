"""What a picture of the service page is drawn from, as a table for a file."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from dashboards.portal.record import ServicePage
from dashboards.portal.which import STEPS_PER_DAY
from seatwatch.csv_text import Cell, csv_text
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.definition import MINUTES_PER_DAY

Rows = Iterator[tuple[Cell, ...]]
_PER_STEP: Final = MINUTES_PER_DAY // STEPS_PER_DAY
# Layout: quarters of an hour in steps of five minutes.
_STEPS_JUDGED: Final = 3


def _histogram(page: ServicePage) -> Rows:
    for limited in page.histogram.limits:
        for second, each in enumerate(limited.bins):
            until = None if second == len(limited.bins) - 1 else second + 1
            yield second, until, each.met, each.missed, each.unjudged, limited.limit_ms
        yield None, None, 0, limited.no_reply, 0, limited.limit_ms


def _days(page: ServicePage) -> Rows:
    for day in page.days:
        said = "; ".join(lane.said for lane in day.incidents)
        yield day.name, day.attainment.part, day.attainment.whole, day.covered.part, day.covered.whole, said


def _causes(page: ServicePage) -> Rows:
    for each in page.causes or ():
        yield each.cause, int(each.but_for), each.count


def _heat(page: ServicePage) -> Rows:
    for weekday, hours in enumerate(page.heat):
        for hour, rate in enumerate(hours):
            yield weekday + 1, hour, rate.part, rate.whole


def _arrivals(page: ServicePage) -> Rows:
    shown = page.arrivals
    for number, count in enumerate(shown.counts):
        minute = (shown.starts_minute + _PER_STEP * number) % MINUTES_PER_DAY
        before = None if shown.week_before is None else shown.week_before[number]
        rate = shown.attainment[number // _STEPS_JUDGED] if number % _STEPS_JUDGED == 0 else None
        judged = (None, None) if rate is None else (rate.part, rate.whole)
        yield f"{minute // 60:02}:{minute % 60:02}", count, before, *judged


def _staffing(page: ServicePage) -> Rows:
    for each in page.staffing:
        yield each.name, each.staffed, each.contracted


TABLES: Final[Mapping[str, tuple[tuple[str, ...], Callable[[ServicePage], Rows]]]] = {
    "histogram": (
        ("from_s", "to_s", "met_sessions", "missed_sessions", "not_judged_sessions", "limit_ms"),
        _histogram,
    ),
    "days": (("day", "met_sessions", "judged_sessions", "covered_ms", "to_cover_ms", "incidents"), _days),
    "causes": (("cause", "met_but_for_it", "missed_sessions"), _causes),
    "heat": (("weekday", "hour_of_day", "met_sessions", "judged_sessions"), _heat),
    "arrivals": (
        ("at", "sessions_in_5_min", "sessions_week_before", "met_sessions_in_15_min", "judged_sessions_in_15_min"),
        _arrivals,
    ),
    "staffing": (("time", "staffed_hundredths_of_a_seat", "contracted_hundredths_of_a_seat"), _staffing),
}
"""By picture: names of columns, and rows. Weekday 1 is Monday; an empty cell is no data, in the last bin no end."""
_OF: Final = ("from_day", "to_day", "queue")
"""Columns of every table: business days, and a queue's id or `*` for all of them."""


def picture_file(page: ServicePage, picture: str, form: str) -> bytes:
    """The table as `csv` or `json`. KeyError for a picture that is none."""
    names, rows = TABLES[picture]
    days = (page.arrivals.day, page.arrivals.day) if picture == "arrivals" else (page.first, page.last)
    header = (*_OF, *names)
    table = [(*days, page.queue or EVERY_QUEUE, *row) for row in rows(page)]
    if form == "json":
        return msgspec.json.encode([dict(zip(header, row, strict=True)) for row in table])
    return csv_text([header, *table]).encode()
