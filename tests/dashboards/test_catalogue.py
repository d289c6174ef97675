import re
from pathlib import Path

import pytest

from dashboards.catalogue import CATALOGUE, ID_LABELS, LABEL_VALUES, Metric, exposed_name, markdown
from tests.tidy.source import ROOT

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
    assert set(metric.labels) <= {*ID_LABELS, *LABEL_VALUES, "version"}


def test_the_reference_page_is_what_the_catalogue_prints() -> None:
    page = Path(ROOT, "docs", "reference", "metrics.md").read_text(encoding="utf-8")
    assert page == markdown()
    assert all(f"`{exposed_name(metric)}`" in page for metric in CATALOGUE.values())
