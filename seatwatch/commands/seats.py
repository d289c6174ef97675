"""`seatwatch seats`: seats that people were at beside seats that are paid for."""

from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.instants import instant_or_day
from seatwatch.ledger_places import require_data
from seatwatch.naming import ConfigOption, DataOption, record_and_names
from seatwatch.settings import load_defaults
from wire.ids import is_client

if TYPE_CHECKING:
    from sla_engine.reports._core.buckets import Frame

EXAMPLES = """
Examples:

  seatwatch seats --from 2026-11-01 --to 2026-12-01

  seatwatch seats --client acme --from 2026-11-02 --to 2026-11-03 --by half-hour --lang zh

  seatwatch seats --from 2026-11-01 --to 2026-12-01 --format csv > seats.csv
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("seats", epilog=EXAMPLES)(seats)


def seats(
    since: Annotated[str, typer.Option("--from", help="from here on, as 2026-11-01", metavar="T")],
    until: Annotated[str, typer.Option("--to", help="and before this instant", metavar="T")],
    client: Annotated[str, typer.Option(help="only this client")] = "",
    by: Annotated[Literal["half-hour", "day"], typer.Option(help="what a row is")] = "day",
    shown_as: Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="how to print it")] = "table",
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words of a table")] = "en",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Print staffed beside contracted seats of every client and shop, and what dedicated seats also did.

    Reads the ledgers of all clients, also beside a running server: for the operator, not for a client. A date is the
    start of each client's own business day. Exit 0 when it is printed, 1 when a ledger cannot be read, 2 when asked
    for wrongly.
    """
    from ledger.errors import LedgerError
    from seatwatch.printed.seats import as_csv, as_json, show
    from seatwatch.printed.teller import Teller
    from seatwatch.progress import entries_bar
    from sla_engine.board_at import CLIENTS
    from sla_engine.reports.dedicated import SeatQuestion
    from sla_engine.reports.dedicated import seats as found_seats
    from wire.scope import EVERYTHING

    data, names = record_and_names(data, config, lang)
    require_data(data)
    folder = data / CLIENTS
    if not folder.is_dir() or (client and not (is_client(client) and (folder / client).is_dir())):
        typer.echo(f"--client {client}: no such client in {data}" if client else f"{data}: no clients there", err=True)
        raise typer.Exit(2)

    def span(frame: "Frame") -> tuple[int, int]:
        zone, starts_ms = frame.days.zone, frame.days.day_starts_ms
        start, end = (instant_or_day(*asked, zone, starts_ms) for asked in (("--from", since), ("--to", until)))
        if end <= start:
            typer.echo(f"--to {until}: not after --from {since}", err=True)
            raise typer.Exit(2)
        return start, end

    defaults = load_defaults()
    question = SeatQuestion(span, by, client, defaults.ms("board.lookback"), defaults.ms("board.hands_idle"))
    try:
        with entries_bar(str(folder), sum(1 for _ in folder.iterdir())) as progress:
            found = found_seats(data, question, EVERYTHING, progress)
    except LedgerError as error:
        typer.echo(f"{data}: {error}", err=True)
        raise typer.Exit(1) from None
    if shown_as == "json":
        typer.echo(as_json(found))
    elif shown_as == "csv":
        typer.echo(as_csv(found), nl=False)
    else:
        show(found, Teller(lang, ZoneInfo("UTC")), names)
