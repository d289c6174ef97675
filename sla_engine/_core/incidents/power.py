"""Troubles of a site's power, and what went with it."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from sla_engine._core.incidents.flapping import mains_flapping, restless
from sla_engine._core.incidents.model import Finding, Site, SiteLimits, SiteReason, SitesState, Ups
from sla_engine._core.incidents.planned import is_planned
from sla_engine._core.incidents.slots import BATTERY_LOW, MAINS_FLAPPING, POWER, SEATS_SILENT, UPLINK, UPS_, new_finding
from sla_engine._core.incidents.verdict import LOST, enabled_lines, on_battery, power_verdict
from sla_engine._core.windows import MINUTE_MS
from wire.facility import Power
from wire.incident import CHARGE, LINES_LOST, MINUTES_LEFT, MINUTES_LEFT_ESTIMATE, Cause

_UPS_TROUBLE: Final = {
    SiteReason.UPS_COMMS_LOST: "ups_comms_lost",
    SiteReason.UPS_BYPASS: "ups_bypass",
    SiteReason.UPS_OFF: "ups_off",
    SiteReason.BATTERY_WEAK: "battery_worn",
    SiteReason.BATTERY_WORN: "battery_worn",
    SiteReason.SELF_TEST_FAILED: "battery_worn",
}


def power(site: Site, limits: SiteLimits, now: int) -> Iterator[Finding]:
    """What its UPSes tell."""
    on = {name: ups for name, ups in site.upses.items() if on_battery(ups)}
    losses = {name: each for name, each in restless(site, limits, now, UPS_).items() if name in site.upses}
    if on:
        name, _ = min(on.items(), key=lambda each: (not is_low(each[1]), power_verdict(each[1])[2], each[0]))
        since, first = min((power_verdict(ups)[2], ups.index) for ups in on.values())
        runs_out = any(is_low(ups) for ups in on.values())
        if not runs_out and on.keys() <= losses.keys() and now - since < limits.flapping_down_ms:
            yield mains_flapping(POWER, losses)
        else:
            what = BATTERY_LOW if runs_out else "mains_lost"
            yield new_finding(POWER, Cause.SITE_POWER, what, since, first, subject=name, **_left_in(on[name]))
    elif losses:
        yield mains_flapping(MAINS_FLAPPING, losses)
    for name, ups in site.upses.items():
        _, reason, since = power_verdict(ups)
        if name not in on and (trouble := _UPS_TROUBLE.get(reason)) is not None:
            _, first = ups.began.get(reason, (since, ups.index))
            yield new_finding(UPS_ + name, Cause.SITE_POWER, trouble, since, first, subject=name)


def with_seats_silent(site: Site, limits: SiteLimits, found: Finding) -> Finding:
    """A loss of power, with how many seats it silenced."""
    since = found.since - limits.together_ms
    silent = sum(
        p.was_expected and p.silent_since is not None and p.silent_since >= since for p in site.probes.values()
    )
    if found.slot != POWER or not silent:
        return found
    return replace(found, details={**found.details, SEATS_SILENT: str(silent)})


def with_lines_lost(state: SitesState, site_id: str, found: list[Finding]) -> list[Finding]:
    """Of a loss of mains that took all lines with it: that it did. Then it is as grave as the loss of all lines.

    The lines stay an incident of their own on the record, which the mains explain to whoever is paged. What was planned
    took nothing with it, and a line that was worked on did not go with the mains.
    """
    site, within = state.sites[site_id], state.limits.together_ms
    mains = [power_verdict(ups)[2] for ups in site.upses.values() if on_battery(ups)]
    power_lost = next((each for each in found if each.slot == POWER), None)
    all_down = next((each for each in found if each.slot == UPLINK), None)
    if not mains or power_lost is None or all_down is None or abs(all_down.since - min(mains)) > within:
        return found
    if is_planned(state, site_id, power_lost) or is_planned(state, site_id, all_down):
        return found
    went = (line for line in enabled_lines(site).items() if abs(line[1].since - min(mains)) <= within)
    named = ", ".join(line.carrier or name for name, line in sorted(went))
    grown = replace(power_lost, details={**power_lost.details, LINES_LOST: named})
    return [grown if each is power_lost else each for each in found]


def _left_in(ups: Ups) -> dict[str, str]:
    """How full its battery is and how long it lasts, as far as it is heard and says so."""
    if ups.comms in LOST:
        return {}
    found = {} if ups.charge_percent is None else {CHARGE: str(ups.charge_percent)}
    if ups.runtime_ms is not None:
        name = MINUTES_LEFT_ESTIMATE if ups.runtime_is_estimate else MINUTES_LEFT
        found[name] = str(ups.runtime_ms // MINUTE_MS)
    return found


def is_low(ups: Ups) -> bool:
    """Whether its battery is running out."""
    return ups.low_battery or ups.firm is Power.CRITICAL
