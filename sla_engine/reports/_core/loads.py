"""How many conversations people had in hands at once, row by row, by the engine's own concurrency."""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from sla_engine._core.concurrency import Concurrency
from sla_engine._core.groups import Group
from sla_engine._core.people import person_of
from sla_engine._core.roster import Roster
from sla_engine.reports._core.never_ended import NeverEnded
from sla_engine.reports._core.rows import TOTAL, RowKey
from wire.board import Load
from wire.verdict import LoadChange, Place

_ROW: Final = "row"
_Changes = list[tuple[int, str, int]]
"""(instant in ms, hands, change)."""


class Loads:
    """Load changes of every account, in any order, from some time before the table begins."""

    def __init__(self, roster: Roster) -> None:
        self._roster: Final = roster
        self._changes: Final[dict[str, tuple[array[int], array[int]]]] = defaultdict(lambda: (array("q"), array("q")))
        self._places: Final[dict[str, Place]] = {}
        self._held: Final = Counter[tuple[str, str]]()

    def add(self, change: LoadChange) -> None:
        """Take a change in."""
        ats, changes = self._changes[change.account]
        ats.append(change.at)
        changes.append(change.change)
        held = change.conversation, change.account
        self._held[held] += change.change
        if not self._held[held]:
            del self._held[held]

    def let_go(self, never_ended: NeverEnded, idle_ms: int) -> list[int]:
        """Once all are taken in: what was never closed leaves, at the instants (ms) returned."""
        leaving = list(never_ended.leave(self._held, idle_ms))
        for change in leaving:
            self.add(change)
        return [change.at for change in leaving]

    def by_row(self, edges: Sequence[int], row_of: Callable[[Place], RowKey] | None, until: int) -> dict[RowKey, Load]:
        """The load of each row and of all, up to `until`. row_of: None where rows are the buckets between `edges`."""
        changes = self._between(edges[0], until)
        cut = [edge for edge in edges if edge < until] + [until]
        found: dict[RowKey, Load] = {}
        for load in _loads(changes, [edges[0], until], _everybody)[0].values():
            found[TOTAL] = load
        if row_of is None:
            for number, row in enumerate(_loads(changes, cut, _everybody)):
                for load in row.values():
                    found[number] = load
            return found
        grouped = _loads(changes, [edges[0], until], lambda hands: (hands, [(_ROW, str(row_of(self._places[hands])))]))
        found.update({key: load for (_, key), load in grouped[0].items()})
        return found

    def _between(self, since: int, until: int) -> _Changes:
        """Changes of [since, until) in order, from nothing in hands; whoever moves takes what they hold along."""
        found: _Changes = []
        for account, (ats, changes) in self._changes.items():
            in_order = [(ats[place], changes[place]) for place in sorted(range(len(ats)), key=ats.__getitem__)]
            first = bisect_left(in_order, since, key=lambda each: each[0])
            now = sum(change for _, change in in_order[:first])
            # whatever they took longer ago than was read is known by its end alone
            lowest = low = now
            for _, change in in_order[first:]:
                low += change
                lowest = min(lowest, low)
            now -= min(lowest, 0)
            moves = [(at, 0) for at in self._roster.moves(account) if since < at < until]
            hands = self._hands(account, since)
            found.append((since, hands, now))
            for at, change in sorted([*moves, *in_order[first:]], key=lambda each: each[0]):
                if at >= until:
                    break
                if change:
                    found.append((at, hands, change))
                    now += change
                else:
                    found.append((at, hands, -now))
                    hands = self._hands(account, at)
                    found.append((at, hands, now))
        return sorted(found)

    def _hands(self, account: str, at: int) -> str:
        """Whose an account is at an instant, at the place that one has then."""
        place = self._roster.place(account, at)
        hands = f"{person_of(account, place)}/{place.team}/{place.site}/{place.shift}"
        self._places[hands] = place
        return hands


def _everybody(hands: str) -> tuple[str, list[Group]]:
    return hands, [(_ROW, str(TOTAL))]


def _loads(
    changes: _Changes, cut: Sequence[int], whose: Callable[[str], tuple[str, list[Group]]]
) -> list[dict[Group, Load]]:
    """Of each stretch between the instants of `cut`, the first of which is where `changes` begin."""
    concurrency = Concurrency()
    concurrency.begin_window(cut[0])
    found, first = [], 0
    for _, end in pairwise(cut):
        last = bisect_left(changes, (end,), first)
        for at, hands, change in changes[first:last]:
            concurrency.add(LoadChange("", 0, 0, hands, at, change))
        concurrency.advance(end)
        found.append(concurrency.by_group(whose))
        concurrency.begin_window(end)
        first = last
    return found
