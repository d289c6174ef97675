"""How fast is the way from frame bytes to a commit, and what does admission cost on top of the ledger?

Five loops over the same 100-item frames of 50 sources, taken in turns so that a busy machine slows all of them alike:

  bare         SHA-256 and INSERT under a unique index, one transaction per batch: what nobody can do without
  ledger       LedgerWriter.commit on entries that are ready: salt, header, leaf, frontier, nodes, keys, marks
  admission    decode the frames and admit them, storing nothing
  unadmitted   from frame bytes to commit without admission: decode the frame, store its items as they came
  whole        from frame bytes to commit: everything between a door and its acknowledgement

Figures are per core: events divided by the processor time of the one thread. Wall time, beside it, waits for the disk.
Ends with 1 when a bound does not hold.
"""

import hashlib
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.table import Figure, print_figures
from collector._core.admission import Outcome, Rules
from collector.committer import Committer, FrameJob
from collector.sources import Source
from collector.stats import IntakeStats
from ledger.entry import NewEntry
from ledger.fsck import check
from ledger.merkle import verify_consistency, verify_inclusion
from ledger.reader import LedgerReader
from ledger.segment import LedgerSettings
from ledger.writer import LedgerWriter
from seatwatch.settings import load_defaults
from wire.codec import KIND_OF, decode_frame, encode_body, encode_frame
from wire.conversation import AgentTurn, CustomerTurn
from wire.frame import Frame, Item, Lane
from wire.ids import OPERATOR
from wire.limits import FRAME_VERSION

CLIENT: Final = "acme"
NOW: Final = 1_795_262_400_000
SOURCES: Final = 50
ITEMS: Final = 100
FRAMES_PER_COMMIT: Final = 10
ROUNDS: Final = 21
COMMITS_PER_ROUND: Final = 12
EVENTS_PER_ROUND: Final = COMMITS_PER_ROUND * FRAMES_PER_COMMIT * ITEMS
EVENTS_PER_S_WANTED: Final = 60_000
RATIO_WANTED: Final = 0.6

Batch = list[bytes]
"""Frames of one commit."""


class Work:
    """The frames of every round, made beforehand."""

    def __init__(self) -> None:
        chance = random.Random(1)
        epochs = [chance.randbytes(16) for _ in range(SOURCES)]
        reached = [0] * SOURCES
        self.rounds: list[list[Batch]] = []
        turn = 0
        for _ in range(ROUNDS):
            batches = []
            for _ in range(COMMITS_PER_ROUND):
                batch = []
                for _ in range(FRAMES_PER_COMMIT):
                    source = turn % SOURCES
                    batch.append(_frame(source, epochs[source], reached[source]))
                    reached[source] += ITEMS
                    turn += 1
                batches.append(batch)
            self.rounds.append(batches)


def _frame(source: int, epoch: bytes, reached: int) -> bytes:
    items = []
    for sequence in range(reached + 1, reached + ITEMS + 1):
        conversation = f"c-{source}-{sequence // 8:08d}"
        head = (NOW - 1000 + sequence % 900, 1, "hub", None, True, conversation)
        body = CustomerTurn(*head, conversation) if sequence % 2 else AgentTurn(*head, conversation, f"agent-{source}")
        items.append(Item(sequence, *KIND_OF[type(body)], msgspec.Raw(encode_body(body))))
    return encode_frame(Frame(FRAME_VERSION, f"chat/shop-{source}", epoch, Lane.BACKLOG, 1, [], items))


def ready_entries(batch: Batch) -> list[NewEntry]:
    """What admission would hand on for clean frames."""
    return [
        NewEntry(frame.source, frame.epoch, item.sequence, item.kind, item.kind_version, bytes(item.body))
        for frame in map(decode_frame, batch)
        for item in frame.items
    ]


class Bare:
    """The insert and hash loop without anything of ours."""

    def __init__(self, directory: Path) -> None:
        self.connection = sqlite3.connect(directory / "bare.sqlite", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute(
            "CREATE TABLE entries (i INTEGER PRIMARY KEY, received_at, source, sequence, kind, version, body, leaf)"
        )
        self.connection.execute("CREATE UNIQUE INDEX entry_keys ON entries (source, sequence)")
        self.index = 0

    def commit(self, entries: Sequence[NewEntry]) -> None:
        """One transaction."""
        rows = []
        index = self.index
        for new in entries:
            salted = os.urandom(16) + new.body
            leaf = hashlib.sha256(salted).digest()
            rows.append((index, NOW, new.source, new.sequence, new.kind, new.kind_version, salted, leaf))
            index += 1
        self.index = index
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")


class NoLedger:
    """Takes what a writer takes and stores nothing, to see admission alone."""

    ledger_id = bytes(16)
    size = 0
    last_received_at = 0

    def __init__(self) -> None:
        self._marks: dict[tuple[str, bytes], int] = {}

    def mark(self, source: str, epoch: bytes) -> int:
        """As a writer's."""
        return self._marks.get((source, epoch), 0)

    def beyond(self, _source: str, _epoch: bytes) -> set[int]:
        """Nothing."""
        return set()

    def body_of(self, _source: str, _epoch: bytes, _sequence: int) -> None:
        """Nothing."""

    def commit(self, entries: Sequence[NewEntry], *, received_at: int, marks: dict[tuple[str, bytes], int]) -> None:
        """Remember how far it came."""
        self._marks.update(marks)
        self.size += len(entries)
        self.last_received_at = received_at


def open_writer(directory: Path) -> LedgerWriter:
    settings = load_defaults().fill(LedgerSettings, "ledger")
    return LedgerWriter.open(directory, settings=settings, clock_ms=lambda: NOW)


def storing(writer: LedgerWriter) -> Callable[[Sequence[NewEntry]], object]:
    """Commits entries of whole frames, with the marks they reach."""

    def commit(entries: Sequence[NewEntry]) -> object:
        marks = {(entry.source, entry.epoch): entry.sequence for entry in entries[ITEMS - 1 :: ITEMS]}
        return writer.commit(entries, received_at=NOW, marks=marks)

    return commit


def through_committer(client: LedgerWriter, operator: LedgerWriter, stats: IntakeStats) -> Callable[[Batch], object]:
    """The storing half of the intake, as the intake calls it."""
    committer = Committer(
        {CLIENT: client, OPERATOR: operator},
        rules=Rules(future_tolerance_ms=1000, holes_max=100),
        streams_max=10 * SOURCES,
        clock_ms=lambda: NOW,
        stats=stats,
    )
    sources = {f"chat/shop-{n}": Source(id=f"chat/shop-{n}", client=CLIENT) for n in range(SOURCES)}

    def commit(batch: Batch) -> object:
        frames = [decode_frame(data) for data in batch]
        return committer.commit([FrameJob(frame, sources[frame.source]) for frame in frames])

    return commit


def measure(commit: Callable[[Any], object], batches: Sequence[object]) -> tuple[float, float]:
    """(processor seconds, wall seconds) of one round."""
    cpu, wall = time.thread_time(), time.perf_counter()
    for batch in batches:
        commit(batch)
    return time.thread_time() - cpu, time.perf_counter() - wall


def main() -> int:
    directory = Path(tempfile.mkdtemp(prefix="bench-ledger-"))
    try:
        return run(directory)
    finally:
        shutil.rmtree(directory)


def run(directory: Path) -> int:
    work = Work()
    bare = Bare(directory)
    plain = open_writer(directory / "plain")
    full = open_writer(directory / "full")
    nowhere = NoLedger()
    undecided = open_writer(directory / "undecided")
    store = storing(undecided)
    stats = IntakeStats()
    whole = through_committer(full, open_writer(directory / "operator"), stats)
    admission = through_committer(nowhere, nowhere, IntakeStats())  # type: ignore[arg-type]  # stands in for a writer

    names = ("bare", "ledger", "admission", "unadmitted", "whole")
    loops: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for batches in work.rounds:
        ready = [ready_entries(batch) for batch in batches]
        loops["bare"].append(measure(bare.commit, ready))
        loops["ledger"].append(measure(storing(plain), ready))
        loops["admission"].append(measure(admission, batches))
        loops["unadmitted"].append(measure(lambda batch: store(ready_entries(batch)), batches))
        loops["whole"].append(measure(whole, batches))
    if stats.outcomes[Outcome.ACCEPTED] != ROUNDS * EVENTS_PER_ROUND:
        raise AssertionError(stats.outcomes)
    rate, beside_ledger = report(loops)
    full.close()
    proofs(directory / "full")
    return verdict(rate, beside_ledger)


def report(loops: dict[str, list[tuple[float, float]]]) -> tuple[float, float]:
    """Print the table. Returns (events/s per core of the whole way, its ratio to the ledger alone)."""
    print(
        f"{ROUNDS} rounds of {EVENTS_PER_ROUND:,} events, {FRAMES_PER_COMMIT * ITEMS} to a commit; medians over rounds"
    )
    columns = f"{'loop':<12}{'events/s per core':>18}{'us/event':>10}{'events/s wall':>15}"
    print(f"{columns}{'of bare':>9}{'of ledger':>11}{'of unadmitted':>15}")
    for name, seen in loops.items():
        rate = EVENTS_PER_ROUND / statistics.median(cpu for cpu, _ in seen)
        wall = EVENTS_PER_ROUND / statistics.median(took for _, took in seen)
        of = [ratio(loops[other], seen) for other in ("bare", "ledger", "unadmitted")]
        line = f"{name:<12}{rate:>18,.0f}{1e6 / rate:>10.2f}{wall:>15,.0f}"
        print(f"{line}{of[0]:>9.2f}{of[1]:>11.2f}{of[2]:>15.2f}")
    whole = loops["whole"]
    return EVENTS_PER_ROUND / statistics.median(cpu for cpu, _ in whole), ratio(loops["ledger"], whole)


def ratio(of: list[tuple[float, float]], seen: list[tuple[float, float]]) -> float:
    """How fast `seen` is beside `of`, each round compared with its neighbour in time; the median round."""
    return statistics.median(other[0] / own[0] for other, own in zip(of, seen, strict=True))


def proofs(directory: Path) -> None:
    """What proofs cost on the ledger just written, and a full check of it."""
    reader = LedgerReader.open(directory)
    size = reader.size()
    root = reader.root(size)
    chance = random.Random(2)
    started = time.perf_counter()
    for _ in range(200):
        index = chance.randrange(size)
        if not verify_inclusion(index, size, reader.entry(index).leaf, reader.inclusion_proof(index, size), root):
            raise AssertionError(index)
    inclusion = (time.perf_counter() - started) / 200
    started = time.perf_counter()
    for _ in range(200):
        before = chance.randrange(1, size)
        proof = reader.consistency_proof(before, size)
        if not verify_consistency(before, size, reader.root(before), root, proof):
            raise AssertionError(before)
    consistency = (time.perf_counter() - started) / 200
    started = time.perf_counter()
    read = sum(len(reader.read(first, 1000)) for first in range(0, size, 1000))
    reading = read / (time.perf_counter() - started)
    started = time.perf_counter()
    found = check(directory)
    checking = found.size / (time.perf_counter() - started)
    if not found.is_sound:
        raise AssertionError(found.problems[0])
    print(f"over {size:,} entries: inclusion proof {inclusion * 1e3:.2f} ms, consistency {consistency * 1e3:.2f} ms,")
    print(f"  reading {reading:,.0f} entries/s, fsck {checking:,.0f} entries/s")


def verdict(rate: float, beside_ledger: float) -> int:
    """0 when both bounds hold."""
    holds = print_figures(
        [
            Figure("frame bytes to commit, events/s per core", rate, EVENTS_PER_S_WANTED, at_least=True),
            Figure("of insert and hash without admission", beside_ledger, RATIO_WANTED, at_least=True),
        ]
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
