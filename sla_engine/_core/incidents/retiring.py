"""Forgets what is no longer there: else a UPS that was replaced would be on battery, and hide troubles, for ever."""

from sla_engine._core.incidents.flapping import is_lost
from sla_engine._core.incidents.model import Line, PhoneLine, Probe, Site, SitesState, Ups
from wire.facility import Heartbeat, Power, Role
from wire.uplink import LineState


def forget_unmeasured(site: Site, beat: Heartbeat, source: str) -> bool:
    """Drop what `source` told of once and no longer lists as measured. True when that was anything."""
    if beat.role is not Role.GATEWAY:
        return False
    gone = _forget(site, site.upses, beat.upses, source)
    gone |= _forget(site, site.lines, beat.lines, source)
    return gone | _forget(site, site.phone_lines, beat.phone_lines, source)


def retire(state: SitesState, source: str) -> set[str]:
    """Somebody said that a probe is there no more: it and all it told of are dropped. The site it stood at."""
    site_id = state.site_with(source)
    if site_id is None or source not in state.sites[site_id].probes:
        return set()
    site = state.sites[site_id]
    del site.probes[source]
    for told in (site.upses, site.lines, site.phone_lines, site.platforms):
        for name in [name for name, each in told.items() if each.source == source]:
            del told[name]
    state.egress.pop(source, None)
    state.witnessed.pop(source, None)
    site.heard_at = max((p.heard_at for p in site.probes.values() if p.heard_at is not None), default=None)
    return {site_id}


def forget_before_dark(site: Site) -> None:
    """It was without power, and is heard again: its lines and batteries are not yet, and were different things then."""
    for line in site.lines.values():
        if line.state in {LineState.DOWN, LineState.DEGRADED}:
            line.state = LineState.UNKNOWN
    site.phone_lines = {name: phone for name, phone in site.phone_lines.items() if not is_lost(phone)}
    for ups in site.upses.values():
        ups.low_battery = False
        if ups.firm is Power.CRITICAL:
            ups.firm = Power.BATTERY


def remove_site(state: SitesState, site_id: str) -> None:
    """It is configured no more. Its probes stay known as such: none of them is a feed when it is said to be silent."""
    state.sites.pop(site_id, None)


def replace_on_seat(site: Site, source: str) -> None:
    """The probe `source` speaks for its seat: silent ones of that seat are machines that stood there before."""
    seat = site.probes[source].seat
    for name in [name for name, p in site.probes.items() if _is_on(seat, p) and name != source]:
        if site.probes[name].silent_since is not None:
            del site.probes[name]


def replaced(site: Site, source: str) -> bool:
    """Whether `source` falls silent while another machine speaks for its seat: then it is dropped, nothing is lost."""
    seat = site.probes[source].seat
    others = (p for name, p in site.probes.items() if seat and name != source and _is_on(seat, p))
    if not any(p.heard_at is not None and p.silent_since is None for p in others):
        return False
    del site.probes[source]
    return True


def _is_on(seat: str, probe: Probe) -> bool:
    return probe.role is Role.SEAT and probe.seat == seat


def _forget(
    site: Site,
    told: dict[str, Ups] | dict[str, Line] | dict[str, PhoneLine],
    measured: list[str] | None,
    source: str,
) -> bool:
    """What was told by a probe that is at the site no longer is dropped as well."""
    if measured is None:
        return False
    gone = [name for name, each in told.items() if name not in measured and not _is_of_another(site, each, source)]
    for name in gone:
        del told[name]
    return bool(gone)


def _is_of_another(site: Site, each: Ups | Line | PhoneLine, source: str) -> bool:
    return each.source != source and each.source in site.probes
