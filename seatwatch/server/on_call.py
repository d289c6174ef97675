"""Who is called: the configuration made into a pager, and into the files that Prometheus and Alertmanager read."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from dashboards.alerting._core.pager import Holds, PagerSettings
from dashboards.alerting.alertmanager import RouteSettings, configuration
from dashboards.alerting.on_call import OnCall, OnCallSettings
from dashboards.alerting.rules import RuleSettings, rule_groups
from dashboards.alerting.yaml_text import yaml_text
from seatwatch import glossary
from seatwatch.config import Config
from seatwatch.settings import Defaults

LANGUAGES: Final[tuple[glossary.Language, ...]] = ("zh", "en")
"""As annotations name them: summary_zh, summary_en."""


def annotation_words() -> dict[str, dict[str, str]]:
    """The glossary by the language of an annotation."""
    return {name: {key: word.text(name) for key, word in glossary.words().items()} for name in LANGUAGES}


def tiers(config: Config) -> int:
    """How many are called one after the other."""
    return max(1, len(config.duty))


def on_call(config: Config, defaults: Defaults, clock_ms: Callable[[], int]) -> OnCall:
    """The pager of a server."""
    holds = defaults.fill(Holds, "paging", prefix="hold_")
    pager = defaults.fill(PagerSettings, "paging", holds=holds, tiers=tiers(config))
    settings = defaults.fill(OnCallSettings, "paging", pager=pager)
    return OnCall(config.alerting.alertmanager_urls, settings=settings, words=annotation_words(), clock_ms=clock_ms)


def rules_text(config: Config, defaults: Defaults) -> str:
    """The rule file for Prometheus."""
    settings = defaults.fill(RuleSettings, "paging", scrape_job=config.alerting.scrape_job)
    heading = "Written by `seatwatch alerting rules`; write it again after an update of Seatwatch."
    return yaml_text(rule_groups(annotation_words(), settings), heading=heading)


def alertmanager_text(config: Config, defaults: Defaults, token_file: Path) -> str:
    """The configuration for Alertmanager. token_file: where Alertmanager finds the bridge's token."""
    alerting = config.alerting
    settings = defaults.fill(
        RouteSettings,
        "paging",
        tiers=tiers(config),
        bridge_url=alerting.bridge_url,
        token_file=str(token_file),
        deadman_url=alerting.deadman_url,
    )
    heading = "Written by `seatwatch alerting alertmanager`; write it again after a change of the duty list."
    return yaml_text(configuration(settings), heading=heading)
