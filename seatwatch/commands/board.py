"""`seatwatch board`: the board of a past instant, from the ledgers of a data directory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from collector.ledgers import ledger_directory
from seatwatch.clock import now_ms
from seatwatch.glossary import words
from seatwatch.instants import instant_named, states_offset, zone_named
from seatwatch.ledger_places import require_data
from seatwatch.naming import ConfigOption, DataOption, record_and_names
from seatwatch.settings import load_defaults
from wire.ids import is_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatwatch.record_rules import ClientRules

EXAMPLES = """
Examples:

  seatwatch board --at "2026-11-21 11:00"                                   as it was true, with all known by now

  seatwatch board --at "2026-11-21 11:00" --known-at "2026-11-21 11:00"   as the screen showed it

  seatwatch board --at now --config seatwatch.toml --lang zh               with the names of the configuration

  seatwatch board --at "1999-08-10 11:00" --zone Asia/Jerusalem --client bank --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("board", epilog=EXAMPLES)(board)


def board(
    at: Annotated[str, typer.Option("--at", help="the instant, as 2026-11-21 11:00[:30][+08:00], or now", metavar="T")],
    known_at: Annotated[
        str | None,
        typer.Option("--known-at", help="leave out what came in after this; at T it is what was shown", metavar="T"),
    ] = None,
    client: Annotated[list[str] | None, typer.Option("--client", help="only this client; may be repeated")] = None,
    data: DataOption = None,
    config: ConfigOption = None,
    zone: Annotated[
        str, typer.Option("--zone", help="time zone of T where it states no offset; without it the definition's")
    ] = "",
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words of a table")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Print the board as it was true at T, or as the screen showed it."""
    import msgspec

    from ledger.errors import LedgerError
    from seatwatch.past_board import past_board
    from seatwatch.printed.board import show
    from seatwatch.printed.teller import Teller
    from seatwatch.record_rules import record_ends, rules_in_force

    data, names = record_and_names(data, config, "" if as_json else lang)
    require_data(data)
    if zone:
        zone_named(zone)
    _refuse_absent(data, client or [])
    try:
        rules = rules_in_force(data, instant_named("--at", at, "UTC"), client)  # rules change by the day, zones hardly
        zone, origin = (zone, "--zone") if zone else _zone(rules, states_offset("--at", at), lang)
        instant = instant_named("--at", at, zone)
        known = None if known_at is None else instant_named("--known-at", known_at, zone)
        ends = record_ends(data, client)
        _refuse_future(at, instant, ends, lang)
        shown = past_board(data, instant, known, zone=zone, clients=client, names=names)
    except LedgerError as error:
        typer.echo(f"{data}: {error}", err=True)
        raise typer.Exit(1) from None
    tell = Teller(lang, ZoneInfo(zone))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(shown), indent=1).decode())
        typer.echo(f"time zone {zone}: {origin}", err=True)
    else:
        show(shown, tell, zone=zone, origin=origin)
    over = ", ".join(f"{name} {tell.at(end)}" for name, end in _over(ends, instant).items())
    if over:
        typer.echo(tell.filled("record_ended", ended=over), err=True)


def _zone(rules: "Mapping[str, ClientRules]", offset_stated: bool, lang: Literal["zh", "en"]) -> tuple[str, str]:
    """The time zone to use, and where it is from. Exits with 2 where T could mean several instants."""
    from seatwatch.past_board import zones_of

    clients = zones_of(rules)
    if not clients:
        return load_defaults().text("contract.time_zone"), words()["zone_default"].text(lang)
    if len(clients) == 1:
        ((zone, names),) = clients.items()
        return zone, words()["zone_of_definition"].text(lang).format(names=", ".join(names))
    zones = "; ".join(f"{zone} of {', '.join(names)}" for zone, names in clients.items())
    if offset_stated:
        return "UTC", words()["zones_differ"].text(lang).format(zones=zones)
    typer.echo(f"--at has no offset and clients are in different time zones ({zones}); name one with --zone", err=True)
    raise typer.Exit(2)


def _refuse_future(at: str, instant: int, ends: "Mapping[str, int]", lang: Literal["zh", "en"]) -> None:
    """Exits with 2 where T is still to come, by the clock and by the record, whichever is ahead."""
    if instant > max(now_ms(), *ends.values(), 0):
        typer.echo(f"--at {at}: {words()['past_in_future'].text(lang)}", err=True)
        raise typer.Exit(2)


def _over(ends: "Mapping[str, int]", instant: int) -> dict[str, int]:
    """The records that end before T: a server tells the time on each of them at least so often."""
    defaults = load_defaults()
    told_within_ms = defaults.ms("collector.clock_idle") + defaults.ms("board.stale_after")
    return {client: end for client, end in ends.items() if end + told_within_ms < instant}


def _refuse_absent(data: Path, clients: list[str]) -> None:
    """Exits with 2, naming the clients asked for that have no ledger: an empty board could mean a quiet day."""
    absent = [one for one in clients if not is_client(one) or not ledger_directory(data, one).is_dir()]
    for client in absent:
        typer.echo(f"--client {client}: no such client in {data}", err=True)
    if absent:
        raise typer.Exit(2)
