"""Which definitions apply where and when: the contracts of a whole ledger, looked through anew for every question."""

from collections.abc import Sequence

from sla_engine._core.contract import EVERY_QUEUE, Contract, decode_contract
from wire.organisation import ContractSigned
from wire.recorded import Recorded


class Contracts:
    """In order of entry."""

    def __init__(self, entries: Sequence[Recorded]) -> None:
        self._signed = [
            (entry.index, decode_contract(entry.body.document))
            for entry in entries
            if isinstance(entry.body, ContractSigned)
        ]

    def names(self, queue: str, at: int, heard: int) -> list[str]:
        """Definitions for a session that starts on `queue` at `at` and was heard of with entry `heard`."""
        newest: dict[str, Contract] = {}
        for index, contract in self._signed:
            held = newest.get(contract.name, contract)
            if index < heard and contract.effective_from <= at and contract.effective_from >= held.effective_from:
                newest[contract.name] = contract
        running = [one for one in newest.values() if one.effective_until is None or at < one.effective_until]
        covering = [one for one in running if queue in one.queues or EVERY_QUEUE in one.queues]
        return list(dict.fromkeys(name for one in covering for name in one.definitions))
