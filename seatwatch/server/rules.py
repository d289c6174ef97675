"""A client's definitions and contract as entries of its ledger: what a person configured becomes part of the record."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger.entry import NewEntry
from seatwatch.config import ClientSection, Config, ConfigError, Problem
from sla_engine._core import contract as contracts
from sla_engine._core import definition as definitions
from sla_engine._core.contract import EVERY_QUEUE, Contract, Settlement
from sla_engine._core.definition import Definition, DefinitionError
from sla_engine.definition_files import load_contract, load_definition, load_preset, preset_names, preset_versions
from wire.body import Body
from wire.codec import KIND_OF, encode_body
from wire.limits import EPOCH_BYTES
from wire.organisation import ContractSigned, DefinitionPublished

SOURCE: Final = "~rules"
_CLOCK: Final = "hub"


def client_definition(client: ClientSection, base: Path) -> Definition:
    """The definition a client's section names: a preset, or a file taken from `base`. Raises ConfigError."""
    definition = _load(client, "definition", client.definition, base)
    if client.time_zone not in {None, definition.time_zone}:
        problem = f"{client.time_zone}, but its definition {definition.name} is in {definition.time_zone}"
        fix = f'state time_zone = "{client.time_zone}" in a definition file of the client\'s own, or leave it out here'
        raise ConfigError([Problem(f"client {client.id}: time_zone", problem, fix)])
    return definition


def further_definitions(client: ClientSection, base: Path) -> list[Definition]:
    """The other definitions of a client's section, in its order. Raises ConfigError."""
    return [_load(client, "further_definitions", name, base) for name in client.further_definitions]


def _load(client: ClientSection, key: str, name: str, base: Path) -> Definition:
    try:
        return load_preset(name) if name in preset_names() else load_definition(base / name)
    except (DefinitionError, OSError, UnicodeDecodeError) as error:
        fix = f"name a preset ({', '.join(preset_names())}) or mend the file"
        raise ConfigError([Problem(f"client {client.id}: {key}", str(error), fix)]) from None


def client_contract(client: ClientSection, stated: Sequence[Definition], base: Path) -> Contract:
    """The contract of a client: the file its section names, or one over all its queues without a target.

    stated: what its section states, the definition of its promise first. Raises ConfigError when the file cannot be
    used or is another client's or definition's.
    """
    definition = stated[0]
    if client.contract is None:
        return Contract(
            name=f"{client.id}-standard",
            client=client.id,
            title=client.name,
            effective_from=definition.effective_from,
            effective_until=None,
            queues=(EVERY_QUEUE,),
            definitions=tuple(dict.fromkeys(each.name for each in stated)),
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


def client_definitions(client: ClientSection, base: Path) -> tuple[list[Definition], Contract]:
    """Every definition a client is judged by, the one of its promise first, and its contract. Raises ConfigError.

    A name that the contract states and the section does not is that of a preset, in all its versions.
    """
    stated = [client_definition(client, base), *further_definitions(client, base)]
    contract = client_contract(client, stated, base)
    where = f"client {client.id}: contract"
    for name in contract.definitions:
        if all(each.name != name for each in stated):
            versions = preset_versions(name)
            if not versions:
                problem = f"names the definition {name}, which is neither a preset nor stated"
                raise ConfigError([Problem(where, problem, "add its file to further_definitions of the client")])
            stated += versions
    try:
        for primary in stated:
            if primary.name == contract.definitions[0]:
                contracts.check_against(contract, primary)
    except DefinitionError as error:
        raise ConfigError([Problem(where, str(error), "mend the file")]) from None
    return stated, contract


def check_definitions(config: Config, base: Path) -> None:
    """Read definition and contract of every client. Raises ConfigError with every problem found."""
    problems: list[Problem] = []
    for client in config.client:
        try:
            client_definitions(client, base)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)


def client_rules(client: ClientSection, base: Path) -> list[NewEntry]:
    """The entries that put a client's rules into its ledger; the same ones for the same content. Raises ConfigError."""
    stated, contract = client_definitions(client, base)
    entries = [_entry(_published(definition)) for definition in stated]
    document = contracts.canonical(contract)
    signed = ContractSigned(*_head(stated[0]), contract.name, contract.effective_from, document)
    return [*entries, _entry(signed)]


def _published(definition: Definition) -> DefinitionPublished:
    document = definitions.canonical(definition)
    head = _head(definition)
    return DefinitionPublished(*head, definition.name, definition.version, definition.effective_from, document)


def _head(definition: Definition) -> tuple[int, int, str, None, bool, str]:
    return definition.effective_from, 1, _CLOCK, None, True, ""


def _entry(body: Body) -> NewEntry:
    kind, kind_version = KIND_OF[type(body)]
    data = encode_body(body)
    return NewEntry(SOURCE, hashlib.sha256(data).digest()[:EPOCH_BYTES], 1, kind, kind_version, data)
