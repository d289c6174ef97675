"""One board for one reader: cut to its scope, as plain JSON values, and as the difference from the one before.

A view has scalars and, per group, tiles by key, so that a difference can name what changed:
`{"as_of": 1, ..., "queues": {"acme|chat": {...}}, "sites": {"sh1": {...}}}`. A delta holds every scalar, which are few,
and under `changes` only what differs: `{"queues": {"acme|chat": {"live": {...}}, "acme|gone": None}}`.
static/board.js applies the same deltas; a test holds the two against each other.
"""

from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from wire.board import Board, PersonTile, SeatTile, SiteTile, Tile
from wire.scope import EVERYTHING, Scope

View: TypeAlias = dict[str, Any]
Delta: TypeAlias = dict[str, Any]
AnyTile: TypeAlias = Tile | SiteTile | PersonTile | SeatTile

TILE_GROUPS: Final = ("clients", "queues", "teams", "site_figures")
GROUPS: Final = (*TILE_GROUPS, "sites", "people", "seats")
SCALARS: Final = ("as_of", "computed_at", "watermark", "interval_start", "day_start", "record_ahead_ms", "record")
_WINDOWS: Final = ("interval", "day")
_UNSHOWN: Final = frozenset({"totals", "oldest"})  # counters for the scrape; a conversation nobody needs by its id
_RECORD: Final = ("entries", "quarantined", "gaps", "unrouted", "equivocations")


def scoped(board: Board, scope: Scope) -> Board:
    """The part of `board` that `scope` may see. What is summed over all clients is withheld from a narrower scope.

    The counts of the record become 0 and the watermark None there: either would tell one client about another.
    """
    if scope == EVERYTHING:
        return board
    people = [
        tile
        for tile in board.people
        if scope.sees_client(tile.client) and scope.sees_site(tile.site) and scope.sees_team(tile.team)
    ]
    theirs = {tile.seat for tile in people}
    teams = [tile for tile in board.teams if scope.sees_client(tile.client) and scope.sees_team(tile.id)]
    seen_teams = {tile.id for tile in teams}
    sees_every_seat = scope.clients is None and scope.teams is None
    return msgspec.structs.replace(
        board,
        watermark=None,
        clients=[tile for tile in board.clients if scope.sees_client(tile.client)],
        queues=[tile for tile in board.queues if scope.sees_client(tile.client)],
        teams=teams,
        site_figures=[
            tile for tile in board.site_figures if scope.sees_client(tile.client) and scope.sees_site(tile.id)
        ],
        sites=[
            msgspec.structs.replace(
                site,
                clients=[client for client in site.clients if scope.sees_client(client)],
                teams=[team for team in site.teams if team in seen_teams],
                shops=_theirs(site.shops, scope),
                shops_en=None if site.shops_en is None else _theirs(site.shops_en, scope),
            )
            for site in board.sites
            if scope.sees_site(site.id)
        ],
        entries=0,
        quarantined=0,
        gaps=0,
        unrouted=0,
        equivocations=0,
        unknown_sources=[],
        people=people,
        seats=[seat for seat in board.seats if scope.sees_site(seat.site) and (sees_every_seat or seat.id in theirs)],
    )


def _theirs(shops: dict[str, list[str]], scope: Scope) -> dict[str, list[str]]:
    return {client: named for client, named in shops.items() if scope.sees_client(client)}


class Seen(NamedTuple):
    """A board cut to a scope, and the view made of it."""

    board: Board
    view: View


def to_json(board: Board, scope: Scope, before: Seen | None = None) -> View:
    """The view of `board` under `scope`: dicts, lists, strings, integers and None. `record` is None where withheld.

    What has not changed since `before`, a view under the same scope, is taken from it and not made again.
    """
    seen = scoped(board, scope)
    view: View = {
        "as_of": seen.as_of,
        "computed_at": seen.computed_at,
        "watermark": seen.watermark,
        "interval_start": seen.interval_start,
        "day_start": seen.day_start,
        "record_ahead_ms": seen.record_ahead_ms,
        "record": {name: getattr(seen, name) for name in _RECORD} if scope == EVERYTHING else None,
    }
    for group in GROUPS:
        known = {} if before is None else {key_of(tile): tile for tile in getattr(before.board, group)}
        made = {} if before is None else before.view[group]
        tiles: list[AnyTile] = getattr(seen, group)
        view[group] = {key: _plain(tile, known.get(key), made.get(key)) for tile in tiles for key in (key_of(tile),)}
    return view


def key_of(tile: AnyTile) -> str:
    """What tells this tile from the others of its group. `|` is in no id."""
    if isinstance(tile, PersonTile):
        return tile.key
    return f"{tile.client}|{tile.id}" if isinstance(tile, Tile) else tile.id


def _plain(tile: AnyTile, old: AnyTile | None, made: dict[str, Any] | None) -> dict[str, Any]:
    """`tile` as plain values; fields that are as in `old`, of which `made` was made, are taken from there."""
    if made is not None and old == tile:
        return made
    plain: dict[str, Any] = {}
    for name in tile.__struct_fields__:
        if name in _UNSHOWN:
            continue
        value = getattr(tile, name)
        if made is not None and getattr(old, name) == value:
            plain[name] = made[name]
        else:
            plain[name] = _builtins(name, value)
    return plain


def _builtins(name: str, value: object) -> object:
    """`value` of the field `name` as plain values, without what a report says beside."""
    plain = msgspec.to_builtins(value)
    if name in _WINDOWS:
        del plain["detail"]
    elif name == "seconds":
        for second in plain:
            for window in _WINDOWS:
                del second[window]["detail"]
    return plain


def diff(old: View, new: View) -> Delta:
    """What turns `old` into `new`, so that `apply` of it to `old` gives `new`."""
    delta: Delta = {name: new[name] for name in SCALARS}
    changes: dict[str, dict[str, Any]] = {}
    for group in GROUPS:
        changed = _group_changes(old[group], new[group])
        if changed:
            changes[group] = changed
    delta["changes"] = changes
    return delta


def _group_changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {key: None for key in old if key not in new}
    for key, tile in new.items():
        before = old.get(key)
        if before is None:
            changes[key] = tile
        elif before is not tile and before != tile:
            changes[key] = {
                name: value for name, value in tile.items() if before[name] is not value and before[name] != value
            }
    return changes


def apply(view: View, delta: Delta) -> View:
    """`view` with `delta` applied; `view` itself is left as it is."""
    result: View = {name: delta[name] for name in SCALARS}
    for group in GROUPS:
        tiles = dict(view[group])
        for key, change in delta["changes"].get(group, {}).items():
            if change is None:
                del tiles[key]
            else:
                tiles[key] = {**tiles.get(key, {}), **change}
        result[group] = tiles
    return result
