"""`seatwatch definition diff`: what would have moved if another definition had held."""

import shlex
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.commands.definition._loading import open_ledger, published_or_exit, queues_or_exit
from seatwatch.instants import instant_or_day
from seatwatch.refusals import say, speak
from seatwatch.settings import load_defaults

EXAMPLES = """
Examples:

  seatwatch definition diff contract-10s kuaishou-3min-2023 --client acme --from 2026-11-01 --to 2026-12-01

  seatwatch definition diff jd-30s@1 jd-30s@2 --client acme --from 2026-11-01 --to 2026-11-08 --queue presale

  seatwatch definition diff contract-10s acme.toml --client acme --from 2026-11-01 --to 2026-12-01 --json
"""


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("diff", epilog=EXAMPLES)(diff)


def diff(  # noqa: PLR0917 - typer passes options by name
    a: Annotated[str, typer.Argument(help="NAME[@VERSION] in the client's ledger, a preset, or a file", metavar="A")],
    b: Annotated[str, typer.Argument(help="the definition to compare it with", metavar="B")],
    client: Annotated[str, typer.Option(help="whose ledger is replayed")],
    since: Annotated[str, typer.Option("--from", help="sessions that start from here on, as 2026-11-01", metavar="T")],
    until: Annotated[str, typer.Option("--to", help="and before this instant", metavar="T")],
    queue: Annotated[list[str] | None, typer.Option("--queue", help="only this queue; may be repeated")] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="conversations listed of each kind; default: a screenful, all with --json")
    ] = None,
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words")] = "en",
    data: Annotated[Path, typer.Option("--data", help="the data directory", readable=False)] = Path("data"),
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Replay the ledger under A and under B: figures side by side, then every conversation that moves.

    Each is taken to hold over the whole period, whatever dates it states. A date alone is the start of that business
    day, and times are of A's zone, as in a report under A. Nothing is written. Exit 0 when it is shown, 1 when the
    ledger cannot be read, 2 when asked for wrongly.
    """
    from ledger.errors import LedgerError
    from seatwatch.printed.diff import Asked, show
    from seatwatch.printed.diff import as_json as json_of
    from seatwatch.printed.teller import Teller
    from seatwatch.progress import entries_bar
    from sla_engine._core.windows import MINUTE_MS, zone_of
    from sla_engine.diff import Period, difference

    speak(lang)
    defaults = load_defaults()
    reader = open_ledger(data, client)
    try:
        queues = queues_or_exit(reader, queue)
        before, after = published_or_exit(reader, "A", a), published_or_exit(reader, "B", b)
        zone, starts_ms = zone_of(before), before.business_day_starts_minute * MINUTE_MS
        start, end = (instant_or_day(*asked, zone, starts_ms) for asked in (("--from", since), ("--to", until)))
        period = Period(start, end, defaults.ms("board.lookback"))
        if period.end <= period.start:
            say(f"--to {until}: not after --from {since}")
            raise typer.Exit(2)
        with entries_bar(f"{a} / {b}", reader.size()) as progress:
            found = difference(reader, before, after, period, queues=queues, passed=progress)
    except LedgerError as error:
        say(f"--client {client}: {error}")
        raise typer.Exit(1) from None
    finally:
        reader.close()
    tell, about = Teller(lang, ZoneInfo(zone.name)), Asked(client, period.start, period.end, zone.name, queues)
    if as_json:
        typer.echo(json_of(found, tell, about, limit))
    else:
        listed = defaults.int("engine.diff_listed") if limit is None else limit
        options = ["--client", client, "--definition", b]
        options += [
            *(() if data == Path("data") else ("--data", str(data))),
            *(() if lang == "en" else ("--lang", lang)),
        ]
        show(found, tell, about, hint=shlex.join(options), limit=listed)
