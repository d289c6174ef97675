"""The names people gave to clients, queues, shops, teams and sites, put on a board. Metrics keep the ids."""

from collections.abc import Callable, Mapping

import msgspec

from wire.board import Board, SiteTile, Tile
from wire.day_curve import Curve, DayCurve, Trouble
from wire.spelling import isolated, readable


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Names by id; queues and shops by (client, queue) and (client, shop).

    Whoever has none is shown under the id, a queue under the name that its id spells. english: those that English
    readers see, of which whoever has none of that language keeps the other one; None = no other ones.
    """

    clients: Mapping[str, str] = {}
    queues: Mapping[tuple[str, str], str] = {}
    sites: Mapping[str, str] = {}
    shops: Mapping[tuple[str, str], str] = {}
    teams: Mapping[str, str] = {}
    english: "Names | None" = None

    def told_in(self, language: str) -> "Names":
        """The names that readers of `language` ("zh", "en", or a tag) see."""
        return self.english if self.english is not None and language.startswith("en") else self

    def client(self, client: str) -> str:
        """What a client is called."""
        return self.clients.get(client) or client

    def site(self, site: str) -> str:
        """What a site is called."""
        return self.sites.get(site) or site

    def queue(self, client: str, queue: str) -> str:
        """What a queue of a client is called."""
        return self.queues.get((client, queue)) or readable(queue)

    def shop(self, client: str, shop: str) -> str:
        """What a shop of a client is called."""
        return self.shops.get((client, shop)) or shop

    def of_teams(self) -> dict[str, str]:
        """What teams are called, by language and id, as `en/t-07`."""
        return {f"{tag}/{team}": name for tag in ("zh", "en") for team, name in self.told_in(tag).teams.items() if name}

    def of_rows(self, by: str, client: str) -> Callable[[str], str]:
        """What the rows of a client's table are called, by what they are: a team, a site, a shop, or something else."""
        shops = {shop: name for (of, shop), name in self.shops.items() if of == client}
        given = {"team": self.teams, "site": self.sites, "shop": shops}.get(by, {})
        return lambda name: given.get(name) or readable(name)


def named(board: Board, names: Names) -> Board:
    """`board` with its names."""
    return msgspec.structs.replace(
        board,
        clients=[_tile(tile, names, lambda to, it: to.clients.get(it.id)) for tile in board.clients],
        queues=[_tile(tile, names, lambda to, it: to.queue(it.client, it.id)) for tile in board.queues],
        teams=[_tile(tile, names, lambda to, it: to.teams.get(it.id)) for tile in board.teams],
        site_figures=[_tile(tile, names, lambda to, it: to.sites.get(it.id)) for tile in board.site_figures],
        sites=[_site(site, names) for site in board.sites],
    )


def named_curve(day: DayCurve, names: Names) -> DayCurve:
    """`day` with its names."""
    english = names.told_in("en")
    both = names, english

    def curve(one: Curve) -> Curve:
        called = [of.queue(one.client, one.queue) if one.queue else of.clients.get(one.client) for of in both]
        name = called[0] or isolated(one.name)
        return msgspec.structs.replace(one, name=name, name_en=_unless(name, called[1] or name))

    def trouble(one: Trouble) -> Trouble:
        name = names.sites.get(one.site) or isolated(one.name)
        return msgspec.structs.replace(one, name=name, name_en=_unless(name, english.sites.get(one.site) or name))

    return msgspec.structs.replace(day, curves=list(map(curve, day.curves)), troubles=list(map(trouble, day.troubles)))


def _tile(tile: Tile, names: Names, called: Callable[[Names, Tile], str | None]) -> Tile:
    name = called(names, tile) or isolated(tile.name)
    english = called(names.told_in("en"), tile) or name
    if (name, english) == (tile.name, name):
        return tile
    return msgspec.structs.replace(tile, name=name, name_en=_unless(name, english))


def _site(site: SiteTile, names: Names) -> SiteTile:
    """Teams stay ids there: a reader is told of those they may see, which goes by id."""
    english = names.told_in("en")
    name = names.sites.get(site.id) or isolated(site.name)
    shops, shops_en = (
        {client: [of.shop(client, shop) for shop in shops] for client, shops in site.shops.items()}
        for of in (names, english)
    )
    return msgspec.structs.replace(
        site,
        name=name,
        name_en=_unless(name, english.sites.get(site.id) or name),
        shops=shops,
        shops_en=None if shops_en == shops else shops_en,
    )


def _unless(name: str, english: str) -> str:
    """The English name where it is another one."""
    return "" if english == name else english
