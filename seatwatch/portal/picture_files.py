"""What a picture of the service page is drawn from, as a table for a file."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from dashboards.portal.record import ServicePage
from dashboards.portal.which import STEPS_PER_DAY
from seatwatch.csv_text import Cell, csv_text
from sla_engine._core.definition import MINUTES_PER_DAY

Rows = Iterator[tuple[Cell, ...]]
_PER_STEP: Final = MINUTES_PER_DAY // STEPS_PER_DAY
_STEPS_JUDGED: Final = 3


def _histogram(page: ServicePage) -> Rows:
    bins = page.histogram.bins
    for second, each in enumerate(bins):
        until = None if second == len(bins) - 1 else second + 1
        yield second, until, each.met, each.missed, each.unjudged
    yield None, None, 0, page.histogram.no_reply, 0


def _days(page: ServicePage) -> Rows:
    for day in page.days:
        said = "; ".join(lane.said for lane in day.incidents)
        yield day.name, day.attainment.part, day.attainment.whole, day.covered.part, day.covered.whole, said


def _causes(page: ServicePage) -> Rows:
    for each in page.causes:
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
    "histogram": (("from_s", "to_s", "met", "missed", "not_judged"), _histogram),
    "days": (("day", "met", "judged", "covered_ms", "to_cover_ms", "incidents"), _days),
    "causes": (("cause", "met_but_for_it", "misses"), _causes),
    "heat": (("weekday", "hour", "met", "judged"), _heat),
    "arrivals": (("at", "arrivals", "week_before", "met_in_15_min", "judged_in_15_min"), _arrivals),
    "staffing": (("time", "staffed_hundredths", "contracted_hundredths"), _staffing),
}
"""By picture: names of columns, and rows. Weekday 1 is Monday; an empty cell is no data, in the last bin no end."""


def picture_file(page: ServicePage, picture: str, form: str) -> bytes:
    """The table as `csv` or `json`. KeyError for a picture that is none."""
    header, rows = TABLES[picture]
    if form == "json":
        return msgspec.json.encode([dict(zip(header, row, strict=True)) for row in rows(page)])
    return csv_text([header, *rows(page)]).encode()
