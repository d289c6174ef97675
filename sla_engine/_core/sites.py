"""One verdict per site, and its incidents, folded from what probes said and from when they fell silent.

State is a function of entries only. Time passes by the entries' own receipt, clock entries included; nothing here
reads a clock.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec.structs import replace

from sla_engine._core.incidents.afterwards import explain_silence
from sla_engine._core.incidents.clocks import watch_clock
from sla_engine._core.incidents.egress import elsewhere
from sla_engine._core.incidents.findings import global_findings, site_findings
from sla_engine._core.incidents.hub_time import by_hub_clock
from sla_engine._core.incidents.model import Finding, Hours, Site, SiteLimits, SiteReason, SitesState, SiteState
from sla_engine._core.incidents.platforms import platforms_here
from sla_engine._core.incidents.roster import accounts_at, clients_at, opened_or_closed, seats_at, shops_at, teams_at
from sla_engine._core.incidents.saying import details_of, key_of, reconcile
from sla_engine._core.incidents.seats import expected_seats, present_seats
from sla_engine._core.incidents.slots import AT_WORK
from sla_engine._core.incidents.taking import take
from sla_engine._core.incidents.verdict import verdict, worst_self_test, worst_ups
from sla_engine._core.windows import MINUTE_MS, SECOND_MS
from wire.board import LineTile, SiteTile, TroubleTile
from wire.facility import Role
from wire.incident import SITES, Cause, IncidentSaid, Severity
from wire.limits import LEDGER_ID_BYTES
from wire.record import BROKER, SiteRemoved, SourceBack, SourceSilent
from wire.recorded import Recorded

__all__ = [
    "Hours",
    "SiteLimits",
    "SiteReason",
    "SiteState",
    "SitesState",
    "accounts_of",
    "clients_of",
    "details_now",
    "fold_sites",
    "is_unsettled",
    "new_sites",
    "open_incidents",
    "site_tiles",
    "suspected_incidents",
    "tile_of",
]

_LESSER: Final = {
    "flapping": (SiteState.REDUNDANCY_LOST, SiteReason.FLAPPING),
    "mains_flapping": (SiteState.DEGRADED, SiteReason.MAINS_FLAPPING),
    "seats_lost": (SiteState.DEGRADED, SiteReason.SEATS_LOST),
    "phone_line_down": (SiteState.DEGRADED, SiteReason.PHONE_LINE_DOWN),
    "phone_line_flapping": (SiteState.DEGRADED, SiteReason.PHONE_LINE_FLAPPING),
}
_GRAVEST_FIRST: Final = tuple(Severity)
_NO_LEDGER: Final = bytes(LEDGER_ID_BYTES)


class _Shown(NamedTuple):
    """What of a tile is worth a line in the log when it changes."""

    state: SiteState
    reason: SiteReason
    power: str | None


def new_sites(limits: SiteLimits, ledger_id: bytes = _NO_LEDGER) -> SitesState:
    """No site known yet. ledger_id: of the operator's ledger, which incidents name as the place of their evidence."""
    return SitesState(limits, ledger_id)


def fold_sites(state: SitesState, batch: Iterable[Recorded]) -> list[SiteTile]:
    """Take entries of the operator's ledger in order; the tiles whose verdict or power changed, by id.

    Revisions of incidents that the ledger does not hold yet are left in `state.unsaid`, in order.
    """
    before: dict[str, _Shown] = {}
    for entry in batch:
        _fold(state, entry, before)
    there = [(site_id, shown) for site_id, shown in sorted(before.items()) if site_id in state.sites]
    return [tile_of(state, site_id) for site_id, shown in there if shown != _shown(state, site_id)]


def site_tiles(state: SitesState) -> list[SiteTile]:
    """Every site, by id."""
    return [tile_of(state, site_id) for site_id in sorted(state.sites)]


def open_incidents(state: SitesState) -> list[IncidentSaid]:
    """The newest revision of every incident that lasts, the earliest first; without leaves."""
    return sorted((held.said for held in state.open.values()), key=lambda said: (said.started_at, said.incident))


def details_now(state: SitesState, incident: str) -> dict[str, str] | None:
    """What an incident that lasts tells of itself now: a charge that falls is no revision. None for one that ended."""
    finding = next((held.finding for held in state.open.values() if held.said.incident == incident), None)
    return None if finding is None else details_of(finding, is_over=False)


def clients_of(state: SitesState, said: IncidentSaid) -> list[str]:
    """The clients whom an incident concerns: those served at the sites it names, else at any.

    Whom it concerned before is told as well that it does no longer.
    A silent feed concerns none here: its own client's ledger says so itself. What befell one seat concerns whoever's
    people sit on it and nobody else at the site.
    """
    if said.cause is Cause.FEED_GAP:
        return []
    if said.cause is Cause.SEAT_DOWN:
        return sorted(accounts_at(state.roster, {said.subject}, state.now))
    if said.cause is Cause.ACCOUNT_OFFLINE:
        return sorted(accounts_at(state.roster, {said.subject.rpartition("/")[0]}, state.now))
    named = {site for site in _sites_of(state, said) if site in state.sites or site == said.site}
    return sorted({client for site in named or state.sites for client in clients_at(state.roster, site, state.now)})


def _sites_of(state: SitesState, said: IncidentSaid) -> frozenset[str]:
    """The sites it is about; of a platform that fails at dozens all of them, as a detail names the first ones only."""
    if said.cause is not Cause.PLATFORM:
        return said.sites
    lasting = next((held.finding for held in state.open.values() if held.said.incident == said.incident), None)
    return said.sites if lasting is None else said.sites | replace(said, details=lasting.details).sites


def suspected_incidents(state: SitesState) -> list[IncidentSaid]:
    """The incidents that conversations may bear witness of: silent sites, accounts that probes call offline."""
    return [
        said
        for said in open_incidents(state)
        if said.what == "site_silent"
        or AT_WORK in said.details
        or (said.cause is Cause.ACCOUNT_OFFLINE and said.is_suspected)
    ]


def accounts_of(state: SitesState, said: IncidentSaid) -> dict[str, frozenset[str]]:
    """By client, the accounts of the people an incident is about: those on its seat, else those at its site."""
    everywhere = {seat for seat, _ in seats_at(state.roster, said.site, state.now)}
    seats = {said.subject.rpartition("/")[0]} if said.subject else everywhere
    return accounts_at(state.roster, seats, state.now)


def is_unsettled(state: SitesState, now: int) -> bool:
    """Whether a silence is so fresh at `now` (hub's ms) that what comes, or does not come, next will explain it."""
    return any(_freshly_silent(site, state.limits, now) for site in state.sites.values())


def tile_of(state: SitesState, site_id: str) -> SiteTile:
    """One site as a board shows it. Charge and runtime are the lowest of its UPSes; nothing known is None."""
    site = state.sites[site_id]
    found = worst_ups(site)
    ups = None if found is None else found[1]
    charges = [u.charge_percent for u in site.upses.values() if u.charge_percent is not None]
    runtimes = [(u.runtime_ms, u.runtime_is_estimate) for u in site.upses.values() if u.runtime_ms is not None]
    runtime_ms, is_estimate = min(runtimes, default=(None, False))
    tested = worst_self_test(site)
    return SiteTile(
        id=site_id,
        name=site_id,
        state=site.state,
        reason=site.reason,
        since=site.since,
        power=None if ups is None else ups.power,
        comms=None if ups is None else ups.comms,
        charge_percent=min(charges, default=None),
        runtime_ms=runtime_ms,
        probes_reporting=sum(p.heard_at is not None and p.silent_since is None for p in site.probes.values()),
        probes_known=len(site.probes),
        last_heard_at=site.heard_at,
        runtime_is_estimate=is_estimate,
        seats_present=present_seats(site),
        seats_expected=site.seats_expected,
        is_planned=site.is_planned,
        lines=[
            LineTile(id_, line.carrier or id_, line.state, f"line_{line.state}", line.since)
            for id_, line in sorted(site.lines.items())
        ],
        phone_lines=[
            LineTile(id_, id_, line.state, f"trunk_{line.state}", line.since)
            for id_, line in sorted(site.phone_lines.items())
        ],
        troubles=_troubles(site.findings),
        clients=site.clients,
        teams=site.teams,
        shops=site.shops,
        self_test=None if tested is None else tested[1].self_test,
        self_test_ups="" if tested is None else tested[0],
        self_test_date="" if tested is None else tested[1].self_test_date,
    )


def _troubles(findings: Iterable[Finding]) -> list[TroubleTile]:
    """Findings of one kind as one: a screen names no seat, and a floor that lost a hundred of them is one line."""
    kinds: dict[str, list[Finding]] = {}
    for each in sorted(findings, key=lambda found: (_GRAVEST_FIRST.index(found.severity), found.since)):
        kinds.setdefault(each.what, []).append(each)
    return [
        TroubleTile(
            what,
            len(same),
            min(each.since for each in same),
            all(each.is_suspected for each in same),
            all(each.is_planned for each in same),
        )
        for what, same in kinds.items()
    ]


def _fold(state: SitesState, entry: Recorded, before: dict[str, _Shown]) -> None:
    then, state.now = state.now, max(state.now, entry.received_at)
    as_stamped, entry = entry, by_hub_clock(state, entry)
    known = set(state.sites)
    touched = _now_or_soon(state, entry, take(state, entry))
    if (wrong_at := watch_clock(state, as_stamped)) is not None:
        touched.add(wrong_at)
    touched |= opened_or_closed(state.roster, state.limits, known & state.sites.keys(), then, state.now)
    touched |= {
        site_id
        for site_id, site in state.sites.items()
        if site.look_again_at is not None and site.look_again_at <= state.now
    }
    if touched or _work_ended(state, then) or isinstance(entry.body, SourceSilent | SourceBack | SiteRemoved):
        for site_id in touched | (state.sites.keys() - known):
            before.setdefault(site_id, _shown(state, site_id))
        for site_id in sorted(touched):
            _judge(state, site_id)
        reconcile(state, _wanted(state), entry)
    source_site = state.site_with(entry.source)
    if source_site is not None and state.sites[source_site].unexplained is not None:
        explain_silence(state, source_site, entry)


def _work_ended(state: SitesState, since: int) -> bool:
    """Whether planned work ended between the seconds of `since` (ms) and of now; cheap within one second."""
    since, now = since // SECOND_MS * SECOND_MS, state.now // SECOND_MS * SECOND_MS
    return since < now and any(since < work.ends_at <= now for work in state.maintenance.values())


def _now_or_soon(state: SitesState, entry: Recorded, touched: set[str]) -> set[str]:
    """What of `touched` is looked at now. Where hundreds of seats fall silent one by one, the next look is enough."""
    if not isinstance(entry.body, SourceSilent):
        return touched
    now = set()
    for site_id in touched:
        site = state.sites[site_id]
        probe = site.probes.get(entry.body.about_source)
        next_look = site.looked_at + state.limits.look_every_ms
        if probe is None or probe.role is not Role.SEAT or next_look <= state.now:
            now.add(site_id)
        else:
            site.look_again_at = next_look if site.look_again_at is None else min(site.look_again_at, next_look)
    return now


def _wanted(state: SitesState) -> dict[str, tuple[str, Finding]]:
    """Every finding there is, with its site, by where its incident is kept."""
    everywhere, explained = global_findings(state)
    found = {key_of("", each.slot): (_only_site(each), each) for each in everywhere}
    for site_id, site in state.sites.items():
        here = (each for each in site.findings if (site_id, each.slot) not in explained)
        found |= {key_of(site_id, each.slot): (site_id, each) for each in here}
    return found


def _only_site(finding: Finding) -> str:
    """The site of a platform's trouble, while just one has seen it. What is of the hub is of no site."""
    sites = finding.details.get(SITES, "").split()
    return sites[0] if finding.cause is Cause.PLATFORM and len(sites) == 1 else ""


def _judge(state: SitesState, site_id: str) -> None:
    """Set the site's verdict and findings. `since` moves only when the state does."""
    site, now = state.sites[site_id], state.now
    site.looked_at = now
    site.platforms_here = platforms_here(site, state.limits)
    site.findings = site_findings(state, site_id)
    found, site.reason, since = verdict(site, state.limits, now)
    if any(AT_WORK in each.details for each in site.findings):
        found, site.reason = SiteState.DEGRADED, SiteReason.SILENT_AT_WORK
    elif found is SiteState.OK:
        found, site.reason, since = _lesser(site, since)
    minute = now // MINUTE_MS
    if found is not site.state or minute != site.counted_minute:
        is_ok = found is SiteState.OK
        site.clients = [] if is_ok else clients_at(state.roster, site_id, now)
        site.teams = [] if is_ok else teams_at(state.roster, site_id, now)
        site.shops = {} if is_ok else shops_at(state.roster, site_id, now)
    if found is not site.state:
        site.state, site.since = found, since
    site.is_planned = any(each.is_planned for each in site.findings)
    present = present_seats(site)
    if minute != site.counted_minute or present != site.counted_present:
        site.counted_minute, site.counted_present = minute, present
        site.seats_expected = expected_seats(state, site_id, now)
    site.look_again_at = _look_again_at(state, site)


def _lesser(site: Site, since: int) -> tuple[SiteState, SiteReason, int]:
    """What still is wrong at a site whose power and lines are fine."""
    for what, (state, reason) in _LESSER.items():
        starts = [each.since for each in site.findings if each.what == what]
        if starts:
            return state, reason, min(starts)
    return SiteState.OK, SiteReason.OK, since


def _look_again_at(state: SitesState, site: Site) -> int | None:
    """When time alone may change what holds of a site."""
    now = state.now
    instants = [work.ends_at for work in state.maintenance.values() if work.ends_at > now]
    # nothing lets go of them while the site is dark
    instants += [at for move in site.moved[:1] if (at := move.at + state.limits.flapping_ms) > now]
    for loss in site.went_down:
        instants += [
            at for at in (loss.at + state.limits.flapping_down_ms, loss.at + state.limits.flapping_ms) if at > now
        ]
    seen = [elsewhere(state, name, line) for name, line in site.lines.items()]
    instants += [at for each in seen if each is not None and (at := each.at + state.limits.elsewhere_ms) > now]
    held = [max(p.covered_until, p.grouped_until) for p in site.probes.values() if p.silent_since is not None]
    instants += [until for until in held if until > now]
    if _freshly_silent(site, state.limits, now):
        instants.append(now + SECOND_MS)
    if (lost := state.feeds.get(BROKER)) is not None:
        # a probe that is heard by another way tells nothing new by it
        passed = (lost.since + state.limits.settle_ms + SECOND_MS, lost.since + state.limits.together_ms)
        instants += [at for at in passed if at > now]
    if site.seats_expected is not None:
        instants.append((now // MINUTE_MS + 1) * MINUTE_MS)
    return min(instants, default=None)


def _freshly_silent(site: Site, limits: SiteLimits, now: int) -> bool:
    return any(p.silent_since is not None and now - p.said_silent_at < limits.together_ms for p in site.probes.values())


def _shown(state: SitesState, site_id: str) -> _Shown:
    site = state.sites[site_id]
    found = worst_ups(site)
    return _Shown(site.state, site.reason, None if found is None else found[1].power)
