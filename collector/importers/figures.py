"""A platform's own figures of days or months: a file and its mapping in, figures for reconciliation out."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from collector.importers._core.figure_rows import Figure, FigureOutcome, FigurePlan, FigureRows, Unit
from collector.importers._core.plan import Outcome
from collector.importers._core.rows import Row
from collector.importers._core.text import plain
from collector.importers._core.times import TimeReader
from collector.importers.columns import Columns, MappingError, Problem, Test, converted
from collector.importers.mapping import (
    ConstantTable,
    DurationTable,
    FileTable,
    StrictTable,
    duration_reader,
    nothing_words,
)
from collector.importers.reading import ReadingSettings, TableReading
from collector.importers.report import Report
from wire.ids import NAME_PATTERN
from wire.limits import INSTANT_MAX_MS, NAME_CHARS_MAX, WORD_CHARS_MAX
from wire.platform import Measured
from wire.zones import zone_named

_Name = Annotated[str, Meta(pattern=NAME_PATTERN, max_length=NAME_CHARS_MAX)]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE: Final = _EPOCH.date()
_MS: Final = timedelta(milliseconds=1)
# Format: no month is longer.
_INTO_NEXT_MONTH: Final = timedelta(31)
_BEYOND: Final = (INSTANT_MAX_MS, INSTANT_MAX_MS + 1)
"""A period in which the calendar ends."""


class PeriodTable(StrictTable, frozen=True, kw_only=True):
    """What a row is about. column: a date in the period. day_starts: when the platform's day begins, HH:MM."""

    column: str
    zone: str
    date_formats: list[str] = msgspec.field(default_factory=list)
    grain: Literal["day", "month"] = "day"
    day_starts: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"


class AboutTable(StrictTable, frozen=True, kw_only=True):
    """Columns that say whom a row is about; an empty cell means all of them."""

    queue: str | None = None
    account: str | None = None


class FigureTable(StrictTable, frozen=True, kw_only=True):
    """One figure. metric: as the platform calls it. definition: the rules it claims to count by, a preset's name.

    measure: which of ours it is held against.
    """

    metric: Annotated[str, Meta(min_length=1, max_length=WORD_CHARS_MAX)]
    column: str
    unit: Unit
    part: str | None = None
    whole: str | None = None
    definition: _Name | None = None
    measure: Measured | None = None
    when: dict[str, Test] = msgspec.field(default_factory=dict)


class FigureMapping(StrictTable, frozen=True, kw_only=True):
    """The whole mapping. format names the layout and is part of every key: a changed meaning needs another name."""

    format: _Name
    file: FileTable = FileTable()
    period: PeriodTable
    about: AboutTable = AboutTable()
    constant: ConstantTable = ConstantTable()
    durations: DurationTable = DurationTable()
    values: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    figure: Annotated[list[FigureTable], Meta(min_length=1)]


def read_figure_mapping(path: Path) -> FigureMapping:
    """The mapping in `path`. MappingError, OSError."""
    try:
        return parse_figure_mapping(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise MappingError([Problem(str(path), "is not UTF-8", "save it as UTF-8")]) from None


def parse_figure_mapping(text: str) -> FigureMapping:
    """The mapping in TOML `text`. MappingError."""
    mapping = converted(text, FigureMapping)
    try:
        zone_named(mapping.period.zone)
    except ZoneInfoNotFoundError:
        problem = f"{mapping.period.zone!r} is no IANA time zone"
        raise MappingError([Problem("period.zone", problem, 'write one such as "Asia/Shanghai"')]) from None
    if mapping.about.queue and mapping.constant.queue:
        raise MappingError([Problem("constant.queue", "a column says the queue already", "leave one of them out")])
    return mapping


class FiguresReading(TableReading[FigurePlan]):
    """A file of figures, each an event at the end of its period."""

    def __init__(self, path: Path, mapping: FigureMapping, client: str, settings: ReadingSettings) -> None:
        """Reads the header and the first rows. MappingError, TableError, OSError."""
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.period.zone)
        self._dates = TimeReader([], mapping.period.date_formats)
        super().__init__(
            path, mapping.file, settings, stream=(mapping.format, client), bind=lambda header: _plan(mapping, header)
        )

    def _fresh_report(self) -> Report:
        return Report(self._settings.rejected_listed, (*FigureOutcome, Outcome.REJECTED))

    def _reader(self) -> Callable[[Sequence[str]], Row]:
        rows = FigureRows(self._plan, duration_reader(self._mapping.durations))
        date_at = self._plan.date

        def read(cells: Sequence[str]) -> Row:
            text = plain(cells[date_at]) if date_at < len(cells) else ""
            return rows.read(cells, self._period(text))

        return read

    def _period(self, text: str) -> tuple[int, int] | None:
        """Start and end (ms) of the day or month in which the date lies; it may be out of the range of instants."""
        days = self._dates.read_date(text)
        if days is None:
            return None
        first = _EPOCH_DATE + timedelta(days=days)
        try:
            after = first + timedelta(days=1)
            if self._mapping.period.grain == "month":
                first = first.replace(day=1)
                after = (first + _INTO_NEXT_MONTH).replace(day=1)
        except OverflowError:
            return _BEYOND
        return self._instant(first), self._instant(after)

    def _instant(self, day: date) -> int:
        hour, minute = map(int, self._mapping.period.day_starts.split(":"))
        wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self._zone)
        return (wall - _EPOCH) // _MS


def _plan(mapping: FigureMapping, header: Sequence[str]) -> FigurePlan:
    """`mapping` bound to the columns of a file. MappingError where one is missing."""
    columns = Columns(header)

    def place(key: str, column: str | None) -> int | None:
        return None if column is None else columns.one(key, column)

    bound = FigurePlan(
        header=columns.header,
        read=0,
        clock=mapping.format,
        date=columns.one("period.column", mapping.period.column),
        queue=place("about.queue", mapping.about.queue),
        account=place("about.account", mapping.about.account),
        constant_queue=mapping.constant.queue or "",
        values={
            columns.one(f"values.{column}", column): {plain(said): meant for said, meant in table.items()}
            for column, table in mapping.values.items()
        },
        nothing=nothing_words(),
        figures=tuple(
            Figure(
                each.metric,
                each.unit,
                columns.one("figure.column", each.column),
                place("figure.part", each.part),
                place("figure.whole", each.whole),
                each.definition or "",
                each.measure or "",
                columns.conditions("figure.when", each.when),
            )
            for each in mapping.figure
        ),
    )
    columns.check()
    return bound._replace(read=columns.read)
