"""Whether the clocks of a site's probes are right: beside the hub's by when their beats come, beside a time server's.

Of beats that come late the least late one tells: a delay passes, a clock that is behind stays behind. What is told by
it is not lost for that, see `hub_time`.
"""

from collections.abc import Iterator
from typing import Final

from sla_engine._core.incidents.model import Finding, Site, SiteLimits, SitesState
from sla_engine._core.incidents.probe_time import ProbeClock
from sla_engine._core.incidents.slots import CLOCK_, HUB_TIME, OFFSET, SEATS, Explaining, new_finding
from wire.facility import Heartbeat, Role
from wire.incident import Cause
from wire.recorded import Recorded
from wire.seat import SeatReading

# Format: units in ms.
_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))
"""The largest of which there are two is told, so that 90 s are not a minute."""
_SUBJECT: Final = "hub"


def watch_clock(state: SitesState, entry: Recorded) -> str | None:
    """Learn from an entry, as its probe stamped it, how that probe's clock goes; its site where that is news."""
    body, site_id = entry.body, state.site_with(entry.source)
    if not isinstance(body, Heartbeat | SeatReading) or site_id is None:
        return None
    probe = state.sites[site_id].probes.get(entry.source)
    if probe is None or entry.epoch != probe.run.snapshots:
        return None  # a backlog comes late by itself
    clock = probe.clock
    if isinstance(body, SeatReading):
        clock.told_ms = body.clock_offset_ms
    elif _hear_beat(clock, entry.received_at, body.occurred_at, state.limits.clock_seen_ms):
        probe.run.behind_ms = max(probe.run.behind_ms, -clock.by_hub_ms)  # it drifted away without a step
    else:
        return None
    return site_id if _judge(clock, entry, state.limits) else None


def clock_findings(site: Site) -> Iterator[Finding]:
    """Each gateway whose clock is wrong, silent ones as last heard; the seats that are there as one trouble."""
    seats = []
    for source, probe in sorted(site.probes.items()):
        if probe.clock.wrong_since is None:
            continue
        if probe.role is Role.GATEWAY:
            yield _finding(source, probe.clock)
        elif probe.silent_since is None:
            seats.append(probe.clock)
    if seats:
        worst = max(seats, key=lambda clock: abs(clock.off_ms))
        yield _finding(SEATS, worst, seats=str(len(seats)))


def hub_clock(state: SitesState) -> Explaining | None:
    """The hub's own clock, where most gateways that are heard, of several sites, are off it by the same.

    And the clocks that this explains, by site and slot: nobody has to look at them one by one.
    """
    gateways = [
        (site_id, probe)
        for site_id, site in sorted(state.sites.items())
        for probe in site.probes.values()
        if probe.role is Role.GATEWAY and probe.clock.least_ms is not None
    ]
    heard = [each for each in gateways if each[1].silent_since is None] or gateways
    off = sorted(probe.clock.by_hub_ms for _, probe in heard if probe.clock.wrong_since is not None)
    if not off:
        return None
    middle_ms, same_ms = off[len(off) // 2], state.limits.replay_ms // 2
    agree = [each for each in heard if _is_off_by(each[1].clock, middle_ms, same_ms)]
    if 2 * len(agree) <= len(heard) or len({site_id for site_id, _ in agree}) < state.limits.sites_agree:
        return None
    first = min((probe.clock for _, probe in agree), key=lambda clock: clock.wrong_index)
    since, index = first.wrong_since or 0, first.wrong_index
    words = {"subject": _SUBJECT, OFFSET: _shown(-middle_ms)}
    found = new_finding(HUB_TIME, Cause.CLOCK, "hub_clock_wrong", since, index, **words)
    return found, {
        (site_id, CLOCK_ + (source if probe.role is Role.GATEWAY else SEATS))
        for site_id, site in state.sites.items()
        for source, probe in site.probes.items()
        if _is_off_by(probe.clock, middle_ms, same_ms)
    }


def _is_off_by(clock: ProbeClock, off_ms: int, same_ms: int) -> bool:
    return clock.wrong_since is not None and abs(clock.by_hub_ms - off_ms) <= same_ms


def _finding(subject: str, clock: ProbeClock, **more: str) -> Finding:
    words = {OFFSET: _shown(clock.off_ms), **more}
    since, first = clock.wrong_since or 0, clock.wrong_index
    return new_finding(CLOCK_ + subject, Cause.CLOCK, "clock_wrong", since, first, subject=subject, **words)


def _hear_beat(clock: ProbeClock, received_at: int, occurred_at: int, seen_ms: int) -> bool:
    """Take a beat in. True when beats were seen for long enough to tell by how much the clock is off."""
    late_ms = received_at - occurred_at
    if clock.least_ms is not None and received_at - clock.seen_from < seen_ms:
        clock.least_ms = min(clock.least_ms, late_ms)
        return False
    is_told = clock.least_ms is not None
    clock.by_hub_ms = -(clock.least_ms or 0)
    clock.seen_from, clock.least_ms = received_at, late_ms
    return is_told


def _judge(clock: ProbeClock, entry: Recorded, limits: SiteLimits) -> bool:
    """Set whether the clock is wrong. One that was is right again below half of what is allowed: True for news."""
    clock.off_ms = max(clock.by_hub_ms, clock.told_ms or 0, key=abs)
    was_wrong = clock.wrong_since is not None
    allowed_ms = limits.replay_ms // 2 if was_wrong else limits.replay_ms
    if abs(clock.off_ms) <= allowed_ms:
        clock.wrong_since = None
    elif not was_wrong:
        clock.wrong_since, clock.wrong_index = entry.received_at, entry.index
    return was_wrong != (clock.wrong_since is not None)


def _shown(off_ms: int) -> str:
    """As people say it: +3 min, -40 s. Cut, not rounded."""
    sign, size_ms = ("-", -off_ms) if off_ms < 0 else ("+", off_ms)
    # Layout: from two on, 90 s are not a minute.
    unit, unit_ms = next((each for each in _UNITS if size_ms >= 2 * each[1]), _UNITS[-1])
    return f"{sign}{size_ms // unit_ms} {unit}"
