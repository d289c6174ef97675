"""What became of everything a simulated floor sent: counted from the ledgers themselves after the server has ended."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ledger.reader import LedgerReader
from wire.kinds import Kind

# Batch: entries of one read.
_READ_ENTRIES = 1000


class Sent(msgspec.Struct, frozen=True):
    """One numbered stream as its sender saw it: sequences 1..sent, of which 1..acknowledged were acknowledged."""

    source: str
    epoch: bytes
    sent: int
    acknowledged: int


class Outcome(msgspec.Struct, frozen=True):
    """Totals over all streams.

    durable: events found in the ledgers. lost: acknowledged but not found. duplicates: stored more than once.
    declared_gone: sequences that a data gap names. quarantined: of the durable ones.
    """

    sent: int
    durable: int
    acknowledged: int
    lost: int
    duplicates: int
    declared_gone: int
    quarantined: int


def count_outcome(directories: Mapping[str, Path], streams: list[Sent]) -> Outcome:
    """Read every ledger in `directories` (client -> directory) and hold it against what was sent."""
    known = {(stream.source, stream.epoch): stream for stream in streams}
    found: dict[tuple[str, bytes], Counter[int]] = {key: Counter() for key in known}
    bodies: Counter[tuple[str, bytes]] = Counter()
    declared_gone = quarantined = 0
    for directory in directories.values():
        reader = LedgerReader.open(directory)
        try:
            first = 0
            while entries := reader.read(first, _READ_ENTRIES):
                first = entries[-1].index + 1
                for entry in entries:
                    key = (entry.source, entry.epoch)
                    if key in known:
                        found[key][entry.sequence] += 1
                        bodies[entry.source, entry.body or b""] += 1
                        quarantined += entry.kind == Kind.QUARANTINED
                    declared_gone += entry.kind == Kind.DATA_GAP
        finally:
            reader.close()
    return Outcome(
        sent=sum(stream.sent for stream in streams),
        durable=sum(len(sequences) for sequences in found.values()),
        acknowledged=sum(stream.acknowledged for stream in streams),
        lost=sum(
            sum(1 for sequence in range(1, stream.acknowledged + 1) if sequence not in found[key])
            for key, stream in known.items()
        ),
        duplicates=sum(count - 1 for sequences in found.values() for count in sequences.values())
        + sum(count - 1 for count in bodies.values()),
        declared_gone=declared_gone,
        quarantined=quarantined,
    )
