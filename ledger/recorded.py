"""From a stored entry to what folds read."""

from ledger.entry import StoredEntry
from wire.codec import decode_body
from wire.recorded import Recorded


def recorded(stored: StoredEntry) -> Recorded:
    """The entry with its body decoded; body None for a kind or version this build does not know, and for a purged one.

    Raises DecodeError when a known kind does not decode: admission quarantines those, so the ledger was written by
    something else.
    """
    body = None if stored.body is None else decode_body(stored.kind, stored.kind_version, stored.body)
    return Recorded(
        stored.index,
        stored.received_at,
        stored.source,
        stored.epoch,
        stored.sequence,
        stored.kind,
        stored.kind_version,
        body,
    )
