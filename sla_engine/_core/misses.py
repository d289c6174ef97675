"""First responses of the business day that were missed, by person: for those who lead a team, never for a figure."""

from collections import Counter
from typing import Final

from sla_engine._core.people import person_of
from wire.verdict import SessionFact, Verdict


class Misses:
    """Counts facts of the running day; a correction takes back what it replaces."""

    def __init__(self) -> None:
        self.by_person: Final[Counter[str]] = Counter()
        self._day_start = 0

    def begin(self, day_start: int) -> None:
        """A day starts at `day_start` (ms)."""
        self._day_start = day_start
        self.by_person.clear()

    def count(self, fact: SessionFact, *, add: bool) -> None:
        """Count a fact of the primary definition, or take it back."""
        if fact.verdict is Verdict.BREACHED and not fact.void and fact.started_at >= self._day_start:
            self.by_person[person_of(fact.place.account, fact.place)] += 1 if add else -1
