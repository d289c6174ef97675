"""Incidents and notifications as samples of /metrics."""

from collections import Counter
from typing import Final

from dashboards import catalogue as c
from dashboards.alerting._core.kinds import layer_of, subject_label
from dashboards.exposition import Sink
from dashboards.snapshot import OnCallFigures

_WHATS: Final = frozenset(c.LABEL_VALUES["what"])


def expose(sink: Sink, figures: OnCallFigures, ids_max: int) -> int:
    """Add the samples, of at most `ids_max` incidents and alerts. Returns how many were left out."""
    found: Counter[tuple[str, ...]] = Counter(
        (said.site, subject_label(said.what, said.subject), _word(said.what), said.severity, layer_of(said.what))
        for said in figures.open
    )
    for key, count in list(found.items())[:ids_max]:
        sink.add(c.INCIDENT_OPEN, key, count)
    for alert in figures.alerts[:ids_max]:
        one = alert.identity
        key = (one.incident, one.site, one.subject, _word(one.what), one.severity, one.layer, str(one.tier))
        sink.add(c.INCIDENT_PAGING, key, int(alert.ended_at is None))
    for result, count in figures.pushes.items():
        sink.add(c.ALERT_PUSHES, (result,), count)
    for (channel, result), count in figures.notifications.items():
        sink.add(c.NOTIFICATIONS, (channel, result), count)
    return max(0, len(found) - ids_max) + max(0, len(figures.alerts) - ids_max)


def _word(what: str) -> str:
    return what if what in _WHATS else c.OTHER
