"""The hub as second witness of a site's lines: over which one comes what a probe sends, by the address it sees.

The connection is one such word; what a gateway asks over each line for this alone is the other.
"""

from typing import Final

from msgspec.structs import replace

from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import Line, Moved, SitesState
from sla_engine._core.incidents.seen_from import Egress, Witnessed
from wire.facility import Role
from wire.limits import MEASURED_MAX
from wire.recorded import Recorded
from wire.uplink import ConnectionSeen, LineWitnessed

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


def take_witness(state: SitesState, body: LineWitnessed, entry: Recorded) -> set[str]:
    """The hub saw from which address a source comes over one line, whether that carries its connection or not."""
    source, at = body.about_source, entry.received_at
    lines = state.witnessed.setdefault(source, {})
    before = lines.get(body.line)
    if before is None and len(lines) >= MEASURED_MAX:
        return set()
    if before is not None and before.address == body.egress:
        before.seen_at = at
        return locate(state, source, entry)
    seen = lines[body.line] = Witnessed(body.egress, at, entry.index, seen_at=at)
    if before is not None:
        since = at - state.limits.flapping_ms
        seen.line, seen.was_own = before.line, before.was_own
        seen.turned = [turn for turn in before.turned if turn > since]
    touched = locate(state, source, entry)
    if before is not None and seen.line != before.line:
        seen.turned.append(at)
    return touched


def locate(state: SitesState, source: str, entry: Recorded) -> set[str]:
    """Find the lines whose addresses a source comes from, as the roster has it at `entry`; the site that concerns."""
    site_id = state.site_with(source)
    connection, witnessed = state.egress.get(source), state.witnessed.get(source, {})
    seen = [each for each in (connection, *witnessed.values()) if each is not None]
    if site_id is None or not seen:
        return set()
    for each in seen:
        line = roster.line_of(state.roster, site_id, each.address, entry.received_at)
        each.line, each.is_known = line or each.line, bool(line)
    for name, asked in witnessed.items():
        asked.was_own |= _is_of(asked, name)
    return {site_id}


def elsewhere(state: SitesState, name: str, line: Line) -> Egress | None:
    """Where the hub sees come from what the probe sends over this line, if that is another line.

    That is what a router does which takes a dead line out of service behind the probe's back, or two cables that lead
    to one provider. What was asked over the line itself goes before the connection it carries, which stays where a
    router once put it; unless the connection came anew since.
    """
    asked, carried = state.witnessed.get(line.source, {}).get(name), _carried_elsewhere(state, name, line)
    if asked is None or not asked.is_known:
        return carried
    connection = state.egress.get(line.source)
    if asked.line == name:
        return carried if connection is not None and connection.at > asked.seen_at else None
    if asked.seen_at == asked.at or _turns(state, asked):
        return carried
    return asked if asked.was_own or line.was_seen or _is_of_its_own(state, line.source, asked.line) else carried


def _turns(state: SitesState, asked: Witnessed) -> bool:
    """Whether addresses take turns, as of a router that spreads its load: which line is meant cannot be told."""
    since = state.now - state.limits.flapping_ms
    return sum(at > since for at in asked.turned) >= state.limits.flapping_failovers


def _is_of_its_own(state: SitesState, source: str, name: str) -> bool:
    """Whether that line is seen from its own addresses: the roster is right, and two lines leave through one."""
    other = state.witnessed[source].get(name)
    return other is not None and _is_of(other, name)


def _is_of(asked: Witnessed, name: str) -> bool:
    return asked.is_known and asked.line == name


def _carried_elsewhere(state: SitesState, name: str, line: Line) -> Egress | None:
    """Where the connection comes from that the probe says this line carries, if that is another line.

    Only of a line that the hub once saw it come over: else the roster's addresses may be what is wrong, or the
    router's own choice.
    """
    seen = state.egress.get(line.source)
    if line.speaks_since is None or not line.was_seen or seen is None or not seen.is_known or seen.line == name:
        return None
    return replace(seen, at=max(seen.at, line.speaks_since))
