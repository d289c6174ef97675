"""An entry as folds see it: its place in a ledger and its decoded body. Engine, site fold and tests speak this."""

import msgspec

from wire.body import Body


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """One ledger entry.

    index: place in its ledger, dense from 0. received_at: hub's ms, never decreasing within a ledger.
    body: typed body, or None for a kind or version this build does not know. malformed: None, because the bytes do not
    fit the kind; ignored by folds as an unknown kind is, and counted.
    """

    index: int
    received_at: int
    source: str
    epoch: bytes
    sequence: int
    kind: int
    kind_version: int
    body: Body | None
    malformed: bool = False
