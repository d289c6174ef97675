"""Turns findings that come and go into incidents: one per cause, each a row of revisions with ids of their causes.

A partial trouble that becomes a total one, and back, is the same incident changing.
"""

from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from sla_engine._core.incidents.afterwards import remember_silence, silence_ended
from sla_engine._core.incidents.model import Finding, Open, SitesState
from sla_engine._core.incidents.slots import (
    ACCOUNT_,
    CLOCK_,
    FEED_,
    FLAPPING,
    GATEWAY,
    GROUP_,
    HUB,
    HUB_TIME,
    LINE_,
    MACHINES,
    MAINS_FLAPPING,
    MQTT,
    PHONE_,
    POWER,
    SEAT_,
    SEATS_SILENT,
    SILENT,
    UPLINK,
)
from wire.incident import SEATS_STAYED, SITES, SITES_BEFORE, SITES_REACHED, Cause, IncidentSaid, IncidentStep, Severity
from wire.limits import NAME_CHARS_MAX, WORD_CHARS_MAX
from wire.recorded import Recorded

HUB_CLOCK: Final = "hub"
PART_OF: Final = "part_of"
SITE_REMOVED: Final = "site_removed"
"""Details: it ended because its site is configured no more."""
# Format: of an incident's id on the record.
_ID_HEX: Final = 16

_GROWS_FROM: Final[dict[str, tuple[str, ...]]] = {
    HUB: (MQTT, UPLINK, SILENT, GATEWAY, GROUP_, SEAT_),
    MQTT: (SILENT, GATEWAY, GROUP_, SEAT_),
    UPLINK: (LINE_, FLAPPING, GATEWAY, SILENT, GROUP_, SEAT_),
    POWER: (MAINS_FLAPPING, SILENT, GATEWAY, GROUP_, SEAT_),
    SILENT: (GATEWAY, GROUP_, SEAT_),
    FLAPPING: (LINE_,),
    GROUP_: (GROUP_, SEAT_),
    HUB_TIME: (CLOCK_,),
}
"""Total trouble, and the partial ones it goes on from, the likeliest first."""
_COVERS: Final[dict[str, tuple[str, ...]]] = {
    HUB: (POWER, MAINS_FLAPPING, PHONE_, ACCOUNT_, LINE_, FLAPPING, FEED_),
    UPLINK: (PHONE_, ACCOUNT_, POWER, MAINS_FLAPPING),
    POWER: (PHONE_, ACCOUNT_, LINE_, FLAPPING, UPLINK),
    SILENT: (PHONE_, ACCOUNT_, LINE_, FLAPPING, POWER, MAINS_FLAPPING),
}
"""What is no longer looked at while the total trouble lasts."""
_OF_EVERY_SITE: Final = frozenset({HUB, MQTT, HUB_TIME})


def key_of(site: str, slot: str) -> str:
    """Where an incident is kept while it lasts."""
    return f"{site}|{slot}"


def reconcile(state: SitesState, wanted: dict[str, tuple[str, Finding]], entry: Recorded) -> None:
    """Bring the open incidents in line with what is found (by `key_of`), and leave what there is to say in `unsaid`."""
    new = sorted(key for key in wanted if key not in state.open)
    gone = sorted(key for key in state.open if key not in wanted)
    for key in new:
        site, finding = wanted[key]
        before = _goes_on_from(state, site, finding, gone)
        if before is None:
            said = _said(state, site, finding, entry)
            state.open[key] = Open(site, finding, said)
            state.unsaid.append(said)
            remember_silence(state, state.open[key])
            continue
        gone.remove(before)
        state.open[key] = state.open.pop(before)
        _go_on(state, state.open[key], site, finding, entry)
    for key in sorted(wanted.keys() - set(new)):
        _go_on(state, state.open[key], *wanted[key], entry)
    for key in gone:
        _close(state, state.open.pop(key), entry)


def _goes_on_from(state: SitesState, site: str, finding: Finding, gone: list[str]) -> str | None:
    """The incident that turned into this one: the earliest of the likeliest kind."""
    ranked = []
    for key in gone:
        before = state.open[key]
        rank = _rank(finding.slot, before.finding.slot)
        if rank is None or (site != before.site and not _OF_EVERY_SITE & {finding.slot, before.finding.slot}):
            continue
        if _is_one_moment(state, finding, before.finding):
            ranked.append((rank, before.finding.since, key))
    return min(ranked)[2] if ranked else None


def _rank(one: str, other: str) -> int | None:
    """How near two slots are, whichever of them is the total one; None when neither grows from the other."""
    for total, partial in ((one, other), (other, one)):
        kinds = _GROWS_FROM.get(_kind(total), ())
        if _kind(partial) in kinds:
            return kinds.index(_kind(partial))
    return None


def _is_one_moment(state: SitesState, found: Finding, before: Finding) -> bool:
    """Whether `found` may be `before` gone on: what is of machines, or of the hub, must have begun when that did.

    What is over is over for one seat that outlasts it: that seat is a trouble of its own. A battery that was running
    out no longer is once there are mains, however often they come and go. The hub's clock never was a gateway's.
    """
    kinds = {_kind(found.slot), _kind(before.slot)}
    was_low = found.slot == MAINS_FLAPPING and before.severity is Severity.CALL
    if was_low or _kind(found.slot) == SEAT_ or before.slot == HUB_TIME:
        return False
    return not kinds & {HUB, MQTT, *MACHINES} or abs(found.since - before.since) <= state.limits.together_ms


def _kind(slot: str) -> str:
    name, colon, _ = slot.partition(":")
    return name + colon


def _differs(one: Finding, other: Finding) -> bool:
    return _told(one) != _told(other)


def _told(found: Finding) -> tuple[object, ...]:
    """What of a finding is worth a revision."""
    is_of_sites = found.cause is Cause.PLATFORM
    sites = [found.details.get(name, "") for name in (SITES, SITES_REACHED) if is_of_sites]
    return found.cause, found.what, found.subject, found.severity, found.is_suspected, found.is_planned, *sites


def _go_on(state: SitesState, held: Open, site: str, finding: Finding, entry: Recorded) -> None:
    """The start of an incident and its first evidence stay those of what it began as, where that was earlier."""
    is_news = site != held.site or _differs(held.finding, finding)
    held.site = site
    held.finding = _grown(held.finding, finding)
    if is_news:
        _revise(state, held, IncidentStep.CHANGED, entry)
        remember_silence(state, held)


def _grown(was: Finding, now: Finding) -> Finding:
    """As it stands now, since it began; seats that it silenced stay so many when some of them are back.

    Sites that have it no more are kept by name: whoever was told of it there is told what becomes of it. Of a group
    only seats stayed that did so all the while.
    """
    kept = {SEATS_SILENT: was.details[SEATS_SILENT], **now.details} if SEATS_SILENT in was.details else now.details
    had = {site for name in (SITES, SITES_BEFORE) for site in was.details.get(name, "").split()}
    gone = had.difference(now.details.get(SITES, "").split())
    if gone and now.cause is Cause.PLATFORM:
        kept = {**kept, SITES_BEFORE: " ".join(sorted(gone))}
    if was.cause is now.cause is Cause.SEAT_GROUP:
        stayed = set(was.details.get(SEATS_STAYED, "").split()).intersection(kept.get(SEATS_STAYED, "").split())
        kept = {name: text for name, text in kept.items() if name != SEATS_STAYED}
        kept |= {SEATS_STAYED: " ".join(sorted(stayed))} if stayed else {}
    return replace(
        now, details=kept, since=min(was.since, now.since), first_index=min(was.first_index, now.first_index)
    )


def _close(state: SitesState, held: Open, entry: Recorded) -> None:
    """It is over; or is no longer looked at, because of a greater trouble or with its site, which is then said."""
    if held.site and held.site not in state.sites:
        held.finding = replace(held.finding, details={**held.finding.details, SITE_REMOVED: "yes"})
    total = next((each for each in state.open.values() if _explains(state, each, held)), None)
    if total is not None:
        details = {**held.finding.details, PART_OF: total.said.incident}
        held.finding = replace(held.finding, details=details)
    _revise(state, held, IncidentStep.CLOSED, entry)
    silence_ended(state, held, entry.received_at)


def _revise(state: SitesState, held: Open, step: IncidentStep, entry: Recorded) -> None:
    was = held.said
    said = _said(state, held.site, held.finding, entry)
    is_over = step is IncidentStep.CLOSED
    held.said = replace(
        said,
        incident=was.incident,
        revision=max(was.revision, state.recorded.get(was.incident, 0)) + 1,
        step=step,
        # what ends it may be told as of before it began: a snapshot that was repeated, by a clock that is behind
        ended_at=max(_event_time(entry), said.started_at) if is_over else None,
        details=details_of(held.finding, is_over=is_over),
    )
    state.unsaid.append(held.said)


def _explains(state: SitesState, total: Open, part: Open) -> bool:
    kind = _kind(total.finding.slot)
    covered = (*_GROWS_FROM.get(kind, ()), *_COVERS.get(kind, ()))
    is_work_alone = total.finding.is_planned and not part.finding.is_planned
    is_there = total.site == part.site or kind in _OF_EVERY_SITE
    # beside a broker that is gone for hours, sites that are heard by another way have troubles of their own
    is_there &= kind != MQTT or abs(total.finding.since - part.finding.since) <= state.limits.together_ms
    return is_there and _kind(part.finding.slot) in covered and not is_work_alone


def _said(state: SitesState, site: str, found: Finding, entry: Recorded) -> IncidentSaid:
    """The first revision of what `entry` gave away."""
    return IncidentSaid(
        occurred_at=entry.received_at,
        resolution_ms=1,
        clock=HUB_CLOCK,
        monotonic_ms=None,
        synced=True,
        shard_key="",
        incident=_id(state, site, found, entry),
        revision=1,
        step=IncidentStep.OPENED,
        cause=found.cause,
        what=found.what,
        site=site,
        subject=found.subject[:NAME_CHARS_MAX],
        severity=found.severity,
        is_suspected=found.is_suspected,
        is_planned=found.is_planned,
        started_at=max(found.since, 0),
        ended_at=None,
        of_ledger=state.ledger_id,
        first_index=min(found.first_index, entry.index),
        last_index=entry.index,
        details=details_of(found, is_over=False),
    )


def details_of(found: Finding, *, is_over: bool) -> dict[str, str]:
    """As the record takes them. Who stayed is known at the end."""
    return {name: _clipped(text) for name, text in found.details.items() if is_over or name != SEATS_STAYED}


def _clipped(text: str) -> str:
    """As much of it as a detail takes, names left whole: half of one is the name of another site."""
    if len(text) <= WORD_CHARS_MAX:
        return text
    return text[: WORD_CHARS_MAX + 1].rpartition(" ")[0] or text[:WORD_CHARS_MAX]


def _event_time(entry: Recorded) -> int:
    """When it happened, by the source's clock where that is not ahead of the hub's."""
    return entry.received_at if entry.body is None else min(entry.body.occurred_at, entry.received_at)


def _id(state: SitesState, site: str, finding: Finding, entry: Recorded) -> str:
    """Computed from what it is about, when it began and the entry that gave it away: the same for every replay."""
    parts = (state.ledger_id.hex(), str(finding.cause), site, finding.slot, str(finding.since), str(entry.index))
    return "i-" + sha256("\n".join(parts).encode()).hexdigest()[:_ID_HEX]
