"""Sites that the record knows and the configuration does not: said once, so that what is open there ends."""

from collections.abc import Callable, Collection

import structlog

from collector._core import derived
from seatwatch.server.incidents import IncidentBook
from sla_engine.runners.sites import SitesRunner

log = structlog.get_logger()


async def say_removed_sites(
    sites: SitesRunner, configured: Collection[str], book: IncidentBook, clock_ms: Callable[[], int]
) -> None:
    """Put on the operator's record which sites are configured no more, as soon as it has been read."""
    await sites.caught_up.wait()
    removed = sorted(sites.sites() - {*configured})
    for site in removed:
        log.warning("site.removed", site=site)
    if removed:
        await book.append([derived.site_removed(site, clock_ms()) for site in removed])
