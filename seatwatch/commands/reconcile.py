"""`seatwatch reconcile`: a platform's own figures beside ours."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.commands.definition._loading import open_ledger
from seatwatch.instants import instant_named
from seatwatch.settings import load_defaults

EXAMPLES = """
Examples:

  seatwatch reconcile --client acme --from 2026-11-01 --to 2026-12-01

  seatwatch reconcile --client acme --from 2026-11-02 --to 2026-11-03 --lang zh

  seatwatch reconcile --client acme --from 2026-11-01 --to 2026-12-01 --format csv > november.csv

Import the figures first: seatwatch import --format platform-figures. docs/operate/reconcile.md explains the table.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile", epilog=EXAMPLES)(reconcile)


def reconcile(
    client: Annotated[str, typer.Option(help="whose figures")],
    since: Annotated[str, typer.Option("--from", help="figures of periods from here on, as 2026-11-01", metavar="T")],
    until: Annotated[str, typer.Option("--to", help="and up to this instant", metavar="T")],
    shown_as: Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="how to print it")] = "table",
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words of a table")] = "en",
    data: Annotated[Path, typer.Option("--data", help="the data directory", readable=False)] = Path("data"),
) -> None:
    """Print each figure a platform published beside ours under the rules it claims, and what could explain the rest.

    Reads only, also beside a running server. Times are of the client's zone. Exit 0 when it is printed, 1 when the
    ledger cannot be read, 2 when asked for wrongly.
    """
    from ledger.errors import LedgerError
    from seatwatch.printed.reconciliation import as_csv, as_json, show
    from seatwatch.printed.teller import Teller
    from seatwatch.progress import entries_bar
    from seatwatch.record_rules import rules_in_force
    from sla_engine.reports.reconciling import Period
    from sla_engine.reports.reconciling import reconcile as reconciled

    defaults = load_defaults()
    reader = open_ledger(data, client)
    try:
        rules = rules_in_force(data, instant_named("--from", since, "UTC"), [client]).get(client)
        zone = defaults.text("contract.time_zone") if rules is None else rules.time_zone
        period = Period(
            instant_named("--from", since, zone), instant_named("--to", until, zone), defaults.ms("board.lookback")
        )
        if period.end <= period.start:
            typer.echo(f"--to {until}: not after --from {since}", err=True)
            raise typer.Exit(2)
        with entries_bar(client, 2 * reader.size()) as progress:
            found = reconciled(reader, period, defaults.int("engine.diff_listed"), progress)
    except LedgerError as error:
        typer.echo(f"--client {client}: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        reader.close()
    if shown_as == "json":
        typer.echo(as_json(found))
    elif shown_as == "csv":
        typer.echo(as_csv(found, ZoneInfo(zone)), nl=False)
    elif found.lines or found.cut_off:
        show(found, Teller(lang, ZoneInfo(zone)))
    else:
        typer.echo(Teller(lang, ZoneInfo(zone)).word("reconcile_no_figures"))
