"""What is known of a probe's time: which run of it speaks, and how its clock goes."""

import msgspec


class Run(msgspec.Struct):
    """The present run of a probe's process, as its epochs tell. Epochs: 16 bytes, b"" = not known.

    past: of earlier runs. perhaps: epochs that may be the next run's, with the least that a word of each came late by,
    ms. behind_ms: how far the probe's clock is behind the hub's at most.
    """

    snapshots: bytes = b""
    events: bytes = b""
    past: list[bytes] = []
    perhaps: dict[bytes, int] = {}
    behind_ms: int = 0


class ProbeClock(msgspec.Struct):
    """A probe's clock beside others, ms; plus = it is ahead.

    least_ms: what the least late beat since `seen_from` (hub's ms) came late by, None = no beat yet. by_hub_ms: against
    the hub's, as beats told last. told_ms: against a time server's, as a seat told last. off_ms: the greater of these.
    wrong_since, wrong_index: when it was found wrong, None = it is not, and by which entry.
    """

    seen_from: int = 0
    least_ms: int | None = None
    by_hub_ms: int = 0
    told_ms: int | None = None
    off_ms: int = 0
    wrong_since: int | None = None
    wrong_index: int = 0
