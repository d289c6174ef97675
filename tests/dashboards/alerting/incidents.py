"""Incidents as the hub says them, for tests of what pages."""

from dashboards.alerting._core.kinds import LAYER_OF
from dashboards.alerting._core.pager import Alert, Holds, Pager, PagerSettings
from wire.incident import Cause, IncidentSaid, IncidentStep, Severity

SECOND = 1_000
MINUTE = 60_000
HOLDS = Holds(**{f"{what}_ms": 15 * SECOND for what in LAYER_OF} | {"battery_low_ms": 0, "seats_lost_ms": 5 * SECOND})
SETTINGS = PagerSettings(
    holds=HOLDS,
    tiers=2,
    call_rounds=3,
    often_pages=2,
    often_within_ms=10 * MINUTE,
    often_hold_ms=MINUTE,
    escalate_after_ms=5 * MINUTE,
    after_cause_ms=MINUTE,
    clock_trust_ms=2 * SECOND,
    resolve_after_ms=10 * SECOND,
    ended_kept_ms=5 * MINUTE,
)


def incident(
    what: str,
    at: int,
    *,
    site: str = "site1",
    subject: str = "",
    severity: Severity = Severity.PAGE,
    ended_at: int | None = None,
    revision: int = 0,
    is_planned: bool = False,
    cause: Cause = Cause.SITE_POWER,
    details: dict[str, str] | None = None,
) -> IncidentSaid:
    """One revision of the incident of `what` that began `at`; the same arguments always mean the same incident."""
    step = IncidentStep.OPENED if ended_at is None else IncidentStep.CLOSED
    return IncidentSaid(
        occurred_at=at,
        resolution_ms=1,
        clock="hub",
        monotonic_ms=None,
        synced=True,
        shard_key="",
        incident=f"{site}/{what}/{subject or '-'}/{at}",
        revision=revision,
        step=step,
        cause=cause,
        what=what,
        site=site,
        subject=subject,
        severity=severity,
        is_suspected=False,
        is_planned=is_planned,
        started_at=at,
        ended_at=ended_at,
        of_ledger=bytes(16),
        first_index=0,
        last_index=0,
        details=details or {},
    )


def paged(said: IncidentSaid, at: int) -> list[Alert]:
    """The alerts of one incident, a minute after it was heard of."""
    pager = Pager(SETTINGS)
    pager.hear([said], at)
    pager.advance(at + MINUTE)
    return pager.alerts()
