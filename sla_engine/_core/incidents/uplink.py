"""Troubles of a site's broadband lines."""

from collections.abc import Iterator

from msgspec.structs import replace

from sla_engine._core.incidents.egress import elsewhere
from sla_engine._core.incidents.flapping import restless
from sla_engine._core.incidents.model import Finding, Line, Site, SitesState
from sla_engine._core.incidents.seen_from import Egress
from sla_engine._core.incidents.slots import FLAPPING, LINE_, LINES, MOVED_AT, STANDBY, UPLINK, new_finding
from sla_engine._core.incidents.verdict import enabled_lines
from wire.incident import ELSEWHERE, Cause
from wire.uplink import LineState


def uplink_findings(state: SitesState, site: Site) -> Iterator[Finding]:
    """All lines down is one finding, a line that will not stay up another; else each line speaks for itself."""
    limits, now = state.limits, state.now
    lines = enabled_lines(site)
    down = {name: line for name, line in lines.items() if line.state is LineState.DOWN}
    coming_and_going = restless(site, limits, now, LINE_).items()
    flapping = {name: losses for name, losses in coming_and_going if name in lines}
    if down and len(down) == len(lines):
        since = max(line.since for line in down.values())
        first = min(line.index for line in down.values())
        if now - since >= limits.flapping_down_ms or not down.keys() <= flapping.keys():
            yield new_finding(UPLINK, Cause.UPLINK, "lines_down", since, first, lines=" ".join(sorted(down)))
            return
    site.moved = [each for each in site.moved if now - each.at < limits.flapping_ms]
    by_kind = [[each for each in site.moved if each.of == kind] for kind in sorted({each.of for each in site.moved})]
    often = max(by_kind, key=len, default=[])
    if len(often) >= limits.flapping_failovers:
        count = str(len(often))
        yield new_finding(FLAPPING, Cause.UPLINK, "flapping", often[0].at, often[0].index, failovers=count)
        return
    if flapping:
        first_loss = min((losses[0] for losses in flapping.values()), key=lambda loss: loss.at)
        words = {"subject": min(flapping) if len(flapping) == 1 else "", LINES: " ".join(sorted(flapping))}
        if not any(loss.carried for losses in flapping.values() for loss in losses):
            words[STANDBY] = "yes"
        yield new_finding(FLAPPING, Cause.UPLINK, "flapping", first_loss.at, first_loss.index, **words)
    for name, line in lines.items():
        if name not in flapping:
            seen = elsewhere(state, name, line)
            yield from _line(name, line, seen if seen is not None and now - seen.at >= limits.elsewhere_ms else None)


def _line(name: str, line: Line, seen: Egress | None) -> Iterator[Finding]:
    words = {"subject": name, "carrier": line.carrier, "reason": str(line.reason)}
    if line.moved_at is not None:
        words[MOVED_AT] = str(line.moved_at)
    if line.state is LineState.DOWN:
        found = new_finding(LINE_ + name, Cause.UPLINK, "line_down", line.since, line.index, **words)
        yield found if line.carried else replace(found, details={**found.details, STANDBY: "yes"})
    elif seen is not None:
        words = {"subject": name, "carrier": line.carrier, ELSEWHERE: seen.line}
        found = new_finding(LINE_ + name, Cause.UPLINK, "line_down", seen.at, seen.index, **words)
        yield replace(found, is_suspected=True)
    elif line.state is LineState.DEGRADED:
        yield new_finding(LINE_ + name, Cause.UPLINK, "line_degraded", line.since, line.index, **words)
