"""Tiles and boards from the second stage's state: what a screen, a scrape and `seatwatch board` are given."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Final, NamedTuple

from sla_engine._core.choices import Unit
from sla_engine._core.client import ClientState
from sla_engine._core.contributions import FigureRule
from sla_engine._core.coverage import bounded
from sla_engine._core.feeds import Source, any_promises, best_feed, stale_since, unsequenced
from sla_engine._core.follow_ups import groups_of
from sla_engine._core.groups import CLIENT, QUEUE, SHOP, SITE, TEAM, Group
from sla_engine._core.person_tiles import person_tiles
from sla_engine._core.remembered import RecordCounts
from sla_engine._core.shown import Shown
from sla_engine._core.windows import DAY_MS
from wire.board import (
    Board,
    Coverage,
    Figures,
    PersonTile,
    Ratio,
    SeatTile,
    SecondFigure,
    SiteTile,
    Staffing,
    Tile,
    Unbounded,
    Waiting,
)
from wire.record import Feed

_LIVE: Final = frozenset({Feed.LIVE, None})
"""A source that nobody declared counts as live."""
_WITH_SECONDS: Final = frozenset({QUEUE, CLIENT})


class Promise(NamedTuple):
    """What is agreed for a queue at an instant. target: of the attainment, None = none is stated.

    limit_ms, warning_ms: of a clock that starts then, None where no definition applies.
    """

    target: Ratio | None
    limit_ms: int | None
    warning_ms: int | None


PromiseOf = Callable[[str, int], Promise]
"""Of a queue, at an instant in ms."""


class ClientPart(NamedTuple):
    """One client's share of a board."""

    as_of: int
    watermark: int | None
    interval_start: int
    day_start: int
    client: Tile
    queues: list[Tile]
    teams: list[Tile]
    sites: list[Tile]
    counts: RecordCounts
    people: Sequence[PersonTile] = ()


class OperatorPart(NamedTuple):
    """The operator's share: its sites, what went wrong with its own ledger, and senders that nobody configured."""

    as_of: int
    sites: list[SiteTile]
    counts: RecordCounts
    unknown_sources: Sequence[str] = ()
    seats: Sequence[SeatTile] = ()


class Terms(NamedTuple):
    """What the contract says about a tile, as far as all of its queues agree."""

    primary: Shown | None
    seconds: tuple[Shown, ...]
    promise: Promise


def client_part(state: ClientState, promise_of: PromiseOf, on_roster: Collection[str] | None = None) -> ClientPart:
    """One client's tiles, each list by id. on_roster: sub-accounts the roster knows; None = no tile per person."""
    builder = _Builder(state)
    queues = sorted(builder.ids(QUEUE) | set(state.feeds.queues()))
    queue_terms = {queue: terms_of(state, promise_of, queue) for queue in queues}
    common = common_terms(list(queue_terms.values()))
    sources = state.feeds.all()
    return ClientPart(
        as_of=state.as_of,
        watermark=state.watermark,
        interval_start=state.book.interval_start,
        day_start=state.book.day_start,
        client=builder.tile((CLIENT, state.client), sources, common),
        queues=[builder.tile((QUEUE, q), state.feeds.of_queue(q), queue_terms[q]) for q in queues],
        teams=[builder.tile((TEAM, team), sources, common) for team in sorted(builder.ids(TEAM))],
        sites=[builder.tile((SITE, site), sources, common) for site in sorted(builder.ids(SITE))],
        counts=state.counts,
        people=[] if on_roster is None else person_tiles(state, on_roster, builder.holding),
    )


def compose(parts: Sequence[ClientPart], operator: OperatorPart, computed_at: int) -> Board:
    """A board of several clients and the operator's sites, as true as its oldest part.

    Windows are those of the first client by id: clients of one board share a time zone.
    """
    ordered = sorted(parts, key=lambda part: part.client.id)
    counts = [operator.counts, *(part.counts for part in ordered)]
    marks = [part.watermark for part in ordered if part.watermark is not None]
    return Board(
        as_of=min([operator.as_of, *(part.as_of for part in ordered)]),
        computed_at=computed_at,
        watermark=min(marks, default=None),
        interval_start=ordered[0].interval_start if ordered else 0,
        day_start=ordered[0].day_start if ordered else 0,
        clients=[part.client for part in ordered],
        queues=[tile for part in ordered for tile in part.queues],
        teams=[tile for part in ordered for tile in part.teams],
        site_figures=[tile for part in ordered for tile in part.sites],
        sites=operator.sites,
        entries=sum(c.entries for c in counts),
        quarantined=sum(c.quarantined for c in counts),
        gaps=sum(c.gaps for c in counts),
        unrouted=sum(c.unrouted for c in counts),
        equivocations=sum(c.equivocations for c in counts),
        unknown_sources=[*operator.unknown_sources],
        people=[tile for part in ordered for tile in part.people],
        seats=[*operator.seats],
    )


class _Builder:
    """Builds the tiles of one client at one moment."""

    def __init__(self, state: ClientState) -> None:
        self._state = state
        self._surges = state.surges.advance(state.as_of)
        self.holding = state.follow_ups.holding(state.room, state.as_of)
        self._followed = Counter(group for held in self.holding for group in groups_of(held, state.room, state.client))
        self._groups = state.book.groups() | state.room.groups() | state.people.groups()

    def ids(self, scope: str) -> set[str]:
        """Ids of every group of `scope` there is anything to show for."""
        return {group_id for group_scope, group_id in self._groups if group_scope == scope}

    def tile(self, group: Group, sources: Sequence[Source], terms: Terms) -> Tile:
        """One tile."""
        state = self._state
        feed = best_feed(sources)
        primary = terms.primary
        rule = None if primary is None else state.rule_of(primary)
        definition = None if primary is None else primary.definition
        live = self._live(group, feed, sources, terms.promise)
        return Tile(
            scope=group[0],
            id=group[1],
            client=state.client,
            name=group[1],
            feed=feed,
            live=live,
            interval=state.book.interval_figures(group, rule),
            day=state.book.day_figures(group, rule),
            agents=state.people.counts(group),
            stale_since=stale_since(sources),
            unsequenced=unsequenced(sources),
            definition="" if primary is None else primary.label,
            first_response_limit_ms=terms.promise.limit_ms,
            warning_after_ms=terms.promise.warning_ms,
            average_good_ms=None if definition is None else definition.average_good_ms,
            average_limit_ms=None if definition is None else definition.average_limit_ms,
            attainment_target=terms.promise.target,
            totals=state.totals.of_queue(group[1]) if group[0] == QUEUE else None,
            seconds=[self._second(group, shown) for shown in terms.seconds] if group[0] in _WITH_SECONDS else [],
            saturation=state.people.saturation(group),
            occupancy=state.staff.occupancy(group, state.as_of),
            load=state.loads.get(group),
            staffing=self._staffing() if group[0] == CLIENT else [],
            coverage=self._coverage(group, rule) if group[0] == CLIENT else None,
            surge=self._surges.get(group[1]) if group[0] == TEAM else None,
            followed=self._followed[group],
        )

    def _staffing(self) -> list[Staffing]:
        """Of the client, and of each of its shops somebody works for."""
        state = self._state
        found = [(state.client, "")] + [(shop, shop) for shop in sorted(self.ids(SHOP))]
        shown = (self._staffed(subject, shop) for subject, shop in found)
        return [staffing for staffing in shown if staffing is not None]

    def _staffed(self, subject: str, shop: str) -> Staffing | None:
        state, staff = self._state, self._state.staff
        group = (SHOP, shop) if shop else state.client_group
        seats_of = state.seats.contracted_of_shop if shop else state.seats.contracted
        contracted, times = partial(seats_of, subject), staff.times(group)
        if times is None:
            return None
        at = state.as_of
        half_hour = staff.half_hour_start(at)
        times.ready.advance(at)
        seats = contracted(at)
        is_whole = not state.people.told_later(group, state.book.day_start - DAY_MS, at)
        return Staffing(
            shop=shop,
            half_hour_start=half_hour,
            staffed=Ratio(times.ready.sums.get(half_hour, 0), at - half_hour),
            contracted=seats,
            shortfall_ms=staff.shortfall_ms(group, at, contracted) if seats is not None and is_whole else None,
        )

    def _coverage(self, group: Group, rule: FigureRule | None) -> Coverage | None:
        state = self._state
        live = {name for name, source in state.feeds.state.sources.items() if source.feed in _LIVE}
        time = state.coverages.covered(live, state.book.day_start, state.as_of, state.open_ms)
        if not live or time.whole == 0:
            return None
        told_today = any(state.coverages.state.heard.get(name, 0) >= state.book.day_start for name in live)
        if time.part and not told_today and not any_promises(state.feeds.state.sources[name] for name in live):
            return None  # a day without a word, of feeds that nobody would miss
        numbered = {name for name in live if state.feeds.state.sources[name].numbered}
        missing = state.coverages.missing_sessions(numbered, live, state.totals.offered(), state.book.day_start)
        by_session = rule is not None and rule.unit is Unit.SESSION
        attained = state.book.day_figures(group, rule).attainment
        return bounded(time, attained, missing if by_session else Unbounded.NOT_BY_SESSION)

    def _second(self, group: Group, shown: Shown) -> SecondFigure:
        """The same sessions under another definition of the contract."""
        book = self._state.second_books.get(shown.definition.name)
        rule = self._state.rule_of(shown)
        return SecondFigure(
            name=shown.definition.name,
            definition=shown.label,
            title=shown.definition.title,
            official=shown.definition.official,
            interval=Figures() if book is None else book.interval_figures(group, rule),
            day=Figures() if book is None else book.day_figures(group, rule),
        )

    def _live(self, group: Group, feed: Feed | None, sources: Sequence[Source], promise: Promise) -> Waiting | None:
        if not sources or (feed is Feed.DAILY and not self._state.hindsight):
            return None
        soon_ms = (promise.limit_ms or 0) - (promise.warning_ms or 0)
        return self._state.room.waiting(group, soon_ms)


def terms_of(state: ClientState, promise_of: PromiseOf, queue: str) -> Terms:
    """What is agreed for `queue` now."""
    shown = state.shown_of(queue, state.as_of, None)
    return Terms(shown[0] if shown else None, shown[1:], promise_of(queue, state.as_of))


def common_terms(terms: Sequence[Terms]) -> Terms:
    """The terms that all of a client's queues share, each part by itself; of several warnings the first."""
    labels = {t.primary.label if t.primary is not None else "" for t in terms}
    promises = [t.promise for t in terms]
    targets = {None if p.target is None else (p.target.part, p.target.whole) for p in promises}
    is_one = len(labels) == 1
    everywhere = [shown for shown in terms[0].seconds if all(shown in t.seconds for t in terms)] if terms else []
    promise = Promise(
        promises[0].target if len(targets) == 1 else None,
        promises[0].limit_ms if is_one else None,
        min((p.warning_ms for p in promises if p.warning_ms is not None), default=None) if is_one else None,
    )
    return Terms(terms[0].primary if is_one else None, tuple(everywhere), promise)
