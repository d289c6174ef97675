"""What would move if other rules had held: one ledger replayed under two definitions at once, over one period.

Sessions of the two sides are put together by conversation and start. What one side has no session for, because the
definitions cut sessions differently, stands opposite nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.choices import Unit
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.contributions import SLOTS, FigureRule, Slot, contribution, figure_rule
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.figures import Tally, figures_of
from sla_engine._core.windows import DAY_MS, calendar_of
from sla_engine.facts_store import instant_of
from sla_engine.replay import folded_queues, last_facts, ledger_batches, replay, under
from sla_engine.reports._core.percentiles import Percentiles, percentiles
from sla_engine.runners.tail import EntryReader
from wire.board import Figures, Mean, Ratio
from wire.verdict import Fact, LegFact, ResponseFact, SessionFact, Verdict, Why

RATIOS: Final = ("attainment", "service_level")
MEANS: Final = ("first_response", "seat_response", "average_response", "answer_wait")
COUNTS: Final = ("offered", "answered", "abandoned", "short_abandoned", "unanswered", "excluded")
"""The figures compared, as wire.board.Figures names them."""


class Standing(msgspec.Struct, frozen=True):
    """What a session counts as on one side. turns: duration (ms, None = never answered) and verdict of each turn.

    adds: what it adds to each figure, its turns included: part and whole of a rate, ms and number of values of a mean,
    a count and 1.
    """

    verdict: Verdict
    why: Why
    first_response_ms: int | None
    turns: tuple[tuple[int | None, Verdict | None], ...]
    adds: dict[str, tuple[int, int]]


class Moved(msgspec.Struct, frozen=True):
    """A session that counts as something else, or with another value. None: this side has no such session."""

    conversation: str
    started_at: int
    before: Standing | None
    after: Standing | None


class Group(NamedTuple):
    """Sessions that moved in the same way: from one reason to another. "" where a side has no such session.

    by: where the reason is the same, the figures that these sessions add something else to.
    """

    before: str
    after: str
    by: tuple[str, ...]
    moved: list[Moved]


class Side(msgspec.Struct, frozen=True):
    """One definition and its figures over the period. percentiles: of what is in two of the means, by its method."""

    definition: Definition
    label: str
    figures: Figures
    first_responses: Percentiles
    responses: Percentiles


class Difference(msgspec.Struct, frozen=True):
    """unmoved: sessions that count the same, with the same values, on both sides. groups: the largest first."""

    before: Side
    after: Side
    unmoved: int
    groups: tuple[Group, ...]


class Period(NamedTuple):
    """[start, end) of session starts in ms. around_ms: how much of the ledger before it is read as well."""

    start: int
    end: int
    around_ms: int


def difference(
    reader: EntryReader,
    before: Definition,
    after: Definition,
    period: Period,
    *,
    queues: Sequence[str] = (EVERY_QUEUE,),
    passed: Callable[[int], None] | None = None,
) -> Difference:
    """Both definitions over every session of `queues` that starts within the period, whatever dates they state.

    passed: told how many entries have been read. Raises LedgerCorrupt.
    """
    batches = ledger_batches(reader, earliest=period.start - period.around_ms, passed=passed)
    last = last_facts(
        replay(batches, under(before, after, queues=folded_queues(reader, queues))),
        lambda fact: _counts(fact, queues) and period.start <= instant_of(fact) < period.end,
    )
    sessions = {_session_of(fact) for fact in last.values() if isinstance(fact, SessionFact)}
    facts = [fact for fact in last.values() if not isinstance(fact, ResponseFact) or _session_of(fact) in sessions]
    sides = [_Side(each, facts) for each in (before, after)]
    moved = list(_moved(sides[0].standings, sides[1].standings))
    together = len(sides[0].standings.keys() | sides[1].standings.keys())
    return Difference(sides[0].shown(facts), sides[1].shown(facts), together - len(moved), _grouped(moved))


def _counts(fact: Fact, queues: Sequence[str]) -> bool:
    """Turns count with their session, which stays with the queue it began in."""
    if isinstance(fact, SessionFact | LegFact):
        return EVERY_QUEUE in queues or fact.queue in queues
    return isinstance(fact, ResponseFact)


def _session_of(fact: SessionFact | ResponseFact) -> tuple[str, str, int]:
    return fact.definition, fact.conversation, fact.session


_SessionKey = tuple[str, int]


class _Side:
    def __init__(self, definition: Definition, facts: Iterable[Fact]) -> None:
        self.definition: Final = definition
        self.label: Final = label_of(definition)
        turns: dict[tuple[str, int], list[ResponseFact]] = {}
        sessions: list[SessionFact] = []
        for fact in facts:
            if isinstance(fact, SessionFact) and fact.definition == self.label and not fact.void:
                sessions.append(fact)
            elif isinstance(fact, ResponseFact) and fact.definition == self.label and not fact.void:
                turns.setdefault((fact.conversation, fact.session), []).append(fact)
        self._rule: Final = figure_rule(definition, self.label)
        self.standings: Final[dict[_SessionKey, Standing]] = {
            (fact.conversation, fact.started_at): _standing(
                fact, turns.get((fact.conversation, fact.session), []), self._rule
            )
            for fact in sessions
        }

    def shown(self, facts: Iterable[Fact]) -> Side:
        mine = [fact for fact in facts if isinstance(fact, LegFact) or _label(fact) == self.label]
        figures = figures_of(_counted(self.definition, self._rule, mine), self._rule)
        values: dict[int, list[int]] = {Slot.FIRST_TOTAL: [], Slot.TURN_TOTAL: []}
        for fact in mine:
            for slot, amount in contribution(fact, self._rule).amounts:
                if slot in values:
                    values[slot].append(amount)
        shown = (percentiles(found, self.definition.percentile) for found in values.values())
        return Side(self.definition, self.label, figures, *shown)


def _label(fact: Fact) -> str:
    return fact.definition if isinstance(fact, SessionFact | ResponseFact) else ""


def _counted(definition: Definition, rule: FigureRule, facts: Iterable[Fact]) -> list[int]:
    """Slots over the period. Where people's days count, each business day is a tally of its own."""
    calendar = calendar_of(definition, DAY_MS)
    tallies: dict[int, Tally] = {}
    for fact in facts:
        day = calendar.day_start(instant_of(fact)) if rule.unit is Unit.PERSON_DAY else 0
        tallies.setdefault(day, Tally()).add(contribution(fact, rule))
    return [sum(tally.slots[slot] for tally in tallies.values()) for slot in range(SLOTS)]


def _standing(fact: SessionFact, turns: list[ResponseFact], rule: FigureRule) -> Standing:
    in_order = sorted(turns, key=lambda turn: turn.turn)
    told = tuple((turn.duration_ms, turn.verdict) for turn in in_order)
    return Standing(fact.verdict, fact.why, fact.first_response_ms, told, _adds([fact, *turns], rule))


def _adds(facts: Iterable[Fact], rule: FigureRule) -> dict[str, tuple[int, int]]:
    tally = Tally()
    for fact in facts:
        tally.apply(fact, rule)
    figures = tally.figures(rule)
    level = Ratio(0, 0) if figures.service_level is None else figures.service_level.ratio
    attained = figures.attainment
    return {
        "attainment": (attained.part, attained.whole),
        "service_level": (level.part, level.whole),
        **{name: mean_named(figures, name) for name in MEANS},
        **{name: (count_named(figures, name), 1) for name in COUNTS},
    }


def mean_named(figures: Figures, name: str) -> tuple[int, int]:
    """Ms and number of values of one of MEANS."""
    found: Mean = getattr(figures, name)
    return found.total_ms, found.count


def count_named(figures: Figures, name: str) -> int:
    """One of COUNTS."""
    found: int = getattr(figures, name)
    return found


def _moved(before: dict[_SessionKey, Standing], after: dict[_SessionKey, Standing]) -> Iterator[Moved]:
    for key in sorted(before.keys() | after.keys(), key=lambda key: (key[1], key[0])):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield Moved(*key, old, new)


def _grouped(moved: Iterable[Moved]) -> tuple[Group, ...]:
    groups: dict[tuple[str, str, tuple[str, ...]], list[Moved]] = {}
    for each in moved:
        before, after = each.before, each.after
        way = ("" if before is None else before.why, "" if after is None else after.why, _moved_by(before, after))
        groups.setdefault(way, []).append(each)
    found = [Group(*way, of) for way, of in groups.items()]
    # Format: of a group, what it is named by.
    return tuple(sorted(found, key=lambda group: (-len(group.moved), group[:3])))


def _moved_by(before: Standing | None, after: Standing | None) -> tuple[str, ...]:
    if before is None or after is None or before.why is not after.why:
        return ()
    return tuple(name for name in before.adds if before.adds[name] != after.adds[name])
