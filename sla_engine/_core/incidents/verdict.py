"""One verdict per site: from the last words of its probes, from their silence, and from what its lines say."""

from typing import Final

import msgspec

from sla_engine._core.incidents.model import (
    Line,
    Probe,
    SeenAtWork,
    Site,
    SiteLimits,
    SiteReason,
    SitesState,
    SiteState,
    Ups,
)
from wire.facility import Comms, Power, Role, SelfTest
from wire.uplink import LineState

LOST: Final = frozenset({Comms.STALE, Comms.DRIVER_DEAD, Comms.UNREACHABLE, Comms.UNKNOWN_UPS})
_DISCHARGED: Final = frozenset({Power.BATTERY, Power.CRITICAL})

Verdict = tuple[SiteState, SiteReason, int]
_WORST: Final = (SiteState.ON_BATTERY, SiteState.ISOLATED, SiteState.REDUNDANCY_LOST, SiteState.DEGRADED, SiteState.OK)
_WORST_TEST: Final = (
    *(SelfTest.FAILED, SelfTest.WARNING, SelfTest.UNKNOWN, SelfTest.ABORTED),
    *(SelfTest.NEVER, SelfTest.RUNNING, SelfTest.PASSED),
)


class Dark(msgspec.Struct, frozen=True):
    """Nobody at a site speaks: since when, why as far as last words tell, and the entry that noticed it first."""

    state: SiteState
    reason: SiteReason
    since: int
    first_index: int
    probes: int


def verdict(site: Site, limits: SiteLimits, now: int) -> Verdict:
    """What holds of a site at `now` (ms, the receipt of the newest entry)."""
    heard = [p for p in site.probes.values() if p.heard_at is not None]
    if not heard:
        return SiteState.UNKNOWN, SiteReason.NEVER_HEARD, site.since
    silence = dark(site, limits, now)
    if silence is not None:
        return silence.state, silence.reason, silence.since
    found = [power_verdict(ups) for ups in site.upses.values()]
    found += _line_verdicts(site)
    worst = min(
        found,
        key=lambda finding: _WORST.index(finding[0]),
        default=(SiteState.OK, SiteReason.OK, site.heard_at or 0),
    )
    gateways_silent = [p.silent_since for p in heard if p.role is not Role.SEAT and p.silent_since is not None]
    if worst[0] is SiteState.OK and gateways_silent:
        # a seat PC that is switched off says nothing about its site; a gateway does
        return SiteState.DEGRADED, SiteReason.PROBE_SILENT, min(gateways_silent)
    return worst


def dark(site: Site, limits: SiteLimits, now: int) -> Dark | None:
    """Whether nobody at the site speaks; what the last words were decides between power, lines and neither.

    A gateway's noticed silence is enough when all the others have missed their beats as well, so that a site with seats
    is not waited for much longer than its gateway alone would be.
    """
    heard = [p for p in site.probes.values() if p.heard_at is not None]
    silent = [p for p in heard if p.silent_since is not None]
    if not silent or not all(p.silent_since is not None or _is_overdue(p, silent, limits, now) for p in heard):
        return None
    silent_at = sorted(_quiet_since(p) for p in heard)
    since = silent_at[-1]
    # probes that went off hours before belong to the night, not to this
    together = [p for p in heard if since - _quiet_since(p) <= limits.together_ms]
    if _were_switched_off(heard, together):
        return None
    first_index = min((p.silent_index for p in together if p.silent_since is not None), default=0)
    if any(on_battery(ups) for ups in site.upses.values()):
        state, reason = SiteState.POWER_LOST, SiteReason.SILENT_ON_BATTERY
    elif any(line.state is LineState.DOWN for line in site.lines.values()):
        state, reason = SiteState.ISOLATED, SiteReason.SILENT_LINES_DOWN
    else:
        # neither power nor lines were said to fail: a power cut nobody measures looks like this as well
        state = SiteState.SILENT
        reason = SiteReason.SILENT_TOGETHER if len(together) > 1 else SiteReason.PROBES_SILENT
    return Dark(state, reason, since, first_index, len(together))


def _were_switched_off(heard: list[Probe], last: list[Probe]) -> bool:
    """Whether a site without a gateway only ended its day: most of those that went last were not to be there."""
    if any(p.role is not Role.SEAT for p in heard):
        return False
    return 2 * sum(p.was_expected for p in last) < len(last)


def _quiet_since(probe: Probe) -> int:
    return (probe.heard_at or 0) if probe.silent_since is None else probe.silent_since


def _is_overdue(probe: Probe, silent: list[Probe], limits: SiteLimits, now: int) -> bool:
    """Missed its beats though that was not said yet, beside a silence that was noticed while the hub listened."""
    gateways = [each for each in silent if each.role is Role.GATEWAY]
    if not gateways:
        return False
    newest = max(gateways, key=lambda each: each.silent_since or 0)
    noticed_ms = newest.said_silent_at - (newest.silent_since or 0)
    was_prompt = noticed_ms <= limits.heartbeats_prompt * max(newest.interval_ms, 1)
    return was_prompt and 0 < probe.interval_ms * limits.heartbeats_missed < now - (probe.heard_at or 0)


def heard_until(site: Site) -> int:
    """Until when somebody at the site is known not to have gone silent: his last word, less the beat he may owe.

    Who fell silent before that did so while others stayed. -1: nobody stays.
    """
    return max(
        (p.heard_at - p.interval_ms for p in site.probes.values() if p.silent_since is None and p.heard_at is not None),
        default=-1,
    )


def hears_others(state: SitesState, site_id: str, since: int) -> bool:
    """Whether the hub was told something by another site well after this one was heard last, at `since`."""
    margin = max((probe.interval_ms for probe in state.sites[site_id].probes.values()), default=0)
    others = (other.heard_at for name, other in state.sites.items() if name != site_id)
    return any(heard_at is not None and heard_at - since > margin for heard_at in others)


def seen_at_work(site: Site, subject: str, since: int) -> SeenAtWork | None:
    """What conversations told of people there after `since`; None where nobody asked, or nothing could be said."""
    seen = site.at_work.get(subject)
    return seen if seen is not None and seen.at > since else None


def enabled_lines(site: Site) -> dict[str, Line]:
    """The lines that are meant to work."""
    return {name: line for name, line in site.lines.items() if line.state is not LineState.DISABLED}


def _line_verdicts(site: Site) -> list[Verdict]:
    lines = [*enabled_lines(site).values()]
    down = [line for line in lines if line.state is LineState.DOWN]
    if down and len(down) == len(lines):
        return [(SiteState.ISOLATED, SiteReason.LINES_DOWN, max(line.since for line in down))]
    if down:
        return [(SiteState.REDUNDANCY_LOST, SiteReason.LINE_DOWN, min(line.since for line in down))]
    degraded = [line.since for line in lines if line.state is LineState.DEGRADED]
    return [(SiteState.DEGRADED, SiteReason.LINE_DEGRADED, min(degraded))] if degraded else []


def power_verdict(ups: Ups) -> Verdict:
    """What one UPS makes of its site."""
    if on_battery(ups):
        low = ups.low_battery or ups.firm is Power.CRITICAL
        since = ups.firm_since if ups.firm in _DISCHARGED else ups.since
        return SiteState.ON_BATTERY, SiteReason.BATTERY_LOW if low else SiteReason.MAINS_LOST, since
    degraded: SiteReason | None = None
    match ups:
        case Ups(comms=comms) if comms in LOST:
            degraded = SiteReason.UPS_COMMS_LOST
        case Ups(firm=Power.BYPASS):
            return SiteState.REDUNDANCY_LOST, SiteReason.UPS_BYPASS, ups.firm_since
        case Ups(firm=Power.OFF | Power.LOAD_OFF):
            degraded = SiteReason.UPS_OFF
        case Ups(firm=Power.UNKNOWN):
            degraded = SiteReason.UPS_STATUS_UNKNOWN
        case Ups(low_battery=True):
            degraded = SiteReason.BATTERY_WEAK
        case Ups(replace_battery=True):
            degraded = SiteReason.BATTERY_WORN
        case Ups(self_test=SelfTest.FAILED):
            degraded = SiteReason.SELF_TEST_FAILED
    if degraded is not None:
        return SiteState.DEGRADED, degraded, ups.began.get(degraded, (ups.since,))[0]
    return SiteState.OK, SiteReason.OK, ups.since


def on_battery(ups: Ups) -> bool:
    """On battery by a state that says so, even if comms were lost since; or by a conflict that more confirms."""
    if ups.firm in _DISCHARGED:
        return True
    if ups.power is not Power.CONFLICT or ups.comms is not Comms.OK:
        return False
    falling = ups.charge_percent is not None and ups.firm_charge is not None and ups.charge_percent < ups.firm_charge
    return ups.low_battery or falling


def worst_ups(site: Site) -> tuple[str, Ups] | None:
    """The UPS that speaks for its site, by id."""
    return min(
        site.upses.items(), key=lambda each: (_WORST.index(power_verdict(each[1])[0]), each[1].told_at), default=None
    )


def worst_self_test(site: Site) -> tuple[str, Ups] | None:
    """The UPS whose last self-test went worst, by id; None where no UPS tells of tests."""
    for result in _WORST_TEST:
        for name, ups in sorted(site.upses.items()):
            if ups.self_test is result:
                return name, ups
    return None
