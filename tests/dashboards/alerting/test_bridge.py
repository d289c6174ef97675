"""The bridge: what Alertmanager tells arrives, once, in words; and when it does not, Alertmanager hears so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from collector.enrolment.store import STORE_FILE, EnrolmentStore
from dashboards.alerting._core.message import AlertTold, Told
from dashboards.alerting.bridge import PagerNow
from seatwatch.enrolment_job import FOLDER
from seatwatch.server.bridge_alone import application
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.bridge_world import World, bridge_world, over, told
from tests.servers import LOOPBACK, free_port


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with bridge_world(tmp_path) as found:
        yield found


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


async def test_a_page_about_a_client_says_who_that_is(world: World) -> None:
    alert = told("attainment_burns_fast", site="", subject="acme", client="acme")
    del alert.labels["incident"]
    await world.tell(alert)
    [message] = world.hook.taken
    assert message["title"].endswith(" acme Acme 旗舰店")


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
        for wrong in (b"garbage", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59Z"):
            assert await asked("duty-1", token, good.replace(b"2025-11-22T03:59:48.5Z", wrong)) == 400
        world.hook.status = 500
        assert await asked("duty-1", token, good) == 502
        world.hook.status = 200
        assert await asked("duty-1", token, good) == 200
        known: list[bool] = []
        world.restart(PagerNow(lambda: bool(known), lambda _: False, lambda _: {}))
    async with served(world) as url, aiohttp.ClientSession() as session:
        end = msgspec.json.encode(body | {"alerts": [msgspec.to_builtins(over(told()))]})
        assert [await asked("duty-1", token, each) for each in (good, end)] == [200, 503], "it may be open yet"
        known.append(True)
        assert await asked("duty-1", token, end) == 200
    assert len(world.hook.taken) == len(world.robot.taken) == 2


async def test_a_message_names_seats_and_says_what_is_suspected_or_planned(world: World) -> None:
    alert = told("seat_down", subject="")
    alert.annotations.update({"subjects": "A-1, A-2 +5", "planned": "yes"})
    await world.tell(alert)
    assert world.hook.taken[0]["lines"] == ["site1 一号职场 Seat down A-1, A-2 +5 (since 11:59:48, planned)"]


async def test_a_message_says_by_how_much_a_clock_is_wrong(world: World) -> None:
    alert = told("clock_wrong", subject="site1/gateway")
    alert.annotations["detail_offset"] = "-3 min"
    await world.tell(alert)
    named = "site1 一号职场 Clock wrong (its times are put on the hub's) site1/gateway -3 min"
    assert world.hook.taken[0]["lines"][0] == f"{named} (since 11:59:48)"


@pytest.mark.parametrize(
    ("what", "details", "zh", "en"),
    [
        (
            "battery_low",
            {"charge_percent": "37", "minutes_left_estimate": "6", "seats_silent": "2"},
            " 电量 37 %, 约剩 6 分钟（估算）",
            " charge 37 %, about 6 min left (estimate)",
        ),
        ("mains_lost", {"minutes_left": "25"}, " 约剩 25 分钟", " about 25 min left"),
        (
            "line_down",
            {"elsewhere": "unicom"},
            " 经它发出的流量实际走的是 unicom（中心所见地址）",
            " what is sent over it leaves through unicom, by the address the hub sees",
        ),
        ("battery_low", {}, "", ""),
        ("seats_lost", {"lost": "5", "of": "8"}, " 8 席中 5 席失联", " 5 of 8 seats"),
    ],
)
async def test_a_page_says_what_is_left_in_the_battery_and_how_many_seats_are_gone(
    world: World, what: str, details: dict[str, str], zh: str, en: str
) -> None:
    alert = told(what, subject="x1")
    alert.annotations.update({f"detail_{name}": text for name, text in details.items()})
    await world.tell(alert)
    [markdown], [message] = [each["markdown"] for each in world.robot.taken], world.hook.taken
    assert markdown["title"].endswith(f" x1{zh}")
    assert f" x1{zh} (始于 11:59:48)" in markdown["text"]
    assert message["lines"][0].endswith(f" x1{en} (since 11:59:48)")
    await world.tell(over(alert))
    assert world.hook.taken[-1]["title"].endswith(" x1"), "what is over is not told with what it was like before"


async def test_two_machines_under_one_identity_are_told_by_its_name(world: World) -> None:
    began = 1_763_783_988_500
    with closing(EnrolmentStore(world.directory / FOLDER, lock_wait_s=1)) as store:
        store.seen_twice("site1/gateway", "", began - 20_000, 0)
        store.seen_twice("site1/seat-01", "", began + 20_000, 0)
        store.seen_twice("site2/gateway", "", began - 86_400_000, 0)
    await world.tell(told("identity_twice", severity="ticket", site="hub", subject=""))
    named = "hub Two machines under one identity site1/gateway, site1/seat-01"
    assert world.hook.taken[0]["lines"] == [f"{named} (since 11:59:48)"]


async def test_an_identity_whose_store_cannot_be_read_is_told_without_its_name(world: World) -> None:
    (world.directory / FOLDER).mkdir()
    (world.directory / FOLDER / STORE_FILE).write_text("no database, and long enough to be seen to be none")
    await world.tell(told("identity_twice", severity="ticket", site="hub", subject=""))
    assert world.hook.taken[0]["title"] == "[Alert] hub Two machines under one identity"


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
        async with client.get("/runbooks/hub_down.md?lang=en") as answer:
            assert "<h1>HubDown</h1>" in await answer.text(), "the server, which has them too, may be what is down"
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
