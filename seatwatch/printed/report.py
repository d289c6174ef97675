"""A report for a person, as CSV for a spreadsheet, and as one JSON object."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Final

import msgspec
from rich.table import Table

from seatwatch.csv_text import Cell, csv_text
from seatwatch.printed.report_columns import COLUMNS, Column, Part, not_judged, unbounded
from seatwatch.printed.teller import Teller
from seatwatch.screens import console_of
from sla_engine._core.choices import Unit
from sla_engine._core.definition import time_of_day
from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.report import Head, Report, Row
from wire.ids import UNASSIGNED
from wire.spelling import readable

# Layout: of a table.
WIDTH: Final = 200
"""Columns of a table in a file or a pipe."""
NAME_WIDTH: Final = 22
"""So much of a row's name is never broken: an hour with its offset."""
_HEAD_FIELDS: Final = (
    *("client", "definitions", "contracts", "time_zone", "service_level_formula", "entries", "received_at_ms", "state"),
)


def show(report: Report, tell: Teller, called: Callable[[str], str] = readable) -> None:
    """The head, then one table for each part; columns without any data are left out. called: names a row."""
    console = console_of(WIDTH)
    for line in (*heading(report, tell), *nothing(report, tell)):
        console.print(line)
    rows = (*report.rows, report.total)
    names = [name(row, tell, called) for row in report.rows]
    whole = min(max(map(len, names), default=0), NAME_WIDTH)
    for part in Part:
        columns = [column for column in COLUMNS if column.part is part and has_data(column, rows)]
        if not columns:
            continue
        table = Table(title=tell.word(part), title_justify="left")
        table.add_column(tell.word(report.head.question.by), overflow="fold", min_width=whole)
        for column in columns:
            table.add_column(tell.word(column.key), justify="right", overflow="fold")
        for named, row in zip(names, report.rows, strict=True):
            table.add_row(named, *(column.shown(row, tell) for column in columns))
        table.add_section()
        table.add_row(tell.word("report_total"), *(column.shown(report.total, tell) for column in columns))
        console.print(table)
    reasons = report.total.figures.detail.not_judged
    if reasons:
        told = ", ".join(f"{tell.word(why)} {count}" for why, count in sorted(reasons.items()))
        console.print(f"{tell.word('excluded')}: {told}")
    below = (without_turns(report, tell), gaps(report, tell), without_contract(report, tell, called))
    for line in (*chain.from_iterable(below), *never_ended(report, tell)):
        console.print(line)


def as_csv(report: Report) -> str:
    """One line per row and one for the total; every line says where it comes from. No data is an empty cell."""
    names = [field for column in COLUMNS for field in column.fields()]
    lines: list[list[Cell]] = [
        ["row", "since_ms", "until_ms", *names, "not_judged", "coverage_unbounded", *_HEAD_FIELDS]
    ]
    origin = _origin(report)
    for row in (*report.rows, report.total):
        name = "total" if row is report.total else readable(row.name)
        values = [value for column in COLUMNS for value in column.values(row)]
        lines.append([name, row.since, row.until, *values, not_judged(row), unbounded(row), *origin])
    return csv_text(lines)


def as_json(report: Report) -> bytes:
    """Everything: integers (ms, counts) as the record has them, beside each figure as a person reads it."""
    told: dict[str, Any] = {
        "head": msgspec.to_builtins(report.head),
        "rows": [_json_row(row) for row in report.rows],
        "total": _json_row(report.total),
    }
    return msgspec.json.encode(told)


def _json_row(row: Row) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(row)
    told["shown"] = {
        field: value
        for column in COLUMNS
        for field, value in zip(column.fields(), column.values(row), strict=True)
        if not field.endswith(("_part", "_whole", "_total_ms", "_count"))
    }
    return told


def heading(report: Report, tell: Teller) -> Iterator[str]:
    """Whose figures, of when, by whose rules, and, last, as of when."""
    head = report.head
    question = head.question
    span = f"{tell.at(question.since)} .. {tell.at(question.until)}"
    yield f"{tell.word('client')} {tell.names.client(question.client)}  {span}  {head.time_zone}"
    starts = time_of_day(head.business_day_starts_minute)
    yield f"{tell.filled('report_day_starts', at=starts)}  {tell.word('report_contracts')}: {_listed(head.contracts)}"
    for used in head.definitions:
        yield f"{tell.word('definition_word')}: {used.label}  {tell.title(used)}"
        counted = ", ".join(tell.word(f"report_by_{each}") for each in (used.unit, used.percentile, used.period))
        yield f"  {used.hash}  {counted}"
    level = report.total.figures.service_level
    if level is not None:
        until = tell.word("service_level_until")
        formula = tell.word(level.formula)
        yield f"{tell.word('service_level')}: {formula}, {tell.lasting(level.threshold_ms)}  ({until})"
    state = tell.word("report_final" if head.final else "report_provisional")
    yield f"{state}  {tell.filled('report_as_of', n=head.entries, at=tell.at(head.received_at))}"


def nothing(report: Report, tell: Teller) -> Iterator[str]:
    """Words for a time without any session, which is neither good nor bad, and how much of its record is there."""
    if report.total.figures.offered:
        return
    detail = report.total.figures.detail
    legs = detail.transfers.whole + detail.unanswered_rings
    yield tell.filled("report_only_legs", n=legs) if legs else tell.word("report_empty")
    if report.total.coverage is None:
        yield tell.word("report_coverage_unknown")
    else:
        shown = next(column.shown(report.total, tell) for column in COLUMNS if column.key == "coverage")
        yield f"{tell.word('coverage')}: {shown}"


def gaps(report: Report, tell: Teller) -> Iterator[str]:
    """How much of the record is missing, where something is, and why attainment has no bounds, where it has none."""
    coverage = report.total.coverage
    if coverage is None:
        return
    lost_ms = coverage.time.whole - coverage.time.part
    if lost_ms:
        yield tell.filled("report_lost", lost=tell.lasting(lost_ms), whole=tell.lasting(coverage.time.whole))
    if coverage.unbounded is not None:
        yield f"{tell.word('report_unbounded')}: {tell.word(coverage.unbounded)}"


def without_turns(report: Report, tell: Teller) -> Iterator[str]:
    """Why nothing is judged by a definition that counts turns, where sessions were answered and no turn was told."""
    figures = report.total.figures
    by_turn = [used.label for used in report.head.definitions if used.unit is not Unit.SESSION]
    if by_turn and figures.answered and not figures.attainment.whole and not figures.average_response.count:
        yield tell.filled("report_no_turns", definitions=", ".join(by_turn))


def never_ended(report: Report, tell: Teller) -> Iterator[str]:
    """How many conversations nobody told the end of, and how long they were counted in hands."""
    head = report.head
    if head.never_ended:
        yield tell.filled("report_never_ended", n=head.never_ended, lasted=tell.lasting(head.hands_idle_ms))


def without_contract(report: Report, tell: Teller, called: Callable[[str], str]) -> Iterator[str]:
    """Shops whose people are told and whose paid seats are not."""
    if report.head.question.by is not By.SHOP:
        return
    seats = ((row, row.seats) for row in report.rows if row.name != UNASSIGNED)
    without = [called(row.name) for row, seen in seats if seen is not None and seen.contracted is None]
    if without:
        yield tell.filled("seats_without_contract", shops=", ".join(without))


def _origin(report: Report) -> list[int | str]:
    head, level = report.head, report.total.figures.service_level
    return [
        head.question.client,
        _listed(f"{used.label} {used.hash}" for used in head.definitions),
        _listed(head.contracts),
        head.time_zone,
        "" if level is None else level.formula,
        head.entries,
        head.received_at,
        _state(head),
    ]


def _state(head: Head) -> str:
    return "final" if head.final else "provisional"


def _listed(names: "Iterator[str] | tuple[str, ...]") -> str:
    return "; ".join(names)


def name(row: Row, tell: Teller, called: Callable[[str], str] = readable) -> str:
    """What a row is called."""
    return tell.word("unassigned") if row.name == UNASSIGNED else called(row.name)


def has_data(column: Column, rows: tuple[Row, ...]) -> bool:
    """Whether any of these rows has something in this column."""
    return any(value not in (None, 0) for row in rows for value in column.values(row))
