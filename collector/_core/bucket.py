"""A token bucket in integers: how often somebody may come, with room for a burst."""


class Bucket:
    """Starts full. One visit costs one token; `per_second` tokens come back each second, up to `burst`."""

    __slots__ = ("_burst", "_millitokens", "_per_second", "_seen_ms")

    def __init__(self, per_second: int, burst: int, now_ms: int) -> None:
        self._per_second = per_second
        self._burst = burst * 1000
        self._millitokens = self._burst
        self._seen_ms = now_ms

    def wait_ms(self, now_ms: int) -> int:
        """0 and the visit is counted; otherwise it is refused, and how long until there is room for one."""
        passed = max(0, now_ms - self._seen_ms)
        self._seen_ms = max(self._seen_ms, now_ms)
        self._millitokens = min(self._burst, self._millitokens + passed * self._per_second)
        # Format: thousandths of one token.
        if self._millitokens >= 1000:
            self._millitokens -= 1000
            return 0
        return -(-(1000 - self._millitokens) // self._per_second)
