"""Who took on which incident, as the record tells it: the first to do so, until it becomes graver."""

from typing import Final

from dashboards.alerting._core.explaining import RANK
from dashboards.alerting._core.pager import TakenOn, is_graver
from wire.incident import IncidentAcknowledged, IncidentSaid
from wire.recorded import Recorded


class TakingOn:
    """Shown entries in the order of the record. found: incident -> who holds it.

    louder_at: incident -> when it last became graver than it was (ms); those that never did are not in it.
    """

    def __init__(self) -> None:
        self.found: Final[dict[str, TakenOn]] = {}
        self.louder_at: Final[dict[str, int]] = {}
        self._newest: Final[dict[str, IncidentSaid]] = {}
        self._taken_as: Final[dict[str, IncidentSaid]] = {}

    def see(self, entry: Recorded) -> None:
        """A revision, or an acknowledgement. Whoever took on what became graver took on something else."""
        body = entry.body
        if isinstance(body, IncidentSaid):
            before = self._newest.get(body.incident, body)
            if RANK[body.severity] > RANK[before.severity]:
                self.louder_at[body.incident] = body.occurred_at
            self._newest[body.incident] = body
            if body.incident in self._taken_as and is_graver(body, self._taken_as[body.incident]):
                del self.found[body.incident], self._taken_as[body.incident]
        elif isinstance(body, IncidentAcknowledged) and body.incident not in self.found:
            self.found[body.incident] = TakenOn(body.by, entry.received_at)
            if body.incident in self._newest:
                self._taken_as[body.incident] = self._newest[body.incident]
