"""The columns of a report: what each takes of a row, and how it stands in a cell, in a file and on a screen."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from seatwatch.explain_words import Teller
from seatwatch.numbers import decimal, hundredths, mean_ms, percent
from sla_engine.reports._core.report import Row
from wire.board import Mean, Ratio

HUNDRED: Final = 100
Value = int | Ratio | Mean | None


class Part(StrEnum):
    """The tables a screen shows one below the other; a glossary key each."""

    SESSIONS = "report_sessions"
    TIMES = "report_times"
    PEOPLE = "report_people"
    TRAILING = "report_trailing"


class Form(StrEnum):
    """How a value is read: a share in percent, a quotient as a number, a mean or a duration in ms."""

    COUNT = "count"
    SHARE = "share"
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
            case Ratio(part=part, whole=whole):
                if self.form is Form.QUOTIENT:
                    return decimal(_quotient(value))
                return f"{percent(hundredths(value))} ({part}/{whole})"
            case Mean(count=count):
                return f"{tell.lasting(mean_ms(value))} ({count})"
            case int():
                return tell.lasting(value) if self.form is Form.DURATION else str(value)

    def fields(self) -> tuple[str, ...]:
        """Names of its fields in a file."""
        match self.form:
            case Form.COUNT:
                return (self.key,)
            case Form.SHARE:
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
                of_hundredths = hundredths if self.form is Form.SHARE else _quotient
                return part, whole, decimal(of_hundredths(value)) if whole else None
            case Mean(total_ms=total_ms, count=count):
                return total_ms, count, mean_ms(value) if count else None
            case int():
                return (value,)


def not_judged(row: Row) -> str:
    """Sessions that are neither met nor missed, by reason, as a file has them."""
    return "; ".join(f"{why} {count}" for why, count in sorted(row.figures.detail.not_judged.items()))


def _quotient(ratio: Ratio) -> int:
    """Hundredths of the quotient itself, half up."""
    return (2 * HUNDRED * ratio.part + ratio.whole) // (2 * ratio.whole)


def _under(path: str) -> Callable[[Row], Value]:
    """What stands under a dotted path of a row; None where a part of it is."""

    def taken(row: Row) -> Value:
        found: Any = row
        for name in path.split("."):
            found = None if found is None else getattr(found, name)
        value: Value = found
        return value

    return taken


def _columns(part: Part, form: Form, under: str, *keys: str) -> Iterator[Column]:
    """Columns named as what they show."""
    for key in keys:
        yield Column(key, part, form, _under(f"{under}.{key}"))


def _time_columns(*states: str) -> Iterator[Column]:
    for state in states:
        yield Column(f"{state}_time", Part.PEOPLE, Form.DURATION, _under(f"work.{state}_ms"))


def _percentile_columns(kind: str) -> Iterator[Column]:
    for mark in ("p50", "p90", "p95"):
        yield Column(f"{kind}_{mark}", Part.TIMES, Form.DURATION, _under(f"{kind}s.{mark}"))


def _occupancy(row: Row) -> Ratio | None:
    return None if row.work is None else Ratio(row.work.serving_ms, row.work.at_work_ms)


_OUTCOMES: Final = ("offered", "answered", "abandoned", "short_abandoned", "unanswered", "excluded")
_FLAGS: Final = ("near_limit", "nobody_online", "not_served", "answered_out_of_hours", "unanswered_turns")
_MEANS: Final = ("first_response", "seat_response", "average_response", "answer_wait")
_WAITS: Final = ("queue_wait", "accept_wait", "reply_wait", "bot_time")
COLUMNS: Final = (
    *_columns(Part.SESSIONS, Form.COUNT, "figures", *_OUTCOMES),
    *_columns(Part.SESSIONS, Form.SHARE, "figures", "attainment"),
    Column("service_level", Part.SESSIONS, Form.SHARE, _under("figures.service_level.ratio")),
    *_columns(Part.SESSIONS, Form.COUNT, "figures.detail", *_FLAGS),
    *_columns(Part.TIMES, Form.MEAN, "figures", *_MEANS),
    *_columns(Part.TIMES, Form.MEAN, "figures.detail", *_WAITS),
    *_percentile_columns("first_response"),
    *_percentile_columns("response"),
    *_columns(Part.PEOPLE, Form.SHARE, "figures.detail", "transfers", "unanswered_legs"),
    *_columns(Part.PEOPLE, Form.MEAN, "figures.detail", "voice_handle_time", "chat_handle_time", "resolution"),
    Column("concurrency", Part.PEOPLE, Form.QUOTIENT, _under("load.mean")),
    Column("concurrency_p95", Part.PEOPLE, Form.COUNT, _under("load.p95")),
    Column("concurrency_peak", Part.PEOPLE, Form.COUNT, _under("load.peak")),
    Column("occupancy", Part.PEOPLE, Form.SHARE, _occupancy),
    *_time_columns("logged_in", "on_break", "wrap_up", "at_work", "serving"),
    Column("talking_time", Part.PEOPLE, Form.DURATION, _under("talking_ms")),
    Column("staffed_seats", Part.PEOPLE, Form.QUOTIENT, _under("seats.staffed")),
    Column("contracted_seats", Part.PEOPLE, Form.QUOTIENT, _under("seats.contracted")),
    Column("seat_shortfall", Part.PEOPLE, Form.DURATION, _under("seats.shortfall_ms")),
    Column("coverage", Part.PEOPLE, Form.SHARE, _under("coverage.time")),
    Column("coverage_worst", Part.PEOPLE, Form.SHARE, _under("coverage.worst")),
    Column("coverage_best", Part.PEOPLE, Form.SHARE, _under("coverage.best")),
    Column("trailing_attainment", Part.TRAILING, Form.SHARE, _under("trailing.attainment")),
    Column("trailing_first_response", Part.TRAILING, Form.MEAN, _under("trailing.first_response")),
    Column("trailing_average_response", Part.TRAILING, Form.MEAN, _under("trailing.average_response")),
    Column("trailing_service_level", Part.TRAILING, Form.SHARE, _under("trailing.service_level.ratio")),
)
