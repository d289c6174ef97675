"""The server's clock: the one place outside the probe that reads it, and the time that goes on the record."""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger()


def now_ms() -> int:
    """Milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - the clock that everything is given


def elapsed_ms() -> int:
    """Milliseconds since some instant, by a clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


class RecordClock:
    """The machine's time (ms since the epoch) as it may go on a record: it is never behind what was recorded already.

    Where the machine's clock was set back, time goes on from where it was, `slower` times slower than the clock, until
    that has caught up: time neither stands still nor stays wrong. May be asked in any thread.
    """

    def __init__(self, clock_ms: Callable[[], int], elapsed_ms: Callable[[], int], *, slower: int) -> None:
        self._clock_ms: Final = clock_ms
        self._elapsed_ms: Final = elapsed_ms
        self._slower: Final = slower
        self._lock: Final = threading.Lock()
        self._at = clock_ms()
        self._counted = elapsed_ms()
        self._is_ahead = False

    def not_before(self, recorded_at: int) -> None:
        """Take up where an earlier run left off."""
        with self._lock:
            self._at = max(self._at, recorded_at)

    def now_ms(self) -> int:
        """The time to record, ms."""
        with self._lock:
            at, elapsed = self._clock_ms(), self._elapsed_ms()
            passed = (elapsed - self._counted) // self._slower
            ahead = self._at + passed - at
            if ahead > 0:
                self._at += passed
                self._counted += passed * self._slower
            else:
                self._at, self._counted = at, elapsed
            if (ahead > 0) != self._is_ahead:
                self._is_ahead = ahead > 0
                log.warning("clock.set_back" if ahead > 0 else "clock.caught_up", ahead_ms=max(0, ahead))
            return self._at

    def ahead_ms(self) -> int:
        """How far the record is ahead of the machine's clock."""
        return max(0, self.now_ms() - self._clock_ms())
