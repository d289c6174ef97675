"""A report from its parts: facts and load changes of the sessions asked for, and what else the record tells."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby, pairwise
from typing import Final, TypeVar

from msgspec.structs import replace

from sla_engine._core.choices import Period, Unit
from sla_engine._core.contract import EVERY_QUEUE, Contract
from sla_engine._core.coverage import Coverages, CoverageState, bounded
from sla_engine._core.definition import Definition, canonical, definition_hash
from sla_engine._core.staffing import HALF_HOUR_MS
from sla_engine._core.windows import DAY_MS, MINUTE_MS, PeriodCalendar, calendar_of, zone_of
from sla_engine.reports._core.agent_hours import Interval, State
from sla_engine.reports._core.buckets import OVER_TIME, By, Frame
from sla_engine.reports._core.choosing import Choosing, Judged
from sla_engine.reports._core.handed_on import Received, visits
from sla_engine.reports._core.loads import Loads
from sla_engine.reports._core.observed import Observed
from sla_engine.reports._core.report import DefinitionUsed, Head, Question, Report, Row, Trailing
from sla_engine.reports._core.rows import DAYS_TRAILING, TOTAL, Counted, RowKey, Rows
from sla_engine.reports._core.service_hours import ServiceHours
from sla_engine.reports._core.time_at_work import (
    HalfHour,
    SeatTime,
    half_hours,
    in_row,
    on_call,
    person_intervals,
    seat_time,
    state_times,
    tells_serving,
    work_time,
)
from wire.board import Coverage, Figures, Unbounded
from wire.conversation import PresenceChanged
from wire.ids import UNASSIGNED
from wire.verdict import Fact, LegFact, LoadChange, Place, ResponseFact, SessionFact

_Placed = TypeVar("_Placed", bound=SessionFact | ResponseFact | LegFact)


def frame_of(definition: Definition, contract: Contract | None) -> Frame:
    """Hours and business days of a definition; months as the contract cuts its periods, by default at midnight."""
    zone = zone_of(definition)
    starts_ms = 0 if contract is None else contract.period_starts_minute * MINUTE_MS
    return Frame(calendar_of(definition, HALF_HOUR_MS), PeriodCalendar(zone, 1, starts_ms))


def reads_from(question: Question, frame: Frame, definitions: Iterable[Definition]) -> int:
    """The first instant (ms) whose sessions count anywhere: a trailing rate looks back thirty days."""
    if all(definition.period is not Period.TRAILING_30_DAYS for definition in definitions):
        return question.since
    edges = frame.edges(question.by, question.since, question.until)
    return min(question.since, frame.days_before(edges[1], DAYS_TRAILING)[0])


class Composing:
    """One report being made: `add` every fact, then take the report."""

    def __init__(
        self,
        question: Question,
        frame: Frame,
        hours: ServiceHours,
        choosing: Choosing,
        seen: Observed,
        counted: Counted | None = None,
        *,
        hands_idle_ms: int,
    ) -> None:
        """hours: the service window that seats and coverage are measured in. seen: the whole record.

        counted: told every session that counts. hands_idle_ms: how long after the last word on it a conversation is in
        hands whose end nobody told.
        """
        self._question: Final = question
        self._frame: Final = frame
        self._hours: Final = hours
        self._received: Final = Received()
        self._choosing: Final = choosing
        self._seen: Final = seen
        self._edges: Final = frame.edges(question.by, question.since, question.until)
        self._rows: Final = Rows(question.by, frame, self._edges, choosing, seen.seats.shop_of, seen.checks, counted)
        self._loads: Final = Loads(seen.roster)
        self._hands_idle_ms: Final = hands_idle_ms
        self._talks: Final[list[tuple[str, Interval]]] = []
        self._until: Final = min(question.until, max(seen.received_at, question.since + 1))

    def add(self, facts: Iterable[Fact]) -> None:
        """Take facts in: the last word on each, those of one session together."""
        for _, together in groupby(facts, key=session_of):
            judged: list[Judged] = []
            legs: list[LegFact] = []
            for fact in together:
                if isinstance(fact, LoadChange):
                    self._loads.add(fact)
                elif isinstance(fact, LegFact):
                    legs.append(self._placed(fact, fact.ended_at))
                    self._add_leg(legs[-1])
                else:
                    judged.append(self._placed(fact, fact.started_at))
            if judged:
                self._rows.add_session(judged)
            self._receive([leg for leg in legs if not leg.void])

    def report(self) -> Report:
        """The report over everything taken in."""
        question, rows = self._question, self._rows
        every_queue = EVERY_QUEUE in question.queues
        sources = None if every_queue else self._seen.feeding(question.queues)
        changes = self._seen.presences(sources)
        spent = self._spent(changes)
        times = state_times(spent, self._edges, over_time=question.by in OVER_TIME)
        told_until = min(self._until, self._seen.presences_until(sources))
        seats = self._seats(spent) if changes else {}
        left = self._loads.let_go(self._seen.never_ended, self._hands_idle_ms)
        loads = self._loads.by_row(self._edges, self._row_of_place(), self._until) if every_queue else {}
        keys = rows.keys()
        if question.by not in OVER_TIME:
            keys = sorted({*map(str, keys), *(str(key) for key in times if key != TOTAL)})
        whole = rows.figures(TOTAL)
        serving_told = tells_serving(changes)
        shown = []
        for key in (*keys, TOTAL):
            since, until = self._span(key)
            spans = isinstance(key, int) or key == TOTAL
            figures, trailing = rows.figures(key), rows.trailing(key)
            time = times.get(key, Counter[State]())
            shown.append(
                Row(
                    name=self._frame.name(question.by, since) if isinstance(key, int) else key,
                    since=since,
                    until=until,
                    figures=figures,
                    first_responses=rows.first_responses(key),
                    responses=rows.responses(key),
                    load=loads.get(key),
                    talking_ms=time.get(State.TALKING, 0),
                    work=work_time(time, serving_told=serving_told) if since < told_until else None,
                    seats=seats.get(key),
                    handed_on=self._received.of(key),
                    coverage=self._coverage(sources, since, until, figures, whole.offered) if spans else None,
                    trailing=None if trailing is None else _trailing(trailing),
                )
            )
        never_ended = sum(self._edges[0] <= at < self._until for at in left) if every_queue else 0
        return Report(self._head(never_ended), tuple(shown[:-1]), shown[-1])

    def _placed(self, fact: _Placed, at: int) -> _Placed:
        """A fact as the roster has it by now, where it was entered after the fact had been said."""
        place = self._seen.roster.by_now(fact.place, at)
        return fact if place == fact.place else replace(fact, place=place)

    def _add_leg(self, leg: LegFact) -> None:
        self._rows.add_leg(leg)
        if self._choosing.counts_leg(leg):
            self._talks.extend((leg.queue, talk) for talk in on_call(leg))

    def _receive(self, legs: list[LegFact]) -> None:
        """Count the hand-ons of one session that starts within the table, where they arrived."""
        started_at = legs[0].session_started_at if legs else self._edges[-1]
        if not self._edges[0] <= started_at < self._edges[-1]:
            return
        for visit in visits(legs, self._seen.arrivals, self._choosing.longest_gap_ms):
            rule = self._choosing.rule_at(visit.queue, started_at)
            if rule is not None:
                self._received.add(self._rows.key_of(started_at, visit.queue, visit.place), visit, rule)

    def _span(self, key: RowKey) -> tuple[int, int]:
        if isinstance(key, int):
            return self._edges[key], self._edges[key + 1]
        return self._edges[0], self._edges[-1]

    def _row_of_place(self) -> Callable[[Place], RowKey] | None:
        """Rows of conversations in hands: they are a person's, and of no queue or shop any more."""
        if self._question.by in OVER_TIME:
            return None
        if self._question.by is By.SHOP:
            return lambda _: TOTAL
        return lambda place: self._rows.key_of(self._edges[0], "", place)

    def _spent(self, changes: list[PresenceChanged]) -> dict[RowKey, list[Interval]]:
        """People's time by row, where rows are not over time, and of all."""
        talks = [talk for _, talk in self._talks]
        spent: dict[RowKey, list[Interval]] = {TOTAL: []}
        for place, interval in person_intervals(changes, talks, self._seen.roster, self._known_until):
            spent[TOTAL].append(interval)
            if self._question.by not in OVER_TIME and self._question.by is not By.SHOP:
                spent.setdefault(self._rows.key_of(interval.start_ms, "", place), []).append(interval)
        if self._question.by is By.SHOP:
            for shop, queues in self._shops().items():
                told = self._seen.presences(self._seen.feeding(queues))
                spoken = [talk for queue, talk in self._talks if queue in queues]
                found = person_intervals(told, spoken, self._seen.roster, self._known_until)
                spent[shop] = [interval for _, interval in found]
        return spent

    def _known_until(self, account: str) -> int:
        return min(self._until, self._seen.account_until(account))

    def _shops(self) -> dict[str, set[str]]:
        """Queues asked for, by the shop they serve when the table begins."""
        shops: dict[str, set[str]] = {}
        for queue in self._seen.feeds.queues():
            if self._choosing.asks_for(queue):
                shop = self._seen.seats.shop_of(queue, self._edges[0]) or UNASSIGNED
                shops.setdefault(shop, set()).add(queue)
        return shops

    def _seats(self, spent: dict[RowKey, list[Interval]]) -> dict[RowKey, SeatTime | None]:
        """People against paid seats: of the client as a whole over time, and of its shops."""
        question = self._question
        is_whole = EVERY_QUEUE in question.queues
        spans = self._half_hours(spent[TOTAL], None if is_whole else self._seen.feeding(question.queues))
        of_client = partial(self._seen.seats.contracted, question.client) if is_whole else _unknown
        found: dict[RowKey, SeatTime | None] = {TOTAL: seat_time(spans, of_client)}
        if question.by in OVER_TIME:
            for row, (since, until) in enumerate(pairwise(self._edges)):
                found[row] = seat_time(in_row(spans, since, until), of_client)
        elif question.by is By.SHOP:
            shops = self._shops()
            for shop, intervals in spent.items():
                if shop != TOTAL:
                    of_shop = partial(self._seen.seats.contracted_of_shop, str(shop))
                    told_by = self._seen.feeding(shops[str(shop)])
                    found[shop] = seat_time(self._half_hours(intervals, told_by), of_shop)
        return found

    def _half_hours(self, intervals: Iterable[Interval], sources: frozenset[str] | None) -> list[HalfHour]:
        """Of people whom these sources tell of, None = all."""
        unseen = self._seen.unseen(sources)
        return half_hours(intervals, self._hours, self._frame, self._edges[0], self._until, unseen)

    def _coverage(
        self, sources: frozenset[str] | None, since: int, until: int, figures: Figures, sessions: int
    ) -> Coverage | None:
        """Of live feeds and of those that said what they lost; the bounds reckon with events a session of the table."""
        measured = self._seen.measured(sources)
        since, until = self._seen.within_told(measured, since, min(until, self._until))
        if until <= since:
            return None
        seen = self._seen.coverages.state
        outages = [each for each in seen.outages if each.since < until and (each.until is None or each.until > since)]
        first_heard = seen.first_heard if self._seen.any_live(measured) else since
        ends = max(until, self._day_end(since)) if self._question.by is By.HOUR else until
        if first_heard is not None and ends <= first_heard and not figures.offered:
            return None  # of days before the record there is no data; of hours before it on its first day, none covered
        told = Coverages(CoverageState(outages, events=self._seen.events, first_heard=first_heard))
        time = told.covered(measured, since, until, self._hours.open_ms)
        offered = sessions if until - since < DAY_MS else figures.offered
        if not time.whole or (time.part and not offered and not self._seen.vouched_for(measured, until)):
            return None
        missing = told.missing_sessions(self._seen.numbered(measured), measured, sessions, since)
        by_session = all(version.rule.unit is Unit.SESSION for version in self._choosing.used.values())
        return bounded(time, figures.attainment, missing if by_session else Unbounded.NOT_BY_SESSION)

    def _day_end(self, at: int) -> int:
        return self._frame.days.next_day_start(self._frame.days.day_start(at))

    def _head(self, never_ended: int) -> Head:
        question, seen = self._question, self._seen
        used = sorted(self._choosing.used.values(), key=lambda version: version.label)
        grace_ms = max([seen.rules.grace_ms, *(version.definition.grace_ms for version in used)])
        return Head(
            question=question,
            definitions=tuple(
                DefinitionUsed(
                    version.label,
                    definition_hash(canonical(version.definition)),
                    version.definition.title,
                    version.definition.official,
                    version.definition.unit,
                    version.definition.percentile,
                    version.definition.period,
                )
                for version in used
            ),
            contracts=tuple(each.name for each in self._choosing.contracts(question.since, question.until)),
            time_zone=self._frame.days.zone.name,
            business_day_starts_minute=self._frame.days.day_starts_ms // MINUTE_MS,
            entries=seen.entries,
            received_at=seen.received_at,
            final=seen.watermark() >= question.until + grace_ms,
            never_ended=never_ended,
            hands_idle_ms=self._hands_idle_ms,
        )


def _unknown(_at: int) -> int | None:
    """Seats are contracted for a client or a shop, not for some of its queues."""
    return None


def _trailing(figures: Figures) -> Trailing:
    return Trailing(figures.attainment, figures.first_response, figures.average_response, figures.service_level)


def session_of(fact: Fact) -> tuple[int, str, int]:
    """What facts of one session share, in order of time. Load changes stand by themselves."""
    match fact:
        case SessionFact():
            return fact.started_at, fact.conversation, fact.session
        case ResponseFact() | LegFact():
            return fact.session_started_at, fact.conversation, fact.session
        case LoadChange():
            return fact.at, fact.conversation, fact.session
