"""What a report needs of a ledger beside facts: rules, roster, presences, feeds, and how far the record goes."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from sla_engine._core.coverage import Coverages, CoverageState, union
from sla_engine._core.definition import DefinitionError
from sla_engine._core.feeds import Feeds, FeedsState, any_promises
from sla_engine._core.roster import Roster, RosterState
from sla_engine._core.rules import Rules, RulesState
from sla_engine._core.seats import Seats, SeatsState
from sla_engine._core.watermark import Watermark
from sla_engine.reports._core.handed_on import Arrivals
from sla_engine.reports._core.never_ended import NeverEnded
from wire.conversation import PresenceChanged, QualityScored
from wire.kinds import Kind
from wire.limits import INSTANT_MAX_MS
from wire.organisation import ContractSigned, DefinitionPublished, RosterLink
from wire.record import Clock, Feed, Gone, SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded

LIVE: Final = frozenset({Feed.LIVE, None})
"""An undeclared source counts as live."""


class Told(NamedTuple):
    """A presence and the source that told it."""

    source: str
    change: PresenceChanged


class Observed:
    """Filled by `take` in index order. Instants are ms.

    entries, received_at: how many entries the ledger had, and when the last one came in.
    """

    def __init__(self, since: int, until: int) -> None:
        """[since, until): the time whose conversation events are counted, for what declared losses stand for."""
        self.entries = 0
        self.received_at = 0
        self.rules: Final = Rules(RulesState())
        self.roster: Final = Roster(RosterState())
        self.seats: Final = Seats(SeatsState(), 1)
        self.feeds: Final = Feeds(FeedsState())
        self.coverages: Final = Coverages(CoverageState())
        self.events = 0
        self._watermark: Final = Watermark()
        self._since: Final = since
        self._until: Final = until
        self.checks: Final[list[QualityScored]] = []
        self.arrivals: Final = Arrivals()
        self.never_ended: Final = NeverEnded()
        self._told: Final[list[Told]] = []
        self._sources_of: Final[defaultdict[str, set[str]]] = defaultdict(set)
        self._files: Final[dict[str, tuple[int, int]]] = {}
        """Source -> the first and the last instant it told of."""

    def take(self, batch: Iterable[Recorded]) -> None:
        """Take the next entries in."""
        for entry in batch:
            self.entries = entry.index + 1
            self.received_at = entry.received_at
            if entry.body is not None:
                self._take(entry)

    def presences(self, sources: frozenset[str] | None = None) -> list[PresenceChanged]:
        """Presences in order of event time, ties as entered; only of these sources, None = of all."""
        told = [each.change for each in self._told if sources is None or each.source in sources]
        return sorted(told, key=lambda change: change.occurred_at)

    def presences_until(self, sources: frozenset[str] | None = None) -> int:
        """Up to where (ms) any of these sources tells who is there, None = any at all; 0 where none does."""
        telling = {each.source for each in self._told if sources is None or each.source in sources}
        return max(map(self._known_until, telling), default=0)

    def account_until(self, account: str) -> int:
        """Up to where (ms) what was last told of an account is known to hold, by any source that told of it."""
        return max(map(self._known_until, self._sources_of.get(account, ())), default=0)

    def watermark(self) -> int:
        """Up to where (event time) the record is complete by every source of conversations."""
        return self._watermark.merged[-1]

    def feeding(self, queues: Iterable[str]) -> frozenset[str]:
        """Sources that told of one of these queues."""
        return frozenset(source for queue in queues for source in self.feeds.state.queues.get(queue, ()))

    def measured(self, sources: frozenset[str] | None) -> frozenset[str]:
        """Sources of conversations among these, None = of all, that coverage is of: live ones, and any that lost some.

        One that tells later and says of no loss, as a table of calls cannot, is not provably complete.
        """
        lost = self.coverages.lossy
        return frozenset(
            name
            for name, source in self.feeds.state.sources.items()
            if (source.feed in LIVE or name in lost) and (sources is None or name in sources)
        )

    def any_live(self, sources: frozenset[str]) -> bool:
        """Whether one of these tells at once."""
        return any(self.feeds.state.sources[name].feed in LIVE for name in sources)

    def vouched_for(self, sources: frozenset[str], until: int) -> bool:
        """Whether one of these says that nothing happened before `until`: by its heartbeats, or by its next number."""
        known = self.feeds.state.sources
        if not self.any_live(sources) or any_promises(known[name] for name in sources):
            return True
        return any(known[name].numbered and self._files.get(name, (0, 0))[1] >= until for name in sources)

    def within_told(self, sources: frozenset[str], since: int, until: int) -> tuple[int, int]:
        """As much of [since, until) as coverage can be told of: no more than their files, where none of them is live.

        Empty without any source.
        """
        if self.any_live(sources):
            return since, until
        files = [self._files[name] for name in sources if name in self._files]
        first = min((file[0] for file in files), default=until)
        last = max((file[1] for file in files), default=since)
        return max(since, first), min(until, last)

    def unseen(self, sources: frozenset[str] | None = None) -> list[tuple[int, int]]:
        """When nothing is known of people: what the sources that tell of them said they lost, and all after their end.

        In order, apart.
        """
        tells = {each.source for each in self._told if sources is None or each.source in sources}
        lost = [
            (outage.since, INSTANT_MAX_MS if outage.until is None else outage.until)
            for outage in self.coverages.state.outages
            if outage.source in tells and not outage.silent
        ]
        return union([*lost, (self.presences_until(sources), INSTANT_MAX_MS)])

    def numbered(self, sources: frozenset[str]) -> frozenset[str]:
        """Those of `sources` that number what they tell."""
        return frozenset(name for name in sources if self.feeds.state.sources[name].numbered)

    def _known_until(self, source: str) -> int:
        """A live source that speaks would have told of any change by now; what others did not yet tell is not known."""
        _, heard = self._files[source]
        told = self.feeds.state.sources.get(source)
        if told is None or told.feed in LIVE:
            silent_since = None if told is None else told.silent_since
            return max(heard, self._watermark.clock_at if silent_since is None else silent_since)
        return heard

    def _take(self, entry: Recorded) -> None:
        body = entry.body
        if Kind.OFFERED <= entry.kind < Kind.PRESENCE and body is not None:
            self._hear(entry, body.occurred_at)
            self.arrivals.hear(body)
            self.never_ended.hear(body)
            return
        allowance_ms = self.rules.allowance_ms
        match body:
            case PresenceChanged():
                self._told.append(Told(entry.source, body))
                self._speak(entry.source, body.occurred_at, body.account)
                self._watermark.heard(entry.source, body.occurred_at, allowance_ms)
            case QualityScored():
                self.checks.append(body)
            case Clock():
                self._watermark.clock(body.occurred_at, allowance_ms)
            case SourceDeclared():
                self.feeds.declare(body)
                self.coverages.declare(body)
                self._watermark.declare(body.about_source, body.feed, body.carries, allowance_ms)
            case SourceSilent():
                self.feeds.silence(body)
                self.coverages.silence(body)
                self._watermark.silence(body.about_source, allowance_ms)
            case SourceBack():
                self.feeds.back(body)
                self.coverages.back(body)
                self._watermark.back(body.about_source, body.occurred_at)
            case Gone():
                self.coverages.lose(body)
            case RosterLink():
                self.roster.enter(body)
                self.seats.enter(body)
            case DefinitionPublished() | ContractSigned():
                self._rule(entry, body)
            case _:
                pass

    def _hear(self, entry: Recorded, at: int) -> None:
        self._speak(entry.source, at, getattr(entry.body, "account", ""))
        self._watermark.heard(entry.source, at, self.rules.allowance_ms)
        self.coverages.hear(entry.source, at, proves=self.feeds.proves(entry.source))
        if self._since <= at < self._until:
            self.events += 1
        queue = getattr(entry.body, "queue", "")
        if queue:
            self.feeds.hear(entry, queue)

    def _speak(self, source: str, at: int, account: str) -> None:
        first, last = self._files.get(source, (at, at))
        self._files[source] = (min(first, at), max(last, at))
        if account:
            self._sources_of[account].add(source)

    def _rule(self, entry: Recorded, body: DefinitionPublished | ContractSigned) -> None:
        try:
            if isinstance(body, DefinitionPublished):
                self.rules.publish(body.document, (entry.index, entry.received_at))
            else:
                self.rules.sign(body.document, (entry.index, entry.received_at))
        except DefinitionError:
            return  # the fold refuses it as well, and counts that
