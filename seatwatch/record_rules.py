"""What the record itself says about its clients: what they are called, and in which time zone their days run."""

from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from collector.ledgers import ledger_directory
from ledger.errors import LedgerMissing
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.server.rules import SOURCE
from sla_engine._core.contract import Contract, decode_contract
from sla_engine._core.definition import Definition, DefinitionError, decode_definition
from sla_engine.board_at import CLIENTS
from wire.organisation import ContractSigned, DefinitionPublished

_Dated = TypeVar("_Dated", Contract, Definition)


class ClientRules(NamedTuple):
    """title: the client's name as its contract has it, "" where it has none. time_zone: of its primary definition."""

    title: str
    time_zone: str


def rules_in_force(data: Path, at: int, clients: Collection[str] | None = None) -> dict[str, ClientRules]:
    """By client, what its contract and definition in force at `at` (ms) say; clients without either are left out.

    Before the first of them, that one counts. clients: whom to look up, None = everybody below `data`. LedgerCorrupt.
    """
    found = {client: _rules(ledger_directory(data, client), at) for client in _there(data, clients)}
    return {client: rules for client, rules in found.items() if rules is not None}


def record_ends(data: Path, clients: Collection[str] | None = None) -> dict[str, int]:
    """By client, when the last entry of its ledger came in (ms): of what happened later nothing is on record.

    Clients without entries are left out. clients: as above. LedgerCorrupt.
    """
    ends: dict[str, int] = {}
    for client in _there(data, clients):
        with suppress(LedgerMissing), closing(LedgerReader.open(ledger_directory(data, client))) as reader:
            if reader.size():
                ends[client] = reader.received_at(reader.size() - 1)
    return ends


def _there(data: Path, clients: Collection[str] | None) -> list[str]:
    """Those of the clients that have a folder below `data`, all of them for None."""
    folder = data / CLIENTS
    there = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return there if clients is None else [client for client in there if client in clients]


def definition_in_force(data: Path, client: str, at: int) -> Definition | None:
    """The primary definition of a client's contract in force at `at` (ms); None without either. LedgerCorrupt."""
    found = _in_force_at(ledger_directory(data, client), at)
    return None if found is None else found[1]


def definitions_from(data: Path, client: str, at: int) -> list[tuple[int, Definition]]:
    """The primary definition in force at `at` (ms) and those to come, each with the instant it begins at.

    LedgerCorrupt.
    """
    contracts, definitions = _entered(ledger_directory(data, client))
    dated = [*(each.effective_from for each in contracts), *(each.effective_from for each in definitions)]
    begins = sorted({at, *(since for since in dated if since > at)})
    found = [(since, _chosen(contracts, definitions, since)) for since in begins]
    return [(since, chosen[1]) for since, chosen in found if chosen is not None]


def _rules(directory: Path, at: int) -> ClientRules | None:
    found = _in_force_at(directory, at)
    return None if found is None else ClientRules(found[0].title, found[1].time_zone)


def _in_force_at(directory: Path, at: int) -> tuple[Contract, Definition] | None:
    return _chosen(*_entered(directory), at)


def _entered(directory: Path) -> tuple[list[Contract], list[Definition]]:
    """Every contract and every definition of a ledger; nothing where there is none."""
    contracts: list[Contract] = []
    definitions: list[Definition] = []
    try:
        reader = LedgerReader.open(directory)
    except LedgerMissing:
        return contracts, definitions
    try:
        for stored in reader.of_source(SOURCE):
            body = recorded(stored).body
            try:
                if isinstance(body, ContractSigned):
                    contracts.append(decode_contract(body.document))
                elif isinstance(body, DefinitionPublished):
                    definitions.append(decode_definition(body.document))
            except DefinitionError:
                continue  # the engine judges nothing by it either
    finally:
        reader.close()
    return contracts, definitions


def _chosen(contracts: list[Contract], definitions: list[Definition], at: int) -> tuple[Contract, Definition] | None:
    contract = _in_force(contracts, at)
    if contract is None:
        return None
    definition = _in_force([found for found in definitions if found.name == contract.definitions[0]], at)
    return None if definition is None else (contract, definition)


def _in_force(found: list[_Dated], at: int) -> _Dated | None:
    """The newest that holds at `at`; of two from the same instant, the one written later."""
    ordered = sorted(found, key=lambda each: each.effective_from)
    holding = [each for each in ordered if each.effective_from <= at]
    return holding[-1] if holding else next(iter(ordered), None)
