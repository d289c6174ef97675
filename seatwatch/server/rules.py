"""A client's definition and contract as entries of its ledger: what a person configured becomes part of the record."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledger.entry import NewEntry
from seatwatch.config import ClientSection, Config, ConfigError, Problem
from sla_engine._core import contract as contracts
from sla_engine._core import definition as definitions
from sla_engine._core.contract import EVERY_QUEUE, Contract, Settlement
from sla_engine._core.definition import Definition, DefinitionError
from sla_engine.definition_files import load_contract, load_definition, load_preset, preset_names
from wire.body import Body
from wire.codec import KIND_OF, encode_body
from wire.limits import EPOCH_BYTES
from wire.organisation import ContractSigned, DefinitionPublished

SOURCE: Final = "~rules"
_CLOCK: Final = "hub"


def client_definition(client: ClientSection, base: Path) -> Definition:
    """The definition a client's section names: a preset, or a file taken from `base`. Raises ConfigError."""
    try:
        if client.definition in preset_names():
            definition = load_preset(client.definition)
        else:
            definition = load_definition(base / client.definition)
    except (DefinitionError, OSError, UnicodeDecodeError) as error:
        fix = f"name a preset ({', '.join(preset_names())}) or mend the file"
        raise ConfigError([Problem(f"client {client.id}: definition", str(error), fix)]) from None
    if client.time_zone not in {None, definition.time_zone}:
        problem = f"{client.time_zone}, but its definition {definition.name} is in {definition.time_zone}"
        fix = f'state time_zone = "{client.time_zone}" in a definition file of the client\'s own, or leave it out here'
        raise ConfigError([Problem(f"client {client.id}: time_zone", problem, fix)])
    return definition


def client_contract(client: ClientSection, definition: Definition, base: Path) -> Contract:
    """The contract of a client: the file its section names, or one over all its queues without a target.

    Raises ConfigError when the file cannot be used or is another client's or definition's.
    """
    if client.contract is None:
        return Contract(
            name=f"{client.id}-standard",
            client=client.id,
            title=client.name,
            effective_from=definition.effective_from,
            effective_until=None,
            queues=(EVERY_QUEUE,),
            definitions=(definition.name,),
            settlement=Settlement.MONTH,
            running_in_until=None,
            attainment_target_bp=None,
        )
    where = f"client {client.id}: contract"
    try:
        contract = load_contract(base / client.contract)
    except (DefinitionError, OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(where, str(error), "mend the file; docs/operate/configure.md shows one")]) from None
    if contract.client != client.id or definition.name not in contract.definitions:
        problem = f"is of client {contract.client} under {', '.join(contract.definitions)}"
        fix = f'state client = "{client.id}" and definitions = ["{definition.name}"] in it'
        raise ConfigError([Problem(where, problem, fix)])
    return contract


def check_definitions(config: Config, base: Path) -> None:
    """Read definition and contract of every client. Raises ConfigError with every problem found."""
    problems: list[Problem] = []
    for client in config.client:
        try:
            client_contract(client, client_definition(client, base), base)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)


def client_rules(client: ClientSection, base: Path) -> list[NewEntry]:
    """The entries that put a client's definition and contract into its ledger; the same ones for the same content."""
    definition = client_definition(client, base)
    contract = client_contract(client, definition, base)
    return list(_entries(definition, contract))


def _entries(definition: Definition, contract: Contract) -> Iterator[NewEntry]:
    head = (definition.effective_from, 1, _CLOCK, None, True, "")
    document = definitions.canonical(definition)
    yield _entry(DefinitionPublished(*head, definition.name, definition.version, definition.effective_from, document))
    yield _entry(ContractSigned(*head, contract.name, contract.effective_from, contracts.canonical(contract)))


def _entry(body: Body) -> NewEntry:
    kind, kind_version = KIND_OF[type(body)]
    data = encode_body(body)
    return NewEntry(SOURCE, hashlib.sha256(data).digest()[:EPOCH_BYTES], 1, kind, kind_version, data)
