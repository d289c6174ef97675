"""The definition and the contract the simulated client is judged by, as entries of its ledger."""

from functools import cache
from typing import Final

from ledger.entry import NewEntry
from sla_engine._core.contract import Contract, Settlement
from sla_engine._core.contract import canonical as canonical_contract
from sla_engine._core.definition import canonical as canonical_definition
from sla_engine.definition_files import load_preset, preset_names
from tests.sim.workload import said
from wire.organisation import ContractSigned, DefinitionPublished

EFFECTIVE_FROM: Final = 1_700_000_000_000
RULES_EPOCH: Final = b"rules-of-the-sim"
RULES_SOURCE: Final = "~rules"


@cache
def rules(client: str) -> tuple[NewEntry, ...]:
    """A definition and a contract over every queue, always the same."""
    definition = load_preset(preset_names()[0])
    contract = Contract(
        name="contract-1",
        client=client,
        title="simulated",
        effective_from=EFFECTIVE_FROM,
        effective_until=None,
        queues=("*",),
        definitions=(definition.name,),
        settlement=Settlement.MONTH,
        running_in_until=None,
        attainment_target_bp=None,
    )
    head = (EFFECTIVE_FROM, 1, "hub", None, True, "")
    published = DefinitionPublished(
        *head, definition.name, definition.version, EFFECTIVE_FROM, canonical_definition(definition)
    )
    signed = ContractSigned(*head, contract.name, EFFECTIVE_FROM, canonical_contract(contract))
    return tuple(
        NewEntry(RULES_SOURCE, RULES_EPOCH, ordinal, *said(body)) for ordinal, body in enumerate((published, signed), 1)
    )
