"""Why each miss of a client was one: its ledger folded once more, beside what it says of incidents, people and load.

A table beside the facts: it changes no verdict. Whether a contract excuses a cause is decided elsewhere.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sla_engine._core.attribution import OPEN_END, AfterLimits, Held, Miss, Trace, trace
from sla_engine._core.choices import ClockDomains
from sla_engine._core.circumstances import Circumstances, LoadLimits
from sla_engine._core.roster import Roster
from sla_engine.replay import STANDING, Given, Replay, entered_rules, last_facts, ledger_batches, restating
from sla_engine.runners.lookup import Lookup
from sla_engine.runners.tail import EntryReader
from sla_engine.stays import NeverLeft, Stay
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.verdict import Fact, LegFact, LoadChange, SessionFact, Verdict

_HALF: Final = 2
LASTING: Final = STANDING | {Kind.PRESENCE, Kind.INCIDENT, Kind.SOURCE_SILENT, Kind.SOURCE_BACK}
"""Kinds of which everything matters that was ever told."""


class CauseLimits(NamedTuple):
    """Thresholds: what is load, and what follows a trouble."""

    load: LoadLimits
    after: AfterLimits


class Caused(NamedTuple):
    """A miss and why."""

    fact: SessionFact
    trace: Trace


def causes_in(reader: EntryReader, since: int, until: int, limits: CauseLimits, *, lookback_ms: int) -> list[Caused]:
    """Every missed first response of sessions that began within [since, until), ms, in order.

    lookback_ms: how long before `since` the engine begins to read; what lasts is read from the beginning. Raises
    LedgerCorrupt.
    """
    definitions, contracts = entered_rules(reader)
    estimated = any(each.clock_domains is ClockDomains.ESTIMATED_OFFSET for each in definitions)
    earliest = 0 if estimated else max(0, since - lookback_ms)  # offsets are told by everything heard so far
    batches = ledger_batches(reader, earliest=earliest, lasting=LASTING)
    return causes(batches, since, until, limits, restating(definitions, contracts))


def causes(
    batches: Iterable[Sequence[Recorded]], since: int, until: int, limits: CauseLimits, given: Given | None = None
) -> list[Caused]:
    """As `causes_in`, over the entries of a ledger from its first on. given: rules that restate."""
    fold = Replay(given)
    finding = CauseFinding(limits)
    facts: list[Fact] = []
    for batch in batches:
        facts += fold.fold(batch)
        finding.hear(batch)
    last = last_facts(facts).values()
    for session in _primary(fold, [fact for fact in last if isinstance(fact, SessionFact) and not fact.void]):
        finding.count(session)
    finding.take(fact for fact in last if isinstance(fact, LegFact | LoadChange))
    return finding.found(since, until, fold.shard.roster)


class CauseFinding:
    """Hears a ledger's entries, then its facts; then says why misses were misses."""

    def __init__(self, limits: CauseLimits) -> None:
        self._limits: Final = limits
        self._circumstances: Final = Circumstances(limits.load)
        self._never_left: Final = NeverLeft()
        self._sessions: Final[list[SessionFact]] = []
        self._legs: Final[list[LegFact]] = []
        self._loads: Final[list[LoadChange]] = []
        self._ends_at = 0

    def hear(self, batch: Iterable[Recorded]) -> None:
        """The next entries, in order."""
        for entry in batch:
            self._circumstances.take(entry)
            if entry.body is not None:
                self._never_left.hear(entry.body)
            self._ends_at = entry.received_at

    def count(self, session: SessionFact) -> None:
        """A session, as the definition sees it under which figures count it."""
        self._sessions.append(session)

    def take(self, facts: Iterable[Fact]) -> None:
        """The last word on what people had in hands; of other facts nothing."""
        for fact in facts:
            if isinstance(fact, LoadChange):
                self._loads.append(fact)
            elif isinstance(fact, LegFact) and not fact.void:
                self._legs.append(fact)

    def found(self, since: int, until: int, roster: Roster) -> list[Caused]:
        """Every missed first response of sessions that began within [since, until), ms, in order."""
        sessions, idle_ms = self._sessions, self._limits.load.hands_idle_ms
        stays = [
            Stay(fact.conversation, fact.session, fact.queue, _held(fact, roster), fact.replied_at)
            for fact in self._legs
        ]
        queues = {(fact.conversation, fact.session): fact.queue for fact in sessions}
        stays += self._never_left.stays(self._loads, queues, roster.place, idle_ms, self._ends_at)
        arrivals: dict[str, list[int]] = defaultdict(list)
        for fact in sessions:
            arrivals[fact.queue].append(fact.started_at)
        stays.sort(key=lambda stay: (stay.held.since, stay.conversation, stay.session))
        impaired = self._circumstances.impaired([stay.held for stay in stays], arrivals)
        misses = _Misses(stays, self._circumstances, self._ends_at)
        return [
            Caused(fact, trace(misses.of(fact), impaired, self._limits.after))
            for fact in sorted(sessions, key=lambda each: (each.started_at, each.conversation))
            if fact.verdict is Verdict.BREACHED and since <= fact.started_at < until
        ]


def _primary(fold: Replay, facts: list[SessionFact]) -> list[SessionFact]:
    """Of each session the fact that figures count: of the primary definition, or of the version of it that it keeps."""
    lookup = Lookup(fold.shard)
    found = []
    for fact in facts:
        shown = lookup.shown_of(fact.queue, fact.started_at, fact.session)
        if shown and shown[0].named(fact.definition) is not None:
            found.append(fact)
    return found


class _Misses:
    """Makes a miss of a fact, with what its legs tell."""

    def __init__(self, stays: list[Stay], circumstances: Circumstances, ends_at: int) -> None:
        """stays: in order of their start."""
        self._circumstances = circumstances
        self._ends_at = ends_at
        self._stays: dict[tuple[str, int], list[Held]] = defaultdict(list)
        sites: dict[str, Counter[str]] = defaultdict(Counter)
        peers: dict[str, dict[str, Held]] = defaultdict(dict)
        self._replies: dict[str, list[int]] = defaultdict(list)
        self._of_account: dict[str, list[Stay]] = defaultdict(list)
        for stay in stays:
            held = stay.held
            self._stays[stay.conversation, stay.session].append(held)
            sites[stay.queue][held.site] += 1
            self._of_account[held.account].append(stay)
            peers[stay.queue].setdefault(held.account, held)
            if stay.replied_at is not None:
                insort(self._replies[held.account], stay.replied_at)
        self._peers = {queue: tuple(each.values()) for queue, each in peers.items()}
        self._home = {
            queue: frozenset(site for site, count in counts.items() if count * _HALF >= counts.total())
            for queue, counts in sites.items()
        }

    def of(self, fact: SessionFact) -> Miss:
        """The miss. A session that never ended waits until the end of the record."""
        since = fact.started_at if fact.clock_started_at is None else fact.clock_started_at
        if fact.first_response_ms is not None:
            until = since + fact.first_response_ms
        elif fact.waited_ms is not None:
            until = since + fact.waited_ms
        else:
            until = self._ends_at if fact.ended_at is None else fact.ended_at
        until = max(until, fact.due_at)
        return Miss(
            conversation=fact.conversation,
            session=fact.session,
            queue=fact.queue,
            source=self._circumstances.source_of.get(fact.conversation, ""),
            voice=fact.voice,
            since=since,
            due_at=fact.due_at,
            until=until,
            held=tuple(self._stays[fact.conversation, fact.session]),
            home_sites=self._home.get(fact.queue, frozenset()),
            alone_since=self._alone_since(fact, since, until),
            ahead=self._ahead(fact.place.account, since),
            busy_since=self._busy_since(fact.place.account, since),
            before=self._before(fact, since, until),
            peers=self._peers.get(fact.queue, ()),
            presences_told=self._circumstances.presences_told,
        )

    def _alone_since(self, fact: SessionFact, since: int, until: int) -> int:
        """When whoever replied had last replied to somebody else; a reply that never came was always behind others."""
        if fact.first_response_ms is None:
            return OPEN_END
        replies = self._replies[fact.place.account]
        before = bisect_left(replies, until)
        return max(since, replies[before - 1]) if before else since

    def _busy_since(self, account: str, at: int) -> int:
        """From when on, without a pause, somebody waited for this account's reply at `at`."""
        since = at
        for stay in reversed(self._begun(account, at)):
            if stay.held.since < since <= stay.owed_until:
                since = stay.held.since
        return since

    def _before(self, fact: SessionFact, since: int, until: int) -> tuple[tuple[int, int], ...]:
        """Others whom whoever replied answered within (since, until): when each stay began, and its reply."""
        told = (
            (stay.replied_at, stay.held.since)
            for stay in self._of_account[fact.place.account]
            if stay.replied_at is not None
            and since < stay.replied_at < until
            and stay.conversation != fact.conversation
        )
        return tuple((started_at, replied_at) for replied_at, started_at in sorted(told))

    def _ahead(self, account: str, at: int) -> int:
        """How many customers an account owed a first reply when one more came."""
        return sum(stay.held.since < at < stay.owed_until for stay in self._begun(account, at))

    def _begun(self, account: str, until: int) -> list[Stay]:
        """Stays in this account's hands that began before `until` (ms), in order."""
        stays = self._of_account[account]
        return stays[: bisect_left(stays, until, key=lambda stay: stay.held.since)]


def _held(leg: LegFact, roster: Roster) -> Held:
    place = roster.by_now(leg.place, leg.ended_at)
    return Held(place.account, place.seat, place.site, leg.started_at, leg.ended_at)
