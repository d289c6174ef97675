"""Why a site was silent, told once it speaks again: a gateway keeps what it measured and sends it after its snapshot.

Such a backlog opens nothing and moves no state. It only says of an incident that is over what it had been.
"""

from typing import Final

from msgspec.structs import replace

from sla_engine._core.incidents.model import Open, Site, SitesState, Unexplained
from sla_engine._core.incidents.slots import SILENT, TOLD_AFTERWARDS
from sla_engine._core.incidents.verdict import enabled_lines
from wire.facility import Comms, Power, UpsReading
from wire.incident import Cause, IncidentStep
from wire.recorded import Recorded
from wire.uplink import LineReading, LineState

WHAT: Final = {Cause.SITE_POWER: "site_power_lost", Cause.UPLINK: "site_isolated"}


def remember_silence(state: SitesState, held: Open) -> None:
    """An incident is of a silent site from now on, or goes on being that."""
    if held.finding.slot == SILENT:
        site = state.sites[held.site]
        if site.unexplained is None or site.unexplained.incident != held.said.incident:
            site.unexplained = Unexplained(held.said.incident, held.finding.since)


def silence_ended(state: SitesState, held: Open, ended_at: int) -> None:
    """The incident `held` is over: from now on what comes of that time explains it."""
    site = state.sites.get(held.site)
    if site is not None and site.unexplained is not None and site.unexplained.incident == held.said.incident:
        site.unexplained.until, site.unexplained.said = ended_at, held.said


def explain_silence(state: SitesState, site_id: str, entry: Recorded) -> None:
    """Take in what an entry tells of the time in which its site was silent; what it explains is left in `unsaid`."""
    site, body = state.sites[site_id], entry.body
    silence = site.unexplained
    if silence is None or silence.said is None or not isinstance(body, UpsReading | LineReading):
        return
    if not silence.since <= body.occurred_at < silence.until:
        return
    cause = _told(site, silence, body)
    # without power the lines are down as well
    if cause is None or silence.cause in {cause, Cause.SITE_POWER}:
        return
    silence.cause = cause
    silence.said = replace(
        silence.said,
        occurred_at=entry.received_at,
        revision=max(silence.said.revision, state.recorded.get(silence.incident, 0)) + 1,
        step=IncidentStep.CLOSED,
        cause=cause,
        what=WHAT[cause],
        is_suspected=False,
        last_index=entry.index,
        details={**silence.said.details, TOLD_AFTERWARDS: "yes"},
    )
    state.unsaid.append(silence.said)


def _told(site: Site, silence: Unexplained, body: UpsReading | LineReading) -> Cause | None:
    if isinstance(body, UpsReading):
        is_out = body.comms is Comms.OK and body.power in {Power.BATTERY, Power.CRITICAL}
        return Cause.SITE_POWER if is_out else None
    if body.state is LineState.DOWN and body.line not in silence.lines:
        silence.lines.append(body.line)
    return Cause.UPLINK if silence.lines and enabled_lines(site).keys() <= {*silence.lines} else None
