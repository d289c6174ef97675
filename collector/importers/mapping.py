"""mapping.toml: what the columns of one file format mean. Checked whole when it is read."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from collector.importers._core.durations import DurationReader
from collector.importers._core.plan import Ambiguous, AnswerAt, Outcome, Plan, Rule
from collector.importers._core.text import plain
from collector.importers._core.times import EPOCH_MS, EPOCH_S, TimeReader
from collector.importers.columns import ColumnNames, Columns, MappingError, Problem, Test, converted
from wire.conversation import Channel, LeftReason
from wire.ids import NAME_PATTERN
from wire.limits import NAME_CHARS_MAX, WORD_CHARS_MAX
from wire.zones import zone_named

_Name = Annotated[str, Meta(pattern=NAME_PATTERN, max_length=NAME_CHARS_MAX)]
# Bound: a length of time a person wrote into a mapping is under a day.
_Seconds = Annotated[float, Meta(gt=0, le=86_400)]
_IN_WORDS: Final = "a word of small letters, digits and _, such as left_by_mistake"
_Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=WORD_CHARS_MAX, description=_IN_WORDS)]

_MS_PER_S: Final = 1000
# Format: units in ms.
_UNITS_MS: Final = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
_TWO_PLACES_MS: Final = {"mm:ss": 60_000, "hh:mm": 3_600_000}
_SOME_TIME: Final = datetime(2026, 11, 30, 23, 58, 59, tzinfo=UTC)


class Encoding(StrEnum):
    """How a text file is encoded. AUTO: by its mark, else UTF-8 if all of it is that, else GB18030."""

    AUTO = "auto"
    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    GB18030 = "gb18030"


class StrictTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the mapping; an unknown key is an error, never ignored."""


class FileTable(StrictTable, frozen=True, kw_only=True):
    """How the file is laid out. header_row: its first, counted from 1. sheet: of a workbook, "" = the first."""

    encoding: Encoding = Encoding.AUTO
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    # Bound: nobody has a thousand lines above a heading.
    header_row: Annotated[int, Meta(ge=1, le=1000)] = 1
    header_rows: Annotated[int, Meta(ge=1, le=9)] = 1  # Bound: nor a heading of ten
    sheet: str = ""


class TimeTable(StrictTable, frozen=True, kw_only=True):
    """How times are written. See docs/operate/import.md."""

    zone: str
    resolution_s: _Seconds
    formats: list[str] = []
    date: str = ""
    date_formats: list[str] = []
    date_of: str = ""
    ambiguous: Ambiguous = Ambiguous.REJECT
    clock: _Name | None = None
    synced: bool = False


class RoleTable(StrictTable, frozen=True, kw_only=True):
    """Which columns say what. A list of times or durations: the first that is filled; of ids: all of them joined."""

    conversation: ColumnNames
    queue: ColumnNames = []
    account: ColumnNames = []
    offered: ColumnNames = []
    queue_entry: ColumnNames
    queue_exit: ColumnNames = []
    service_start: ColumnNames = []
    service_end: ColumnNames = []
    wait: ColumnNames = []
    service: ColumnNames = []


class ConstantTable(StrictTable, frozen=True, kw_only=True):
    """What no column says."""

    queue: _Name | None = None


class DurationTable(StrictTable, frozen=True, kw_only=True):
    """unit: of a bare number. two_places: what 01:05 means. resolution_s: how finely durations are counted."""

    unit: Literal["ms", "s", "min", "h"] = "s"
    two_places: Literal["mm:ss", "hh:mm"] = "mm:ss"
    resolution_s: _Seconds = 1.0


class OutcomeTable(StrictTable, frozen=True, kw_only=True, rename={"becomes": "is"}):
    """The first one that fits decides what a row is. left: why an abandoned one ended."""

    becomes: Outcome
    when: dict[str, Test] = {}
    reason: _Word | None = None
    left: LeftReason = LeftReason.HUNG_UP


class AbsentTable(StrictTable, frozen=True, kw_only=True):
    """Columns that say nothing where all of `when` holds."""

    columns: list[str]
    when: dict[str, Test]


class NoteTable(StrictTable, frozen=True, kw_only=True):
    """A contradiction worth counting that does not change what a row is."""

    name: _Word
    when: dict[str, Test]


class Mapping(StrictTable, frozen=True, kw_only=True):
    """The whole file. format names the layout and is part of every key: a changed meaning needs another name.

    definition: a file beside the mapping, or a preset, for a ledger that has no rules yet.
    """

    format: _Name
    definition: str = ""
    channel: Channel = Channel.CHAT
    answer_at: AnswerAt = AnswerAt.QUEUE_EXIT
    file: FileTable = FileTable()
    time: TimeTable
    roles: RoleTable
    constant: ConstantTable = ConstantTable()
    durations: DurationTable = DurationTable()
    values: dict[str, dict[str, str]] = {}
    absent: list[AbsentTable] = []
    outcome: Annotated[list[OutcomeTable], Meta(min_length=1)]
    note: list[NoteTable] = []

    def zone(self) -> ZoneInfo:
        """The zone of the file's wall times."""
        return ZoneInfo(self.time.zone)


def read_mapping(path: Path) -> Mapping:
    """The mapping in `path`. MappingError, OSError."""
    try:
        return parse_mapping(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise MappingError([Problem(str(path), "is not UTF-8", "save it as UTF-8")]) from None


def parse_mapping(text: str) -> Mapping:
    """The mapping in TOML `text`. MappingError with every problem that can be seen without a file of records."""
    mapping = converted(text, Mapping)
    problems = [*_problems(mapping)]
    if problems:
        raise MappingError(problems)
    return mapping


def plan(mapping: Mapping, header: Sequence[str]) -> Plan:
    """`mapping` bound to the columns of a file whose header row is `header`. MappingError where a column is missing."""
    return _Binder(header).bind(mapping)


def nothing_words() -> frozenset[str]:
    """What stands in a cell for "nothing", in lower case."""
    return frozenset(_words().nothing.words)


class _Binder(Columns):
    """The roles of a mapping at the places of their columns."""

    def bind(self, mapping: Mapping) -> Plan:
        roles = mapping.roles
        time = mapping.time
        result = Plan(
            header=self.header,
            read=0,
            channel=mapping.channel,
            answer_at=mapping.answer_at,
            ambiguous=time.ambiguous,
            resolution_ms=round(time.resolution_s * _MS_PER_S),
            wait_within_ms=round(max(time.resolution_s, mapping.durations.resolution_s) * _MS_PER_S),
            clock=time.clock or mapping.format,
            synced=time.synced,
            constant_queue=mapping.constant.queue or "",
            conversation=self.all("roles.conversation", roles.conversation),
            queue=self.all("roles.queue", roles.queue),
            account=self.all("roles.account", roles.account),
            offered=self.all("roles.offered", roles.offered),
            queue_entry=self.all("roles.queue_entry", roles.queue_entry),
            queue_exit=self.all("roles.queue_exit", roles.queue_exit),
            service_start=self.all("roles.service_start", roles.service_start),
            service_end=self.all("roles.service_end", roles.service_end),
            wait=self.all("roles.wait", roles.wait),
            service=self.all("roles.service", roles.service),
            date=self.all("time.date", time.date or []),
            date_of=self.all("time.date_of", time.date_of or []),
            values={
                self.one(f"values.{column}", column): {plain(said): meant for said, meant in table.items()}
                for column, table in mapping.values.items()
            },
            absent=tuple(
                (self.all("absent.columns", entry.columns), self.conditions("absent.when", entry.when))
                for entry in mapping.absent
            ),
            rules=tuple(
                Rule(entry.becomes, self.conditions("outcome.when", entry.when), entry.reason or "", entry.left)
                for entry in mapping.outcome
            ),
            notes=tuple((entry.name, self.conditions("note.when", entry.when)) for entry in mapping.note),
        )
        self.check()
        return result._replace(read=self.read)


def readers(mapping: Mapping) -> tuple[TimeReader, DurationReader]:
    """How times and durations of this format are read."""
    times = TimeReader(mapping.time.formats, mapping.time.date_formats, _words().half_days)
    return times, duration_reader(mapping.durations)


def duration_reader(table: DurationTable) -> DurationReader:
    """How durations are read that are written as `table` says."""
    return DurationReader(
        _words().durations,
        bare_unit_ms=_UNITS_MS[table.unit],
        two_places_ms=_TWO_PLACES_MS[table.two_places],
    )


class _Nothing(msgspec.Struct, frozen=True):
    words: list[str]


class _Words(msgspec.Struct, frozen=True):
    durations: dict[str, int]
    half_days: dict[str, str]
    nothing: _Nothing


@cache
def _words() -> _Words:
    text = resources.files("collector.importers").joinpath("words.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Words)


def _problems(mapping: Mapping) -> Iterator[Problem]:
    time = mapping.time
    try:
        zone_named(time.zone)
    except ZoneInfoNotFoundError:
        yield Problem("time.zone", f"{time.zone!r} is no IANA time zone", 'write one such as "Asia/Shanghai"')
    for form in (*time.formats, *time.date_formats):
        if form not in {EPOCH_S, EPOCH_MS} and not _usable(form):
            fix = f'write it as in "%Y-%m-%d %H:%M:%S", or "{EPOCH_S}", "{EPOCH_MS}"'
            yield Problem("time.formats", f"{form!r} is no format of strptime", fix)
    if time.date and not time.date_of:
        fix = "name the column whose time of day that date belongs to"
        yield Problem("time.date_of", "missing beside time.date", fix)
    if mapping.roles.queue and mapping.constant.queue:
        yield Problem("constant.queue", "a column says the queue already", "leave one of them out")
    if not mapping.roles.queue and not mapping.constant.queue:
        yield Problem("roles.queue", "nothing says the queue", 'name its column, or write [constant] queue = "..."')
    for number, rule in enumerate(mapping.outcome):
        if (rule.reason is not None) != (rule.becomes is Outcome.REJECTED):
            fix = 'give a reason to "rejected" and to nothing else'
            yield Problem(f"outcome[{number}].reason", f'is = "{rule.becomes}"', fix)
    yield from _missing_roles(mapping)


def _missing_roles(mapping: Mapping) -> Iterator[Problem]:
    roles = mapping.roles
    made = {rule.becomes for rule in mapping.outcome}
    is_written = mapping.channel is Channel.CHAT and mapping.answer_at is AnswerAt.SERVICE_START
    leaves = bool(roles.queue_exit or roles.wait or (is_written and roles.service_end))
    if Outcome.ABANDONED in made and not leaves:
        yield Problem("roles.queue_exit", "nothing says when a caller left", "name roles.queue_exit or roles.wait")
    if Outcome.ANSWERED not in made:
        return
    if mapping.answer_at is AnswerAt.SERVICE_START and not roles.service_start:
        yield Problem("roles.service_start", 'missing though answer_at = "service_start"', "name its column")
    if mapping.answer_at is AnswerAt.QUEUE_EXIT and not leaves:
        yield Problem("roles.queue_exit", "nothing says when a call was answered", "name it, roles.wait, or answer_at")


def _usable(form: str) -> bool:
    """Whether strptime reads back what strftime writes."""
    try:
        datetime.strptime(_SOME_TIME.strftime(form), form)  # noqa: DTZ007 - only whether the form can be read
    except (ValueError, re.error):
        return False
    return "%" in form
