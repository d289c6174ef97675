"""A platform's figures beside ours: as a table, as CSV and as one JSON object."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from rich.table import Table

from seatwatch.csv_text import csv_text
from seatwatch.numbers import decimal, half_up, percent
from seatwatch.printed.teller import Teller
from seatwatch.screens import console_of
from sla_engine.reports._core.reconciliation import Amount, Line
from sla_engine.reports.reconciling import Reconciled
from wire.spelling import readable

# Layout: of a table.
COLUMNS: Final = 200
"""Width in a file or a pipe."""
# Format: parts per million in a hundredth of a percent.
PPM_PER_HUNDREDTH: Final = 100
"""Millionths in a hundredth of a percent."""
MS_PER_S: Final = 1_000
_FIELDS: Final = (
    *("period_starts", "period_ends", "queue", "account", "metric", "measure", "definition", "unit"),
    *("theirs", "theirs_part", "theirs_whole", "restated", "ours", "ours_part", "ours_whole", "difference"),
    *("missing", "could_explain", "caveats", "official"),
)


def show(found: Reconciled, tell: Teller) -> None:
    """One row per figure, then how many figures the time asked for cuts."""
    console = console_of(COLUMNS)
    table = Table()
    table.add_column(tell.word("reconcile_period"), overflow="fold")
    for name in ("reconcile_about", "reconcile_metric", "definition_word"):
        table.add_column(tell.word(name), overflow="fold")
    for name in ("reconcile_theirs", "reconcile_ours", "difference"):
        table.add_column(tell.word(name), justify="right", overflow="fold")
    table.add_column(tell.word("reconcile_could_explain"), overflow="fold")
    for line in found.lines:
        table.add_row(
            # Format: ISO 8601 to the minute.
            f"{tell.at(line.period_starts)[:16]} .. {tell.at(line.period_ends)[:16]}",
            " ".join(map(readable, filter(None, (line.queue, line.account)))) or tell.word("client"),
            line.metric,
            tell.from_where(line.definition or "-", is_official=line.official),
            _shown(line.theirs, line.unit, tell),
            tell.word(line.missing) if line.missing else _shown(line.ours, line.unit, tell),
            _difference(line, tell),
            _explained(line, tell),
        )
    console.print(table)
    console.print(tell.filled("report_as_of", n=found.entries, at=tell.at(found.received_at)))
    if found.cut_off:
        console.print(tell.filled("reconcile_cut_off", n=found.cut_off))


def as_csv(found: Reconciled, zone: ZoneInfo) -> str:
    """One line per figure; instants with their offset in `zone`, figures as whole numbers of their unit."""
    lines: list[list[int | str | None]] = [list(_FIELDS)]
    for line in found.lines:
        ours = line.ours or Amount(None, 0, 0)
        lines.append(
            [
                *(_iso(line.period_starts, zone), _iso(line.period_ends, zone)),
                *(line.queue, line.account, line.metric, line.measure, line.definition, line.unit),
                *(line.theirs.value, *_counts(line.theirs), line.restated),
                *(ours.value, *_counts(ours), line.delta, line.missing),
                "; ".join(f"{cause.word} {cause.sessions}" for cause in line.causes),
                "; ".join(f"{caveat.word} {caveat.count}" for caveat in line.caveats),
                int(line.official) if line.definition else None,
            ]
        )
    return csv_text(lines)


def as_json(found: Reconciled) -> bytes:
    """Everything, in ms, counts and millionths, the conversations of each cause included."""
    return msgspec.json.encode(found)


def _shown(amount: Amount | None, unit: str, tell: Teller) -> str:
    if amount is None or amount.value is None:
        return "-"
    counts = f" ({amount.part}/{amount.whole})" if unit == "ppm" and amount.whole else ""
    if unit == "ms":
        counts = f" ({amount.whole})" if amount.whole else ""
    return _value(amount.value, unit, tell) + counts


def _value(value: int, unit: str, tell: Teller) -> str:
    """A figure for a person: percent to hundredths, half up; a duration; or a count."""
    if unit == "ppm":
        return percent(half_up(value, PPM_PER_HUNDREDTH))
    return tell.lasting(value) if unit == "ms" else str(value)


def _difference(line: Line, tell: Teller) -> str:
    if line.delta is None:
        return "-"
    sign = "-" if line.delta < 0 else "+" if line.delta else ""
    if line.unit == "ppm":
        points = decimal(half_up(abs(line.delta), PPM_PER_HUNDREDTH))
        return tell.filled("percentage_points", n=f"{sign}{points}")
    return sign + _value(abs(line.delta), line.unit, tell)


def _explained(line: Line, tell: Teller) -> str:
    told = [f"{tell.word(cause.word)} {cause.sessions}" for cause in line.causes]
    told += [f"{tell.word(caveat.word)} {caveat.count}" for caveat in line.caveats]
    if line.restated:
        told.append(f"{tell.word('reconcile_restated')} {line.restated}")
    return ", ".join(told)


def _counts(amount: Amount) -> tuple[int | None, int | None]:
    return (amount.part, amount.whole) if amount.whole else (None, None)


def _iso(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at // MS_PER_S, tz=UTC).astimezone(zone).isoformat()
