"""Incidents as the hub says them, for tests of what pages."""

from wire.incident import Cause, IncidentSaid, IncidentStep, Severity

MINUTE = 60_000


def incident(  # noqa: PLR0913 - every argument is a field a test may care about
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
