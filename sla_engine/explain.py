"""One conversation from a client's ledger: what was told of it, what the engine says, and the rules it rests on.

The ledger is read twice: once for what was told of the conversation, undecoded otherwise; once by the engine's own
`step`, in a shard that holds hardly anything else, since facts are the same for every number of shards.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from ledger.entry import StoredEntry
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from sla_engine._core.applied import Applied
from sla_engine._core.case import TOLD, Case, Clock, instant_of
from sla_engine._core.choices import ClockDomains, ServiceLevelFormula
from sla_engine._core.contract import Contract
from sla_engine._core.contributions import figure_rule, queue_time_ms
from sla_engine._core.definition import Definition, canonical, definition_hash, label_of
from sla_engine._core.engine import definitions_of, live, new_shard, shard_of
from sla_engine._core.reasons import reasons
from sla_engine._core.result import LiveConversation
from sla_engine._core.shard import Shard
from sla_engine.replay import (
    READ_AT_ONCE,
    RULES,
    STANDING,
    Replay,
    last_facts,
    ledger_batches,
    restating,
    rules_entered,
    under,
)
from wire.conversation import Channel, Offered
from wire.kinds import Kind
from wire.record import Feed, Gone, Quarantined, SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded
from wire.verdict import Fact, LegFact, LoadChange, ResponseFact, SessionFact

# Batch: any number of shards says the same.
_SHARDS: Final = 1 << 32
"""So many that a shard holds one customer's conversations and next to nothing else."""
_ABOUT_CONVERSATIONS: Final = range(Kind.OFFERED, Kind.PRESENCE)
_ABOUT_THE_RECORD: Final = frozenset({Kind.DATA_GAP, Kind.QUARANTINED, Kind.SOURCE_SILENT, Kind.SOURCE_BACK})
_LASTING: Final = STANDING | {Kind.PRESENCE}
Passed = Callable[[int], None]


class Silence(msgspec.Struct, frozen=True):
    """A feed was silent from `since` to `until`, ms; None = still at the end of the ledger."""

    source: str
    since: int
    until: int | None


class Record(msgspec.Struct, frozen=True):
    """What the ledger holds and what it says is missing, within the time asked for (instants in ms, by receipt).

    lost: events that their sources declared gone for good. quarantined: entries that were not taken; of them,
    `naming_it` are the indexes of those that name the conversation.
    """

    entries: int
    first_at: int | None
    last_at: int | None
    gaps: int
    lost: int
    quarantined: int
    naming_it: tuple[int, ...]
    silences: tuple[Silence, ...]


class ServiceLevelWait(msgspec.Struct, frozen=True):
    """What the service level makes of a session. Durations in ms; is_within: by the definition's `boundary`."""

    formula: ServiceLevelFormula
    threshold_ms: int
    wait_ms: int
    is_within: bool


class Session(msgspec.Struct, frozen=True):
    """One session as its definition sees it. number: from 1. fact: the last word. said: every revision, in order.

    contract: what put the definition in force for it, None where another one was asked for. service_level: None where
    it is not in it (yet): see queue_time_ms.
    """

    number: int
    definition: Definition
    definition_sha256: str
    contract: Contract | None
    fact: SessionFact
    said: tuple[SessionFact, ...]
    turns: tuple[ResponseFact, ...]
    legs: tuple[LegFact, ...]
    customer_clock: Clock | None
    seat_clock: Clock | None
    service_level: ServiceLevelWait | None
    rules: tuple[Applied, ...]


class Explanation(msgspec.Struct, frozen=True):
    """told: entries about the conversation by event time, the earlier entered first. sessions: judged ones, in order.

    imported_from: sources that tell a day late as a rule, such as imported files; nothing of theirs is late. stands:
    how it stands at the end of the ledger, None where it was let go of; a session that nothing is said of yet is only
    there. is_ruled: whether any contract was in force when something happened to it, or a definition was asked for.
    stands_under: the definition that `stands` goes by.
    """

    conversation: str
    told: tuple[Recorded, ...]
    sessions: tuple[Session, ...]
    stands: LiveConversation | None
    record: Record
    imported_from: tuple[str, ...] = ()
    is_ruled: bool = True
    stands_under: Definition | None = None

    def is_call(self, at: int) -> bool:
        """Whether it was a voice call by `at` (ms)."""
        offers = (entry.body for entry in self.told if isinstance(entry.body, Offered))
        return any(offer.channel is Channel.VOICE and offer.occurred_at <= at for offer in offers)


class Found(msgspec.Struct, frozen=True):
    """What the first reading finds."""

    told: tuple[Recorded, ...]
    definitions: tuple[Definition, ...]
    contracts: tuple[Contract, ...]
    record: Record
    imported_from: tuple[str, ...]


def explain(
    reader: LedgerReader,
    conversation: str,
    *,
    asked: Definition | None = None,
    within: tuple[int, int] | None = None,
    lookback_ms: int,
    passed: Passed | None = None,
) -> Explanation:
    """What became of a conversation and why, under the definition in force for each session, or the one `asked` for.

    within: [start, end) in ms, limits what `record` says, not what is explained. lookback_ms: how long before the
    conversation's first entry the engine begins to read. passed: told how many entries have been read, over both
    readings. Raises LedgerCorrupt.
    """
    found = find(reader, conversation, within=within, passed=passed)
    if not found.told:
        return Explanation(conversation, (), (), None, found.record)
    size = reader.size()
    given = restating(found.definitions, found.contracts) if asked is None else under(asked)
    fold = Replay(given, shard=_shard_of(conversation, found.told))
    facts = [
        fact
        for batch in ledger_batches(
            reader,
            earliest=_earliest(found, asked, lookback_ms),
            lasting=_LASTING,
            passed=None if passed is None else lambda index: passed(size + index),
        )
        for fact in fold.fold(batch)
        if fact.conversation == conversation
    ]
    sessions = _sessions(fold.shard, facts, found, asked)
    stands = live(fold.shard, conversation)
    is_ruled = asked is not None or any(
        contract.in_force(instant_of(entry)) for contract in found.contracts for entry in found.told
    )
    stands_under = None if stands is None else _by_label(found, asked).get(stands.definition)
    told = (conversation, found.told, sessions, stands, found.record, found.imported_from)
    return Explanation(*told, is_ruled, stands_under)


def find(
    reader: LedgerReader, conversation: str, *, within: tuple[int, int] | None = None, passed: Passed | None = None
) -> Found:
    """The entries that tell of a conversation, the rules entered, and what the record says of itself."""
    needle = conversation.encode()
    told: list[Recorded] = []
    rules: list[Recorded] = []
    feeds: dict[str, Feed] = {}
    record = _RecordSums(needle, within)
    index = 0
    while stored := reader.read(index, READ_AT_ONCE):
        for entry in stored:
            if entry.kind in _ABOUT_CONVERSATIONS:
                if entry.body is not None and needle in entry.body:
                    told.append(recorded(entry))
            elif entry.kind in RULES:
                rules.append(recorded(entry))
            elif entry.kind == Kind.SOURCE_DECLARED and isinstance(body := recorded(entry).body, SourceDeclared):
                feeds[body.about_source] = body.feed
            record.take(entry)
        index += len(stored)
        if passed is not None:
            passed(index)
    about_it = [entry for entry in told if isinstance(entry.body, TOLD) and entry.body.conversation == conversation]
    about_it.sort(key=instant_of)
    definitions, contracts = rules_entered([rules])
    imported = sorted({e.source for e in about_it if feeds.get(e.source) is Feed.DAILY})
    return Found(tuple(about_it), tuple(definitions), tuple(contracts), record.result(), tuple(imported))


class _RecordSums:
    def __init__(self, needle: bytes, within: tuple[int, int] | None) -> None:
        self._needle = needle
        self._within = within
        self._entries = self._gaps = self._lost = self._quarantined = 0
        self._first_at: int | None = None
        self._last_at: int | None = None
        self._naming: list[int] = []
        self._silent: dict[str, int] = {}
        self._silences: list[Silence] = []

    def take(self, entry: StoredEntry) -> None:
        body = recorded(entry).body if entry.kind in _ABOUT_THE_RECORD else None
        if isinstance(body, SourceSilent):
            self._silent[body.about_source] = body.heard_at
        elif isinstance(body, SourceBack):
            since = self._silent.pop(body.about_source, None)
            if since is not None and self._overlaps(since, body.occurred_at):
                self._silences.append(Silence(body.about_source, since, body.occurred_at))
        elif isinstance(body, Gone) and self._overlaps(*_lost_within(body, entry.received_at)):
            self._gaps += 1
            self._lost += body.count
        if isinstance(body, Quarantined) and self._needle in body.raw:
            self._naming.append(entry.index)
        if not self._overlaps(entry.received_at, entry.received_at + 1):
            return
        self._entries += 1
        self._first_at = entry.received_at if self._first_at is None else self._first_at
        self._last_at = entry.received_at
        if isinstance(body, Quarantined):
            self._quarantined += 1

    def _overlaps(self, start: int, end: int) -> bool:
        return self._within is None or (start < self._within[1] and self._within[0] < end)

    def result(self) -> Record:
        lasting = [
            Silence(source, since, None)
            for source, since in self._silent.items()
            if self._within is None or since < self._within[1]
        ]
        return Record(
            self._entries,
            self._first_at,
            self._last_at,
            self._gaps,
            self._lost,
            self._quarantined,
            tuple(self._naming),
            (*self._silences, *lasting),
        )


def _lost_within(gap: Gone, received_at: int) -> tuple[int, int]:
    """When a declared gap was; of one whose source did not know, when it was declared."""
    since, until = gap.since or received_at, gap.until or received_at
    return since, max(until, since + 1)


def _earliest(found: Found, asked: Definition | None, lookback_ms: int) -> int:
    """The instant of receipt from which on the fold needs everything."""
    rules = found.definitions if asked is None else (*found.definitions, asked)
    if any(each.clock_domains is ClockDomains.ESTIMATED_OFFSET for each in rules):
        return 0  # how far clocks are apart is told by everything heard so far
    return min(entry.received_at for entry in found.told) - lookback_ms


def _shard_of(conversation: str, told: Iterable[Recorded]) -> Shard:
    """A shard with the conversation in it. Where its events do not agree on a shard key, the one that has all."""
    keys = {entry.body.shard_key or conversation for entry in told if entry.body is not None}
    if len(keys) == 1:
        return new_shard(shard_of(keys.pop(), _SHARDS), _SHARDS)
    return new_shard()


def _by_label(found: Found, asked: Definition | None) -> dict[str, Definition]:
    return {label_of(each): each for each in (*found.definitions, *([] if asked is None else [asked]))}


def _sessions(shard: Shard, facts: list[Fact], found: Found, asked: Definition | None) -> tuple[Session, ...]:
    last = last_facts(facts).values()
    labels = _by_label(found, asked)
    chosen = _chosen(shard, [fact for fact in last if isinstance(fact, SessionFact)], labels, asked)
    starts = sorted(fact.started_at for fact in chosen.values() if not fact.void)
    sessions: list[Session] = []
    for number, fact in sorted(chosen.items()):
        until = next((start for start in starts if start > fact.started_at), None)
        mine = [
            each
            for each in last
            if not isinstance(each, LoadChange) and each.session == number and not (each.void and each is not fact)
        ]
        turns = tuple(each for each in mine if isinstance(each, ResponseFact) and each.definition == fact.definition)
        legs = tuple(each for each in mine if isinstance(each, LegFact))
        said = tuple(
            each
            for each in facts
            if isinstance(each, SessionFact) and (each.session, each.definition) == (number, fact.definition)
        )
        case = Case(labels[fact.definition], fact, found.told, until=until, turns=turns, legs=legs)
        contract = None if asked is not None else _contract_of(found.contracts, fact, case.definition)
        sessions.append(_session(len(sessions) + 1, case, said, contract))
    return tuple(sessions)


def _contract_of(contracts: Iterable[Contract], fact: SessionFact, definition: Definition) -> Contract | None:
    """The latest of the contracts that name the definition and cover the session."""
    at = fact.started_at
    naming = [each for each in contracts if definition.name in each.definitions and each.covers(fact.queue)]
    return max((each for each in naming if each.in_force(at)), key=lambda each: each.effective_from, default=None)


def _session(number: int, case: Case, said: tuple[SessionFact, ...], contract: Contract | None) -> Session:
    fact, definition = case.fact, case.definition
    return Session(
        number=number,
        definition=definition,
        definition_sha256=definition_hash(canonical(definition)),
        contract=contract,
        fact=fact,
        said=said,
        turns=tuple(case.turns),
        legs=tuple(case.legs),
        customer_clock=None if fact.void else case.customer_clock(),
        seat_clock=None if fact.void else case.seat_clock(),
        service_level=None if fact.void else _service_level(fact, definition),
        rules=() if fact.void else tuple(reasons(case)),
    )


def _service_level(fact: SessionFact, definition: Definition) -> ServiceLevelWait | None:
    waited = queue_time_ms(fact)
    if waited is None:
        return None
    rule = figure_rule(definition, fact.definition)
    return ServiceLevelWait(rule.formula, rule.threshold_ms, waited, rule.within(waited, rule.threshold_ms))


def _chosen(
    shard: Shard, facts: list[SessionFact], labels: dict[str, Definition], asked: Definition | None
) -> dict[int, SessionFact]:
    """Of each session the fact under the definition asked for, else under the primary one in force at its start."""
    by_session: dict[int, list[SessionFact]] = {}
    for fact in facts:
        if fact.definition in labels and (asked is None or fact.definition == label_of(asked)):
            by_session.setdefault(fact.session, []).append(fact)
    labelled = {fact.definition for fact in facts}
    chosen = {}
    for number, said in by_session.items():
        in_force = definitions_of(shard, said[0].queue, said[0].started_at)
        primary = label_of(in_force[0]) if in_force else ""
        if asked is not None or primary not in labelled:  # such as before a version that does not restate was entered
            primary = said[0].definition
        held = next((fact for fact in said if fact.definition == primary), None)
        if held is not None:
            chosen[number] = held
    return chosen
