"""`seatwatch causes`: why each miss was one, and whether it was met but for that."""

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.commands.definition._loading import open_ledger
from seatwatch.ending import refuse
from seatwatch.instants import instant_named, local_time, zone_named
from seatwatch.settings import load_defaults

if TYPE_CHECKING:
    from sla_engine.causes import Caused

EXAMPLES = """
Examples:

  seatwatch causes --client acme --from 2026-11-01 --to 2026-12-01

  seatwatch causes --client acme --from "2026-11-02 09:00" --to "2026-11-02 10:00" --each --lang zh

  seatwatch causes --client acme --from 2026-11-01 --to 2026-12-01 --csv > causes.csv
"""


COLUMNS: Final = (
    "conversation",
    "session",
    "queue",
    "site",
    "started_at",
    "due_at",
    "cause",
    "but_for",
    "incident",
    "candidates",
)
"""Of a row; a table of rows leaves the last one out."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("causes", epilog=EXAMPLES)(causes)


def causes(
    *,
    client: Annotated[str, typer.Option(help="whose misses")],
    since: Annotated[str, typer.Option("--from", help="sessions that began at this instant or later", metavar="T")],
    until: Annotated[str, typer.Option("--to", help="sessions that began before this instant", metavar="T")],
    each: Annotated[bool, typer.Option("--each", help="one line per miss instead of a count per cause")] = False,
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words")] = "en",
    zone: Annotated[str, typer.Option(help="time zone of T and of what is shown")] = "",
    data: Annotated[Path, typer.Option(help="the data directory", readable=False)] = Path("data"),
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="print CSV, a row per miss")] = False,
) -> None:
    """Say what stood in the way of every missed first response. Reads only, also beside a running server.

    A cause is evidence. Whether the contract excuses it is decided elsewhere; no verdict changes here. Exit 0.
    """
    import msgspec

    zone = zone_named(zone or load_defaults().text("contract.time_zone"))
    found = _found(data, client, instant_named("--from", since, zone), instant_named("--to", until, zone))
    rows = [_row(caused) for caused in found]
    if as_json:
        typer.echo(msgspec.json.encode(rows))
    elif as_csv:
        columns = COLUMNS[:-1]
        writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif each:
        for caused in found:
            typer.echo(_line(caused, lang, ZoneInfo(zone)))
    else:
        _counts(found, lang)


def _row(caused: "Caused") -> dict[str, Any]:
    fact, trace = caused
    values = (
        fact.conversation,
        fact.session,
        fact.queue,
        fact.place.site,
        fact.started_at,
        fact.due_at,
        str(trace.cause),
        trace.but_for,
        trace.incident,
        trace.candidates,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _line(caused: "Caused", lang: Literal["zh", "en"], zone: ZoneInfo) -> str:
    from seatwatch.glossary import words
    from wire.spelling import readable

    fact, trace = caused
    parts = (
        local_time(fact.started_at, zone),
        fact.conversation,
        readable(fact.queue),
        words()[f"cause_{trace.cause}"].text(lang),
        trace.incident,
    )
    return "  ".join(part for part in parts if part)


def _counts(found: "list[Caused]", lang: Literal["zh", "en"]) -> None:
    from seatwatch.glossary import words

    for cause, count in Counter(trace.cause for _, trace in found).most_common():
        typer.echo(f"{count:>8}  {words()[f'cause_{cause}'].text(lang)}")
    typer.echo(f"{len(found):>8}  {words()['causes_all'].text(lang)}")


def _found(data: Path, client: str, since: int, until: int) -> "list[Caused]":
    from ledger.errors import LedgerError
    from seatwatch.printed.cause_words import causes_found

    reader = open_ledger(data, client)
    try:
        return causes_found(reader, since, until, load_defaults())
    except LedgerError as error:
        refuse(str(error), 1)
    finally:
        reader.close()
