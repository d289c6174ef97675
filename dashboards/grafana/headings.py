"""The words that head columns of labels."""

from typing import Final

HEADINGS: Final = {
    **{f"{kind}_name": kind for kind in ("client", "queue", "team", "site")},
    "client": "grafana_client_id",
    "queue": "grafana_queue_id",
    "team": "grafana_team_id",
    "site": "grafana_site_id",
    "alertname": "grafana_alertname",
    "severity": "grafana_severity",
    "subject": "grafana_subject",
    "what": "grafana_what",
    "layer": "grafana_layer",
    "tier": "grafana_tier",
    "definition": "definition_word",
    "ledger": "grafana_ledger",
}
"""Label -> the word that heads its column."""
