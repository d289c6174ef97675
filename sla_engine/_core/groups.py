"""Which tiles something counts on: its queue, its team, its site and its client."""

from typing import Final

from wire.ids import UNASSIGNED
from wire.verdict import Place

QUEUE: Final = "queue"
TEAM: Final = "team"
SITE: Final = "site"
CLIENT: Final = "client"

Group = tuple[str, str]
"""(scope, id)."""


class Groups:
    """The groups of a queue and a place, one tuple for all that share them."""

    __slots__ = ("_client", "_known")

    def __init__(self, client: str) -> None:
        self._client: Group = (CLIENT, client)
        self._known: dict[tuple[str, str, str], tuple[Group, ...]] = {}

    def of(self, queue: str, place: Place) -> tuple[Group, ...]:
        """All four groups of what happened on `queue` at `place`; unmapped work counts as `unassigned`."""
        return self._of(queue, place.team or UNASSIGNED, place.site or UNASSIGNED)

    def of_person(self, place: Place) -> tuple[Group, ...]:
        """Groups of a person, apart from queues."""
        return self._of("", place.team or UNASSIGNED, place.site or UNASSIGNED)[1:]

    def of_waiting(self, queue: str, account: str, place: Place) -> tuple[Group, ...]:
        """Groups in which a conversation waits: a team and a site only once one of their people has it."""
        groups = self.of(queue, place)
        return groups if account else (groups[0], groups[3])

    def _of(self, queue: str, team: str, site: str) -> tuple[Group, ...]:
        key = (queue, team, site)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = ((QUEUE, queue), (TEAM, team), (SITE, site), self._client)
        return found
