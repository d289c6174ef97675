"""The board of a client: what it was promised, and what its customers got.

Layout: all numbers are columns, rows and looks of panels.
"""

from collections.abc import Sequence
from typing import Final

from grafanalib.core import Dashboard, Panel

from dashboards import catalogue as c
from dashboards.grafana.figures import Figures
from dashboards.grafana.frame import (
    GrafanaSettings,
    board,
    client_variable,
    firing_alerts,
    link_to,
    queue_variable,
)
from dashboards.grafana.panels import GREEN, RED, Column, Drawing, Query, placed, steps
from dashboards.grafana.queries import (
    CLIENT,
    DAY,
    QUEUE,
    called,
    called_where_named,
    gained,
    highest,
    legend,
    lowest,
    ratio,
    total,
)

_STAT: Final = 4
_CHART: Final = 9
_TABLE: Final = 10
_TEAM: Final = ("client", "team")
_PROMISED: Final = 'client=~"$client"'
"""What the generated rules about contracts can be chosen by."""


def client(draw: Drawing, settings: GrafanaSettings) -> Dashboard:
    """The service level of a client."""
    figures = Figures(draw, settings, QUEUE)
    by = ("client", "queue")
    link = link_to("queue", client="client", queue="queue")
    rows = [
        (
            _STAT,
            [
                figures.waiting(3),
                figures.overdue(3),
                figures.attainment(8),
                figures.average_response(4),
                draw.stat("coverage", [Query(lowest(c.COVERAGE, CLIENT))], width=3, unit="percentunit"),
                draw.stat("grafana_shortfall", [Query(total(c.SHORTFALL, CLIENT))], width=3, unit="s"),
            ],
        ),
        (_CHART, [figures.attainment_over_time(12, *by), figures.arrivals(12, *by)]),
        (_TABLE, [draw.table("grafana_queues", by, figures.columns(*by), width=24, link=link)]),
        (_CHART, _today(draw)),
        (_CHART, [draw.table("grafana_teams", _TEAM, _teams(), width=24)]),
        (_CHART, _promise(draw)),
        (_CHART, [firing_alerts(draw, f",{_PROMISED}", width=24)]),
    ]
    variables = [client_variable(draw), queue_variable(draw)]
    return board(draw, "grafana_client", placed(rows), settings=settings, variables=variables)


def _today(draw: Drawing) -> Sequence[Panel]:
    outcomes = total(c.SESSIONS, {**QUEUE, **DAY}, "outcome")
    buckets = gained(c.FIRST_RESPONSE, QUEUE, "$__range", "le", suffix="_bucket")
    seats = [
        Query(called(total(metric, CLIENT, "client"), "client"), f"{legend('client')} {draw.title(word)}")
        for metric, word in ((c.STAFFED, "grafana_staffed"), (c.CONTRACTED, "contracted_seats"))
    ]
    return [
        draw.bars("grafana_first_responses", Query(buckets, "{{le}}"), width=8),
        draw.bars("grafana_outcomes", Query(outcomes, "{{outcome}}"), width=8),
        draw.lines("grafana_seats", seats, width=8),
    ]


def _teams() -> Sequence[Column]:
    met, judged = (total(metric, CLIENT, *_TEAM) for metric in (c.TEAM_MET, c.TEAM_JUDGED))
    return [
        Column(ratio(met, judged), "attainment", "percentunit"),
        Column(met, "met"),
        Column(judged, "grafana_judged"),
        Column(highest(c.TEAM_SATURATION, CLIENT, *_TEAM), "saturation", "percentunit"),
        Column(highest(c.TEAM_OCCUPANCY, CLIENT, *_TEAM), "occupancy", "percentunit"),
        Column(total(c.TEAM_SURGE, CLIENT, *_TEAM), "grafana_surge"),
    ]


def _promise(draw: Drawing) -> Sequence[Panel]:
    """Over the recordings of `seatwatch.promises.rules.yml`."""

    def recorded(name: str, suffix: str = "") -> Query:
        return Query(called_where_named(f"{name}{{{_PROMISED}}}", "client"), f"{legend('client')}{suffix}")

    target = recorded("slo:objective:ratio")
    left = recorded("slo:period_error_budget_remaining:ratio")
    missed = [recorded(f"slo:sli_error:ratio_rate{window}", f" {window}") for window in ("5m", "1h", "1d")]
    bounds = steps((RED, 0), (GREEN, 0))
    return [
        draw.stat("grafana_target", [target], width=4, unit="percentunit"),
        draw.stat("grafana_budget_left", [left], width=5, unit="percentunit", steps=bounds),
        draw.lines("grafana_missed_share", missed, width=10, unit="percentunit"),
        draw.note("grafana_for_eyes", width=5),
    ]
