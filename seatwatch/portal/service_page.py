"""The page of a client's service: a report's own figures, cut for pictures."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.portal.record import (
    Arrivals,
    Bin,
    CauseCount,
    Day,
    Histogram,
    Lane,
    Limited,
    ServicePage,
    Staffing,
    Table,
)
from dashboards.portal.which import STEPS_PER_DAY
from seatwatch.numbers import HUNDRED
from seatwatch.portal.choosing import BINS, bin_of, listed_figures, step_of
from seatwatch.portal.reading import Told
from seatwatch.printed.cause_report import cause_rows
from seatwatch.printed.report import has_data, heading, name, nothing
from seatwatch.printed.report_columns import COLUMNS, Part
from seatwatch.printed.teller import Teller
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.contributions import figure_rule, limit_in_force_ms
from sla_engine._core.definition import MINUTES_PER_DAY, label_of
from sla_engine.reports._core.buckets import DAYS_PER_WEEK, Frame
from sla_engine.reports._core.report import Row
from wire.board import Ratio
from wire.incident import IncidentSaid
from wire.verdict import SessionFact, Verdict

SECONDS: Final = ("offered", "attainment", "service_level", "first_response", "average_response")
"""Columns of a second figure, which stands beside the first one and leads to no list."""
SUMMARY: Final = (
    "offered",
    "first_response",
    "average_response",
    "service_level",
    "abandoned",
    "unanswered",
)
# Layout: hours of a day, and quarters of an hour in steps of five minutes.
_PER_DAY: Final = 24
_STEPS_JUDGED: Final = 3
_MS_PER_S: Final = 1_000


def service_page(
    told: Told, queue: str, queues: tuple[tuple[str, str], ...], few_judged: int, tell: Teller
) -> ServicePage:
    """The page, in words and times of `tell`."""
    daily = told.daily
    hours = [row for row in told.hourly.rows if row.since >= told.span.since]
    columns = {column.key: column for column in COLUMNS}
    return ServicePage(
        first=told.span.first.isoformat(),
        last=told.span.last.isoformat(),
        queue=queue,
        queues=queues,
        head=(*nothing(daily, tell), *heading(daily, tell)),
        is_final=daily.head.final,
        attainment=daily.total.figures.attainment,
        few_judged=few_judged,
        summary=(
            *((tell.word(key), columns[key].shown(daily.total, tell)) for key in SUMMARY),
            (tell.word("coverage"), columns["coverage"].shown(daily.total, tell).partition(" (")[0]),
        ),
        histogram=histogram(told),
        days=tuple(_day(row, told.incidents, tell) for row in daily.rows),
        causes=causes(told) if daily.total.figures.attainment.whole else None,
        heat=_heat(hours, ZoneInfo(daily.head.time_zone)),
        arrivals=_arrivals(told),
        staffing=tuple(_staffing(hours if len(daily.rows) == 1 else daily.rows)),
        tables=tuple(_tables(told, tell)),
    )


def histogram(told: Told) -> Histogram:
    """First responses of the sessions that count, by whole seconds and by the limit in force for each."""
    rules = {label_of(each): figure_rule(each, label_of(each)) for each in told.ruling.possible}
    usual_ms = told.ruling.frame.first_response_limit_ms
    counts: dict[int, list[list[int]]] = {}
    no_reply: Counter[int] = Counter()
    for fact in told.of_span():
        rule = rules.get(fact.definition)
        limit_ms = usual_ms if rule is None else limit_in_force_ms(fact, rule)
        bins = counts.setdefault(limit_ms, _no_bins())
        if fact.first_response_ms is None:
            no_reply[limit_ms] += fact.verdict is Verdict.BREACHED
            continue
        kind = (Verdict.MET, Verdict.BREACHED, Verdict.EXCLUDED).index(fact.verdict)
        bins[bin_of(fact.first_response_ms)][kind] += 1
    found = counts or {usual_ms: _no_bins()}
    return Histogram(
        tuple(Limited(ms, tuple(Bin(*each) for each in bins), no_reply[ms]) for ms, bins in sorted(found.items()))
    )


def _no_bins() -> list[list[int]]:
    return [[0, 0, 0] for _ in range(BINS)]


def causes(told: Told) -> tuple[CauseCount, ...]:
    """Misses by cause, the most first."""
    rows = cause_rows(told.caused, (EVERY_QUEUE,))  # those of the queue asked for already
    return tuple(CauseCount(row.cause, row.misses, row.met_but_for_it > 0) for row in rows)


def _day(row: Row, incidents: Iterable[IncidentSaid], tell: Teller) -> Day:
    covered = Ratio(0, 0) if row.coverage is None else row.coverage.time
    return Day(row.name, row.figures.attainment, covered, tuple(_lanes(row, incidents, tell)))


def _lanes(row: Row, incidents: Iterable[IncidentSaid], tell: Teller) -> Iterable[Lane]:
    """Incidents that lasted within a day, in thousandths of it."""
    for each in incidents:
        start = max(each.started_at, row.since)
        end = row.until if each.ended_at is None else min(each.ended_at, row.until)
        if start < end:
            where = f"{tell.names.site(each.site)} {each.subject}"
            said = f"{tell.word(f'cause_{each.cause}')} {where}: {tell.at(each.started_at)}"
            until = "" if each.ended_at is None else f" .. {tell.at(each.ended_at)}"
            long = row.until - row.since
            yield Lane(
                (start - row.since) * 1_000 // long, -(-(end - row.since) * 1_000 // long), said + until, each.incident
            )


def _heat(hours: Iterable[Row], zone: ZoneInfo) -> tuple[tuple[Ratio, ...], ...]:
    """Weekday x hour by the local clock; a night hour stands under its own date."""
    sums = [[[0, 0] for _ in range(_PER_DAY)] for _ in range(DAYS_PER_WEEK)]
    for row in hours:
        local = datetime.fromtimestamp(row.since // _MS_PER_S, tz=UTC).astimezone(zone)
        cell = sums[local.weekday()][local.hour]
        cell[0] += row.figures.attainment.part
        cell[1] += row.figures.attainment.whole
    return tuple(tuple(Ratio(part, whole) for part, whole in row) for row in sums)


def _arrivals(told: Told) -> Arrivals:
    frame, day = told.frame, _within(told.sessions, told.last_day)
    before = _within(told.sessions, told.week_before)
    judged = [[0, 0] for _ in range(STEPS_PER_DAY // _STEPS_JUDGED)]
    for fact in day:
        if fact.verdict is not Verdict.EXCLUDED:
            cell = judged[step_of(fact, frame) // _STEPS_JUDGED]
            cell[0] += fact.verdict is Verdict.MET
            cell[1] += 1
    return Arrivals(
        told.span.last.isoformat(),
        told.daily.head.business_day_starts_minute % MINUTES_PER_DAY,
        _counts(day, frame),
        _counts(before, frame) if before else None,
        tuple(Ratio(met, whole) for met, whole in judged),
    )


def _within(sessions: Iterable[SessionFact], span: tuple[int, int]) -> list[SessionFact]:
    return [each for each in sessions if span[0] <= each.started_at < span[1]]


def _counts(sessions: Iterable[SessionFact], frame: Frame) -> tuple[int, ...]:
    counts = [0] * STEPS_PER_DAY
    for fact in sessions:
        counts[step_of(fact, frame)] += 1
    return tuple(counts)


def _staffing(rows: Iterable[Row]) -> Iterable[Staffing]:
    for row in rows:
        seats = row.seats
        staffed = None if seats is None else _hundredths(seats.staffed)
        yield Staffing(row.name, staffed, None if seats is None else _hundredths(seats.contracted))


def _hundredths(seats: Ratio | None) -> int | None:
    return None if seats is None or not seats.whole else HUNDRED * seats.part // seats.whole


def _tables(told: Told, tell: Teller) -> Iterable[Table]:
    daily = told.daily
    rows = (*daily.rows, daily.total)
    listed = listed_figures(daily)
    for part in Part:
        columns = [column for column in COLUMNS if column.part is part and has_data(column, rows)]
        if columns:
            yield Table(
                tell.word(part),
                (tell.word("day"), *(tell.word(column.key) for column in columns)),
                tuple((name(row, tell), *(column.shown(row, tell) for column in columns)) for row in daily.rows),
                (tell.word("report_total"), *(column.shown(daily.total, tell) for column in columns)),
                ("", *(column.key if column.key in listed else "" for column in columns)),
            )
    for second in told.seconds:
        shown = [column for column in COLUMNS if column.key in SECONDS and has_data(column, (second.total,))]
        titles = "; ".join(f"{used.label} {tell.title(used)}" for used in second.head.definitions)
        if shown and titles:
            yield Table(
                f"{tell.word('second_figure')}: {titles}",
                (tell.word("day"), *(tell.word(column.key) for column in shown)),
                tuple((name(row, tell), *(column.shown(row, tell) for column in shown)) for row in second.rows),
                (tell.word("report_total"), *(column.shown(second.total, tell) for column in shown)),
                ("",) * (1 + len(shown)),
            )
