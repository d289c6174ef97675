"""The series cap: ids beyond it are summed into one, so that a roster gone wild cannot drown the monitoring."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypedDict

from dashboards.catalogue import OTHER
from dashboards.snapshot import LedgerFigures
from wire.board import AgentCount, Detail, Figures, Histogram, Mean, Ratio, Tile, Totals, Waiting

Key = tuple[str, str]


class Cap:
    """Which ids of one scope have series of their own: the first come keep them for as long as they exist.

    An id that is itself called `other` never has: its series would be taken for the sum.
    """

    def __init__(self, ids_max: int) -> None:
        self._ids_max = ids_max
        self._own: set[Key] = set()

    def own(self, keys: Iterable[Key]) -> set[Key]:
        """Those of `keys` with series of their own. Ids that are gone make room for others."""
        present = {key for key in keys if key[1] != OTHER}
        self._own &= present
        room = self._ids_max - len(self._own)
        if room > 0:
            self._own.update(sorted(present - self._own)[:room])
        return self._own


def split(tiles: Sequence[Tile], cap: Cap) -> tuple[Sequence[Tile], int]:
    """The tiles to show, the last being the sum of those beyond the cap, if any; and how many were summed."""
    own = cap.own((tile.client, tile.id) for tile in tiles)
    if len(own) == len(tiles):
        return tiles, 0
    shown = [tile for tile in tiles if (tile.client, tile.id) in own]
    rest = [tile for tile in tiles if (tile.client, tile.id) not in own]
    return [*shown, sum_of(rest)] if rest else shown, len(rest)


def split_ledgers(ledgers: Sequence[LedgerFigures], cap: Cap) -> tuple[Sequence[LedgerFigures], int]:
    """As `split`, for ledgers."""
    own = cap.own(("", figures.ledger) for figures in ledgers)
    shown = [figures for figures in ledgers if ("", figures.ledger) in own]
    rest = [figures for figures in ledgers if ("", figures.ledger) not in own]
    if rest:
        entries = sum(figures.entries for figures in rest)
        folded = sum(figures.entries if figures.folded is None else figures.folded for figures in rest)
        anomalies: Counter[str] = Counter()
        for figures in rest:
            anomalies.update(figures.anomalies)
        shown.append(LedgerFigures(ledger=OTHER, entries=entries, folded=folded, anomalies=anomalies))
    return shown, len(rest)


def sum_of(tiles: Sequence[Tile]) -> Tile:
    """One tile named `other` holding the sums of `tiles` (at least one); waits are the longest of any."""
    totals = [tile.totals for tile in tiles if tile.totals is not None]
    return Tile(
        scope=tiles[0].scope,
        id=OTHER,
        client=OTHER,
        name=OTHER,
        feed=None,
        live=_sum_waiting([tile.live for tile in tiles if tile.live is not None]),
        interval=_sum_figures([tile.interval for tile in tiles]),
        day=_sum_figures([tile.day for tile in tiles]),
        agents=_sum_agents(count for tile in tiles for count in tile.agents),
        stale_since=max((tile.stale_since for tile in tiles if tile.stale_since is not None), default=None),
        totals=_sum_totals(totals) if totals else None,
        saturation=_sum_ratios([tile.saturation for tile in tiles]),
        occupancy=_sum_ratios([tile.occupancy for tile in tiles]),
    )


def _sum_waiting(parts: Sequence[Waiting]) -> Waiting | None:
    if not parts:
        return None
    oldest = min((p for p in parts if p.oldest_since is not None), key=lambda p: p.oldest_since or 0, default=None)
    return Waiting(
        waiting=sum(p.waiting for p in parts),
        overdue=sum(p.overdue for p in parts),
        oldest_since=None if oldest is None else oldest.oldest_since,
        next_due_at=min((p.next_due_at for p in parts if p.next_due_at is not None), default=None),
        open=sum(p.open for p in parts),
        overdue_since=min((p.overdue_since for p in parts if p.overdue_since is not None), default=None),
        oldest_due_at=None if oldest is None else oldest.oldest_due_at,
        due_soon=sum(p.due_soon for p in parts),
    )


class _Sessions(TypedDict):
    """How sessions ended, of a window and of all time alike."""

    offered: int
    answered: int
    abandoned: int
    short_abandoned: int
    unanswered: int
    excluded: int


def _sum_sessions(parts: Sequence[Figures] | Sequence[Totals]) -> _Sessions:
    return _Sessions(
        offered=sum(p.offered for p in parts),
        answered=sum(p.answered for p in parts),
        abandoned=sum(p.abandoned for p in parts),
        short_abandoned=sum(p.short_abandoned for p in parts),
        unanswered=sum(p.unanswered for p in parts),
        excluded=sum(p.excluded for p in parts),
    )


def _sum_figures(parts: Sequence[Figures]) -> Figures:
    return Figures(
        **_sum_sessions(parts),
        attainment=Ratio(sum(p.attainment.part for p in parts), sum(p.attainment.whole for p in parts)),
        average_response=_sum_means([p.average_response for p in parts]),
        detail=Detail(
            near_limit=sum(p.detail.near_limit for p in parts),
            nobody_online=sum(p.detail.nobody_online for p in parts),
            not_served=sum(p.detail.not_served for p in parts),
        ),
    )


def _sum_totals(parts: Sequence[Totals]) -> Totals:
    histograms = [p.first_response for p in parts]
    return Totals(
        **_sum_sessions(parts),
        met=sum(p.met for p in parts),
        judged=sum(p.judged for p in parts),
        first_response=Histogram(
            counts=tuple(map(sum, zip(*(h.counts for h in histograms), strict=True))),
            total_ms=sum(h.total_ms for h in histograms),
        ),
        response=_sum_means([p.response for p in parts]),
    )


def _sum_ratios(parts: Sequence[Ratio | None]) -> Ratio | None:
    there = [p for p in parts if p is not None]
    return Ratio(sum(p.part for p in there), sum(p.whole for p in there)) if there else None


def _sum_means(parts: Sequence[Mean]) -> Mean:
    return Mean(sum(p.total_ms for p in parts), sum(p.count for p in parts))


def _sum_agents(counts: Iterable[AgentCount]) -> list[AgentCount]:
    people: dict[tuple[str, str], int] = {}
    for count in counts:
        key = (count.presence, count.activity)
        people[key] = people.get(key, 0) + count.people
    return [AgentCount(presence, activity, number) for (presence, activity), number in sorted(people.items())]
