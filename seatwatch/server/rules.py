"""A client's definitions and contract as entries of its ledger: what a person configured becomes part of the record."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
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
    return [
        _load(client, f"further_definitions[{place}]", name, base)
        for place, name in enumerate(client.further_definitions)
    ]


def _load(client: ClientSection, key: str, name: str, base: Path) -> Definition:
    try:
        return load_preset(name) if name in preset_names() else load_definition(base / name)
    except (DefinitionError, OSError, UnicodeDecodeError) as error:
        fix = f"name a preset ({', '.join(preset_names())}) or mend the file"
        raise _unusable(f"client {client.id}: {key}", name, error, fix) from None


def _unusable(where: str, file: str, error: Exception, fix: str) -> ConfigError:
    """Every fault of a file that cannot be used. fix: where the fault says none itself."""
    if isinstance(error, DefinitionError):
        faults = error.faults
        return ConfigError([Problem(where, f"{file}: {it.key} = {it.value!s}: {it.problem}", it.fix) for it in faults])
    return ConfigError([Problem(where, f"{file}: {_why(error)}", fix)])


def _why(error: Exception) -> str:
    return f"cannot be read ({error.strerror})" if isinstance(error, OSError) else "is not UTF-8"


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
    contract = _contract_file(client, client.contract, base)
    if contract.client != client.id or definition.name not in contract.definitions:
        problem = f"is of client {contract.client} under {', '.join(contract.definitions)}"
        fix = f'state client = "{client.id}" and definitions = ["{definition.name}"] in it'
        raise ConfigError([Problem(f"client {client.id}: contract", problem, fix)])
    return contract


def _contract_file(client: ClientSection, name: str, base: Path) -> Contract:
    try:
        return load_contract(base / name)
    except (DefinitionError, OSError, UnicodeDecodeError) as error:
        fix = "mend the file; docs/operate/configure.md shows one"
        raise _unusable(f"client {client.id}: contract", name, error, fix) from None


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
        raise _unusable(where, client.contract or contract.name, error, "mend the file") from None
    return stated, contract


def check_definitions(config: Config, base: Path) -> None:
    """Read definitions and contract of every client. Raises ConfigError with every problem found, by its full place."""
    problems: list[Problem] = []
    for place, client in enumerate(config.client):
        for found in _client_problems(client, base):
            key = found.key.replace(f"client {client.id}: ", f"client[{place}].", 1)
            if (known := Problem(key, found.problem, found.fix)) not in problems:
                problems.append(known)
    if problems:
        raise ConfigError(problems)


def _client_problems(client: ClientSection, base: Path) -> Iterator[Problem]:
    """A file that cannot be used hides no other; how they go together is seen when all can be."""
    files: list[Callable[[], object]] = [partial(client_definition, client, base)]
    for place, name in enumerate(client.further_definitions):
        files.append(partial(_load, client, f"further_definitions[{place}]", name, base))
    if client.contract is not None:
        files.append(partial(_contract_file, client, client.contract, base))
    alone = [problem for read in files for problem in _problems_of(read)]
    yield from alone or _problems_of(partial(client_definitions, client, base))


def _problems_of(read: Callable[[], object]) -> Sequence[Problem]:
    try:
        read()
    except ConfigError as error:
        return error.problems
    return ()


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
