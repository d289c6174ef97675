"""What is checked after the kill rounds, from the files alone: raw SQLite and MessagePack, nothing the writers share.

Only the fold is the product's own, run once over the whole ledger from its first entry, without any restart.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgpack  # type: ignore[import-untyped]  # it has none, and what comes is unknown anyway
import msgspec
from redis.asyncio import Redis

from ledger.reader import LedgerReader
from seatwatch.config import Config
from seatwatch.server.engines import Engines
from seatwatch.settings import load_defaults
from sla_engine._core.engine import new_shard, step
from sla_engine.facts_store import FactKey, key_of, revision_of
from tests.integration.kill_world import REPOSITORY, OutboxRow
from tests.waiting import wait_until
from wire.board import Board
from wire.codec import decode_body
from wire.facility import Heartbeat
from wire.kinds import Kind
from wire.record import Quarantined
from wire.recorded import Recorded
from wire.verdict import Fact

FOLDED_AT_ONCE: Final = 1000
STREAMED_AT_ONCE: Final = 500
WRONG: Final = {
    Kind.DATA_GAP: "declared gone",
    Kind.QUARANTINED: "quarantined",
    Kind.EQUIVOCATION: "equivocations",
    Kind.UNROUTED: "unrouted",
}


class Entry(NamedTuple):
    """One entry as the ledger's file has it."""

    place: int
    received_at: int
    source: str
    epoch: bytes
    sequence: int
    kind: int
    kind_version: int
    body: bytes
    leaf: bytes


class Ledger:
    """All entries of one ledger, and its streams."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.entries = list(_entries(directory))
        self.streams: dict[tuple[str, bytes], Counter[int]] = {}
        self.bodies: dict[tuple[str, bytes, int], bytes] = {}
        for entry in self.entries:
            key = (entry.source, entry.epoch)
            self.streams.setdefault(key, Counter())[entry.sequence] += 1
            self.bodies[*key, entry.sequence] = entry.body

    def lost(self, source: str, epoch: bytes, acknowledged: int) -> set[int]:
        """Which of the sequences 1..acknowledged are not there."""
        return set(range(1, acknowledged + 1)) - self.streams.get((source, epoch), Counter()).keys()

    def twice(self) -> int:
        """How many entries repeat a key."""
        return sum(count - 1 for sequences in self.streams.values() for count in sequences.values())

    def shown_streams(self) -> set[bytes]:
        """Epochs of snapshots, whose holes are normal: they are derived from a probe's own epoch."""
        return {sha256(b"snapshot" + epoch).digest()[:16] for _, epoch in self.streams}

    def holes(self) -> list[str]:
        """Streams of sources that miss a sequence below their highest one."""
        shown = self.shown_streams()
        return [
            f"{source} {epoch.hex()[:8]} misses {max(sequences) - len(sequences)} of {max(sequences)}"
            for (source, epoch), sequences in self.streams.items()
            if not source.startswith("~") and epoch not in shown and len(sequences) != max(sequences)
        ]

    def wrong(self) -> list[str]:
        """Entries that say something is wrong with the record."""
        kinds = Counter(entry.kind for entry in self.entries)
        said = [f"{self.directory.name}: {kinds[kind]} {word}" for kind, word in WRONG.items() if kinds[kind]]
        refused = (decode_body(e.kind, e.kind_version, e.body) for e in self.entries if e.kind == Kind.QUARANTINED)
        reasons = Counter(f"kind {body.kind}: {body.reason}" for body in refused if isinstance(body, Quarantined))
        return [*said, *(f"{self.directory.name}: {why} ({count})" for why, count in reasons.items())]


def _entries(directory: Path) -> Iterator[Entry]:
    for segment in sorted(directory.glob("????????.sqlite")):
        with closing(sqlite3.connect(f"{segment.absolute().as_uri()}?mode=ro", uri=True)) as file:
            rows = file.execute(
                # a salt of 16 bytes stands in front of each body
                "SELECT entry_index, received_at, source, epoch, sequence, kind, kind_version,"
                " substr(content, 17), leaf FROM entries JOIN streams USING (stream) ORDER BY entry_index"
            )
            yield from map(Entry._make, rows)


def size_of(directory: Path) -> int:
    """How many entries a ledger has at this moment."""
    last = max(directory.glob("????????.sqlite"))
    with closing(sqlite3.connect(f"{last.absolute().as_uri()}?mode=ro", uri=True)) as file:
        (size,) = file.execute("SELECT size FROM state").fetchone()
        return int(size)


def newest_heartbeat(operator: Path, source: str, since: int) -> Heartbeat | None:
    """The newest heartbeat of a probe among the entries from `since` on."""
    last = max(operator.glob("????????.sqlite"))
    with closing(sqlite3.connect(f"{last.absolute().as_uri()}?mode=ro", uri=True)) as file:
        row = file.execute(
            "SELECT kind, kind_version, substr(content, 17) FROM entries JOIN streams USING (stream)"
            " WHERE source = ? AND kind = ? AND entry_index >= ? ORDER BY entry_index DESC LIMIT 1",
            (source, Kind.HEARTBEAT, since),
        ).fetchone()
    beat = None if row is None else decode_body(*row)
    return beat if isinstance(beat, Heartbeat) else None


def fsck(directory: Path) -> list[str]:
    """What `seatwatch fsck` finds."""
    command = [sys.executable, "-m", "seatwatch", "fsck", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    return [] if done.returncode == 0 else [f"fsck: {line}" for line in (done.stdout + done.stderr).splitlines()]


def unkept(kept: set[OutboxRow], source: str, ledger: Ledger) -> set[OutboxRow]:
    """The rows that an outbox once held durably and that are not in the ledger as they were."""
    return {row for row in kept if ledger.bodies.get((source, row.epoch, row.sequence)) != row.body}


class FactsDiffer(NamedTuple):
    """The engine's store held against a fresh fold."""

    checked: int
    duplicates: int
    missing: int
    surplus: int
    different: int
    offset: int


def compare_facts(store: Path, ledger: Ledger) -> FactsDiffer:
    """Fold `ledger` from its first entry without a restart, and hold the files in `store` against that."""
    expected = {key: msgspec.msgpack.encode(fact) for key, fact in _folded(ledger).items()}
    found: dict[FactKey, bytes] = {}
    rows = 0
    for path in sorted(store.glob("????-??.sqlite")):
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            for *key, content in file.execute(
                "SELECT session, conversation, type, number, definition, content FROM facts"
            ):
                rows += 1
                found[key[0], key[1], key[2], key[3], key[4]] = content
    with closing(sqlite3.connect(f"{(store / 'state.sqlite').absolute().as_uri()}?mode=ro", uri=True)) as file:
        (offset,) = file.execute("SELECT next_index FROM offsets").fetchone()
    return FactsDiffer(
        checked=len(expected),
        duplicates=rows - len(found),
        missing=len(expected.keys() - found.keys()),
        surplus=len(found.keys() - expected.keys()),
        different=sum(1 for key, content in expected.items() if key in found and found[key] != content),
        offset=offset,
    )


def _folded(ledger: Ledger) -> dict[FactKey, Fact]:
    shard = new_shard()
    facts: dict[FactKey, Fact] = {}
    for first in range(0, len(ledger.entries), FOLDED_AT_ONCE):
        batch = [_recorded(entry) for entry in ledger.entries[first : first + FOLDED_AT_ONCE]]
        for fact in step(shard, batch, batch[-1].received_at).facts:
            before = facts.get(key_of(fact))
            if before is None or revision_of(fact) >= revision_of(before):
                facts[key_of(fact)] = fact
    return facts


def _recorded(entry: Entry) -> Recorded:
    return Recorded(*entry[:-2], decode_body(entry.kind, entry.kind_version, entry.body))


async def streamed(redis: Redis, stream: str) -> list[Entry]:
    """Every entry of a Redis stream, in order."""
    found: list[Entry] = []
    after = "-"
    while True:
        chunks: Any = await redis.xrange(stream, min=after, count=STREAMED_AT_ONCE)
        if not chunks:
            return found
        for _, fields in chunks:
            found += map(Entry._make, msgpack.unpackb(fields[b"c"]))
        after = "(" + chunks[-1][0].decode()


class Written:
    """A ledger nobody writes to any more, as the feed of an engine."""

    def __init__(self, directory: Path) -> None:
        self.reader = LedgerReader.open(directory)
        self.ledger_id = self.reader.ledger_id
        self.size = self.reader.size()

    async def changed(self, since: int) -> int:
        if since >= self.size:
            await asyncio.Event().wait()
        return self.size


async def replayed_board(config: Config, ledgers: Mapping[str, Path], scratch: Path, at: int) -> Board:
    """The board at `at` (ms) of an engine that never saw a restart, over the ledgers themselves."""
    feeds = {client: Written(directory) for client, directory in ledgers.items()}
    engines = Engines(config.client, feeds, scratch, defaults=load_defaults(), clock_ms=lambda: at)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(engines.run(), name="replay")
        board = await wait_until(engines.board, 60, what="the ledgers to be replayed")
        running.cancel()
    for feed in feeds.values():
        feed.reader.close()
    assert board is not None
    return board


def differences(name: str, left: Any, right: Any) -> list[str]:
    """Where two JSON values differ, by path."""
    if isinstance(left, dict) and isinstance(right, dict):
        return [
            found
            for key in sorted(left.keys() | right.keys())
            for found in differences(f"{name}.{key}", left.get(key), right.get(key))
        ]
    return [] if left == right else [f"{name}: {json.dumps(left)} is not {json.dumps(right)}"]


def first_ones(problems: Sequence[str], shown: int = 20) -> list[str]:
    """At most so many of them, and how many there are."""
    rest = len(problems) - shown
    return [*problems[:shown], *([f"... and {rest} more"] if rest > 0 else [])]
