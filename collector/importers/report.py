"""What the rows of a file were: counted whole, listed as far as a person can use it."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from collector.importers._core.plan import Outcome
from collector.importers._core.rows import Row


class RejectedRow(NamedTuple):
    """Where a row could not be taken, and why. column: the heading, "" where no single cell is at fault.

    file: its name, where an import has several.
    """

    row: int
    reason: str
    column: str
    file: str = ""

    def as_words(self) -> dict[str, object]:
        """What is known of it, by name."""
        known = self._asdict()
        return known if self.file else {name: value for name, value in known.items() if name != "file"}


class Report:
    """What the rows of a file were. Every row is in exactly one of `outcomes`.

    undecided: calls that the last rows leave open in such a way that nothing was told of them yet. unfinished: calls
    that were told and not their end. broken_off: last rows that are not whole, one a file at most; no rows yet.
    """

    def __init__(self, rejected_listed: int, outcomes: Iterable[str] = Outcome) -> None:
        """rejected_listed: how many rejected rows are kept by number. outcomes: shown even where there are none."""
        self._rejected_listed = rejected_listed
        self.rows = 0
        self.events = 0
        self.outcomes: dict[str, int] = {str(outcome): 0 for outcome in outcomes}
        self.undecided = 0
        self.unfinished = 0
        self.broken_off = 0
        self.reasons: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.noted: dict[str, list[int]] = {}
        self.rejected: list[RejectedRow] = []

    def count(self, number: int, row: Row, file: str = "") -> None:
        """Take in one row."""
        self.rows += 1
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + 1
        if row.outcome == Outcome.REJECTED:
            self.reasons[row.reason] += 1
            if len(self.rejected) < self._rejected_listed:
                self.rejected.append(RejectedRow(number, row.reason, row.column, file))
        for note in row.notes:
            self.notes[note] += 1
            listed = self.noted.setdefault(note, [])
            if len(listed) < self._rejected_listed:
                listed.append(number)
