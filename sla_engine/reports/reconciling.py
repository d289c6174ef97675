"""A platform's own figures, as the ledger holds them, beside what the ledger's events make of the same time.

Each is computed under the rules that the figure claims, by the engine's own fold. Nothing is written, no clock is read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from ledger.reader import LedgerReader
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.rules import Rules, state_of
from sla_engine.definition_files import load_preset, preset_names
from sla_engine.facts_store import instant_of
from sla_engine.replay import last_facts, ledger_batches, replay, rules_entered, under
from sla_engine.reports._core.reconciliation import (
    Line,
    Missing,
    Ours,
    Told,
    compared,
    measured,
    standing,
    unit_of,
)
from wire.kinds import Kind
from wire.limits import INSTANT_MAX_MS
from wire.platform import PlatformFigure
from wire.record import Gone
from wire.recorded import Recorded
from wire.verdict import Fact, LoadChange

_LOOKED_AT: Final = frozenset({Kind.PLATFORM_FIGURES, Kind.DEFINITION, Kind.CONTRACT})


class Period(NamedTuple):
    """Figures whose own period lies within [start, end), ms. around_ms: how much of the ledger before is read too."""

    start: int
    end: int
    around_ms: int


class Reconciled(msgspec.Struct, frozen=True):
    """lines: by period, queue, account and metric. cut_off: figures whose period lies only partly within the time.

    entries, received_at: the record's length, and when the last of it came in (ms).
    """

    lines: tuple[Line, ...]
    cut_off: int
    entries: int
    received_at: int


def reconcile(reader: LedgerReader, period: Period, listed: int, passed: Callable[[int], None]) -> Reconciled:
    """Every figure of `period`. listed: conversations named per cause. passed: told how many entries were read.

    The ledger is read twice, so that `passed` hears of twice as many entries. Raises LedgerCorrupt.
    """
    told, rules, cut_off = _told(reader, period, passed)
    size = reader.size()
    received_at = reader.entry(size - 1).received_at if size else 0
    chosen = [_rules_of(each.figure, rules, received_at) for each in told]
    definitions = {label_of(each): each for each in chosen if isinstance(each, Definition)}
    gaps: list[Gone] = []
    facts: list[Fact] = []
    if definitions:
        batches = _watched(
            ledger_batches(reader, earliest=period.start - period.around_ms, passed=lambda index: passed(size + index)),
            gaps,
        )
        given = under(*definitions.values())
        since, until = period.start - period.around_ms, period.end
        last = last_facts(
            replay(batches, given),
            lambda fact: not isinstance(fact, LoadChange) and since <= instant_of(fact) < until,
        )
        facts = list(last.values())
    ours = {label: Ours(definition, facts) for label, definition in definitions.items()}
    lines = []
    for each, under_it in zip(told, chosen, strict=True):
        mine, why = (None, under_it) if isinstance(under_it, Missing) else (ours[label_of(under_it)], None)
        lines.append(compared(each, mine, why, _lost(gaps, each.figure), listed))
    return Reconciled(tuple(lines), cut_off, size, received_at)


def _told(reader: LedgerReader, period: Period, passed: Callable[[int], None]) -> tuple[list[Told], Rules, int]:
    """Figures of the period that stand, the rules entered, and how many figures the period cuts."""
    figures: list[PlatformFigure] = []

    def seen() -> Iterator[Sequence[Recorded]]:
        for batch in ledger_batches(reader, earliest=INSTANT_MAX_MS + 1, lasting=_LOOKED_AT, passed=passed):
            figures.extend(entry.body for entry in batch if isinstance(entry.body, PlatformFigure))
            yield batch

    rules = Rules(state_of(*rules_entered(seen())))
    stand = standing(each for each in figures if each.period_starts < period.end and each.period_ends > period.start)
    whole = [
        each for each in stand if period.start <= each.figure.period_starts and each.figure.period_ends <= period.end
    ]
    return whole, rules, len(stand) - len(whole)


def _rules_of(figure: PlatformFigure, rules: Rules, received_at: int) -> Definition | Missing:
    """The definition that a figure is to be held against, or why nothing can be."""
    if not figure.measure:
        return Missing.NO_MEASURE
    measure = measured(figure.measure)
    if measure is None:
        return Missing.UNKNOWN_MEASURE
    if unit_of(measure) != figure.unit:
        return Missing.UNIT_DIFFERS
    if received_at < figure.period_ends:
        return Missing.RECORD_ENDS
    if figure.definition:
        return _named(figure.definition, rules, figure.period_starts) or Missing.UNKNOWN_DEFINITION
    return _primary(figure.queue, rules, figure.period_starts) or Missing.NO_DEFINITION


def _named(text: str, rules: Rules, at: int) -> Definition | None:
    """NAME or NAME@VERSION: of the ledger, in force at `at` where it has several versions, else of the presets."""
    name, _, version = text.partition("@")
    presets = {preset: load_preset(preset) for preset in preset_names()}
    for known in (rules.state.definitions, list(presets.values())):
        fitting = [each for each in known if each.name == name and version in ("", str(each.version))]
        if fitting:
            return _in_force(fitting, at)
    return presets.get(text)


def _primary(queue: str, rules: Rules, at: int) -> Definition | None:
    """The primary definition of the contract in force for a queue, "" = of the first contract in force."""
    if queue:
        covering = rules.contracts(queue, at)
    else:
        covering = rules.contracts(EVERY_QUEUE, at) or tuple(
            found for contract in rules.state.contracts for found in rules.contracts(contract.queues[0], at)
        )
    if not covering:
        return None
    versions = [each for each in rules.state.definitions if each.name == covering[0].definitions[0]]
    return _in_force(versions, at) if versions else None


def _in_force(versions: Sequence[Definition], at: int) -> Definition:
    """The version in force at `at` (ms); before the first of them, that one."""
    begun = [each for each in versions if each.effective_from <= at]
    if not begun:
        return min(versions, key=_since)
    return max(begun, key=_since)


def _since(definition: Definition) -> tuple[int, int]:
    return definition.effective_from, definition.version


def _watched(batches: Iterable[list[Recorded]], gaps: list[Gone]) -> Iterator[list[Recorded]]:
    for batch in batches:
        gaps.extend(entry.body for entry in batch if isinstance(entry.body, Gone))
        yield batch


def _lost(gaps: Iterable[Gone], figure: PlatformFigure) -> int:
    """Events that sources declared lost in a figure's period: of the time they know, else of when they said so."""
    lost = 0
    for gap in gaps:
        since, until = (gap.since, gap.until) if gap.since and gap.until else (gap.occurred_at, gap.occurred_at + 1)
        if since < figure.period_ends and until > figure.period_starts:
            lost += gap.count
    return lost
