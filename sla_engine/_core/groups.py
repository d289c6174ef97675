"""Which tiles something counts on: its queue, its team, its site and its client."""

from typing import Final

from wire.ids import UNASSIGNED
from wire.verdict import Place

QUEUE: Final = "queue"
TEAM: Final = "team"
SITE: Final = "site"
CLIENT: Final = "client"
SHOP: Final = "shop"

Group = tuple[str, str]
"""(scope, id)."""


class Groups:
    """The groups of a queue and a place, one tuple for all that share them."""

    __slots__ = ("_client", "_known", "_unheld")

    def __init__(self, client: str) -> None:
        self._client: Group = (CLIENT, client)
        self._known: dict[tuple[str, str, str], tuple[Group, ...]] = {}
        self._unheld: dict[str, tuple[Group, ...]] = {}

    def of(self, queue: str, place: Place) -> tuple[Group, ...]:
        """All four groups of what happened on `queue` at `place`; unmapped work counts as `unassigned`.

        A queue that is not known (yet) has no tile.
        """
        key = (queue, place.team, place.site)
        found = self._known.get(key)
        if found is None:
            team, site = (TEAM, place.team or UNASSIGNED), (SITE, place.site or UNASSIGNED)
            of_place = (team, site, self._client)
            found = self._known[key] = ((QUEUE, queue), *of_place) if queue else of_place
        return found

    def of_person(self, place: Place) -> tuple[Group, ...]:
        """Groups of a person, apart from queues."""
        return self.of("", place)

    def of_unheld(self, queue: str) -> tuple[Group, ...]:
        """Groups in which a conversation waits that nobody has in hands: no team's and no site's."""
        found = self._unheld.get(queue)
        if found is None:
            found = self._unheld[queue] = ((QUEUE, queue), self._client) if queue else (self._client,)
        return found
