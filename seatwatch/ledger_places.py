"""Where a command looks for ledgers: what is wrong with the directory that was named, and which one to name instead."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from collector.ledgers import ledger_directory
from seatwatch.ending import refuse
from wire.ids import OPERATOR

_OF_A_LEDGER: Final = re.compile(r"ledger\.json|checkpoints|\d{8}\.sqlite.*")
_ASK_OTHERWISE: Final = "ask as the user of the server, or of a copy"
_CLOSED: Final = "not readable for this user"
_LEDGERS: Final = "operator and clients/<client>"
_NAME_DATA: Final = "name the data directory of `seatwatch up` with --data"


def require_directory(data: Path, instead: str = _NAME_DATA) -> None:
    """End with 2 and what to do `instead`, unless `data` is a directory that this user may read."""
    if fault := _fault(data):
        refuse(f"{data}: {fault}; {_ASK_OTHERWISE if fault == _CLOSED else instead}")


def require_data(data: Path) -> None:
    """As `require_directory`, and unless there are ledgers below it, as the server makes them."""
    require_directory(data)
    if not ledger_directory(data, OPERATOR).is_dir() and not clients_in(data):
        refuse(f"{data}: no ledger is in it; {_NAME_DATA}")


def clients_in(data: Path) -> list[str]:
    """The clients that have a folder below a data directory."""
    folder = data / "clients"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def require_ledger(directory: Path, command: str) -> None:
    """End with 2 and what to do instead, unless there is a ledger or what is left of one, and this user may read it.

    command: what is asked of it, such as "fsck".
    """
    if fault := _fault(directory):
        way_out = _ASK_OTHERWISE if fault == _CLOSED else f"name a ledger of a data directory: {_LEDGERS}"
        refuse(f"{directory}: {fault}; {way_out}")
    if any(_OF_A_LEDGER.fullmatch(path.name) for path in directory.iterdir()):
        if unreadable := list(_unreadable(directory)):
            refuse("\n".join(f"{problem}; nothing was checked: {_ASK_OTHERWISE}" for problem in unreadable))
        return
    near = [directory.parent / "ledger.json", *directory.glob("*/ledger.json"), *directory.glob("*/*/ledger.json")]
    instead = [f"\n  seatwatch {command} {path.parent}" for path in sorted(near) if path.exists()]
    refuse(f"{directory}: no ledger here. In a data directory they are {_LEDGERS}.{''.join(instead)}")


def _fault(directory: Path) -> str:
    try:
        if not directory.exists():
            return "no such directory"
    except OSError:  # a folder above it is closed to this user
        return _CLOSED
    if not directory.is_dir():
        return "a file, no directory"
    return "" if os.access(directory, os.R_OK | os.X_OK) else _CLOSED


def _unreadable(directory: Path) -> Iterator[str]:
    """What this user may not read, which says nothing of whether it is damaged."""
    notes = directory / "checkpoints"
    folders = [notes] if notes.is_dir() else []
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            yield f"{folder}: {_CLOSED}"
            return
    for path in sorted([*directory.iterdir(), *(path for folder in folders for path in folder.iterdir())]):
        if path.is_file() and path.name != "lock" and not os.access(path, os.R_OK):
            yield f"{path}: {_CLOSED}"
        index = path.with_name(path.name.replace("-wal", "-shm"))
        needs_index = path.name.endswith("-wal") and path.stat().st_size > 0 and not index.exists()
        if needs_index and not os.access(directory, os.W_OK):
            yield f"{path}: SQLite makes an index of it first, and this user may not write there"
