"""`seatwatch backup`: copies ledgers while they are written, and checks the copies."""

import json
from pathlib import Path
from typing import Annotated

import typer

from seatwatch.ledger_places import require_directory

EXAMPLES = """
Examples:

  seatwatch backup DATA/clients/acme BACKUP/acme   one ledger

  seatwatch backup DATA BACKUP                     every ledger below a data directory
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backup", epilog=EXAMPLES)(backup)


def backup(
    source: Annotated[Path, typer.Argument(help="a ledger, or a data directory with several", readable=False)],
    target: Annotated[Path, typer.Argument(help="where to; run again, it copies what is new", file_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object per ledger")] = False,
) -> None:
    """Copy and check; the server may go on running. Keys are not copied: keep them apart.

    Exit 0 when every copy is sound, 1 when one is not, 2 when there is no ledger or the target is inside the source.
    """
    from ledger.backup import backup as back_up
    from ledger.errors import LedgerError

    require_directory(source, "give a data directory or a ledger directory")
    if target.resolve().is_relative_to(source.resolve()):
        typer.echo(f"{target} is inside {source}, and would be copied into itself; give a folder elsewhere", err=True)
        raise typer.Exit(2)
    ledgers = ledgers_below(source)
    if not ledgers:
        typer.echo(f"{source}: there is no ledger in it; give a data directory or a ledger directory", err=True)
        raise typer.Exit(2)
    failed = False
    for directory in ledgers:
        copy = target / directory.relative_to(source)
        try:
            done = back_up(directory, copy)
        except (LedgerError, OSError) as error:
            typer.echo(f"{directory}: {error}", err=True)
            failed = True
            continue
        if as_json:
            typer.echo(json.dumps({"ledger": str(directory), "copy": str(copy), **done._asdict()}))
        else:
            segments = f"{done.copied} segments copied, {done.kept} were there"
            typer.echo(f"{directory}: {done.size} entries in {copy}, {segments}, checked; root {done.root}")
    raise typer.Exit(1 if failed else 0)


def ledgers_below(source: Path) -> list[Path]:
    """The ledger directories at and below `source`."""
    return sorted(path.parent for path in source.rglob("ledger.json"))
