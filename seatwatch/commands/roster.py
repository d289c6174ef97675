"""`seatwatch roster import`: who works where for whom, from a spreadsheet into the ledgers."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from seatwatch.ending import configured, refuse
from seatwatch.roster_apply import APPLY_EXAMPLES, apply
from wire.zones import zone_named

if TYPE_CHECKING:
    from collector._core.roster import Link, Problem
    from seatwatch.roster_clients import Expected
    from seatwatch.roster_job import Plan

EXAMPLES = """
Examples:

  seatwatch roster import roster.xlsx --check    what would change, and everything that is wrong

  seatwatch roster import roster.xlsx --config seatwatch.toml    a client that it does not name is refused

examples/roster/roster.csv shows every column; docs/operate/roster.md explains them.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    roster = typer.Typer(help="People, sub-accounts, teams, seats, sites and shifts.", no_args_is_help=True)
    roster.command("import", epilog=EXAMPLES)(import_)
    roster.command("apply", epilog=APPLY_EXAMPLES)(apply)
    roster.callback()(_only_groups)
    app.add_typer(roster, name="roster")


def _only_groups() -> None:
    """People, sub-accounts, teams, seats, sites and shifts."""


def import_(
    file: Annotated[Path, typer.Argument(help="the roster: .csv or .xlsx", exists=True, dir_okay=False)],
    data: Annotated[
        Path | None, typer.Option(help="the data directory; default: the configuration's, else ./data")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="the server's configuration: a client whom it does not name is refused")
    ] = None,
    new_client: Annotated[
        list[str] | None,
        typer.Option(help="a client that is right though the configuration does not name it; may be repeated"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="say what would change and what is wrong, change nothing")
    ] = False,
    time_zone: Annotated[
        str | None,
        typer.Option(help="the zone in which dates begin; default: that of the clients' definitions, if all have one"),
    ] = None,
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of what is said about clients")] = "en",
) -> None:
    """Import a roster. Importing it again adds nothing; links that the file does not mention stay in force.

    Exit 0 when it is imported or could be, 1 when a row is wrong or the ledgers could not be written, 2 when the file
    cannot be used at all. With a wrong row nothing is written.
    """
    from collector.importers.tables import TableError
    from collector.roster import RosterError
    from ledger.errors import LedgerError
    from seatwatch.clock import now_ms
    from seatwatch.roster_job import plan
    from seatwatch.settings import load_defaults

    defaults = load_defaults()
    expected, configured_data = _expected(config, new_client or [], lang)
    data = configured_data if data is None else data
    try:
        zone = _zone(time_zone, data, now_ms())
        planned = plan(file, data, zone, now_ms(), defaults, expected)
    except (RosterError, TableError) as error:
        refuse(str(error))
    except (LedgerError, OSError) as error:
        refuse(str(error), 1)
    _show(file, planned, zone)
    if planned.problems:
        raise typer.Exit(1)
    if not check:
        _write(planned, data, now_ms())


def _zone(named: str | None, data: Path, now: int) -> ZoneInfo:
    """In which dates begin. Exits with 2 for a name that is none, and where clients' days run in several zones."""
    from seatwatch.past_board import zones_of
    from seatwatch.record_rules import rules_in_force
    from seatwatch.settings import load_defaults

    if named is None:
        zones = zones_of(rules_in_force(data, now))
        if len(zones) > 1:
            where = "; ".join(f"{zone} of {', '.join(clients)}" for zone, clients in sorted(zones.items()))
            refuse(f"clients are in different time zones ({where}); name that of the file's dates with --time-zone")
        return zone_named(next(iter(zones), load_defaults().text("contract.time_zone")))
    try:
        return zone_named(named)
    except ZoneInfoNotFoundError:
        refuse(f"--time-zone {named}: no IANA time zone; write one such as Asia/Shanghai")


def _expected(config: Path | None, new: list[str], lang: Literal["zh", "en"]) -> "tuple[Expected, Path]":
    """Which clients the file may name, and the data directory unless another is said."""
    from seatwatch.explain_words import Teller
    from seatwatch.roster_clients import Expected

    tell = Teller(lang, ZoneInfo("UTC"))
    if config is None:
        return Expected(tell), Path("data")
    settings = configured(config)
    named = frozenset(client.id for client in settings.client)
    return Expected(tell, str(config), named, frozenset(new)), settings.data_dir(config.parent)


def _write(planned: "Plan", data: Path, now: int) -> None:
    from ledger.errors import LedgerError
    from seatwatch.roster_job import RosterJobError, write
    from seatwatch.settings import load_defaults

    try:
        written = asyncio.run(write(planned, data, now, load_defaults()))
    except (RosterJobError, LedgerError, OSError) as error:
        refuse(str(error), 1)
    for ledger, count in written.items():
        typer.echo(f"{ledger}: {count} links written")


def _show(file: Path, planned: "Plan", zone: ZoneInfo) -> None:
    from wire.ids import OPERATOR

    for problem in planned.problems:
        typer.echo(f"{_where(file, problem)}: {problem.what}", err=True)
    for remark in planned.remarks:
        typer.echo(f"note: {_where(file, remark)}: {remark.what}", err=True)
    changes = planned.changes.get(OPERATOR, ())
    for change in changes:
        sign = "+" if change.before is None else "~"
        typer.echo(f"{sign} {_say(change.link, zone)}")
        if change.before is not None:
            typer.echo(f"    was {_say(change.before, zone)}")
        for cut_short in change.ends:
            typer.echo(f"    ends {_say(cut_short, zone)}")
    for link in planned.unmentioned:
        typer.echo(f"= {_say(link, zone)}: not in this file, stays in force")
    new = sum(change.before is None for change in changes)
    ended = sum(len(change.ends) for change in changes)
    typer.echo(
        f"{planned.roster.rows} rows, {len(planned.roster.stated)} links: {new} added, {len(changes) - new} changed, "
        f"{ended} ended by a later one, {len(planned.problems)} problems"
    )
    for client, each in planned.changes.items():
        if client != OPERATOR:
            typer.echo(f"{client}: {len(each)} links for this client's own ledger")


def _where(file: Path, found: "Problem") -> str:
    sheet = f" {found.sheet}" if found.sheet else ""
    row = f"row {found.row}" if found.row else "the ledger"
    return f"{file}{sheet}, {row}"


def _say(link: "Link", zone: ZoneInfo) -> str:
    until = "" if link.effective_until is None else f" until {_moment(link.effective_until, zone)}"
    relation = link.relation.replace("_", " ")
    return f"{link.subject} -> {link.target} ({relation}) from {_moment(link.effective_from, zone)}{until}"


def _moment(instant: int, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(instant / 1000, tz=UTC).astimezone(zone)
    return local.strftime("%Y-%m-%d" if (local.hour, local.minute) == (0, 0) else "%Y-%m-%d %H:%M")
