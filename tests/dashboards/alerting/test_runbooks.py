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
from dashboards.runbooks.server import Runbooks, first_steps
from dashboards.wallboard._core.names import Names
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
        annotations = alert_annotations(annotation_words(), alert, config.alerting.runbooks_at, names=Names())
        assert annotations["runbook_url"] == linked


def test_what_is_no_web_address_is_no_place_for_runbooks() -> None:
    with pytest.raises(ConfigError, match=r"'docs/runbooks' is no web address"):
        parse_config('[alerting]\nrunbooks = "docs/runbooks"\n', base=ROOT)


NAMES = {"zh-CN": "中文", "en": "English"}
PAGES = {"zh-CN": RUNBOOKS / "zh", "en": RUNBOOKS}


async def asked(path: str, **headers: str) -> tuple[int, str]:
    app = web.Application()
    app.add_routes(Runbooks(NAMES).routes())
    async with TestClient(TestServer(app)) as client, client.get(path, headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("language", NAMES)
async def test_the_hub_shows_each_page_with_nothing_of_its_markup_left_over(language: str) -> None:
    app = web.Application()
    app.add_routes(Runbooks(NAMES).routes())
    async with TestClient(TestServer(app)) as client:
        for file in PAGES[language].glob("*.md"):
            async with client.get(f"/runbooks/{file.name}?lang={language}") as answer:
                page = await answer.text()
            text = unescape(re.sub(r"<[^>]+>", "", page.partition("<main>")[2]))
            assert re.findall(r"\]\(|\*\*|^#|`|^\||^\d+\.", text, re.MULTILINE) == [], file.name
            markup = re.compile(r"\]\([^)]*\)|^\d+\. |^\|[-|]+$|\W", re.MULTILINE)
            assert markup.sub("", text) == markup.sub("", file.read_text("utf-8")), "every word of it"


def test_each_page_is_there_in_both_languages_with_the_same_steps_and_severity() -> None:
    assert {file.name for file in RUNBOOKS.glob("*.md")} == {file.name for file in (RUNBOOKS / "zh").glob("*.md")}
    severities = set()
    for name, what in alerts():
        english, chinese = ((PAGES[tag] / f"{what}.md").read_text("utf-8") for tag in ("en", "zh-CN"))
        assert chinese.startswith(f"# {words()[f'incident_{what}'].zh}\n\n**{name}** · ")
        assert re.findall(r"^## (.+)$", chinese, re.MULTILINE) == ["查看", "处理", "何时结束"]
        for pattern in (r"^\d+\.", r"`[^`]+`", r"\]\([\w./]*?(\w+\.md)\)"):
            assert re.findall(pattern, chinese, re.MULTILINE) == re.findall(pattern, english, re.MULTILINE), what
        severities.add((english.splitlines()[2].split(" · ")[-1], chinese.splitlines()[2].split(" · ")[-1]))
    assert len(severities) == len(dict(severities)), "each severity by one word"
    assert {("call", "电话叫醒"), ("page", "立即通知"), ("ticket", "工单")} < severities


async def test_a_telephone_reads_its_own_language_and_chinese_where_it_asks_for_none() -> None:
    for headers, lang, shown in (
        ({}, "", "zh-CN"),
        ({"Accept-Language": "en-GB,en;q=0.9"}, "", "en"),
        ({"Accept-Language": "fr"}, "", "zh-CN"),
        ({"Accept-Language": "en"}, "?lang=zh", "zh-CN"),
    ):
        assert f'<html lang="{shown}">' in (await asked(f"/runbooks/mains_lost.md{lang}", **headers))[1]


async def test_a_page_leads_to_other_pages_and_nowhere_that_is_not_there() -> None:
    _, page = await asked("/runbooks/mains_lost.md?lang=en")
    assert '<a href="/runbooks/battery_low.md?lang=en">BatteryLow</a>' in page
    assert '<a href="/runbooks/mains_lost.md?lang=zh-CN">中文</a>' in page
    assert "docs/operate" not in page
    for path in ("/runbooks", "/runbooks/"):
        shown = (await asked(path))[1].partition("<main>")[2]
        assert shown.count('<a href="/runbooks/') == len(list(RUNBOOKS.glob("*.md"))) - 1, "all but the list itself"


async def test_an_alert_without_a_page_is_shown_the_list() -> None:
    for path in ("/runbooks/no_such.md?lang=en", "/runbooks/..%2Fserver.py?lang=en", "/runbooks/zh?lang=en"):
        status, page = await asked(path)
        assert (status, "<h1>Runbooks</h1>" in page) == (404, True)


def test_what_is_no_markup_of_ours_stays_text() -> None:
    assert markdown.html("1. a <b> & [x](javascript:alert)", lambda _: "") == "<ol><li>a &lt;b&gt; &amp; x</li></ol>"
    assert markdown.html("# A\ntext\ngoes on", str) == "<h1>A</h1>\n<p>text goes on</p>"
    assert markdown.html("1. a\n   b\n2. c", str) == "<ol><li>a b</li><li>c</li></ol>"


@pytest.mark.parametrize(
    ("tag", "steps"),
    [
        ("en", ["Look: systemctl status seatwatch-server and journalctl", "Do: systemctl restart seatwatch-server."]),
        (
            "zh-CN",
            ["查看: systemctl status seatwatch-server 和 journalctl", "处理: systemctl restart seatwatch-server。"],
        ),
    ],
)
@pytest.mark.parametrize("link", ["https://hub.example/runbooks/hub_down.md", "/runbooks/hub_down.md"])
def test_where_no_link_opens_the_message_itself_says_what_to_do_first(tag: str, steps: list[str], link: str) -> None:
    reader = readers(parse_config("", base=ROOT), load_defaults())[tag]
    began = "2025-11-22T04:00:00Z"

    def lines(what: str, runbook: str) -> list[str]:
        alert = AlertTold("firing", {"what": what, "site": "hub"}, {"runbook_url": runbook}, began, began, "f")
        return compose(Told("firing", [alert]), reader, lines_shown=20, last_calls={10}, link=lambda _: "").lines[1:]

    found = lines("hub_down", link)
    assert [line.startswith(step) for line, step in zip(found, steps, strict=False)] == [True, True]
    assert len(found) == (3 if link.startswith("https") else 2)
    assert len(lines("line_down", link)) == (1 if link.startswith("https") else 2), "the hub shows that page itself"
    assert lines("of_a_newer_version", "/runbooks/x.md") == []


def test_every_runbook_has_two_first_steps_of_one_line_without_markup() -> None:
    for tag in NAMES:
        found = {what: steps for what, steps in first_steps(tag).items() if what != "README"}
        assert {len(steps) for steps in found.values()} == {2}
        assert [step for steps in found.values() for step in steps if re.search(r"\]\(|\*\*|`|\n", step)] == []


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
    message = compose(Told(status, [alert]), reader, lines_shown=20, last_calls={10}, link=lambda _: "")
    assert (message.lines[-1] == f"Runbook {runbook}") == is_shown
    assert (runbook in "".join(message.lines)) == is_shown
