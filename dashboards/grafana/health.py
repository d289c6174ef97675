"""The board of Seatwatch itself: is what the others show to be trusted?

Layout: all numbers are columns, rows and looks of panels.
"""

from collections.abc import Sequence
from typing import Final

from grafanalib.core import Dashboard, Panel

from dashboards import catalogue as c
from dashboards.alerting._core.kinds import HUB
from dashboards.grafana.frame import GrafanaSettings, board, firing_alerts
from dashboards.grafana.panels import GREEN, RED, Column, Drawing, Query, placed
from dashboards.grafana.queries import RECENT, highest, per_second, quantile, series, total

_STAT: Final = 4
_CHART: Final = 8
_BY: Final = "ledger"


def health(draw: Drawing, settings: GrafanaSettings) -> Dashboard:
    """Scrape, intake, disk, engine, screens and the ways to people."""
    anomalies = Query(total(c.ENGINE_ANOMALIES, {}, "anomaly"), "{{anomaly}}")
    ledgers = [
        Column(total(c.LEDGER_ENTRIES, {}, _BY), "grafana_entries"),
        Column(total(c.ENGINE_LAG, {}, _BY), "grafana_lag"),
        Column(total(c.ENGINE_ANOMALIES, {}, _BY), "grafana_anomalies"),
    ]
    rows = [
        (_STAT, _now(draw, settings.scrape_job)),
        (_CHART, _intake(draw)),
        (_CHART, _delays(draw)),
        (
            _CHART,
            [
                draw.table("grafana_ledgers", [_BY], ledgers, width=12),
                draw.bars("grafana_anomalies", anomalies, width=12),
            ],
        ),
        (_CHART, _outwards(draw)),
        (_CHART, [firing_alerts(draw, f',site=~"{HUB}|"', width=24)]),
    ]
    return board(draw, "grafana_health", placed(rows), settings=settings, variables=[])


def _now(draw: Drawing, scrape_job: str) -> Sequence[Panel]:
    reached = draw.named({"0": ("grafana_hub_unreached", RED), "1": ("grafana_hub_reached", GREEN)})
    return [
        draw.stat("grafana_hub", [Query(f'min(up{{job="{scrape_job}"}})')], width=4, mappings=reached),
        draw.stat("grafana_version", [Query(series(c.BUILD, {}), "{{version}}")], width=4, text="name"),
        draw.stat("grafana_board_age", [Query(highest(c.BOARD_AGE, {}))], width=4, unit="s"),
        draw.stat("grafana_waiting_rows", [Query(total(c.WAITING_ROWS, {}))], width=4),
        draw.stat("grafana_ahead", [Query(highest(c.AHEAD, {}))], width=4, unit="s"),
        draw.stat("grafana_capped", [Query(total(c.IDS_CAPPED, {}))], width=4),
    ]


def _intake(draw: Drawing) -> Sequence[Panel]:
    arriving = ((c.FRAMES, "grafana_frames"), (c.ACCEPTED, "grafana_accepted"), (c.REPEATS, "grafana_repeats"))
    odd = ((c.GAPS, "grafana_gaps"), (c.EQUIVOCATIONS, "equivocations"), (c.UNROUTED, "unrouted"))
    refused = [
        Query(per_second(c.FRAMES_REFUSED, {}, "refusal"), "{{refusal}}"),
        Query(per_second(c.QUARANTINED, {}, "reason"), "{{reason}}"),
    ]
    return [
        draw.lines(
            "grafana_intake",
            [Query(per_second(metric, {}), draw.title(word)) for metric, word in arriving],
            width=8,
            unit="cps",
        ),
        draw.lines("grafana_refused", refused, width=8, unit="cps"),
        draw.lines("grafana_odd", [Query(total(metric, {}), draw.title(word)) for metric, word in odd], width=8),
    ]


def _delays(draw: Drawing) -> Sequence[Panel]:
    commits = [Query(quantile(share, c.COMMIT, {}, RECENT), name) for share, name in (("0.5", "p50"), ("0.99", "p99"))]
    lag = [Query(highest(c.ENGINE_LAG, {}, _BY), "{{ledger}}")]
    lateness = [Query(quantile("0.99", c.LATENESS, {}, RECENT, "notice"), "{{notice}} p99")]
    return [
        draw.lines("grafana_commits", commits, width=8, unit="s"),
        draw.lines("grafana_lags", lag, width=8),
        draw.lines("grafana_lateness", lateness, width=8, unit="s"),
    ]


def _outwards(draw: Drawing) -> Sequence[Panel]:
    screens = [
        Query(total(c.SCREENS, {}), draw.title("grafana_screens")),
        Query(per_second(c.SCREEN_FRAMES_DROPPED, {}), draw.title("grafana_dropped")),
    ]
    told = [
        Query(per_second(c.ALERT_PUSHES, {}, "result"), "{{result}}"),
        Query(per_second(c.NOTIFICATIONS, {}, "channel", "result"), "{{channel}} {{result}}"),
    ]
    return [
        draw.lines("grafana_screens_over_time", screens, width=8),
        draw.lines("grafana_scrapes", [Query(highest(c.SCRAPE_SECONDS, {}))], width=8, unit="s"),
        draw.lines("grafana_told", told, width=8, unit="cps"),
    ]
