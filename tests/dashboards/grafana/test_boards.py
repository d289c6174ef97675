"""The boards as Grafana reads them, and as its linter and people would want them."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from dashboards.alerting._core.kinds import LAYER_OF
from dashboards.catalogue import CATALOGUE, SITE_STATES, exposed_name
from seatwatch.glossary import words
from seatwatch.grafana_boards import boards
from seatwatch.settings import load_defaults
from tests.dashboards.grafana.json_schema import wrong

Json = dict[str, Any]
SCHEMAS = Path(__file__).parent / "schema"
BOARDS = boards(load_defaults(), "seatwatch")
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"]]
TARGETS = [(name, panel, target) for name, panel in PANELS for target in panel.get("targets", [])]
SCHEMA_OF = {
    "stat": "stat",
    "table": "table",
    "timeseries": "timeseries",
    "state-timeline": "statetimeline",
    "bargauge": "bargauge",
    "text": "text",
}
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def schema(name: str) -> Json:
    found: Json = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def said(panel: Json) -> str:
    return f"{panel['title']} ({panel['type']})"


def test_there_is_a_board_for_each_question() -> None:
    assert list(BOARDS) == [f"seatwatch-{name}.json" for name in ("overview", "client", "queue", "site", "health")]


@every_board
def test_a_board_is_as_grafana_publishes_that_it_has_to_be(board: Json) -> None:
    published = schema("dashboard")
    assert list(wrong(board, published["definitions"]["Dashboard"], published, "board")) == []
    assert board["schemaVersion"] == 42


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=[f"{name}:{panel['id']}" for name, panel in PANELS])
def test_a_panel_is_as_grafana_publishes_that_its_type_has_to_be(name: str, panel: Json) -> None:
    published = schema(SCHEMA_OF[panel["type"]])
    definitions = published["definitions"]
    problems = list(wrong(panel, schema("dashboard")["definitions"]["Panel"], schema("dashboard"), "panel"))
    problems += wrong(panel["options"], definitions["Options"], published, "options")
    if "FieldConfig" in definitions:
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        problems += wrong(custom, definitions["FieldConfig"], published, "custom")
    for target in panel.get("targets", []):
        queries = schema("prometheus")
        problems += wrong(target, queries["definitions"]["Dataquery"], queries, "target")
    assert problems == [], (name, said(panel))


@every_board
def test_panels_have_ids_of_their_own_and_none_covers_another(board: Json) -> None:
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    rows = {panel["gridPos"]["y"] for panel in panels}
    widths = [sum(p["gridPos"]["w"] for p in panels if p["gridPos"]["y"] == row) for row in rows]
    assert widths == [24] * len(rows), "no row has a hole at its end"


def test_every_panel_says_what_it_is_in_both_languages_what_it_means_and_in_which_unit() -> None:
    for name, panel in PANELS:
        assert re.search(r"[\u4e00-\u9fff]", panel["title"]), (name, said(panel))
        assert re.search(r"[A-Za-z]", panel["title"]), (name, said(panel))
        assert panel["description"].endswith("."), (name, said(panel))
        if panel["type"] != "text":
            assert panel["fieldConfig"]["defaults"]["unit"], (name, said(panel))


def test_what_is_not_there_is_said_to_be_not_there() -> None:
    missing = f"{words()['no_data'].zh} {words()['no_data'].en}"
    for name, panel in PANELS:
        if panel["type"] == "text":
            continue
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["noValue"] == missing, (name, said(panel))
        special = [mapping["options"] for mapping in defaults["mappings"] if mapping["type"] == "special"]
        assert [(each["match"], each["result"]["text"]) for each in special] == [("null+nan", missing)]


@pytest.mark.parametrize(("name", "panel", "target"), TARGETS)
def test_a_query_uses_the_chosen_source_and_a_range_that_fits_the_scrape(name: str, panel: Json, target: Json) -> None:
    assert target["datasource"] == {"type": "prometheus", "uid": "${ds}"}, (name, said(panel))
    assert "$__interval" not in target["expr"], "shorter than a scrape, it gives nothing"
    counters = {exposed_name(metric) for metric in CATALOGUE.values() if metric.type == "counter"}
    used = set(re.findall(r"seatwatch_\w+", target["expr"]))
    bases = {exposed_name(metric) for metric in CATALOGUE.values()}
    bases |= {f"{metric.name}{end}" for metric in CATALOGUE.values() for end in ("_bucket", "_count", "_sum")}
    assert used <= bases, "a metric nobody exposes"
    shown_as_they_are = {name for name in used & counters if f"({name}" not in target["expr"].replace("increase(", "(")}
    assert shown_as_they_are == set(), "a counter is summed, or how fast it rises is"


@every_board
def test_a_board_cannot_be_edited_by_hand_and_leads_to_the_others_with_time_and_choices(board: Json) -> None:
    assert board["editable"] is False
    (links,) = board["links"]
    assert (links["type"], links["tags"], links["keepTime"], links["includeVars"]) == (
        "dashboards",
        ["seatwatch"],
        True,
        True,
    )
    assert board["tags"] == ["seatwatch"]
    variables = [each["name"] for each in board["templating"]["list"]]
    assert variables[0] == "ds"
    used = set(re.findall(r"\$(client|queue|site)\b", json.dumps([p.get("targets") for p in board["panels"]])))
    assert used == set(variables) - {"ds"}, "a variable nothing uses, or one nobody can choose"


@every_board
def test_a_link_from_a_row_leads_to_a_board_that_has_the_variable_it_carries(board: Json) -> None:
    urls = re.findall(r'"url": "(/d/[^"]+)"', json.dumps(board))
    for url in urls:
        target = BOARDS[f"{url.removeprefix('/d/').partition('?')[0]}.json"]
        carried = set(re.findall(r"var-(\w+)=", url))
        assert carried <= {each["name"] for each in target["templating"]["list"]}
        assert "${__url_time_range}" in url


@every_board
def test_incidents_are_drawn_behind_the_figures(board: Json) -> None:
    (incidents,) = board["annotations"]["list"]
    assert incidents["enable"] is True
    assert "seatwatch_incident_open" in incidents["expr"]
    assert incidents["datasource"] == {"type": "prometheus", "uid": "${ds}"}


def test_every_state_of_a_site_and_every_kind_of_incident_has_its_word_on_the_board() -> None:
    site = json.dumps(BOARDS["seatwatch-site.json"], ensure_ascii=False)
    for place, state in enumerate(SITE_STATES):
        assert f'state="{state}"' in json.loads(site)["panels"][0]["targets"][0]["expr"]
        assert str(place) in json.loads(site)["panels"][0]["fieldConfig"]["defaults"]["mappings"][0]["options"]
    for what in LAYER_OF:
        assert words()[f"incident_{what}"].zh in site


def test_a_percentage_stands_beside_its_counts() -> None:
    for name, panel in PANELS:
        queries = [target["expr"] for target in panel.get("targets", [])]
        rates = [q for q in queries if "_met{" in q and "/ (" in q]
        if panel["type"] in {"stat", "table"} and rates:
            counts = [q for q in queries if "/ (" not in q]
            met, judged = (any(f"_{word}{{" in q for q in counts) for word in ("met", "judged"))
            assert met, (name, said(panel))
            assert judged, (name, said(panel))


def test_people_read_names_and_ids_stand_at_the_end_of_a_row() -> None:
    ids = {"client", "queue", "team", "site"}
    for name, panel in PANELS:
        legends = [target["legendFormat"] for target in panel.get("targets", [])]
        assert not ids & set(re.findall(r"{{(\w+)}}", " ".join(legends))), (name, said(panel))
        if panel["type"] == "table":
            places = panel["transformations"][1]["options"]["indexByName"]
            shown = sorted(places, key=places.__getitem__)
            carried = [label for label in shown if label in ids]
            assert shown[len(shown) - len(carried) :] == carried, (name, said(panel))
            assert {f"{label}_name" for label in carried} <= set(shown), (name, said(panel))
            for target in panel["targets"]:
                assert all(f"{label}_name" in target["expr"] for label in carried), (name, said(panel))
        elif panel["type"] != "text":
            for target in panel["targets"]:
                by_label = re.match(r"\(*\w+ by \(([\w, ]+)\)", target["expr"])
                kinds = ids & set(by_label[1].split(", ") if by_label else [])
                assert all(f"{{{{{kind}_name}}}}" in target["legendFormat"] for kind in kinds), (name, said(panel))


def test_every_column_of_a_table_has_a_heading_of_words() -> None:
    for name, panel in PANELS:
        if panel["type"] == "table":
            renamed = panel["transformations"][1]["options"]["renameByName"]
            headings = {**renamed, **dict(display_names(panel))}
            columns = set(panel["transformations"][1]["options"]["indexByName"])
            assert columns == set(headings), (name, said(panel))
            assert all(re.search(r"[\u4e00-\u9fff]", heading) for heading in headings.values()), (name, said(panel))


def test_a_table_fits_its_panel_on_a_laptop_of_1366_pixels() -> None:
    """Grafana gives a column 150 pixels at the least unless told otherwise: half of the sites' figures were outside."""
    drawn = 1366 - 50
    for name, panel in PANELS:
        if panel["type"] == "table":
            widths = dict.fromkeys(panel["transformations"][1]["options"]["indexByName"], 0)
            for override in panel["fieldConfig"]["overrides"]:
                for each in override["properties"]:
                    if each["id"] == "custom.minWidth":
                        widths[override["matcher"]["options"]] = each["value"]
            least = panel["fieldConfig"]["defaults"]["custom"]["minWidth"]
            assert sum(width or least for width in widths.values()) <= drawn * panel["gridPos"]["w"] / 24, (
                name,
                said(panel),
            )


def test_what_concerns_no_client_or_site_is_of_none_and_no_figure_that_is_missing() -> None:
    for _, panel in PANELS:
        for override in panel["fieldConfig"].get("overrides", []):
            told = {each["id"]: each["value"] for each in override["properties"]}
            if "displayName" in told:
                assert told["noValue"] == "\u2013", said(panel)


def test_one_miss_of_thousands_is_never_rounded_to_everything() -> None:
    for _, panel in PANELS:
        fields = [panel["fieldConfig"].get("defaults", {})]
        fields += [{p["id"]: p["value"] for p in o["properties"]} for o in panel["fieldConfig"].get("overrides", [])]
        assert all(field["decimals"] == 2 for field in fields if field.get("unit") == "percentunit"), said(panel)


def display_names(panel: Json) -> Iterator[tuple[str, str]]:
    for override in panel["fieldConfig"]["overrides"]:
        for each in override["properties"]:
            if each["id"] == "displayName":
                yield override["matcher"]["options"], each["value"]


@every_board
def test_a_row_leads_by_a_column_that_is_there(board: Json) -> None:
    for panel in board["panels"]:
        carried = set(re.findall(r"__data\.fields\.(\w+)", json.dumps(panel)))
        if carried:
            assert carried <= set(panel["transformations"][1]["options"]["indexByName"])
            by_name = [o for o in panel["fieldConfig"]["overrides"] if any(p["id"] == "links" for p in o["properties"])]
            assert next(each["matcher"]["options"] for each in by_name).endswith("_name")


def test_no_line_is_called_by_its_query_or_by_labels_in_braces() -> None:
    lines = [(name, panel) for name, panel in PANELS if panel["type"] in {"timeseries", "state-timeline", "bargauge"}]
    auto = [said(panel) for _, panel in lines for target in panel["targets"] if target["legendFormat"] == "__auto"]
    assert auto == []


def test_the_running_version_is_its_name_and_not_the_number_one() -> None:
    (version,) = [panel for _, panel in PANELS if "seatwatch_build_info" in json.dumps(panel.get("targets", []))]
    assert version["options"]["textMode"] == "name"


def test_nothing_known_is_never_a_figure() -> None:
    assert [said(panel) for _, panel, target in TARGETS if "vector(" in target["expr"]] == []


@every_board
def test_the_time_shown_is_one_that_grafana_has_a_name_for(board: Json) -> None:
    assert board["time"] == {"from": "now-6h", "to": "now"}
