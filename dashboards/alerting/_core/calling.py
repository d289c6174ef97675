"""When the duty list is called about something that nobody takes on, also where the server was away meanwhile."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from dashboards.alerting._core.kinds import CALLS_MAX


class Away(NamedTuple):
    """The server was alive at `since` and again at `until` (ms), and not in between."""

    since: int
    until: int


class Absences:
    """Shown the instants (ms) at which the server was alive, in order. longer_than_ms: a shorter one is none.

    found: when it was not.
    """

    def __init__(self, longer_than_ms: int) -> None:
        self.found: Final[list[Away]] = []
        self._longer_than_ms: Final = longer_than_ms
        self._at: int | None = None

    def alive(self, at: int) -> None:
        """It was alive at `at`."""
        if self._at is not None and at - self._at > self._longer_than_ms:
            self.found.append(Away(self._at, at))
        self._at = at


def call_instants(begin: int, calls: int, *, every_ms: int, away: Sequence[Away], again: int) -> list[int]:
    """When each call is made, from `begin` on (ms), as long as nobody takes it on.

    What fell due in an absence is made when it is over, and the next ones after that: nobody was called meanwhile.
    again: so many calls more after an absence that began when all had been made. Alertmanager was told of those, and an
    absence ago of their end if the bridge was there to hear it; a call that is new to both reaches somebody.
    """
    found: list[int] = []
    _call(found, begin, calls, every_ms, away)
    for each in away:
        if found and each.since >= found[-1] and len(found) + again <= CALLS_MAX:
            _call(found, each.until, again, every_ms, away)
    return found


def last_calls(tiers: int, rounds: int) -> frozenset[int]:
    """The numbers of calls that none follows: of the last round, and of each one after an absence."""
    return frozenset(range(tiers * rounds, CALLS_MAX + 1, tiers)) - {1}


def _call(found: list[int], begin: int, calls: int, every_ms: int, away: Sequence[Away]) -> None:
    at = begin
    for _ in range(calls):
        at = next((each.until for each in away if each.since < at < each.until), at)
        found.append(at)
        at += every_ms
