"""What the configured contracts promise, as rules for Prometheus."""

from pathlib import Path
from typing import Final

from dashboards.alerting.burn import DAYS_IN_PERIOD, BurnSettings, Promise, burn_groups
from dashboards.alerting.yaml_text import yaml_text
from seatwatch.config import ClientSection, Config
from seatwatch.on_call_config import AlertingSection
from seatwatch.server.on_call import annotation_words
from seatwatch.server.rules import client_definitions
from seatwatch.settings import Defaults
from sla_engine._core.calendar import Calendar

_PERIOD_MS: Final = DAYS_IN_PERIOD * 24 * 3_600_000


def promises_text(config: Config, base: Path, defaults: Defaults) -> str:
    """The rule file: a group for each contract that states a percentage. base: names files from there. ConfigError."""
    found = [promised for client in config.client if (promised := _promise(client, base)) is not None]
    settings = burn_settings(defaults, config.alerting)
    heading = "Written by `seatwatch alerting rules`; write it again after a change of a contract."
    return yaml_text({"groups": burn_groups(found, annotation_words(), settings)}, heading=heading)


def burn_settings(defaults: Defaults, alerting: AlertingSection) -> BurnSettings:
    """The shipped thresholds, and what a person configured of alerts."""
    job, runbooks = alerting.scrape_job, alerting.runbooks_at
    return defaults.fill(BurnSettings, "paging", prefix="burn_", scrape_job=job, runbooks=runbooks)


def _promise(client: ClientSection, base: Path) -> Promise | None:
    definitions, contract = client_definitions(client, base)
    if contract.attainment_target_bp is None:
        return None
    primary = next(each for each in definitions if each.name == contract.definitions[0])
    begins_at = contract.effective_from if contract.running_in_until is None else contract.running_in_until
    return Promise(
        client=client.id,
        contract=contract.name,
        queues=contract.queues,
        target_bp=contract.attainment_target_bp,
        begins_at=begins_at,
        ends_at=contract.effective_until,
        open_ms=Calendar(primary).open_ms(begins_at, begins_at + _PERIOD_MS),
    )
