"""A platform's own figures beside ours of the same period, queue and account, under the rules it claims to count by.

What cannot be computed is None with its reason, never 0. What could explain a difference are sessions of ours that
rules are known to differ on; nobody but the platform can say which of them it counted otherwise.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.choices import Unit
from sla_engine._core.contributions import SLOTS, FigureRule, Slot, contribution, figure_rule
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.figures import Tally, figures_of
from sla_engine._core.limits import HOUR_MS
from sla_engine._core.windows import DAY_MS, WindowCalendar, calendar_of
from wire.board import Figures, Mean, Ratio
from wire.platform import Measured, PlatformFigure
from wire.verdict import LegFact, LoadChange, Outcome, ResponseFact, SessionFact, Verdict

PPM: Final = 1_000_000


class Missing(StrEnum):
    """Why there is no figure of ours; a glossary key each."""

    NO_MEASURE = "reconcile_no_measure"
    UNKNOWN_MEASURE = "reconcile_unknown_measure"
    UNIT_DIFFERS = "reconcile_unit_differs"
    NO_DEFINITION = "reconcile_no_definition"
    UNKNOWN_DEFINITION = "reconcile_unknown_definition"
    RECORD_ENDS = "reconcile_record_ends"
    NOTHING_RECORDED = "reconcile_nothing_recorded"
    NOTHING_COUNTED = "reconcile_nothing_counted"


CROSSES: Final = "reconcile_crosses"
"""A session that began in the period and was answered after it, or before it and answered in it."""
TWO_CLOCKS: Final = "reconcile_two_clocks"
LOST: Final = "reconcile_lost_events"
UNNAMED: Final = "reconcile_unnamed_customers"


class Told(NamedTuple):
    """A figure the platform stands by. restated: how often it had said another value before."""

    figure: PlatformFigure
    restated: int


class Amount(msgspec.Struct, frozen=True, gc=False):
    """A figure: ms, a count or millionths, and what it is of where that is known (whole 0 = it is not)."""

    value: int | None
    part: int
    whole: int


class Cause(msgspec.Struct, frozen=True):
    """Sessions of ours that could explain a difference. word: of the glossary. conversations: in order of time."""

    word: str
    sessions: int
    conversations: tuple[str, ...]


class Caveat(msgspec.Struct, frozen=True):
    """What makes ours less sure. word: of the glossary."""

    word: str
    count: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. definition: label of the rules ours is under, "" = none. delta: ours less theirs, None = unknown.

    official: whether those rules are from whoever made them; where there are none there is nothing to doubt.
    """

    period_starts: int
    period_ends: int
    queue: str
    account: str
    metric: str
    measure: str
    unit: str
    definition: str
    theirs: Amount
    ours: Amount | None
    missing: Missing | None
    delta: int | None
    restated: int
    causes: tuple[Cause, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    official: bool = True


def standing(said: Iterable[PlatformFigure]) -> list[Told]:
    """Of figures in order of entry, those the platform stands by: told last of their period, metric and subject."""
    found: dict[tuple[int, int, str, str, str, str], Told] = {}
    for figure in said:
        key = (
            *(figure.period_starts, figure.period_ends),
            *(figure.queue, figure.account, figure.metric, figure.definition),
        )
        before = found.get(key)
        changed = before is not None and _told(before.figure) != _told(figure)
        found[key] = Told(figure, (0 if before is None else before.restated) + changed)
    return [found[key] for key in sorted(found)]


def theirs_of(figure: PlatformFigure) -> Amount:
    """The value; of a share that only says what it is of, the value that follows."""
    value = figure.value
    if value is None and figure.unit == "ppm" and figure.whole:
        value = _ppm(Ratio(figure.part, figure.whole))
    return Amount(value, figure.part, figure.whole)


_SHARES: Final[Mapping[Measured, Callable[[Figures], Ratio]]] = {
    Measured.ATTAINMENT: lambda figures: figures.attainment,
    Measured.MISSED_RATE: lambda f: Ratio(f.attainment.whole - f.attainment.part, f.attainment.whole),
    Measured.SERVICE_LEVEL: lambda f: Ratio(0, 0) if f.service_level is None else f.service_level.ratio,
    Measured.ABANDONMENT_RATE: lambda figures: Ratio(figures.abandoned, figures.offered),
    Measured.TRANSFER_RATE: lambda figures: figures.detail.transfers,
}
_MEANS: Final[Mapping[Measured, Callable[[Figures], Mean]]] = {
    Measured.FIRST_RESPONSE: lambda figures: figures.first_response,
    Measured.SEAT_RESPONSE: lambda figures: figures.seat_response,
    Measured.AVERAGE_RESPONSE: lambda figures: figures.average_response,
    Measured.ANSWER_WAIT: lambda figures: figures.answer_wait,
    Measured.VOICE_HANDLE_TIME: lambda figures: figures.detail.voice_handle_time,
    Measured.CHAT_HANDLE_TIME: lambda figures: figures.detail.chat_handle_time,
    Measured.RESOLUTION: lambda figures: figures.detail.resolution,
}
_COUNTS: Final[Mapping[Measured, Callable[[Figures], int]]] = {
    Measured.OFFERED: lambda figures: figures.offered,
    Measured.ANSWERED: lambda figures: figures.answered,
    Measured.ABANDONED: lambda figures: figures.abandoned,
    Measured.UNANSWERED: lambda figures: figures.unanswered,
    Measured.EXCLUDED: lambda figures: figures.excluded,
    Measured.JUDGED: lambda figures: figures.attainment.whole,
    Measured.MET: lambda figures: figures.attainment.part,
}


def measured(word: str) -> Measured | None:
    """The measure of that name, None where this build knows none."""
    return Measured(word) if word in set(Measured) else None


def unit_of(measure: Measured) -> str:
    """In which unit a platform's figure has to be, to be held against this measure."""
    return "ppm" if measure in _SHARES else "ms" if measure in _MEANS else "count"


def amount(figures: Figures, measure: Measured) -> Amount:
    """A measure as a platform would state it; value None where nothing counts."""
    if measure in _SHARES:
        ratio = _SHARES[measure](figures)
        return Amount(_ppm(ratio) if ratio.whole else None, ratio.part, ratio.whole)
    if measure in _MEANS:
        mean = _MEANS[measure](figures)
        value = (2 * mean.total_ms + mean.count) // (2 * mean.count) if mean.count else None
        return Amount(value, mean.total_ms, mean.count)
    return Amount(_COUNTS[measure](figures), 0, 0)


Judged = SessionFact | ResponseFact | LegFact


class Scope(NamedTuple):
    """Sessions that start within [starts, ends), ms. "" = every queue, every account."""

    starts: int
    ends: int
    queue: str
    account: str


class Ours:
    """Facts under one definition, the last word on each, to be asked for what they make of a scope."""

    def __init__(self, definition: Definition, facts: Iterable[Judged | LoadChange]) -> None:
        """facts: of any definition; legs count under every one."""
        self.label: Final = label_of(definition)
        self.official: Final = definition.official
        self._rule: Final = figure_rule(definition, self.label)
        self._days: Final[WindowCalendar] = calendar_of(definition, DAY_MS)
        mine = [fact for fact in facts if not isinstance(fact, LoadChange) and self._is_mine(fact)]
        by_account: dict[str, list[Judged]] = defaultdict(list)
        for fact in sorted(mine, key=_began):
            by_account[""].append(fact)
            if fact.place.account:
                by_account[fact.place.account].append(fact)
        self._facts: Final = dict(by_account)
        self._starts: Final = {account: [_began(fact) for fact in found] for account, found in by_account.items()}

    def recorded(self, starts: int, ends: int) -> bool:
        """Whether there is anything at all of that time, of whatever queue or account."""
        return next(self.within(Scope(starts, ends, "", "")), None) is not None

    def within(self, scope: Scope) -> Iterator[Judged]:
        """Facts of a scope, in order of time."""
        starts, facts = self._starts.get(scope.account, ()), self._facts.get(scope.account, ())
        for fact in facts[bisect_left(starts, scope.starts) : bisect_left(starts, scope.ends)]:
            if not scope.queue or fact.queue == scope.queue:
                yield fact

    def figures(self, scope: Scope) -> Figures:
        """Figures of a scope. People's days are those of the scope if it is one, else the definition's own."""
        whole = self._rule.unit is not Unit.PERSON_DAY or scope.ends - scope.starts <= DAY_MS + HOUR_MS
        tallies: dict[int, Tally] = {}
        for fact in self.within(scope):
            day = 0 if whole else self._days.day_start(_began(fact))
            tallies.setdefault(day, Tally()).add(contribution(fact, self._rule))
        slots = [sum(tally.slots[slot] for tally in tallies.values()) for slot in range(SLOTS)]
        return figures_of(slots, self._rule)

    def causes(self, scope: Scope, listed: int) -> tuple[Cause, ...]:
        """What could explain a difference, the most frequent first; at most `listed` conversations of each."""
        found: dict[str, dict[tuple[str, int], None]] = defaultdict(dict)
        before = scope._replace(starts=scope.starts - DAY_MS, ends=scope.starts)
        for fact in self.within(before):
            if isinstance(fact, SessionFact) and scope.starts <= (_answered_at(fact) or 0) < scope.ends:
                found[CROSSES][fact.conversation, fact.session] = None
        for fact in self.within(scope):
            for word in _words(fact, self._rule, scope.ends):
                found[word][fact.conversation, fact.session] = None
        ordered = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
        return tuple(
            Cause(word, len(sessions), tuple(conversation for conversation, _ in list(sessions)[:listed]))
            for word, sessions in ordered
        )

    def unnamed(self, scope: Scope) -> int:
        """Where people's days count: sessions whose customer nobody named, each of which is a person of its own."""
        if self._rule.unit is not Unit.PERSON_DAY:
            return 0
        return sum(isinstance(fact, SessionFact) and not fact.customer for fact in self.within(scope))

    def _is_mine(self, fact: Judged) -> bool:
        return not fact.void and (isinstance(fact, LegFact) or fact.definition == self.label)


def compared(told: Told, ours: Ours | None, why: Missing | None, lost: int, listed: int) -> Line:
    """One line. ours: None = nothing can be computed, because of `why`. lost: events declared lost in the period."""
    figure = told.figure
    scope = Scope(figure.period_starts, figure.period_ends, figure.queue, figure.account)
    measure = measured(figure.measure)
    theirs, mine = theirs_of(figure), None
    if ours is not None and measure is not None and why is None:
        if ours.recorded(scope.starts, scope.ends):
            mine = amount(ours.figures(scope), measure)
            why = Missing.NOTHING_COUNTED if mine.value is None else None
        else:
            why = Missing.NOTHING_RECORDED
    value = None if mine is None else mine.value
    delta = None if value is None or theirs.value is None else value - theirs.value
    caveats = ((LOST, lost), (UNNAMED, 0 if ours is None or mine is None else ours.unnamed(scope)))
    return Line(
        period_starts=figure.period_starts,
        period_ends=figure.period_ends,
        queue=figure.queue,
        account=figure.account,
        metric=figure.metric,
        measure=figure.measure,
        unit=figure.unit,
        definition="" if ours is None else ours.label,
        theirs=theirs,
        ours=mine,
        missing=why,
        delta=delta,
        restated=told.restated,
        causes=ours.causes(scope, listed) if ours is not None and delta else (),
        caveats=tuple(Caveat(word, count) for word, count in caveats if count),
        official=ours is None or ours.official,
    )


def _words(fact: Judged, rule: FigureRule, ends: int) -> Iterator[str]:
    """What rules are known to differ on, of one fact."""
    if isinstance(fact, LegFact):
        return
    if any(slot == Slot.NEAR_IT and count for slot, count in contribution(fact, rule).amounts):
        yield "near_limit"
    if isinstance(fact, ResponseFact):
        if fact.duration_ms is None and rule.unit is not Unit.SESSION:
            yield "unanswered_turns"
        return
    if fact.verdict is Verdict.EXCLUDED or fact.outcome is not Outcome.ANSWERED:
        yield fact.why
    if fact.answered_out_of_hours:
        yield "answered_out_of_hours"
    if fact.nobody_online:
        yield "nobody_online_sessions"
    if fact.skew_bound_ms:
        yield TWO_CLOCKS
    if (_answered_at(fact) or 0) >= ends:
        yield CROSSES


def _answered_at(fact: SessionFact) -> int | None:
    """By the definition's clock, which may have stood still meanwhile."""
    if fact.first_response_ms is None or fact.clock_started_at is None:
        return None
    return fact.clock_started_at + fact.first_response_ms


def _began(fact: Judged) -> int:
    return fact.started_at if isinstance(fact, SessionFact) else fact.session_started_at


def _told(figure: PlatformFigure) -> tuple[str, int | None, int, int]:
    return figure.unit, figure.value, figure.part, figure.whole


def _ppm(ratio: Ratio) -> int:
    return (2 * PPM * ratio.part + ratio.whole) // (2 * ratio.whole)
