"""What a service page shows beside its reports, gathered in one pass with them: sessions, causes, incidents."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from ledger.reader import LedgerReader
from ledger.recorded import recorded
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.roster import Roster, RosterState
from sla_engine.causes import LASTING, Caused, CauseFinding, CauseLimits
from sla_engine.facts_store import instant_of
from sla_engine.replay import READ_AT_ONCE
from sla_engine.reports._core.choosing import Choosing, Judged
from sla_engine.reports._core.observed import Observed
from wire.incident import IncidentSaid
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.verdict import Fact, ResponseFact, SessionFact

Within = tuple[int, int]
"""[since, until), ms."""


class NewestIncidents:
    """The last word on each incident that a client's record was told of."""

    def __init__(self) -> None:
        self._newest: Final[dict[str, IncidentSaid]] = {}

    def hear(self, entries: Iterable[Recorded]) -> None:
        """The next entries."""
        for entry in entries:
            body = entry.body
            if isinstance(body, IncidentSaid):
                held = self._newest.get(body.incident)
                if held is None or body.revision >= held.revision:
                    self._newest[body.incident] = body

    def touching(self, within: Within) -> list[IncidentSaid]:
        """Those that lasted at some time of it."""
        return [
            each
            for each in self._newest.values()
            if each.started_at < within[1] and (each.ended_at is None or each.ended_at > within[0])
        ]


def incidents_told(reader: LedgerReader, within: Within) -> list[IncidentSaid]:
    """Of a whole ledger, where nothing else of it is read."""
    found = NewestIncidents()
    index = 0
    while stored := reader.read(index, READ_AT_ONCE):
        found.hear(recorded(entry) for entry in stored if entry.kind == Kind.INCIDENT)
        index += len(stored)
    return found.touching(within)


class Gathering:
    """Implements sla_engine.reports.making.Listener. `sessions` are of `shown`, and in order."""

    lasting: Container[int] = LASTING

    def __init__(
        self,
        span: Within,
        shown: Sequence[Within],
        queue: str,
        limits: CauseLimits,
        all_heard: Callable[[], None],
        *,
        lookback_ms: int,
    ) -> None:
        """shown: times whose sessions are wanted. queue: "" = all. lookback_ms: what matters before and after a miss.

        all_heard: told when every entry was, and figures are made.

        What people did longer before the span, or after it, made none of its sessions late.
        """
        self._span: Final = span
        self._shown: Final = shown
        self._queue: Final = queue
        self._limits: Final = limits
        self._all_heard: Final = all_heard
        self._causes: Final = (span[0] - lookback_ms, span[1] + lookback_ms)
        self.since: int = min(self._causes[0], *(since for since, _ in shown))
        self.until: int = max(self._causes[1], *(until for _, until in shown))
        self.start()

    def start(self) -> None:
        """From entry 0 on; once more where facts turned out to be unreadable."""
        self.sessions: list[SessionFact] = []
        self._incidents = NewestIncidents()
        self._finding = CauseFinding(self._limits)
        self._roster = Roster(RosterState())
        self._of_queue: Choosing | None = None
        self._of_all: Choosing | None = None

    def hear(self, batch: Sequence[Recorded]) -> None:
        """The next entries."""
        self._finding.hear(batch)
        self._incidents.hear(batch)

    def begin(self, seen: Observed) -> None:
        """Every entry was heard; now facts come."""
        self._all_heard()
        self._roster = seen.roster
        self._of_all = Choosing(seen.rules.state, asked=None, alone=False, queues=(EVERY_QUEUE,))
        self._of_queue = self._of_all
        if self._queue:
            self._of_queue = Choosing(seen.rules.state, asked=None, alone=False, queues=(self._queue,))

    def take(self, together: Sequence[Fact]) -> None:
        """The last word on everything said of one session, in order of their starts."""
        judged = [fact for fact in together if isinstance(fact, SessionFact | ResponseFact)]
        of_all = list(self._counted(self._of_all, judged))
        of_queue = of_all if self._of_queue is self._of_all else self._counted(self._of_queue, judged)
        for session in of_queue:
            if any(since <= session.started_at < until for since, until in self._shown):
                self.sessions.append(session)
        if self._causes[0] <= instant_of(together[0]) < self._causes[1]:
            for session in of_all:
                self._finding.count(session)
            self._finding.take(together)

    def caused(self) -> tuple[Caused, ...]:
        """Why the misses of the span were misses, in order."""
        found = self._finding.found(*self._span, self._roster)
        return tuple(each for each in found if self._queue in ("", each.fact.queue))

    def incidents(self) -> tuple[IncidentSaid, ...]:
        """Those that touched the span."""
        return tuple(self._incidents.touching(self._span))

    def _counted(self, choosing: Choosing | None, judged: Sequence[Judged]) -> Iterator[SessionFact]:
        """Of one session what figures count, placed as the roster has it by now."""
        version = choosing.chosen(judged) if choosing is not None and judged else None
        for fact in judged:
            if version is None or fact.definition != version.label or fact.void:
                continue
            if isinstance(fact, SessionFact):
                place = self._roster.by_now(fact.place, fact.started_at)
                yield fact if place == fact.place else replace(fact, place=place)
