"""`seatwatch fsck`: checks a ledger with code that shares nothing with what wrote it."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from seatwatch.clock import now_ms
from seatwatch.settings import load_defaults

if TYPE_CHECKING:
    from ledger.fsck_report import Report

EXAMPLES = """
Examples:

  seatwatch fsck DATA/clients/acme                     check one ledger

  seatwatch fsck --json DATA/operator                  the findings for a program

  seatwatch fsck --vkey-file acme.vkey DATA/clients/acme   hold checkpoints to the key you were handed

  seatwatch fsck --note kept.note DATA/clients/acme    hold the ledger to a checkpoint you kept
"""
_OF_A_LEDGER: Final = re.compile(r"ledger\.json|checkpoints|\d{8}\.sqlite.*")
# Format: exit codes that docs/reference/ledger.md promises.
SOUND, DAMAGED, ASKED_WRONGLY, UNPROVEN = 0, 1, 2, 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fsck", epilog=EXAMPLES)(fsck)


def fsck(
    directory: Annotated[Path, typer.Argument(help="a ledger directory", exists=True, file_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    vkey_file: Annotated[
        Path | None,
        typer.Option(help="verifier keys, a line each, for checkpoints", exists=True, dir_okay=False),
    ] = None,
    note: Annotated[
        list[Path] | None,
        typer.Option(help="a checkpoint kept elsewhere; as often as needed", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Rehash every entry and compare everything a ledger says about itself.

    Exit 0 when sound, 1 when damaged, 2 when there is no ledger, 3 when nothing is wrong but no checkpoint shows it.
    """
    from ledger.fsck import check
    from ledger.fsck_report import Signing

    _require_ledger(directory)
    defaults = load_defaults()
    vkeys = [] if vkey_file is None else [line for line in vkey_file.read_text(encoding="utf-8").splitlines() if line]
    report = check(
        directory,
        vkeys,
        defaults.int("ledger.fsck_problems_max"),
        notes=note or (),
        signing=Signing(now_ms(), defaults.ms("ledger.checkpoint_interval")),
    )
    if as_json:
        fields = {name: value for name, value in asdict(report).items() if name != "problems_max"}
        typer.echo(json.dumps({"sound": report.is_sound and not report.unproven, **fields}, indent=1))
    else:
        _tell(report)
    raise typer.Exit(UNPROVEN if report.is_sound and report.unproven else SOUND if report.is_sound else DAMAGED)


def _require_ledger(directory: Path) -> None:
    """Exit 2 with what to do instead, unless there is a ledger or what is left of one, and this user may read it."""
    if any(_OF_A_LEDGER.fullmatch(path.name) for path in directory.iterdir()):
        unreadable = list(_unreadable(directory))
        for problem in unreadable:
            typer.echo(f"{problem}; nothing was checked: ask as the user of the server, or of a copy", err=True)
        if unreadable:
            raise typer.Exit(ASKED_WRONGLY)
        return
    near = [directory.parent / "ledger.json", *directory.glob("*/ledger.json"), *directory.glob("*/*/ledger.json")]
    ledgers = sorted(path.parent for path in near if path.exists())
    typer.echo(f"{directory}: no ledger here. In a data directory they are operator and clients/<client>.", err=True)
    for ledger in ledgers:
        typer.echo(f"  seatwatch fsck {ledger}", err=True)
    raise typer.Exit(ASKED_WRONGLY)


def _unreadable(directory: Path) -> Iterator[str]:
    """What this user may not read, which says nothing of whether it is damaged."""
    notes = directory / "checkpoints"
    folders = [notes] if notes.is_dir() else []
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            yield f"{folder}: not readable for this user"
            return
    for path in sorted([*directory.iterdir(), *(path for folder in folders for path in folder.iterdir())]):
        if path.is_file() and path.name != "lock" and not os.access(path, os.R_OK):
            yield f"{path}: not readable for this user"
        index = path.with_name(path.name.replace("-wal", "-shm"))
        needs_index = path.name.endswith("-wal") and path.stat().st_size > 0 and not index.exists()
        if needs_index and not os.access(directory, os.W_OK):
            yield f"{path}: SQLite makes an index of it first, and this user may not write there"


def _tell(report: "Report") -> None:
    for problem in report.problems:
        entry = "" if problem.index is None else f" [entry {problem.index}]"
        typer.echo(f"{problem.where}: {problem.what}{entry}")
    purged = f", {report.purged} of them purged" if report.purged else ""
    checked = f"{report.size} entries in {report.segments} segments{purged}, {report.checkpoints} checkpoints"
    state = "sound" if report.is_sound else f"DAMAGED, {len(report.problems)} findings"
    if report.is_sound and report.unproven:
        state = f"UNPROVEN: {report.unproven}"
    typer.echo(f"{report.directory}: {state}. {checked}, root {report.root}")
