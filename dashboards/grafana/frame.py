"""What every board has around its panels: variables, links, annotations, and tables that several of them show.

Format: Grafana's dashboard JSON.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from grafanalib.core import Annotations, Dashboard, DashboardLink, Panel, Template, Templating, Time, TimePicker

from dashboards import catalogue as c
from dashboards.alerting._core.kinds import LAYER_OF
from dashboards.alerting._core.wording import word_key
from dashboards.alerting.rules import WATCHDOG, seconds
from dashboards.grafana.panels import AMBER, BLUE, DATASOURCE, GREEN, GREY, RED, Column, Drawing, Mappings
from dashboards.grafana.queries import CLIENT, SITE, called_where_named, highest, legend, series, total
from wire.incident import Severity

SCHEMA_VERSION: Final = 42
TAG: Final = "seatwatch"
ALL: Final = ".*"
S_PER_HOUR: Final = 3_600
_CROSSHAIR: Final = 1
_ON_TIME_RANGE: Final = 2
_ASCENDING: Final = 1

STATE_WORDS: Final = {
    "ok": ("ok", GREEN),
    "degraded": ("degraded", AMBER),
    "redundancy_lost": ("redundancy_lost", AMBER),
    "on_battery": ("on_battery", RED),
    "power_lost": ("power_lost", RED),
    "isolated": ("isolated", RED),
    "silent": ("silent", RED),
    "unknown": ("unknown", GREY),
    c.OTHER: ("grafana_other", GREY),
}
STATE_MEANT: Final = {str(place): STATE_WORDS[state] for place, state in enumerate(c.SITE_STATES)}
"""A site's state as a number, its place in the catalogue, since Grafana colours values and not labels."""


class GrafanaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[grafana]`. scrape_job: under which name Prometheus scrapes the hub."""

    scrape_job: str
    refresh_s: float
    span_s: float
    attainment_window_s: float
    arrivals_window_s: float
    few: int
    average_response_good_s: float
    average_response_limit_s: float


def board(
    draw: Drawing,
    key: str,
    panels: Sequence[Panel],
    *,
    settings: GrafanaSettings,
    variables: Sequence[Template],
) -> Dashboard:
    """A board of these panels. key: its word, `grafana_<name>`."""
    refresh = seconds(settings.refresh_s)
    return Dashboard(
        title=f"Seatwatch: {draw.title(key)}",
        uid=uid(key.removeprefix("grafana_")),
        description=draw.meaning(key),
        tags=[TAG],
        timezone="browser",
        editable=False,
        graphTooltip=_CROSSHAIR,
        schemaVersion=SCHEMA_VERSION,
        refresh=refresh,
        time=Time(f"now-{hours(settings.span_s)}", "now"),
        timePicker=TimePicker(refreshIntervals=[refresh, "30s", "1m", "5m"], timeOptions=[]),
        templating=Templating(list=[_datasource(draw), *variables]),
        annotations=Annotations(list=[_incidents(draw, with_site=any(each.name == "site" for each in variables))]),
        links=[
            DashboardLink(
                title=draw.title("grafana_boards"), tags=[TAG], includeVars=True, keepTime=True, asDropdown=True
            )
        ],
        panels=list(panels),
    )


def hours(span_s: float) -> str:
    """As Grafana writes it, so that it says "Last 6 hours"."""
    return f"{round(span_s / S_PER_HOUR)}h"


def uid(name: str) -> str:
    """The id of a board, by which links find it."""
    return f"{TAG}-{name}"


def link_to(name: str, **variables: str) -> str:
    """The address of another board for one row of a table: its time and data source, and variables from columns."""
    given = "".join(f"&var-{name}=${{__data.fields.{column}}}" for name, column in variables.items())
    return f"/d/{uid(name)}?${{__url_time_range}}&var-ds=${{ds}}{given}"


def client_variable(draw: Drawing) -> Template:
    """Which clients to show."""
    return _variable("client", draw, c.CLIENT_NAMES, {})


def queue_variable(draw: Drawing) -> Template:
    """Which of their queues."""
    return _variable("queue", draw, c.QUEUE_NAMES, CLIENT)


def site_variable(draw: Drawing) -> Template:
    """Which sites to show."""
    return _variable("site", draw, c.SITE_NAMES, {})


def site_states(where: dict[str, str]) -> str:
    """The state of each site as its place in the catalogue."""
    coded = []
    for place, state in enumerate(c.SITE_STATES):
        only = series(c.SITE_STATE, {**where, "state": f'="{state}"'})
        coded.append(f"({only} == 1) * {place}")
    return f"max by (site) ({' or '.join(coded)})"


def open_incidents(draw: Drawing, where: dict[str, str], *, width: int) -> Panel:
    """A row for each incident that is open."""
    rows = ("site", "subject", "what", "severity", "layer")
    query = f"{total(c.INCIDENT_OPEN, where, *rows)} > 0"
    columns = [Column(query, "grafana_number")]
    return draw.table(
        "grafana_incidents",
        rows,
        columns,
        width=width,
        link=link_to("site", site="site"),
        named={"what": _whats(draw), "severity": _severities(draw)},
        naming=called_where_named,
    )


def firing_alerts(draw: Drawing, where: str, *, width: int) -> Panel:
    """What Prometheus alerts on now. Alertmanager may keep some of it quiet, since a cause explains it."""
    rows = ("alertname", "severity", "site", "client", "subject", "tier")
    query = f'ALERTS{{alertstate="firing",alertname!="{WATCHDOG}"{where}}}'
    return draw.table(
        "grafana_firing",
        rows,
        [Column(f"max by ({', '.join(rows)}) ({query})", "grafana_number")],
        width=width,
        named={"severity": _severities(draw)},
        naming=called_where_named,
    )


def _whats(draw: Drawing) -> Mappings:
    return draw.named({what: (word_key(what), BLUE) for what in LAYER_OF})


def _severities(draw: Drawing) -> Mappings:
    return draw.named(
        {
            Severity.CALL: ("severity_call", RED),
            Severity.PAGE: ("severity_page", RED),
            Severity.TICKET: ("severity_ticket", AMBER),
            Severity.INFO: ("severity_info", GREY),
        }
    )


def _variable(name: str, draw: Drawing, names: c.Metric, where: dict[str, str]) -> Template:
    """People choose by name, and queries and links carry the id."""
    told = f"{name}_name"
    return Template(
        name=name,
        label=draw.title(name),
        query={"query": f"query_result({highest(names, where, name, told)})", "refId": name},
        dataSource=DATASOURCE,
        includeAll=True,
        multi=True,
        allValue=ALL,
        regex=f'/{name}="(?<value>[^"]*)",{told}="(?<text>[^"]*)"/',
        refresh=_ON_TIME_RANGE,
        sort=_ASCENDING,
    )


def _datasource(draw: Drawing) -> dict[str, Any]:
    """Grafanalib has no variable of this type."""
    return {
        "name": "ds",
        "label": draw.title("grafana_source"),
        "type": "datasource",
        "query": "prometheus",
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
    }


def _incidents(draw: Drawing, *, with_site: bool) -> dict[str, Any]:
    """Incidents as regions behind every figure over time."""
    where = {**(SITE if with_site else {}), "severity": '=~"call|page"'}
    open_now = highest(c.INCIDENT_OPEN, where, "site", "subject", "what", "severity")
    return {
        "name": draw.title("grafana_incidents"),
        "enable": True,
        "hide": False,
        "iconColor": RED,
        "datasource": DATASOURCE,
        "expr": called_where_named(f"{open_now} > 0", "site"),
        "step": "15s",
        "titleFormat": f"{legend('site')} {{{{what}}}}",
        "textFormat": "{{subject}}",
        "tagKeys": "severity",
        "useValueForTime": False,
    }
