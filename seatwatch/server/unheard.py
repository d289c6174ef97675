"""A collector that is not heard: no board made of its streams is live, and everybody who asks is told so."""

from collections.abc import Callable
from typing import Final

import structlog
from msgspec.structs import replace

from seatwatch.server.ahead import spoken, without_live
from sla_engine._core.sites import SiteState
from sla_engine.runners.redis_pulse import Hearing
from wire.board import Board, SiteTile
from wire.facility import Comms

log = structlog.get_logger()

COLLECTOR_UNHEARD: Final = "collector_unheard"
"""Reason of a site's tile, and the word for it."""


class Unheard:
    """Says when the collector was last heard more than `most_ms` ago, and what to show instead of its numbers.

    Until then a board is true as of when it was. Afterwards the last such board stands, without what passes for live.
    """

    def __init__(self, hearing: Hearing, clock_ms: Callable[[], int], *, most_ms: int) -> None:
        self._hearing: Final = hearing
        self._clock_ms: Final = clock_ms
        self._most_ms: Final = most_ms
        self._started_at: Final = clock_ms()
        self._last: Board | None = None
        self._unheard_since: int | None = None
        self._was_heard = False

    def problems(self) -> list[str]:
        """For /readyz: the cause, and where to look."""
        age_ms = self._hearing.age_ms()
        if age_ms is not None and age_ms <= self._most_ms:
            return []
        since = "since this start" if age_ms is None else f"for {spoken(age_ms)}"
        told = (
            f"the collector was not heard {since}, so no number on the board is shown as live: see whether Redis and "
            "`seatwatch up --only collector` run (docs/operate/run.md)"
        )
        return [told]

    def withhold(self, board: Board) -> Board:
        """`board` as of when the collector was heard; or the last one of then, with nothing that passes for live."""
        age_ms = self._hearing.age_ms()
        is_heard = age_ms is not None and age_ms <= self._most_ms
        if is_heard != self._was_heard:
            self._was_heard = is_heard
            log.warning("engine.collector_heard" if is_heard else "engine.collector_unheard")
        if age_ms is not None and is_heard:
            self._unheard_since = None
            self._last = replace(board, as_of=min(board.as_of, self._clock_ms() - age_ms))
            return self._last
        last = board if self._last is None else self._last
        if age_ms is None:
            since = min(last.as_of, self._told_before())
        elif self._unheard_since is None:  # once: two clocks that are rounded apart would let it step back
            since = self._unheard_since = min(last.as_of, self._clock_ms() - age_ms)
        else:
            since = self._unheard_since
        return replace(
            without_live(last, since),
            as_of=since,
            computed_at=min(last.computed_at, since),
            sites=[_unknown(site, since) for site in last.sites],
            people=[replace(person, stale_since=person.stale_since or since) for person in last.people],
            seats=[replace(seat, reports=None) for seat in last.seats],
        )

    def _told_before(self) -> int:
        """Up to when a record may reach that nobody told of since this start."""
        told_at = self._hearing.told_at()
        return self._started_at if told_at is None else min(told_at, self._started_at)


def _unknown(site: SiteTile, since: int) -> SiteTile:
    """The tile of a site of which nobody knows how it is: its last readings are history."""
    return replace(
        site,
        state=SiteState.UNKNOWN,
        reason=COLLECTOR_UNHEARD,
        since=since,
        comms=None if site.power is None else Comms.STALE,
        probes_reporting=0,
        seats_present=None,
        lines=[],
        phone_lines=[],
        troubles=[],
    )
