"""The board of a past instant, from the ledgers alone. docs/reference/board.md says the same for its readers.

Two questions, told apart by how much may be known:

* What was true at T (`known_at` None, or later than T): every event that had happened by T counts, whenever it came
  in, in order of event time. Nothing that happened later counts. Time is T: who has not been answered by then and was
  due before it is overdue, and its session counts as missed.
* What the screen showed at T (`known_at` at or before T): only entries received by `known_at`, in the order they came
  in, judged as far as the record was known to be complete.

Rosters and declared sources hold by their own effective dates: for what was true, they may have been entered later. So
may a definition that restates (E18), and contracts that name it. Other rules judge the sessions they judged when these
came in, so that a board shows what the facts say.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ledger.entry import StoredEntry
from ledger.errors import LedgerMissing
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from sla_engine._core.client import Change, ClientState, TileSettings
from sla_engine._core.coverage import Coverages, CoverageState
from sla_engine._core.day_curve import client_curves, starts_of
from sla_engine._core.engine import live, new_shard, open_conversations, step
from sla_engine._core.remembered import RecordCounts, count_entry
from sla_engine._core.shard import Shard, Told
from sla_engine._core.sites import SiteLimits, fold_sites, new_sites, site_tiles
from sla_engine._core.tiles import ClientPart, OperatorPart, client_part, compose
from sla_engine._core.windows import WindowCalendar
from sla_engine.facts_store import FactKey, key_of, revision_of
from sla_engine.incident_log import gathered
from sla_engine.replay import Replay, restating, rules_entered, undecoded
from sla_engine.runners.lookup import Lookup
from wire.board import Board, Tile
from wire.day_curve import Curve, DayCurve, Trouble
from wire.ids import OPERATOR
from wire.incident import Cause, IncidentSaid
from wire.kinds import Kind
from wire.limits import INSTANT_MAX_MS
from wire.record import Clock
from wire.recorded import Recorded
from wire.scope import EVERYTHING, Scope
from wire.verdict import Fact, LoadChange

CLIENTS: Final = "clients"
# Batch: entries of one read.
_READ_AT_ONCE: Final = 2_000
STANDING: Final = frozenset({Kind.ROSTER_LINK, Kind.DEFINITION, Kind.CONTRACT, Kind.SOURCE_DECLARED})
"""Kinds that hold by dates of their own, not by when they were written down."""
_OF_A_SITE: Final = frozenset({Cause.SITE_POWER, Cause.UPLINK, Cause.PHONE_LINE, Cause.SITE_SILENT})
"""Causes that many people at a site feel at once."""
_RULES: Final = frozenset({Kind.ROSTER_LINK, Kind.DEFINITION, Kind.CONTRACT})


class BoardAtSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, from `[board]` in defaults.toml.

    lookback_ms: events longer before the instant than this are not read. calendar: windows of a client without rules.
    """

    lookback_ms: int
    calendar: WindowCalendar
    limits: SiteLimits
    tiles: TileSettings


class _Question(NamedTuple):
    at: int
    known_at: int | None
    lookback_ms: int

    @property
    def hindsight(self) -> bool:
        """Whether what came in later is known."""
        return self.known_at is None or self.known_at > self.at


def board(
    data_directory: Path,
    at: int,
    known_at: int | None = None,
    scope: Scope = EVERYTHING,
    *,
    settings: BoardAtSettings,
) -> Board:
    """The board at instant `at` (ms), as far as known at `known_at` (ms; None = by now). See the module.

    data_directory: holds `operator/` and `clients/<client>/`, each a ledger; a missing one is empty. Only clients and
    sites that `scope` sees are read. Raises LedgerCorrupt when a ledger cannot be read.
    """
    question = _Question(at, known_at, settings.lookback_ms)
    ledgers = data_directory / CLIENTS
    names = sorted(path.name for path in ledgers.iterdir() if path.is_dir()) if ledgers.is_dir() else []
    parts = [
        _client(client, _entries(ledgers / client, question), question, settings)
        for client in names
        if scope.sees_client(client)
    ]
    operator = _operator(_entries(data_directory / OPERATOR, question), question, settings, scope)
    return compose([_seen(part, scope) for part in parts], operator, computed_at=at)


def day_curve(data_directory: Path, until: int, span_ms: int, *, settings: BoardAtSettings) -> DayCurve:
    """How the last `span_ms` up to `until` (ms) went, by intervals, with all that is known by now. For every reader.

    Figures are those of `board` at `until`: an interval's sums over a business day are that day's. Windows are those of
    the first client by id. Raises LedgerCorrupt.
    """
    question = _Question(until, None, settings.lookback_ms)
    ledgers = data_directory / CLIENTS
    names = sorted(path.name for path in ledgers.iterdir() if path.is_dir()) if ledgers.is_dir() else []
    starts: list[int] = []
    curves: list[Curve] = []
    for client in names:
        made = _made(client, _entries(ledgers / client, question), question, settings)
        starts = starts or starts_of(made.state, until - span_ms, until)
        curves.extend(client_curves(made.state, made.lookup.promise_of, made.coverages, starts))
    since = starts[0] if starts else settings.calendar.interval_start(until - span_ms)
    troubles = list(_troubles(data_directory / OPERATOR, since, question))
    return DayCurve(since, until, settings.calendar.interval_ms, curves, troubles)


def _troubles(directory: Path, since: int, question: _Question) -> Iterator[Trouble]:
    """Incidents of sites as a whole that lasted at some time from `since` on, the oldest first."""
    said = (entry for entry in _entries(directory, question) if isinstance(entry.body, IncidentSaid))
    newest = [incident.newest for incident in gathered(said).values()]
    for each in sorted(newest, key=attrgetter("started_at")):
        if each.cause in _OF_A_SITE and (each.ended_at is None or each.ended_at > since):
            yield Trouble(
                site=each.site,
                name=each.site,
                cause=each.cause,
                word=each.word,
                about=each.about,
                is_planned=each.is_planned,
                started_at=each.started_at,
                ended_at=each.ended_at,
            )


class _Made(NamedTuple):
    """One client at the instant asked about. coverages: with the outages of days that are over, too."""

    state: ClientState
    lookup: Lookup
    coverages: Coverages


def _client(client: str, entries: list[Recorded], question: _Question, settings: BoardAtSettings) -> ClientPart:
    made = _made(client, entries, question, settings)
    return client_part(made.state, made.lookup.promise_of)


def _made(client: str, entries: list[Recorded], question: _Question, settings: BoardAtSettings) -> _Made:
    shard = new_shard()
    facts = _fold(shard, entries, question)
    lookup = Lookup(shard)
    observed = ClientState(client, settings.calendar, lookup.shown_of, lookup.place_of, settings.tiles)
    observed.observe(entries)
    told = observed.coverages.state
    coverages = Coverages(CoverageState(list(told.outages), first_heard=told.first_heard))
    calendar = lookup.calendar(observed.feeds.queues(), question.at, settings.calendar)
    state = ClientState(
        client,
        calendar,
        lookup.shown_of,
        lookup.place_of,
        settings.tiles,
        observed.remembered(),
        hindsight=question.hindsight,
    )
    state.advance(question.at, None)
    for conversation in open_conversations(shard):
        state.stand(conversation, live(shard, conversation))
    state.change(Change(fact, None) for fact in facts.values() if not isinstance(fact, LoadChange))
    loads = [fact for fact in facts.values() if isinstance(fact, LoadChange) and fact.at >= state.book.day_start]
    state.restore_loads(sorted(loads, key=lambda load: load.at))
    state.advance(question.at, lookup.live_watermark())
    return _Made(state, lookup, coverages)


def _fold(shard: Shard, entries: list[Recorded], question: _Question) -> dict[FactKey, Fact]:
    """Every fact at its last revision."""
    facts: dict[FactKey, Fact] = {}
    if not question.hindsight:
        _fold_run(facts, shard, entries, question)
        return facts
    rules = [entry for entry in entries if entry.kind in _RULES]
    events = [entry for entry in entries if isinstance(entry.body, Told)]
    events.sort(key=_occurred_at)
    for entry in entries:
        if entry.body is None and entry.kind == Kind.QUEUED:
            shard.online.told_queue(entry.source)
    entered = _enter(shard, rules, question)
    shown = max(rule.known for rule in entered if rule.received_at <= question.at)
    for known, run in groupby(_with_rules_known(events, entered), key=itemgetter(1)):
        shard.rules.known = known
        _fold_run(facts, shard, [entry for entry, _ in run], question)
        shown = max(shown, known)
    shard.rules.known = shown
    # nothing of before `at` is outstanding any more: the record is complete up to it
    complete_at = question.at + shard.rules.allowance_ms
    body = Clock(complete_at, 1, "", None, True, "")  # noqa: FBT003 - the head of every body
    _fold_run(facts, shard, [Recorded(0, complete_at, "~clock", bytes(16), 0, Kind.CLOCK, 1, body)], question)
    return facts


class _Entered(NamedTuple):
    """An entry of a rule. place: its index. known: how many rules count from there on."""

    place: int
    received_at: int
    known: int


def _enter(shard: Shard, rules: list[Recorded], question: _Question) -> list[_Entered]:
    """Take in rules and rosters, those first that hold whenever they were entered."""
    Replay(restating(*rules_entered([rules])), shard=shard)
    entered = [_Entered(-1, 0, shard.rules.known)]
    for entry in rules:
        _fold_run({}, shard, [entry], question)
        entered.append(_Entered(entry.index, entry.received_at, shard.rules.known))
    # all of them stand before every event now: what a session knew is told by when they came in alone
    state = shard.rules.state
    state.entered = [(place if place < 0 else INSTANT_MAX_MS, received_at) for place, received_at in state.entered]
    return entered


def _with_rules_known(events: list[Recorded], entered: list[_Entered]) -> list[tuple[Recorded, int]]:
    """Each event, and how many rules count for it: as in history.py, no more than for what happened later."""
    found: list[tuple[Recorded, int]] = []
    least: dict[str, int] = {}
    for entry in reversed(events):
        known = entered[bisect_left(entered, (entry.index,)) - 1].known
        conversation = getattr(entry.body, "conversation", "")
        least[conversation] = min(known, least.get(conversation, known))
        found.append((entry, least[conversation]))
    return found[::-1]


def _fold_run(facts: dict[FactKey, Fact], shard: Shard, run: Iterable[Recorded], question: _Question) -> None:
    """Fold entries as the next ones of a ledger of their own.

    Declarations, clocks and silences say how long to wait for what is late; hindsight has nothing to wait for.
    """
    first = shard.next_index
    folded = [msgspec.structs.replace(entry, index=index) for index, entry in enumerate(run, first)]
    for start in range(0, len(folded), _READ_AT_ONCE):
        _keep(facts, step(shard, folded[start : start + _READ_AT_ONCE], question.at).facts)


def _keep(facts: dict[FactKey, Fact], said: list[Fact]) -> None:
    for fact in said:
        key = key_of(fact)
        held = facts.get(key)
        if held is None or isinstance(fact, LoadChange) or revision_of(fact) > revision_of(held):
            facts[key] = fact


def _operator(entries: list[Recorded], question: _Question, settings: BoardAtSettings, scope: Scope) -> OperatorPart:
    sites, counts = new_sites(settings.limits), RecordCounts()
    if question.hindsight:
        # what a probe told later it told of then
        entries = [msgspec.structs.replace(entry, received_at=_occurred_at(entry)) for entry in entries]
        entries.sort(key=_occurred_at)
    fold_sites(sites, entries)
    for entry in entries:
        count_entry(counts, entry.kind)
    tiles = [tile for tile in site_tiles(sites) if scope.sees_site(tile.id)]
    return OperatorPart(question.at, tiles, counts, sites.strangers if scope == EVERYTHING else [])


def _entries(directory: Path, question: _Question) -> list[Recorded]:
    """The entries of one ledger that the question lets count, in the order they came in."""
    try:
        reader = LedgerReader.open(directory)
    except LedgerMissing:
        return []
    try:
        return list(_counting(_stored(reader), question))
    finally:
        reader.close()


def _stored(reader: LedgerReader) -> Iterator[StoredEntry]:
    index = 0
    while batch := reader.read(index, _READ_AT_ONCE):
        yield from batch
        index += len(batch)


def _counting(stored_entries: Iterator[StoredEntry], question: _Question) -> Iterator[Recorded]:
    earliest = question.at - question.lookback_ms
    tell_queue: set[str] = set()
    for stored in stored_entries:
        if question.known_at is not None and stored.received_at > question.known_at:
            return
        standing = stored.kind in STANDING
        # nothing happens after it came in, so that what came in too early need not be decoded
        if standing or stored.received_at >= earliest:
            entry = recorded(stored)
            if standing or not question.hindsight or earliest <= _occurred_at(entry) <= question.at:
                yield entry
        elif stored.kind == Kind.QUEUED and stored.source not in tell_queue:
            tell_queue.add(stored.source)
            yield undecoded(stored)  # its source is one that tells the queue (E1)


def _occurred_at(entry: Recorded) -> int:
    return entry.received_at if entry.body is None else entry.body.occurred_at


def _seen(part: ClientPart, scope: Scope) -> ClientPart:
    """Without the figures of sites this reader may not see."""
    sites: list[Tile] = [tile for tile in part.sites if scope.sees_site(tile.id)]
    return part._replace(sites=sites)
