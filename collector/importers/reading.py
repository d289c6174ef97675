"""One file under one mapping: its rows counted, its events numbered and in order of time."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from collector.importers._core import keys
from collector.importers._core.order import Numbered, Recent, by_time, numbered
from collector.importers._core.plan import Plan
from collector.importers._core.rows import Readers, Row, RowReader
from collector.importers._core.text import heading, plain
from collector.importers._core.times import Offsets
from collector.importers.columns import MappingError, Problem
from collector.importers.mapping import FileTable, Mapping, nothing_words, plan, readers
from collector.importers.report import Report
from collector.importers.tables import WORKBOOK, Table, TableLimits

PlanT = TypeVar("PlanT")

_MS: Final = timedelta(milliseconds=1)


class ReadingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of reading.

    events_sorted: how many events are held back to be sent in order of time. ids_remembered: among how many
    conversations one id may not come twice. rows_remembered: among how many rows of a log one is known to have come
    before; rows_noted: how many of them the next import begins with. rejected_listed: how many rejected rows are kept
    by number for the report. cells_remembered: how many wall times are kept with their offsets. workbook: what one may
    unfold to. call_longest_ms: of a log of calls that tells no end of one: after so long it has ended. latest: the
    last instant (ms) that the door takes; the same for every pass. rows_looked_at: at the beginning of a log, which say
    what it is; one of them alone may be broken.
    """

    events_sorted: int
    ids_remembered: int
    rows_remembered: int
    rows_noted: int
    rows_looked_at: int
    rejected_listed: int
    cells_remembered: int
    workbook: TableLimits
    call_longest_ms: int
    latest: int


class TableReading(ABC, Generic[PlanT]):
    """A file that can be read more than once with the same result; a longer file gives the same beginning."""

    def __init__(
        self,
        path: Path,
        file: FileTable,
        settings: ReadingSettings,
        *,
        stream: tuple[str, str],
        bind: Callable[[Sequence[str]], PlanT],
    ) -> None:
        """Reads the header and the first rows. stream: format and client. bind: what the rows mean under that header.

        MappingError, TableError, OSError.
        """
        self._path = path
        self._file = file
        self._settings = settings
        self.starts_after: Final = 0
        self._table: Table | None = None
        rows = self._rows()
        _, header = next(rows, (0, []))
        self._plan: Final = bind(header)
        self._width: Final = len(header)
        first = [keys.line(cells) for _, cells in islice(rows, keys.HEAD_LENGTH)]
        self.epochs: Final[Sequence[bytes]] = keys.epochs(*stream, [keys.line(header), *first])
        self.report: Report = self._fresh_report()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._path.stat().st_size

    @property
    def position(self) -> int:
        """Bytes read in the running pass."""
        return 0 if self._table is None else self._table.position

    def in_time_order(self) -> Iterator[Numbered]:
        """All events, sorted as far as the settings allow. Counts anew into `report`."""
        return by_time(self.in_file_order(), self._settings.events_sorted)

    def in_file_order(self) -> Iterator[Numbered]:
        """All events by number. Counts anew into `report`."""
        report = self.report = self._fresh_report()
        read = self._reader()
        # a workbook keeps no empty cells; in a text a row that ends early may have been cut off
        empty = [""] * (self._width if self._path.suffix.lower() == WORKBOOK else 0)

        def counted() -> Iterator[tuple[int, Row]]:
            for number, cells in islice(self._rows(), 1, None):
                row = read([*cells, *empty[len(cells) :]])
                report.count(number, row)
                yield number, row

        for event in numbered(counted()):
            report.events = event.sequence
            yield event

    @abstractmethod
    def _reader(self) -> Callable[[Sequence[str]], Row]:
        """What reads the rows of one pass, from the first to the last."""

    @abstractmethod
    def _fresh_report(self) -> Report:
        """An account of nothing yet."""

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The header, then the rows."""
        file = self._file
        self._table = Table(
            self._path,
            encoding=file.encoding,
            delimiter=file.delimiter,
            sheet=file.sheet,
            limits=self._settings.workbook,
        )
        rows = self._table.rows()
        for number, cells in rows:
            if number >= file.header_row:
                following = (cells for _, cells in islice(rows, file.header_rows - 1))
                return chain([(number, one_heading_each([cells, *following]))], rows)
        fix = "give a file with a header, or correct file.header_row"
        raise MappingError([Problem("file.header_row", f"{self._path} has no row {file.header_row}", fix)])


class MappedReading(TableReading[Plan]):
    """A file of conversations."""

    def __init__(self, path: Path, mapping: Mapping, client: str, settings: ReadingSettings) -> None:
        """Reads the header and the first rows. MappingError, TableError, OSError."""
        self._mapping = mapping
        super().__init__(
            path, mapping.file, settings, stream=(mapping.format, client), bind=lambda header: plan(mapping, header)
        )

    def _fresh_report(self) -> Report:
        return Report(self._settings.rejected_listed)

    def _reader(self) -> Callable[[Sequence[str]], Row]:
        times, durations = readers(self._mapping)
        offsets = lru_cache(self._settings.cells_remembered)(zone_offsets(self._mapping.zone()))
        recent = Recent(self._settings.ids_remembered)
        found = Readers(times, durations, offsets, nothing_words())
        return RowReader(self._plan, found, recent.first_seen, self._settings.latest).read


def one_heading_each(rows: Sequence[list[str]]) -> list[str]:
    """The headings of columns under a header of several rows: the lowest that is filled.

    Of several columns that are called the same so, each with the name of its group before it, which stands above the
    first of them.
    """
    if len(rows) == 1:
        return rows[0]
    width = max(map(len, rows))
    padded = [[*cells, *[""] * (width - len(cells))] for cells in rows]
    lowest = [next(filter(plain, reversed(cells)), "") for cells in zip(*padded, strict=True)]
    twice = {name for name, count in Counter(map(heading, lowest)).items() if count > 1}
    groups: Iterator[str] = accumulate(padded[0], _last_filled)
    return [
        f"{group} {name}" if heading(name) in twice and plain(name) else name
        for group, name in zip(groups, lowest, strict=True)
    ]


def _last_filled(before: str, cell: str) -> str:
    return cell if plain(cell) else before


def zone_offsets(zone: ZoneInfo) -> Offsets:
    """Which offsets (ms) a wall time can have in `zone`: asked of the zone database, both sides of a change tried."""

    def offsets(wall: datetime) -> tuple[int, ...]:
        found = set()
        for fold in (0, 1):
            local = wall.replace(tzinfo=zone, fold=fold)
            try:
                is_shown = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
            except OverflowError:  # the first or the last day of the calendar: nobody changes clocks there
                is_shown = True
            if is_shown:
                found.add((local.utcoffset() or timedelta()) // _MS)
        return tuple(sorted(found))

    return offsets
