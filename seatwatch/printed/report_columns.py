"""The columns of a report: what each takes of a row, and how it stands in a cell, in a file and on a screen."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from seatwatch.numbers import decimal, hundredths, mean_ms, percent, quotient_hundredths, share
from seatwatch.printed.teller import Teller
from sla_engine.reports._core.buckets import HOUR_MS
from sla_engine.reports._core.report import Row
from wire.board import Mean, Ratio

Value = int | Ratio | Mean | None


class Part(StrEnum):
    """The tables a screen shows one below the other; a glossary key each."""

    SESSIONS = "report_sessions"
    TIMES = "report_times"
    WORK = "report_work"
    PEOPLE = "report_people"
    TRAILING = "report_trailing"


class Form(StrEnum):
    """How a value is read: a share in percent, one of time too, a quotient as a number, a mean or a duration in ms."""

    COUNT = "count"
    SHARE = "share"
    TIME_SHARE = "time_share"
    QUOTIENT = "quotient"
    MEAN = "mean"
    DURATION = "duration"


class Column(NamedTuple):
    """key: of the glossary, and the name in files."""

    key: str
    part: Part
    form: Form
    take: Callable[[Row], Value]

    def shown(self, row: Row, tell: Teller) -> str:
        """The cell on a screen; "-" where there is no data. Shares and means carry their counts."""
        value = self.take(row)
        match value:
            case None | Ratio(whole=0) | Mean(count=0):
                return "-"
            case Ratio():
                if self.form is Form.QUOTIENT:
                    return decimal(quotient_hundredths(value))
                if self.form is Form.TIME_SHARE:
                    hours = f"{_hours(value.part)}/{_hours(value.whole)} {tell.word('hours')}"
                    return f"{percent(hundredths(value))} ({hours})"
                return share(value)
            case Mean(count=count):
                return f"{tell.lasting(mean_ms(value))} ({count})"
            case int():
                return tell.lasting(value) if self.form is Form.DURATION else str(value)

    def fields(self) -> tuple[str, ...]:
        """Names of its fields in a file."""
        match self.form:
            case Form.COUNT:
                return (self.key,)
            case Form.SHARE | Form.TIME_SHARE:
                return f"{self.key}_part", f"{self.key}_whole", f"{self.key}_percent"
            case Form.QUOTIENT:
                return f"{self.key}_part", f"{self.key}_whole", self.key
            case Form.MEAN:
                return f"{self.key}_total_ms", f"{self.key}_count", f"{self.key}_mean_ms"
            case Form.DURATION:
                return (f"{self.key}_ms",)

    def values(self, row: Row) -> tuple[int | str | None, ...]:
        """As many as `fields`: whole numbers, decimals as text, None = no data. A rate over nothing is None."""
        value = self.take(row)
        match value:
            case None:
                return (None,) * len(self.fields())
            case Ratio(part=part, whole=whole):
                of_hundredths = quotient_hundredths if self.form is Form.QUOTIENT else hundredths
                return part, whole, decimal(of_hundredths(value)) if whole else None
            case Mean(total_ms=total_ms, count=count):
                return total_ms, count, mean_ms(value) if count else None
            case int():
                return (value,)


def not_judged(row: Row) -> str:
    """Sessions that are neither met nor missed, by reason, as a file has them."""
    return "; ".join(f"{why} {count}" for why, count in sorted(row.figures.detail.not_judged.items()))


def unbounded(row: Row) -> str:
    """Why attainment has no bounds, as a file has it; empty where it has them, and where nothing is known of losses."""
    why = None if row.coverage is None else row.coverage.unbounded
    return "" if why is None else why.value


def _hours(ms: int) -> str:
    """Tenths of an hour, down."""
    # Layout: one decimal place.
    tenths = ms * 10 // HOUR_MS
    return f"{tenths // 10}.{tenths % 10}"


def _under(path: str) -> Callable[[Row], Value]:
    """What stands under a dotted path of a row; None where a part of it is."""

    def taken(row: Row) -> Value:
        found: Any = row
        for name in path.split("."):
            found = None if found is None else getattr(found, name)
        value: Value = found
        return value

    return taken


_S, _T, _W, _P, _R = Part
_COUNT, _SHARE, _TIME_SHARE, _QUOTIENT, _MEAN, _DURATION = Form
COLUMNS: Final = tuple(
    Column(key, part, form, _under(path))
    for key, part, form, path in (
        ("offered", _S, _COUNT, "figures.offered"),
        ("answered", _S, _COUNT, "figures.answered"),
        ("abandoned", _S, _COUNT, "figures.abandoned"),
        ("short_abandoned", _S, _COUNT, "figures.short_abandoned"),
        ("unanswered", _S, _COUNT, "figures.unanswered"),
        ("excluded", _S, _COUNT, "figures.excluded"),
        ("attainment", _S, _SHARE, "figures.attainment"),
        ("service_level", _S, _SHARE, "figures.service_level.ratio"),
        ("handed_on_level", _S, _SHARE, "handed_on.level"),
        ("near_limit", _S, _COUNT, "figures.detail.near_limit"),
        ("nobody_online", _S, _COUNT, "figures.detail.nobody_online"),
        ("not_served", _S, _COUNT, "figures.detail.not_served"),
        ("answered_out_of_hours", _S, _COUNT, "figures.detail.answered_out_of_hours"),
        ("unanswered_turns", _S, _COUNT, "figures.detail.unanswered_turns"),
        ("first_response", _T, _MEAN, "figures.first_response"),
        ("seat_response", _T, _MEAN, "figures.seat_response"),
        ("average_response", _T, _MEAN, "figures.average_response"),
        ("answer_wait", _T, _MEAN, "figures.answer_wait"),
        ("queue_wait", _T, _MEAN, "figures.detail.queue_wait"),
        ("accept_wait", _T, _MEAN, "figures.detail.accept_wait"),
        ("reply_wait", _T, _MEAN, "figures.detail.reply_wait"),
        ("bot_time", _T, _MEAN, "figures.detail.bot_time"),
        ("first_response_p50", _T, _DURATION, "first_responses.p50"),
        ("first_response_p90", _T, _DURATION, "first_responses.p90"),
        ("first_response_p95", _T, _DURATION, "first_responses.p95"),
        ("response_p50", _T, _DURATION, "responses.p50"),
        ("response_p90", _T, _DURATION, "responses.p90"),
        ("response_p95", _T, _DURATION, "responses.p95"),
        ("transfers", _W, _SHARE, "figures.detail.transfers"),
        ("handed_on_received", _W, _COUNT, "handed_on.received"),
        ("handed_on_answered", _W, _COUNT, "handed_on.answered"),
        ("handed_on_unanswered", _W, _COUNT, "handed_on.unanswered"),
        ("handed_on_wait", _W, _MEAN, "handed_on.wait"),
        ("unanswered_rings", _W, _COUNT, "figures.detail.unanswered_rings"),
        ("unanswered_legs", _W, _SHARE, "figures.detail.unanswered_legs"),
        ("voice_handle_time", _W, _MEAN, "figures.detail.voice_handle_time"),
        ("chat_handle_time", _W, _MEAN, "figures.detail.chat_handle_time"),
        ("resolution", _W, _MEAN, "figures.detail.resolution"),
        ("quality_checked", _W, _SHARE, "figures.detail.quality_checked"),
        ("quality_passed", _W, _SHARE, "figures.detail.quality_passed"),
        ("quality_fatal", _W, _COUNT, "figures.detail.quality_fatal"),
        ("concurrency", _W, _QUOTIENT, "load.mean"),
        ("concurrency_p95", _W, _COUNT, "load.p95"),
        ("concurrency_peak", _W, _COUNT, "load.peak"),
        ("occupancy", _P, _TIME_SHARE, "work.occupancy"),
        ("logged_in_time", _P, _DURATION, "work.logged_in_ms"),
        ("on_break_time", _P, _DURATION, "work.on_break_ms"),
        ("wrap_up_time", _P, _DURATION, "work.wrap_up_ms"),
        ("at_work_time", _P, _DURATION, "work.at_work_ms"),
        ("serving_time", _P, _DURATION, "work.serving_ms"),
        ("talking_time", _P, _DURATION, "talking_ms"),
        ("staffed_seats", _P, _QUOTIENT, "seats.staffed"),
        ("contracted_seats", _P, _QUOTIENT, "seats.contracted"),
        ("seat_shortfall", _P, _DURATION, "seats.shortfall_ms"),
        ("no_data_time", _P, _DURATION, "seats.no_data_ms"),
        ("coverage", _P, _TIME_SHARE, "coverage.time"),
        ("coverage_worst", _P, _SHARE, "coverage.worst"),
        ("coverage_best", _P, _SHARE, "coverage.best"),
        ("trailing_attainment", _R, _SHARE, "trailing.attainment"),
        ("trailing_first_response", _R, _MEAN, "trailing.first_response"),
        ("trailing_average_response", _R, _MEAN, "trailing.average_response"),
        ("trailing_service_level", _R, _SHARE, "trailing.service_level.ratio"),
    )
)
