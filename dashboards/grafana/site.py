"""The board of a site: its verdict, its power, who reports from it.

Layout: all numbers are columns, rows and looks of panels.
"""

from typing import Final

from grafanalib.core import Dashboard

from dashboards import catalogue as c
from dashboards.grafana.frame import (
    STATE_MEANT,
    GrafanaSettings,
    board,
    firing_alerts,
    open_incidents,
    site_states,
    site_variable,
)
from dashboards.grafana.panels import GREEN, RED, Drawing, Query, placed
from dashboards.grafana.queries import SITE, called, highest, legend, lowest

_STAT: Final = 4
_CHART: Final = 9
_BY: Final = "site"


def site(draw: Drawing, settings: GrafanaSettings) -> Dashboard:
    """One site, or some, in depth."""
    battery = {"0": ("mains", GREEN), "1": ("on_battery", RED)}
    comms = {"0": ("grafana_ups_unheard", RED), "1": ("grafana_ups_heard", GREEN)}
    reporting = [
        _called(highest(c.PROBES_REPORTING, SITE, _BY), draw.title("grafana_probes_reporting")),
        _called(highest(c.PROBES_KNOWN, SITE, _BY), draw.title("grafana_probes_known")),
    ]
    seats = [
        _called(highest(c.SEATS_PRESENT, SITE, _BY), draw.title("grafana_seats_present")),
        _called(highest(c.SEATS_EXPECTED, SITE, _BY), draw.title("grafana_seats_expected")),
    ]
    charge, runtime = (_called(lowest(metric, SITE, _BY)) for metric in (c.UPS_CHARGE, c.UPS_RUNTIME))
    states = _called(site_states(SITE))
    rows = [
        (
            _STAT,
            [
                draw.stat("now", [states], width=6, mappings=draw.named(STATE_MEANT)),
                draw.stat(
                    "grafana_since",
                    [_called(f"{highest(c.SITE_STATE_SINCE, SITE, _BY)} * 1000")],
                    width=6,
                    unit="dateTimeFromNow",
                ),
                draw.stat(
                    "grafana_last_heard",
                    [_called(f"{highest(c.SITE_LAST_HEARD, SITE, _BY)} * 1000")],
                    width=6,
                    unit="dateTimeFromNow",
                ),
                draw.stat("grafana_runtime", [runtime], width=6, unit="s"),
            ],
        ),
        (_CHART, [draw.states("grafana_site_states", states, STATE_MEANT, width=24)]),
        (
            _CHART,
            [
                draw.states("power", _called(highest(c.UPS_ON_BATTERY, SITE, _BY)), battery, width=12),
                draw.states("grafana_ups_comms", _called(lowest(c.UPS_COMMS_OK, SITE, _BY)), comms, width=12),
            ],
        ),
        (
            _CHART,
            [
                draw.lines("grafana_charge", [charge], width=6, unit="percentunit"),
                draw.lines("grafana_runtime", [runtime], width=6, unit="s"),
                draw.lines("grafana_seats_of_site", seats, width=6),
                draw.lines("probes", reporting, width=6),
            ],
        ),
        (_CHART, [open_incidents(draw, SITE, width=24)]),
        (_CHART, [firing_alerts(draw, ',site=~"$site"', width=24)]),
    ]
    return board(draw, "grafana_site", placed(rows), settings=settings, variables=[site_variable(draw)])


def _called(expr: str, what: str = "") -> Query:
    """A line for each site by its name, and what it is of."""
    return Query(called(expr, _BY), f"{legend(_BY)} {what}".rstrip())
