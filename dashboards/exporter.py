"""/metrics: a prometheus-client collector that reads one snapshot per scrape and counts nothing itself.

A custom collector instead of `labels().inc()` per event: events cost nothing, and a scrape shows one instant. It must
be cheap because it blocks the event loop; bench/bench_wallboard.py holds it to its limit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from time import perf_counter
from typing import Final

from prometheus_client import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from dashboards import catalogue as c
from dashboards.exposition import LabelCache, write
from dashboards.folding import Cap, split, split_ledgers
from dashboards.snapshot import Distribution, IntakeFigures, LedgerFigures, ScreenFigures, Snapshot
from wire.board import RESPONSE_EDGES_MS, AgentCount, Board, Figures, SiteTile, Tile, Totals
from wire.facility import Comms, Power

_ON_BATTERY: Final = frozenset({Power.BATTERY, Power.CRITICAL})
_PRESENCES: Final = frozenset(c.LABEL_VALUES["presence"])
_ACTIVITIES: Final = frozenset(c.LABEL_VALUES["activity"])
_REASONS: Final = frozenset(c.LABEL_VALUES["reason"])
_LABEL_SETS_KEPT: Final = 4
"""Label sets are remembered up to this many times what one scrape used; only memory depends on it."""


class Families:
    """The families of one scrape, filled sample by sample."""

    def __init__(self, labels: LabelCache) -> None:
        self._labels = labels
        self._families: dict[str, Family] = {}
        self.series = 0

    def add(self, metric: c.Metric, values: tuple[str, ...], number: float, suffix: str = "", le: str = "") -> None:
        """One sample of `metric`; `values` in the order of its labels. `le` is a histogram bucket's edge."""
        family = self._families.get(metric.name)
        if family is None:
            family = self._families[metric.name] = Family(metric.name, metric.help, metric.type, metric.unit)
        names = metric.labels
        if le:
            names, values = (*names, "le"), (*values, le)
        family.samples.append(Sample(metric.name + suffix, self._labels.get(names, values), number))
        self.series += 1

    def count(self, metric: c.Metric, values: tuple[str, ...], number: int) -> None:
        """One sample of a counter."""
        self.add(metric, values, number, "_total")

    def histogram(self, metric: c.Metric, values: tuple[str, ...], shape: Distribution) -> None:
        """Cumulative buckets, sum and count."""
        running = list(accumulate(shape.counts))
        for edge, below in zip(shape.edges_ms, running, strict=False):
            self.add(metric, values, below, "_bucket", str(edge / 1000))
        self.add(metric, values, running[-1], "_bucket", "+Inf")
        self.add(metric, values, running[-1], "_count")
        self.add(metric, values, shape.total_ms / 1000, "_sum")

    def in_order(self) -> Iterator[Family]:
        """The families in the catalogue's order."""
        return (self._families[name] for name in c.CATALOGUE if name in self._families)


class Exporter(Collector):
    """Collects from `snapshot`, which is called once per scrape.

    ids_max: ids of one scope (queues, teams, sites, ledgers) with series of their own; the rest are summed as `other`.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], *, version: str, ids_max: int) -> None:
        self._snapshot = snapshot
        self._version = version
        self._labels = LabelCache()
        self._caps = {scope: Cap(ids_max) for scope in c.SCOPES}
        self._last_scrape_s = 0.0

    def collect(self) -> Iterable[Family]:
        """The families of this instant, in the catalogue's order."""
        return self._gather(self._snapshot()).in_order()

    def render(self, *, openmetrics: bool) -> bytes:
        """The exposition as text. Takes as long as `seatwatch_scrape_duration_seconds` of the next scrape says."""
        started = perf_counter()
        text = write(self.collect(), openmetrics=openmetrics)
        self._last_scrape_s = perf_counter() - started
        return text

    def _gather(self, snapshot: Snapshot) -> Families:
        families = Families(self._labels)
        if snapshot.board is not None:
            self._board(families, snapshot.board, snapshot.now_ms)
        if snapshot.intake is not None:
            _intake(families, snapshot.intake)
        ledgers, summed = split_ledgers(snapshot.ledgers, self._caps["ledger"])
        families.add(c.IDS_CAPPED, ("ledger",), summed)
        _ledgers(families, ledgers)
        if snapshot.screens is not None:
            _screens(families, snapshot.screens)
        families.add(c.SCRAPE_SECONDS, (), self._last_scrape_s)
        families.add(c.BUILD, (self._version,), 1, "_info")
        self._labels.keep_at_most(families.series * _LABEL_SETS_KEPT)
        return families

    def _board(self, families: Families, board: Board, now_ms: int) -> None:
        families.add(c.BOARD_AGE, (), max(0, now_ms - board.computed_at) / 1000)
        families.add(c.BOARD_AS_OF, (), board.as_of / 1000)
        for tile in self._capped(families, "queue", board.queues):
            _queue(families, tile, board.as_of)
        for tile in self._capped(families, "team", board.teams):
            _team(families, tile)
        own = self._caps["site"].own(("", site.id) for site in board.sites)
        rest = [site for site in board.sites if ("", site.id) not in own]
        for site in board.sites:
            if ("", site.id) in own:
                _site(families, site)
        if rest:
            _other_sites(families, rest)
        families.add(c.IDS_CAPPED, ("site",), len(rest))

    def _capped(self, families: Families, scope: str, tiles: Sequence[Tile]) -> Sequence[Tile]:
        shown, summed = split(tiles, self._caps[scope])
        families.add(c.IDS_CAPPED, (scope,), summed)
        return shown


def _queue(families: Families, tile: Tile, as_of: int) -> None:
    key = (tile.client, tile.id)
    if tile.live is not None:
        since = tile.live.oldest_since
        families.add(c.WAITING, key, tile.live.waiting)
        families.add(c.OVERDUE, key, tile.live.overdue)
        families.add(c.OPEN, key, tile.live.open)
        families.add(c.OLDEST_WAIT, key, 0 if since is None else max(0, as_of - since) / 1000)
    families.add(c.FEED_STALE, key, int(tile.stale_since is not None))
    _window(families, (*key, "interval"), tile.interval)
    _window(families, (*key, "day"), tile.day)
    _agents(families, c.AGENTS, key, tile.agents)
    if tile.totals is not None:
        _totals(families, key, tile.totals)


def _window(families: Families, key: tuple[str, ...], figures: Figures) -> None:
    families.add(c.OFFERED, key, figures.offered)
    for outcome in c.OUTCOMES:
        families.add(c.SESSIONS, (*key, outcome), getattr(figures, outcome))
    families.add(c.JUDGED, key, figures.attainment.whole)
    families.add(c.MET, key, figures.attainment.part)
    families.add(c.RESPONSES, key, figures.average_response.count)
    if figures.average_response.count:
        mean = figures.average_response
        families.add(c.AVERAGE_RESPONSE, key, mean.total_ms / mean.count / 1000)


def _totals(families: Families, key: tuple[str, ...], totals: Totals) -> None:
    families.count(c.OFFERED_TOTAL, key, totals.offered)
    for outcome in c.OUTCOMES:
        families.count(c.SESSIONS_TOTAL, (*key, outcome), getattr(totals, outcome))
    families.count(c.JUDGED_TOTAL, key, totals.judged)
    families.count(c.MET_TOTAL, key, totals.met)
    shape = totals.first_response
    families.histogram(
        c.FIRST_RESPONSE,
        key,
        Distribution(edges_ms=RESPONSE_EDGES_MS, counts=shape.counts, total_ms=shape.total_ms),
    )
    families.add(c.RESPONSE, key, totals.response.count, "_count")
    families.add(c.RESPONSE, key, totals.response.total_ms / 1000, "_sum")


def _team(families: Families, tile: Tile) -> None:
    key = (tile.client, tile.id)
    families.add(c.TEAM_JUDGED, key, tile.day.attainment.whole)
    families.add(c.TEAM_MET, key, tile.day.attainment.part)
    mean = tile.day.average_response
    if mean.count:
        families.add(c.TEAM_AVERAGE_RESPONSE, key, mean.total_ms / mean.count / 1000)
    _agents(families, c.TEAM_AGENTS, key, tile.agents)


def _agents(families: Families, metric: c.Metric, key: tuple[str, ...], counts: Sequence[AgentCount]) -> None:
    people: dict[tuple[str, str], int] = {}
    for count in counts:
        presence = count.presence if count.presence in _PRESENCES else c.OTHER
        activity = count.activity if count.activity in _ACTIVITIES else c.OTHER
        people[presence, activity] = people.get((presence, activity), 0) + count.people
    for state, number in people.items():
        families.add(metric, (*key, *state), number)


def _site(families: Families, site: SiteTile) -> None:
    key = (site.id,)
    current = site.state if site.state in c.SITE_STATES else c.OTHER
    for state in c.SITE_STATES:
        families.add(c.SITE_STATE, (site.id, state), int(state == current))
    families.add(c.SITE_STATE_SINCE, key, site.since / 1000)
    if site.last_heard_at is not None:
        families.add(c.SITE_LAST_HEARD, key, site.last_heard_at / 1000)
    families.add(c.PROBES_REPORTING, key, site.probes_reporting)
    families.add(c.PROBES_KNOWN, key, site.probes_known)
    if site.power is not None:
        families.add(c.UPS_ON_BATTERY, key, int(site.power in _ON_BATTERY))
    if site.comms is not None:
        families.add(c.UPS_COMMS_OK, key, int(site.comms == Comms.OK))
    if site.charge_percent is not None:
        families.add(c.UPS_CHARGE, key, site.charge_percent / 100)
    if site.runtime_ms is not None:
        families.add(c.UPS_RUNTIME, key, site.runtime_ms / 1000)


def _other_sites(families: Families, sites: Sequence[SiteTile]) -> None:
    """The sites beyond the cap: how many are in each state, and whether any of them runs on battery."""
    states = dict.fromkeys(c.SITE_STATES, 0)
    for site in sites:
        states[site.state if site.state in states else c.OTHER] += 1
    for state, number in states.items():
        families.add(c.SITE_STATE, (c.OTHER, state), number)
    families.add(c.PROBES_REPORTING, (c.OTHER,), sum(site.probes_reporting for site in sites))
    families.add(c.PROBES_KNOWN, (c.OTHER,), sum(site.probes_known for site in sites))
    families.add(c.UPS_ON_BATTERY, (c.OTHER,), int(any(site.power in _ON_BATTERY for site in sites)))


def _intake(families: Families, intake: IntakeFigures) -> None:
    for metric, number in (
        (c.FRAMES, intake.frames),
        (c.FRAME_BYTES, intake.frame_bytes),
        (c.ACCEPTED, intake.accepted),
        (c.REPEATS, intake.repeats),
        (c.EQUIVOCATIONS, intake.equivocations),
        (c.GAPS, intake.gaps),
        (c.UNROUTED, intake.unrouted),
    ):
        families.count(metric, (), number)
    by_reason = dict.fromkeys(c.LABEL_VALUES["reason"], 0)
    for reason, number in intake.quarantined.items():
        by_reason[reason if reason in _REASONS else c.OTHER] += number
    for reason, number in by_reason.items():
        families.count(c.QUARANTINED, (reason,), number)
    if intake.commit is not None:
        families.histogram(c.COMMIT, (), intake.commit)


def _ledgers(families: Families, ledgers: Sequence[LedgerFigures]) -> None:
    for ledger in ledgers:
        families.add(c.LEDGER_ENTRIES, (ledger.ledger,), ledger.entries)
        if ledger.folded is not None:
            families.add(c.ENGINE_LAG, (ledger.ledger,), max(0, ledger.entries - ledger.folded))


def _screens(families: Families, screens: ScreenFigures) -> None:
    families.add(c.SCREENS, (), screens.connected)
    families.count(c.SCREENS_REFUSED, (), screens.refused)
    families.count(c.SCREEN_FRAMES, (), screens.frames)
    families.count(c.SCREEN_FRAMES_DROPPED, (), screens.frames_dropped)
