"""The rows of a report, filled fact by fact: sums that are only divided when a row is shown, so totals are never means.

A session counts in the row it started in, with all its turns and legs.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sla_engine._core.choices import Percentile, Period
from sla_engine._core.contributions import SLOTS, Contribution, FigureRule, Slot, contribution
from sla_engine._core.figures import Tally, figures_of
from sla_engine._core.quality import ChecksState, QualityChecks
from sla_engine.reports._core.buckets import OVER_TIME, By, Frame
from sla_engine.reports._core.choosing import Choosing, Judged, Version
from sla_engine.reports._core.percentiles import Percentiles, percentiles
from wire.board import Figures
from wire.conversation import QualityScored
from wire.ids import UNASSIGNED
from wire.verdict import LegFact, Place, SessionFact

# Format: the word of a definition.
DAYS_TRAILING: Final = 30
"""What the word `trailing_30_days` of a definition means."""
TOTAL: Final = ""
"""Key of the total row; rows over time have the number of their bucket, others the id of their group."""

RowKey = str | int
ShopOf = Callable[[str, int], str]
"""(queue, instant in ms) -> shop, "" where the roster does not know."""
Counted = Callable[[SessionFact], None]
"""Told a session that counts, as the definition sees it that it counts under."""


class _Sums:
    """One row. Where people's days count, each business day has its own tally: a person is met or not by the day."""

    __slots__ = ("by_day", "first", "turns")

    def __init__(self) -> None:
        self.by_day: dict[int, Tally] = {}
        self.first = array("q")
        self.turns = array("q")

    def add(self, given: Contribution, day: int) -> None:
        tally = self.by_day.get(day if given.person else 0)
        if tally is None:
            tally = self.by_day[day if given.person else 0] = Tally()
        tally.add(given)
        for slot, amount in given.amounts:
            if slot == Slot.FIRST_TOTAL:
                self.first.append(amount)
            elif slot == Slot.TURN_TOTAL:
                self.turns.append(amount)

    def slots(self) -> list[int]:
        return _summed(self.by_day.values())


class Rows:
    """Sums by row, and by row and day where a definition states its rate over the trailing thirty days."""

    def __init__(
        self,
        by: By,
        frame: Frame,
        edges: Sequence[int],
        choosing: Choosing,
        shop_of: ShopOf,
        checks: Sequence[QualityScored] = (),
        counted: Counted | None = None,
    ) -> None:
        self.by: Final = by
        self.edges: Final = edges
        self._frame: Final = frame
        self._choosing: Final = choosing
        self._shop_of: Final = shop_of
        self._counted: Final = counted
        self._rows: Final[dict[RowKey, _Sums]] = {TOTAL: _Sums()}
        self._days: Final[dict[tuple[RowKey, int], Tally]] = {}
        self._rule: FigureRule | None = None
        self._quality: QualityChecks[tuple[str, Place]] | None = None
        if checks:
            self._quality = QualityChecks(ChecksState(), self._add_checkable, self._take_back_checkable)
            for check in checks:
                self._quality.check(check)

    def add_session(self, facts: Sequence[Judged]) -> None:
        """Count the facts of one session: the last word on each, whatever definitions they are of."""
        version = self._choosing.chosen(facts)
        if version is None:
            return
        for fact in facts:
            if fact.definition == version.label and not fact.void:
                at = fact.started_at if isinstance(fact, SessionFact) else fact.session_started_at
                self._add(contribution(fact, version.rule), at, fact.queue, fact.place, version)
                if self._quality is not None and isinstance(fact, SessionFact):
                    self._quality.count(fact, (fact.queue, fact.place), add=True)
                in_table = self.edges[0] <= at < self.edges[-1]
                if self._counted is not None and isinstance(fact, SessionFact) and in_table:
                    self._counted(fact)

    def add_leg(self, leg: LegFact) -> None:
        """Count a leg."""
        if not leg.void and self._choosing.counts_leg(leg):
            self._add(contribution(leg, self._choosing.any_rule()), leg.session_started_at, leg.queue, leg.place, None)
            if self._quality is not None:
                self._quality.count(leg, (leg.queue, leg.place), add=True)

    def keys(self) -> list[RowKey]:
        """Every row: all there is of time, or the groups something counted in."""
        if self.by in OVER_TIME:
            return list(range(len(self.edges) - 1))
        return sorted(str(key) for key in self._rows if key != TOTAL)

    def key_of(self, at: int, queue: str, place: Place) -> RowKey:
        """The row of something that began at `at` (ms) within the table."""
        match self.by:
            case By.SHIFT:
                return place.shift or UNASSIGNED
            case By.TEAM:
                return place.team or UNASSIGNED
            case By.SITE:
                return place.site or UNASSIGNED
            case By.SHOP:
                return self._shop_of(queue, at) or UNASSIGNED
            case By.AGENT:
                return agent_of(place)
            case _:
                return bisect_right(self.edges, at) - 1

    def figures(self, key: RowKey) -> Figures:
        """The figures of a row."""
        return figures_of(self._rows.get(key, _Sums()).slots(), self._common_rule())

    def first_responses(self, key: RowKey) -> Percentiles:
        """Percentiles of the first responses that are in the mean."""
        return percentiles(self._rows[key].first if key in self._rows else (), self._method())

    def responses(self, key: RowKey) -> Percentiles:
        """Percentiles of the turns that are in the average response."""
        return percentiles(self._rows[key].turns if key in self._rows else (), self._method())

    def trailing(self, key: RowKey) -> Figures | None:
        """The figures of the thirty business days that end with the row: what is shown the day after (T-1).

        None for hours, and where no definition states its rate so.
        """
        used = self._choosing.used.values()
        if self.by is By.HOUR and key != TOTAL:
            return None
        if not any(version.definition.period is Period.TRAILING_30_DAYS for version in used):
            return None
        is_timed = isinstance(key, int)
        end = self.edges[key + 1] if isinstance(key, int) else self.edges[-1]
        days = self._frame.days_before(end, DAYS_TRAILING)
        tallies = (self._days.get((TOTAL if is_timed else key, day)) for day in days)
        return figures_of(_summed(tally for tally in tallies if tally is not None), self._common_rule())

    def _add(self, given: Contribution, at: int, queue: str, place: Place, version: Version | None) -> None:
        day = self._frame.days.day_start(at)
        key = self.key_of(at, queue, place)
        if self.edges[0] <= at < self.edges[-1]:
            self._rows[TOTAL].add(given, day)
            if key not in self._rows:
                self._rows[key] = _Sums()
            self._rows[key].add(given, day)
        if version is not None and version.definition.period is Period.TRAILING_30_DAYS:
            for row in (TOTAL,) if self.by in OVER_TIME else (TOTAL, key):
                self._days.setdefault((row, day), Tally()).add(given)

    def _add_checkable(self, where: tuple[str, Place], at: int, given: Contribution) -> None:
        self._add(given, at, *where, None)

    def _take_back_checkable(self, where: tuple[str, Place], at: int, given: Contribution) -> None:
        self._add(Contribution(tuple((slot, -amount) for slot, amount in given.amounts)), at, *where, None)

    def _common_rule(self) -> FigureRule | None:
        """A rule that stands for all that were used; None where they count otherwise."""
        if self._rule is None:
            rules = [version.rule for version in self._choosing.used.values()]
            alike = {(rule.unit, rule.formula, rule.threshold_ms) for rule in rules}
            self._rule = rules[0] if len(alike) == 1 else None
        return self._rule

    def _method(self) -> Percentile | None:
        methods = {version.definition.percentile for version in self._choosing.used.values()}
        return methods.pop() if len(methods) == 1 else None


def agent_of(place: Place) -> str:
    """A person by the roster, or the sub-account where the roster knows none."""
    if place.person not in ("", UNASSIGNED):
        return place.person
    return place.account or UNASSIGNED


def _summed(tallies: Iterable[Tally]) -> list[int]:
    sums = [0] * SLOTS
    for tally in tallies:
        sums = [a + b for a, b in zip(sums, tally.slots, strict=True)]
    return sums
