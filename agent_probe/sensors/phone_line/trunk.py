"""What to believe of a trunk, from what its last answers were. Pure; times in ms of a monotonic clock.

* Any final answer other than 408 and 503 proves that the trunk lives: even a 404 was sent by a phone system.
* A trouble is believed after `phone_misses` bad turns in a row; which trouble, the last of them says.
* A recovery is believed after `phone_back` good turns in a row, and so is the change between quick and slow answers.
* The first good turn of all is believed at once: before it nothing was known.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from wire.phone import TrunkState

REFUSES_CALLS: Final = frozenset({408, 503})
GOOD: Final = frozenset({TrunkState.REACHABLE, TrunkState.LAGGED})
US_PER_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class TrunkRules:
    """phone_misses, phone_back: turns in a row. phone_lagged_ms: a good answer slower than this is slow."""

    phone_misses: int
    phone_back: int
    phone_lagged_ms: int


class Turn(NamedTuple):
    """One OPTIONS. code: of the final answer, None if there was none. rtt_us: how long it took."""

    code: int | None
    rtt_us: int = 0


class TrunkBelieved(NamedTuple):
    """misses: bad turns in a row. since_ms: how long `state` has held. is_settled: the last turn says the same."""

    state: TrunkState
    misses: int
    since_ms: int
    is_settled: bool


class Trunk:
    """One trunk's memory."""

    def __init__(self, rules: TrunkRules) -> None:
        self._rules = rules
        self._state = TrunkState.UNKNOWN
        self._since: int | None = None
        self._misses = 0
        self._candidate = TrunkState.UNKNOWN
        self._turns = 0

    def observe(self, turn: Turn, now: int) -> TrunkBelieved:
        """Take in one turn."""
        says = self._said_by(turn)
        self._misses = 0 if says in GOOD else self._misses + 1
        self._turns = self._turns + 1 if says is self._candidate else 1
        self._candidate = says
        if says in GOOD:
            is_known = self._state is not TrunkState.UNKNOWN
            enough = self._turns >= (self._rules.phone_back if is_known else 1)
        else:
            enough = self._misses >= self._rules.phone_misses
        if self._since is None or (enough and says is not self._state):
            self._since = now
        if enough:
            self._state = says
        return TrunkBelieved(self._state, self._misses, now - self._since, says is self._state)

    def _said_by(self, turn: Turn) -> TrunkState:
        if turn.code is None:
            return TrunkState.UNREACHABLE
        if turn.code in REFUSES_CALLS:
            return TrunkState.UNAVAILABLE
        is_slow = turn.rtt_us > self._rules.phone_lagged_ms * US_PER_MS
        return TrunkState.LAGGED if is_slow else TrunkState.REACHABLE
