"""What the messages to a site or a client are made of: plain values as of one instant, gathered elsewhere."""

from enum import StrEnum

import msgspec

from wire.board import SiteTile, Tile
from wire.incident import IncidentSaid


class DutyKind(StrEnum):
    """Which message. Values are keys of the glossary."""

    PRE_OPENING = "duty_pre_opening"
    DAILY = "duty_daily"
    HANDOVER = "duty_handover"


class Clocks(msgspec.Struct, frozen=True):
    """Clocks of a site's seats: how many told theirs, how many are further off than allowed, and the worst (ms)."""

    told: int
    off: int
    worst_ms: int


class CauseCount(msgspec.Struct, frozen=True):
    """Misses of one cause (wire.incident.Cause), and how many were met but for it."""

    cause: str
    misses: int
    met_but_for_it: int


class DutyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one message says. Instants are ms.

    id, name: of the client (is_of_client) or the site. at: as of. since: what ended within [since, at) is told.
    opens_at: the next opening, None where none is known. tiles: queues of the client; of a site one tile for each
    client served there. client: its own tile; None for a site, and where it has none yet. sites: the site, or those
    the client's people sit at. seats_due: by site, on how many seats somebody is to sit as it opens, by the roster's
    shifts; nothing where it knows none. clocks: by site. open_incidents, ended: their newest revisions. taken_by: by
    incident, who took it on. causes: None = not asked or not to be known.
    """

    kind: DutyKind
    id: str
    name: str
    at: int
    since: int
    is_of_client: bool = False
    opens_at: int | None = None
    tiles: list[Tile] = []
    client: Tile | None = None
    sites: list[SiteTile] = []
    seats_due: dict[str, int] = {}
    clocks: dict[str, Clocks] = {}
    open_incidents: list[IncidentSaid] = []
    ended: list[IncidentSaid] = []
    taken_by: dict[str, str] = {}
    causes: list[CauseCount] | None = None
