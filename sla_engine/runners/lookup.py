"""What the second stage asks of the first: rules, places and targets, as a shard knows them by now."""

from collections.abc import Iterable
from typing import Final

from sla_engine._core.client import Primary
from sla_engine._core.contract import BASIS_POINTS
from sla_engine._core.engine import Shard, contracts_of, definitions_of, label_of, place_of, watermark
from sla_engine._core.windows import WindowCalendar, ZoneTable, calendar_of, zone_of
from wire.board import Ratio
from wire.record import Feed
from wire.verdict import Place


class Lookup:
    """Answers of one shard; labels are computed once per definition."""

    def __init__(self, shard: Shard) -> None:
        self._shard: Final = shard
        self._primaries: dict[int, Primary] = {}
        self._zones: dict[str, ZoneTable] = {}

    def primary_of(self, queue: str, at: int) -> Primary | None:
        """The definition whose figures `queue` shows for sessions that start at `at` (ms)."""
        found = definitions_of(self._shard, queue, at)
        if not found:
            return None
        definition = found[0]
        primary = self._primaries.get(id(definition))
        if primary is None:
            # the shard keeps its definitions for ever, so an id stays the same object's
            primary = self._primaries[id(definition)] = Primary(label_of(definition), definition)
        return primary

    def place_of(self, account: str, at: int) -> Place:
        """Where an account works at `at` (ms)."""
        return place_of(self._shard, account, at)

    def target_of(self, queue: str, at: int) -> Ratio | None:
        """What the first contract of `queue` asks for at `at`; None where it states nothing, or nothing yet."""
        contracts, primary = contracts_of(self._shard, queue, at), self.primary_of(queue, at)
        if not contracts or primary is None:
            return None
        zone = self._zones.get(primary.label)
        if zone is None:
            zone = self._zones[primary.label] = zone_of(primary.definition)
        target_bp = contracts[0].target_bp(at, zone)
        return None if target_bp is None else Ratio(target_bp, BASIS_POINTS)

    def calendar(self, queues: Iterable[str], at: int, default: WindowCalendar) -> WindowCalendar:
        """Windows of the first queue, by id, that has a definition at `at`; `default` where none has."""
        for queue in sorted(queues):
            primary = self.primary_of(queue, at)
            if primary is not None:
                return calendar_of(primary.definition, default.interval_ms)
        return default

    def live_watermark(self) -> int | None:
        """Up to where the record is complete by what is told live; by everything where nothing is."""
        mark = watermark(self._shard, Feed.LIVE)
        return watermark(self._shard) if mark is None else mark
