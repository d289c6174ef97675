"""The ledger's port over a simulated disk: the same promises as ledger.writer and ledger.reader, no SQLite.

One transaction carries entries, marks and `received_at`; what it wrote is visible to readers once it is durable.
Entries and leaves are the real ones (ledger.entry, ledger.merkle).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ledger.entry import NewEntry, StoredEntry, header_bytes, leaf_hash
from ledger.errors import KeyTaken, LedgerFailed, LedgerFenced
from ledger.merkle import Frontier
from tests.sim.disk import SimDisk
from tests.sim.oracle import Key, Seen
from wire.errors import require

Stream = tuple[str, bytes]
SALT: Final = bytes(16)
NEVER: Final = 1 << 60
"""No inner node of the tree is kept."""


class Transaction(NamedTuple):
    """One commit as the journal holds it. fence: the epoch of the writer that wrote it."""

    entries: tuple[StoredEntry, ...]
    marks: tuple[tuple[Stream, int], ...]
    received_at: int
    fence: int


class Committed(NamedTuple):
    """What a commit gave: the index of its first entry, the size after it, the clamped time."""

    first_index: int
    size: int
    received_at: int


def seen(entry: StoredEntry) -> Seen:
    """As the oracle keeps it."""
    key = Key(entry.source, entry.epoch, entry.sequence)
    return Seen(entry.index, entry.received_at, key, entry.kind, entry.kind_version, entry.body or b"", entry.leaf)


class SimLedger:
    """The file of one ledger: what readers see, whether or not a writer runs."""

    def __init__(self, ledger_id: bytes, disk: SimDisk) -> None:
        self.ledger_id = ledger_id
        self.disk = disk
        self.visible: list[StoredEntry] = []
        disk.on_synced = self._synced
        self.on_durable: Callable[[list[Seen]], None] = lambda _fresh: None

    def _synced(self, records: list[Transaction]) -> None:
        fresh = [entry for record in records for entry in record.entries]
        self.visible.extend(fresh)
        self.on_durable([seen(entry) for entry in fresh])

    def fence(self) -> int:
        """Of the writer that opened the ledger last."""
        return max((record.fence for record in self.disk.records[-1:]), default=0)

    def copy(self) -> list[Transaction]:
        """A backup: what is durable now."""
        return list(self.disk.records[: self.disk.synced])

    def restore(self, copy: list[Transaction]) -> int:
        """Put a backup in place of the file; the number of entries it holds."""
        self.disk.replace(copy)
        self.visible = [entry for record in copy for entry in record.entries]
        return len(self.visible)


class SimReader:
    """ledger.reader.LedgerReader, as far as the world needs it."""

    def __init__(self, ledger: SimLedger) -> None:
        self._ledger = ledger

    @property
    def ledger_id(self) -> bytes:
        return self._ledger.ledger_id

    def size(self) -> int:
        return len(self._ledger.visible)

    def read(self, first: int, limit: int) -> list[StoredEntry]:
        return self._ledger.visible[first : first + limit]

    def entry(self, index: int) -> StoredEntry:
        return self._ledger.visible[index]

    def close(self) -> None:
        """Nothing is held open."""


class SimWriter:
    """ledger.writer.LedgerWriter over a simulated disk."""

    def __init__(self, ledger: SimLedger) -> None:
        self._ledger = ledger
        self._disk = ledger.disk
        self.ledger_id = ledger.ledger_id
        self.last_received_at = 0
        self.fencing_epoch = 0
        self._entries: list[StoredEntry] = []
        self._index: dict[Key, int] = {}
        self._marks: dict[Stream, int] = {}
        self._streams: dict[Stream, set[int]] = {}
        self._frontier = Frontier()
        self._over = False
        for record in self._disk.recover():
            self._apply(record)
        # taking the ledger over is a commit of its own: it also syncs what a killed writer had written and not synced
        self.fencing_epoch = ledger.fence() + 1
        self._write(Transaction((), (), self.last_received_at, self.fencing_epoch))

    @property
    def size(self) -> int:
        return len(self._entries)

    def mark(self, source: str, epoch: bytes) -> int:
        return self._marks.get((source, epoch), 0)

    def beyond(self, source: str, epoch: bytes) -> set[int]:
        mark = self.mark(source, epoch)
        return {sequence for sequence in self._streams.get((source, epoch), ()) if sequence > mark}

    def highest(self, source: str, epoch: bytes) -> int:
        return max(self._streams.get((source, epoch), ()), default=0)

    def streams(self) -> Iterator[tuple[str, bytes, int]]:
        for stream in list(self._streams):
            yield *stream, self._marks.get(stream, 0)

    def body_of(self, source: str, epoch: bytes, sequence: int) -> tuple[int, int, bytes | None] | None:
        at = self._index.get(Key(source, epoch, sequence))
        if at is None:
            return None
        entry = self._entries[at]
        return entry.kind, entry.kind_version, entry.body

    def commit(
        self, entries: Sequence[NewEntry], *, received_at: int, marks: Mapping[Stream, int] | None = None
    ) -> Committed:
        if self._over:
            raise LedgerFailed("this writer is over; the process should have ended")
        if not entries and not marks:
            return Committed(self.size, self.size, self.last_received_at)
        for (source, epoch), mark in (marks or {}).items():
            require(mark >= self.mark(source, epoch), "a mark never goes back")
        received_at = max(received_at, self.last_received_at)
        first = self.size
        stored = []
        for index, new in enumerate(entries, first):
            key = Key(new.source, new.epoch, new.sequence)
            if key in self._index:
                self._over = True
                raise KeyTaken(str(key))
            leaf = leaf_hash(header_bytes(self.ledger_id, index, received_at, new), SALT, new.body)
            stored.append(StoredEntry(index, received_at, *key, new.kind, new.kind_version, SALT, new.body, leaf))
        self.require_newest()
        self._write(Transaction(tuple(stored), tuple((marks or {}).items()), received_at, self.fencing_epoch))
        return Committed(first, self.size, received_at)

    def require_newest(self) -> None:
        """LedgerFenced if another writer opened the ledger since."""
        if self._ledger.fence() != self.fencing_epoch:
            self._over = True
            raise LedgerFenced(f"fencing epoch {self.fencing_epoch}, the ledger is at {self._ledger.fence()}")

    def seen(self) -> list[Seen]:
        """Everything found on opening, for the oracle."""
        return [seen(entry) for entry in self._entries]

    def root(self) -> bytes:
        return self._frontier.root()

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, record: Transaction) -> None:
        try:
            self._disk.append(record)
            self._disk.flush()
        except OSError as error:
            self._over = True
            raise LedgerFailed(str(error)) from error
        self._apply(record)

    def _apply(self, record: Transaction) -> None:
        for entry in record.entries:
            self._index[Key(entry.source, entry.epoch, entry.sequence)] = entry.index
            self._streams.setdefault((entry.source, entry.epoch), set()).add(entry.sequence)
        self._entries.extend(record.entries)
        self._frontier.extend([entry.leaf for entry in record.entries], NEVER)
        for stream, mark in record.marks:
            self._marks[stream] = mark
            self._streams.setdefault(stream, set())
        self.last_received_at = record.received_at
