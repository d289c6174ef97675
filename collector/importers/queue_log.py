"""Asterisk's queue_log: its files in their order as one stream, rows of either form read, events numbered.

* TableError: a file is no queue_log, or cannot be put in order with the others. `problem` and `fix` say why.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec

from collector.importers._core import keys, plan
from collector.importers._core.order import Numbered, by_time, numbered
from collector.importers._core.plan import Outcome
from collector.importers._core.queue_log import FORMAT, SECOND_MS, LogRow, as_row, is_cut_off
from collector.importers._core.queue_open import CallLimits
from collector.importers._core.queue_story import Story, is_of_this_version
from collector.importers._core.repeats import REPEATED, Repeats
from collector.importers._core.rows import Row
from collector.importers._core.text import plain
from collector.importers._core.times import Moment, TimeReader, instants
from collector.importers.reading import ReadingSettings, zone_offsets
from collector.importers.report import Report
from collector.importers.tables import TEXT_SUFFIXES, WORKBOOK, Table, TableError, TableLimits, detect
from wire.limits import INSTANT_MAX_MS

_LINE: Final = re.compile(r"\d+(\.\d+)?\|[^|]*\|[^|]*\|[^|]*\|[^|]+")
_EPOCH: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?")
_NAMES: Final = (("time",), ("callid",), ("queuename", "queue"), ("agent",), ("event",))
_DATA: Final = re.compile(r"data\d*")
_DELIMITERS: Final = (",", ";", "\t")
_GZIP: Final = b"\x1f\x8b"
_END: Final = b"end of "
# Bound: no line of app_queue is a hundredth as long.
_LINE_CHARS: Final = 1 << 16
# Format: of fractions, milliseconds.
_PLACES: Final = 3
_SHAPE: Final = "give the file as Asterisk writes it, or its table as CSV with the header time,callid,queuename,..."


class _Cells(NamedTuple):
    """A row taken apart: its place in its file, its text as one line, its time, names and parameters."""

    number: int
    line: bytes
    time: str
    names: Sequence[str]
    params: Sequence[str]


class QueueLogFile:
    """One file of a queue_log, in either of its forms, compressed or not."""

    def __init__(self, path: Path, limits: TableLimits, rows_looked_at: int) -> None:
        """Looks at the first rows. TableError, OSError."""
        self.path: Final = path
        self._limits = limits
        self.size: Final = path.stat().st_size
        self._raw: BinaryIO | None = None
        self._table: Table | None = None
        self._encoding = ""
        self.breaks_off = False
        """Its last row is not whole and is not among `rows`."""
        with self._lines() as lines:
            first = list(islice((line.strip() for line in lines if line.strip()), rows_looked_at))
        self._columns: tuple[list[int], list[int]] | None = None
        self._delimiter = ","
        if first and not any(_LINE.match(line) for line in first):
            self._delimiter, self._columns = self._header()
        self.first: Final = list(islice(self.rows(), rows_looked_at))

    @property
    def position(self) -> int:
        """Bytes read in the running pass."""
        if self._table is not None:
            return self._table.position
        return 0 if self._raw is None or self._raw.closed else self._raw.tell()

    def rows(self) -> Iterator[_Cells]:
        """Its rows from front to back."""
        if self._columns is None:
            yield from self._file_rows()
        else:
            yield from self._table_rows(*self._columns)

    def _file_rows(self) -> Iterator[_Cells]:
        with self._lines() as lines:
            for number, text in enumerate(lines, start=1):
                line = text.rstrip("\r\n")
                if line.strip():
                    parts = line.split("|")
                    if line == text and len(text) < _LINE_CHARS and is_cut_off(parts[1:5], parts[5:]):
                        self.breaks_off = True
                        return  # it was being written, or the copy ended there; whole, it is the next import's
                    yield _Cells(number, keys.line([line]), parts[0], parts[1:5], parts[5:])

    def _table_rows(self, names: list[int], data: list[int]) -> Iterator[_Cells]:
        self._table = Table(self.path, encoding="auto", delimiter=self._delimiter, sheet="", limits=self._limits)
        width = max(*names, *data) + 1
        for number, cells in islice(self._table.rows(), 1, None):
            if len(cells) < width:
                yield _Cells(number, keys.line(cells), "", (), ())
                continue
            time, *others = (plain(cells[place]) for place in names)
            *params, last = (cells[place] for place in data)  # the last column takes all that is left
            yield _Cells(number, keys.line(cells), time, others, [*params, *last.split("|")])

    def _header(self) -> tuple[str, tuple[list[int], list[int]]]:
        """The delimiter and where the columns stand. TableError."""
        if self.path.suffix.lower() not in {WORKBOOK, *TEXT_SUFFIXES}:
            raise TableError(self.path, "is no queue_log", _SHAPE)
        for delimiter in _DELIMITERS:
            table = Table(self.path, encoding="auto", delimiter=delimiter, sheet="", limits=self._limits)
            _, cells = next(table.rows(), (0, []))
            header = [plain(cell).casefold() for cell in cells]
            names = [next((header.index(name) for name in wanted if name in header), -1) for wanted in _NAMES]
            data = [place for place, name in enumerate(header) if _DATA.fullmatch(name)]
            if min(names) >= 0 and data:
                return delimiter, (names, data)
        raise TableError(self.path, "is no queue_log", _SHAPE)

    @contextmanager
    def _lines(self) -> Iterator[Iterator[str]]:
        """Text lines; what is no text is marked, and only matters where it stands in a name."""
        with ExitStack() as opened:
            self._raw = opened.enter_context(self.path.open("rb"))
            is_compressed = self._raw.read(len(_GZIP)) == _GZIP
            self._raw.seek(0)
            packed = opened.enter_context(gzip.GzipFile(fileobj=self._raw)) if is_compressed else None
            stream = self._raw if packed is None else cast("BinaryIO", packed)
            try:
                self._encoding = self._encoding or detect(stream)
                stream.seek(0)
                text = opened.enter_context(
                    io.TextIOWrapper(stream, encoding=self._encoding, errors="replace", newline="\n")
                )
                yield iter(lambda: text.readline(_LINE_CHARS), "")
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise TableError(self.path, f"cannot be unpacked ({type(error).__name__})", "copy it again") from None


class Part(msgspec.Struct, frozen=True):
    """Where a file continues a stream. head: the epoch it would have by itself. stream: the epoch it belongs to.

    after: the number before its first event. state: what the rows before it left open. skips: how many of its first
    rows the parts before it held already. recent, first: where a stream ends, its last rows, in which a
    part that overlaps with it begins, and its first ones, in which an older part ends that is imported later.
    """

    head: bytes
    stream: bytes
    after: int
    state: bytes
    skips: int = 0
    recent: bytes = b""
    first: bytes = b""


class QueueLogReading:
    """The files of one exchange as one stream, oldest first. They can be read more than once with the same result.

    starts_after: the number that the ledger has to hold already, where they continue files that are not among them.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        client: str,
        zone: ZoneInfo | None,
        settings: ReadingSettings,
        known: Sequence[Part] = (),
    ) -> None:
        """zone: of the local times of the table form; the file form needs none. known: parts of earlier imports.

        TableError, OSError.
        """
        self._client = client
        self._settings = settings
        self._offsets = None if zone is None else lru_cache(settings.cells_remembered)(zone_offsets(zone))
        self._times = TimeReader([], [])
        self._files = self._in_order([QueueLogFile(path, settings.workbook, settings.rows_looked_at) for path in paths])
        self._current = 0
        self._continues = self._part_among(known) or self._stream_among(known)
        if self._continues is not None and not is_of_this_version(self._continues.state):
            fix = "name the older parts with it, back to the first"
            raise TableError(self._files[0].path, "continues a log that another build imported", fix)
        self.starts_after: Final = 0 if self._continues is None else self._continues.after
        self.epochs: Final[Sequence[bytes]] = (
            self._heads(self._files) if self._continues is None else [self._continues.stream]
        )
        own = {*self._heads(self._files), *(() if self._continues is None else (self._continues.stream,))}
        self._others: Final = [part.first for part in known if part.first and part.stream not in own]
        self.parts: list[Part] = []
        """Where each file but the first continues, and the end of the stream; whole once all events were read."""
        self.report: Report = self._fresh_report()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self._files)

    @property
    def position(self) -> int:
        """Bytes read in the running pass."""
        return sum(file.size for file in self._files[: self._current]) + self._files[self._current].position

    def in_time_order(self) -> Iterator[Numbered]:
        """All events, sorted as far as the settings allow. Counts anew into `report`."""
        return by_time(self.in_file_order(), self._settings.events_sorted)

    def in_file_order(self) -> Iterator[Numbered]:
        """All events by number. Counts anew into `report`."""
        report = self.report = self._fresh_report()
        report.events = self.starts_after
        story = Story(CallLimits(self._settings.ids_remembered, self._settings.call_longest_ms))
        if self._continues is not None:
            story.restore(self._continues.state)
        self.parts = []
        recent = b"" if self._continues is None else self._continues.recent
        repeats = Repeats(self._settings.rows_remembered, self._settings.rows_noted, recent, self._others)

        def counted() -> Iterator[tuple[int, Row]]:
            several = len(self._files) > 1
            for place, file in enumerate(self._files):
                self._current = place
                continues = self._continues if place == 0 else None
                part = None
                if place or continues:
                    part = Part(self._heads([file])[0], self.epochs[0], report.events, story.state())
                rows = repeated = 0
                for cells, row in self._rows_of(file, story, repeats, continues.skips if continues else 0):
                    repeated += rows == repeated and row.outcome == REPEATED
                    rows += 1
                    report.count(cells.number, row, file.path.name if several else "")
                    yield cells.number, row
                if part is not None and repeated < rows:
                    self.parts.append(msgspec.structs.replace(part, skips=repeated))
                report.broken_off += file.breaks_off
            report.undecided, report.unfinished = story.waiting, story.unfinished
            end = (_END + self.epochs[0], self.epochs[0], report.events, story.state())
            self.parts.append(Part(*end, recent=repeats.recent, first=repeats.first))

        for event in numbered(counted(), self.starts_after):
            report.events = event.sequence
            yield event

    def _rows_of(self, file: QueueLogFile, story: Story, repeats: Repeats, skips: int) -> Iterator[tuple[_Cells, Row]]:
        """The rows of a file and what became of each. skips: how many of the first came before."""
        before, came = story.last_at, self._current > 0 or self._continues is not None
        repeats.begin_part()
        for place, cells in enumerate(file.rows()):
            read = self._read(cells, before)
            if isinstance(read, LogRow):
                before = read.at
                came = repeats.has(read) or place < skips
            else:  # that it came before, only the rows around it tell
                came = (repeats.has_line(cells.line) and came) or place < skips
            if came:
                yield cells, Row(REPEATED)
            else:
                yield cells, story.take(read) if isinstance(read, LogRow) else read

    def _fresh_report(self) -> Report:
        return Report(self._settings.rejected_listed, (Outcome.REJECTED,))

    def _heads(self, files: Sequence[QueueLogFile]) -> Sequence[bytes]:
        """The epochs that these files, by themselves, may have begun under."""
        lines = list(islice(_lines_once(files), keys.HEAD_LENGTH))
        return keys.epochs(FORMAT, self._client, lines)

    def _part_among(self, known: Sequence[Part]) -> Part | None:
        """The part that the oldest of these files is, where it was imported as the continuation of others."""
        heads = set(self._heads(self._files[:1]))
        return next((part for part in reversed(known) if part.head in heads), None)

    def _stream_among(self, known: Sequence[Part]) -> Part | None:
        """The end of another stream, of earlier imports, that the oldest of these files overlaps with."""
        heads = set(self._heads(self._files))
        if any(part.stream in heads for part in known):
            return None  # it began a stream itself
        rows = (self._read(cells, 0) for cells in self._files[0].first)
        first = next((row for row in rows if isinstance(row, LogRow) and row.call), None)  # others happen to two logs
        if first is None:
            return None
        ends = (part for part in reversed(known) if part.recent)
        settings = self._settings
        return next(
            (end for end in ends if Repeats(settings.rows_remembered, settings.rows_noted, end.recent).has(first)), None
        )

    def _in_order(self, files: list[QueueLogFile]) -> list[QueueLogFile]:
        """Oldest first, by their first rows. TableError for two that begin alike, and for a zone that is missing."""
        known: dict[bytes, QueueLogFile] = {}
        begins: dict[Path, int] = {}
        for file in files:
            if not file.first:  # as log rotation leaves it
                continue
            same = known.setdefault(file.first[0].line, file)
            if same is not file:
                fix = "name every part of the log once"
                raise TableError(file.path, f"begins with the same row as {same.path}", fix)
            begins[file.path] = self._begins(file)
        if not begins:
            raise TableError(files[0].path, "holds no rows", _SHAPE)
        return sorted((file for file in files if file.first), key=lambda file: begins[file.path])

    def _begins(self, file: QueueLogFile) -> int:
        """The instant of its first row that has one. TableError."""
        moments = [moment for moment, _ in filter(None, (self._moment(cells.time) for cells in file.first))]
        if moments and self._offsets is None and all(moment.instant is None for moment in moments):
            fix = "name their zone with --zone; it is UTC where queue_log_realtime_use_gmt was set"
            raise TableError(file.path, "has local times", fix)
        instant = next((found[0] for found in map(self._candidates, moments) if found), None)
        if instant is None:
            raise TableError(file.path, "has no time in its first rows", _SHAPE)
        return instant

    # -------------------------------------------------------------------------------------------------------- rows

    def _read(self, cells: _Cells, before: int) -> LogRow | Row:
        """A row with its instant, or why it cannot be taken. before: the instant of the row before it, ms."""
        if len(cells.names) < len(_NAMES) - 1:
            return Row(Outcome.REJECTED, (), plan.Fault.CELLS_MISSING)
        moment = self._moment(cells.time)
        if moment is None or (moment[0].instant is None and self._offsets is None):
            return Row(Outcome.REJECTED, (), plan.Fault.NOT_A_TIME, "time")
        found = self._candidates(moment[0])
        if not found:
            return Row(Outcome.REJECTED, (), plan.Fault.TIME_SKIPPED, "time")
        # a time that the clock showed twice: rows stand in the order they were written in
        at = next((instant for instant in found if instant >= before - SECOND_MS), found[-1])
        if not 0 <= at <= INSTANT_MAX_MS:
            return Row(Outcome.REJECTED, (), plan.Fault.OUT_OF_RANGE, "time")
        row = as_row(at, moment[1], cells.names, cells.params)
        return row or Row(Outcome.REJECTED, (), plan.Fault.NOT_TEXT)

    def _moment(self, text: str) -> tuple[Moment, int] | None:
        """What a time says, and its resolution in ms."""
        epoch = _EPOCH.fullmatch(text.strip())
        if epoch is not None:
            fraction = int((epoch[2] or "0").ljust(_PLACES, "0")[:_PLACES])
            return Moment(None, 0, int(epoch[1]) * SECOND_MS + fraction), 1 if epoch[2] else SECOND_MS
        moment = self._times.read(text.strip())
        if moment is None or moment.day is None:
            return None
        return moment, 1 if "." in text else SECOND_MS

    def _candidates(self, moment: Moment) -> tuple[int, ...]:
        return instants(moment, self._offsets or _no_offsets)


def _lines_once(files: Sequence[QueueLogFile]) -> Iterator[bytes]:
    """The rows of parts of one log; those where two overlap once."""
    before: set[bytes] = set()
    for file in files:
        lines = [cells.line for cells in islice(file.rows(), keys.HEAD_LENGTH)]
        yield from (line for line in lines if line not in before)
        before.update(lines)


def _no_offsets(_: datetime) -> tuple[int, ...]:
    return ()
