"""How far the record is complete: a mark per conversation source, merged by minimum, silence explicit.

A live source's mark follows the clock entries, an allowance behind. A delayed or daily source's mark is the latest
event it told. A silent source holds nothing back. Conversations told live are judged by the marks of live sources
alone: a feed that delivers once a day delays only what depends on it. A merged mark never moves back.
"""

from typing import Final

import msgspec

from sla_engine._core.limits import NOT_YET
from wire.record import Feed

FEEDS: Final = (Feed.LIVE, Feed.DELAYED, Feed.DAILY)
LIVE: Final = 0
CONVERSATIONS: Final = "conversations"


class SourceMark(msgspec.Struct, array_like=True, gc=False):
    """One source of conversations.

    Hold_until: after a silence, the mark waits until the clock, less the allowance, gets here.
    """

    feed: int = LIVE
    mark: int = NOT_YET
    silent: bool = False
    hold_until: int = NOT_YET


class Watermark(msgspec.Struct):
    """Marks by source, and merged: merged[i] takes in the feeds up to FEEDS[i]. clock_at: the latest clock entry."""

    sources: dict[str, SourceMark] = {}
    merged: list[int] = msgspec.field(default_factory=lambda: [NOT_YET] * len(FEEDS))
    clock_at: int = NOT_YET

    def declare(self, source: str, feed: Feed, carries: str, allowance_ms: int) -> None:
        """A source is known from here on. One that carries no conversations holds no verdict back."""
        if carries != CONVERSATIONS:
            return
        held = self.sources.setdefault(source, SourceMark())
        held.feed = FEEDS.index(feed)
        self.advance(allowance_ms)

    def heard(self, source: str, at: int, allowance_ms: int) -> SourceMark:
        """A source told an event of `at`. An undeclared source counts as live."""
        held = self.sources.get(source)
        if held is None:
            held = self.sources[source] = SourceMark()
        if held.feed != LIVE and at > held.mark:
            held.mark = at
            self.advance(allowance_ms)
        return held

    def clock(self, at: int, allowance_ms: int) -> None:
        """The hub's time passes."""
        if at > self.clock_at:
            self.clock_at = at
            self.advance(allowance_ms)

    def silence(self, source: str, allowance_ms: int) -> None:
        """A source missed its heartbeats: it holds nothing back until it speaks again."""
        held = self.sources.get(source)
        if held is not None:
            held.silent = True
            self.advance(allowance_ms)

    def back(self, source: str, at: int) -> None:
        """A silent source spoke again: what it kept has one allowance of time to come in."""
        held = self.sources.get(source)
        if held is not None and held.silent:
            held.silent = False
            held.hold_until = at

    def advance(self, allowance_ms: int) -> None:
        """Merge anew. With every source of a class silent, its mark stays where it is: nobody knows better."""
        by_clock = self.clock_at - allowance_ms
        for source in self.sources.values():
            if source.feed == LIVE and not source.silent and by_clock >= source.hold_until and by_clock > source.mark:
                source.mark = by_clock
        for limit in range(len(FEEDS)):
            marks = [s.mark for s in self.sources.values() if not s.silent and s.feed <= limit]
            if marks:
                self.merged[limit] = max(self.merged[limit], min(marks))
