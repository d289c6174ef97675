"""A cap on how fast frames leave, so that a thousand probes coming back together do not flood the hub."""


class Pace:
    """One frame per `interval_ms` in the long run; up to `burst` of them at once after a quiet time. Times in ms."""

    def __init__(self, interval_ms: int, burst: int) -> None:
        self._interval_ms = interval_ms
        self._credit_ms = interval_ms * (burst - 1)
        self._paid_until = 0

    def ready_at(self, now: int) -> int:
        """When the next frame may go: `now` or later."""
        return max(now, self._paid_until - self._credit_ms)

    def spend(self, now: int) -> None:
        """A frame went out."""
        self._paid_until = max(now, self._paid_until) + self._interval_ms
