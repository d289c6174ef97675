"""Figures of a client for some business days: reports as `seatwatch report` makes them, and the sessions behind."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from collector.ledgers import ledger_directory
from dashboards.portal.record import Asked, AskedWronglyError, NothingSaidError
from dashboards.portal.sessions import PortalSettings
from ledger.errors import LedgerError
from ledger.reader import LedgerReader
from seatwatch.portal.gathering import Gathering, incidents_told
from seatwatch.settings import Defaults
from sla_engine._core.contract import EVERY_QUEUE, Contract
from sla_engine._core.definition import Definition
from sla_engine._core.windows import DAY_MS
from sla_engine.causes import Caused, CauseLimits
from sla_engine.definition_named import definition_named
from sla_engine.replay import entered_rules
from sla_engine.reports._core.buckets import DAYS_PER_WEEK, By, Frame
from sla_engine.reports._core.composing import frame_of
from sla_engine.reports._core.report import Question, Report
from sla_engine.reports.making import ReportSettings, Ruling, Table, report, reports, ruling_of
from wire.incident import IncidentSaid
from wire.limits import INSTANT_MAX_MS
from wire.verdict import SessionFact

_EPOCH: Final = date(1970, 1, 1)
Rules = tuple[Sequence[Definition], Sequence[Contract]]
"""Definitions and contracts as entered."""


class Span(NamedTuple):
    """Business days from `first` to `last`, both included, and their instants in ms: [since, until)."""

    first: date
    last: date
    since: int
    until: int


class Ruled(NamedTuple):
    """By whose rules days are cut, and when they begin and end by those."""

    ruling: Ruling
    frame: Frame
    span: Span


class AsOf(msgspec.Struct, frozen=True):
    """A place in a ledger. entries: before it. leaf: of the last of them. read_at: when that was (ms)."""

    ledger_id: bytes
    entries: int
    leaf: bytes
    read_at: int


class Told(msgspec.Struct, frozen=True):
    """Everything that pages of one span are made of.

    sessions: of the span and of `week_before`, the same week day before its last day. seconds: by day, under each
    further definition of the contract, on its own business days. asked: in no language. as_of: what was read.
    """

    asked: Asked
    as_of: AsOf
    span: Span
    ruling: Ruling
    daily: Report
    hourly: Report
    sessions: tuple[SessionFact, ...]
    last_day: tuple[int, int]
    week_before: tuple[int, int]
    caused: tuple[Caused, ...]
    incidents: tuple[IncidentSaid, ...]
    seconds: tuple[Report, ...] = ()

    def answers(self, asked: Asked) -> bool:
        """Whether it is what was asked for, or what is now asked for by its dates."""
        asked = replace(asked, language="")
        dated = replace(self.asked, first=self.span.first.isoformat(), last=self.span.last.isoformat())
        return asked in (self.asked, dated)

    @property
    def frame(self) -> Frame:
        """Hours, business days and months."""
        return frame_of(self.ruling.frame, self.ruling.contract)

    def of_span(self) -> tuple[SessionFact, ...]:
        """Sessions that start within the span."""
        return tuple(each for each in self.sessions if self.span.since <= each.started_at < self.span.until)


class YearTold(msgspec.Struct, frozen=True):
    """Reports of one span by month, as a contract cuts them, and by business day, and the incidents of that time.

    first, last: business days, both included.
    """

    first: str
    last: str
    monthly: Report
    daily: Report
    incidents: tuple[IncidentSaid, ...]


@contextmanager
def open_ledger(data: Path, client: str) -> Iterator[LedgerReader]:
    """A reader of a client's ledger in a data directory. Raises NothingSaidError where it cannot be read."""
    try:
        reader = LedgerReader.open(ledger_directory(data, client))
        try:
            yield reader
        finally:
            reader.close()
    except LedgerError:
        raise NothingSaidError("portal_unreadable") from None


class Keeping(Protocol):
    """Where what was read of a span is kept, so that a page, its files and its lists show the same. One span's only."""

    def kept(self) -> Told | None:
        """What was read before, None = nothing."""
        ...

    def keep(self, told: Told) -> None:
        """From now on it is this."""
        ...

    def passed(self, entries: int, of: int) -> None:
        """So many of them were read by now."""
        ...


class Reading:
    """Reads ledgers of a data directory."""

    def __init__(
        self,
        data: Path,
        settings: PortalSettings,
        reports: ReportSettings,
        limits: CauseLimits,
        clock_ms: Callable[[], int],
        keeping: Keeping | None = None,
    ) -> None:
        """limits: of causes. keeping: None = every question reads anew."""
        self._data: Final = data
        self._settings: Final = settings
        self._reports: Final = reports
        self._limits: Final = limits
        self._clock_ms: Final = clock_ms
        self._keeping: Final = keeping

    def told(self, asked: Asked) -> Told:
        """The figures asked for, as of a moment ago at most. Raises AskedWronglyError, NothingSaidError."""
        now, keeping = self._clock_ms(), self._keeping
        held = None if keeping is None else keeping.kept()
        kept = held if held is not None and held.answers(asked) else None
        if kept is not None and 0 <= now - kept.as_of.read_at < self._settings.figures_kept_ms:
            return kept
        with open_ledger(self._data, asked.client) as reader:
            rules = entered_rules(reader)
            ruled = self._ruled(rules, asked, self.span)
            # whatever came in since may change the past: a late reply, a file, an incident's end, a rule
            if (
                kept is not None
                and kept.span == ruled.span
                and kept.as_of == _as_of(reader, reader.size(), kept.as_of.read_at)
            ):
                return kept
            told = self._read(reader, asked, rules, ruled)
        if keeping is not None and (held is None or kept is not None):
            keeping.keep(told)
        return told

    def year(self, asked: Asked) -> YearTold:
        """Months, and their days; without any asked for, the last twelve months up to today. Raises as `told` does."""
        with open_ledger(self._data, asked.client) as reader:
            ruling, frame, span = self._ruled(entered_rules(reader), asked, self._year_of)
            facts, queues = self._data / "facts" / asked.client, (asked.queue or EVERY_QUEUE,)
            question = Question(client=asked.client, by=By.DAY, since=span.since, until=span.until, queues=queues)
            since, until = (
                _starts(frame, day, frame.months.starts_ms) for day in (span.first, span.last + timedelta(days=1))
            )
            cut = replace(question, by=By.MONTH, since=since, until=until)
            monthly, daily = (report(reader, facts, each, ruling, self._reports, _unheard) for each in (cut, question))
            first, last = span.first.isoformat(), span.last.isoformat()
            return YearTold(first, last, monthly, daily, tuple(incidents_told(reader, (span.since, span.until))))

    def _year_of(self, asked: Asked, frame: Frame) -> Span:
        """Without a first day, from the first of the month eleven months before the last day's."""
        before, longest = self._settings.year_default_ms // DAY_MS, self._settings.year_max_ms // DAY_MS
        last = _date(asked.last) or self._today(frame)

        def first() -> date:
            return _date(asked.first) or (last.replace(day=1) - timedelta(days=before)).replace(day=1)

        return _span(frame, first, last, longest, "portal_year_too_long")

    def _today(self, frame: Frame) -> date:
        at = self._clock_ms()
        return _day_of(frame.days.day_start(at) + frame.days.zone.offset_at(at))

    def span(self, asked: Asked, frame: Frame) -> Span:
        """The days asked for; without any, the last ones up to today. Raises AskedWronglyError."""
        default, longest = self._settings.span_default_ms // DAY_MS, self._settings.span_max_ms // DAY_MS
        last = _date(asked.last) or _date(asked.first) or self._today(frame)

        def first() -> date:
            return _date(asked.first) or last - timedelta(days=default - 1)

        return _span(frame, first, last, longest, "portal_too_many_days")

    def rules(self, asked: Asked) -> tuple[list[Definition], list[Contract]]:
        """What was entered for a client, in order."""
        with open_ledger(self._data, asked.client) as reader:
            return entered_rules(reader)

    def _ruled(self, rules: Rules, asked: Asked, span_of: Callable[[Asked, Frame], Span]) -> Ruled:
        """By whose rules the days asked for are cut, and when they begin and end by those."""
        queues = (asked.queue or EVERY_QUEUE,)
        latest = ruling_of(*rules, None, queues, INSTANT_MAX_MS)
        if latest is None:
            raise NothingSaidError("portal_no_rules")
        span = span_of(asked, frame_of(latest.frame, latest.contract))
        ruling = ruling_of(*rules, None, queues, span.since) or latest
        frame = frame_of(ruling.frame, ruling.contract)
        return Ruled(ruling, frame, span_of(asked, frame))

    def _read(self, reader: LedgerReader, asked: Asked, rules: Rules, ruled: Ruled) -> Told:
        """All of it in one pass."""
        ruling, frame, span = ruled
        last_day = _starts(frame, span.last), span.until
        before = span.last - timedelta(days=DAYS_PER_WEEK)
        week_before = _starts(frame, before), _starts(frame, before + timedelta(days=1))
        days = self._question(asked, span)
        seconds = list(self._seconds(asked, span, rules, ruling.contract))
        within, size, lookback_ms = (span.since, span.until), reader.size(), self._reports.lookback_ms
        passed = self._passing(size)
        beside = Gathering(
            within,
            (within, week_before),
            asked.queue,
            self._limits,
            lambda: passed(size),
            lookback_ms=lookback_ms,
        )
        tables = [Table(days, ruling), Table(replace(days, by=By.HOUR), ruling), *seconds]
        facts = self._data / "facts" / asked.client
        daily, hourly, *others = reports(reader, facts, tables, self._reports, passed, beside)
        return Told(
            replace(asked, language=""),
            _as_of(reader, daily.head.entries, self._clock_ms()),
            span,
            ruling,
            daily,
            hourly,
            tuple(beside.sessions),
            last_day,
            week_before,
            beside.caused(),
            beside.incidents(),
            tuple(others),
        )

    def _passing(self, entries: int) -> Callable[[int], None]:
        keeping = self._keeping
        return _unheard if keeping is None else lambda passed: keeping.passed(min(passed, entries), entries)

    def _question(self, asked: Asked, span: Span) -> Question:
        queues = (asked.queue or EVERY_QUEUE,)
        return Question(client=asked.client, by=By.DAY, since=span.since, until=span.until, queues=queues)

    def _seconds(self, asked: Asked, days: Span, rules: Rules, contract: Contract | None) -> Iterator[Table]:
        """The same days under each further definition of the contract."""
        entered = {each.name for each in rules[0]}
        queues = (asked.queue or EVERY_QUEUE,)
        dated = replace(asked, first=days.first.isoformat(), last=days.last.isoformat())
        for named in () if contract is None else contract.definitions[1:]:
            second = (definition_named(named, rules[0]), False) if named in entered else None
            ruling = None if second is None else ruling_of(*rules, second, queues, days.since)
            if ruling is not None:
                span = self.span(dated, frame_of(ruling.frame, ruling.contract))
                yield Table(self._question(asked, span), ruling)


def _as_of(reader: LedgerReader, entries: int, read_at: int) -> AsOf:
    return AsOf(reader.ledger_id, entries, reader.entry(entries - 1).leaf if entries else b"", read_at)


def report_settings(defaults: Defaults) -> ReportSettings:
    """Thresholds of the reports that pages are made of."""
    return ReportSettings(
        lookback_ms=defaults.ms("board.lookback"),
        facts_lag_ms=defaults.ms("engine.report_facts_lag"),
        hands_idle_ms=defaults.ms("board.hands_idle"),
    )


def _unheard(_entries: int) -> None:
    """Nobody waits for a bar."""


def _date(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AskedWronglyError(text) from None


def _day_of(local_ms: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=local_ms)).date()


def _span(frame: Frame, first_of: Callable[[], date], last: date, days_max: int, too_many: str) -> Span:
    """too_many: the word of the glossary for more than `days_max` days. Raises AskedWronglyError."""
    try:
        first, end = first_of(), last + timedelta(days=1)
    except OverflowError:
        raise AskedWronglyError("from, to") from None
    if last < first:
        raise AskedWronglyError("from, to")
    if last - first >= timedelta(days=days_max):
        raise AskedWronglyError("from, to", too_many, days=days_max)
    return Span(first, last, _starts(frame, first), _starts(frame, end))


def _starts(frame: Frame, day: date, starts_ms: int | None = None) -> int:
    """Start (ms) of a business day, or `starts_ms` into a date. Raises AskedWronglyError for one that no record has."""
    into_ms = frame.days.day_starts_ms if starts_ms is None else starts_ms
    at = frame.days.zone.first_instant_of((day - _EPOCH).days * DAY_MS + into_ms)
    if not 0 <= at < INSTANT_MAX_MS:
        raise AskedWronglyError(str(day))
    return at
