"""A report over one ledger: from the facts an engine has written where they go far enough, else by folding the ledger.

Figures are the same either way. Nothing is written, and no clock is read.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from ledger.reader import LedgerReader
from sla_engine._core.contract import EVERY_QUEUE, Contract
from sla_engine._core.definition import Definition, label_of
from sla_engine.facts_store import FactKey, instant_of, key_of
from sla_engine.replay import STANDING, Given, folded_queues, ledger_batches, replay, restating, under
from sla_engine.reports._core.choosing import Choosing
from sla_engine.reports._core.composing import Composing, frame_of, reads_from, session_of
from sla_engine.reports._core.observed import Observed
from sla_engine.reports._core.report import Question, Report
from sla_engine.reports._core.rows import Counted
from sla_engine.reports._core.service_hours import ServiceHours
from sla_engine.reports.last_words import LastWords
from sla_engine.reports.stored import StoredFacts, stored_facts
from wire.recorded import Recorded
from wire.verdict import Fact, LegFact, LoadChange, ResponseFact, SessionFact

Passed = Callable[[int], None]
"""Told how many entries have been read so far."""


class ReportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, from defaults.toml.

    lookback_ms: presences, and conversations in hands, longer before the table than this are not looked at.
    facts_lag_ms: written facts are used if they are not further behind the ledger's end than this.
    hands_idle_ms: how long after the last word on it a conversation is in hands whose end nobody told.
    """

    lookback_ms: int
    facts_lag_ms: int
    hands_idle_ms: int


class Ruling(NamedTuple):
    """What a report is cut and read by. asked: None = the primary definition of each session's queue.

    frame: gives zone and business day. windows: whose service window holds, and from when on (ms). replayed: `asked` is
    no definition of a contract in force, so the ledger is folded under it alone. possible: every definition that
    sessions may count under.
    """

    frame: Definition
    windows: tuple[tuple[int, Definition], ...]
    contract: Contract | None
    asked: Definition | None
    replayed: bool
    possible: tuple[Definition, ...]


def report(
    reader: LedgerReader,
    facts: Path | None,
    question: Question,
    ruling: Ruling,
    settings: ReportSettings,
    passed: Passed,
    counted: Counted | None = None,
) -> Report:
    """The answer to `question`. facts: folder of the engine's facts of this client, if any. Raises LedgerCorrupt.

    counted: told every session that counts, in order of their starts.
    """
    if facts is not None and not ruling.replayed and question.known_at is None:
        found = stored_facts(facts, reader.ledger_id)
        if found is not None:
            with closing(found), suppress(sqlite3.DatabaseError):  # what cannot be read is folded again
                if _reaches(found, reader, settings.facts_lag_ms):
                    return _Making(reader, question, ruling, settings, passed, counted).from_stored(found)
    return _Making(reader, question, ruling, settings, passed, counted).from_ledger()


def ruling_of(
    definitions: Sequence[Definition],
    contracts: Sequence[Contract],
    asked: tuple[Definition, bool] | None,
    queues: Sequence[str],
    at: int,
) -> Ruling | None:
    """What a table that begins at `at` (ms) is cut by; None where nothing says.

    definitions, contracts: of the ledger, in order of entry. asked: a definition, and whether by its version.
    Of several contracts the one that began last before `at` cuts, or else the first that begins after it.
    """
    covering = [each for each in contracts if EVERY_QUEUE in queues or any(each.covers(queue) for queue in queues)]
    contract = _cutting(covering, at)
    if asked is not None:
        definition, exactly = asked
        held = any(definition.name in each.definitions for each in covering) and definition in definitions
        if exactly or not held:
            return Ruling(definition, ((0, definition),), contract, definition, replayed=True, possible=(definition,))
        windows = _windows(definitions, lambda _: definition.name)
        return Ruling(definition, windows, contract, definition, replayed=False, possible=tuple(definitions))
    if contract is None:
        return None
    frame = _version_at(definitions, contract.definitions[0], at)
    if frame is None:
        return None
    windows = _windows(definitions, lambda then: _primary(covering, then), [each.effective_from for each in covering])
    return Ruling(frame, windows, contract, None, replayed=False, possible=tuple(definitions))


def _cutting(covering: Sequence[Contract], at: int) -> Contract | None:
    begun = [each for each in covering if each.effective_from <= at]
    found = max(begun, key=_start, default=None) or min(covering, key=_start, default=None)
    if found is None:
        return None
    # of two of one name that begin together the one entered last replaced the other
    return [each for each in covering if (each.name, each.effective_from) == (found.name, found.effective_from)][-1]


def _primary(covering: Sequence[Contract], at: int) -> str:
    contract = _cutting(covering, at)
    return "" if contract is None else contract.definitions[0]


def _version_at(definitions: Sequence[Definition], name: str, at: int) -> Definition | None:
    versions = [each for each in definitions if each.name == name]
    in_force = [each for each in versions if each.effective_from <= at] or versions
    return max(in_force, key=lambda each: (each.effective_from, each.version), default=None)


def _windows(
    definitions: Sequence[Definition], name_at: Callable[[int], str], changes: Sequence[int] = ()
) -> tuple[tuple[int, Definition], ...]:
    """Whose service window holds, from the beginning on. changes: when `name_at` may answer another name (ms)."""
    found: list[tuple[int, Definition]] = []
    for at in sorted({0, *changes, *(each.effective_from for each in definitions)}):
        version = _version_at(definitions, name_at(at), at)
        if version is not None and (not found or found[-1][1] != version):
            found.append((at, version))
    return tuple(found)


class _Making:
    """One report being made."""

    def __init__(
        self,
        reader: LedgerReader,
        question: Question,
        ruling: Ruling,
        settings: ReportSettings,
        passed: Passed,
        counted: Counted | None,
    ) -> None:
        self._reader: Final = reader
        self._question: Final = question
        self._ruling: Final = ruling
        self._passed: Final = passed
        self._counted: Final = counted
        self._frame: Final = frame_of(ruling.frame, ruling.contract)
        self._since: Final = reads_from(question, self._frame, ruling.possible)
        self._settings: Final = settings
        self._earliest: Final = self._since - settings.lookback_ms
        self._seen: Final = Observed(question.since, question.until)

    def from_stored(self, stored: StoredFacts) -> Report:
        """From facts that an engine has written."""
        for batch in ledger_batches(self._reader, earliest=self._earliest, passed=self._passed):
            self._observe(entry for entry in batch if entry.index < stored.next_index)
            if batch[-1].index + 1 >= stored.next_index:
                break
        return self._composed(stored.between(self._earliest, self._question.until))

    def from_ledger(self) -> Report:
        """From a fold of the ledger."""
        if self._ruling.asked is not None and self._ruling.replayed:
            given = under(self._ruling.asked, queues=folded_queues(self._reader, self._question.queues))
            # a replay under other rules may leave out what is long over, as a comparison of definitions does
            with closing(self._folded(given, earliest=self._earliest)) as facts:
                return self._composed(facts.in_order())
        with closing(self._folded(None, earliest=0)) as facts:
            rules = self._seen.rules.state
            again = restating(rules.definitions, rules.contracts)
            if again is None:
                return self._composed(facts.in_order())
            with closing(self._restated(again)) as others:
                return self._composed(_each_once(merge(facts.in_order(), others.in_order(), key=session_of)))

    def _folded(self, given: Given | None, *, earliest: int) -> LastWords:
        batches = ledger_batches(self._reader, earliest=earliest, known_at=self._question.known_at, passed=self._passed)
        last = LastWords(self._counts)
        last.take(replay(self._watched(batches), given))
        return last

    def _restated(self, again: Given) -> LastWords:
        """What is said under definitions that restate, of past sessions too."""
        labels = {label_of(each) for each in again.definitions}
        said = replay(ledger_batches(self._reader, known_at=self._question.known_at), again)
        last = LastWords(self._counts)
        last.take(fact for fact in said if isinstance(fact, SessionFact | ResponseFact) and fact.definition in labels)
        return last

    def _watched(self, batches: Iterable[list[Recorded]]) -> Iterator[list[Recorded]]:
        for batch in batches:
            self._observe(batch)
            yield batch

    def _observe(self, entries: Iterable[Recorded]) -> None:
        """Let the report see what it may look at, however much of the ledger was decoded."""
        self._seen.take(
            entry if entry.received_at >= self._earliest or entry.kind in STANDING else replace(entry, body=None)
            for entry in entries
        )

    def _counts(self, fact: Fact) -> bool:
        """Whether a fact may count: a later revision may still move a session over the edge of the table."""
        return self._earliest <= instant_of(fact) < self._question.until + self._settings.lookback_ms

    def _composed(self, facts: Iterable[Fact]) -> Report:
        """facts: in order of `session_of`."""
        ruling = self._ruling
        choosing = Choosing(
            self._seen.rules.state,
            asked=ruling.asked,
            alone=ruling.replayed,
            queues=self._question.queues,
        )
        hours = ServiceHours(ruling.windows)
        idle_ms = self._settings.hands_idle_ms
        composing = Composing(
            self._question, self._frame, hours, choosing, self._seen, self._counted, hands_idle_ms=idle_ms
        )
        composing.add(fact for fact in facts if self._is_looked_at(fact))
        return composing.report()

    def _is_looked_at(self, fact: Fact) -> bool:
        # what people had in hands and on the line when the table begins came to them before
        since = self._earliest if isinstance(fact, LoadChange | LegFact) else self._since
        return since <= instant_of(fact) < self._question.until


def _reaches(stored: StoredFacts, reader: LedgerReader, lag_ms: int) -> bool:
    """Whether facts are of this very ledger, and cover it but for what came in a moment ago."""
    size = reader.size()
    if not 0 < stored.next_index <= size:
        return False
    last = reader.entry(stored.next_index - 1)
    return last.leaf == stored.last_leaf and reader.entry(size - 1).received_at - last.received_at <= lag_ms


def _each_once(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Facts in order of `session_of`, of two with one identity the first."""
    for _, together in groupby(facts, key=session_of):
        once: dict[FactKey, Fact] = {}
        for fact in together:
            once.setdefault(key_of(fact), fact)
        yield from once.values()


def _start(contract: Contract) -> int:
    return contract.effective_from
