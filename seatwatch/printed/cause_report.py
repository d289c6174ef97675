"""Misses by cause: the rows that `seatwatch report --by cause` prints and the portal shows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from rich.table import Table

from seatwatch.csv_text import Cell, csv_text
from seatwatch.printed.teller import Teller
from seatwatch.screens import console_of
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine.causes import Caused
from sla_engine.reports._core.report import Question

# Layout: of a table.
WIDTH: Final = 120
COLUMNS: Final = ("misses", "met_but_for_it")
"""Of a row, and keys of the glossary."""


class CauseRow(NamedTuple):
    """One cause, or all of them ("total"): missed first responses, and how many were met but for it."""

    cause: str
    misses: int
    met_but_for_it: int


def cause_rows(caused: Iterable[Caused], queues: Sequence[str]) -> list[CauseRow]:
    """A row for each cause that misses of these queues have, the most first. queues: ids, or "*"."""
    misses: Counter[str] = Counter()
    but_for: Counter[str] = Counter()
    for fact, trace in caused:
        if EVERY_QUEUE in queues or fact.queue in queues:
            misses[str(trace.cause)] += 1
            but_for[str(trace.cause)] += trace.but_for
    return [CauseRow(cause, count, but_for[cause]) for cause, count in misses.most_common()]


def total(rows: Iterable[CauseRow]) -> CauseRow:
    """All of them together."""
    told = [*rows]
    return CauseRow("total", sum(row.misses for row in told), sum(row.met_but_for_it for row in told))


def show_causes(rows: Sequence[CauseRow], question: Question, tell: Teller) -> None:
    """A table for a person."""
    console = console_of(WIDTH)
    span = f"{tell.at(question.since)} .. {tell.at(question.until)}"
    console.print(f"{tell.word('client')} {question.client}  {span}")
    table = Table()
    table.add_column(tell.word("cause"), overflow="fold")
    for key in COLUMNS:
        table.add_column(tell.word(key), justify="right", overflow="fold")
    for row in rows:
        table.add_row(tell.word(f"cause_{row.cause}"), str(row.misses), str(row.met_but_for_it))
    table.add_section()
    whole = total(rows)
    table.add_row(tell.word("report_total"), str(whole.misses), str(whole.met_but_for_it))
    console.print(table)


def causes_csv(rows: Sequence[CauseRow], question: Question) -> str:
    """One line per cause and one for the total."""
    lines: list[list[Cell]] = [["row", "since_ms", "until_ms", *COLUMNS, "client"]]
    lines += [
        [row.cause, question.since, question.until, row.misses, row.met_but_for_it, question.client]
        for row in (*rows, total(rows))
    ]
    return csv_text(lines)


def causes_json(rows: Sequence[CauseRow], question: Question) -> bytes:
    """One object, as the other tables have it: head, rows, total."""
    told: dict[str, Any] = {
        "head": {"question": msgspec.to_builtins(question)},
        "rows": [row._asdict() for row in rows],
        "total": total(rows)._asdict(),
    }
    return msgspec.json.encode(told)
