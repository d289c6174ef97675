"""Which alarms somebody has seen: told to one screen, it holds for all of them, until the surge is over."""

from collections.abc import Mapping

import msgspec

from dashboards.wallboard._core.board import key_of
from wire.board import Board, Tile


class _Said(msgspec.Struct, frozen=True):
    """Of a surge that began at `since` (ms), at an instant, by a device or a credential."""

    since: int
    at: int
    by: str


class SeenAlarms:
    """By the key of a team's tile. Forgotten with the process: then alarms sound again."""

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}

    def take(self, board: Board, since: Mapping[str, int], at: int, by: str) -> None:
        """Somebody saw the surges of these teams of `board` as they were since then; what is seen already stays."""
        for tile in board.teams:
            key, surge = key_of(tile), tile.surge
            if surge is None or surge.seen_at is not None or since.get(key, surge.since - 1) < surge.since:
                continue
            self._said[key] = _Said(surge.since, at, by)

    def marked(self, board: Board) -> Board:
        """`board` with what was seen; forgets what is over."""
        if not self._said:
            return board
        teams = [self._marked(tile) for tile in board.teams]
        over = self._said.keys() - {key_of(tile) for tile in teams if tile.surge is not None}
        for key in over:
            del self._said[key]
        return msgspec.structs.replace(board, teams=teams)

    def _marked(self, tile: Tile) -> Tile:
        said = self._said.get(key_of(tile))
        if said is None or tile.surge is None or tile.surge.since > said.since:
            return tile
        return msgspec.structs.replace(
            tile, surge=msgspec.structs.replace(tile.surge, seen_at=said.at, seen_by=said.by)
        )
