import re
from pathlib import Path

import pytest

from dashboards.catalogue import CATALOGUE, ID_LABELS, LABEL_VALUES, NAME_LABELS, Metric, exposed_name
from dashboards.measure import Measure
from dashboards.measures import MEASURES
from seatwatch.glossary import words
from tests.tidy.source import ROOT
from tools.metrics_page import markdown
from wire.board import Detail, Figures, Tile

PERSONAL = {"person", "agent", "account", "conversation", "session", "customer", "seat", "source", "probe", "token"}
NAME = re.compile(r"^seatwatch_[a-z][a-z_]*$")
NOT_BASE_UNITS = ("_ms", "_milliseconds", "_minutes", "_hours", "_percent", "_kb")


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda m: m.name)
def test_every_metric_has_a_lawful_name_in_base_units_and_a_meaning(metric: Metric) -> None:
    assert NAME.match(metric.name)
    assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket", "_info", *NOT_BASE_UNITS))
    assert len(metric.help.split()) >= 3
    assert metric.help.endswith(".")


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda m: m.name)
def test_no_metric_is_labelled_with_a_person_a_conversation_or_a_seat(metric: Metric) -> None:
    assert not PERSONAL & set(metric.labels)
    assert set(metric.labels) <= {*ID_LABELS, *NAME_LABELS, *LABEL_VALUES, "version"}


def test_the_reference_page_is_what_catalogue_measures_and_glossary_make() -> None:
    page = Path(ROOT, "docs", "reference", "metrics.md").read_text(encoding="utf-8")
    assert page == markdown(), "write it again: python -m tools.metrics_page > docs/reference/metrics.md"
    assert all(f"`{exposed_name(metric)}`" in page for metric in CATALOGUE.values())


def test_every_measure_says_what_others_call_it_or_that_nothing_was_read_of_it() -> None:
    for part in markdown().partition("\n## Metrics\n")[0].split("\n### ")[1:]:
        told = [line for line in part.splitlines() if line.startswith("- ")]
        ours = ("- Formula: ", "- Unit: ", "- Settled by: ", "- At `/metrics`: ")
        assert [line for line in told if not line.startswith(ours)], part


def test_every_figure_of_the_board_is_a_measure_and_every_measure_is_on_the_board() -> None:
    figures = {f"{owner.__name__}.{field}" for owner in (Figures, Detail) for field in owner.__struct_fields__}
    people = {f"Tile.{field}" for field in ("saturation", "occupancy", "load", "staffing", "coverage", "surge")}
    assert people <= {f"Tile.{field}" for field in Tile.__struct_fields__}
    shown = {field for measure in MEASURES for field in measure.shown}
    assert shown == (figures - {"Figures.detail"}) | people


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.word)
def test_every_measure_has_words_an_edge_case_that_exists_and_a_source_for_what_others_do(measure: Measure) -> None:
    assert words()[measure.word].meaning
    cases = {f"E{number}" for number in range(1, 19)}
    assert set(measure.settled_by) <= cases
    assert all(other.source and other.differs for other in measure.elsewhere)
    assert not measure.formula.endswith(".")
