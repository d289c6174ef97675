"""The link in a page: what it opens says what is wrong and whom it wakes next, a press takes it on, and only that."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from dashboards.alerting._core.pager import TakenOn
from dashboards.alerting.acknowledge_page import AcknowledgePage
from dashboards.alerting.acknowledging import Links
from seatwatch.config import parse_config
from seatwatch.server.on_call import acknowledge_page, links, on_call
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.incidents import MINUTE, SECOND, incident
from tests.servers import LOOPBACK, free_port
from wire.incident import Cause, IncidentSaid, Severity

NOON = 1_763_784_000_000
DAY_MS = 86_400_000
CONFIGURATION = """
[alerting]
public_url = "{url}"
[[site]]
id = "site1"
name = "<一号>职场"
[[duty]]
name = "first"
channels = ["floor"]
[[duty]]
name = "second"
channels = ["desk"]
[[channel]]
id = "floor"
kind = "command"
command = ["/bin/true"]
[[channel]]
id = "desk"
kind = "command"
command = ["/bin/true"]
language = "en"
"""
POWER = incident("mains_lost", NOON, subject="rack1", details={"charge_percent": "98"})
LINE = incident("line_down", NOON + SECOND, subject="l1", cause=Cause.UPLINK, severity=Severity.TICKET)
CARRIED = msgspec.structs.replace(LINE, details={"carrier": "电信"}, is_suspected=True)


class Office:
    """Where links lead, over a pager that heard of a power cut and of a line; and what was taken on there."""

    def __init__(self, url: str, directory: Path) -> None:
        self.now_ms = NOON + 30 * SECOND
        self.taken: list[tuple[list[str], str]] = []
        self.is_recording = True
        defaults = load_defaults()
        config = parse_config(CONFIGURATION.format(url=url), base=directory)
        self.pager = on_call(config, defaults, lambda: self.now_ms)
        self.links: Links = links(config, directory, defaults, lambda: self.now_ms)
        self.page: AcknowledgePage = acknowledge_page(config, self.links, self.pager, defaults, self._take)

    def hear(self, *said: IncidentSaid) -> None:
        self.pager.take_up(said, {})

    async def _take(self, incidents: Sequence[str], by: str) -> bool:
        if self.is_recording:
            self.taken.append((list(incidents), by))
            for each in incidents:
                self.pager.acknowledged(each, TakenOn(by, self.now_ms))
        return self.is_recording


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[Office]:
    port = free_port()
    office = Office(f"http://{LOOPBACK}:{port}", directory)
    app = web.Application()
    app.add_routes(office.page.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield office
    finally:
        await runner.cleanup()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with serving(tmp_path) as found:
        found.hear(POWER)
        yield found


async def asked(url: str, method: str = "POST", **form: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.request(method, url, data=form or None) as answer:
        return answer.status, await answer.text()


async def test_the_page_says_what_is_wrong_where_since_when_and_who_is_called_next(office: Office) -> None:
    status, page = await asked(office.links.link([POWER.incident], "floor"), "GET")
    assert (status, office.taken) == (200, []), "a preview that opens it takes nothing on"
    for word in (
        "职场市电中断 rack1 电量 98 %",
        "site1 &lt;一号&gt;职场",
        "原因: 职场电力",
        "始于 2025-11-22 12:00:00",
        "立即通知",
        "若无人接手，2025-11-22 12:05:15 呼叫 second",
        "我来处理",
        '/runbooks/mains_lost.md?lang=zh-CN">处理手册</a>',
    ):
        assert word in page
    assert "<script" not in page


async def test_it_speaks_the_channels_language_and_the_other_one_when_asked(office: Office) -> None:
    link = office.links.link([POWER.incident], "desk")
    _, english = await asked(link, "GET")
    assert "Site mains lost rack1" in english
    assert "unless somebody takes it on, second is called at 2025-11-22 12:05:15" in english
    assert "职场市电中断" in (await asked(f"{link}&lang=zh-CN", "GET"))[1]


async def test_a_press_takes_it_on_and_says_who_and_when(office: Office) -> None:
    link = office.links.link([POWER.incident], "floor")
    status, page = await asked(link, name=" 王\u202e07\n ")
    assert (status, office.taken) == (200, [([POWER.incident], "王07 (floor)")])
    assert "王07 (floor) 于 2025-11-22 12:00:30 接手" in page
    assert "不再呼叫其他人" in page
    assert "<button" not in page


async def test_the_last_on_the_duty_list_reads_that_nobody_comes_after(office: Office) -> None:
    office.now_ms += 10 * MINUTE
    office.pager.said([msgspec.structs.replace(POWER, revision=1)])
    assert "the duty list ends here" in (await asked(office.links.link([POWER.incident], "desk"), "GET"))[1]


async def test_who_comes_second_is_told_who_was_first_and_nothing_is_recorded_again(office: Office) -> None:
    await asked(office.links.link([POWER.incident], "floor"))
    office.now_ms += MINUTE
    for method in ("GET", "POST"):
        _, page = await asked(office.links.link([POWER.incident], "desk"), method)
        assert "taken on by floor at 2025-11-22 12:00:30" in page
    assert office.taken == [([POWER.incident], "floor")]


async def test_of_several_those_that_are_over_are_counted_and_the_rest_is_taken_on(office: Office) -> None:
    office.hear(CARRIED)
    office.pager.said([msgspec.structs.replace(POWER, revision=1, ended_at=NOON + MINUTE)])
    link = office.links.link([POWER.incident, LINE.incident], "desk")
    _, page = await asked(link, "GET")
    assert "Line down 电信" in page
    assert "suspected" in page
    assert "1 more are over" in page
    assert (await asked(link))[0] == 200
    assert office.taken == [([LINE.incident], "desk")]


async def test_what_is_over_asks_for_nothing(office: Office) -> None:
    office.pager.said([msgspec.structs.replace(POWER, revision=1, ended_at=NOON + MINUTE)])
    link = office.links.link([POWER.incident], "desk")
    for method in ("GET", "POST"):
        _, page = await asked(link, method)
        assert "It is over: nothing to take on" in page
        assert "<button" not in page
    assert office.taken == []


async def test_while_nothing_can_be_recorded_it_says_so_and_that_it_can_be_tried_again(office: Office) -> None:
    office.is_recording = False
    status, page = await asked(office.links.link([POWER.incident], "desk"))
    assert (status, office.taken) == (503, [])
    assert "try again in a few seconds" in page


async def test_before_the_server_knows_what_is_open_it_calls_nothing_over(tmp_path: Path) -> None:
    async with serving(tmp_path) as office:
        status, page = await asked(office.links.link([POWER.incident], "floor"), "GET")
        assert (status, "暂时无法记录" in page) == (503, True)


async def test_a_link_that_was_changed_opens_nothing_and_says_so(office: Office) -> None:
    link = office.links.link(["i-1"], "floor")
    for changed in (link.replace("i-1", "i-2"), link.replace("floor", "boss"), link[:-1], link.split("?")[0]):
        status, page = await asked(changed)
        assert (status, "链接不完整或被改动" in page) == (403, True)
    assert office.taken == []


async def test_a_link_of_yesterday_has_run_out(office: Office) -> None:
    link = office.links.link([POWER.incident], "desk")
    office.now_ms = NOON + DAY_MS + MINUTE
    status, page = await asked(link)
    assert (status, "This link has run out" in page) == (410, True)
    assert office.taken == []


def test_without_a_public_address_there_is_no_link(tmp_path: Path) -> None:
    assert Office("", tmp_path).links.link(["i-1"], "floor") == ""


async def test_a_link_takes_on_all_that_one_message_can_be_about(office: Office) -> None:
    """Of twelve trunks the last two would call the next on duty though somebody had taken them on."""
    down = [incident("phone_line_down", NOON, subject=f"trunk{n}") for n in range(50)]
    named = [msgspec.structs.replace(each, incident=f"i-{n:016x}") for n, each in enumerate(down)]
    office.hear(*named)
    assert (await asked(office.links.link([each.incident for each in named], "floor")))[0] == 200
    assert office.taken == [([each.incident for each in named], "floor")]


def test_a_link_has_an_end_however_many_incidents_there_are(tmp_path: Path) -> None:
    link = Office("https://hub.example.com", tmp_path).links.link([f"{'x' * 90}-{n:05}" for n in range(99)], "floor")
    assert "-00009&" in link
    assert len(link) < 1_200
