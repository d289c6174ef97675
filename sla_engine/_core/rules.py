"""Which definitions judge a session: the contracts and definitions entered so far, looked up by queue and start."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.choices import (
    AnsweredOutOfHours,
    ClockDomains,
    ClockStart,
    Credit,
    NeverAnswered,
    OnTransfer,
    Outbound,
    OutOfHours,
    RepeatedTurns,
    TurnEnds,
    Unit,
)
from sla_engine._core.clocks import Clock
from sla_engine._core.contract import EVERY_QUEUE, Contract, decode_contract
from sla_engine._core.conversation import Signal
from sla_engine._core.definition import Definition, decode_definition, label_of
from wire.conversation import Author, Form

NO_SLOT: Final = -1
# Format: numbers of the semantics, docs/reference/definitions.md.
SECOND_SEMANTICS: Final = 2
"""From this one on E11 and E13 judge turns, too, and E11 asks the wait itself whether it kept the limit."""


AUTHOR_BIT: Final[Mapping[Author, int]] = {author: bit for bit, author in enumerate(Author)}
FORM_BIT: Final[Mapping[Form, int]] = {form: bit for bit, form in enumerate(Form)}
"""Members of an enum as bit numbers.

A definition's set of them is one int. New members are appended, so a bit keeps its meaning in every snapshot.
"""


class RulesState(msgspec.Struct):
    """What was entered, in order of entry.

    The part of the rules that a snapshot keeps. A slot is a place in `definitions`. order: with each entry, how many of
    all entries so far were definitions; entered: its index in the ledger, and when it came in (ms).
    """

    definitions: list[Definition] = []
    contracts: list[Contract] = []
    order: list[int] = []
    entered: list[tuple[int, int]] = []


BEFORE_ALL: Final = (-1, 0)
"""Where something was entered that was known before anything that is asked about."""


def state_of(definitions: Iterable[Definition], contracts: Iterable[Contract]) -> RulesState:
    """The state of rules all of which were known before anything that is asked about."""
    defined, signed = list(definitions), list(contracts)
    order = [*range(1, len(defined) + 1), *[len(defined)] * len(signed)]
    return RulesState(defined, signed, order, [BEFORE_ALL] * len(order))


_TO_PERSON: Final = 1 << Signal.ASSIGNED | 1 << Signal.ACCEPTED | 1 << Signal.HANDED_OVER
_CLOCK_SIGNALS: Final[Mapping[ClockStart, int]] = {
    ClockStart.ARRIVAL: 0,
    ClockStart.QUEUED: 1 << Signal.QUEUED | _TO_PERSON,
    ClockStart.ASSIGNED: _TO_PERSON,
}
"""Signals that start the clock, as bits; none = arrival does. Who is handed straight to a person enters no queue."""


class Rule:
    """A definition, ready for the fold: its choices as flags and masks.

    follow_limit_ms: of turns after the first, None = no limit, and 0 = the one of the session.
    """

    __slots__ = (
        "abandons",
        "announce_within_ms",
        "clock",
        "clock_signals",
        "closing_mask",
        "credits_assignee",
        "cuts",
        "definition",
        "drops_unanswered",
        "estimates",
        "follow_limit_ms",
        "gap_ms",
        "if_inside",
        "inbound_mask",
        "judges_outbound",
        "label",
        "last_message_counts",
        "moves",
        "new_turn_per_account",
        "nobody_online",
        "plain",
        "reply_mask",
        "restarts",
        "second_semantics",
        "short_abandon_ms",
        "simple_turns",
        "turns_outlive",
        "zero_outside",
    )

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.label = label_of(definition)
        self.clock = Clock(definition)
        self.clock_signals = _CLOCK_SIGNALS[definition.clock_start]
        self.reply_mask = sum(1 << AUTHOR_BIT[author] for author in set(definition.valid_reply))
        self.inbound_mask = sum(1 << FORM_BIT[form] for form in set(definition.inbound_forms) - {Form.CLOSING})
        if Form.TEXT in definition.inbound_forms:
            self.inbound_mask |= 1 << FORM_BIT[Form.CLOSING]
        phrases = definition.turn_ends is TurnEnds.CLOSING_PHRASE
        self.closing_mask = 1 << FORM_BIT[Form.CLOSING] if phrases else 0
        self.turns_outlive = definition.turn_ends is TurnEnds.NEVER
        self.credits_assignee = definition.credit is Credit.ASSIGNEE
        self.restarts = definition.on_transfer is OnTransfer.CLOCK_RESTARTS
        self.new_turn_per_account = definition.on_transfer is OnTransfer.NEW_TURN_PER_ACCOUNT
        self.moves = bool(self.clock_signals) or self.restarts
        self.last_message_counts = definition.repeated_turns is RepeatedTurns.LAST
        self.if_inside = definition.out_of_hours is OutOfHours.COUNTS_IF_ANSWERED_INSIDE
        self.cuts = self.clock.cuts
        self.zero_outside = definition.answered_out_of_hours is AnsweredOutOfHours.ZERO
        self.drops_unanswered = definition.never_answered is NeverAnswered.DROPPED
        self.abandons = definition.left_before_target
        self.nobody_online = definition.nobody_online
        self.judges_outbound = definition.outbound is Outbound.COUNTS
        self.second_semantics = definition.semantics >= SECOND_SEMANTICS
        self.estimates = definition.clock_domains is ClockDomains.ESTIMATED_OFFSET
        # what is plain needs no more than a subtraction and a comparison
        self.plain = not (
            self.clock.pauses
            or self.clock.special_limits
            or self.clock.below
            or self.clock.at_opening
            or self.if_inside
            or self.zero_outside
            or self.estimates
        )
        self.simple_turns = not (self.clock.at_opening or self.cuts or phrases)
        follow_ms = definition.next_response_limit_ms
        self.follow_limit_ms = 0 if follow_ms is None and definition.unit is not Unit.SESSION else follow_ms
        self.gap_ms = definition.gap_to_new_session_ms
        self.short_abandon_ms = definition.short_abandon_ms
        self.announce_within_ms = definition.announce_within_ms


class Rules:
    """Answers from the state, remembered until something new is entered.

    known: how many entries count for a session that opens now: all of them, unless a reader of the past sets it back.
    any_cuts, any_estimates, any_moves, any_new_turns, any_outlives: whether some definition needs to be asked about
    these at all.
    """

    def __init__(self, state: RulesState) -> None:
        self.state = state
        self.rules: list[Rule] = []
        self.known = len(state.order)
        self._found: dict[tuple[str, int], _Timeline] = {}
        self.allowance_ms = self.grace_ms = 0
        self.any_cuts = self.any_estimates = self.any_moves = False
        self.any_new_turns = self.any_outlives = False
        for definition in state.definitions:
            self._add(definition)

    def publish(self, document: bytes, entered: tuple[int, int] = BEFORE_ALL) -> None:
        """Enter a definition at (index, ms). Raises DefinitionError; the same one again changes nothing."""
        definition = decode_definition(document)
        if definition not in self.state.definitions:
            self.state.definitions.append(definition)
            self._add(definition)
            self._enter(entered)

    def sign(self, document: bytes, entered: tuple[int, int] = BEFORE_ALL) -> None:
        """Enter a contract at (index, ms). Raises DefinitionError; the same one again changes nothing."""
        contract = decode_contract(document)
        if contract not in self.state.contracts:
            self.state.contracts.append(contract)
            self._enter(entered)

    def slots(self, queue: str, at: int, known: int | None = None) -> tuple[int, ...]:
        """Slots of the definitions in force for a session that starts on `queue` at `at`, the primary one first.

        None for a queue that is not known (yet), even where a contract covers every queue. known: how many entries
        count, where that is not `self.known`.
        """
        return self._in_force(queue, at, self.known if known is None else known).slots if queue else ()

    def warnings(self, queue: str, at: int, known: int) -> tuple[int, ...]:
        """When a session that starts on `queue` at `at` is warned: ms after its clock starts, ascending."""
        return self._in_force(queue, at, known).warnings

    def contracts(self, queue: str, at: int, known: int | None = None) -> tuple[Contract, ...]:
        """Contracts in force for `queue` at `at`, in the order of their first entry."""
        newest: dict[str, Contract] = {}
        _, entered = self._entered(self.known if known is None else known)
        for contract in entered:
            if contract.effective_from <= at:
                held = newest.get(contract.name)
                if held is None or contract.effective_from >= held.effective_from:
                    newest[contract.name] = contract
        return tuple(c for c in newest.values() if c.in_force(at) and c.covers(queue))

    def _add(self, definition: Definition) -> None:
        rule = Rule(definition)
        self.rules.append(rule)
        self.allowance_ms = max(self.allowance_ms, definition.lateness_allowance_ms)
        self.grace_ms = max(self.grace_ms, definition.grace_ms)
        self.any_cuts = self.any_cuts or rule.cuts
        self.any_estimates = self.any_estimates or rule.estimates
        self.any_moves = self.any_moves or rule.moves
        self.any_outlives = self.any_outlives or rule.turns_outlive
        self.any_new_turns = self.any_new_turns or rule.new_turn_per_account

    def known_to(self, session: int, at: int) -> int:
        """How many entries a session knew that opened at `at`; its conversation was first heard of by `session`.

        What had come in before it opened, by its number or by the hub's clock: a conversation may go on for days.
        """
        for known in range(len(self.state.entered), 0, -1):
            index, received_at = self.state.entered[known - 1]
            if index <= session or received_at <= at:
                return known
        return 0

    def _enter(self, entered: tuple[int, int]) -> None:
        self.state.entered.append(entered)
        self.state.order.append(len(self.state.definitions))
        self.known = len(self.state.order)
        self._found.clear()

    def _entered(self, known: int) -> tuple[list[Definition], list[Contract]]:
        """The first `known` entries. A definition keeps its slot."""
        first = self.state.order[known - 1] if known else 0
        return self.state.definitions[:first], self.state.contracts[: known - first]

    def _in_force(self, queue: str, at: int, known: int) -> "_InForce":
        timeline = self._found.get((queue, known))
        if timeline is None:
            timeline = self._found[queue, known] = self._timeline(queue, known)
        for in_force in timeline:
            if in_force.since <= at:
                return in_force
        return _NOTHING

    def _timeline(self, queue: str, known: int) -> "_Timeline":
        """Newest first: from which instant on what applies to `queue`, by the first `known` entries."""
        definitions, contracts = self._entered(known)
        starts = {d.effective_from for d in definitions}
        for contract in contracts:
            starts.add(contract.effective_from)
            if contract.effective_until is not None:
                starts.add(contract.effective_until)
        return [self._at(queue, start, known) for start in sorted(starts, reverse=True)]

    def _at(self, queue: str, at: int, known: int) -> "_InForce":
        definitions, _ = self._entered(known)
        contracts = self.contracts(queue, at, known)
        names = dict.fromkeys(name for contract in contracts for name in contract.definitions)
        found = (_slot_of(definitions, name, at) for name in names)
        slots = tuple(slot for slot in found if slot != NO_SLOT)
        usual = (self.state.definitions[slots[0]].warning_after_ms,) if slots else ()
        return _InForce(at, slots, _warnings(contracts, queue) or usual)


class _InForce(NamedTuple):
    """From `since` (ms) on: the slots that apply, and when the primary one's sessions are warned."""

    since: int
    slots: tuple[int, ...]
    warnings: tuple[int, ...]


_Timeline = list[_InForce]
_NOTHING: Final = _InForce(0, (), ())


def _slot_of(definitions: list[Definition], name: str, at: int) -> int:
    """The version in force: the latest effective_from, then the highest version, then the last entered."""
    best = NO_SLOT
    best_key = (-1, -1)
    for slot, definition in enumerate(definitions):
        key = (definition.effective_from, definition.version)
        if definition.name == name and definition.effective_from <= at and key >= best_key:
            best, best_key = slot, key
    return best


def _warnings(contracts: tuple[Contract, ...], queue: str) -> tuple[int, ...]:
    """What the first contract that names the queue says, before what one says of every queue."""
    for name in (queue, EVERY_QUEUE):
        for contract in contracts:
            for stated in contract.warnings:
                if stated.queue == name:
                    return stated.after_ms
    return ()
