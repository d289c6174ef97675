"""What the configured contracts promise, as rules for Prometheus."""

from bisect import bisect_left
from datetime import date
from pathlib import Path
from typing import Final

from dashboards.alerting.burn import DAYS_IN_PERIOD, MS_PER_S, BurnSettings, Promise, SpecialDay, burn_groups
from dashboards.alerting.yaml_text import yaml_text
from seatwatch.config import ClientSection, Config
from seatwatch.on_call_config import AlertingSection
from seatwatch.server.on_call import annotation_words
from seatwatch.server.rules import client_definitions
from seatwatch.settings import Defaults
from sla_engine._core.calendar import Calendar
from sla_engine._core.contract import SpecialTarget
from sla_engine._core.windows import DAY_MS

_PERIOD_MS: Final = DAYS_IN_PERIOD * DAY_MS


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
    calendar = Calendar(primary)
    daily_ms = [calendar.open_ms(day, day + DAY_MS) for day in range(begins_at, begins_at + _PERIOD_MS, DAY_MS)]
    return Promise(
        client=client.id,
        contract=contract.name,
        queues=contract.queues,
        target_bp=contract.attainment_target_bp,
        begins_at=begins_at,
        ends_at=contract.effective_until,
        open_ms=sum(daily_ms),
        # one at the least, of a service that is closed all month
        open_days=sum(1 for open_ms in daily_ms if open_ms) or 1,
        special=tuple(_special_day(each, calendar) for each in contract.special_targets),
    )


def _special_day(special: SpecialTarget, calendar: Calendar) -> SpecialDay:
    """The time that the calendar counts to the date of `special`."""
    number = date.fromisoformat(special.date).toordinal() - date(1970, 1, 1).toordinal()
    # no zone is a day from UTC, and no window of a date reaches beyond the date after it
    instants = range((number - 1) * DAY_MS, (number + 3) * DAY_MS, MS_PER_S)
    begins, ends = (instants[bisect_left(instants, day, key=calendar.date_of)] for day in (number, number + 1))
    return SpecialDay(begins_at=begins, ends_at=ends, target_bp=special.attainment_target_bp)
