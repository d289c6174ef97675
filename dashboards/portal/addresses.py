"""Addresses of the portal's pages, which keep what was chosen while one goes from page to page."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlencode

from dashboards.portal.doors import ROOT, Visit
from dashboards.portal.which import NAMES

KEPT: Final = ("lang", "client", "from", "to", "queue")
"""What of an address goes along from page to page."""
KEPT_BELOW: Final = (*KEPT, *NAMES)
"""What goes along from a figure down to a timeline, and back."""


def links(visit: Visit, names: Sequence[str] = KEPT) -> Callable[..., str]:
    """Addresses of pages that keep language, client and time, or what `names` says; "" = this page as it is."""
    asked = dict(visit.request.query)
    kept = {name: asked[name] for name in names if name in asked}

    def to(page: str, /, **changes: str | int) -> str:
        renamed = {name.rstrip("_"): value for name, value in changes.items()}
        told = {**(kept if page else asked), "lang": visit.language, **renamed}
        query = {name: value for name, value in told.items() if value != ""}
        return f"{ROOT}/{page}?{urlencode(query)}" if page else f"{visit.request.path}?{urlencode(query)}"

    return to


def incident_link(visit: Visit) -> Callable[[str], str]:
    """The address of an incident's page by its id."""
    to = links(visit)
    return lambda incident: to("incident", id=incident)
