"""Which line the probe's own connection takes. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from wire.uplink import LineReason, LineState


class LineNow(NamedTuple):
    """What is known of one line. source_address: what to bind to, "" while it has none.

    silent_since: monotonic ms; None while it answers.
    """

    name: str
    state: LineState
    reason: LineReason
    internet_reachable: bool | None
    source_address: str
    silent_since: int | None


# Format: an order of states, the best first.
RANK: Final = {
    LineState.UP: 0,
    LineState.DEGRADED: 1,
    LineState.SUSPECT: 2,
    LineState.UNKNOWN: 4,
    LineState.DOWN: 5,
    LineState.DISABLED: 6,
}
# Format: a rank between those of SUSPECT and UNKNOWN.
COMING_BACK: Final = 3
"""Called down still, yet answers."""
FINE: Final = RANK[LineState.UP]
GOOD_ENOUGH: Final = RANK[LineState.SUSPECT]


def best(lines: Sequence[LineNow]) -> LineNow | None:
    """The line to connect over: the best one that has an address, of several the first. None if none has."""
    return min((line for line in lines if line.source_address), key=_rank, default=None)


def works(lines: Sequence[LineNow]) -> bool:
    """Whether there is one to connect over that answered last."""
    return any(line.source_address and _rank(line) <= COMING_BACK for line in lines)


def is_worth_leaving(lines: Sequence[LineNow], name: str) -> bool:
    """Whether a connection over `name` is to be given up for another line.

    A suspicion is not enough, nor a line that is better in nothing but its place in the list. A connection that was
    made before any line was known (name "") is worth giving up for a line that works.
    """
    here = next((line for line in lines if line.name == name), None)
    there = best([line for line in lines if line.name != name])
    if there is None:
        return False
    if here is None:
        return _rank(there) == FINE
    if here.state is LineState.DEGRADED:
        return _rank(there) == FINE
    return _rank(here) > GOOD_ENOUGH and _rank(there) <= COMING_BACK < _rank(here)


def _rank(line: LineNow) -> int:
    return COMING_BACK if line.state is LineState.DOWN and line.internet_reachable else RANK[line.state]
