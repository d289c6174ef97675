"""From a stored entry to what folds read."""

from ledger.entry import StoredEntry
from wire.codec import decode_body
from wire.errors import DecodeError
from wire.recorded import Recorded


def recorded(stored: StoredEntry) -> Recorded:
    """The entry with its body decoded; body None for a kind or version this build does not know, and for a purged one.

    So also, and `malformed`, for a known kind that does not decode. Nothing of ours stores one; but what is stored
    cannot be mended, and a record with one bad entry still has to be read.
    """
    body, malformed = None, False
    if stored.body is not None:
        try:
            body = decode_body(stored.kind, stored.kind_version, stored.body)
        except DecodeError:
            malformed = True
    return Recorded(
        stored.index,
        stored.received_at,
        stored.source,
        stored.epoch,
        stored.sequence,
        stored.kind,
        stored.kind_version,
        body,
        malformed,
    )
