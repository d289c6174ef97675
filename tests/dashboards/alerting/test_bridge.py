"""The bridge: what Alertmanager tells arrives, once, in words; and when it does not, Alertmanager hears so."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from dashboards.alerting._core.message import AlertTold, Told
from dashboards.alerting.bridge import Bridge
from dashboards.alerting.channels import Channels
from seatwatch.config import Config, parse_config
from seatwatch.server.bridge_alone import application
from seatwatch.server.on_call import bridge, channels, links
from seatwatch.settings import Defaults, load_defaults
from tests.dashboards.alerting.vendors import Hook, Robot, messengers
from tests.servers import LOOPBACK, free_port

NOON = 1_763_784_000_000
CONFIGURATION = """
[alerting]
public_url = "https://hub.example.com"
tickets = ["desk"]
[[site]]
id = "site1"
name = "一号职场"
[[duty]]
name = "first"
channels = ["robot", "desk"]
[[duty]]
name = "second"
channels = ["caller"]
[[channel]]
id = "robot"
kind = "dingtalk"
url_file = "robot.url"
secret_file = "robot.secret"
mention = ["13800000000"]
fallback = "caller"
[[channel]]
id = "desk"
kind = "webhook"
url_file = "hook.url"
secret_file = "hook.secret"
language = "en"
[[channel]]
id = "caller"
kind = "command"
command = ["{command}"]
"""


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOON

    def __call__(self) -> int:
        return self.now_ms


class World:
    """One bridge over a robot, a webhook and a program."""

    def __init__(self, robot: Robot, hook: Hook, directory: Path) -> None:
        self.robot, self.hook, self.directory = robot, hook, directory
        self.clock = Clock()
        robot.now_ms = NOON
        self.called = directory / "called.json"
        for name, text in (
            ("robot.url", robot.url),
            ("robot.secret", Robot.SECRET),
            ("hook.url", hook.url),
            ("hook.secret", Hook.SECRET),
        ):
            (directory / name).write_text(text)
            (directory / name).chmod(0o600)
        self.program(f"cat > {self.called}")
        shipped = load_defaults()
        soon = replace(shipped["paging.send_timeout"], value=0.5)  # the shipped five seconds, in a tenth of the time
        quick = Defaults({**shipped, "paging.send_timeout": soon})
        self.config: Config = parse_config(CONFIGURATION.format(command=directory / "call"), base=directory)
        self.channels: Channels = channels(self.config.channel, directory, quick, self.clock)
        self.bridge: Bridge = bridge(
            self.config,
            directory,
            self.channels,
            quick,
            links(self.config, directory, quick, self.clock),
            self.clock,
        )

    def program(self, line: str) -> None:
        """What the operator's own program does."""
        (self.directory / "call").write_text(f"#!/bin/sh\n{line}\n")
        (self.directory / "call").chmod(stat.S_IRWXU)

    async def tell(self, *alerts: AlertTold, receiver: str = "duty-1") -> list[str]:
        names = {"duty-1": ["robot", "desk"], "duty-2": ["caller"]}[receiver]
        return await self.bridge.deliver(names, Told("firing", list(alerts)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with messengers() as (robot, hook):
        yield World(robot, hook, tmp_path)


def told(
    what: str = "battery_low", status: str = "firing", *, severity: str = "call", tier: str = "1", **labels: str
) -> AlertTold:
    own = {"alertname": "X", "site": "site1", "subject": "rack1", "what": what, "severity": severity, "tier": tier}
    own |= {"incident": "i-1"} | labels
    began, ended = "2025-11-22T03:59:48.5Z", "2025-11-22T04:11:02Z" if status == "resolved" else "0001-01-01T00:00:00Z"
    return AlertTold(status, own, {}, began, ended, "-".join(own.values()))


async def test_a_page_arrives_in_each_channels_language_with_a_link(world: World) -> None:
    assert await world.tell(told()) == []
    [markdown] = [each["markdown"] for each in world.robot.taken]
    assert markdown["title"] == "[告警] site1 一号职场 UPS 电量即将耗尽 rack1"
    assert "始于 11:59:48" in markdown["text"]
    assert "[我来处理](https://hub.example.com/acknowledge?incidents=i-1&by=robot&" in markdown["text"]
    assert markdown["text"].endswith("@13800000000"), "who is called out has to stand in the text as well"
    assert world.robot.taken[0]["at"]["atMobiles"] == ["13800000000"]
    [message] = world.hook.taken
    assert message["title"] == "[Alert] site1 一号职场 Battery about to run out rack1"
    assert message["lines"] == ["site1 一号职场 Battery about to run out rack1 (since 11:59:48)"]


async def test_the_end_is_told_with_how_long_it_lasted_and_asks_nobody_to_take_it_on(world: World) -> None:
    assert await world.tell(told(status="resolved")) == []
    [message] = world.hook.taken
    assert message["title"].startswith("[Resolved]")
    assert message["lines"][0].endswith("(11:59:48 to 12:11:02, 12 min)")
    assert (message["is_resolved"], message["link"]) == (True, "")


async def test_the_same_news_is_told_once_however_often_it_comes(world: World) -> None:
    for _ in range(3):
        assert await world.tell(told()) == []
    assert len(world.robot.taken) == len(world.hook.taken) == 1
    world.clock.now_ms += 4 * 3_600_000
    world.robot.now_ms = world.clock.now_ms
    await world.tell(told())
    assert len(world.robot.taken) == 2, "a reminder hours later is meant"


async def test_a_robot_that_answers_200_and_means_no_is_repeated_and_nobody_else_is_told_twice(world: World) -> None:
    world.robot.answers = [{"errcode": 310000, "errmsg": "keywords not in content"}]
    assert await world.tell(told()) == ["robot"]
    assert await world.tell(told()) == []
    assert (len(world.robot.taken), len(world.hook.taken)) == (1, 1)
    assert +world.channels.results == {("robot", "failed"): 1, ("robot", "sent"): 1, ("desk", "sent"): 1}


async def test_after_three_failures_the_fallback_is_used(world: World) -> None:
    world.robot.answers = [{"errcode": -1, "errmsg": "busy"}] * 3
    assert await world.tell(told()) == ["robot"]
    assert await world.tell(told()) == ["robot"]
    assert not world.called.exists()
    assert await world.tell(told()) == []
    assert msgspec.json.decode(world.called.read_bytes())["title"].startswith("[告警] site1")


async def test_a_robot_is_not_asked_more_often_than_it_bears(world: World) -> None:
    for number in range(25):
        await world.tell(told(incident=f"i-{number}"))
    assert world.robot.asked == 20
    world.clock.now_ms += 60_000
    world.robot.now_ms = world.clock.now_ms
    await world.tell(told(incident="i-99"))
    assert world.robot.asked == 21


async def test_a_vendor_that_hangs_is_given_up_and_names_no_secret(world: World) -> None:
    world.hook.answers.clear()
    assert await world.tell(told()) == ["desk"]


@pytest.mark.parametrize(("line", "reached"), [("exit 0", True), ("exit 3", False), ("exec sleep 60", False)])
async def test_a_program_says_by_its_exit_code_whether_it_reached_somebody(
    world: World, line: str, reached: bool
) -> None:
    world.program(line)
    assert (await world.tell(told(tier="2"), receiver="duty-2") == []) is reached


async def test_who_is_next_reads_that_nobody_took_it_on(world: World) -> None:
    await world.tell(told(tier="2"), receiver="duty-2")
    assert msgspec.json.decode(world.called.read_bytes())["title"].startswith("[前一位未确认]")


async def test_an_incident_that_only_turned_into_another_is_not_told_as_over(world: World) -> None:
    await world.tell(told(), told("mains_lost", "resolved", severity="page"))
    assert world.hook.taken[0]["lines"] == ["site1 一号职场 Battery about to run out rack1 (since 11:59:48)"]


async def test_the_end_of_one_trouble_is_told_by_itself_while_another_still_fires(world: World) -> None:
    first, second = told(incident="i-1"), told(incident="i-2")
    await world.tell(first)
    await world.tell(first, second)
    over = msgspec.structs.replace(first, status="resolved", endsAt="2025-11-22T04:11:02Z")
    await world.tell(over, second)
    titles = [message["title"].split("]")[0] for message in world.hook.taken]
    assert titles == ["[Alert", "[Alert", "[Resolved"]
    assert len(world.hook.taken[-1]["lines"]) == 1


async def test_many_alerts_are_a_few_lines_and_a_count_the_gravest_first(world: World) -> None:
    alerts = [told("line_down", severity="page", subject=f"line{n}", incident=f"i-{n}") for n in range(30)]
    await world.tell(*alerts, told(incident="i-99"))
    [message] = world.hook.taken
    assert message["title"].endswith("Battery about to run out rack1")
    assert len(message["lines"]) == 13
    assert message["lines"][-1] == "19 more"


async def test_another_tools_alert_is_shown_by_its_own_summary(world: World) -> None:
    labels = {"alertname": "DiskFull"}
    alert = AlertTold("firing", labels, {"summary": "disk of db1 full"}, "2025-11-22T04:00:00Z", "", "f")
    await world.tell(alert)
    assert world.hook.taken[0]["title"] == "[Alert] disk of db1 full"


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(world.bridge.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield f"http://{LOOPBACK}:{port}/notify"
    finally:
        await runner.cleanup()


async def test_the_door_is_for_alertmanager_alone_and_says_5xx_only_where_repeating_helps(world: World) -> None:
    token = (world.directory / "keys" / "notify.token").read_text().strip()
    body: dict[str, Any] = {"version": "4", "status": "firing", "alerts": [msgspec.to_builtins(told())]}
    async with served(world) as url, aiohttp.ClientSession() as session:

        async def asked(receiver: str, bearer: str, data: bytes) -> int:
            headers = {"Authorization": f"Bearer {bearer}"}
            async with session.post(f"{url}/{receiver}", data=data, headers=headers) as answer:
                return answer.status

        good = msgspec.json.encode(body)
        assert await asked("duty-1", "another", good) == 401
        assert await asked("nobody", token, good) == 404
        assert await asked("duty-1", token, b"{}") == 400
        world.hook.status = 500
        assert await asked("duty-1", token, good) == 502
        world.hook.status = 200
        assert await asked("duty-1", token, good) == 200
    assert len(world.hook.taken) == len(world.robot.taken) == 1


async def test_an_end_told_once_does_not_come_back_beside_the_next_trouble(world: World) -> None:
    first, second = told(incident="i-1"), told("line_down", incident="i-2", subject="telecom")
    over = msgspec.structs.replace(first, status="resolved", endsAt="2025-11-22T04:11:02Z")
    for alerts in ([first], [over], [over, second]):
        await world.tell(*alerts)
    titles = [message["title"].split("]")[0] for message in world.hook.taken]
    assert titles == ["[Alert", "[Resolved", "[Alert"]
    assert world.hook.taken[-1]["lines"] == ["site1 一号职场 Line down telecom (since 11:59:48)"]


async def test_what_the_other_of_a_pair_saw_before_the_end_is_no_page_and_ends_no_second_time(world: World) -> None:
    first, beside = told(incident="i-1"), told("line_down", incident="i-2", subject="telecom")
    over = msgspec.structs.replace(first, status="resolved", endsAt="2025-11-22T04:11:02Z")
    for alerts in ([first], [over], [first], [first, beside], [over, beside]):
        await world.tell(*alerts)
    assert [message["lines"][0].split(" (")[0] for message in world.hook.taken] == [
        "site1 一号职场 Battery about to run out rack1",
        "site1 一号职场 Battery about to run out rack1",
        "site1 一号职场 Line down telecom",
    ]
    assert len(world.hook.taken[2]["lines"]) == 1
    world.clock.now_ms += 1_000
    await world.tell(msgspec.structs.replace(first, startsAt="2025-11-22T04:11:03Z"))
    assert len(world.hook.taken) == 4, "what begins after that end is a trouble of its own"


async def test_an_incident_that_turned_into_another_ends_once_and_as_what_it_was_last(world: World) -> None:
    mains, low = told("mains_lost", severity="page"), told()
    turned = msgspec.structs.replace(mains, status="resolved", endsAt="2025-11-22T04:01:00Z")
    over = msgspec.structs.replace(low, status="resolved", endsAt="2025-11-22T04:11:02Z")
    for alerts in ([mains], [turned, low], [turned, over], [turned], [turned, told("line_down", incident="i-2")]):
        await world.tell(*alerts)
    assert [message["title"].split(" ")[0] for message in world.hook.taken] == ["[Alert]"] * 2 + [
        "[Resolved]",
        "[Alert]",
    ]
    assert world.hook.taken[2]["lines"] == [
        "site1 一号职场 Battery about to run out rack1 (11:59:48 to 12:11:02, 12 min)"
    ]
    await world.tell(msgspec.structs.replace(low, fingerprint="again"))
    await world.tell(msgspec.structs.replace(over, fingerprint="again"))
    assert [message["title"].split(" ")[0] for message in world.hook.taken[4:]] == ["[Alert]", "[Resolved]"]


async def test_a_message_names_seats_and_says_what_is_suspected_or_planned(world: World) -> None:
    alert = told("seat_down", subject="")
    alert.annotations.update({"subjects": "A-1, A-2 +5", "planned": "yes"})
    await world.tell(alert)
    assert world.hook.taken[0]["lines"] == ["site1 一号职场 Seat down A-1, A-2 +5 (since 11:59:48, planned)"]


async def test_a_name_with_line_breaks_and_turned_writing_is_one_line(world: World) -> None:
    alert = told("line_down", subject="l1")
    alert.annotations["detail_carrier"] = "电信\n### 已恢复\u202e\t x"
    await world.tell(alert)
    assert world.hook.taken[0]["lines"] == ["site1 一号职场 Line down l1 电信 ### 已恢复 x (since 11:59:48)"]


async def test_a_bridge_by_itself_is_scraped_and_says_what_failed_from_nought_on(world: World) -> None:
    app = application(world.config, world.directory, world.directory / "data", load_defaults())
    async with TestClient(TestServer(app)) as client:
        async with client.get("/metrics") as answer:
            before = await answer.text()
        token = (world.directory / "data" / "keys" / "notify.token").read_text().strip()
        body = msgspec.json.encode(Told("firing", [told(tier="2")]))
        world.program("exit 3")
        headers = {"Authorization": f"Bearer {token}"}
        async with client.post("/notify/duty-2", data=body, headers=headers) as answer:
            assert answer.status == 502
        async with client.get("/metrics") as answer:
            after = await answer.text()
    failed = 'seatwatch_notifications_total{channel="caller",result="failed"}'
    assert f"{failed} 0" in before
    assert f"{failed} 1" in after
    assert "seatwatch_board_age" not in after
