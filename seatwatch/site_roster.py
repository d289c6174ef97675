"""The roster as sites have it, and the hours it gives them, from the operator's ledger of a data directory."""

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from collector._core.roster import ROSTER
from collector.ledgers import ledger_directory
from ledger.errors import LedgerMissing
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.settings import load_defaults
from seatwatch.site_limits import site_limits
from sla_engine._core.definition import Definition, ServiceWindow, ZoneOffset
from sla_engine._core.incidents.model import SiteRosterState
from sla_engine._core.incidents.roster import carrier_line_ids_at, enter, hours_at
from sla_engine._core.windows import DAY_MS, MINUTE_MS, SECOND_MS
from wire.ids import OPERATOR
from wire.organisation import Relation, RosterLink


def site_roster(data: Path) -> SiteRosterState:
    """Every link that sites ask for; none where there is no ledger. Raises LedgerCorrupt."""
    state = SiteRosterState()
    try:
        reader = LedgerReader.open(ledger_directory(data, OPERATOR))
    except LedgerMissing:
        return state
    with closing(reader):
        for body in (recorded(stored).body for stored in reader.of_source(ROSTER)):
            if isinstance(body, RosterLink):
                enter(state, body)
    return state


def zone_of(data: Path, site: str, at: int) -> str:
    """The name of the time zone by whose clock a site lives at `at` (ms). Raises LedgerCorrupt."""
    return hours_at(site_roster(data), site_limits(load_defaults()), site, at).zone.name


def carrier_line_ids(data: Path, site: str, at: int) -> dict[str, str]:
    """By line, what its carrier knows it by at `at` (ms), as far as the roster says so. Raises LedgerCorrupt."""
    return carrier_line_ids_at(site_roster(data), site, at)


def hours_from(data: Path, site: str, usual: Definition, at: int) -> list[tuple[int, Definition]]:
    """`usual` with the hours of a site at `at` (ms) and those to come, each with the instant it begins at.

    Raises LedgerCorrupt.
    """
    state, limits = site_roster(data), site_limits(load_defaults())
    chain = state.links.get(Relation.HOURS_OF_SITE, {}).get(site, [])
    dated = {when for link in chain for when in (link.effective_from, link.effective_until) if when is not None}
    found = []
    for since in sorted({at, *(when for when in dated if when > at)}):
        hours = hours_at(state, limits, site, since)
        length_ms = (hours.closes_ms - hours.opens_ms) % DAY_MS or DAY_MS
        window = ServiceWindow(hours.opens_ms // MINUTE_MS, (hours.opens_ms + length_ms) // MINUTE_MS)
        zone = hours.zone
        offsets = tuple(
            ZoneOffset(starts, offset_ms // SECOND_MS)
            for starts, offset_ms in zip(zone.starts, zone.offsets, strict=True)
        )
        found.append((since, replace(usual, service_windows=(window,), time_zone=zone.name, zone_offsets=offsets)))
    return found
