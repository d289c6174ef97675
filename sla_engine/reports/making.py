"""A report over one ledger: from the facts an engine has written where they go far enough, else by folding the ledger.

Figures are the same either way. Nothing is written, and no clock is read.
"""

import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple, Protocol

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
from wire.errors import require
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


class Table(NamedTuple):
    """A report that is asked for. counted: told every session that counts, in order of their starts."""

    question: Question
    ruling: Ruling
    counted: Counted | None = None


class Listener(Protocol):
    """Whoever goes through the record and its facts together with reports. lasting: kinds it is told from entry 0 on.

    since, until: it is told facts that are placed within them (ms).
    """

    since: int
    until: int
    lasting: Container[int]

    def start(self) -> None:
        """From entry 0 on; once more where facts turned out to be unreadable."""
        ...

    def hear(self, batch: Sequence[Recorded]) -> None:
        """The next entries. Bodies of what came in before `since` are left out, but for what is lasting."""
        ...

    def begin(self, seen: Observed) -> None:
        """Every entry was heard; now facts come."""
        ...

    def take(self, together: Sequence[Fact]) -> None:
        """The last word on everything said of one session, in order of their starts."""
        ...


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
    (found,) = reports(reader, facts, [Table(question, ruling, counted)], settings, passed)
    return found


def reports(
    reader: LedgerReader,
    facts: Path | None,
    tables: Sequence[Table],
    settings: ReportSettings,
    passed: Passed,
    listener: Listener | None = None,
) -> list[Report]:
    """As `report`, several of one client in one pass over its record. One whose rules are replayed stands alone."""
    replayed = any(table.ruling.replayed for table in tables)
    require(not replayed or (len(tables) == 1 and listener is None), "a replay under other rules stands alone")
    drawn = [_Drawn(table, settings) for table in tables]
    if facts is not None and not replayed and tables[0].question.known_at is None:
        found = stored_facts(facts, reader.ledger_id)
        if found is not None:
            with closing(found), suppress(sqlite3.DatabaseError):  # what cannot be read is folded again
                if _reaches(found, reader, settings.facts_lag_ms):
                    return _Making(reader, drawn, settings, passed, listener).from_stored(found)
    return _Making(reader, drawn, settings, passed, listener).from_ledger()


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


class _Drawn:
    """One table of those being made: what it looks at, and what of the record it has seen."""

    def __init__(self, table: Table, settings: ReportSettings) -> None:
        self.question: Final = table.question
        self.ruling: Final = table.ruling
        self._counted: Final = table.counted
        self._frame: Final = frame_of(self.ruling.frame, self.ruling.contract)
        self._since: Final = reads_from(self.question, self._frame, self.ruling.possible)
        self._hands_idle_ms: Final = settings.hands_idle_ms
        self.earliest: Final = self._since - settings.lookback_ms
        self.sees: Final = (self.question.since, self.question.until, self.earliest)
        """Tables that see the same may see it together."""

    def composing(self, seen: Observed) -> Composing:
        """The report, as facts are added to it."""
        choosing = Choosing(
            seen.rules.state, asked=self.ruling.asked, alone=self.ruling.replayed, queues=self.question.queues
        )
        hours, idle_ms = ServiceHours(self.ruling.windows), self._hands_idle_ms
        return Composing(self.question, self._frame, hours, choosing, seen, self._counted, hands_idle_ms=idle_ms)

    def looks_at(self, fact: Fact) -> bool:
        """Whether a fact may show in it."""
        # what people had in hands and on the line when the table begins came to them before
        since = self.earliest if isinstance(fact, LoadChange | LegFact) else self._since
        return since <= instant_of(fact) < self.question.until


class _Making:
    """Reports being made, all in one pass."""

    def __init__(
        self,
        reader: LedgerReader,
        tables: Sequence[_Drawn],
        settings: ReportSettings,
        passed: Passed,
        listener: Listener | None,
    ) -> None:
        self._reader: Final = reader
        self._tables: Final = tables
        self._passed: Final = passed
        self._listener: Final = listener
        self._lasting: Final[Container[int]] = STANDING if listener is None else listener.lasting
        self._known_at: Final = tables[0].question.known_at
        first = [table.earliest for table in tables]
        last = [table.question.until for table in tables]
        self._until: Final = max([*last, *([] if listener is None else [listener.until])])
        self._earliest: Final = min([*first, *([] if listener is None else [listener.since])])
        # a later revision may still move a session over the edge of a table
        self._kept_until: Final = max(self._until, max(last) + settings.lookback_ms)
        self._seen: Final = {table.sees: Observed(*table.sees[:2]) for table in tables}
        if listener is not None:
            listener.start()

    def from_stored(self, stored: StoredFacts) -> list[Report]:
        """From facts that an engine has written."""
        batches = ledger_batches(self._reader, earliest=self._earliest, lasting=self._lasting, passed=self._passed)
        for batch in batches:
            self._observe([entry for entry in batch if entry.index < stored.next_index])
            if batch[-1].index + 1 >= stored.next_index:
                break
        return self._composed(stored.between(self._earliest, self._until))

    def from_ledger(self) -> list[Report]:
        """From a fold of the ledger."""
        ruling = self._tables[0].ruling
        if ruling.asked is not None and ruling.replayed:
            given = under(ruling.asked, queues=folded_queues(self._reader, self._tables[0].question.queues))
            # a replay under other rules may leave out what is long over, as a comparison of definitions does
            with closing(self._folded(given, earliest=self._earliest)) as facts:
                return self._composed(facts.in_order())
        with closing(self._folded(None, earliest=0)) as facts:
            rules = next(iter(self._seen.values())).rules.state
            again = restating(rules.definitions, rules.contracts)
            if again is None:
                return self._composed(facts.in_order())
            with closing(self._restated(again)) as others:
                return self._composed(_each_once(merge(facts.in_order(), others.in_order(), key=session_of)))

    def _folded(self, given: Given | None, *, earliest: int) -> LastWords:
        batches = ledger_batches(self._reader, earliest=earliest, known_at=self._known_at, passed=self._passed)
        last = LastWords(self._counts)
        last.take(replay(self._watched(batches), given))
        return last

    def _restated(self, again: Given) -> LastWords:
        """What is said under definitions that restate, of past sessions too."""
        labels = {label_of(each) for each in again.definitions}
        said = replay(ledger_batches(self._reader, known_at=self._known_at), again)
        last = LastWords(self._counts)
        last.take(fact for fact in said if isinstance(fact, SessionFact | ResponseFact) and fact.definition in labels)
        return last

    def _watched(self, batches: Iterable[list[Recorded]]) -> Iterator[list[Recorded]]:
        for batch in batches:
            self._observe(batch)
            yield batch

    def _observe(self, batch: list[Recorded]) -> None:
        """Let tables see what they may look at, however much of the ledger was decoded."""
        for (_, _, earliest), seen in self._seen.items():
            seen.take(_since(batch, earliest, STANDING))
        if self._listener is not None:
            self._listener.hear(_since(batch, self._listener.since, self._lasting))

    def _counts(self, fact: Fact) -> bool:
        """Whether a fact may count."""
        return self._earliest <= instant_of(fact) < self._kept_until

    def _composed(self, facts: Iterable[Fact]) -> list[Report]:
        """facts: in order of `session_of`."""
        composing = [(table, table.composing(self._seen[table.sees])) for table in self._tables]
        listener = self._listener
        if listener is not None:
            listener.begin(self._seen[self._tables[0].sees])
        for _, grouped in groupby(facts, key=session_of):
            together = list(grouped)
            for table, report_made in composing:
                report_made.add([fact for fact in together if table.looks_at(fact)])
            if listener is not None and listener.since <= instant_of(together[0]) < listener.until:
                listener.take(together)
        return [report_made.report() for _, report_made in composing]


def _since(batch: Sequence[Recorded], earliest: int, lasting: Container[int]) -> list[Recorded]:
    """The entries, those from before `earliest` (ms) without bodies, but for what is lasting."""
    if batch and batch[0].received_at >= earliest:
        return list(batch)
    return [
        entry
        if entry.body is None or entry.received_at >= earliest or entry.kind in lasting
        else replace(entry, body=None)
        for entry in batch
    ]


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
