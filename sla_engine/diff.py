"""What would move if other rules had held: one ledger replayed under two definitions at once, over one period.

Sessions of the two sides are put together by conversation and start. What one side has no session for, because the
definitions cut sessions differently, stands opposite nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.choices import Unit
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.contributions import SLOTS, FigureRule, contribution, figure_rule
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.figures import Tally, figures_of
from sla_engine._core.windows import DAY_MS, calendar_of
from sla_engine.facts_store import instant_of
from sla_engine.replay import last_facts, ledger_batches, replay, under
from sla_engine.runners.tail import EntryReader
from wire.board import Figures
from wire.verdict import Fact, LegFact, LoadChange, ResponseFact, SessionFact, Verdict, Why


class Standing(msgspec.Struct, frozen=True):
    """What a session counts as on one side. turns: duration (ms, None = never answered) and verdict of each turn."""

    verdict: Verdict
    why: Why
    first_response_ms: int | None
    turns: tuple[tuple[int | None, Verdict | None], ...]


class Moved(msgspec.Struct, frozen=True):
    """A session that counts as something else, or with another value. None: this side has no such session."""

    conversation: str
    started_at: int
    before: Standing | None
    after: Standing | None


class Group(NamedTuple):
    """Sessions that moved in the same way: from one reason to another. "" where a side has no such session."""

    before: str
    after: str
    moved: list[Moved]


class Side(msgspec.Struct, frozen=True):
    """One definition and its figures over the period."""

    definition: Definition
    label: str
    figures: Figures


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
        replay(batches, under(before, after, queues=queues)),
        lambda fact: _counts(fact, queues) and period.start <= instant_of(fact) < period.end,
    )
    facts = list(last.values())
    sides = [_Side(each, facts) for each in (before, after)]
    moved = list(_moved(sides[0].standings, sides[1].standings))
    together = len(sides[0].standings.keys() | sides[1].standings.keys())
    return Difference(sides[0].shown(facts), sides[1].shown(facts), together - len(moved), _grouped(moved))


def _counts(fact: Fact, queues: Sequence[str]) -> bool:
    """Legs are said of every queue, whichever are judged."""
    if isinstance(fact, LegFact):
        return EVERY_QUEUE in queues or fact.queue in queues
    return not isinstance(fact, LoadChange)


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
        self.standings: Final[dict[_SessionKey, Standing]] = {
            (fact.conversation, fact.started_at): _standing(fact, turns.get((fact.conversation, fact.session), []))
            for fact in sessions
        }

    def shown(self, facts: Iterable[Fact]) -> Side:
        rule = figure_rule(self.definition, self.label)
        mine = (fact for fact in facts if isinstance(fact, LegFact) or _label(fact) == self.label)
        return Side(self.definition, self.label, figures_of(_counted(self.definition, rule, mine), rule))


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


def _standing(fact: SessionFact, turns: list[ResponseFact]) -> Standing:
    in_order = sorted(turns, key=lambda turn: turn.turn)
    return Standing(
        fact.verdict, fact.why, fact.first_response_ms, tuple((turn.duration_ms, turn.verdict) for turn in in_order)
    )


def _moved(before: dict[_SessionKey, Standing], after: dict[_SessionKey, Standing]) -> Iterator[Moved]:
    for key in sorted(before.keys() | after.keys(), key=lambda key: (key[1], key[0])):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield Moved(*key, old, new)


def _grouped(moved: Iterable[Moved]) -> tuple[Group, ...]:
    groups: dict[tuple[str, str], list[Moved]] = {}
    for each in moved:
        pair = ("" if each.before is None else each.before.why, "" if each.after is None else each.after.why)
        groups.setdefault(pair, []).append(each)
    found = [Group(old, new, of) for (old, new), of in groups.items()]
    return tuple(sorted(found, key=lambda group: (-len(group.moved), group.before, group.after)))
