"""Files of rows: CSV in several encodings and workbooks, read from front to back without holding them in memory.

* TableError: the file cannot be read as what its name says. `problem` and `fix` say why and what to do.
"""

import csv
import io
import itertools
import re
import zipfile
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

import msgspec

if TYPE_CHECKING:
    from openpyxl import Workbook

WORKBOOK: Final = ".xlsx"
TEXT_SUFFIXES: Final = frozenset({".csv", ".tsv", ".txt"})
# Batch: bytes of one read.
_CHUNK: Final = 1 << 20
_WIDE: Final = re.compile(r"[\u2e80-\uffdc]")
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_MS: Final = timedelta(milliseconds=1)
_BROKEN_RECORD: Final = ("\ufffd",)
"""Stands for a record that the CSV reader could not make out: one cell that is no text."""


class TableError(ValueError):
    """The file is not what its name says."""

    def __init__(self, path: Path, problem: str, fix: str) -> None:
        super().__init__(f"{path}: {problem}; {fix}")
        self.path = path
        self.problem = problem
        self.fix = fix


class TableLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a workbook may unfold to, from `[collector]` in defaults.toml: a few kB can say that they are gigabytes.

    unpacked_bytes_max: of all parts of its archive. rows_max: empty ones and those of all sheets read included.
    columns_max: of one row.
    """

    unpacked_bytes_max: int
    rows_max: int
    columns_max: int


class Table:
    """One table of one file, read once. `position` of `size` bytes have been read."""

    def __init__(self, path: Path, *, encoding: str, delimiter: str, sheet: str, limits: TableLimits) -> None:
        """encoding: a Python name, or "auto". delimiter: of a text file. sheet, limits: of a workbook, "" = its first.

        Raises TableError, OSError.
        """
        self._path = path
        self._limits = limits
        self._delimiter = delimiter
        self._sheet = sheet
        self._file: BinaryIO | None = None
        self.size: Final = path.stat().st_size
        self.is_workbook: Final = path.suffix.lower() == WORKBOOK
        if not self.is_workbook and path.suffix.lower() not in TEXT_SUFFIXES:
            raise TableError(path, "neither CSV nor xlsx by its name", "give a file that ends in .csv or .xlsx")
        self.encoding: Final = "" if self.is_workbook else _detected(path) if encoding == "auto" else encoding

    @property
    def position(self) -> int:
        """Bytes of the file read so far; exact for text, in step with it for a workbook."""
        return 0 if self._file is None or self._file.closed else self._file.tell()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(number as a spreadsheet shows it, cells) of every row that is not empty."""
        if self.is_workbook:
            return self._workbook_rows()
        return ((number, cells) for number, cells in enumerate(self._text_rows(), start=1) if any(cells))

    def _text_rows(self) -> Iterator[list[str]]:
        """Records of the file.

        One that runs over several lines and has another width than its neighbours is a stray quote: its lines
        are taken one by one then, so that it swallows no other row.
        """
        with self._path.open("rb") as self._file:
            text = io.TextIOWrapper(self._file, encoding=self.encoding, errors="replace", newline="")
            lines: list[str] = []
            records = csv.reader(_noted(text, lines), delimiter=self._delimiter)
            width = 0
            while True:
                lines.clear()
                try:
                    record = next(records)
                except StopIteration:
                    return
                except csv.Error:  # a field longer than any: a quote that never ends
                    record = list(_BROKEN_RECORD) if len(lines) == 1 else []
                if len(lines) == 1:
                    width = len(record) or width
                    yield record
                elif len(record) == width:
                    yield record
                else:
                    yield from (self._unquoted(line) for line in lines)

    def _unquoted(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self._delimiter, quoting=csv.QUOTE_NONE), [])
        except csv.Error:
            return list(_BROKEN_RECORD)

    def _workbook_rows(self) -> Iterator[tuple[int, list[str]]]:
        with self._path.open("rb") as self._file, _workbook(self._path, self._file, self._limits) as book:
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            name = self._sheet or next(iter(sheets), "")
            if name not in sheets:
                raise TableError(self._path, f"has no sheet {name!r} of rows", f"its sheets are: {', '.join(sheets)}")
            yield from _sheet_rows(self._path, sheets[name], self._limits, itertools.count(1))


def every_sheet(path: Path, limits: TableLimits) -> Iterator[tuple[str, Iterator[tuple[int, list[str]]]]]:
    """Name and `Table.rows` of each sheet, to be read before the next is asked for; a text file has one, named "".

    limits: here of a text file too. TableError, OSError.
    """
    counted = itertools.count(1)
    if path.suffix.lower() != WORKBOOK:
        rows = Table(path, encoding="auto", delimiter=",", sheet="", limits=limits).rows()
        yield "", (row for row in rows if _is_within(path, row[1], limits, counted))
        return
    with path.open("rb") as file, _workbook(path, file, limits) as book:
        for sheet in book.worksheets:
            yield sheet.title, _sheet_rows(path, sheet, limits, counted)


class _Sheet(Protocol):
    """What is used of a sheet that is read from front to back; the library's stubs describe the other kind only."""

    def reset_dimensions(self) -> None: ...
    def iter_rows(self, *, values_only: bool) -> Iterator[tuple[object, ...]]: ...


def _sheet_rows(
    path: Path, sheet: _Sheet, limits: TableLimits, counted: Iterator[int]
) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # how many rows and columns a file says that it has is often wrong
    with _broken_is_said(path):
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            if _is_within(path, row, limits, counted):
                cells = [cell_text(value) for value in row]
                if any(cells):
                    yield number, cells


def _is_within(path: Path, row: Sized, limits: TableLimits, counted: Iterator[int]) -> bool:
    """Count a row. TableError when it is one too many, or too wide."""
    if next(counted) > limits.rows_max:
        raise TableError(path, f"has more than {limits.rows_max} rows", "split it, or delete what is empty")
    if len(row) > limits.columns_max:
        problem = f"has a row of more than {limits.columns_max} columns"
        raise TableError(path, problem, "delete what stands beside the table")
    return True


@contextmanager
def _workbook(path: Path, file: BinaryIO, limits: TableLimits) -> "Iterator[Workbook]":
    """The workbook in `file`. TableError when it is none, or too large."""
    from openpyxl import load_workbook  # noqa: PLC0415 - a quarter of a second of the start of a server

    book = None
    try:
        with _broken_is_said(path):
            with zipfile.ZipFile(file) as archive:  # no part is unpacked beyond the size that it says
                unpacked = sum(part.file_size for part in archive.infolist())
            if unpacked > limits.unpacked_bytes_max:
                problem = f"unpacks to {unpacked} bytes, more than {limits.unpacked_bytes_max}"
                raise TableError(path, problem, "save the sheet that is meant as CSV")
            book = load_workbook(file, read_only=True, data_only=True)
        yield book
    finally:
        if book is not None:
            book.close()


@contextmanager
def _broken_is_said(path: Path) -> Iterator[None]:
    """Raises TableError for whatever is wrong with a workbook."""
    try:
        yield
    except (TableError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - a broken file makes openpyxl stumble in any of its parts
        problem = f"is no workbook ({type(error).__name__})"
        raise TableError(path, problem, "save it again as .xlsx") from None


def _noted(text: io.TextIOWrapper, lines: list[str]) -> Iterator[str]:
    """The lines of `text`, each also put into `lines`. One that never ends comes in pieces."""
    while line := text.readline(_CHUNK):
        lines.append(line)
        yield line


def _detected(path: Path) -> str:
    with path.open("rb") as file:
        return detect(file)


def detect(file: BinaryIO) -> str:
    """The encoding of a text that is read from its start: by its mark, else UTF-8 if all of it is that, else GB18030.

    A file that is neither is read as UTF-8 if it holds Chinese in that before the first byte that does not fit, else as
    the one of which more can be read. What is no text in it is seen row by row.
    """
    start = file.read(len(BOM_UTF8))
    if start.startswith(BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    utf8, is_chinese = _readable(file, "utf-8")
    if is_chinese or file.tell() == utf8:
        return "utf-8"
    return "gb18030" if _readable(file, "gb18030")[0] > utf8 else "utf-8"


def _readable(file: BinaryIO, encoding: str) -> tuple[int, bool]:
    """How many bytes from the start are text in that encoding, and whether there is a wide character among them.

    The file stands at its end afterwards where all of it is.
    """
    decoder = getincrementaldecoder(encoding)()
    done, is_chinese = 0, False
    file.seek(0)
    while chunk := file.read(_CHUNK):
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            fitting = (pending + chunk)[: error.start]
            is_chinese = is_chinese or _WIDE.search(fitting.decode(encoding)) is not None
            return done - len(pending) + error.start, is_chinese
        is_chinese = is_chinese or _WIDE.search(text) is not None
        done += len(chunk)
    return done - len(decoder.getstate()[0]), is_chinese


def cell_text(value: object) -> str:
    """A workbook's cell as the text of a CSV. Its dates and times are ISO, rounded to a ms; durations h:mm:ss."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _rounded(value).isoformat(" ", "milliseconds").removesuffix(".000")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return _rounded(datetime.combine(date.min, value)).time().isoformat("milliseconds").removesuffix(".000")
    if isinstance(value, timedelta):
        return f"{value // _HOUR}:{value % _HOUR // _MINUTE:02d}:{value % _MINUTE // _SECOND:02d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _rounded(value: datetime) -> datetime:
    """To the ms: a workbook keeps times as fractions of a day, a hair beside what was typed."""
    try:
        return value.replace(microsecond=0) + round(value.microsecond * timedelta(microseconds=1) / _MS) * _MS
    except OverflowError:  # less than a ms before the calendar ends
        return value
