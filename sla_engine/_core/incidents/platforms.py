"""A platform as the seats of each site see it: where it fails, since when, and where it is reached all the while."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from sla_engine._core.incidents.model import (
    Finding,
    Open,
    PlatformHere,
    PlatformSeen,
    Site,
    SiteLimits,
    SiteReason,
    SitesState,
    SiteState,
)
from sla_engine._core.incidents.planned import explains_site
from sla_engine._core.incidents.saying import key_of
from sla_engine._core.incidents.slots import LONE, PLATFORM_, new_finding
from wire.incident import SITES, SITES_REACHED, SITES_SINCE, Cause
from wire.uplink import FailoverOf

_PERCENT: Final = 100


def platforms_here(site: Site, limits: SiteLimits) -> dict[str, PlatformHere]:
    """How each platform looks from the seats that report. A platform is failing there when most of them say so."""
    found: dict[str, list[PlatformSeen]] = defaultdict(list)
    for seen in _seen_now(site):
        found[seen.platform].append(seen)
    return {platform: _here(told, limits) for platform, told in found.items()}


def _here(told: list[PlatformSeen], limits: SiteLimits) -> PlatformHere:
    """It fails since enough of them see it, and the first of that moment: not since one had a trouble of its own."""
    failing = sorted((seen for seen in told if not seen.is_reachable), key=lambda seen: seen.since)
    if not failing:
        return PlatformHere(len(told), 0, 0, 0)
    enough = -(-len(told) * limits.group_percent // _PERCENT)
    most_at = failing[min(enough, len(failing)) - 1].since
    together = [seen for seen in failing if seen.since >= most_at - limits.together_ms]
    return PlatformHere(len(told), len(failing), together[0].since, min(seen.index for seen in together))


def _seen_now(site: Site) -> Iterator[PlatformSeen]:
    """Platforms as seats see them that report."""
    for seen in site.platforms.values():
        probe = site.probes.get(seen.source)
        if seen.is_reachable is not None and probe is not None and probe.silent_since is None:
            yield seen


def platform_findings(state: SitesState) -> Iterator[Finding]:
    """A platform that fails at one site is suspected; at two, or over both lines of one, it is confirmed.

    What was confirmed at a site stays so while it lasts there, and of two sites the last one is alone with it again.
    """
    failing: dict[str, list[tuple[str, PlatformHere]]] = {}
    for site_id, site in sorted(state.sites.items()):
        if _is_dark(site) or any(explains_site(state, site_id, each) for each in site.findings):
            continue
        for platform, here in site.platforms_here.items():
            if here.failing and _is_most(here.failing, here, state.limits):
                failing.setdefault(platform, []).append((site_id, here))
    for platform, sites in sorted(failing.items()):
        since, first = min(here.since for _, here in sites), min(here.index for _, here in sites)
        more = {
            "subject": platform,
            SITES: " ".join(site_id for site_id, _ in sites),
            SITES_SINCE: " ".join(str(here.since) for _, here in sites),
        }
        if len(sites) > 1 and (reached := " ".join(_reached(state, platform))):
            more[SITES_REACHED] = reached
        if sum(here.failing for _, here in sites) == 1:
            more[LONE] = "yes"
        found = new_finding(PLATFORM_ + platform, Cause.PLATFORM, "platform_down", since, first, **more)
        known = state.open.get(key_of("", found.slot))
        is_certain = len(sites) >= state.limits.sites_agree or _was_certain(known, found)
        is_certain = is_certain or any(_fails_after_a_move(state, site_id, platform) for site_id, _ in sites)
        yield replace(found, is_suspected=not is_certain)


def _reached(state: SitesState, platform: str) -> Iterator[str]:
    """Sites whose own seats, most of those that look, get through to it."""
    for site_id, site in sorted(state.sites.items()):
        here = site.platforms_here.get(platform)
        if here is not None and not _is_dark(site) and _is_most(here.told - here.failing, here, state.limits):
            yield site_id


def _is_most(seats: int, here: PlatformHere, limits: SiteLimits) -> bool:
    return seats * _PERCENT >= limits.group_percent * here.told


def _is_dark(site: Site) -> bool:
    return (
        site.state in {SiteState.POWER_LOST, SiteState.SILENT}
        or (site.state is SiteState.ISOLATED and site.reason is not SiteReason.LINES_DOWN)
        or site.reason is SiteReason.SILENT_AT_WORK
    )


def _was_certain(known: Open | None, found: Finding) -> bool:
    """Whether the same was confirmed of the same sites before."""
    if known is None or known.finding.is_suspected:
        return False
    return known.finding.details.get(SITES) == found.details[SITES]


def _fails_after_a_move(state: SitesState, site_id: str, platform: str) -> bool:
    """Whether it failed at a site before traffic moved to another line, and a try over that one failed as well.

    A try that had begun before is none. What moves the probe's own connection alone moves nobody's else.
    """
    site, limits = state.sites[site_id], state.limits
    began = site.platforms_here[platform].since  # who was without it before that had a trouble of its own
    failing = [seen for seen in _seen_now(site) if seen.platform == platform and not seen.is_reachable]
    common = [seen for seen in failing if seen.since >= began]
    moves = [each.at for each in site.moved if each.of != FailoverOf.MQTT]
    return any(began < at and any(seen.told_at - at > limits.settle_ms for seen in common) for at in moves)
