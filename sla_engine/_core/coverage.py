"""How much of the service window every live feed was provably there, and what the rest could make of a rate.

Before the first sign of any live feed nothing was there; of one that cannot number, the first sign is when it was
heard, not what it told of before. A feed is not there while it is silent, whatever it tells afterwards, and where it
declared that it lost something: from the last event before that to the first one after it, unless it knows the time
itself.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

import msgspec

from wire.board import Coverage, Ratio, Unbounded
from wire.record import Feed, Gone, SourceBack, SourceDeclared, SourceSilent


class Outage(msgspec.Struct, array_like=True):
    """A time in which a feed was not provably there. until: None while it lasts. lost: events it says are gone.

    silent: it missed its heartbeats, or the hub was off; otherwise it lost events.
    """

    source: str
    since: int
    until: int | None
    lost: int
    silent: bool


class CoverageState(msgspec.Struct):
    """Outages in the order they were told, and what says how far each source has come.

    heard: source -> its last event (ms). open_gaps: sources whose loss lasts until their next event. events: of
    conversations since the record began. first_heard: the first sign of any live feed, None before it.
    """

    outages: list[Outage] = []
    heard: dict[str, int] = {}
    open_gaps: dict[str, int] = {}
    events: int = 0
    first_heard: int | None = None


OpenMs = Callable[[int, int], int]
"""How long the service window is open within [since, until), ms."""


class Coverages:
    """The outages of one client's feeds since the day began."""

    def __init__(self, state: CoverageState) -> None:
        self.state: Final = state
        self._lasting: Final[dict[tuple[str, bool], list[Outage]]] = {}
        for outage in state.outages:
            if outage.until is None:
                self._lasting.setdefault((outage.source, outage.silent), []).append(outage)
        self.lossy: Final = {outage.source for outage in state.outages if not outage.silent}
        """Sources that lost events in one of the outages, or in one that is over and done with."""

    def hear(self, source: str, at: int, *, proves: bool) -> None:
        """An event of a conversation at `at` (event time). proves: it shows that the feed was there then."""
        state = self.state
        state.events += 1
        if proves:
            self._sign(at)
        if state.heard.get(source, 0) < at:
            state.heard[source] = at
            if source in state.open_gaps:
                self._end(source, at, silent=False)
                del state.open_gaps[source]

    def declare(self, body: SourceDeclared) -> None:
        """A source spoke for the first time, or says something else of itself."""
        if body.feed is Feed.LIVE:
            self._sign(body.occurred_at)

    def silence(self, body: SourceSilent) -> None:
        """A source fell silent."""
        self._sign(body.heard_at)
        self._begin(Outage(body.about_source, body.heard_at, None, 0, silent=True))

    def back(self, body: SourceBack) -> None:
        """A silent source spoke again."""
        self._end(body.about_source, body.occurred_at, silent=True)

    def lose(self, body: Gone) -> None:
        """A source lost events for good. Where it knows since or until when, it is believed."""
        source = body.about_source
        since = body.since or self.state.heard.get(source)
        if since is None:  # nothing was ever told, so that nothing says since when
            since = body.until or body.occurred_at
        self.lossy.add(source)
        if body.until:
            self.state.outages.append(Outage(source, since, body.until, body.count, silent=False))
            return
        self.state.open_gaps[source] = since
        for outage in self._lasting.get((source, False), ())[-1:]:
            if outage.since == since and outage.lost and body.count:  # a loss told in many pieces is one outage
                outage.lost += body.count
                return
        self._begin(Outage(source, since, None, body.count, silent=False))

    def begin(self, start: int) -> None:
        """A day starts at `start` (ms): what ended before it is over and done with."""
        outages = self.state.outages
        outages[:] = [outage for outage in outages if outage.until is None or outage.until > start]

    def covered(self, sources: Collection[str], since: int, until: int, open_ms: OpenMs) -> Ratio:
        """Ms covered of ms of window within [since, until); no window yet = no data."""
        whole = open_ms(since, until)
        spans = [
            (max(outage.since, since), until if outage.until is None else min(outage.until, until))
            for outage in self.state.outages
            if outage.source in sources
        ]
        first = self.state.first_heard
        spans.append((since, until if first is None else min(first, until)))
        return Ratio(whole - sum(open_ms(*span) for span in union(spans)), whole)

    def missing_sessions(
        self, numbered: Collection[str], sources: Collection[str], sessions: int, since: int
    ) -> int | Unbounded:
        """How many sessions the declared losses stand for, by the events that `sessions` of the whole record had.

        Or why nobody can say; since: from when on (ms) that is asked.
        """
        lost = 0
        for outage in self.state.outages:
            if outage.source in sources:
                if outage.silent and outage.until is None:
                    return Unbounded.STILL_SILENT
                if not outage.silent and outage.lost == 0:
                    return Unbounded.NOT_COUNTED
                if outage.source not in numbered:
                    return Unbounded.NOT_NUMBERED
                lost += outage.lost
        first = self.state.first_heard
        if (first is None or first > since) and any(source not in numbered for source in sources):
            return Unbounded.NOT_NUMBERED
        if lost == 0:
            return 0
        if self.state.events == 0 or sessions == 0:
            return Unbounded.NOTHING_TOLD
        return -(-lost * sessions // self.state.events)

    def _sign(self, at: int) -> None:
        first = self.state.first_heard
        if first is None or at < first:
            self.state.first_heard = at

    def _begin(self, outage: Outage) -> None:
        self.state.outages.append(outage)
        self._lasting.setdefault((outage.source, outage.silent), []).append(outage)

    def _end(self, source: str, at: int, *, silent: bool) -> None:
        for outage in self._lasting.pop((source, silent), ()):
            outage.until = at


def union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, apart from each other; empty ones left out."""
    found: list[tuple[int, int]] = []
    for since, until in sorted(spans):
        if until <= since:
            continue
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def bounded(time: Ratio, attainment: Ratio, missing: int | Unbounded) -> Coverage:
    """A coverage with what the rate would be had everything missing been missed, and been met."""
    if isinstance(missing, Unbounded):
        return Coverage(time, None, None, None, missing)
    whole = attainment.whole + missing
    return Coverage(time, missing, Ratio(attainment.part, whole), Ratio(attainment.part + missing, whole))
