"""The server's clock: the one place outside the probe that reads it."""

import time


def now_ms() -> int:
    """Milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - the clock that everything is given
