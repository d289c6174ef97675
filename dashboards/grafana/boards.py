"""Every board by its file, and the one that all begin with: clients and sites at a glance.

Layout: all numbers are columns, rows and looks of panels.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from grafanalib.core import Dashboard

from dashboards import catalogue as c
from dashboards.grafana.client import client
from dashboards.grafana.figures import Figures
from dashboards.grafana.frame import (
    STATE_MEANT,
    GrafanaSettings,
    board,
    client_variable,
    firing_alerts,
    link_to,
    open_incidents,
    site_states,
    site_variable,
    uid,
)
from dashboards.grafana.health import health
from dashboards.grafana.panels import GREEN, RED, Column, Drawing, Query, Word, document, placed, steps
from dashboards.grafana.queries import CLIENT, SITE, called, highest, legend, lowest, total
from dashboards.grafana.queue import queue
from dashboards.grafana.site import site

_STAT: Final = 4
_CHART: Final = 9
_TABLE: Final = 10


def documents(words: Mapping[str, Word], settings: GrafanaSettings) -> dict[str, dict[str, Any]]:
    """Every board by its file's name, `seatwatch-overview.json` and so on."""
    draw = Drawing(words)
    makers: tuple[Callable[[Drawing, GrafanaSettings], Dashboard], ...] = (overview, client, queue, site, health)
    return {f"{uid(maker.__name__)}.json": document(maker(draw, settings)) for maker in makers}


def overview(draw: Drawing, settings: GrafanaSettings) -> Dashboard:
    """Clients and sites at a glance."""
    figures = Figures(draw, settings, CLIENT)
    clients = [
        *figures.columns("client"),
        Column(total(c.STAFFED, CLIENT, "client"), "grafana_staffed"),
        Column(total(c.CONTRACTED, CLIENT, "client"), "contracted_seats"),
        Column(lowest(c.COVERAGE, CLIENT, "client"), "coverage", "percentunit"),
    ]
    sites = [
        Column(site_states(SITE), "now", mappings=draw.named(STATE_MEANT)),
        Column(f"{highest(c.SITE_STATE_SINCE, SITE, 'site')} * 1000", "grafana_since", "dateTimeFromNow"),
        Column(highest(c.PROBES_REPORTING, SITE, "site"), "grafana_probes_reporting"),
        Column(highest(c.PROBES_KNOWN, SITE, "site"), "grafana_probes_known"),
        Column(highest(c.SEATS_PRESENT, SITE, "site"), "grafana_seats_present"),
        Column(highest(c.SEATS_EXPECTED, SITE, "site"), "grafana_seats_expected"),
        Column(lowest(c.UPS_CHARGE, SITE, "site"), "grafana_charge", "percentunit"),
    ]
    states = Query(called(site_states(SITE), "site"), legend("site"))
    # where no site is known there is nothing, and never none that is not OK
    not_ok = f"count({site_states(SITE)} > 0) or 0 * count({site_states(SITE)})"
    rows = [
        (
            _STAT,
            [
                figures.waiting(4),
                figures.overdue(4),
                figures.oldest_wait(4),
                figures.attainment(8),
                draw.stat("grafana_sites_not_ok", [Query(not_ok)], width=4, steps=steps((GREEN, 0), (RED, 1))),
            ],
        ),
        (
            _TABLE,
            [draw.table("grafana_clients", ["client"], clients, width=24, link=link_to("client", client="client"))],
        ),
        (
            _CHART,
            [
                draw.table("grafana_sites", ["site"], sites, width=24, link=link_to("site", site="site")),
            ],
        ),
        (_CHART, [draw.states("grafana_site_states", states, STATE_MEANT, width=24)]),
        (_CHART, [figures.attainment_over_time(12, "client"), figures.arrivals(12, "client")]),
        (_CHART, [open_incidents(draw, SITE, width=24)]),
        (_CHART, [firing_alerts(draw, "", width=24)]),
    ]
    variables = [client_variable(draw), site_variable(draw)]
    return board(draw, "grafana_overview", placed(rows), settings=settings, variables=variables)
