"""What the operator's ledger holds of a site's lines around an incident: for whoever has to prove it to a carrier."""

from collections.abc import Iterator
from typing import Final

from ledger.reader import LedgerReader
from ledger.recorded import recorded
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.uplink import LineReading, LineState

_READ_AT_ONCE: Final = 2_000
_LOOKED_BACK: Final = 50_000
"""Entries: a site with a hundred probes says as many within an hour."""


def line_readings(reader: LedgerReader, site: str, first: int, last: int) -> list[Recorded]:
    """Readings of the site's lines in entries first..last, and before them back to where each line was last well.

    Raises LedgerCorrupt.
    """
    found = list(_readings(reader, site, first, last + 1))
    ailing = {entry.body.line for entry in found if isinstance(entry.body, LineReading)}
    begin = first
    while ailing and begin > 0 and first - begin < _LOOKED_BACK:
        end, begin = begin, max(0, begin - _READ_AT_ONCE)
        earlier = list(_readings(reader, site, begin, end))
        found = earlier + found
        ailing -= {e.body.line for e in earlier if isinstance(e.body, LineReading) and e.body.state is LineState.UP}
    return found


def _readings(reader: LedgerReader, site: str, first: int, end: int) -> Iterator[Recorded]:
    while first < end:
        stored = reader.read(first, min(_READ_AT_ONCE, end - first))
        if not stored:
            return
        first += len(stored)
        for entry in (recorded(each) for each in stored if each.kind == Kind.LINE_READING):
            if isinstance(entry.body, LineReading) and entry.body.site == site:
                yield entry
