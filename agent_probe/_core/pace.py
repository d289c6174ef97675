"""A cap on how fast rows leave, so that a thousand probes coming back together do not flood the hub."""


class Pace:
    """One row per `row_interval_ms` in the long run; up to `burst_rows` at once after a quiet time. Times in ms."""

    def __init__(self, row_interval_ms: int, burst_rows: int) -> None:
        self._row_interval_ms = row_interval_ms
        self._burst_rows = burst_rows
        self._paid_until = 0

    def batch(self, waiting: int) -> int:
        """How many of `waiting` rows go together: full batches, so that a backlog does not leave row by row."""
        return max(1, min(self._burst_rows, waiting))

    def ready_at(self, now: int, rows: int) -> int:
        """When that many rows, at most a burst of them, may go: `now` or later."""
        return max(now, self._paid_until - (self._burst_rows - rows) * self._row_interval_ms)

    def allowance(self, now: int) -> int:
        """How many rows may go now."""
        owed_ms = max(0, self._paid_until - now)
        return self._burst_rows - (-(-owed_ms // self._row_interval_ms) if owed_ms else 0)

    def spend(self, now: int, rows: int) -> None:
        """That many went out; a frame without rows costs as much as one."""
        self._paid_until = max(now, self._paid_until) + max(1, rows) * self._row_interval_ms
