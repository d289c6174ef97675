"""Alertmanager's configuration, made of the duty list and the pager's table. Written to the subset of version 0.25."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from dashboards.alerting._core.kinds import CALLS_MAX, EXPLAINS, SITE_WIDE, WORSE_THAN, Layer, alert_name, layer_of
from dashboards.alerting.rules import WATCHDOG, seconds
from dashboards.alerting.yaml_text import Yaml
from wire.incident import Severity

TICKETS: Final = "tickets"
DEADMAN: Final = "deadman"
NOBODY: Final = "nobody"
GRAVER: Final[Mapping[Severity, str]] = {
    Severity.CALL: f"{Severity.CALL}|{Severity.PAGE}|{Severity.TICKET}",
    Severity.PAGE: f"{Severity.PAGE}|{Severity.TICKET}",
}
"""What a cause of that severity may keep quiet: nothing graver than itself."""


def duty_receiver(tier: int) -> str:
    """The receiver of the `tier`-th on the duty list, from 1."""
    return f"duty-{tier}"


class RouteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`, in seconds.

    tiers: how many stand on the duty list. bridge_url: where notifications go, without the receiver's name.
    token_file: what Alertmanager reads its bearer token from. has_deadman: the bridge tells a dead man's switch of the
    watchdog.
    """

    tiers: int
    bridge_url: str
    token_file: str
    has_deadman: bool
    group_wait_s: float
    group_interval_s: float
    repeat_interval_s: float
    ticket_wait_s: float
    ticket_interval_s: float
    watchdog_interval_s: float
    alerts_shown: int


def configuration(settings: RouteSettings) -> dict[str, Yaml]:
    """The whole file, as a table."""
    tiers = range(1, settings.tiers + 1)
    repeat = seconds(settings.repeat_interval_s)
    interval_s = settings.watchdog_interval_s
    routes: list[Yaml] = [
        {
            "receiver": DEADMAN if settings.has_deadman else NOBODY,
            "matchers": [f'alertname="{WATCHDOG}"'],
            "group_wait": "0s",
            "group_interval": seconds(interval_s),
            # at the next look an interval later, as long ago would often be a few ms too little to tell it again
            "repeat_interval": seconds(interval_s / 2),
        },
        {
            "receiver": TICKETS,
            "matchers": [f'severity="{Severity.TICKET}"'],
            "group_wait": seconds(settings.ticket_wait_s),
            "group_interval": seconds(settings.ticket_interval_s),
            "repeat_interval": repeat,
        },
    ]
    for tier in tiers:
        own = "|".join(str(call) for call in range(tier, CALLS_MAX + 1, settings.tiers))
        routes.append({"receiver": duty_receiver(tier), "matchers": [f'tier=~"{own}"']})
    receivers: list[Yaml] = [_receiver(name, settings) for name in (*map(duty_receiver, tiers), TICKETS)]
    watchdog = _receiver(DEADMAN, settings, ends_are_told=False)
    receivers.append(watchdog if settings.has_deadman else {"name": NOBODY})
    return {
        "route": {
            "receiver": duty_receiver(1),
            "group_by": ["site"],
            "group_wait": seconds(settings.group_wait_s),
            "group_interval": seconds(settings.group_interval_s),
            "repeat_interval": repeat,
            "routes": routes,
        },
        "inhibit_rules": list(_inhibitions()),
        "receivers": receivers,
    }


def _receiver(name: str, settings: RouteSettings, *, ends_are_told: bool = True) -> dict[str, Yaml]:
    webhook: dict[str, Yaml] = {
        "url": f"{settings.bridge_url.rstrip('/')}/{name}",
        "send_resolved": ends_are_told,
        "max_alerts": settings.alerts_shown,
        "http_config": {"authorization": {"credentials_file": settings.token_file}},
    }
    return {"name": name, "webhook_configs": [webhook]}


def _inhibitions() -> Iterator[Yaml]:
    """What the pager decides already, once more for alerts that only the rules know, and for both ways at once.

    A planned alert bears no layer of a cause, and is the source of none of these.
    """
    for layer, below in EXPLAINS.items():
        for severity, lesser in GRAVER.items():
            yield {
                "source_matchers": [f'layer="{layer}"', f'severity="{severity}"'],
                "target_matchers": [f'layer=~"{"|".join(below)}"', f'severity=~"{lesser}"'],
                "equal": [] if layer is Layer.MONITORING else ["site"],
            }
    for cause, symptoms in WORSE_THAN.items():
        names = "|".join(alert_name(symptom) for symptom in symptoms)
        for severity, lesser in GRAVER.items():
            yield {
                "source_matchers": [
                    f'alertname="{alert_name(cause)}"',
                    f'layer="{layer_of(cause)}"',
                    f'severity="{severity}"',
                ],
                "target_matchers": [f'alertname=~"{names}"', f'severity=~"{lesser}"'],
                "equal": ["site"] if layer_of(cause) in SITE_WIDE else ["site", "subject"],
            }
