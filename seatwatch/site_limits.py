"""Limits of sites, put together from the thresholds."""

from typing import Final

from seatwatch.settings import Defaults
from sla_engine._core.sites import Hours, SiteLimits
from sla_engine.zones import zone_table

MS_PER_MINUTE: Final = 60_000


def site_limits(defaults: Defaults) -> SiteLimits:
    """What turns words of probes into verdicts and incidents; hours are those of the default contract."""
    hours = Hours(
        zone_table(defaults.text("contract.time_zone")),
        opens_ms=defaults.minute_of_day("contract.service_window_starts") * MS_PER_MINUTE,
        closes_ms=defaults.minute_of_day("contract.service_window_ends") * MS_PER_MINUTE,
        day_starts_ms=defaults.minute_of_day("contract.business_day_starts") * MS_PER_MINUTE,
    )
    return defaults.fill(SiteLimits, "incidents", hours=hours)
