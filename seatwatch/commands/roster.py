"""`seatwatch roster import`: who works where for whom, from a spreadsheet into the ledgers."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from seatwatch.ending import configured, refuse
from seatwatch.refusals import phrase, say, speak
from seatwatch.roster_apply import APPLY_EXAMPLES, apply
from wire.zones import zone_named

if TYPE_CHECKING:
    from collector._core.roster import Link, Problem
    from seatwatch.printed.teller import Teller
    from seatwatch.roster_clients import Expected
    from seatwatch.roster_job import Plan

_MINUTE_CHARS = len("2026-11-21 11:00")
_MIDNIGHT = " 00:00"
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
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words")] = "en",
) -> None:
    """Import a roster. Importing it again adds nothing; links that the file does not mention stay in force.

    Exit 0 when it is imported or could be, 1 when a row is wrong or the ledgers could not be written, 2 when the file
    cannot be used at all. With a wrong row nothing is written.
    """
    from collector.importers.tables import TableError
    from collector.roster import RosterError
    from ledger.errors import LedgerError
    from seatwatch.clock import now_ms
    from seatwatch.printed.teller import Teller
    from seatwatch.roster_job import plan
    from seatwatch.settings import load_defaults

    speak(lang)
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
    tell = Teller(lang, zone)
    _show(file, planned, tell)
    if planned.problems:
        raise typer.Exit(1)
    if not check:
        _write(planned, data, now_ms(), tell)


def _zone(named: str | None, data: Path, now: int) -> ZoneInfo:
    """In which dates begin. Exits with 2 for a name that is none, and where clients' days run in several zones."""
    from seatwatch.past_board import zones_of
    from seatwatch.record_rules import rules_in_force
    from seatwatch.settings import load_defaults

    if named is None:
        zones = zones_of(rules_in_force(data, now))
        if len(zones) > 1:
            where = ", ".join(f"{zone} = {' '.join(clients)}" for zone, clients in sorted(zones.items()))
            refuse(f"clients are in different time zones ({where}); name that of the file's dates with --time-zone")
        return zone_named(next(iter(zones), load_defaults().text("contract.time_zone")))
    try:
        return zone_named(named)
    except ZoneInfoNotFoundError:
        refuse(f"--time-zone {named}: no IANA time zone; write one such as Asia/Shanghai")


def _expected(config: Path | None, new: list[str], lang: Literal["zh", "en"]) -> "tuple[Expected, Path]":
    """Which clients the file may name, and the data directory unless another is said."""
    from seatwatch.printed.teller import Teller
    from seatwatch.roster_clients import Expected

    tell = Teller(lang, ZoneInfo("UTC"))
    if config is None:
        return Expected(tell), Path("data")
    settings = configured(config)
    named = frozenset(client.id for client in settings.client)
    sites = frozenset(site.id for site in settings.site)
    return Expected(tell, str(config), named, frozenset(new), sites), settings.data_dir(config.parent)


def _write(planned: "Plan", data: Path, now: int, tell: "Teller") -> None:
    from ledger.errors import LedgerError
    from seatwatch.roster_job import RosterJobError, write
    from seatwatch.settings import load_defaults

    try:
        written = asyncio.run(write(planned, data, now, load_defaults()))
    except (RosterJobError, LedgerError, OSError) as error:
        refuse(str(error), 1)
    for ledger, count in written.items():
        typer.echo(tell.filled("roster_written", ledger=ledger, n=count))


def _show(file: Path, planned: "Plan", tell: "Teller") -> None:
    from wire.ids import OPERATOR

    for problem in planned.problems:
        say(f"{_where(file, problem, tell)}: {problem.what}")
    for remark in planned.remarks:
        note = f"{_where(file, remark, tell)}: {phrase(remark.what)}"
        typer.echo(tell.filled("roster_note", what=note), err=True)
    changes = planned.changes.get(OPERATOR, ())
    for change in changes:
        sign = "+" if change.before is None else "~"
        typer.echo(f"{sign} {_say(change.link, tell)}")
        if change.before is not None:
            typer.echo(f"    {tell.filled('roster_was', link=_say(change.before, tell))}")
        for cut_short in change.ends:
            typer.echo(f"    {tell.filled('roster_ended', link=_say(cut_short, tell))}")
    for link in planned.unmentioned:
        typer.echo(f"= {tell.filled('roster_stays', link=_say(link, tell))}")
    new = sum(change.before is None for change in changes)
    counts = {"new": new, "changed": len(changes) - new, "ended": sum(len(change.ends) for change in changes)}
    rows, links, problems = planned.roster.rows, len(planned.roster.stated), len(planned.problems)
    typer.echo(tell.filled("roster_counted", rows=rows, links=links, problems=problems, **counts))
    for client, each in planned.changes.items():
        if client != OPERATOR:
            typer.echo(tell.filled("roster_own_ledger", client=client, n=len(each)))


def _where(file: Path, found: "Problem", tell: "Teller") -> str:
    sheet = f" {found.sheet}" if found.sheet else ""
    row = tell.filled("roster_in_row", n=found.row) if found.row else tell.word("roster_in_ledger")
    return f"{file}{sheet}, {row}"


def _say(link: "Link", tell: "Teller") -> str:
    told = {
        "subject": link.subject,
        "target": link.target,
        "relation": link.relation.replace("_", " "),
        "since": _moment(link.effective_from, tell),
    }
    if link.effective_until is None:
        return tell.filled("roster_link", **told)
    return tell.filled("roster_link_until", until=_moment(link.effective_until, tell), **told)


def _moment(instant: int, tell: "Teller") -> str:
    """A date where that is when it begins."""
    minute = tell.at(instant)[:_MINUTE_CHARS]
    return minute.removesuffix(_MIDNIGHT)
