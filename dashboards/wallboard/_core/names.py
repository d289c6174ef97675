"""The names people gave to clients, queues and sites, put on a board in place of their ids. Metrics keep the ids."""

from collections.abc import Mapping

import msgspec

from wire.board import Board, SiteTile, Tile
from wire.spelling import readable


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Names by id; queues by (client, queue).

    Whoever has none is shown under the id, a queue under the name that its id spells.
    """

    clients: Mapping[str, str] = {}
    queues: Mapping[tuple[str, str], str] = {}
    sites: Mapping[str, str] = {}


def named(board: Board, names: Names) -> Board:
    """`board` with its names."""
    return msgspec.structs.replace(
        board,
        clients=[_tile(tile, names.clients.get(tile.id)) for tile in board.clients],
        queues=[_tile(tile, names.queues.get((tile.client, tile.id), readable(tile.name))) for tile in board.queues],
        site_figures=[_tile(tile, names.sites.get(tile.id)) for tile in board.site_figures],
        sites=[_site(site, names.sites.get(site.id)) for site in board.sites],
    )


def _tile(tile: Tile, name: str | None) -> Tile:
    return msgspec.structs.replace(tile, name=name) if name and name != tile.name else tile


def _site(site: SiteTile, name: str | None) -> SiteTile:
    return msgspec.structs.replace(site, name=name) if name else site
