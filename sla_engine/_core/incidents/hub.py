"""Troubles of the hub itself: it hears nobody, lost its broker, has a wrong clock. And what of sites these explain."""

from sla_engine._core.incidents.clocks import hub_clock
from sla_engine._core.incidents.model import Finding, SitesState, SiteState
from sla_engine._core.incidents.slots import (
    CLOCK_,
    GROUP_,
    HUB,
    MACHINES,
    MQTT,
    SEAT_,
    SILENT,
    Explaining,
    new_finding,
)
from sla_engine._core.incidents.verdict import Dark, dark
from wire.incident import Cause
from wire.record import BROKER


def hub_findings(state: SitesState) -> tuple[list[Finding], set[tuple[str, str]]]:
    """The troubles, and the findings of sites that need nobody of their own, by site and slot."""
    deaf = _deaf(state)
    all_of_them = (deaf, _broker(state) if deaf is None else None, hub_clock(state))
    found = [each for each in all_of_them if each is not None]
    return [each[0] for each in found], {slot for each in found for slot in each[1]}


def _deaf(state: SitesState) -> Explaining | None:
    """Every site dark at one moment: nobody's power or line, but what all of them speak to.

    A site that was dark well before has a trouble of its own and says nothing of the others. Of seats a site that is
    dark keeps only those lost long before; and a clock is wrong whoever listens.
    """
    silences = {
        site_id: silence
        for site_id, site in state.sites.items()
        if site.heard_at is not None and (silence := dark(site, state.limits, state.now)) is not None
    }
    if not silences or len(silences) < sum(site.heard_at is not None for site in state.sites.values()):
        return None
    newest = max(silence.since for silence in silences.values())
    together = {name: each for name, each in silences.items() if newest - each.since <= state.limits.together_ms}
    is_broker_lost = _lost_its_broker(state, together)
    if len(together) < state.limits.sites_agree and not is_broker_lost:
        return None
    since = min(silence.since for silence in together.values())
    first = min(silence.first_index for silence in together.values())
    if is_broker_lost:
        first = min(first, state.feeds[BROKER].index)
    found = new_finding(HUB, Cause.MONITORING, "hub_deaf", since, first, sites=str(len(together)))
    here = ((site_id, each.slot) for site_id in together for each in state.sites[site_id].findings)
    return found, {each for each in here if not each[1].startswith((GROUP_, SEAT_, CLOCK_))}


def _broker(state: SitesState) -> Explaining | None:
    """The hub lost its broker, and yet somebody is heard: over HTTPS. Who fell silent with it has no other way."""
    lost, limits = state.feeds.get(BROKER), state.limits
    if lost is None or not any((s.heard_at or 0) - lost.since > limits.settle_ms for s in state.sites.values()):
        return None
    silent = {
        (site_id, each.slot)
        for site_id, site in state.sites.items()
        for each in site.findings
        if each.slot.startswith((SILENT, *MACHINES)) and abs(each.since - lost.since) <= limits.together_ms
    }
    sites = str(len({site_id for site_id, _ in silent}))
    return new_finding(MQTT, Cause.MONITORING, "broker_lost", lost.since, lost.index, sites=sites), silent


def _lost_its_broker(state: SitesState, silences: dict[str, Dark]) -> bool:
    """Whether the hub says so of itself, and these fell silent no sooner, with no last word that explains it."""
    lost = state.feeds.get(BROKER)
    if lost is None or any(silence.state is not SiteState.SILENT for silence in silences.values()):
        return False
    probes = [probe for site_id in silences for probe in state.sites[site_id].probes.values()]
    noticed = max(probe.said_silent_at for probe in probes if probe.silent_since is not None)
    return noticed >= lost.since - state.limits.together_ms
