"""What `seatwatch import` was given: the files under the layout they were said to have.

* FilesError: the operator's to cure; the message names the file or the option and what to do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collector.importers._core.queue_log import FORMAT as QUEUE_LOG
from collector.importers.columns import MappingError
from collector.importers.delivery import Delivered, Reading
from collector.importers.figures import FiguresReading, read_figure_mapping
from collector.importers.mapping import read_mapping
from collector.importers.queue_log import QueueLogReading
from collector.importers.reading import MappedReading
from collector.importers.tables import TableError
from seatwatch.imports.job import reading_settings
from seatwatch.imports.parts import note_parts, read_parts
from seatwatch.settings import Defaults
from wire.zones import zone_named

MAPPING: Final = "mapping"
FIGURES: Final = "platform-figures"


class FilesError(Exception):
    """The files cannot be read as what they were said to be."""


class Asked(NamedTuple):
    """Which files, and how to read them. layout: MAPPING, QUEUE_LOG or FIGURES. zone: an IANA name.

    data: the data directory, where it is noted how parts of a log continue each other.
    """

    layout: str
    files: Sequence[Path]
    client: str
    mapping: Path | None
    zone: str | None
    data: Path


def open_files(asked: Asked, defaults: Defaults) -> tuple[Reading, str]:
    """The files, and the definition that their mapping names ("" = none). FilesError, OSError."""
    try:
        if asked.layout == QUEUE_LOG:
            return _queue_log(asked, defaults), ""
        return _mapped(asked, defaults)
    except TableError as error:
        raise FilesError(str(error)) from None


def note(asked: Asked, reading: Reading, delivered: Delivered, defaults: Defaults) -> None:
    """Remember how the files of a complete import continued each other. OSError."""
    if delivered.complete and isinstance(reading, QueueLogReading):
        noted = {
            "parts_max": defaults.int("collector.import_parts_noted"),
            "ends_max": defaults.int("collector.import_ends_noted"),
        }
        note_parts(asked.data, asked.client, delivered.epoch, reading.parts, **noted)


def _queue_log(asked: Asked, defaults: Defaults) -> Reading:
    if asked.mapping is not None:
        raise FilesError(f"--mapping: a queue_log needs none; leave it out, or leave out --format {QUEUE_LOG}")
    known = read_parts(asked.data, asked.client)
    return QueueLogReading(asked.files, asked.client, _zone(asked.zone), reading_settings(defaults), known)


def _mapped(asked: Asked, defaults: Defaults) -> tuple[Reading, str]:
    if asked.mapping is None:
        raise FilesError(f"--mapping: missing; name what the columns mean, or the --format ({QUEUE_LOG})")
    if len(asked.files) > 1:
        raise FilesError("one file at a time with --mapping; each is a stream of its own")
    if asked.zone is not None:
        raise FilesError("--zone: the mapping says the zone; leave the option out")
    try:
        if asked.layout == FIGURES:
            figures = read_figure_mapping(asked.mapping)
            return FiguresReading(asked.files[0], figures, asked.client, reading_settings(defaults)), ""
        meaning = read_mapping(asked.mapping)
        reading = MappedReading(asked.files[0], meaning, asked.client, reading_settings(defaults))
        return reading, meaning.definition
    except MappingError as error:
        raise FilesError("\n".join(f"{asked.mapping}: {problem}" for problem in error.problems)) from None


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return zone_named(name)
    except ZoneInfoNotFoundError:
        raise FilesError(f"--zone {name}: no IANA time zone; write one such as Asia/Shanghai") from None
