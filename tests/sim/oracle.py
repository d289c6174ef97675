"""What is true, kept beside the world: what was promised, what is durable, what was acknowledged. Checks I1, I2, I3.

The oracle reads ledger entries off the simulated disk with its own few lines, nothing of the collector or the ledger.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from tests.sim.marks import Marks

DATA_GAP: Final = 1
QUARANTINED: Final = 2
EQUIVOCATION: Final = 3
GONE_ABOUT_SOURCE, GONE_ABOUT_EPOCH, GONE_FIRST, GONE_LAST = 6, 7, 8, 9
RAW_OF_QUARANTINED: Final = 9
RAW_OF_EQUIVOCATION: Final = 11


class Key(NamedTuple):
    """Who numbered it, in which epoch, as which."""

    source: str
    epoch: bytes
    sequence: int

    def __str__(self) -> str:
        return f"{self.source} {self.epoch.hex()[:8]} #{self.sequence}"


class Seen(NamedTuple):
    """One entry as the oracle read it off the disk."""

    entry_index: int
    received_at: int
    key: Key
    kind: int
    kind_version: int
    body: bytes
    leaf: bytes


class Violation(NamedTuple):
    """An invariant does not hold. `invariant` is its name: I1 ... I6, door, crash, or liveness."""

    invariant: str
    message: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.message}"


class Promise(NamedTuple):
    """A body that a source's outbox took."""

    kind: int
    body: bytes


class LedgerOracle:
    """What must hold of one ledger, checked whenever entries become durable and whenever an acknowledgement leaves."""

    def __init__(self, name: str, marks: Marks) -> None:
        self.name = name
        self.marks = marks
        self.entries: list[Seen] = []
        self.by_key: dict[Key, int] = {}
        self.gaps: defaultdict[tuple[str, bytes], list[tuple[int, int]]] = defaultdict(list)
        self.through: dict[tuple[str, bytes], int] = {}
        self.acknowledged: dict[tuple[str, bytes], int] = {}
        self.promised: dict[Key, Promise] = {}
        self.attempted: dict[Key, set[bytes]] = defaultdict(set)
        self.excused: set[Key] = set()
        self.forgotten: set[Key] = set()
        self.streams: set[tuple[str, bytes]] = set()
        self.violations: list[Violation] = []
        self.lost_by_restore: set[Key] = set()

    def fail(self, invariant: str, message: str) -> None:
        """Remember the violation: raising here could be caught by the code under test."""
        self.violations.append(Violation(invariant, f"[{self.name}] {message}"))

    # what sources do

    def attempt(self, key: Key, body: bytes) -> None:
        """A source is about to write this down; it may or may not survive."""
        self.attempted[key].add(body)

    def promise(self, key: Key, kind: int, body: bytes) -> None:
        """A source's outbox has taken this durably: from here on I1 owes it to the client."""
        self.promised[key] = Promise(kind, body)

    # what the ledger does

    def durable(self, fresh: Sequence[Seen]) -> None:
        """These entries have just become durable, in this order."""
        for entry in fresh:
            self._check_entry(entry)
            self.entries.append(entry)
            self.by_key[entry.key] = entry.entry_index
            if entry.kind == DATA_GAP and entry.key.source == "~gap":
                self._take_gap(entry)

    def _check_entry(self, entry: Seen) -> None:
        if entry.entry_index != len(self.entries):
            self.fail("I3", f"index {entry.entry_index} follows {len(self.entries) - 1}: the index is not dense")
        if self.entries and entry.received_at < self.entries[-1].received_at:
            self.fail("I3", f"received_at goes back at index {entry.entry_index}")
        if entry.key in self.by_key:
            self.fail("I1", f"{entry.key} is in the ledger twice: {self.by_key[entry.key]} and {entry.entry_index}")
        if entry.key.source.startswith("~"):
            self.marks.hit(f"collector.{entry.key.source[1:]}")
            return
        known = self.attempted.get(entry.key)
        if entry.kind == QUARANTINED:
            self.marks.hit("collector.quarantined")
        if known is None or _as_sent(entry) not in known:
            self.fail("I1", f"{entry.key} holds what its source never said")

    def _take_gap(self, entry: Seen) -> None:
        fields = msgspec.msgpack.decode(entry.body)
        stream = (fields[GONE_ABOUT_SOURCE], fields[GONE_ABOUT_EPOCH])
        self.gaps[stream].append((fields[GONE_FIRST], fields[GONE_LAST]))
        self.marks.hit(f"collector.gap_{fields[12]}")

    def outbox_lost(self, source: str) -> None:
        """The file of an outbox is gone, whole: what was in it and nowhere else cannot be named by anyone."""
        for key in self.promised:
            if key.source == source:
                self.forgotten.add(key)
                if not self.is_named(key):
                    self.excused.add(key)

    def answered(self, said: Sequence[tuple[Key, bytes]], rejected: Mapping[int, str]) -> None:
        """The door says 200 or 409 for these items of a source that cannot number, and which of them it rejects."""
        for key, body in said:
            if not self.keeps(key, body):
                self.fail("I2", f"{key} was answered as durable and is not")
            elif self.entries[self.by_key[key]].kind == QUARANTINED and key.sequence not in rejected:
                self.fail("I2", f"{key} is in quarantine and its sender was told nothing")
        for sequence in rejected.keys() - {key.sequence for key, _ in said}:
            self.fail("I2", f"an item was rejected that was not sent: {sequence}")

    def keeps(self, key: Key, body: bytes) -> bool:
        """Whether `body` is in the ledger, under that key or as a contradiction of what is."""
        at = self.by_key.get(key)
        if at is None:
            return False
        return _as_sent(self.entries[at]) == body or any(
            entry.kind == EQUIVOCATION and msgspec.msgpack.decode(entry.body)[RAW_OF_EQUIVOCATION] == body
            for entry in self.entries
        )

    def restored(self, size: int) -> None:
        """The operator put an older copy in place: what came after `size` is forgotten, and so are marks beyond it."""
        named = {key for key in self.promised if self.is_named(key)}
        del self.entries[size:]
        entries, self.entries = self.entries, []
        self.by_key.clear()
        self.gaps.clear()
        self.through.clear()
        self.acknowledged.clear()
        for entry in entries:
            self.entries.append(entry)
            self.by_key[entry.key] = entry.entry_index
            if entry.kind == DATA_GAP:
                self._take_gap(entry)
        self.lost_by_restore.update(key for key in named if not self.is_named(key))

    def recovered(self, found: Sequence[Seen]) -> None:
        """The collector opened the ledger and found this: everything durable must be there, unchanged.

        What a killed writer had written and not synced is found as well, and durable once the opening is.
        """
        if len(found) > len(self.entries):
            self.marks.hit("collector.recovered_unsynced")
        if len(found) < len(self.entries):
            self.fail("I3", f"{len(self.entries)} entries were durable, {len(found)} were found")
        for known, entry in zip(self.entries, found, strict=False):
            if known.leaf != entry.leaf:
                self.fail("I3", f"entry {known.entry_index} changed")
                break

    # what the collector says

    def contiguous(self, source: str, epoch: bytes) -> int:
        """Highest n such that 1..n of the stream are durable or in a declared gap."""
        stream = (source, epoch)
        mark = self.through.get(stream, 0)
        gaps = self.gaps.get(stream, ())
        while True:
            following = mark + 1
            if Key(source, epoch, following) in self.by_key:
                mark = following
                continue
            jump = max((last for first, last in gaps if first <= following <= last), default=0)
            if jump == 0:
                break
            mark = jump
        self.through[stream] = mark
        return mark

    def acknowledge(self, source: str, epoch: bytes, through: int, index: int, *, in_charge: bool) -> None:
        """An acknowledgement leaves a collector this instant. Marks of the snapshot lane promise nothing.

        in_charge: whether it is the one that writes. One that was replaced and does not know yet may say less.
        """
        if index > len(self.entries):
            self.fail("I2", f"ack names index {index}, durable are {len(self.entries)}")
        if (source, epoch) not in self.streams:
            return
        limit = self.contiguous(source, epoch)
        if through > limit:
            self.fail(
                "I2", f"{source} {epoch.hex()[:8]} acknowledged through {through}, durable without hole is {limit}"
            )
        before = self.acknowledged.get((source, epoch), 0)
        if in_charge and through < before:
            self.fail("I3", f"{source} {epoch.hex()[:8]} acknowledged {before}, later {through}")
        self.acknowledged[source, epoch] = max(before, through)

    # the end

    def settle(self) -> None:
        """After heal and drain: I1 for every promise, and no event under two keys.

        What a restore took is excused, and counted, only if its source never numbered it or has lost its folder since:
        docs/reference/simulation.md, "What nobody can name".
        """
        for key in self.promised:
            if self.is_named(key):
                if key in self.lost_by_restore and self.is_in_gap(key):
                    self.marks.hit("probe.restored_away_named")
                continue
            if key in self.excused:
                continue
            if key in self.lost_by_restore and (key.source, key.epoch) not in self.streams:
                self.marks.hit("limit.restored_away_unnumbered")
                continue
            if key in self.lost_by_restore and key in self.forgotten:
                self.marks.hit("limit.restored_away_folder_gone")
                continue
            self.fail("I1", f"{key} was promised and is neither in the ledger nor in a declared gap")
        bodies: dict[bytes, Key] = {}
        for entry in self.entries:
            if entry.key not in self.promised:
                continue
            other = bodies.setdefault(entry.body, entry.key)
            if other != entry.key:
                self.fail("I1", f"one event is in the ledger as {other} and as {entry.key}")

    def is_named(self, key: Key) -> bool:
        """Whether it is in the ledger or in a declared gap."""
        return key in self.by_key or self.is_in_gap(key)

    def is_in_gap(self, key: Key) -> bool:
        """Whether a declared gap names it."""
        return any(first <= key.sequence <= last for first, last in self.gaps.get((key.source, key.epoch), ()))


def _as_sent(entry: Seen) -> bytes:
    """The body its source sent, also of what went to quarantine."""
    if entry.kind != QUARANTINED:
        return entry.body
    raw: bytes = msgspec.msgpack.decode(entry.body)[RAW_OF_QUARANTINED]
    return raw
