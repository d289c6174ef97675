"""/metrics: a prometheus-client collector that reads one snapshot per scrape and counts nothing itself.

A custom collector instead of `labels().inc()` per event: events cost nothing, and a scrape shows one instant. It must
be cheap because it blocks the event loop; bench/bench_wallboard.py holds it to its limit.
"""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Final

from prometheus_client import Metric as Family
from prometheus_client.registry import Collector

from dashboards import catalogue as c
from dashboards.alerting._core.message import clipped
from dashboards.alerting.exposing import expose
from dashboards.exposition import Families, Sink, Text, add_histogram, add_summary, bucket_parts
from dashboards.folding import Cap, split, split_ledgers
from dashboards.snapshot import Distribution, EnrolmentFigures, IntakeFigures, LedgerFigures, ScreenFigures, Snapshot
from wire.board import RESPONSE_EDGES_MS, AgentCount, Board, Figures, Ratio, SiteTile, Tile, Totals
from wire.facility import Comms, Power
from wire.spelling import APART_BEGINS, APART_ENDS

_ON_BATTERY: Final = frozenset({Power.BATTERY, Power.CRITICAL})
_PRESENCES: Final = frozenset(c.LABEL_VALUES["presence"])
_ACTIVITIES: Final = frozenset(c.LABEL_VALUES["activity"])
_REASONS: Final = frozenset(c.LABEL_VALUES["reason"])
# Format: `label_value_length_limit` of prometheus.yml. With one label longer than that a whole scrape is refused.
_NAME_BYTES_MAX: Final = 96
_RESPONSE_BUCKETS: Final = bucket_parts(RESPONSE_EDGES_MS)


class Exporter(Collector):
    """Collects from `snapshot`, which is called once per scrape.

    ids_max: ids of one scope (queues, teams, sites, ledgers) with series of their own; the rest are summed as `other`.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], *, version: str, ids_max: int) -> None:
        self._snapshot = snapshot
        self._version = version
        self._ids_max = ids_max
        self._text = Text()
        self._caps = {scope: Cap(ids_max) for scope in c.SCOPES}
        self._last_scrape_s = 0.0

    def collect(self) -> Iterable[Family]:
        """The families of this instant, in the catalogue's order, for whoever registers this with other collectors."""
        families = Families()
        self._gather(families, self._snapshot())
        return families.in_order()

    def render(self, *, openmetrics: bool) -> bytes:
        """The same as text. Takes as long as `seatwatch_scrape_duration_seconds` of the next scrape says."""
        started = perf_counter()
        self._gather(self._text, self._snapshot())
        text = self._text.take(openmetrics=openmetrics)
        self._last_scrape_s = perf_counter() - started
        return text

    def _gather(self, sink: Sink, snapshot: Snapshot) -> None:
        if snapshot.board is not None:
            self._board(sink, snapshot.board, snapshot.now_ms)
        if snapshot.intake is not None:
            _intake(sink, snapshot.intake)
        ledgers, summed = split_ledgers(snapshot.ledgers, self._caps["ledger"])
        sink.add(c.IDS_CAPPED, ("ledger",), summed)
        _ledgers(sink, ledgers)
        for notice, lateness in snapshot.lateness.items():
            add_histogram(sink, c.LATENESS, (notice,), lateness)
        if snapshot.on_call is not None:
            summed = expose(sink, snapshot.on_call, self._ids_max)
            sink.add(c.IDS_CAPPED, ("incident",), summed)
        if snapshot.enrolment is not None:
            _enrolment(sink, snapshot.enrolment)
        if snapshot.screens is not None:
            _screens(sink, snapshot.screens)
        sink.add(c.SCRAPE_SECONDS, (), self._last_scrape_s)
        sink.add(c.BUILD, (self._version,), 1)

    def _board(self, sink: Sink, board: Board, now_ms: int) -> None:
        sink.add(c.BOARD_AGE, (), max(0, now_ms - board.computed_at) / 1000)
        sink.add(c.BOARD_AS_OF, (), board.as_of / 1000)
        clients = {tile.client: _in_both(tile) for tile in board.clients}
        for tile in board.clients:
            sink.add(c.CLIENT_NAMES, (tile.client, *_called(tile)), 1)
            _client(sink, tile)
        for tile in self._capped(sink, "queue", board.queues):
            sink.add(c.QUEUE_NAMES, (tile.client, tile.id, clients.get(tile.client, tile.client), *_called(tile)), 1)
            _queue(sink, tile, board.as_of)
        for tile in self._capped(sink, "team", board.teams):
            sink.add(c.TEAM_NAMES, (tile.client, tile.id, clients.get(tile.client, tile.client), *_called(tile)), 1)
            _team(sink, tile)
        own = self._caps["site"].own(("", site.id) for site in board.sites)
        rest = [site for site in board.sites if ("", site.id) not in own]
        for site in board.sites:
            if ("", site.id) in own:
                sink.add(c.SITE_NAMES, (site.id, *_called(site)), 1)
                _site(sink, site)
        if rest:
            sink.add(c.SITE_NAMES, (c.OTHER,) * len(c.SITE_NAMES.labels), 1)
            _other_sites(sink, rest)
        sink.add(c.IDS_CAPPED, ("site",), len(rest))

    def _capped(self, sink: Sink, scope: str, tiles: Sequence[Tile]) -> Sequence[Tile]:
        shown, summed = split(tiles, self._caps[scope])
        sink.add(c.IDS_CAPPED, (scope,), summed)
        return shown


def _called(named: Tile | SiteTile) -> tuple[str, str, str]:
    """As boards show it, in Chinese, in English."""
    return _in_both(named), _label(named.name or named.id), _label(named.name_en or named.name or named.id)


def _in_both(named: Tile | SiteTile) -> str:
    return _label(f"{named.name} {named.name_en}" if named.name_en else named.name or named.id)


def _label(name: str) -> str:
    """As much of a name as a label may hold."""
    if len(name.encode()) <= _NAME_BYTES_MAX:
        return name
    cut = clipped(name, _NAME_BYTES_MAX - len(APART_ENDS.encode()))
    # what is set apart stays so, or the figures behind it would turn
    return cut + APART_ENDS if cut.count(APART_BEGINS) > cut.count(APART_ENDS) else cut


def _queue(sink: Sink, tile: Tile, as_of: int) -> None:
    key = (tile.client, tile.id)
    if tile.live is not None:
        since = tile.live.oldest_since
        sink.add(c.WAITING, key, tile.live.waiting)
        sink.add(c.OVERDUE, key, tile.live.overdue)
        sink.add(c.OPEN, key, tile.live.open)
        sink.add(c.OLDEST_WAIT, key, 0 if since is None else max(0, as_of - since) / 1000)
    sink.add(c.FEED_STALE, key, int(tile.stale_since is not None))
    _window(sink, (*key, "interval"), tile.interval)
    _window(sink, (*key, "day"), tile.day)
    for second in tile.seconds:
        for window, figures in (("interval", second.interval), ("day", second.day)):
            sink.add(c.SECOND_JUDGED, (*key, second.name, window), figures.attainment.whole)
            sink.add(c.SECOND_MET, (*key, second.name, window), figures.attainment.part)
    _ratio(sink, c.SATURATION, key, tile.saturation)
    _agents(sink, c.AGENTS, key, tile.agents)
    if tile.totals is not None:
        _totals(sink, key, tile.totals)


def _window(sink: Sink, key: tuple[str, ...], figures: Figures) -> None:
    sink.add(c.OFFERED, key, figures.offered)
    for outcome in c.OUTCOMES:
        sink.add(c.SESSIONS, (*key, outcome), getattr(figures, outcome))
    sink.add(c.JUDGED, key, figures.attainment.whole)
    sink.add(c.MET, key, figures.attainment.part)
    sink.add(c.NEAR_LIMIT, key, figures.detail.near_limit)
    sink.add(c.NOBODY_ONLINE, key, figures.detail.nobody_online)
    sink.add(c.NOT_SERVED, key, figures.detail.not_served)
    sink.add(c.RESPONSES, key, figures.average_response.count)
    if figures.average_response.count:
        mean = figures.average_response
        sink.add(c.AVERAGE_RESPONSE, key, mean.total_ms / mean.count / 1000)


def _totals(sink: Sink, key: tuple[str, ...], totals: Totals) -> None:
    sink.add(c.OFFERED_TOTAL, key, totals.offered)
    for outcome in c.OUTCOMES:
        sink.add(c.SESSIONS_TOTAL, (*key, outcome), getattr(totals, outcome))
    sink.add(c.JUDGED_TOTAL, key, totals.judged)
    sink.add(c.MET_TOTAL, key, totals.met)
    shape = totals.first_response
    durations = Distribution(edges_ms=RESPONSE_EDGES_MS, counts=shape.counts, total_ms=shape.total_ms)
    add_histogram(sink, c.FIRST_RESPONSE, key, durations, _RESPONSE_BUCKETS)
    add_summary(sink, c.RESPONSE, key, totals.response.count, totals.response.total_ms)


def _team(sink: Sink, tile: Tile) -> None:
    key = (tile.client, tile.id)
    sink.add(c.TEAM_JUDGED, key, tile.day.attainment.whole)
    sink.add(c.TEAM_MET, key, tile.day.attainment.part)
    mean = tile.day.average_response
    if mean.count:
        sink.add(c.TEAM_AVERAGE_RESPONSE, key, mean.total_ms / mean.count / 1000)
    _ratio(sink, c.TEAM_SATURATION, key, tile.saturation)
    _ratio(sink, c.TEAM_OCCUPANCY, key, tile.occupancy)
    sink.add(c.TEAM_SURGE, key, 0 if tile.surge is None else tile.surge.conversations)
    _agents(sink, c.TEAM_AGENTS, key, tile.agents)


def _client(sink: Sink, tile: Tile) -> None:
    key = (tile.client,)
    for staffing in tile.staffing:
        if not staffing.shop:  # shops come and go with the roster, so they are on the board only
            _ratio(sink, c.STAFFED, key, staffing.staffed)
            if staffing.contracted is not None:
                sink.add(c.CONTRACTED, key, staffing.contracted)
            if staffing.shortfall_ms is not None:
                sink.add(c.SHORTFALL, key, staffing.shortfall_ms / 1000)
    _ratio(sink, c.COVERAGE, key, None if tile.coverage is None else tile.coverage.time)


def _ratio(sink: Sink, metric: c.Metric, key: tuple[str, ...], ratio: Ratio | None) -> None:
    if ratio is not None and ratio.whole:
        sink.add(metric, key, ratio.part / ratio.whole)


def _agents(sink: Sink, metric: c.Metric, key: tuple[str, ...], counts: Sequence[AgentCount]) -> None:
    people: dict[tuple[str, str], int] = {}
    for count in counts:
        presence = count.presence if count.presence in _PRESENCES else c.OTHER
        activity = count.activity if count.activity in _ACTIVITIES else c.OTHER
        people[presence, activity] = people.get((presence, activity), 0) + count.people
    for state, number in people.items():
        sink.add(metric, (*key, *state), number)


def _site(sink: Sink, site: SiteTile) -> None:
    key = (site.id,)
    current = site.state if site.state in c.SITE_STATES else c.OTHER
    for state in c.SITE_STATES:
        sink.add(c.SITE_STATE, (site.id, state), int(state == current))
    sink.add(c.SITE_STATE_SINCE, key, site.since / 1000)
    if site.last_heard_at is not None:
        sink.add(c.SITE_LAST_HEARD, key, site.last_heard_at / 1000)
    sink.add(c.PROBES_REPORTING, key, site.probes_reporting)
    sink.add(c.PROBES_KNOWN, key, site.probes_known)
    if site.seats_present is not None:
        sink.add(c.SEATS_PRESENT, key, site.seats_present)
    if site.seats_expected is not None:
        sink.add(c.SEATS_EXPECTED, key, site.seats_expected)
    if site.power is not None:
        sink.add(c.UPS_ON_BATTERY, key, int(site.power in _ON_BATTERY))
    if site.comms is not None:
        sink.add(c.UPS_COMMS_OK, key, int(site.comms == Comms.OK))
    if site.charge_percent is not None:
        sink.add(c.UPS_CHARGE, key, site.charge_percent / 100)
    if site.runtime_ms is not None:
        sink.add(c.UPS_RUNTIME, key, site.runtime_ms / 1000)


def _other_sites(sink: Sink, sites: Sequence[SiteTile]) -> None:
    """The sites beyond the cap: how many are in each state, and whether any of them runs on battery."""
    states = dict.fromkeys(c.SITE_STATES, 0)
    for site in sites:
        states[site.state if site.state in states else c.OTHER] += 1
    for state, number in states.items():
        sink.add(c.SITE_STATE, (c.OTHER, state), number)
    sink.add(c.PROBES_REPORTING, (c.OTHER,), sum(site.probes_reporting for site in sites))
    sink.add(c.PROBES_KNOWN, (c.OTHER,), sum(site.probes_known for site in sites))
    for metric, told in (
        (c.SEATS_PRESENT, [site.seats_present for site in sites if site.seats_present is not None]),
        (c.SEATS_EXPECTED, [site.seats_expected for site in sites if site.seats_expected is not None]),
    ):
        if told:
            sink.add(metric, (c.OTHER,), sum(told))
    sink.add(c.UPS_ON_BATTERY, (c.OTHER,), int(any(site.power in _ON_BATTERY for site in sites)))


def _intake(sink: Sink, intake: IntakeFigures) -> None:
    for metric, number in (
        (c.FRAMES, intake.frames),
        (c.FRAME_BYTES, intake.frame_bytes),
        (c.ACCEPTED, intake.accepted),
        (c.REPEATS, intake.repeats),
        (c.EQUIVOCATIONS, intake.equivocations),
        (c.GAPS, intake.gaps),
        (c.UNROUTED, intake.unrouted),
        (c.UNKNOWN_SOURCES, intake.unknown_sources),
        (c.WAITING_ROWS, intake.waiting_rows),
        (c.AHEAD, intake.ahead_ms / 1000),
    ):
        sink.add(metric, (), number)
    by_reason = dict.fromkeys(c.LABEL_VALUES["reason"], 0)
    for reason, number in intake.quarantined.items():
        by_reason[reason if reason in _REASONS else c.OTHER] += number
    for reason, number in by_reason.items():
        sink.add(c.QUARANTINED, (reason,), number)
    refusals = dict.fromkeys(c.LABEL_VALUES["refusal"], 0)
    for refusal, number in intake.refused.items():
        refusals[refusal if refusal in refusals else c.OTHER] += number
    for refusal, number in refusals.items():
        sink.add(c.FRAMES_REFUSED, (refusal,), number)
    if intake.commit is not None:
        add_histogram(sink, c.COMMIT, (), intake.commit)


def _ledgers(sink: Sink, ledgers: Sequence[LedgerFigures]) -> None:
    for ledger in ledgers:
        sink.add(c.LEDGER_ENTRIES, (ledger.ledger,), ledger.entries)
        if ledger.folded is not None:
            sink.add(c.ENGINE_LAG, (ledger.ledger,), max(0, ledger.entries - ledger.folded))
            counts = dict.fromkeys(c.ANOMALIES, 0)
            for anomaly, count in ledger.anomalies.items():
                counts[anomaly if anomaly in counts else c.OTHER] += count
            for anomaly, count in counts.items():
                sink.add(c.ENGINE_ANOMALIES, (ledger.ledger, anomaly), count)


def _enrolment(sink: Sink, figures: EnrolmentFigures) -> None:
    for metric, label, counts in (
        (c.IDENTITY_STEPS, "step", figures.steps),
        (c.ENROLMENT_REFUSED, "error", figures.refused),
        (c.BROKER_DENIED, "access", figures.denied),
    ):
        for value in c.LABEL_VALUES[label]:
            sink.add(metric, (value,), counts.get(value, 0))


def _screens(sink: Sink, screens: ScreenFigures) -> None:
    sink.add(c.SCREENS, (), screens.connected)
    sink.add(c.SCREENS_REFUSED, (), screens.refused)
    sink.add(c.SCREEN_FRAMES, (), screens.frames)
    sink.add(c.SCREEN_FRAMES_DROPPED, (), screens.frames_dropped)
