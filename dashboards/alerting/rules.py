"""Prometheus rules, made of the same table as the pager: the second way for an incident to reach Alertmanager.

A rule gives exactly the labels a push gives, so Alertmanager sees one alert, whichever way is first.
"""

from typing import Final

import msgspec

from dashboards.alerting._core.kinds import ALWAYS_FIRES, HUB, HUB_DOWN, IDENTITY_TWICE, LAYER_OF, Layer, alert_name
from dashboards.alerting._core.pager import Identity
from dashboards.alerting._core.wording import SAID_AT, TEMPLATE_SAID_AT, Words, rule_annotations
from dashboards.alerting.yaml_text import Yaml
from dashboards.catalogue import (
    AHEAD,
    ALERT_PUSHES,
    BOARD_AGE,
    IDENTITY_STEPS,
    INCIDENT_PAGING,
    NOTIFICATIONS,
    exposed_name,
)
from wire.identity import IdentityStep
from wire.incident import Severity

WATCHDOG: Final = alert_name(ALWAYS_FIRES)
HUB_DOWN_FOR: Final = "seatwatch:hub_down_for_seconds"
"""A recording of our own."""
_SAID_AT: Final = {SAID_AT: TEMPLATE_SAID_AT}
"""Worked out anew with every evaluation in which the alert fires."""


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`, in seconds. scrape_job: Prometheus's name for the hub. runbooks: where they are.

    tiers, call_rounds: how many stand on the duty list, and how often it is gone through; of a hub that is gone only
    Prometheus can tell the next one, and nobody can take it on.

    record_ahead_max_s: from `[board]`, beyond which no board is live.
    """

    scrape_job: str
    runbooks: str
    tiers: int
    call_rounds: int
    escalate_after_s: float
    evaluation_interval_s: float
    hub_down_after_s: float
    board_old_after_s: float
    record_ahead_max_s: float
    ended_kept_s: float
    failing_window_s: float


def rule_groups(words: Words, settings: RuleSettings) -> dict[str, Yaml]:
    """The rule file, as a table. Causes stand before their symptoms: rules of a group are evaluated in order."""
    interval = seconds(settings.evaluation_interval_s)
    incidents: list[Yaml] = [_incident_rule(words, what, settings) for what in LAYER_OF]
    return {
        "groups": [
            {"name": "seatwatch-incidents", "interval": interval, "rules": incidents},
            {"name": "seatwatch-itself", "interval": interval, "rules": _own_rules(words, settings)},
        ]
    }


def seconds(value: float) -> str:
    """As a duration of Prometheus and Alertmanager."""
    return f"{round(value * 1000)}ms" if value % 1 else f"{round(value)}s"


def _hub(_language: str) -> str:
    return f"{HUB}: "


def _incident_rule(words: Words, what: str, settings: RuleSettings) -> dict[str, Yaml]:
    """Firing while the hub says so; while the hub is away, as long as it said so last."""
    labels = ", ".join(Identity.__struct_fields__)
    series = f'{exposed_name(INCIDENT_PAGING)}{{what="{what}"}}'
    kept = seconds(settings.ended_kept_s)
    now = f"max by ({labels}) ({series}) == 1"
    before = f"max by ({labels}) (last_over_time({series}[{kept}])) == 1"
    away = f'max(up{{job="{settings.scrape_job}"}}) == 1'
    expression = f"({now}) or (({before}) unless on () ({away}))"
    return {
        "alert": alert_name(what),
        "expr": expression,
        "annotations": rule_annotations(words, what, settings.runbooks) | _SAID_AT,
    }


def _hub_down_for(settings: RuleSettings) -> dict[str, Yaml]:
    """For how long (s) Prometheus has seen the hub down, 0 while it is up. What it was away for itself does not count.

    `for` alone would begin anew with Prometheus's start in some calls and not in others: it keeps the long ones only.
    """
    is_up = f'(min(up{{job="{settings.scrape_job}"}}) or vector(0)) > 0'
    kept = seconds(settings.tiers * settings.call_rounds * settings.escalate_after_s)
    before = f"last_over_time({HUB_DOWN_FOR}[{kept}])"
    expression = f"0 * ({is_up}) or ({before} + {settings.evaluation_interval_s:g}) or vector(0)"
    return {"record": HUB_DOWN_FOR, "expr": expression}


def _is_called(call: int, settings: RuleSettings) -> str:
    """Whether that call about the hub is the newest to somebody on duty; `for` comes on top of it.

    It goes on until the next one to the same person fires, so that it is not told as over in between.
    """
    every_s, tiers = settings.escalate_after_s, settings.tiers
    begins = f"{HUB_DOWN_FOR} > {(call - 1) * every_s:g}"
    if call > tiers * (settings.call_rounds - 1):
        return begins
    return f"({begins}) < {(call - 1 + tiers) * every_s + 2 * settings.hub_down_after_s:g}"


def _own_rules(words: Words, settings: RuleSettings) -> list[Yaml]:
    window = seconds(settings.failing_window_s)
    failed = f'{exposed_name(NOTIFICATIONS)}{{result="failed"}}'
    unpushed = f'{exposed_name(ALERT_PUSHES)}{{result="failed"}}'
    doubled = f'{exposed_name(IDENTITY_STEPS)}{{step="{IdentityStep.SEEN_TWICE}"}}'
    old_s = round(settings.board_old_after_s)
    ahead_s = round(settings.record_ahead_max_s)
    after_s = settings.hub_down_after_s

    def own(what: str, expression: str, severity: str, layer: Layer, for_s: float, tier: int = 1) -> dict[str, Yaml]:
        return {
            "alert": alert_name(what),
            "expr": expression,
            "for": seconds(for_s),
            "labels": {"site": HUB, "what": what, "severity": severity, "layer": layer.value, "tier": str(tier)},
            "annotations": rule_annotations(words, what, settings.runbooks, begins=_hub) | _SAID_AT,
        }

    return [
        _hub_down_for(settings),
        *(
            own(HUB_DOWN, _is_called(call, settings), Severity.CALL.value, Layer.MONITORING, after_s, call)
            for call in range(1, settings.tiers * settings.call_rounds + 1)
        ),
        own("board_old", f"max({exposed_name(BOARD_AGE)}) > {old_s}", Severity.PAGE.value, Layer.OTHER, after_s),
        own("record_ahead", f"max({exposed_name(AHEAD)}) > {ahead_s}", Severity.PAGE.value, Layer.OTHER, after_s),
        own("notify_failing", f"sum(increase({failed}[{window}])) > 0", Severity.PAGE.value, Layer.OTHER, 0),
        own(IDENTITY_TWICE, f"sum(increase({doubled}[{window}])) > 0", Severity.TICKET.value, Layer.OTHER, 0),
        own("push_failing", f"sum(increase({unpushed}[{window}])) > 0", Severity.TICKET.value, Layer.OTHER, 0),
        {
            "alert": WATCHDOG,
            "expr": "vector(1)",
            "labels": {"site": HUB, "what": ALWAYS_FIRES, "severity": "none", "layer": Layer.OTHER.value},
            "annotations": rule_annotations(words, ALWAYS_FIRES, settings.runbooks, begins=_hub),
        },
    ]
