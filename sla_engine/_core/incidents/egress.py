"""The hub as second witness of a site's lines: over which one a probe's connection comes, by the address it sees."""

from typing import Final

from msgspec.structs import replace

from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import Egress, Line, Moved, SitesState
from wire.facility import Role
from wire.recorded import Recorded
from wire.uplink import ConnectionSeen

EGRESS: Final = "egress"


def take_connection(state: SitesState, body: ConnectionSeen, entry: Recorded) -> set[str]:
    """The hub saw an address. Coming over another line than before is a failover, whatever the probe says of it.

    The first connection of a source comes before its first word, so before its site is known.
    """
    source = body.about_source
    before = state.egress.get(source)
    if not body.is_open or (before is not None and before.address == body.egress):
        return set()
    line = "" if before is None else before.line
    seen = state.egress[source] = Egress(body.egress, entry.received_at, entry.index, line)
    touched = locate(state, source, entry)
    for site_id in touched if line and seen.line != line else ():
        probe = state.sites[site_id].probes.get(source)
        if probe is not None and probe.role is Role.GATEWAY:
            state.sites[site_id].moved.append(Moved(EGRESS, entry.received_at, entry.index))
    return touched


def locate(state: SitesState, source: str, entry: Recorded) -> set[str]:
    """Find the line whose address a source comes from, as the roster has it at `entry`; the site that concerns."""
    site_id, seen = state.site_with(source), state.egress.get(source)
    if site_id is None or seen is None:
        return set()
    line = roster.line_of(state.roster, site_id, seen.address, entry.received_at)
    seen.line, seen.is_known = line or seen.line, bool(line)
    return {site_id}


def elsewhere(state: SitesState, name: str, line: Line) -> Egress | None:
    """Where the connection comes from that the probe says this line carries, if that is another line.

    That is what a router does which takes a dead line out of service behind the probe's back. Only of a line that the
    hub once saw it come over: else the roster's addresses may be what is wrong, or the router's own choice.
    """
    seen = state.egress.get(line.source)
    if line.speaks_since is None or not line.was_seen or seen is None or not seen.is_known or seen.line == name:
        return None
    return replace(seen, at=max(seen.at, line.speaks_since))
