"""Planned work: what of a site's troubles it is, and what is looked at meanwhile. It silences nothing but itself."""

from sla_engine._core.incidents.model import Finding, Site, SitesState
from sla_engine._core.incidents.slots import (
    BATTERY_LOW,
    FEED_,
    FLAPPING,
    GATEWAY,
    LINE_,
    LINES,
    POWER,
    UPLINK,
    UPS_,
    UPSES,
)
from sla_engine._core.incidents.verdict import enabled_lines, on_battery, power_verdict
from wire.incident import MaintenanceOf
from wire.uplink import LineState


def explains_site(state: SitesState, site_id: str, found: Finding) -> bool:
    """Whether it is a trouble of all the site, beside which nothing else there is looked at.

    A test of a UPS is not: what breaks meanwhile, even because of it, was not planned. Without any line nobody beyond
    it can be seen, whoever took the lines down.
    """
    if found.slot != POWER:
        return found.slot == UPLINK
    return not is_planned(state, site_id, found) or _is_worked_on(state, MaintenanceOf.SITE, site_id, "", found.since)


def is_planned(state: SitesState, site_id: str, found: Finding) -> bool:
    """Whether work on it was declared before it began, and has begun, and has not ended.

    What concerns several parts of a site is planned when each of them was worked on, or the site as a whole: a test of
    one UPS does not plan the loss of another one, nor work on one line the loss of all.
    """
    if found.slot.startswith(FEED_):
        return _is_worked_on(state, MaintenanceOf.FEED, "", found.subject, found.since)
    if not site_id:
        return False
    if _is_worked_on(state, MaintenanceOf.SITE, site_id, "", found.since):
        return True
    parts = _parts(state.sites[site_id], found)
    return bool(parts) and all(_is_worked_on(state, of, site_id, part, since) for of, part, since in parts)


def _is_worked_on(state: SitesState, of: MaintenanceOf, site_id: str, subject: str, since: int) -> bool:
    """Work that was declared before the work it goes on from ended carries on what that one broke."""
    works = [
        work
        for work in state.maintenance.values()
        if work.of is of
        and (of is MaintenanceOf.FEED or work.site == site_id)
        and (of is MaintenanceOf.SITE or work.subject == subject)
        and work.declared_at <= work.starts_at
    ]
    until = since
    while ends := [work.ends_at for work in works if work.starts_at <= until < work.ends_at]:
        until = max(ends)
    return since <= state.now < until


def _parts(site: Site, found: Finding) -> list[tuple[MaintenanceOf, str, int]]:
    """The lines, UPSes or sources whose trouble it is, and since when. None where it is more than their sum."""
    if found.what in {"mains_lost", BATTERY_LOW}:
        on = {name: ups for name, ups in site.upses.items() if on_battery(ups)}
        return [(MaintenanceOf.UPS, name, power_verdict(ups)[2]) for name, ups in on.items()]
    if found.slot == GATEWAY and found.subject:
        return [(MaintenanceOf.FEED, found.subject, found.since)]
    if found.slot == UPLINK:
        # a line that took the last word with it was never said to be down
        lines = enabled_lines(site).items()
        down = LineState.DOWN
        return [(MaintenanceOf.LINE, name, each.since if each.state is down else found.since) for name, each in lines]
    if found.what == "mains_flapping":
        return [(MaintenanceOf.UPS, name, found.since) for name in found.details.get(UPSES, "").split()]
    if found.slot == FLAPPING:
        return [(MaintenanceOf.LINE, name, found.since) for name in found.details.get(LINES, "").split()]
    for slot, of in ((LINE_, MaintenanceOf.LINE), (UPS_, MaintenanceOf.UPS)):
        if found.slot.startswith(slot):
            return [(of, found.subject, found.since)]
    return []
