"""Record what this build's semantics says: `python -m tests.recorded.make`. What is recorded is never overwritten.

A recording is a ledger made by the real writer, the root of its tree, every fact that folding it says, in order, and
the reports over it, one JSON object a line. It is made once, when a semantics is released; from then on it holds the
code to it.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import count, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from ledger.entry import NewEntry
from ledger.reader import LedgerReader
from ledger.segment import LOCK_FILE
from ledger.writer import LedgerWriter
from sla_engine._core.choices import IMPLEMENTED
from sla_engine.replay import ledger_batches, replay
from tests.builders import Event
from tests.ledger.building import default_settings
from tests.recorded.edges import edges
from tests.recorded.reporting import line_of_report, reports_of
from tests.recorded.scenes import events_of, transcripts
from wire.codec import KIND_OF, encode_body
from wire.limits import EPOCH_BYTES, LEDGER_ID_BYTES
from wire.verdict import Fact

FOLDER: Final = Path(__file__).parent
LEDGER: Final = "ledger"
FACTS: Final = "facts.jsonl"
REPORTS: Final = "reports.jsonl"
ROOT: Final = "root.txt"
RECORDINGS: Final = {"transcripts": transcripts, "edges": edges}


def released() -> list[int]:
    """The semantics that this build computes."""
    return [number for number in IMPLEMENTED["semantics"] if isinstance(number, int)]


def folder_of(semantics: int, name: str) -> Path:
    return FOLDER / f"semantics_{semantics}" / name


def line_of(fact: Fact) -> bytes:
    return msgspec.json.encode(fact)


def facts_of(ledger: Path) -> Iterator[Fact]:
    """Everything that folding a ledger says."""
    reader = LedgerReader.open(ledger)
    yield from replay(ledger_batches(reader))
    reader.close()


def record(folder: Path, events: Iterable[Event]) -> None:
    """Raises FileExistsError rather than touch a recording."""
    folder.mkdir(parents=True)
    with TemporaryDirectory() as made:
        ledger = Path(made) / LEDGER
        _write(ledger, events, _drawn(folder.name)(LEDGER_ID_BYTES))
        # before anything reads it: readers leave files of their own
        shutil.copytree(ledger, folder / LEDGER, ignore=shutil.ignore_patterns(LOCK_FILE, "*-wal", "*-shm"))
        reader = LedgerReader.open(ledger)
        (folder / ROOT).write_text(f"{reader.size()} {reader.root(reader.size()).hex()}\n", encoding="utf-8")
        reader.close()
        (folder / FACTS).write_bytes(b"".join(line_of(fact) + b"\n" for fact in facts_of(ledger)))
        (folder / REPORTS).write_bytes(b"".join(line_of_report(*each) + b"\n" for each in reports_of(ledger)))


def _write(ledger: Path, events: Iterable[Event], ledger_id: bytes) -> None:
    writer = LedgerWriter.open(
        ledger, settings=default_settings(), clock_ms=lambda: 0, ledger_id=ledger_id, random_bytes=_drawn("salt")
    )
    sequences: dict[str, Iterator[int]] = {}
    for received_at, together in groupby(events, key=lambda event: event.received_at):
        writer.commit([_entry(event, sequences) for event in together], received_at=received_at, marks={})
    writer.close()


def _entry(event: Event, sequences: dict[str, Iterator[int]]) -> NewEntry:
    kind, version = KIND_OF[type(event.body)]
    sequence = next(sequences.setdefault(event.source, count(1)))
    epoch = hashlib.sha256(event.source.encode()).digest()[:EPOCH_BYTES]
    return NewEntry(event.source, epoch, sequence, kind, version, encode_body(event.body))


def _drawn(name: str) -> Callable[[int], bytes]:
    """Bytes that are the same in every run."""
    numbers = count()

    def draw(size: int) -> bytes:
        return hashlib.shake_256(f"{name} {next(numbers)}".encode()).digest(size)

    return draw


def main() -> int:
    semantics = released()[-1]
    try:
        for name, scenes in RECORDINGS.items():
            record(folder_of(semantics, name), events_of(scenes(), semantics))
    except FileExistsError:
        told = f"{folder_of(semantics, '')} is recorded: if a past fact is to change, it is semantics {semantics + 1}"
        sys.stderr.write(f"{told}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
