"""Who sends more than any probe of ours does: his frames are put aside, and an identity that goes on is kept away."""

import msgspec

from collector._core.bucket import Bucket


class FloodRules(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[collector]` in defaults.toml.

    frames_per_s, burst: frames of one source. excess: frames beyond that within `within_ms`; who sends so many is kept
    away for `away_ms`.
    """

    frames_per_s: int
    burst: int
    excess: int
    within_ms: int
    away_ms: int


class Floods:
    """Every source's frames, counted before anything is made of them. Times: ms of a clock that never goes back."""

    def __init__(self, rules: FloodRules) -> None:
        self._rules = rules
        self._buckets: dict[str, Bucket] = {}
        self._excess: dict[str, tuple[int, int]] = {}
        """Source -> since when its excess is counted, and how much that is."""
        self._until: dict[str, int] = {}

    def may_pass(self, source: str, now: int) -> bool:
        """Whether to look at one more frame of a source."""
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = Bucket(self._rules.frames_per_s, self._rules.burst, now)
        if not bucket.wait_ms(now):
            return True
        since, count = self._excess.get(source, (now, 0))
        if now - since > self._rules.within_ms:
            since, count = now, 0
        self._excess[source] = since, count + 1
        if count + 1 >= self._rules.excess:
            self._until[source] = now + self._rules.away_ms
        return False

    def away(self, now: int) -> frozenset[str]:
        """Who is to be kept away now."""
        self._until = {source: until for source, until in self._until.items() if until > now}
        return frozenset(self._until)
