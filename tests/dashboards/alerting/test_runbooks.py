"""Every alert has a page that says what it means and what to do, and the list of pages has every alert."""

import re
from html import unescape

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from dashboards.alerting._core.message import AlertTold, Told, compose
from dashboards.alerting._core.wording import alert_annotations
from dashboards.alerting.burn import burn_groups
from dashboards.alerting.yaml_text import yaml_text
from dashboards.runbooks._core import markdown
from dashboards.runbooks.server import Runbooks
from seatwatch.config import ConfigError, parse_config
from seatwatch.glossary import words
from seatwatch.on_call_config import AlertingSection
from seatwatch.server.on_call import annotation_words, readers, rules_text
from seatwatch.server.promises import burn_settings
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.incidents import incident, paged
from tests.dashboards.alerting.promises import promise
from tests.tidy.source import ROOT

NOON = 1_763_784_000_000
RUNBOOKS = ROOT / "dashboards" / "runbooks" / "pages"


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
    configurations = {
        'runbooks = "https://hub.example/runbooks/"': "https://hub.example/runbooks/mains_lost.md",
        'public_url = "https://hub.example/"': "https://hub.example/runbooks/mains_lost.md",
        'public_url = "https://hub.example"\nrunbooks = "https://other.example"': "https://other.example/mains_lost.md",
        "": "/runbooks/mains_lost.md",
    }
    for lines, linked in configurations.items():
        config = parse_config(f"[alerting]\n{lines}\n", base=ROOT)
        assert f'runbook_url: "{linked}"' in rules_text(config, load_defaults())
        (alert,) = paged(incident("mains_lost", NOON), NOON)
        annotations = alert_annotations(annotation_words(), alert, config.alerting.runbooks_at)
        assert annotations["runbook_url"] == linked


def test_what_is_no_web_address_is_no_place_for_runbooks() -> None:
    with pytest.raises(ConfigError, match=r"'docs/runbooks' is no web address"):
        parse_config('[alerting]\nrunbooks = "docs/runbooks"\n', base=ROOT)


async def asked(path: str) -> tuple[int, str]:
    app = web.Application()
    app.add_routes(Runbooks().routes())
    async with TestClient(TestServer(app)) as client, client.get(path) as answer:
        return answer.status, await answer.text()


async def test_the_hub_shows_each_page_with_nothing_of_its_markup_left_over() -> None:
    for file in RUNBOOKS.glob("*.md"):
        status, page = await asked(f"/runbooks/{file.name}")
        text = unescape(re.sub(r"<[^>]+>", "", page.partition("<main>")[2]))
        assert (status, re.findall(r"\]\(|\*\*|^#|`|^\||^\d+\.", text, re.MULTILINE)) == (200, []), file.name
        markup = re.compile(r"\]\([^)]*\)|^\d+\. |^\|[-|]+$|\W", re.MULTILINE)
        assert markup.sub("", text) == markup.sub("", file.read_text("utf-8")), "every word of it"


async def test_a_page_leads_to_other_pages_and_nowhere_that_is_not_there() -> None:
    _, page = await asked("/runbooks/mains_lost.md")
    assert '<a href="/runbooks/battery_low.md">BatteryLow</a>' in page
    assert "docs/operate" not in page
    for path in ("/runbooks", "/runbooks/"):
        assert (await asked(path))[1].count('<a href="/runbooks/') == len(list(RUNBOOKS.glob("*.md"))), (
            "README as the list"
        )


async def test_an_alert_without_a_page_is_shown_the_list() -> None:
    for path in ("/runbooks/no_such.md", "/runbooks/..%2Fserver.py"):
        status, page = await asked(path)
        assert (status, "<h1>Runbooks</h1>" in page) == (404, True)


def test_what_is_no_markup_of_ours_stays_text() -> None:
    assert markdown.html("1. a <b> & [x](javascript:alert)", lambda _: "") == "<ol><li>a &lt;b&gt; &amp; x</li></ol>"
    assert markdown.html("# A\ntext\ngoes on", str) == "<h1>A</h1>\n<p>text goes on</p>"
    assert markdown.html("1. a\n   b\n2. c", str) == "<ol><li>a b</li><li>c</li></ol>"


@pytest.mark.parametrize(
    ("status", "runbook", "is_shown"),
    [
        ("firing", "https://hub.example/runbooks/mains_lost.md", True),
        ("firing", "/runbooks/mains_lost.md", False),
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
