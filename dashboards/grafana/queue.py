"""The board of a queue: who waits, how soon people answer, who is there.

Layout: all numbers are columns, rows and looks of panels.
"""

from collections.abc import Sequence
from typing import Final

from grafanalib.core import Dashboard, Panel

from dashboards import catalogue as c
from dashboards.alerting.rules import seconds
from dashboards.grafana.figures import Figures
from dashboards.grafana.frame import GrafanaSettings, board, client_variable, queue_variable
from dashboards.grafana.panels import GREEN, RED, Column, Drawing, Query, placed
from dashboards.grafana.queries import DAY, QUEUE, called, gained, highest, legend, quantile, ratio, total

_STAT: Final = 4
_CHART: Final = 9
_BY: Final = ("client", "queue")
_TODAY: Final = {**QUEUE, **DAY}


def queue(draw: Drawing, settings: GrafanaSettings) -> Dashboard:
    """One queue, or some, in depth."""
    figures = Figures(draw, settings, QUEUE)
    stale = {"0": ("grafana_feed_heard", GREEN), "1": ("grafana_feed_silent", RED)}
    people = [Query(total(c.AGENTS, QUEUE, "presence", "activity"), "{{presence}} {{activity}}")]
    saturation = [_called(highest(c.SATURATION, QUEUE, *_BY))]
    feed = _called(highest(c.FEED_STALE, QUEUE, *_BY))
    rows = [
        (
            _STAT,
            [
                figures.waiting(4),
                figures.overdue(4),
                figures.oldest_wait(4),
                figures.attainment(8),
                figures.average_response(4),
            ],
        ),
        (_CHART, _waiting(draw)),
        (_CHART, _responses(draw, seconds(settings.attainment_window_s))),
        (_CHART, [figures.attainment_over_time(12, *_BY), figures.arrivals(12, *_BY)]),
        (
            _CHART,
            [
                draw.lines("agents", people, width=12, stacked=True),
                draw.lines("grafana_saturation", saturation, width=12, unit="percentunit"),
            ],
        ),
        (_CHART, [draw.states("grafana_feed", feed, stale, width=24)]),
        (_CHART, [draw.table("grafana_oddities", _BY, _oddities(), width=24)]),
        (_CHART, [draw.table("grafana_second", [*_BY, "definition"], _second(), width=24)]),
    ]
    variables = [client_variable(draw), queue_variable(draw)]
    return board(draw, "grafana_queue", placed(rows), settings=settings, variables=variables)


def _called(expr: str, what: str = "") -> Query:
    """A line for each queue by its name, and what it is of."""
    return Query(called(expr, *_BY), f"{legend(*_BY)} {what}".rstrip())


def _waiting(draw: Drawing) -> Sequence[Panel]:
    waiting = [
        _called(total(c.WAITING, QUEUE, *_BY), draw.title("waiting")),
        _called(total(c.OVERDUE, QUEUE, *_BY), draw.title("overdue")),
    ]
    oldest = [_called(highest(c.OLDEST_WAIT, QUEUE, *_BY))]
    return [
        draw.lines("grafana_waiting_over_time", waiting, width=12),
        draw.lines("grafana_oldest_over_time", oldest, width=12, unit="s"),
    ]


def _responses(draw: Drawing, within: str) -> Sequence[Panel]:
    percentiles = [
        _called(quantile(share, c.FIRST_RESPONSE, QUEUE, within, *_BY), f"p{name}")
        for share, name in (("0.5", "50"), ("0.9", "90"), ("0.95", "95"))
    ]
    gone = {**QUEUE, "outcome": '=~"abandoned|short_abandoned"'}
    left = gained(c.SESSIONS_TOTAL, gone, within, *_BY)
    offered = gained(c.OFFERED_TOTAL, QUEUE, within, *_BY)
    return [
        draw.lines("grafana_percentiles", percentiles, width=12, unit="s"),
        draw.lines("grafana_abandon_share", [_called(ratio(left, offered))], width=12, unit="percentunit"),
    ]


def _oddities() -> Sequence[Column]:
    return [
        Column(total(c.NEAR_LIMIT, _TODAY, *_BY), "near_limit"),
        Column(total(c.NOBODY_ONLINE, _TODAY, *_BY), "nobody_online"),
        Column(total(c.NOT_SERVED, _TODAY, *_BY), "not_served"),
        Column(total(c.OPEN, QUEUE, *_BY), "open"),
    ]


def _second() -> Sequence[Column]:
    met, judged = (total(metric, _TODAY, *_BY, "definition") for metric in (c.SECOND_MET, c.SECOND_JUDGED))
    return [
        Column(ratio(met, judged), "attainment", "percentunit"),
        Column(met, "met"),
        Column(judged, "grafana_judged"),
    ]
