"""Figures that several boards show, each in one way."""

from grafanalib.core import Panel

from dashboards import catalogue as c
from dashboards.alerting.rules import seconds
from dashboards.grafana.frame import GrafanaSettings
from dashboards.grafana.panels import AMBER, BLUE, GREEN, GREY, RED, Column, Drawing, Query, steps, unit_of
from dashboards.grafana.queries import DAY, called, gained, highest, legend, ratio, total


class Figures:
    """The panels of conversations, of whatever clients and queues `where` selects."""

    def __init__(self, draw: Drawing, settings: GrafanaSettings, where: dict[str, str]) -> None:
        self._draw = draw
        self._settings = settings
        self._where = where

    def waiting(self, width: int) -> Panel:
        """How many wait."""
        return self._draw.stat("waiting", [Query(total(c.WAITING, self._where))], width=width)

    def overdue(self, width: int) -> Panel:
        """How many of them too long."""
        bounds = steps((GREEN, 0), (RED, 1))
        return self._draw.stat("overdue", [Query(total(c.OVERDUE, self._where))], width=width, steps=bounds)

    def oldest_wait(self, width: int) -> Panel:
        """How long the first of them."""
        return self._draw.stat("oldest_wait", [Query(highest(c.OLDEST_WAIT, self._where))], width=width, unit="s")

    def attainment(self, width: int) -> Panel:
        """Today's, with its counts; in no colour, since whether it is good is the contract's to say."""
        where = {**self._where, **DAY}
        met, judged = total(c.MET, where), total(c.JUDGED, where)
        queries = [
            Query(ratio(met, judged), self._draw.title("attainment")),
            Query(met, self._draw.title("met")),
            Query(judged, self._draw.title("grafana_judged")),
        ]
        overrides = [unit_of("A", "percentunit")]
        return self._draw.stat("grafana_attainment_today", queries, width=width, overrides=overrides)

    def average_response(self, width: int) -> Panel:
        """Today's, of all selected queues: the queues' means weighted by their answers."""
        return self._draw.stat(
            "average_response",
            [Query(self._mean(self._where))],
            width=width,
            unit="s",
            steps=self._average_steps(),
        )

    def attainment_over_time(self, width: int, *by: str) -> Panel:
        """Of a running window, since one that starts at every quarter of an hour would begin at nothing."""
        within = seconds(self._settings.attainment_window_s)
        met, judged = (gained(metric, self._where, within, *by) for metric in (c.MET_TOTAL, c.JUDGED_TOTAL))
        query = Query(called(ratio(met, judged), *by), legend(*by))
        return self._draw.lines("grafana_attainment_recent", [query], width=width, unit="percentunit")

    def arrivals(self, width: int, *by: str) -> Panel:
        """Conversations that began."""
        within = seconds(self._settings.arrivals_window_s)
        query = Query(called(gained(c.OFFERED_TOTAL, self._where, within, *by), *by), legend(*by))
        return self._draw.lines("grafana_arrivals", [query], width=width)

    def columns(self, *by: str) -> list[Column]:
        """Live and today's figures for a table by labels. Few judged ones are grey."""
        where = {**self._where, **DAY}
        met, judged = total(c.MET, where, *by), total(c.JUDGED, where, *by)
        return [
            Column(total(c.WAITING, self._where, *by), "waiting"),
            Column(total(c.OVERDUE, self._where, *by), "overdue", steps=steps((GREEN, 0), (RED, 1))),
            Column(highest(c.OLDEST_WAIT, self._where, *by), "oldest_wait", "s"),
            Column(ratio(met, judged), "attainment", "percentunit"),
            Column(met, "met"),
            Column(judged, "grafana_judged", steps=steps((GREY, 0), (BLUE, self._settings.few))),
            Column(self._mean(self._where, *by), "average_response", "s", steps=self._average_steps()),
        ]

    def _mean(self, where: dict[str, str], *by: str) -> str:
        daily = {**where, **DAY}
        total_s = total(c.AVERAGE_RESPONSE, daily, "client", "queue")
        responses = total(c.RESPONSES, daily, "client", "queue")
        labels = f" by ({', '.join(by)})" if by else ""
        return ratio(f"sum{labels} ({total_s} * {responses})", total(c.RESPONSES, daily, *by))

    def _average_steps(self) -> list[dict[str, object]]:
        settings = self._settings
        # Format: a bound of Grafana begins its colour, and ours still belongs to the one before.
        past = 0.001
        return steps(
            (GREEN, 0),
            (AMBER, settings.average_response_good_s + past),
            (RED, settings.average_response_limit_s + past),
        )
