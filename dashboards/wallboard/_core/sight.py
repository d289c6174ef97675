"""What a screen looks at: the wallboard, one team person by person, or the floor seat by seat; all within a scope."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from dashboards.wallboard._core.board import scoped
from wire.board import Board, PersonTile
from wire.conversation import Activity, Presence
from wire.scope import Scope


class Shows(StrEnum):
    """What of a board a screen is sent."""

    WALLBOARD = "wallboard"
    TEAM = "team"
    FLOOR = "floor"


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """Screens of one sight share their bytes. team: of TEAM only."""

    scope: Scope
    shows: Shows = Shows.WALLBOARD
    team: str = ""

    @property
    def needs_people(self) -> bool:
        """Whether the board has to be made person by person for it."""
        return self.shows is not Shows.WALLBOARD

    def cut(self, board: Board) -> Board:
        """The part of `board` that such a screen is sent."""
        seen = scoped(board, self.scope)
        if self.shows is Shows.WALLBOARD:
            return msgspec.structs.replace(seen, people=[], seats=[])
        if self.shows is Shows.TEAM:
            return _of_team(seen, self.team)
        return msgspec.structs.replace(seen, queues=[], site_figures=[], people=merged(seen.people))


def _of_team(board: Board, team: str) -> Board:
    teams = [tile for tile in board.teams if tile.id == team]
    of = {tile.client for tile in teams}
    return msgspec.structs.replace(
        board,
        clients=[tile for tile in board.clients if tile.client in of],
        queues=[],
        teams=teams,
        site_figures=[],
        sites=[],
        people=merged([tile for tile in board.people if tile.team == team]),
        seats=[],
    )


def merged(tiles: Iterable[PersonTile]) -> list[PersonTile]:
    """One tile of each person, who may have sub-accounts of several clients; in the order of `tiles`."""
    of_person: dict[str, list[PersonTile]] = defaultdict(list)
    for tile in tiles:
        of_person[tile.key].append(tile)
    return [same[0] if len(same) == 1 else _one_of(same) for same in of_person.values()]


_PRESENCES: Final = (Presence.READY, Presence.ON_BREAK, Presence.OFFLINE)


def _one_of(same: Sequence[PersonTile]) -> PersonTile:
    """Ready where one of them is; conversations, limits and misses add up; the longest wait comes first."""
    told = [tile for tile in same if tile.presence is not None] or same
    stands = min(told, key=_rank)
    alike = [tile.since for tile in told if stands.presence != Presence.READY or tile.presence == stands.presence]
    known = [since for since in alike if since is not None]
    longest = min(same, key=lambda tile: (tile.oldest_since is None, tile.oldest_since or 0))
    hands = sum(tile.hands for tile in same)
    silent = [tile.stale_since for tile in told if tile.stale_since is not None]
    followed = next((tile for tile in same if tile.followed_at is not None), stands)
    return msgspec.structs.replace(
        stands,
        client=longest.client,
        activity=Activity.SERVING if hands and stands.activity == Activity.IDLE else stands.activity,
        since=None if len(known) < len(alike) else _since(stands, known),
        hands=hands,
        limit=sum(tile.limit for tile in same),
        waiting=sum(tile.waiting for tile in same),
        overdue=sum(tile.overdue for tile in same),
        oldest_since=longest.oldest_since,
        due_at=min((tile.due_at for tile in same if tile.due_at is not None), default=None),
        overdue_today=sum(tile.overdue_today for tile in same),
        stale_since=max(silent) if len(silent) == len(told) else None,
        followed_at=followed.followed_at,
        followed_by=followed.followed_by,
        oldest=longest.oldest,
    )


def _since(stands: PersonTile, known: Sequence[int]) -> int | None:
    """Ready as soon as one account is, away once none is any more."""
    if not known:
        return None
    return min(known) if stands.presence == Presence.READY else max(known)


def _rank(tile: PersonTile) -> int:
    return len(_PRESENCES) if tile.presence is None else _PRESENCES.index(Presence(tile.presence))
