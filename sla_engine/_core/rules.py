"""Which definitions judge a session: the contracts and definitions entered so far, looked up by queue and start."""

from collections.abc import Mapping
from typing import Final

import msgspec

from sla_engine._core.calendar import Calendar
from sla_engine._core.contract import Contract, decode_contract
from sla_engine._core.definition import Definition, decode_definition, label_of
from wire.conversation import Author, Form

NO_SLOT: Final = -1


AUTHOR_BIT: Final[Mapping[Author, int]] = {author: bit for bit, author in enumerate(Author)}
FORM_BIT: Final[Mapping[Form, int]] = {form: bit for bit, form in enumerate(Form)}
"""Members of an enum as bit numbers.

A definition's set of them is one int. New members are appended, so a bit keeps its meaning in every snapshot.
"""


class RulesState(msgspec.Struct):
    """What was entered, in order of entry.

    The part of the rules that a snapshot keeps. A slot is a place in `definitions`.
    """

    definitions: list[Definition] = []
    contracts: list[Contract] = []


class Rule:
    """A definition, ready for the fold."""

    __slots__ = (
        "announce_within_ms",
        "calendar",
        "definition",
        "gap_ms",
        "inbound_mask",
        "label",
        "limit_ms",
        "reply_mask",
        "short_abandon_ms",
        "warning_ms",
    )

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.label = label_of(definition)
        self.calendar = Calendar(definition)
        self.reply_mask = sum(1 << AUTHOR_BIT[author] for author in set(definition.valid_reply))
        self.inbound_mask = sum(1 << FORM_BIT[form] for form in set(definition.inbound_forms))
        self.limit_ms = definition.first_response_limit_ms
        self.warning_ms = definition.warning_after_ms
        self.gap_ms = definition.gap_to_new_session_ms
        self.short_abandon_ms = definition.short_abandon_ms
        self.announce_within_ms = definition.announce_within_ms


class NoRule:
    """Stands for a definition where none applies.

    A human reply answers, every return is a new session, nothing is judged.
    """

    reply_mask: Final = 1 << AUTHOR_BIT[Author.HUMAN]
    inbound_mask: Final = (1 << len(Form)) - 1
    gap_ms: Final = 0


NO_RULE: Final = NoRule()


class Rules:
    """Answers from the state, remembered until something new is entered."""

    def __init__(self, state: RulesState) -> None:
        self.state = state
        self.rules = [Rule(definition) for definition in state.definitions]
        self._found: dict[str, _Timeline] = {}
        self.allowance_ms = max((d.lateness_allowance_ms for d in state.definitions), default=0)
        self.grace_ms = max((d.grace_ms for d in state.definitions), default=0)

    def publish(self, document: bytes) -> None:
        """Enter a definition. Raises DefinitionError; the same one again changes nothing."""
        definition = decode_definition(document)
        if definition in self.state.definitions:
            return
        self.state.definitions.append(definition)
        self.rules.append(Rule(definition))
        self._found.clear()
        self.allowance_ms = max(self.allowance_ms, definition.lateness_allowance_ms)
        self.grace_ms = max(self.grace_ms, definition.grace_ms)

    def sign(self, document: bytes) -> None:
        """Enter a contract. Raises DefinitionError; the same one again changes nothing."""
        contract = decode_contract(document)
        if contract not in self.state.contracts:
            self.state.contracts.append(contract)
            self._found.clear()

    def slots(self, queue: str, at: int) -> tuple[int, ...]:
        """Slots of the definitions in force for a session that starts on `queue` at `at`, the primary one first.

        None for a queue that is not known (yet), even where a contract covers every queue.
        """
        if not queue:
            return ()
        timeline = self._found.get(queue)
        if timeline is None:
            timeline = self._found[queue] = self._timeline(queue)
        for start, slots in timeline:
            if start <= at:
                return slots
        return ()

    def contracts(self, queue: str, at: int) -> tuple[Contract, ...]:
        """Contracts in force for `queue` at `at`, in the order of their first entry."""
        newest: dict[str, Contract] = {}
        for contract in self.state.contracts:
            if contract.effective_from <= at:
                held = newest.get(contract.name)
                if held is None or contract.effective_from >= held.effective_from:
                    newest[contract.name] = contract
        return tuple(c for c in newest.values() if c.in_force(at) and c.covers(queue))

    def _timeline(self, queue: str) -> "_Timeline":
        """Newest first: from which instant on which slots apply to `queue`."""
        starts = {d.effective_from for d in self.state.definitions}
        for contract in self.state.contracts:
            starts.add(contract.effective_from)
            if contract.effective_until is not None:
                starts.add(contract.effective_until)
        return [(start, self._slots_at(queue, start)) for start in sorted(starts, reverse=True)]

    def _slots_at(self, queue: str, at: int) -> tuple[int, ...]:
        names = dict.fromkeys(name for contract in self.contracts(queue, at) for name in contract.definitions)
        slots = (self._slot_of(name, at) for name in names)
        return tuple(slot for slot in slots if slot != NO_SLOT)

    def _slot_of(self, name: str, at: int) -> int:
        """The version in force: the latest effective_from, then the highest version, then the last entered."""
        best = NO_SLOT
        best_key = (-1, -1)
        for slot, definition in enumerate(self.state.definitions):
            key = (definition.effective_from, definition.version)
            if definition.name == name and definition.effective_from <= at and key >= best_key:
                best, best_key = slot, key
        return best


_Timeline = list[tuple[int, tuple[int, ...]]]


def rule_of(rules: Rules, slot: int) -> Rule | NoRule:
    """The rule in `slot`, or what stands for none."""
    return rules.rules[slot] if slot >= 0 else NO_RULE
