"""What the second stage asks of the first: rules, places and targets, as a shard knows them by now."""

from collections.abc import Collection, Iterable
from typing import Final

from sla_engine._core.calendar import Calendar
from sla_engine._core.contract import BASIS_POINTS
from sla_engine._core.definition import Definition
from sla_engine._core.engine import (
    Shard,
    contracts_of,
    definitions_of,
    earlier_versions,
    former_primary,
    label_of,
    place_of,
    warnings_of,
    watermark,
)
from sla_engine._core.shown import Shown
from sla_engine._core.tiles import Promise
from sla_engine._core.windows import WindowCalendar, calendar_of
from wire.board import Ratio
from wire.record import Feed
from wire.verdict import Place


class Lookup:
    """Answers of one shard; labels are computed once per set of definitions."""

    def __init__(self, shard: Shard) -> None:
        self._shard: Final = shard
        self._shown: dict[int, Shown] = {}
        self._entered = 0
        self._calendars: dict[str, Calendar] = {}

    def shown_of(self, queue: str, at: int, session: int | None = None) -> tuple[Shown, ...]:
        """The definitions whose figures `queue` shows for sessions that start at `at` (ms), the primary one first.

        session: number of the one asked about, None = one that opens now. Where it opened under another primary one,
        that comes first, before those of today.
        """
        entered = len(self._shard.rules.rules)
        if self._entered != entered:
            self._entered = entered
            self._shown.clear()
        today = tuple(map(self._named, definitions_of(self._shard, queue, at)))
        former = None if session is None else former_primary(self._shard, queue, at, session)
        return today if former is None else (self._named(former), *today)

    def _named(self, definition: Definition) -> Shown:
        shown = self._shown.get(id(definition))
        if shown is None:
            earlier = (Shown(label_of(each), each) for each in earlier_versions(self._shard, definition))
            # the shard keeps its definitions for ever, so an id stays the same object's
            shown = self._shown[id(definition)] = Shown(label_of(definition), definition, tuple(earlier))
        return shown

    def place_of(self, account: str, at: int) -> Place:
        """Where an account works at `at` (ms)."""
        return place_of(self._shard, account, at)

    def on_roster(self) -> Collection[str]:
        """Every sub-account the roster ever named."""
        return self._shard.roster.accounts()

    def promise_of(self, queue: str, at: int) -> Promise:
        """What the first contract of `queue` asks for at `at`, with the limit of a session that opens then."""
        contracts, shown = contracts_of(self._shard, queue, at), self.shown_of(queue, at)
        if not contracts or not shown:
            return Promise(None, None, None)
        primary = shown[0]
        calendar = self._calendars.get(primary.label)
        if calendar is None:
            calendar = self._calendars[primary.label] = Calendar(primary.definition)
        target_bp = contracts[0].target_bp(at, calendar)
        target = None if target_bp is None else Ratio(target_bp, BASIS_POINTS)
        return Promise(target, calendar.limit_of(at), warnings_of(self._shard, queue, at)[0])

    def calendar(self, queues: Iterable[str], at: int, default: WindowCalendar) -> WindowCalendar:
        """Windows of the first queue, by id, that has a definition at `at`; `default` where none has."""
        for queue in sorted(queues):
            shown = self.shown_of(queue, at)
            if shown:
                return calendar_of(shown[0].definition, default.interval_ms)
        return default

    def live_watermark(self) -> int | None:
        """Up to where the record is complete by what is told live; by everything where nothing is."""
        mark = watermark(self._shard, Feed.LIVE)
        return watermark(self._shard) if mark is None else mark
