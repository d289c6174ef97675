"""Which sessions stand behind a figure, a bar or a cell: the same sessions that it counts, no more and no fewer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dashboards.portal.record import AskedWronglyError
from dashboards.portal.which import STEPS_PER_DAY, Which
from seatwatch.portal.reading import Told
from seatwatch.printed.report_columns import COLUMNS, Column
from seatwatch.printed.teller import Teller
from sla_engine._core.attribution import Trace
from sla_engine._core.choices import Unit
from sla_engine._core.contributions import figure_rule
from sla_engine._core.definition import MINUTES_PER_DAY, label_of
from sla_engine._core.figures import figures_of_session
from sla_engine._core.windows import DAY_MS
from sla_engine.reports._core.buckets import Frame
from sla_engine.reports._core.report import Report
from wire.board import Mean, Ratio
from wire.verdict import SessionFact

# Layout: of a picture.
BINS: Final = 31
"""Of first responses: 0-1 s ... 29-30 s, and everything longer, as contracts judge by 10, 20 and 30 s."""
_MS_PER_S: Final = 1_000
_MINUTES_PER_STEP: Final = MINUTES_PER_DAY // STEPS_PER_DAY
_STEP_MS: Final = DAY_MS // STEPS_PER_DAY
_JUDGED: Final = ("attainment", "near_limit")
"""Figures that count turns or people where the definition judges those: then no list of sessions is behind them."""
_OF_SESSIONS: Final = (
    *("offered", "answered", "abandoned", "short_abandoned", "unanswered", "excluded", "service_level"),
    *("nobody_online", "not_served", "answered_out_of_hours", "first_response", "seat_response", "answer_wait"),
    *("queue_wait", "accept_wait", "reply_wait", "bot_time"),
)


def listed_figures(daily: Report) -> frozenset[str]:
    """Columns of a report whose every count is one of sessions."""
    by_session = all(each.unit is Unit.SESSION for each in daily.head.definitions)
    return frozenset((*_OF_SESSIONS, *_JUDGED) if by_session else _OF_SESSIONS)


def bin_of(first_response_ms: int) -> int:
    """Its place in the histogram. A reply at exactly 10.000 s is in time, so the edge belongs to the bin before it."""
    return min(BINS - 1, max(0, first_response_ms - 1) // _MS_PER_S)


def step_of(fact: SessionFact, frame: Frame) -> int:
    """The five minutes of the business day it began in, by the local clock: an hour told twice is one place."""
    local = fact.started_at + frame.days.zone.offset_at(fact.started_at)
    return (local - frame.days.day_starts_ms) % DAY_MS // _STEP_MS


class Chosen:
    """Sessions of what was told that have in common what is asked for. Raises AskedWronglyError."""

    def __init__(self, told: Told, which: Which) -> None:
        self._told: Final = told
        self._which: Final = which
        self._traces: Final = {(each.fact.conversation, each.fact.session): each.trace for each in told.caused}
        self._rules: Final = {label_of(each): figure_rule(each, label_of(each)) for each in told.ruling.possible}
        self._zone: Final = ZoneInfo(told.daily.head.time_zone)
        self._frame: Final = told.frame
        self._column: Final = _column(told.daily, which.figure) if which.figure else None
        self.sessions: Final = [fact for fact in told.of_span() if self._is_one(fact)]

    def trace(self, fact: SessionFact) -> Trace | None:
        """Why it was missed; None where it was not."""
        return self._traces.get((fact.conversation, fact.session))

    def common(self, tell: Teller) -> Iterator[str]:
        """What they have in common, in words."""
        which = self._which
        if which.verdict is not None:
            yield f"{tell.word('verdict_heading')}: {tell.word(which.verdict)}"
        if which.cause is not None:
            yield f"{tell.word('cause')}: {tell.word(f'cause_{which.cause}')}"
        if which.incident:
            yield tell.filled("portal_of_incident", incident=which.incident)
        if self._column is not None:
            yield tell.filled("portal_counted_in", figure=tell.word(self._column.key))
        if which.weekday is not None:
            yield tell.word(f"portal_weekday_{which.weekday}")
        if which.hour is not None:
            yield f"{which.hour:02}:00-{which.hour:02}:59"
        if which.step is not None:
            yield f"{self._clock(which.step)}-{self._clock(which.step + which.steps)}"
        if which.second is not None:
            long = f"{which.second}-{which.second + 1}" if which.second < BINS - 1 else f"> {BINS - 1}"
            yield f"{tell.word('first_response')} {long} {tell.word('seconds')}"
        if which.unreplied:
            yield tell.word("portal_no_reply")

    def _clock(self, step: int) -> str:
        minute = (self._told.daily.head.business_day_starts_minute + step * _MINUTES_PER_STEP) % MINUTES_PER_DAY
        return f"{minute // 60:02}:{minute % 60:02}"

    def _is_one(self, fact: SessionFact) -> bool:
        which = self._which
        return (
            which.verdict in (None, fact.verdict)
            and self._is_caused(fact)
            and self._is_then(fact)
            and self._is_answered(fact)
            and (self._column is None or self._counts(fact, self._column))
        )

    def _is_caused(self, fact: SessionFact) -> bool:
        which = self._which
        if which.cause is None and not which.incident:
            return True
        trace = self.trace(fact)
        return trace is not None and which.cause in (None, trace.cause) and which.incident in ("", trace.incident)

    def _is_then(self, fact: SessionFact) -> bool:
        which = self._which
        if which.weekday is not None or which.hour is not None:
            local = datetime.fromtimestamp(fact.started_at // _MS_PER_S, tz=UTC).astimezone(self._zone)
            if which.weekday not in (None, local.weekday()) or which.hour not in (None, local.hour):
                return False
        if which.step is None:
            return True
        step = step_of(fact, self._frame)
        return which.step <= step < which.step + which.steps

    def _is_answered(self, fact: SessionFact) -> bool:
        which, response = self._which, fact.first_response_ms
        if which.unreplied and response is not None:
            return False
        return which.second is None or (response is not None and bin_of(response) == which.second)

    def _counts(self, fact: SessionFact, column: Column) -> bool:
        """Whether a column counts it: by the sums of the report itself, over this one session."""
        rule = self._rules.get(fact.definition)
        if rule is None:
            return False
        match column.take(replace(self._told.daily.total, figures=figures_of_session(fact, rule))):
            case None:
                return False
            case Ratio(whole=count) | Mean(count=count):
                return count > 0
            case count:
                return count > 0


def _column(daily: Report, figure: str) -> Column:
    if figure not in listed_figures(daily):
        raise AskedWronglyError("figure")
    return next(column for column in COLUMNS if column.key == figure)
