"""What `seatwatch import` shows: a bar while it reads, then one table in which every row of the file is counted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from collector.importers.delivery import Delivered
from collector.importers.report import RejectedRow, Report

LISTED_ON_SCREEN: Final = 20
"""How many rejected rows a screen holds beside everything else; --json lists them all."""


@contextmanager
def bar(file: Path, size: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr in bytes of the file; nothing where no terminal listens."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(file.name, total=size)
        yield lambda position: progress.update(task, completed=position)


def show(report: Report, delivered: Delivered | None) -> None:
    """The report for a person, on stdout."""
    console = Console(markup=False)
    rows = Table("rows", "count", title="What the rows are")
    for outcome, count in _outcomes(report, delivered).items():
        rows.add_row(_words(outcome), f"{count:,}")
    rows.add_row("all", f"{report.rows:,}", style="bold")
    console.print(rows)
    _counts(console, "Why rows were rejected", "reason", report.reasons)
    _rows(console, report.rejected, sum(report.reasons.values()))
    _notes(console, report)
    if report.broken_off:
        console.print("The last row breaks off before its end; it is entered when the log goes on.")
    if report.undecided:
        console.print(
            f"{report.undecided:,} calls are undecided where the file ends; they are entered when it goes on."
        )
    if report.unfinished:
        console.print(
            f"{report.unfinished:,} calls have no end where the file ends; it is entered when the file goes on."
        )
    if delivered is None:
        console.print(f"{report.events:,} events; nothing was stored (--check).")
        return
    _counts(console, "Events the ledger did not take", "reason", delivered.refused)
    _rows(console, delivered.refused_rows, delivered.rows_touched)
    new = delivered.stored - delivered.stored_before
    console.print(f"{delivered.events:,} events: {new:,} new, {delivered.stored_before:,} stored before.")
    if not delivered.complete:
        missing = delivered.events - delivered.stored
        console.print(f"{missing:,} events were not acknowledged; import the file again.", style="bold red")


def as_json(report: Report, delivered: Delivered | None) -> bytes:
    """The same as one JSON object, with every rejected row that was kept."""
    found: dict[str, object] = {
        "rows": report.rows,
        "outcomes": _outcomes(report, delivered),
        "reasons": dict(report.reasons),
        "notes": {name: {"count": count, "rows": report.noted[name]} for name, count in report.notes.items()},
        "rejected": [row.as_words() for row in report.rejected],
        "events": report.events,
    }
    if report.broken_off:
        found["broken_off"] = report.broken_off
    if report.undecided:
        found["undecided"] = report.undecided
    if report.unfinished:
        found["unfinished"] = report.unfinished
    if delivered is not None:
        found |= {
            "stored_before": delivered.stored_before,
            "stored": delivered.stored,
            "refused": dict(delivered.refused),
            "refused_rows": [row.as_words() for row in delivered.refused_rows],
            "complete": delivered.complete,
            "epoch": delivered.epoch.hex(),
        }
    return msgspec.json.encode(found)


def _outcomes(report: Report, delivered: Delivered | None) -> dict[str, int]:
    """Rows by what they are; those of which the ledger took nothing stand apart."""
    refused = None if delivered is None else +delivered.rows_refused
    if not refused:
        return report.outcomes
    taken = {outcome: count - refused[outcome] for outcome, count in report.outcomes.items()}
    return {**taken, "refused_by_the_ledger": refused.total()}


def _counts(console: Console, title: str, heading: str, counts: Mapping[str, int]) -> None:
    if counts:
        table = Table(heading, "count", title=title)
        for name, count in sorted(counts.items(), key=lambda pair: -pair[1]):
            table.add_row(_words(name), f"{count:,}")
        console.print(table)


def _rows(console: Console, rows: Sequence[RejectedRow], total: int) -> None:
    for rejected in rows[:LISTED_ON_SCREEN]:
        where = f" in {rejected.column!r}" if rejected.column else ""
        file = f"{rejected.file} " if rejected.file else ""
        console.print(f"  {file}row {rejected.row}: {_words(rejected.reason)}{where}", highlight=False)
    if total > LISTED_ON_SCREEN:
        console.print(f"  and {total - LISTED_ON_SCREEN:,} more; --json lists them", highlight=False)


def _notes(console: Console, report: Report) -> None:
    if not report.notes:
        return
    table = Table("taken, though", "count", "rows", title="Contradictions")
    for name, count in report.notes.most_common():
        listed = report.noted[name]
        shown = ", ".join(map(str, listed[:LISTED_ON_SCREEN]))
        table.add_row(_words(name), f"{count:,}", shown + (" ..." if count > LISTED_ON_SCREEN else ""))
    console.print(table)


def _words(name: str) -> str:
    """Our own words are read as words; what a log calls its events stays as it is."""
    return name.replace("_", " ") if name.islower() else name
