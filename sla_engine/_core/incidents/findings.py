"""The troubles of a site as they stand, children left out under what explains them; and those of no one site."""

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from sla_engine._core.incidents.clocks import clock_findings
from sla_engine._core.incidents.flapping import is_lost, restless
from sla_engine._core.incidents.hub import hub_findings
from sla_engine._core.incidents.model import (
    Finding,
    PlatformSeen,
    Site,
    SiteLimits,
    SitesState,
    SiteState,
)
from sla_engine._core.incidents.planned import explains_site, is_planned
from sla_engine._core.incidents.platforms import platform_findings
from sla_engine._core.incidents.power import is_low, power, with_lines_lost, with_seats_silent
from sla_engine._core.incidents.roster import hours_at
from sla_engine._core.incidents.seats import cover, lost_seats
from sla_engine._core.incidents.slots import (
    ACCOUNT_,
    AT_WORK,
    CERTAIN_SEVERITIES,
    FEED_,
    FLAPPING,
    GATEWAY,
    GROUP_,
    HEARD_ELSEWHERE,
    HUB,
    INFO,
    LINES,
    LONE,
    LONE_SEVERITIES,
    MACHINES,
    PHONE_,
    POWER,
    SEAT_,
    SEVERITIES,
    SILENT,
    STANDBY,
    STANDBY_SEVERITIES,
    UPLINK,
    new_finding,
)
from sla_engine._core.incidents.taking import is_expected
from sla_engine._core.incidents.uplink import uplink_findings
from sla_engine._core.incidents.verdict import (
    Dark,
    dark,
    heard_until,
    hears_others,
    on_battery,
    power_verdict,
    seen_at_work,
    worst_ups,
)
from wire.facility import Role
from wire.incident import ELSEWHERE, LINES_LOST, SEATS_LOST, SEATS_OF, SEATS_STAYED, SITES, Cause
from wire.phone import TrunkState
from wire.record import BROKER


def site_findings(state: SitesState, site_id: str) -> list[Finding]:
    """The troubles of one site as of the newest entry, by slot."""
    site, now = state.sites[site_id], state.now
    silence = dark(site, state.limits, now)
    if silence is not None:
        found = [_dark_finding(state, site_id, silence)]
        # nobody there can tell that what was lost before is back
        found += _lost_before(state, found[0], [each for each in site.findings if each.slot != found[0].slot])
    else:
        found = [*power(site, state.limits, now), *uplink_findings(state, site)]
        found = with_lines_lost(state, site_id, found)
        total = [each for each in found if explains_site(state, site_id, each)]
        machines = [*_gateways(site, now, state.limits), *_seats(state, site_id, now)]
        if total:
            found += _lost_before(state, min(total, key=lambda each: each.since), machines)
        else:
            sure = [each for each in found if not each.is_suspected and not is_planned(state, site_id, each)]
            lines_down = {each.subject for each in sure if each.what == "line_down"}
            lines_down |= {
                line for each in sure if each.slot == FLAPPING for line in each.details.get(LINES, "").split()
            }
            found += [*machines, *_phone_lines(site, lines_down, state.limits, now), *_accounts(state, site_id)]
        found = [with_seats_silent(site, state.limits, each) if each in total else each for each in found]
    found += clock_findings(site)
    for each in found:
        if each.slot == SILENT or AT_WORK in each.details or explains_site(state, site_id, each):
            cover(site, each.since, state.limits, now)
    return sorted((_weighed(state, site_id, each) for each in found), key=lambda each: each.slot)


def global_findings(state: SitesState) -> tuple[list[Finding], set[tuple[str, str]]]:
    """Troubles of no one site: a platform, a feed, the hub itself. And what the hub's explain, by site and slot."""
    of_the_hub, explained = hub_findings(state)
    found = (
        of_the_hub
        if any(each.slot == HUB for each in of_the_hub)
        else [*of_the_hub, *platform_findings(state), *_feeds(state)]
    )
    return [_weighed(state, "", each) for each in found], explained


def _lost_before(state: SitesState, total: Finding, found: list[Finding]) -> list[Finding]:
    """Machines lost well before the trouble of all the site: it neither explains nor ends that."""
    before = total.since - state.limits.together_ms
    return [each for each in found if each.slot.startswith(MACHINES) and each.since < before]


def _dark_finding(state: SitesState, site_id: str, silence: Dark) -> Finding:
    site = state.sites[site_id]
    more = {"probes": str(silence.probes)}
    if silence.state is SiteState.POWER_LOST:
        found = worst_ups(site)
        subject = "" if found is None else found[0]
        since, first = _battery_since(site, silence)
        return new_finding(POWER, Cause.SITE_POWER, "site_power_lost", since, first, subject=subject, **more)
    if silence.state is SiteState.ISOLATED:
        return new_finding(UPLINK, Cause.UPLINK, "site_isolated", silence.since, silence.first_index, **more)
    return _silent_finding(state, site_id, silence)


def _silent_finding(state: SitesState, site_id: str, silence: Dark) -> Finding:
    """No last word explains it. Two machines that went at once are two witnesses, as long as the hub is not deaf.

    People who answer customers meanwhile prove that only we are blind; people who all stopped prove the contrary.
    """
    site = state.sites[site_id]
    seen = seen_at_work(site, "", silence.since)
    if seen is not None and seen.is_working:
        more = {"probes": str(silence.probes), AT_WORK: "yes"}
        return new_finding(GATEWAY, Cause.MONITORING, "monitoring", silence.since, silence.first_index, **more)
    is_hub_well = hears_others(state, site_id, silence.since)
    is_certain = (silence.probes > 1 and is_hub_well) or seen is not None
    cause = Cause.SITE_SILENT if is_certain else Cause.MONITORING
    found = new_finding(SILENT, cause, "site_silent", silence.since, silence.first_index, probes=str(silence.probes))
    if silence.probes > 1 and is_hub_well:
        found = replace(found, details={**found.details, HEARD_ELSEWHERE: "yes"})
    return replace(found, is_suspected=not is_certain)


def _battery_since(site: Site, silence: Dark) -> tuple[int, int]:
    """The outage began when the mains went, not when the battery was empty."""
    on = [(power_verdict(ups)[2], ups.index) for ups in site.upses.values() if on_battery(ups)]
    return min(on, default=(silence.since, silence.first_index))


def _gateways(site: Site, now: int, limits: SiteLimits) -> Iterator[Finding]:
    """A gateway that is silent while others at its site are heard: we are blind there, the site is not down."""
    for source, probe in site.probes.items():
        since = probe.silent_since
        if probe.role is Role.GATEWAY and since is not None and probe.covered_until <= now:
            if now - probe.said_silent_at >= limits.settle_ms and since < heard_until(site):
                yield new_finding(GATEWAY, Cause.MONITORING, "monitoring", since, probe.silent_index, subject=source)
            return


def _phone_lines(site: Site, lines_down: set[str], limits: SiteLimits, now: int) -> Iterator[Finding]:
    flapping = restless(site, limits, now, PHONE_)
    for name, phone in site.phone_lines.items():
        if phone.via_line in lines_down:
            continue
        words = {"subject": name, "state": str(phone.state)}
        losses = flapping.get(name)
        if losses and not (is_lost(phone) and now - phone.since >= limits.flapping_down_ms):
            first = losses[0]
            yield new_finding(PHONE_ + name, Cause.PHONE_LINE, "phone_line_flapping", first.at, first.index, **words)
        elif is_lost(phone):
            yield new_finding(PHONE_ + name, Cause.PHONE_LINE, "phone_line_down", phone.since, phone.index, **words)
        elif phone.state is TrunkState.LAGGED:
            yield new_finding(PHONE_ + name, Cause.PHONE_LINE, "phone_line_degraded", phone.since, phone.index, **words)


def _seats(state: SitesState, site_id: str, now: int) -> Iterator[Finding]:
    groups, alone = lost_seats(state, site_id, now)
    for group in groups:
        slot, subject = f"{GROUP_}{group.kind}:{group.name}", f"{group.kind}:{group.name}"
        counts = {SEATS_LOST: str(group.lost), SEATS_OF: str(group.of)}
        if group.stayed:
            counts[SEATS_STAYED] = " ".join(sorted(group.stayed))
        yield new_finding(
            slot, Cause.SEAT_GROUP, "seats_lost", group.since, group.first_index, subject=subject, **counts
        )
    for seat in alone:
        yield new_finding(
            SEAT_ + seat.seat, Cause.SEAT_DOWN, "seat_down", seat.since, seat.first_index, subject=seat.seat
        )


def _accounts(state: SitesState, site_id: str) -> Iterator[Finding]:
    """A platform's client that runs elsewhere and not here, on a seat that is there and is to be.

    Confirmed by another seat that lost it within the same moment, or by the source of conversations, which says that
    the account is signed out. Where the account goes on answering it is not offline, whatever runs on the seat.
    """
    site = state.sites[site_id]
    missed = _missed_from(state, site_id, site)
    lost = [
        seen
        for seen in site.platforms.values()
        if seen.platform in missed and seen.since >= missed[seen.platform] and _is_lost(state, site_id, seen)
    ]
    for seen in lost:
        subject = f"{seen.seat}/{seen.platform}"
        work = seen_at_work(site, subject, seen.since)
        if work is not None and work.is_working:
            continue
        beside = [
            other.since
            for other in lost
            if (other.platform, other.seat) != (seen.platform, seen.seat) and other.platform == seen.platform
        ]
        is_shared = any(abs(since - seen.since) <= state.limits.together_ms for since in beside)
        found = new_finding(
            ACCOUNT_ + subject, Cause.ACCOUNT_OFFLINE, "account_offline", seen.since, seen.index, subject=subject
        )
        yield replace(found, is_suspected=work is None and not is_shared)


def _missed_from(state: SitesState, site_id: str, site: Site) -> dict[str, int]:
    """Since when (ms) a seat must be without a platform's client for having lost it; not in it: nobody uses it today.

    While one runs it: since ever. Where all lost it and several at one moment, since then; a single one, or who stopped
    before, had done with it.
    """
    lost: dict[str, list[int]] = {}
    together_ms = state.limits.together_ms
    day = hours_at(state.roster, state.limits, site_id, state.now).business_day
    for seen in site.platforms.values():
        if seen.ran and seen.is_running is False and day(seen.since) == day(state.now):
            lost.setdefault(seen.platform, []).append(seen.since)
    moments = {platform: max(instants) - together_ms for platform, instants in lost.items()}
    shared = {name: since for name, since in moments.items() if sum(at >= since for at in lost[name]) > 1}
    return shared | {seen.platform: 0 for seen in site.platforms.values() if seen.is_running}


def _is_lost(state: SitesState, site_id: str, seen: PlatformSeen) -> bool:
    """A seat PC that is left on after its shift needs no platform."""
    probe = state.sites[site_id].probes.get(seen.source)
    if probe is None or probe.silent_since is not None or not seen.seat or seen.is_running is not False:
        return False
    return is_expected(state, site_id, probe, state.now)


def _feeds(state: SitesState) -> Iterator[Finding]:
    for source, feed in sorted(state.feeds.items()):
        if source == BROKER:
            continue  # which is no source: it says why all of them are silent
        yield new_finding(FEED_ + source, Cause.FEED_GAP, "feed_silent", feed.since, feed.index, subject=source)


def _weighed(state: SitesState, site_id: str, found: Finding) -> Finding:
    """With the severity of the hour, and flagged where the work was planned. A low battery pages in any case.

    It goes on doing so when it is empty and the site dark: that is its end, not the end of the trouble.
    """
    severities = SEVERITIES[found.what]
    if found.details.get(STANDBY) or found.details.get(ELSEWHERE):
        severities = STANDBY_SEVERITIES
    elif found.details.get(HEARD_ELSEWHERE) or found.details.get(LINES_LOST):
        severities = CERTAIN_SEVERITIES
    elif found.details.get(LONE) and found.is_suspected:
        severities = LONE_SEVERITIES
    severity = severities[0 if _is_open(state, found.details.get(SITES, site_id).split()) else 1]
    planned = is_planned(state, site_id, found)
    if planned and not _runs_out(state, site_id, found):
        severity = INFO
    return replace(found, severity=severity, is_planned=planned)


def _is_open(state: SitesState, sites: Collection[str]) -> bool:
    """Whether one of these sites serves now; where a trouble is of none by name, whether any of all does."""
    return any(
        hours_at(state.roster, state.limits, each, state.now).is_open(state.now)
        for each in sites or state.sites or [""]
    )


def _runs_out(state: SitesState, site_id: str, found: Finding) -> bool:
    """Whether the battery ran out, by the last words that were heard."""
    return found.slot == POWER and any(on_battery(ups) and is_low(ups) for ups in state.sites[site_id].upses.values())
