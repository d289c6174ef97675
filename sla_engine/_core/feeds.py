"""Sources of one ledger: how soon they tell, whether they number, since when they are silent, what they feed."""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from wire.record import Feed, SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded

_SOONEST: Final = (Feed.LIVE, Feed.DELAYED, Feed.DAILY)


class Source(msgspec.Struct, array_like=True):
    """feed: None = never declared. silent_since: hub's ms it was last heard, None = not silent.

    promises: it said how often it speaks, so that its silence would be known.
    """

    feed: Feed | None = None
    numbered: bool = True
    silent_since: int | None = None
    promises: bool = False


class FeedsState(msgspec.Struct):
    """Every source by id, and the sources of every queue."""

    sources: dict[str, Source] = {}
    queues: dict[str, set[str]] = {}


class Feeds:
    """How far a tile can be trusted, from what its sources declared and when they were heard."""

    def __init__(self, state: FeedsState, *, hindsight: bool = False) -> None:
        """hindsight: what is told the day after is known by now."""
        self.state: Final = state
        self._hindsight: Final = hindsight

    def declare(self, body: SourceDeclared) -> None:
        """A source is known from here on. Declaring it again replaces what it said before."""
        if body.carries == "conversations":
            known = self.state.sources.get(body.about_source)
            since = None if known is None else known.silent_since
            self.state.sources[body.about_source] = Source(body.feed, body.numbered, since, body.heartbeat_ms > 0)

    def silence(self, body: SourceSilent) -> None:
        """A source fell silent."""
        source = self.state.sources.get(body.about_source)
        if source is not None:
            source.silent_since = body.heard_at

    def back(self, body: SourceBack) -> None:
        """A silent source spoke again."""
        source = self.state.sources.get(body.about_source)
        if source is not None:
            source.silent_since = None

    def hear(self, entry: Recorded, queue: str) -> bool:
        """A source told of a queue. True when that was not known before."""
        if entry.source in self.state.queues.get(queue, ()):
            return False
        self.state.sources.setdefault(entry.source, Source())
        self.state.queues.setdefault(queue, set()).add(entry.source)
        return True

    def proves(self, source: str) -> bool:
        """Whether an event of `source` shows that it was there then: it tells at once, and numbers what it tells."""
        known = self.state.sources.get(source)
        return known is None or (known.feed in (Feed.LIVE, None) and known.numbered)

    def tells_of_now(self, source: str) -> bool:
        """Whether what a source told last may still hold; what one tells the day after is over by then."""
        known = self.state.sources.get(source)
        return self._hindsight or known is None or known.feed is not Feed.DAILY

    def queues(self) -> Collection[str]:
        """Every queue some source told of."""
        return self.state.queues.keys()

    def of_queue(self, queue: str) -> list[Source]:
        """Sources that told of `queue`."""
        return [self.state.sources[source] for source in self.state.queues.get(queue, ())]

    def all(self) -> list[Source]:
        """Every source of conversations."""
        return list(self.state.sources.values())


def best_feed(sources: Collection[Source]) -> Feed | None:
    """The soonest of what these sources declared; None when none of them declared anything."""
    return min((s.feed for s in sources if s.feed is not None), key=_SOONEST.index, default=None)


def any_promises(sources: Iterable[Source]) -> bool:
    """Whether one of these sources would be known to be gone: without it, nobody knows that nothing happened."""
    return any(s.promises for s in sources)


def stale_since(sources: Collection[Source]) -> int | None:
    """Since when all of these sources are silent (hub's ms), None while one of them speaks."""
    silent = [s.silent_since for s in sources if s.silent_since is not None]
    return max(silent) if silent and len(silent) == len(sources) else None


def unsequenced(sources: Collection[Source]) -> bool:
    """Whether one of these sources cannot number, so that a missing event would go unnoticed."""
    return any(not s.numbered for s in sources)
