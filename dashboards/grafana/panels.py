"""Panels as Grafana 12 reads them, over grafanalib, which knows those of older ones.

What grafanalib adds that Grafana has dropped since is left out again in `document`; what it lacks is given as options.

Layout: all numbers are columns, rows and looks of panels.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from grafanalib._gen import DashboardEncoder
from grafanalib.core import Dashboard, GridPos, Panel, Target

from dashboards.catalogue import NAME_LABELS
from dashboards.grafana.headings import HEADINGS
from dashboards.grafana.queries import called
from wire.errors import require

Json = dict[str, Any]
Mappings = list[Json]
Naming = Callable[..., str]
"""Makes of an expression over ids, and of their labels, one with names."""

DATASOURCE: Final = {"type": "prometheus", "uid": "${ds}"}
COLUMNS: Final = 24
"""Of Grafana's grid."""
# Okabe and Ito's colours, which nobody's eyes confuse
GREEN: Final = "#009E73"
AMBER: Final = "#E69F00"
RED: Final = "#D55E00"
BLUE: Final = "#56B4E9"
GREY: Final = "#8A8A8A"

_FIGURE_WIDTH: Final = 80
_NAME_WIDTH: Final = 120
"""In pixels at the least; Grafana's own 150 for every column had half of a table outside its panel."""
_PERCENT_DECIMALS: Final = 2
_NONE: Final = "\u2013"

_PANEL_KEYS: Final = frozenset(
    {"id", "type", "title", "description", "datasource", "fieldConfig", "gridPos", "options", "targets"}
    | {"transformations", "links", "pluginVersion"}
)
_TARGET_KEYS: Final = frozenset({"expr", "format", "instant", "legendFormat", "refId", "datasource"})
_VARIABLE_KEYS: Final = frozenset(
    {"allValue", "current", "datasource", "hide", "includeAll", "label", "multi", "name", "options", "query"}
    | {"refresh", "regex", "skipUrlSync", "sort", "type"}
)
_BOARD_KEYS: Final = frozenset(
    {"annotations", "description", "editable", "graphTooltip", "id", "links", "panels", "refresh", "schemaVersion"}
    | {"tags", "templating", "time", "timepicker", "timezone", "title", "uid", "version"}
)


class Word(Protocol):
    """A word of the glossary."""

    @property
    def zh(self) -> str:
        """In Chinese."""
        ...

    @property
    def en(self) -> str:
        """In English."""
        ...

    @property
    def meaning(self) -> str:
        """One English sentence."""
        ...


class Query(NamedTuple):
    """One query of a panel. legend: how its series are called, "" = by their labels."""

    expr: str
    legend: str = ""


class Column(NamedTuple):
    """A column of a table made of a query. word: its heading. link: where a click leads."""

    expr: str
    word: str
    unit: str = "none"
    mappings: Sequence[Json] = ()
    steps: Sequence[Json] = ()


class ModernPanel(Panel):  # type: ignore[misc]  # grafanalib has no types
    """A panel of any type: everything about it is in `extraJson`."""

    def to_json_data(self) -> Json:
        """As JSON, with keys that `document` takes out again."""
        found: Json = self.panel_json({})
        return found


class Drawing:
    """Makes panels, with titles in both languages and descriptions from the glossary."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words

    def title(self, key: str) -> str:
        """A word in both languages."""
        word = self._words[key]
        return f"{word.zh} {word.en}"

    def meaning(self, key: str) -> str:
        """What a word means."""
        return self._words[key].meaning

    def nothing(self) -> Mappings:
        """The mapping of what is not there: grey and in words, so that a gap never looks fine."""
        text = {"text": self.title("no_data"), "color": GREY, "index": 99}
        return [{"type": "special", "options": {"match": "null+nan", "result": text}}]

    def named(self, meant: Mapping[str, tuple[str, str]]) -> Mappings:
        """Value -> (word, colour) as a mapping, with what is not there."""
        options = {
            value: {"text": self.title(key), "color": colour, "index": index}
            for index, (value, (key, colour)) in enumerate(meant.items())
        }
        return [{"type": "value", "options": options}, *self.nothing()]

    def stat(
        self,
        key: str,
        queries: Sequence[Query],
        *,
        width: int,
        unit: str = "none",
        mappings: Sequence[Json] = (),
        steps: Sequence[Json] = (),
        overrides: Sequence[Json] = (),
        text: str = "",
    ) -> Panel:
        """Big figures of now. text: of each its "name" alone; "" = what is needed to tell them apart."""
        options = {
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showPercentChange": False,
            "textMode": text or ("auto" if len(queries) == 1 else "value_and_name"),
            "wideLayout": True,
        }
        field = self._field(unit, mappings, steps)
        targets = _targets(queries, instant=True)
        return self._panel("stat", key, targets, options, field, width=width, overrides=overrides)

    def lines(
        self, key: str, queries: Sequence[Query], *, width: int, unit: str = "none", stacked: bool = False
    ) -> Panel:
        """Figures over time. A gap stays a gap. What has no labels to be told by is called as the panel is."""
        queries = [Query(query.expr, query.legend or self.title(key)) for query in queries]
        options = {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
                "calcs": ["lastNotNull", "max"],
            },
            "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": False},
        }
        field = self._field(unit, (), ())
        field["color"] = {"mode": "palette-classic"}
        field["custom"] = {
            "drawStyle": "line",
            "lineWidth": 2,
            "fillOpacity": 30 if stacked else 5,
            "spanNulls": False,
            "showPoints": "auto",
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        }
        if unit != "s":
            field["min"] = 0
        return self._panel("timeseries", key, _targets(queries), options, field, width=width)

    def states(self, key: str, query: Query, meant: Mapping[str, tuple[str, str]], *, width: int) -> Panel:
        """States over time, one bar each."""
        options = {
            "alignValue": "left",
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
            "mergeValues": True,
            "rowHeight": 0.9,
            "showValue": "auto",
            "tooltip": {"mode": "single", "sort": "none", "hideZeros": False},
        }
        field = self._field("none", self.named(meant), ())
        field["custom"] = {"fillOpacity": 80, "lineWidth": 0}
        return self._panel("state-timeline", key, _targets([query]), options, field, width=width)

    def bars(self, key: str, query: Query, *, width: int, unit: str = "none") -> Panel:
        """A figure per series as bars. Buckets of a histogram come as one bar each."""
        options = {
            "displayMode": "basic",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "maxVizHeight": 300,
            "minVizHeight": 10,
            "minVizWidth": 8,
            "namePlacement": "auto",
            "orientation": "horizontal",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        }
        field = self._field(unit, (), ())
        field["min"] = 0
        targets = _targets([query], instant=True, shape="heatmap" if "_bucket" in query.expr else "time_series")
        return self._panel("bargauge", key, targets, options, field, width=width)

    def table(
        self,
        key: str,
        rows: Sequence[str],
        columns: Sequence[Column],
        *,
        width: int,
        link: str = "",
        named: Mapping[str, Mappings] | None = None,
        hidden: Iterable[str] = (),
        naming: Naming = called,
    ) -> Panel:
        """A row for each combination of the labels `rows`. link: where a click on the first of them leads.

        What has a name is read by it, and its id stands at the end of the row: links go by ids, and so do commands.
        named: label -> words for its values. hidden: labels that the queries leave in and nobody wants to read. naming:
        how names come to the ids.
        """
        ids = [label for label in rows if f"{label}_name" in NAME_LABELS]
        read = [f"{label}_name" if label in ids else label for label in rows]
        expressions = [naming(column.expr, *ids) for column in columns]
        targets = _targets([Query(expr) for expr in expressions], instant=True, shape="table")
        values = ["Value"] if len(columns) == 1 else [f"Value #{target.refId}" for target in targets]
        headings = {value: self.title(column.word) for value, column in zip(values, columns, strict=True)}
        organise = {
            "excludeByName": dict.fromkeys(["Time", *hidden], True),
            "indexByName": {name: place for place, name in enumerate([*read, *values, *ids])},
            "renameByName": headings,
        }
        overrides = [
            self._column(headings[value], column) for value, column in zip(values, columns, strict=True) if column.word
        ]
        # by `displayName`, since a link finds a field by the name it had
        for label in [*read, *ids]:
            width_px = _NAME_WIDTH if label in read else _FIGURE_WIDTH
            told = {"displayName": self.title(HEADINGS[label]), "noValue": _NONE, "custom.minWidth": width_px}
            overrides.append(_override("byName", label, **told))
        for label, mappings in (named or {}).items():
            overrides.append(_override("byName", label, mappings=mappings))
        if link:
            shown = {"title": self.title("grafana_details"), "url": link, "targetBlank": False}
            overrides.append(_override("byName", read[0], links=[shown]))
        field = self._field("none", (), ())
        field["custom"] = {
            "align": "auto",
            "cellOptions": {"type": "auto"},
            "inspect": False,
            "minWidth": _FIGURE_WIDTH,
        }
        # by an override, since the published schema does not know it yet: headings in two languages take two lines
        overrides.append(_override("byRegexp", "/.*/", **{"custom.wrapHeaderText": True}))
        options = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
        transformations = [{"id": "merge", "options": {}}, {"id": "organize", "options": organise}]
        panel = self._panel("table", key, targets, options, field, width=width, overrides=overrides)
        panel.transformations = transformations
        return panel

    def note(self, key: str, *, width: int) -> Panel:
        """A sentence to read beside the figures."""
        word = self._words[key]
        options = {"content": f"{word.zh}\n\n{word.en}", "mode": "markdown"}
        return self._panel("text", "grafana_note", [], options, {}, width=width)

    def _column(self, heading: str, column: Column) -> Json:
        properties: Json = {"unit": column.unit, **_decimals(column.unit)}
        if column.mappings:
            properties["mappings"] = list(column.mappings)
        if column.steps:
            properties["thresholds"] = {"mode": "absolute", "steps": list(column.steps)}
        if column.mappings or column.steps:
            properties["custom.cellOptions"] = {"type": "color-text"}
        return _override("byName", heading, **properties)

    def _field(self, unit: str, mappings: Sequence[Json], steps: Sequence[Json]) -> Json:
        return {
            "unit": unit,
            **_decimals(unit),
            "noValue": self.title("no_data"),
            "mappings": list(mappings) or self.nothing(),
            "color": {"mode": "thresholds"},
            "thresholds": {"mode": "absolute", "steps": list(steps) or [{"color": BLUE, "value": None}]},
        }

    def _panel(
        self,
        type_: str,
        key: str,
        targets: list[Target],
        options: Json,
        field: Json,
        *,
        width: int,
        overrides: Sequence[Json] = (),
    ) -> Panel:
        config = {"defaults": field, "overrides": list(overrides)}
        return ModernPanel(
            title=self.title(key),
            description=self.meaning(key),
            dataSource=DATASOURCE,
            targets=targets,
            gridPos=GridPos(h=0, w=width, x=0, y=0),
            extraJson={"type": type_, "options": options, "fieldConfig": config},
        )


def steps(*bounds: tuple[str, float]) -> list[Json]:
    """Colours of a value from a bound on; the first has none below it."""
    return [{"color": colour, "value": None if not place else bound} for place, (colour, bound) in enumerate(bounds)]


def unit_of(ref_id: str, unit: str) -> Json:
    """The unit of one query of a panel that shows several kinds of figures."""
    return _override("byFrameRefID", ref_id, unit=unit, **_decimals(unit))


def _decimals(unit: str) -> Json:
    """Of percentages two, so that one miss of thousands is not rounded to 100 %; of others as many as they need."""
    return {"decimals": _PERCENT_DECIMALS} if unit == "percentunit" else {}


def placed(rows: Iterable[tuple[int, Sequence[Panel]]]) -> list[Panel]:
    """Panels on the grid, row below row. rows: a height in grid units and panels from left to right."""
    found, top = [], 0
    for height, panels in rows:
        left = 0
        for panel in panels:
            panel.gridPos = GridPos(h=height, w=panel.gridPos.w, x=left, y=top)
            left += panel.gridPos.w
            found.append(panel)
        require(left <= COLUMNS, f"a row is {left} wide")
        top += height
    return found


def document(board: Dashboard) -> Json:
    """A board as JSON of schema version 42."""
    found: Json = json.loads(json.dumps(board.auto_panel_ids().to_json_data(), cls=DashboardEncoder))
    found = _trimmed(found, _BOARD_KEYS)
    found["timepicker"] = {"refresh_intervals": found["timepicker"]["refresh_intervals"]}
    variables = found["templating"]["list"]
    found["templating"] = {"list": [_trimmed(each, _VARIABLE_KEYS) for each in variables]}
    for variable in found["templating"]["list"]:
        if variable["includeAll"]:
            variable["current"] = {"selected": True, "text": "All", "value": "$__all"}
    found["panels"] = [_without_legacy(panel) for panel in found["panels"]]
    return found


def _trimmed(found: Json, kept: frozenset[str]) -> Json:
    return {key: value for key, value in found.items() if key in kept}


def _without_legacy(panel: Json) -> Json:
    panel = _trimmed(panel, _PANEL_KEYS)
    panel["targets"] = [_trimmed(target, _TARGET_KEYS) for target in panel["targets"]]
    for target in panel["targets"]:
        target["range"] = not target["instant"]
    if not panel["targets"]:
        del panel["targets"]
    return panel


def _targets(queries: Sequence[Query], *, instant: bool = False, shape: str = "time_series") -> list[Target]:
    return [
        Target(
            expr=query.expr,
            legendFormat=query.legend or "__auto",
            refId=chr(ord("A") + place),
            instant=instant,
            format=shape,
            datasource=DATASOURCE,
        )
        for place, query in enumerate(queries)
    ]


def _override(matcher: str, what: str, **properties: object) -> Json:
    return {
        "matcher": {"id": matcher, "options": what},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }
