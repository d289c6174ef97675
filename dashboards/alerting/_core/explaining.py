"""Which of two incidents keeps the other one quiet."""

from typing import Final

from dashboards.alerting._core.kinds import PAGES_WHEN_PLANNED, SITE_WIDE, Layer, explains, layer_of
from wire.incident import IncidentSaid, Severity

# Format: an order of severities.
RANK: Final = {Severity.INFO: 0, Severity.TICKET: 1, Severity.PAGE: 2, Severity.CALL: 3}


def accounts_for(cause: IncidentSaid, symptom: IncidentSaid) -> bool:
    """Whether the one is what the other comes of."""
    if layer_of(cause.what) is Layer.MONITORING:
        return explains(cause.what, symptom.what)
    if cause.site != symptom.site or not explains(cause.what, symptom.what):
        return False
    is_of_the_site = layer_of(cause.what) is not layer_of(symptom.what) or layer_of(cause.what) in SITE_WIDE
    return is_of_the_site or not cause.subject or not symptom.subject or cause.subject == symptom.subject


def is_loud_enough(cause: IncidentSaid, symptom: IncidentSaid) -> bool:
    """Whether people hear of the cause no less loudly, or both are planned."""
    return symptom.is_planned if cause.is_planned else RANK[cause.severity] >= RANK[symptom.severity]


def keeps_quiet(cause: IncidentSaid, symptom: IncidentSaid) -> bool:
    """Whether nobody need be told of the symptom while people are told of the cause, or both are planned."""
    return is_loud_enough(cause, symptom) and accounts_for(cause, symptom)


def is_twin(paged: IncidentSaid, other: IncidentSaid) -> bool:
    """Two UPSes of one site on battery are one power cut, and page once. A battery running out always pages."""
    layer = layer_of(other.what)
    is_twin = paged.site == other.site and layer in SITE_WIDE and layer_of(paged.what) is layer
    return is_twin and (other.what not in PAGES_WHEN_PLANNED or paged.what == other.what)
