"""Takes one entry of the operator's ledger into what is known of its site. Decides nothing.

What a probe tells is ordered by its own time, never by arrival: a backlog sent after an outage is history and cannot
overwrite the fresh snapshot that came before it. Debounce happened at the probe; there is none here.
"""

from typing import Final

from msgspec.structs import replace

from sla_engine._core.incidents import roster
from sla_engine._core.incidents.egress import locate, take_connection, take_witness
from sla_engine._core.incidents.flapping import is_lost
from sla_engine._core.incidents.model import (
    Line,
    Maintenance,
    Moved,
    PhoneLine,
    PlatformSeen,
    Probe,
    SeenAtWork,
    SilentFeed,
    Site,
    SiteLimits,
    SiteReason,
    SitesState,
    SiteState,
    Ups,
)
from sla_engine._core.incidents.retiring import (
    forget_before_dark,
    forget_unmeasured,
    remove_site,
    replace_on_seat,
    replaced,
    retire,
)
from sla_engine._core.incidents.seen_from import Egress
from sla_engine._core.incidents.slots import LINE_, PHONE_, UPS_
from sla_engine._core.incidents.verdict import LOST, on_battery
from wire.body import Body
from wire.facility import Comms, Heartbeat, Power, Role, SelfTest, UpsReading
from wire.identity import IdentitySaid, IdentityStep
from wire.incident import IncidentSaid, IncidentStep, MaintenanceSaid, MaintenanceStep, WorkSeen
from wire.organisation import Relation, RosterLink
from wire.phone import PhoneLineReading
from wire.record import SiteRemoved, SourceBack, SourceDeclared, SourceSilent, Unrouted
from wire.recorded import Recorded
from wire.seat import Noticed, PlatformReading, ProbeNote, SeatReading
from wire.uplink import ConnectionSeen, Failover, LineReading, LineState, LineWitnessed

HELD: Final = frozenset({Power.CONFLICT, Power.STARTING})
"""Says nothing by itself: OL and OB together, or a server that has just begun to look. The state before it is held."""
_NOT_FIRM: Final = frozenset({LineState.SUSPECT, LineState.UNKNOWN})
_TOLD: Final = (
    Heartbeat,
    UpsReading,
    LineReading,
    PhoneLineReading,
    PlatformReading,
    SeatReading,
    ProbeNote,
    Failover,
)


def take(state: SitesState, entry: Recorded) -> set[str]:
    """Fold one entry in; the sites whose verdict has to be looked at again."""
    body = entry.body
    match body:
        case RosterLink():
            return _take_link(state, body, entry)
        case MaintenanceSaid():
            _take_maintenance(state, body)
            return set(state.sites)
        case IncidentSaid():
            _take_said(state, body)
            return set()
        case WorkSeen() if body.site in state.sites:
            seen = SeenAtWork(body.is_working, body.occurred_at)
            state.sites[body.site].at_work[body.subject] = seen
            return {body.site}
        case IdentitySaid(step=IdentityStep.REVOKED):
            return retire(state, body.identity)
        case SiteRemoved():
            remove_site(state, body.site)
            return set(state.sites)
        case Unrouted(queue="") if body.about_source not in state.strangers:
            state.strangers = sorted([*state.strangers, body.about_source])
            return set()
        case ConnectionSeen():
            return take_connection(state, body, entry)
        case LineWitnessed():
            return take_witness(state, body, entry)
        case SourceDeclared() if body.about_source in state.strangers:
            state.strangers.remove(body.about_source)
    site_id = _site_touched(state, entry)
    if site_id is None:
        return set(state.sites) if _take_feed(state, entry) else set()
    return {site_id} if _take(state, site_id, entry) else set()


def _take_link(state: SitesState, body: RosterLink, entry: Recorded) -> set[str]:
    if not roster.enter(state.roster, body):
        return set()
    for source in {*state.egress, *state.witnessed} if body.relation is Relation.SITE_OF_LINE else ():
        locate(state, source, entry)
    return set(state.sites)


def _take_feed(state: SitesState, entry: Recorded) -> bool:
    """A source of no site fell silent or is back. True when that is news."""
    body = entry.body
    if isinstance(body, SourceSilent) and body.about_source not in {*state.feeds, *state.site_of}:
        state.feeds[body.about_source] = SilentFeed(body.heard_at, entry.index)
        return True
    return isinstance(body, SourceBack) and state.feeds.pop(body.about_source, None) is not None


def _site_touched(state: SitesState, entry: Recorded) -> str | None:
    """The site an entry is about, made known if it is new; None for entries that are about no site."""
    body = entry.body
    if isinstance(body, _TOLD):
        source, site_id = entry.source, body.site
    elif isinstance(body, SourceDeclared) and body.site:
        source, site_id = body.about_source, body.site
    elif isinstance(body, SourceSilent | SourceBack):
        return state.site_with(body.about_source)
    else:
        return None
    before = state.site_with(source)
    if before is not None and before != site_id:
        state.sites[before].probes.pop(source, None)
    state.site_of[source] = site_id
    state.sites.setdefault(site_id, Site()).probes.setdefault(source, Probe())
    if before != site_id:
        locate(state, source, entry)
    return site_id


def _take(state: SitesState, site_id: str, entry: Recorded) -> bool:
    """Fold one entry into its site. True when the verdict has to be looked at again."""
    site, body = state.sites[site_id], entry.body
    if isinstance(body, SourceSilent | SourceBack):
        return _hear_of(state, site, body, entry)
    if not isinstance(body, _TOLD):
        return True
    probe = site.probes[entry.source]
    is_history = _is_history(probe, body, entry.received_at, state.limits)
    changed = _hear(state, state.site_of[entry.source], probe, entry.received_at)
    match body:
        case Heartbeat():
            changed |= _take_heartbeat(site, body, entry, is_new=changed, is_history=is_history)
        case UpsReading() if not is_history:
            changed |= _take_ups(site, body, entry)
        case LineReading() if not is_history:
            changed |= _take_line(site, body, entry, state.egress.get(entry.source))
        case PhoneLineReading() if not is_history:
            changed |= _take_phone_line(site, body, entry)
        case PlatformReading() if not is_history:
            changed |= _take_platform(site, body, entry)
        case Failover() if not is_history:
            changed |= _take_failover(site, body, entry)
        case ProbeNote(noticed=Noticed.CLOCK_STEPPED) if body.step_ms < 0:
            probe.told_at = min(probe.told_at, _told_at(body, entry.received_at))  # its times begin anew
    return changed


def _hear_of(state: SitesState, site: Site, body: SourceSilent | SourceBack, entry: Recorded) -> bool:
    """The hub noticed that a probe is silent, or back. One that was retired is nobody's."""
    probe = site.probes.get(body.about_source)
    if probe is None:
        return False
    if isinstance(body, SourceBack):
        return _hear(state, state.site_of[body.about_source], probe, entry.received_at)
    return replaced(site, body.about_source) or _fall_silent(state, probe, body, entry)


def _take_heartbeat(site: Site, body: Heartbeat, entry: Recorded, *, is_new: bool, is_history: bool) -> bool:
    probe = site.probes[entry.source]
    is_new |= probe.role is not body.role or probe.seat != body.seat
    probe.role, probe.seat, probe.interval_ms = body.role, body.seat, body.interval_ms
    if is_new and body.seat:
        replace_on_seat(site, entry.source)
    return (not is_history and forget_unmeasured(site, body, entry.source)) or is_new


def _is_history(probe: Probe, body: Body, received_at: int, limits: SiteLimits) -> bool:
    """Whether a source had told of later things already: a backlog that is sent after the snapshot."""
    told_at = _told_at(body, received_at)
    is_history = told_at < probe.told_at - limits.replay_ms
    probe.told_at = max(probe.told_at, told_at)
    return is_history


def _told_at(body: Body, received_at: int) -> int:
    """A clock ahead of the hub's counts as the hub's."""
    return min(body.occurred_at, received_at)


def _hear(state: SitesState, site_id: str, probe: Probe, received_at: int) -> bool:
    """A probe spoke. True when it had been silent or unheard until now."""
    site, fresh = state.sites[site_id], probe.heard_at is None or probe.silent_since is not None
    probe.heard_at = received_at
    probe.silent_since = None
    probe.covered_until = probe.grouped_until = 0
    probe.day = roster.hours_at(state.roster, state.limits, site_id, received_at).business_day(received_at)
    if fresh:
        site.at_work.pop("", None)
        if site.state is SiteState.POWER_LOST:
            forget_before_dark(site)
    site.heard_at = received_at if site.heard_at is None else max(site.heard_at, received_at)
    return fresh


def _fall_silent(state: SitesState, probe: Probe, body: SourceSilent, entry: Recorded) -> bool:
    site_id = state.site_of[body.about_source]
    probe.was_expected = probe.role is Role.SEAT and is_expected(state, site_id, probe, body.heard_at)
    probe.was_expected &= is_expected(state, site_id, probe, entry.received_at)
    probe.silent_since = body.heard_at
    probe.said_silent_at, probe.silent_index = entry.received_at, entry.index
    return True


def is_expected(state: SitesState, site_id: str, probe: Probe, at: int) -> bool:
    """Whether a seat is to be there at `at`: inside its shift, else once it was heard that day, in service hours."""
    limits = state.limits
    in_shift = roster.in_shift(state.roster, limits, probe.seat, at) if probe.seat else None
    if in_shift is not None:
        return in_shift
    hours = roster.hours_at(state.roster, limits, site_id, at)
    return hours.is_open(at) and hours.is_open(at + limits.leaves_early_ms) and probe.day == hours.business_day(at)


def _take_ups(site: Site, body: UpsReading, entry: Recorded) -> bool:
    """Keep a reading unless a newer one of this UPS is known."""
    told_at = _told_at(body, entry.received_at)
    ups = site.upses.get(body.ups)
    if ups is not None and told_at < ups.told_at:
        return False
    since = told_at - body.since_ms
    says = body.comms is Comms.OK and body.power not in HELD
    power = body.power if body.comms in (Comms.OK, Comms.STARTING) or ups is None else ups.power
    changed = ups is None or (body.power, body.comms) != (ups.power, ups.comms)
    told = body if body.comms is Comms.OK or ups is None else ups
    began = {} if ups is None else ups.began
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
        index=entry.index if changed or ups is None else ups.index,
        runtime_is_estimate=body.runtime_is_estimate,
        source=entry.source,
        self_test=told.self_test,
        self_test_date=told.self_test_date,
        began={reason: began.get(reason, (told_at, entry.index)) for reason in _wrong_beside(body, told.self_test)},
    )
    if ups is not None and on_battery(site.upses[body.ups]) and not on_battery(ups):
        site.went_down.append(Moved(UPS_ + body.ups, told_at, entry.index))
    return True


def _wrong_beside(body: UpsReading, self_test: SelfTest | None) -> list[SiteReason]:
    """What is wrong with a UPS whatever its power state is."""
    holds = {
        SiteReason.UPS_COMMS_LOST: body.comms in LOST,
        SiteReason.BATTERY_WEAK: body.low_battery,
        SiteReason.BATTERY_WORN: body.replace_battery,
        SiteReason.SELF_TEST_FAILED: self_test is SelfTest.FAILED,
    }
    return [reason for reason, is_so in holds.items() if is_so]


def _take_line(site: Site, body: LineReading, entry: Recorded, seen: Egress | None) -> bool:
    """Keep a line's state. While it is suspect, or nothing is known, what held before still holds.

    seen: where the hub sees the connection of this probe come from.
    """
    told_at = _told_at(body, entry.received_at)
    known = site.lines.get(body.line)
    if known is not None and told_at < known.told_at:
        return False
    if known is not None and body.state in _NOT_FIRM:
        known.told_at = told_at
        return False
    carries = bool(body.is_default_route or body.carries_mqtt)
    is_up = body.state in {LineState.UP, LineState.DEGRADED}
    changed = known is None or (known.state, known.reason) != (body.state, body.reason)
    since = told_at - body.since_ms
    if body.state is LineState.DOWN:
        since = since if body.first_bad_at is None else min(since, body.first_bad_at)
        if known is not None and known.state is not LineState.DOWN:
            site.went_down.append(Moved(LINE_ + body.line, told_at, entry.index, known.carried))
    is_seen = seen is not None and seen.is_known and seen.line == body.line
    spoke_since = None if known is None else known.speaks_since
    speaks_since = (spoke_since or told_at) if body.carries_mqtt else None
    site.lines[body.line] = Line(
        told_at=told_at,
        carrier=body.carrier,
        state=body.state,
        reason=body.reason,
        since=since if known is None or changed else known.since,
        index=entry.index if known is None or changed else known.index,
        carried=carries if is_up or known is None else known.carried,
        moved_at=None if is_up or known is None else known.moved_at,
        source=entry.source,
        speaks_since=speaks_since,
        was_seen=(known is not None and known.was_seen) or (speaks_since is not None and is_seen),
    )
    return changed or speaks_since != spoke_since


def _take_phone_line(site: Site, body: PhoneLineReading, entry: Recorded) -> bool:
    told_at = _told_at(body, entry.received_at)
    known = site.phone_lines.get(body.phone_line)
    if known is not None and told_at < known.told_at:
        return False
    is_other_state = known is None or known.state is not body.state
    changed = known is None or is_other_state or known.registration is not body.registration
    since = told_at - body.since_ms if is_other_state else told_at  # `since_ms` is how long the state has held
    site.phone_lines[body.phone_line] = PhoneLine(
        told_at=told_at,
        state=body.state,
        registration=body.registration,
        via_line=body.via_line,
        since=since if known is None or changed else known.since,
        index=entry.index if known is None or changed else known.index,
        source=entry.source,
    )
    if known is not None and is_lost(site.phone_lines[body.phone_line]) and not is_lost(known):
        site.went_down.append(Moved(PHONE_ + body.phone_line, told_at, entry.index))
    return changed


def _take_platform(site: Site, body: PlatformReading, entry: Recorded) -> bool:
    told_at = _told_at(body, entry.received_at)
    name = f"{body.seat} {body.platform}"
    known = site.platforms.get(name)
    if known is not None and told_at < known.told_at:
        return False
    changed = known is None or (known.is_running, known.is_reachable) != (body.is_running, body.is_reachable)
    if body.is_running:
        site.at_work.pop(f"{body.seat}/{body.platform}", None)
    since, index = (told_at - body.since_ms, entry.index) if known is None or changed else (known.since, known.index)
    ran = body.is_running is True or (known is not None and known.ran)
    site.platforms[name] = PlatformSeen(
        told_at, entry.source, body.seat, body.platform, body.is_running, body.is_reachable, since, index, ran
    )
    # that it goes on failing is news after traffic moved to another line
    return changed or (body.is_reachable is False and bool(site.moved))


def _take_failover(site: Site, body: Failover, entry: Recorded) -> bool:
    told_at = _told_at(body, entry.received_at)
    left = site.lines.get(body.from_line)
    if left is not None:
        left.moved_at = told_at
    if not body.to_line:  # a way that is taken away before the other one is there: both together are one failover
        return left is not None
    return _take_move(site, Moved(str(body.of), told_at, entry.index))


def _take_move(site: Site, moved: Moved) -> bool:
    site.moved.append(moved)
    return True


def _take_maintenance(state: SitesState, body: MaintenanceSaid) -> None:
    """The hub stamps these words itself, so when they occurred is when they were declared."""
    known = state.maintenance.get(body.maintenance)
    declared_at = body.occurred_at if known is None else known.declared_at
    if body.step is MaintenanceStep.ENDED and known is not None:
        known.ends_at = min(known.ends_at, body.ends_at)
        return
    state.maintenance[body.maintenance] = Maintenance(
        body.of, body.site, body.subject, declared_at, body.starts_at, body.ends_at
    )


def _take_said(state: SitesState, body: IncidentSaid) -> None:
    """The ledger holds a revision: it need not be said again."""
    if body.step is IncidentStep.CLOSED:
        state.recorded.pop(body.incident, None)
    else:
        state.recorded[body.incident] = max(state.recorded.get(body.incident, 0), body.revision)
    state.unsaid = [said for said in state.unsaid if said.incident != body.incident or said.revision > body.revision]
    known = {held.said.incident for held in state.open.values()} | {said.incident for said in state.unsaid}
    if body.step is not IncidentStep.CLOSED and body.incident not in known:
        # said by a version, or under limits, that judged otherwise: nobody else would ever end it
        ended = replace(body, revision=body.revision + 1, step=IncidentStep.CLOSED, ended_at=body.occurred_at)
        state.unsaid.append(ended)
