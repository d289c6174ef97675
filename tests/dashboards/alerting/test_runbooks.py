"""Every alert has a page that says what it means and what to do, and the list of pages has every alert."""

import re

import pytest

from dashboards.alerting._core.message import AlertTold, Told, compose
from dashboards.alerting._core.wording import alert_annotations
from dashboards.alerting.burn import burn_groups
from dashboards.alerting.yaml_text import yaml_text
from seatwatch.config import parse_config
from seatwatch.glossary import words
from seatwatch.on_call_config import AlertingSection
from seatwatch.server.on_call import annotation_words, readers, rules_text
from seatwatch.server.promises import burn_settings
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.incidents import incident, paged
from tests.dashboards.alerting.promises import promise
from tests.tidy.source import ROOT

NOON = 1_763_784_000_000
RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"


def alerts() -> list[tuple[str, str]]:
    """(alert, what) of every rule that ships."""
    groups = burn_groups([promise()], annotation_words(), burn_settings(load_defaults(), AlertingSection()))
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


def test_an_address_of_the_pages_makes_them_links_whichever_way_an_alert_comes() -> None:
    config = parse_config('[alerting]\nrunbooks = "https://hub.example/runbooks/"\n', base=ROOT)
    linked = "https://hub.example/runbooks/mains_lost.md"
    assert f'runbook_url: "{linked}"' in rules_text(config, load_defaults())
    (alert,) = paged(incident("mains_lost", NOON), NOON)
    assert alert_annotations(annotation_words(), alert, config.alerting.runbooks)["runbook_url"] == linked


@pytest.mark.parametrize(
    ("status", "runbook", "is_shown"),
    [
        ("firing", "https://hub.example/runbooks/mains_lost.md", True),
        ("firing", "docs/operate/runbooks/mains_lost.md", False),
        ("resolved", "https://hub.example/runbooks/mains_lost.md", False),
    ],
)
def test_a_message_about_what_fires_ends_with_the_link_where_there_is_one(
    status: str, runbook: str, is_shown: bool
) -> None:
    reader = readers(parse_config("", base=ROOT), load_defaults())["en"]
    began = "2025-11-22T04:00:00Z"
    alert = AlertTold(status, {"what": "mains_lost"}, {"runbook_url": runbook}, began, began, "f")
    message = compose(Told(status, [alert]), reader, lines_shown=20, link=lambda _: "")
    assert (message.lines[-1] == f"Runbook {runbook}") == is_shown
    assert (runbook in "".join(message.lines)) == is_shown
