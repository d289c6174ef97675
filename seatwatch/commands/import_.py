"""`seatwatch import`: call detail records into a client's ledger, through the same admission as everything else."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.ending import refuse
from seatwatch.refusals import speak

if TYPE_CHECKING:
    from collector.importers.delivery import Delivered, Reading
    from collector.sources import Source
    from seatwatch.imports.files import Asked
    from seatwatch.imports.job import Job, Rules
    from seatwatch.settings import Defaults

SLOWEST: Final = 0.001  # Bound: a second takes a quarter of an hour
FASTEST: Final = 1_000_000  # Bound: ten days in a second
EXAMPLES = """
Examples:

  seatwatch import calls.csv --mapping mapping.toml --client acme

  seatwatch import calls.xlsx --mapping mapping.toml --client acme --check    read and count, store nothing

  seatwatch import calls.csv --mapping mapping.toml --client acme --speed 60  an hour a minute, for a board to move

  seatwatch import --format platform-figures t1.csv --mapping figures.toml --client acme    to reconcile

  seatwatch import --format asterisk-queue-log /var/log/asterisk/queue_log* --client acme

  seatwatch import --format asterisk-queue-log queue_log.csv --zone Asia/Shanghai --client acme    a realtime table

docs/operate/import.md explains the mapping; examples/bank_calls has one with its reasons.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=EXAMPLES)(import_)


class Format(StrEnum):
    """What the files are."""

    MAPPING = "mapping"
    ASTERISK_QUEUE_LOG = "asterisk-queue-log"
    PLATFORM_FIGURES = "platform-figures"


def import_(  # noqa: PLR0917 - typer passes options by name
    files: Annotated[
        list[Path],
        typer.Argument(
            help="call detail records: .csv, .tsv, .txt or .xlsx; of a queue_log all its parts, in any order",
            metavar="FILE...",
            exists=True,
            dir_okay=False,
        ),
    ],
    client: Annotated[str, typer.Option(help="whose calls these are")],
    layout: Annotated[Format, typer.Option("--format", help="what the files are")] = Format.MAPPING,
    mapping: Annotated[Path | None, typer.Option(help="what the columns mean", exists=True, dir_okay=False)] = None,
    zone: Annotated[
        str | None, typer.Option(help="IANA zone of local times, for a queue_log that is a realtime table")
    ] = None,
    data: Annotated[Path, typer.Option(help="the data directory")] = Path("data"),
    speed: Annotated[
        float | None, typer.Option(help="replay this many times as fast as it happened", min=SLOWEST, max=FASTEST)
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="the source to import as; default: import/CLIENT, or figures/CLIENT")
    ] = None,
    feed: Annotated[str, typer.Option(help="how soon this source tells: live, delayed or daily")] = "daily",
    definition: Annotated[
        str | None,
        typer.Option(help="rules for the ledger: a preset or a file; default: the mapping's, if it has none yet"),
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="the source's token, when a server runs over DATA")] = None,
    check: Annotated[bool, typer.Option("--check", help="read and count every row, store nothing")] = False,
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words of the summary")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="end with one JSON object on stdout")] = False,
) -> None:
    """Import call detail records. Importing a file again adds nothing; a file that grew continues.

    Every row is counted as what it is, or as rejected with its reason. Exit 0 when everything is stored, 1 when
    something contradicts what is stored or could not be delivered, 2 when files, mapping or options cannot be used.
    """
    from seatwatch.imports.files import Asked
    from seatwatch.imports.job import Job
    from seatwatch.printed.imported import bar
    from seatwatch.settings import load_defaults

    speak(lang)
    defaults = load_defaults()
    speaker = _source(layout, client, source, feed)
    asked = Asked(layout, files, client, mapping, zone, data)
    reading, meant = _open(asked, defaults)
    rules = _rules(definition, meant, mapping.parent if mapping else Path())
    with bar(files[0], reading.size) as progress:
        job = Job(reading, speaker, data, rules, token_file, speed, progress)
        delivered = _deliver(job, asked, defaults, check=check)
    _say(reading, delivered, lang, as_json=as_json)
    if delivered is not None and (delivered.refused or not delivered.complete):
        raise typer.Exit(1)


def _source(layout: Format, client: str, asked: str | None, feed: str) -> "Source":
    """Who speaks. Exits with 2 when a name cannot be used."""
    from collector.sources import CONVERSATIONS, FIGURES, Source
    from wire.record import Feed

    is_figures = layout is Format.PLATFORM_FIGURES
    name = asked or f"{'figures' if is_figures else 'import'}/{client}"
    _check_names(client, name)
    if feed not in set(Feed):
        refuse(f"--feed {feed}: use live, delayed or daily")
    return Source(id=name, client=client, feed=Feed(feed), carries=FIGURES if is_figures else CONVERSATIONS)


def _open(asked: "Asked", defaults: "Defaults") -> "tuple[Reading, str]":
    """The files, and the definition their mapping names. Exits with 2 when they cannot be read."""
    from seatwatch.imports.files import FilesError, open_files

    try:
        return open_files(asked, defaults)
    except (FilesError, OSError) as error:
        refuse(str(error))


def _check_names(client: str, source: str) -> None:
    """Exits with 2 when one of them cannot be used."""
    from wire.ids import is_client, is_derived, is_name

    for name in (client, source):
        if not is_name(name) or is_derived(name):
            refuse(f"{name!r} is no name; use letters, digits and . _ : @ / -")
    if not is_client(client):
        refuse(f"--client {client}: a client's name has no slash, and the operator's ledger is no client's")


def _rules(asked: str | None, meant: str, beside: Path) -> "Rules":
    """What --definition names, else what the mapping means, else the standard promise."""
    from seatwatch.imports.job import DEFAULT_DEFINITION, Rules

    if asked is not None:
        return Rules(asked, Path(), asked=True)
    return Rules(meant or DEFAULT_DEFINITION, beside, asked=False)


def _deliver(job: "Job", asked: "Asked", defaults: "Defaults", *, check: bool) -> "Delivered | None":
    """None where only to be checked: everything was read then, and nothing stored."""
    from ledger.errors import LedgerError
    from seatwatch.imports.files import note
    from seatwatch.imports.job import JobError, run

    if check:
        for _ in job.reading.in_file_order():
            job.progress(job.reading.position)
        return None
    try:
        delivered = asyncio.run(run(job, defaults))
        note(asked, job.reading, delivered, defaults)
        return delivered
    except KeyboardInterrupt:
        refuse("interrupted; what was acknowledged is stored, import the file again to continue", code=1)
    except (JobError, LedgerError, OSError) as error:
        refuse(str(error), code=1)


def _say(reading: "Reading", delivered: "Delivered | None", lang: Literal["zh", "en"], *, as_json: bool) -> None:
    from seatwatch.printed import imported
    from seatwatch.printed.teller import Teller

    if as_json:
        sys.stdout.write(imported.as_json(reading.report, delivered).decode() + "\n")
    else:
        imported.show(reading.report, delivered, Teller(lang, ZoneInfo("UTC")))
