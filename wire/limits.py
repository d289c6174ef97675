"""Protocol constants: facts of the wire format, the same for every installation.

Policy thresholds live in defaults.toml.

The promises they stand for: docs/reference/architecture.md.
"""

from typing import Final

from wire.errors import require

FRAME_VERSION: Final = 1
FRAME_BYTES_MAX: Final = 64 * 1024
FRAME_ITEMS_MAX: Final = 500
BODY_BYTES_MAX: Final = 8 * 1024
GONE_RANGES_MAX: Final = 64

EPOCH_BYTES: Final = 16
LEDGER_ID_BYTES: Final = 16
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32

NAME_CHARS_MAX: Final = 96
"""Longest id (source, site, queue, account, conversation ...), in characters."""
PEM_CHARS_MAX: Final = 8192
"""Longest certificate or request in PEM; one for a P-256 key takes 400 to 1,200 characters."""
IDENTITY_CHARS_MAX: Final = 64
"""Longest id of a probe that can stand in a certificate (X.520, ub-common-name)."""
WORD_CHARS_MAX: Final = 256
"""Longest free word a source may send (raw UPS status, a pause reason)."""
ATTRIBUTES_MAX: Final = 32
MEASURED_MAX: Final = 32
"""Most UPSes, lines or phone lines that a probe lists as what it measures; with more of a kind it lists none."""
EVIDENCE_MAX: Final = 32
"""Most ledger leaves an incident names as its evidence."""

SEQUENCE_MAX: Final = 2**63 - 1
COUNTED_MAX: Final = 10**12
"""Highest number a source gives within one epoch: a thousand events a second for 31 years. Beyond it, it miscounted.
Sequences that are computed from something go up to SEQUENCE_MAX."""
INSTANT_MAX_MS: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z; a later instant is a broken clock, not an appointment."""
DURATION_MAX_MS: Final = 366 * 24 * 3600 * 1000
KIND_MAX: Final = 0xFFFF
PROOF_HASHES_MAX: Final = 64
"""More than a proof in a tree of SEQUENCE_MAX leaves takes: a hash per level, and the seed of a consistency proof."""
NOTE_CHARS_MAX: Final = 4096
"""Longest signed note that is read from a proof: three lines and a handful of signatures."""

IN_FLIGHT_FRAMES_MAX: Final = 4
"""A source keeps at most this many frames unacknowledged."""
CHUNK_ENTRIES_MAX: Final = 100
"""Ledger entries in one entry of the Redis stream."""

require(BODY_BYTES_MAX < FRAME_BYTES_MAX, "one body must fit a frame")
