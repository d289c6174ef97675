"""Every alert has a page that says what it means and what to do, and the list of pages has every alert."""

import re

import pytest

from dashboards.alerting.burn import burn_groups
from dashboards.alerting.yaml_text import yaml_text
from seatwatch.config import parse_config
from seatwatch.glossary import words
from seatwatch.server.on_call import annotation_words, rules_text
from seatwatch.server.promises import burn_settings
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.promises import promise
from tests.tidy.source import ROOT

RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"


def alerts() -> list[tuple[str, str]]:
    """(alert, what) of every rule that ships."""
    groups = burn_groups([promise()], annotation_words(), burn_settings(load_defaults(), "seatwatch"))
    text = rules_text(parse_config("", base=ROOT), load_defaults()) + yaml_text({"groups": groups}, heading="promises")
    names = re.findall(r'alert: "(\w+)"', text)
    return [(name, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()) for name in names]


@pytest.mark.parametrize(("name", "what"), alerts(), ids=[name for name, _ in alerts()])
def test_an_alert_has_its_page(name: str, what: str) -> None:
    page = (RUNBOOKS / f"{what}.md").read_text(encoding="utf-8")
    word = words()[f"incident_{what}"]
    assert page.startswith(f"# {name}\n\n**{word.zh}** · {word.en} · ")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Look", "Do", "Over when"]
    assert re.search(r"## Look\n\n1\. .+[.?]", page)
    assert re.search(r"## Do\n\n1\. .+\.", page)
    assert f"[{name}]({what}.md)" in (RUNBOOKS / "README.md").read_text(encoding="utf-8")


def test_no_page_is_about_an_alert_that_is_gone() -> None:
    assert {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"} == {what for _, what in alerts()}
