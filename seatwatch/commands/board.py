"""`seatwatch board`: the board of a past instant, from the ledgers of a data directory."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from collector.ledgers import ledger_directory
from seatwatch.instants import instant_named, states_offset, zone_named
from seatwatch.settings import load_defaults
from wire.ids import is_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from dashboards.wallboard._core.names import Names
    from seatwatch.record_rules import ClientRules
    from wire.board import Board, Mean, Ratio, SiteTile, Tile

EXAMPLES = """
Examples:

  seatwatch board --at "2026-11-21 11:00"                                   as it was true, with all known by now

  seatwatch board --at "2026-11-21 11:00" --known-at "2026-11-21 11:00"   as the screen showed it

  seatwatch board --at now --config seatwatch.toml                         with the names of the configuration

  seatwatch board --at "1999-08-10 11:00" --zone Asia/Jerusalem --client bank --json
"""
COLUMNS = 120
"""Width of the table in a file or a pipe."""
MS_PER_S = 1_000


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
    data: Annotated[
        Path | None, typer.Option("--data", help="the data directory; without it the configuration's, or ./data")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="the server's configuration, for the names of queues and sites")
    ] = None,
    zone: Annotated[
        str, typer.Option("--zone", help="time zone of T where it states no offset; without it the definition's")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Print the board as it was true at T, or as the screen showed it."""
    import msgspec

    from ledger.errors import LedgerError
    from seatwatch.past_board import past_board
    from seatwatch.record_rules import rules_in_force

    names, configured = _configured(config)
    data = data or configured
    if not data.is_dir():
        typer.echo(f"{data}: no such data directory; name the one of `seatwatch up` with --data", err=True)
        raise typer.Exit(2)
    if zone:
        zone_named(zone)
    _refuse_absent(data, client or [])
    try:
        rules = rules_in_force(data, instant_named("--at", at, "UTC"), client)  # rules change by the day, zones hardly
        zone, origin = (zone, "--zone") if zone else _zone(rules, states_offset("--at", at))
        instant = instant_named("--at", at, zone)
        known = None if known_at is None else instant_named("--known-at", known_at, zone)
        shown = past_board(data, instant, known, zone=zone, clients=client, names=names)
    except LedgerError as error:
        typer.echo(f"{data}: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(shown), indent=1).decode())
        typer.echo(f"time zone {zone}: {origin}", err=True)
    else:
        _print(shown, zone, origin)


def _configured(file: Path | None) -> "tuple[Names, Path]":
    """Names and the data directory of a configuration, or of none. Exits with 2 when it cannot be used."""
    from dashboards.wallboard._core.names import Names
    from seatwatch.config import ConfigError, read_config

    if file is None:
        return Names(), Path("data")
    try:
        config = read_config(file)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(f"{file}: {problem}", err=True)
        raise typer.Exit(2) from None
    return config.names(), config.data_dir(file.parent)


def _zone(rules: "Mapping[str, ClientRules]", offset_stated: bool) -> tuple[str, str]:
    """The time zone to use, and where it is from. Exits with 2 where T could mean several instants."""
    from seatwatch.past_board import zones_of

    clients = zones_of(rules)
    if not clients:
        return load_defaults().text("contract.time_zone"), "the default, as nobody has a definition"
    if len(clients) == 1:
        ((zone, names),) = clients.items()
        return zone, f"the definition of {', '.join(names)}"
    zones = "; ".join(f"{zone} of {', '.join(names)}" for zone, names in clients.items())
    if offset_stated:
        return "UTC", f"clients are in different ones: {zones}"
    typer.echo(f"--at has no offset and clients are in different time zones ({zones}); name one with --zone", err=True)
    raise typer.Exit(2)


def _refuse_absent(data: Path, clients: list[str]) -> None:
    """Exits with 2, naming the clients asked for that have no ledger: an empty board could mean a quiet day."""
    absent = [one for one in clients if not is_client(one) or not ledger_directory(data, one).is_dir()]
    for client in absent:
        typer.echo(f"--client {client}: no such client in {data}", err=True)
    if absent:
        raise typer.Exit(2)


def _print(shown: "Board", zone: str, origin: str) -> None:
    from seatwatch.glossary import words
    from seatwatch.screens import console_of

    console = console_of(COLUMNS)
    moment = datetime.fromtimestamp(shown.as_of / MS_PER_S, tz=ZoneInfo(zone))
    console.print(f"{words()['as_of'].en} {moment.isoformat(sep=' ', timespec='seconds')} ({zone}, {origin})")
    if shown.queues:
        console.print(_tiles([*shown.clients, *shown.queues, *shown.teams], shown.as_of))
    else:
        console.print(words()["no_data"].en)
    if shown.sites:
        console.print(_sites(shown.sites))
    if shown.unknown_sources:
        told = f"{words()['unknown_sources'].en}: {', '.join(shown.unknown_sources)}"
        console.print(told)


def _tiles(tiles: "list[Tile]", as_of: int) -> "Table":
    from rich.table import Table

    from seatwatch.glossary import words

    table = Table()
    table.add_column("", overflow="fold")
    names = ("waiting", "overdue", "oldest_wait", "answered", "abandoned", "attainment", "service_level")
    for name in (*names, "average_response"):
        table.add_column(words()[name].en, justify="right")
    for tile in tiles:
        live, day = tile.live, tile.day
        oldest = None if live is None or live.oldest_since is None else as_of - live.oldest_since
        level = day.service_level
        table.add_row(
            f"{words()[tile.scope].en} {tile.name}",
            words()["t_plus_1_only"].en if live is None else str(live.waiting),
            "" if live is None else str(live.overdue),
            "" if oldest is None else _seconds(oldest),
            str(day.answered),
            str(day.abandoned),
            _ratio(day.attainment),
            "" if level is None else _ratio(level.ratio),
            _mean(day.average_response),
        )
    return table


def _sites(sites: "list[SiteTile]") -> "Table":
    from rich.table import Table

    from seatwatch.glossary import words

    table = Table()
    for name in ("site", "now", "power", "probes", "seats_present"):
        table.add_column(words()[name].en)
    for site in sites:
        state, reason = words()[site.state].en, words()[site.reason].en
        power = words()["no_ups"].en if site.power is None else site.power
        said = state if state == reason else f"{state}: {reason}"
        seats = "" if site.seats_expected is None else f"{site.seats_present or 0}/{site.seats_expected}"
        table.add_row(site.name, said, power, f"{site.probes_reporting}/{site.probes_known}", seats)
    return table


def _ratio(ratio: "Ratio") -> str:
    """A percentage never without its counts; nothing counted is no percentage."""
    if ratio.whole == 0:
        return "-"
    return f"{100 * ratio.part / ratio.whole:.1f} % ({ratio.part}/{ratio.whole})"


def _mean(mean: "Mean") -> str:
    return "-" if mean.count == 0 else f"{_seconds(mean.total_ms / mean.count)} ({mean.count})"


def _seconds(ms: float) -> str:
    return f"{ms / MS_PER_S:.1f} s"
