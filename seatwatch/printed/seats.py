"""Seats that people were at beside seats that are paid for: as a table, as CSV and as one JSON object."""

from typing import Final

import msgspec
from rich.table import Table

from dashboards.wallboard._core.names import Names
from seatwatch.csv_text import csv_text
from seatwatch.numbers import HUNDRED, decimal, half_up, hundredths, percent, quotient_hundredths
from seatwatch.printed.teller import Teller
from seatwatch.screens import console_of
from sla_engine.reports.dedicated import SeatRow, SeatTable
from wire.board import Ratio

# Layout: of a table.
COLUMNS: Final = 160
"""Width in a file or a pipe."""
MS_PER_HOUR: Final = 3_600_000
_FIELDS: Final = (
    *("client", "shop", "row", "since_ms", "until_ms", "time_zone", "window_ms"),
    *("staffed_ms", "staffed", "contracted_ms", "contracted", "shortfall_ms", "shortfall_seat_hours"),
    "no_data_ms",
    *("dedicated_ms", "also_serving_ms", "also_serving_percent"),
)


def show(found: SeatTable, tell: Teller, names: Names) -> None:
    """One table of all rows, a line after each total; clients and shops by their names."""
    console = console_of(COLUMNS)
    table = Table()
    for name in ("client", "shop", "seats_row"):
        table.add_column(tell.word(name), overflow="fold")
    for name in ("staffed_seats", "contracted_seats", "seat_shortfall", "no_data_time", "also_serving"):
        table.add_column(tell.word(name), justify="right")
    for row in found.rows:
        short = "-" if row.shortfall_ms is None else decimal(_hundredth_hours(row.shortfall_ms))
        unseen = decimal(_hundredth_hours(row.no_data_ms)) if row.no_data_ms else "-"
        name = row.name or tell.word("report_total")
        paid = tell.word("no_contracted_seats") if row.shop and row.contracted is None else _seats(row.contracted)
        seats = _seats(row.staffed), paid
        table.add_row(
            names.client(row.client), names.shop(row.client, row.shop), name, *seats, short, unseen, _also(row)
        )
        if not row.name:
            table.add_section()
    console.print(table)
    totals = [row for row in found.rows if row.shop and not row.name]
    without = [
        f"{names.client(row.client)} / {names.shop(row.client, row.shop)}" for row in totals if row.contracted is None
    ]
    if without:
        console.print(tell.filled("seats_without_contract", shops=", ".join(without)))
    for client in found.without_rules:
        console.print(tell.filled("seats_without_rules", client=names.client(client)))


def as_csv(found: SeatTable) -> str:
    """One line per row; whole numbers beside decimals as text, empty where there is no data."""
    lines: list[list[int | str | None]] = [list(_FIELDS)]
    for row in found.rows:
        there, paid, also, short = row.staffed, row.contracted, row.also_serving, row.shortfall_ms
        lines.append(
            [
                *(row.client, row.shop, row.name or "total", row.since, row.until, found.zones[row.client]),
                *((None,) * 3 if there is None else (there.whole, there.part, decimal(quotient_hundredths(there)))),
                *((None, None) if paid is None else (paid.part, decimal(quotient_hundredths(paid)))),
                *((None, None) if short is None else (short, decimal(_hundredth_hours(short)))),
                row.no_data_ms,
                *((None,) * 3 if also is None else (also.whole, also.part, decimal(hundredths(also)))),
            ]
        )
    return csv_text(lines)


def as_json(found: SeatTable) -> bytes:
    """Everything in ms, as the record has it."""
    return msgspec.json.encode(found)


def _also(row: SeatRow) -> str:
    return "-" if row.also_serving is None else percent(hundredths(row.also_serving))


def _seats(time: Ratio | None) -> str:
    return "-" if time is None else decimal(quotient_hundredths(time))


def _hundredth_hours(ms: int) -> int:
    """Hundredths of an hour, half up."""
    return half_up(HUNDRED * ms, MS_PER_HOUR)
