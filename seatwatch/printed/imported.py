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
from seatwatch.printed.teller import Teller

# Layout: of a screen.
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


def show(report: Report, delivered: Delivered | None, tell: Teller) -> None:
    """The report for a person, on stdout. Outcomes and reasons keep their names, which the guides explain."""
    console = Console(markup=False)
    rows = Table(tell.word("import_rows"), tell.word("import_count"), title=tell.word("import_rows_are"))
    for outcome, count in _outcomes(report, delivered).items():
        rows.add_row(_words(outcome), f"{count:,}")
    rows.add_row(tell.word("import_all_rows"), f"{report.rows:,}", style="bold")
    console.print(rows)
    _counts(console, tell, "import_why_rejected", report.reasons)
    _rows(console, tell, report.rejected, sum(report.reasons.values()))
    _notes(console, tell, report)
    if report.broken_off:
        console.print(tell.word("import_broken_off"))
    if report.undecided:
        console.print(tell.filled("import_undecided", n=f"{report.undecided:,}"))
    if report.unfinished:
        console.print(tell.filled("import_unfinished", n=f"{report.unfinished:,}"))
    if delivered is None:
        console.print(tell.filled("import_checked", n=f"{report.events:,}"))
        return
    _counts(console, tell, "import_not_taken", delivered.refused)
    _rows(console, tell, delivered.refused_rows, delivered.rows_touched)
    new, before = delivered.stored - delivered.stored_before, delivered.stored_before
    console.print(tell.filled("import_stored", n=f"{delivered.events:,}", new=f"{new:,}", before=f"{before:,}"))
    if not delivered.complete:
        missing = delivered.events - delivered.stored
        console.print(tell.filled("import_not_acknowledged", n=f"{missing:,}"), style="bold red")


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


def _counts(console: Console, tell: Teller, title: str, counts: Mapping[str, int]) -> None:
    if counts:
        table = Table(tell.word("import_reason"), tell.word("import_count"), title=tell.word(title))
        for name, count in sorted(counts.items(), key=lambda pair: -pair[1]):
            table.add_row(_words(name), f"{count:,}")
        console.print(table)


def _rows(console: Console, tell: Teller, rows: Sequence[RejectedRow], total: int) -> None:
    for rejected in rows[:LISTED_ON_SCREEN]:
        told = tell.filled(
            "import_row_in" if rejected.column else "import_row",
            file=f"{rejected.file} " if rejected.file else "",
            row=rejected.row,
            reason=_words(rejected.reason),
            column=repr(rejected.column),
        )
        console.print(f"  {told}", highlight=False)
    if total > LISTED_ON_SCREEN:
        console.print(f"  {tell.filled('import_more_rows', n=f'{total - LISTED_ON_SCREEN:,}')}", highlight=False)


def _notes(console: Console, tell: Teller, report: Report) -> None:
    if not report.notes:
        return
    headings = (tell.word(key) for key in ("import_taken_though", "import_count", "import_rows"))
    table = Table(*headings, title=tell.word("import_contradictions"))
    for name, count in report.notes.most_common():
        listed = report.noted[name]
        shown = ", ".join(map(str, listed[:LISTED_ON_SCREEN]))
        table.add_row(_words(name), f"{count:,}", shown + (" ..." if count > LISTED_ON_SCREEN else ""))
    console.print(table)


def _words(name: str) -> str:
    """Our own words are read as words; what a log calls its events stays as it is."""
    return name.replace("_", " ") if name.islower() else name
