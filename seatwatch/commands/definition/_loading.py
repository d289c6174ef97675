"""A definition as the command line names it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from collector.ledgers import ledger_directory
from seatwatch.ledger_places import clients_in, require_data
from seatwatch.refusals import say

if TYPE_CHECKING:
    from ledger.reader import LedgerReader
    from seatwatch.config import Problem
    from sla_engine._core.contract import Contract
    from sla_engine._core.definition import Definition

_Rules = TypeVar("_Rules")


class DefinitionUnusable(Exception):
    """What was named is no preset and no file, or one that cannot be used: `problems` say where, what and the fix."""

    def __init__(self, problems: "Sequence[Problem]") -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def load(named: str) -> "Definition":
    """The preset of that name, or else the definition in that file. Raises DefinitionUnusable."""
    from sla_engine.definition_files import load_definition, load_preset, preset_names

    return load_preset(named) if named in preset_names() else _usable(named, load_definition)


def _usable(file: str, read: Callable[[Path], _Rules]) -> _Rules:
    from seatwatch.config import Problem
    from sla_engine._core.definition import DefinitionError
    from sla_engine.definition_files import preset_names

    try:
        return read(Path(file))
    except DefinitionError as error:
        problems = [Problem(f"{file}: {each.key} = {each.value!s}", each.problem, each.fix) for each in error.faults]
    except FileNotFoundError:
        problems = [Problem(file, "neither a file nor a preset", f"presets: {', '.join(preset_names())}")]
    except UnicodeDecodeError:
        problems = [Problem(file, "is not UTF-8", "save it as UTF-8")]
    except OSError as error:
        problems = [Problem(file, f"cannot be read ({error.strerror})", "name a file")]
    raise DefinitionUnusable(problems)


def load_rules(named: str) -> "Definition | Contract":
    """As `load`, or the contract in that file. Raises DefinitionUnusable."""
    from sla_engine.definition_files import is_contract, load_contract, preset_names

    is_file = named not in preset_names() and Path(named).is_file()
    return _usable(named, load_contract) if is_file and is_contract(Path(named)) else load(named)


def load_or_exit(named: str) -> "Definition":
    """As `load`; says what is wrong and exits with 2 when it cannot be used."""
    try:
        return load(named)
    except DefinitionUnusable as error:
        say(str(error))
        raise typer.Exit(2) from None


def open_ledger(data: Path, client: str) -> "LedgerReader":
    """A reader of a client's ledger; says what is wrong and exits with 2 when there is none."""
    from ledger.errors import LedgerError
    from ledger.reader import LedgerReader
    from wire.ids import is_client

    if is_client(client):
        require_data(data)
        try:
            return LedgerReader.open(ledger_directory(data, client))
        except LedgerError as error:
            say(f"--client {client}: {error}; there are: {', '.join(clients_in(data)) or 'none'}")
    else:
        say(f"--client {client}: no name of a client")
    raise typer.Exit(2)


def queues_or_exit(reader: "LedgerReader", asked: list[str] | None) -> tuple[str, ...]:
    """The queues asked for, all of them where none is; says which there are and exits with 2 when one is not known."""
    from sla_engine._core.contract import EVERY_QUEUE
    from sla_engine.replay import unknown_queues
    from wire.ids import is_name
    from wire.spelling import as_name, readable

    queues = tuple(one if one == EVERY_QUEUE or is_name(one) else as_name(one) for one in asked or (EVERY_QUEUE,))
    unknown, known = unknown_queues(reader, queues)
    if unknown:
        there_are = ", ".join(sorted(map(readable, known))) or "none"
        say(f"--queue {', '.join(sorted(unknown))}: no queue of this client; there are: {there_are}")
        raise typer.Exit(2)
    return queues


def published_or_exit(reader: "LedgerReader", option: str, named: str) -> "Definition":
    """What `named` means to this ledger; says what is wrong and exits with 2 when it cannot be used."""
    from sla_engine._core.definition import DefinitionError
    from sla_engine.definition_named import definition_named
    from sla_engine.replay import entered_rules

    try:
        return definition_named(named, entered_rules(reader)[0])
    except (DefinitionError, OSError, UnicodeDecodeError) as error:
        faults = error.faults if isinstance(error, DefinitionError) else (error,)
        for fault in faults:
            say(f"{option} {named}: {fault}")
        raise typer.Exit(2) from None
