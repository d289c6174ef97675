"""Whether to believe that something can be reached. Pure; times in ms of a monotonic clock."""

from typing import NamedTuple


class ReachBelieved(NamedTuple):
    """is_reachable: None before enough is known. since_ms: how long that has held. is_settled: the last try agrees."""

    is_reachable: bool | None
    since_ms: int
    is_settled: bool


class Reach:
    """An answer is believed at once; that there is none, after `misses_believed` tries in a row."""

    def __init__(self, misses_believed: int) -> None:
        self._misses_believed = misses_believed
        self._misses = 0
        self._believed: bool | None = None
        self._since: int | None = None

    def observe(self, *, answered: bool, now: int) -> ReachBelieved:
        """Take in one try."""
        self._misses = 0 if answered else self._misses + 1
        believed = True if answered else False if self._misses >= self._misses_believed else self._believed
        if self._since is None or believed is not self._believed:
            self._since = now
        self._believed = believed
        return ReachBelieved(believed, now - self._since, believed is answered)
