"""A record that is ahead of the hub's clock: no board made of it is live, and everybody who asks is told so."""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from seatwatch.clock import RecordClock
from wire.board import Board, Tile
from wire.record import Feed

_S_PER_MINUTE: Final = 60
_S_PER_HOUR: Final = 3_600


class Ahead:
    """Says when the record is more than `most_ms` ahead of `clock_ms`, and what to show instead of its numbers."""

    def __init__(self, record_clock: RecordClock, clock_ms: Callable[[], int], *, most_ms: int, slower: int) -> None:
        self._record_clock: Final = record_clock
        self._clock_ms: Final = clock_ms
        self._most_ms: Final = most_ms
        self._slower: Final = slower
        self._since: int | None = None

    def ms(self) -> int:
        """How far the record is ahead, 0 where that is within the bound."""
        ahead_ms = self._record_clock.ahead_ms()
        if ahead_ms <= self._most_ms:
            self._since = None
            return 0
        if self._since is None:
            self._since = self._clock_ms()
        return ahead_ms

    def problems(self) -> list[str]:
        """For /readyz and for whoever starts the server: the cause, and what to do."""
        ahead_ms = self.ms()
        if not ahead_ms:
            return []
        told = (
            f"the hub's clock is {spoken(ahead_ms)} behind its record, so no number on the board is shown as live: set "
            f"the clock right if it is behind; if it was ahead before, the record is caught up with in "
            f"{spoken(ahead_ms * self._slower)}, or start over in a new data directory (docs/reference/ledger.md)"
        )
        return [told]

    def withhold(self, board: Board) -> Board:
        """`board` as it is, or while the record is ahead without what would pass for live, as of when that began."""
        ahead_ms = self.ms()
        if not ahead_ms or self._since is None:
            return board
        since = self._since
        return replace(without_live(board, since), as_of=since, record_ahead_ms=ahead_ms)


def without_live(board: Board, since: int) -> Board:
    """The board with nobody counted as waiting or not waiting in any tile, which are stale since `since` (ms)."""
    return replace(
        board,
        clients=[_unknown(tile, since) for tile in board.clients],
        queues=[_unknown(tile, since) for tile in board.queues],
        teams=[_unknown(tile, since) for tile in board.teams],
        site_figures=[_unknown(tile, since) for tile in board.site_figures],
    )


def spoken(duration_ms: int) -> str:
    """A duration as people say it: `27 h 46 min`, `12 min`, `40 s`."""
    seconds = duration_ms // 1_000
    if seconds >= _S_PER_HOUR:
        return f"{seconds // _S_PER_HOUR} h {seconds % _S_PER_HOUR // _S_PER_MINUTE} min"
    return f"{seconds // _S_PER_MINUTE} min" if seconds >= _S_PER_MINUTE else f"{seconds} s"


def _unknown(tile: Tile, since: int) -> Tile:
    """The tile with nobody counted as waiting or not waiting. T+1 and never heard have nothing live to begin with."""
    if tile.feed is None or tile.feed is Feed.DAILY:
        return tile
    return replace(tile, live=None, surge=None, stale_since=since if tile.stale_since is None else tile.stale_since)
