"""When a platform stood in the way at which sites, by the revisions of its incident.

One that several sites saw failed everywhere from the start, wherever it was seen first, save at sites whose own seats
reached it meanwhile. A site that lost it later had it until shortly before that was told, but not longer.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from sla_engine._core.attribution import OPEN_END
from wire.incident import SITES, SITES_REACHED, SITES_SINCE, IncidentSaid


class FailedWithin(NamedTuple):
    """It failed within [since, until), ms: at `site`, or where that is "", everywhere but at the sites `spared`."""

    since: int
    until: int
    site: str = ""
    spared: frozenset[str] = frozenset()


class _Phase(NamedTuple):
    """What holds from a revision on until the next one. lost: by site, since when (ms) it is without the platform."""

    since: int
    until: int
    site: str
    lost: Mapping[str, int]
    reached: frozenset[str]


def platform_times(revisions: Sequence[IncidentSaid], noticed_ms: int) -> Iterator[FailedWithin]:
    """Where it failed, and when. noticed_ms: so long after it was lost at a site, at most, that is told."""
    phases = list(_phases(revisions, noticed_ms))
    known_until = revisions[-1].started_at
    for number, phase in enumerate(phases):
        if phase.site:
            yield FailedWithin(phase.since, phase.until, phase.site)
            continue
        since, known_until = known_until, phase.until  # what several see now was so when one alone saw it
        lost_at: dict[str, int] = {}
        for each in phases[number:]:
            lost_at = {**each.lost, **lost_at}
        still_lost = phases[number - 1].lost.keys() & phase.lost.keys() if number else set()
        had_it = {site for site, at in lost_at.items() if at > since and site not in still_lost}
        yield FailedWithin(since, phase.until, spared=phase.reached - lost_at.keys() | had_it)
        for site in sorted(had_it):
            if lost_at[site] < phase.until:
                yield FailedWithin(lost_at[site], phase.until, site)


def _phases(revisions: Sequence[IncidentSaid], noticed_ms: int) -> Iterator[_Phase]:
    """Each revision holds from its own instant, the first one from the incident's start, until the next one."""
    last = revisions[-1]
    over = OPEN_END if last.ended_at is None else last.ended_at
    ends = [said.occurred_at for said in revisions[1:]] + [OPEN_END]
    for number, (said, end) in enumerate(zip(revisions, ends, strict=True)):
        since, until = said.occurred_at if number else last.started_at, min(end, over)
        if since < until:
            reached = frozenset(said.details.get(SITES_REACHED, "").split())
            yield _Phase(since, until, said.site, _lost(said, last.started_at, noticed_ms), reached)


def _lost(said: IncidentSaid, began: int, noticed_ms: int) -> dict[str, int]:
    """Since when each site is without it. Where that is not told, since it began."""
    told = said.details.get(SITES_SINCE, "").split()
    return {
        site: max(began, int(at) - noticed_ms) if at.isdecimal() else began
        for site, at in zip_longest(said.details.get(SITES, "").split(), told, fillvalue="")
        if site
    }
