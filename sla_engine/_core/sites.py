"""One verdict per site, folded from what its probes said and from when they fell silent.

State is a function of entries only. What a probe tells is ordered by its own time, never by arrival: a backlog sent
after an outage is history and cannot overwrite the fresh snapshot that came before it. Debounce happened at the probe;
there is none here.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from wire.board import SiteTile
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading
from wire.record import SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded


class SiteState(StrEnum):
    """The verdict on a site."""

    OK = "ok"
    DEGRADED = "degraded"
    REDUNDANCY_LOST = "redundancy_lost"
    ON_BATTERY = "on_battery"
    POWER_LOST = "power_lost"
    ISOLATED = "isolated"
    SILENT = "silent"
    UNKNOWN = "unknown"


class SiteReason(StrEnum):
    """Why: a key of the glossary."""

    OK = "ok"
    NEVER_HEARD = "never_heard"
    PROBE_SILENT = "probe_silent"
    PROBES_SILENT = "silent"
    SILENT_TOGETHER = "silent_together"
    SILENT_ON_BATTERY = "silent_on_battery"
    MAINS_LOST = "mains_lost"
    BATTERY_LOW = "power_critical"
    BATTERY_WEAK = "battery_weak"
    BATTERY_WORN = "battery_worn"
    UPS_BYPASS = "power_bypass"
    UPS_OFF = "ups_off"
    UPS_STATUS_UNKNOWN = "ups_status_unknown"
    UPS_COMMS_LOST = "ups_comms_lost"


class SiteLimits(msgspec.Struct, frozen=True):
    """Probes of one site last heard within `together_ms` of each other fell silent together."""

    together_ms: int


class Probe(msgspec.Struct):
    """One source at a site. heard_at: hub's ms it last spoke, None = never. silent_since: None = reporting."""

    role: Role | None = None
    heard_at: int | None = None
    silent_since: int | None = None


class Ups(msgspec.Struct):
    """What one UPS said last, by the probe's time. `firm` is its last power state that says something by itself."""

    told_at: int
    power: Power
    comms: Comms
    since: int
    charge_percent: int | None
    runtime_ms: int | None
    low_battery: bool
    replace_battery: bool
    firm: Power | None
    firm_since: int
    firm_charge: int | None
    runtime_is_estimate: bool = False


class Site(msgspec.Struct):
    """A site's probes and UPSes, and the verdict shown last."""

    probes: dict[str, Probe] = {}
    upses: dict[str, Ups] = {}
    state: SiteState = SiteState.UNKNOWN
    reason: SiteReason = SiteReason.NEVER_HEARD
    since: int = 0
    heard_at: int | None = None


class SitesState(msgspec.Struct):
    """Every site of the operator. Plain values: it is saved and restored as MessagePack."""

    limits: SiteLimits
    sites: dict[str, Site] = {}
    site_of: dict[str, str] = {}


_HELD: Final = frozenset({Power.CONFLICT, Power.STARTING})
"""Says nothing by itself: OL and OB together, or a server that has just begun to look. The state before it is held."""
_LOST: Final = frozenset({Comms.STALE, Comms.DRIVER_DEAD, Comms.UNREACHABLE, Comms.UNKNOWN_UPS})
_DISCHARGED: Final = frozenset({Power.BATTERY, Power.CRITICAL})

Finding = tuple[SiteState, SiteReason, int]
_WORST: Final = (SiteState.ON_BATTERY, SiteState.REDUNDANCY_LOST, SiteState.DEGRADED, SiteState.OK)


def new_sites(limits: SiteLimits) -> SitesState:
    """No site known yet."""
    return SitesState(limits=limits)


def fold_sites(state: SitesState, batch: Iterable[Recorded]) -> list[SiteTile]:
    """Take entries of the operator's ledger in order; the tiles whose verdict or power changed, by id."""
    touched: dict[str, tuple[SiteState, SiteReason, Power | None]] = {}
    for entry in batch:
        site_id = _site_touched(state, entry)
        if site_id is None:
            continue
        site = state.sites[site_id]
        touched.setdefault(site_id, (site.state, site.reason, _shown_power(site)))
        if _take(site, entry):
            _judge(site, state.limits)
    return [
        tile_of(state, site_id)
        for site_id, before in sorted(touched.items())
        if before != (state.sites[site_id].state, state.sites[site_id].reason, _shown_power(state.sites[site_id]))
    ]


def site_tiles(state: SitesState) -> list[SiteTile]:
    """Every site, by id."""
    return [tile_of(state, site_id) for site_id in sorted(state.sites)]


def tile_of(state: SitesState, site_id: str) -> SiteTile:
    """One site as a board shows it. Charge and runtime are the lowest of its UPSes; nothing known is None."""
    site = state.sites[site_id]
    ups = _worst_ups(site)
    charges = [u.charge_percent for u in site.upses.values() if u.charge_percent is not None]
    runtimes = [(u.runtime_ms, u.runtime_is_estimate) for u in site.upses.values() if u.runtime_ms is not None]
    runtime_ms, is_estimate = min(runtimes, default=(None, False))
    return SiteTile(
        id=site_id,
        name=site_id,
        state=site.state,
        reason=site.reason,
        since=site.since,
        power=_shown_power(site),
        comms=None if ups is None else ups.comms,
        charge_percent=min(charges, default=None),
        runtime_ms=runtime_ms,
        probes_reporting=sum(p.heard_at is not None and p.silent_since is None for p in site.probes.values()),
        probes_known=len(site.probes),
        last_heard_at=site.heard_at,
        runtime_is_estimate=is_estimate,
    )


def _site_touched(state: SitesState, entry: Recorded) -> str | None:
    """The site an entry is about, made known if it is new; None for entries that are about no site."""
    body = entry.body
    match body:
        case Heartbeat() | UpsReading():
            source, site_id = entry.source, body.site
        case SourceDeclared(site=site_id, about_source=source) if site_id:
            pass
        case SourceSilent(about_source=source) | SourceBack(about_source=source):
            return state.site_of.get(source)
        case _:
            return None
    before = state.site_of.get(source)
    if before is not None and before != site_id:
        state.sites[before].probes.pop(source, None)
    state.site_of[source] = site_id
    state.sites.setdefault(site_id, Site()).probes.setdefault(source, Probe())
    return site_id


def _take(site: Site, entry: Recorded) -> bool:
    """Fold one entry into its site. True when the verdict has to be looked at again."""
    body = entry.body
    if isinstance(body, SourceSilent):
        probe = site.probes[body.about_source]
        probe.silent_since = body.heard_at
        return True
    if isinstance(body, SourceBack):
        return _hear(site, site.probes[body.about_source], entry.received_at)
    if isinstance(body, Heartbeat):
        probe = site.probes[entry.source]
        new_role = probe.role is not body.role
        probe.role = body.role
        return _hear(site, probe, entry.received_at) or new_role
    if isinstance(body, UpsReading):
        changed = _take_reading(site, body, min(body.occurred_at, entry.received_at))
        return _hear(site, site.probes[entry.source], entry.received_at) or changed
    return True


def _hear(site: Site, probe: Probe, received_at: int) -> bool:
    """A probe spoke. True when it had been silent or unheard until now."""
    fresh = probe.heard_at is None or probe.silent_since is not None
    probe.heard_at = received_at
    probe.silent_since = None
    site.heard_at = received_at if site.heard_at is None else max(site.heard_at, received_at)
    return fresh


def _take_reading(site: Site, body: UpsReading, told_at: int) -> bool:
    """Keep a reading unless a newer one of this UPS is known. A clock ahead of the hub's counts as the hub's."""
    ups = site.upses.get(body.ups)
    if ups is not None and told_at < ups.told_at:
        return False
    since = told_at - body.since_ms
    says = body.comms is Comms.OK and body.power not in _HELD
    power = body.power if body.comms in (Comms.OK, Comms.STARTING) or ups is None else ups.power
    site.upses[body.ups] = Ups(
        told_at=told_at,
        power=power,
        comms=body.comms,
        since=since,
        charge_percent=body.charge_percent,
        runtime_ms=body.runtime_ms,
        low_battery=body.low_battery,
        replace_battery=body.replace_battery,
        firm=body.power if says else None if ups is None else ups.firm,
        firm_since=since if says or ups is None else ups.firm_since,
        firm_charge=body.charge_percent if says or ups is None else ups.firm_charge,
        runtime_is_estimate=body.runtime_is_estimate,
    )
    return True


def _judge(site: Site, limits: SiteLimits) -> None:
    """Set the site's verdict. `since` moves only when the state does."""
    state, reason, since = _finding(site, limits)
    if state is not site.state:
        site.since = since
    site.state, site.reason = state, reason


def _finding(site: Site, limits: SiteLimits) -> Finding:
    heard = [p for p in site.probes.values() if p.heard_at is not None]
    if not heard:
        return SiteState.UNKNOWN, SiteReason.NEVER_HEARD, site.since
    silent_at = [p.silent_since for p in heard if p.silent_since is not None]
    if len(silent_at) == len(heard):
        return _silence(site, sorted(silent_at), limits)
    power = min(
        (_power_finding(ups) for ups in site.upses.values()),
        key=lambda finding: _WORST.index(finding[0]),
        default=(SiteState.OK, SiteReason.OK, site.heard_at or 0),
    )
    gateways_silent = [p.silent_since for p in heard if p.role is not Role.SEAT and p.silent_since is not None]
    if power[0] is SiteState.OK and gateways_silent:
        # a seat PC that is switched off says nothing about its site; a gateway does
        return SiteState.DEGRADED, SiteReason.PROBE_SILENT, min(gateways_silent)
    return power


def _silence(site: Site, silent_at: list[int], limits: SiteLimits) -> Finding:
    """Nobody there speaks: what the last words were decides between power, line and an unexplained silence."""
    since = silent_at[-1]
    if any(_on_battery(ups) for ups in site.upses.values()):
        return SiteState.POWER_LOST, SiteReason.SILENT_ON_BATTERY, since
    # probes that went off hours before belong to the night, not to this
    together = [heard_at for heard_at in silent_at if since - heard_at <= limits.together_ms]
    if len(together) > 1:
        return SiteState.ISOLATED, SiteReason.SILENT_TOGETHER, since
    return SiteState.SILENT, SiteReason.PROBES_SILENT, since


def _power_finding(ups: Ups) -> Finding:
    if _on_battery(ups):
        low = ups.low_battery or ups.firm is Power.CRITICAL
        since = ups.firm_since if ups.firm in _DISCHARGED else ups.since
        return SiteState.ON_BATTERY, SiteReason.BATTERY_LOW if low else SiteReason.MAINS_LOST, since
    degraded: SiteReason | None = None
    match ups:
        case Ups(comms=comms) if comms in _LOST:
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
    if degraded is not None:
        return SiteState.DEGRADED, degraded, ups.since
    return SiteState.OK, SiteReason.OK, ups.since


def _on_battery(ups: Ups) -> bool:
    """On battery by a state that says so, even if comms were lost since; or by a conflict that more confirms."""
    if ups.firm in _DISCHARGED:
        return True
    if ups.power is not Power.CONFLICT or ups.comms is not Comms.OK:
        return False
    falling = ups.charge_percent is not None and ups.firm_charge is not None and ups.charge_percent < ups.firm_charge
    return ups.low_battery or falling


def _worst_ups(site: Site) -> Ups | None:
    return min(site.upses.values(), key=lambda ups: (_WORST.index(_power_finding(ups)[0]), ups.told_at), default=None)


def _shown_power(site: Site) -> Power | None:
    ups = _worst_ups(site)
    return None if ups is None else ups.power
