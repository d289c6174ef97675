"""The engine's facts on simulated disks: a file of facts and one of state, neither synced at a commit (NORMAL)."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, Final, NamedTuple

from sla_engine.facts_store import Commit, FactKey, Saved, instant_of, key_of, revision_of
from tests.sim.disk import SimDisk
from tests.sim.marks import Marks
from wire.verdict import Fact, LoadChange

SYNC_ODDS: Final = 0.15
"""How often a commit happens to be checkpointed, hence synced."""


class Folded(NamedTuple):
    """One commit in the file of state. written: up to which entry the file of facts must reach."""

    next_index: int
    last_leaf: bytes
    conversations: Mapping[str, bytes | None]
    sections: Mapping[str, bytes]


class SimFacts:
    """sla_engine.facts_store.FactsStore: opened, discarded, committed and read in the same way."""

    def __init__(self, facts_disk: SimDisk, state_disk: SimDisk, rng: Random, marks: Marks) -> None:
        self._facts_disk = facts_disk
        self._state_disk = state_disk
        self._rng = rng
        self._marks = marks
        self.discarded: str | None = None
        self.facts: dict[FactKey, Fact] = {}
        self._through = 0
        self._ends_with = self._folded_last = b""
        self._saved: Saved | None = None
        self.next_index = 0
        self.resumed_at: int | None = None
        self.before: Callable[[], None] = lambda: None
        self.between: Callable[[], None] = lambda: None
        self.after: Callable[[int], None] = lambda _next_index: None

    def load(self, ledger_size: int) -> None:
        """Read what is there; what does not fit this ledger or itself is removed."""
        for through, last_leaf, facts in self._facts_disk.recover():
            self._apply(through, last_leaf, facts)
        next_index = 0
        conversations: dict[str, bytes] = {}
        sections: dict[str, bytes] = {}
        for record in self._state_disk.recover():
            next_index, self._folded_last = record.next_index, record.last_leaf
            sections.update(record.sections)
            for name, content in record.conversations.items():
                conversations.pop(name, None)
                if content is not None:
                    conversations[name] = content
        if next_index:
            self._saved = Saved(next_index, list(conversations.values()), sections)
        misfit = self.misfit(next_index, ledger_size)
        self.next_index = next_index
        self.resumed_at = next_index or None
        if misfit is not None:
            self.discard(misfit)
        self._facts_disk.flush()
        self._state_disk.flush()

    def misfit(self, next_index: int, ledger_size: int) -> str | None:
        """Why the files cannot be used with this ledger; None when they can."""
        if next_index > ledger_size or self._through > ledger_size:
            return "folded more entries than the ledger has"
        if self._through < next_index:
            return "the facts lost what the state says was written"
        return None

    def saved(self) -> Saved | None:
        return self._saved

    def ends(self) -> list[tuple[int, bytes]]:
        folded = 0 if self._saved is None else self._saved.next_index
        found = [] if self._saved is None else [(folded, self._folded_last)]
        if self._through > folded:
            found.append((self._through, self._ends_with))
            self._marks.hit("engine.facts_ahead")
        return found

    def discard(self, why: str) -> None:
        self.discarded = why
        self._marks.hit("engine.state_discarded")
        self.facts.clear()
        self._through = 0
        self._saved = None
        self.next_index, self.resumed_at = 0, None
        self._facts_disk.replace([])
        self._state_disk.replace([])

    def commit(self, commit: Commit) -> None:
        self.before()
        self.write(commit)
        if self._rng.random() < SYNC_ODDS:
            self._facts_disk.flush()
            self._state_disk.flush()
        self.next_index = commit.next_index
        self.after(commit.next_index)

    def write(self, commit: Commit) -> None:
        """Facts first, then the state that says they are there."""
        self.commit_facts(commit)
        self.between()
        self.commit_state(commit)

    def find(self, fact: Fact) -> Fact | None:
        return self.facts.get(key_of(fact))

    def since(self, instant: int) -> Iterator[Fact]:
        return (fact for fact in self._ordered(instant) if not isinstance(fact, LoadChange))

    def loads_since(self, instant: int) -> Iterator[LoadChange]:
        return (fact for fact in self._ordered(instant) if isinstance(fact, LoadChange))

    def _ordered(self, instant: int) -> list[Fact]:
        found = [fact for fact in self.facts.values() if instant_of(fact) >= instant]
        return sorted(found, key=lambda fact: (instant_of(fact), key_of(fact)))

    def commit_facts(self, commit: Commit) -> None:
        """The files of facts come first."""
        self._facts_disk.append((commit.next_index, commit.last_leaf, tuple(commit.facts)))
        self._apply(commit.next_index, commit.last_leaf, commit.facts)

    def commit_state(self, commit: Commit) -> None:
        """Then the state that says they are there."""
        self._state_disk.append(
            Folded(commit.next_index, commit.last_leaf, dict(commit.conversations), dict(commit.sections))
        )

    def close(self) -> None:
        """Nothing is held open."""

    def _apply(self, through: int, last_leaf: bytes, facts: Any) -> None:
        self._through, self._ends_with = through, last_leaf
        for fact in facts:
            key = key_of(fact)
            known = self.facts.get(key)
            if known is None or revision_of(fact) > revision_of(known):
                self.facts[key] = fact
