"""Which of the facts said of one session a report counts: each session once, under one version of one definition."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sla_engine._core.choices import Redefinition
from sla_engine._core.contract import EVERY_QUEUE, Contract
from sla_engine._core.contributions import FigureRule, figure_rule
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.rules import Rules, RulesState
from wire.verdict import LegFact, ResponseFact, SessionFact


class Version(NamedTuple):
    """One version of a definition, and how facts under it are counted."""

    definition: Definition
    label: str
    rule: FigureRule


Judged = SessionFact | ResponseFact


class Choosing:
    """Answers from the rules of a ledger. asked: None = the primary definition of each session's queue."""

    def __init__(
        self,
        entered: RulesState,
        *,
        asked: Definition | None,
        alone: bool,
        queues: Sequence[str],
    ) -> None:
        """entered: what the ledger holds. alone: facts are of `asked` only, which holds over every queue asked for."""
        self.used: Final[dict[str, Version]] = {}
        """Label -> what was chosen so far."""
        self._rules: Final = Rules(entered)
        self._asked: Final = asked
        self._alone: Final = alone
        self._queues: Final = frozenset(queues)
        known = [asked] if asked is not None and alone else self._rules.state.definitions
        labelled = ((each, label_of(each)) for each in known)
        self._versions: Final = [Version(each, label, figure_rule(each, label)) for each, label in labelled]
        self._known: Final = {version.label: version for version in self._versions}
        self.longest_gap_ms: Final = max((each.gap_to_new_session_ms for each in known), default=0)
        """What comes back later than this is another session under every definition."""

    def asks_for(self, queue: str) -> bool:
        """Whether `queue` is one of those asked for."""
        return EVERY_QUEUE in self._queues or queue in self._queues

    def names(self, queue: str, at: int) -> list[str]:
        """Definitions in force for a session that starts on `queue` at `at`, those asked for alone if any are."""
        if self._asked is not None and self._alone:
            return [self._asked.name]
        found = [self._rules.state.definitions[slot].name for slot in self._rules.slots(queue, at)]
        return found if self._asked is None else [name for name in found if name == self._asked.name]

    def contracts(self, since: int, until: int) -> list[Contract]:
        """Contracts in force at some time of [since, until) for some queue asked for, the first entered first."""
        found: list[Contract] = []
        for contract in self._rules.state.contracts:
            ends = until if contract.effective_until is None else contract.effective_until
            covers = EVERY_QUEUE in self._queues or any(contract.covers(queue) for queue in self._queues)
            if covers and contract.effective_from < until and since < ends:
                found = [each for each in found if not _replaced(each, contract, since)]
                found.append(contract)
        return found

    def chosen(self, facts: Sequence[Judged]) -> Version | None:
        """The version under which a session counts. facts: the last word on all of it; None if it does not count.

        Of several versions of one definition the one in force at the start counts: it restated the others.
        """
        sessions = [fact for fact in facts if isinstance(fact, SessionFact) and not fact.void]
        first = next((fact for fact in sessions if self.asks_for(fact.queue)), None)
        version = None if first is None else self._version(first, {fact.definition for fact in sessions})
        if version is not None:
            self.used[version.label] = version
        return version

    def counts_leg(self, leg: LegFact) -> bool:
        """Whether a leg counts: it has no definition of its own, but is of a queue that some hold for."""
        return self.counts(leg.queue, leg.session_started_at)

    def counts(self, queue: str, at: int) -> bool:
        """Whether what a queue has of a session that started at `at` (ms) counts: it is asked for, and some hold."""
        return self.asks_for(queue) and bool(self.names(queue, at))

    def rule_at(self, queue: str, at: int) -> FigureRule | None:
        """How `queue` counts what it has of a session that started at `at` (ms), None where that does not count."""
        if not self.asks_for(queue):
            return None
        if self._asked is not None and self._alone:
            return self._versions[0].rule
        found = (self._versions[slot] for slot in self._rules.slots(queue, at))
        asked = None if self._asked is None else self._asked.name
        return next((each.rule for each in found if asked in {None, each.definition.name}), None)

    def any_rule(self) -> FigureRule:
        """Some rule, for what counts the same under every one. ValueError where no definition is known."""
        for version in self._known.values():
            return version.rule
        message = "nothing counts without a definition"
        raise ValueError(message)

    def _version(self, fact: SessionFact, labels: set[str]) -> Version | None:
        known = [self._known[label] for label in sorted(labels) if label in self._known]
        if self._asked is not None:
            name = next(iter(self.names(fact.queue, fact.started_at)), None)
        else:
            name = self._primary(fact, {version.definition.name for version in known})
        fitting = [version for version in known if version.definition.name == name]
        return max(fitting, key=lambda each: (each.definition.effective_from, each.definition.version), default=None)

    def _primary(self, fact: SessionFact, judging: set[str]) -> str | None:
        """The definition that counts what started with `fact`, as on the tiles; others may cut sessions elsewhere.

        It is the primary one of today, where that judged the session too or restates it, else the one of its opening.
        judging: definitions that said something of it.
        """
        queue, at = fact.queue, fact.started_at
        today = [self._rules.state.definitions[slot] for slot in self._rules.slots(queue, at)]
        slots = self._rules.slots(queue, at, self._rules.known_to(fact.session, at))
        then = [self._rules.state.definitions[slot].name for slot in slots]
        if not judging.issubset(then):  # the hub's clock is no exact witness of what an entry came before
            then = [each.name for each in today if each.name in judging] or sorted(judging)
        if today and (today[0].name in then or today[0].redefinition is Redefinition.RESTATES):
            return today[0].name
        return then[0] if then else None


def _replaced(older: Contract, newer: Contract, since: int) -> bool:
    """Whether nothing of `older` was left at `since`."""
    return older.name == newer.name and older.effective_from <= newer.effective_from <= since
