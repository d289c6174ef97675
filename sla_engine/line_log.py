"""What the operator's ledger holds of a site's lines around an incident: for whoever has to prove it to a carrier."""

from collections.abc import Callable, Iterator
from typing import Final

from ledger.reader import LedgerReader
from ledger.recorded import recorded
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.uplink import LineReading, LineState

AILING: Final = frozenset({LineState.DOWN, LineState.DEGRADED})
# Batch: entries of one read.
_READ_AT_ONCE: Final = 2_000


def line_readings(reader: LedgerReader, site: str, first: int, last: int, looked_back: int) -> list[Recorded]:
    """Readings of the site's lines in entries first..last, and before them back to where each line was last well.

    looked_back: so many entries before first, at most.

    In order of occurred_at. Of a line that failed within first..last: from the last good reading before that failure,
    so that an outage which was over by then is no part of it. Raises LedgerCorrupt.
    """
    found = list(_readings(reader, site, first, last + 1))
    ailing = {entry.body.line for entry in found if isinstance(entry.body, LineReading)}
    begin = first
    while ailing and begin > 0 and first - begin < looked_back:
        end, begin = begin, max(0, begin - _READ_AT_ONCE)
        earlier = list(_readings(reader, site, begin, end))
        found = earlier + found
        ailing -= {e.body.line for e in earlier if isinstance(e.body, LineReading) and e.body.state is LineState.UP}
    return _of_this_outage(found, first)


def _of_this_outage(found: list[Recorded], first: int) -> list[Recorded]:
    """Those from each line's last UP before it ailed at or after entry `first`, by when they happened."""
    by_line: dict[str, list[tuple[Recorded, LineReading]]] = {}
    for entry in sorted(found, key=_happened):
        if isinstance(entry.body, LineReading):
            by_line.setdefault(entry.body.line, []).append((entry, entry.body))
    kept: list[Recorded] = []
    for told in by_line.values():
        fell = _first(told, lambda entry, body: entry.index >= first and body.state in AILING)
        until = _first(told, lambda entry, _: entry.index >= first) if fell is None else fell
        ups = [at for at, (_, body) in enumerate(told[:until]) if body.state is LineState.UP]
        kept += [entry for entry, _ in told[ups[-1] if ups else 0 :]]
    return sorted(kept, key=_happened)


def _first(told: list[tuple[Recorded, LineReading]], fits: Callable[[Recorded, LineReading], bool]) -> int | None:
    return next((at for at, each in enumerate(told) if fits(*each)), None)


def _happened(entry: Recorded) -> tuple[int, int]:
    return (entry.received_at if entry.body is None else entry.body.occurred_at, entry.index)


def _readings(reader: LedgerReader, site: str, first: int, end: int) -> Iterator[Recorded]:
    while first < end:
        stored = reader.read(first, min(_READ_AT_ONCE, end - first))
        if not stored:
            return
        first += len(stored)
        for entry in (recorded(each) for each in stored if each.kind == Kind.LINE_READING):
            if isinstance(entry.body, LineReading) and entry.body.site == site:
                yield entry
