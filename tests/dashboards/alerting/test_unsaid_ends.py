"""A bridge apart, and who told of an alert has died: that nobody says it any more is no all-clear, and is said so."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from dashboards.alerting._core.message import AlertTold
from dashboards.alerting.bridge import PagerNow
from tests.dashboards.alerting.bridge_world import World, bridge_world, over, told

FELL_SILENT = "2025-11-22T04:10:02Z"
LAPSED = "2025-11-22T04:11:02Z"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with bridge_world(tmp_path) as found:
        yield found


def said(alert: AlertTold, at: str) -> AlertTold:
    """That alert, as whoever told of it last said it at that instant."""
    seconds = str(int(datetime.fromisoformat(at).timestamp()))
    return msgspec.structs.replace(alert, annotations=alert.annotations | {"said_at": seconds})


def hub_down() -> AlertTold:
    found = told("hub_down", site="hub", subject="")
    del found.labels["incident"]
    return found


def titles(world: World) -> list[str]:
    return [message["title"] for message in world.hook.taken]


async def test_what_only_lapsed_is_told_as_no_more_heard_of_and_not_as_over(world: World) -> None:
    assert await world.tell(told()) == []
    assert await world.tell(said(over(told(), LAPSED), FELL_SILENT)) == []
    page = world.hook.taken[-1]
    assert page["title"] == "[No word] site1 一号职场 Battery about to run out rack1"
    assert page["lines"][0].endswith(" (since 11:59:48, no word of it since 12:10:02: it may go on)")
    assert page["is_resolved"] is False
    assert any("systemctl status seatwatch-server" in line for line in page["lines"]), "what to look at first"
    assert world.robot.taken[-1]["markdown"]["title"].startswith("[失去消息] ")
    for _ in range(2):
        assert await world.tell(said(over(told(), LAPSED), FELL_SILENT)) == [], "of the other of a pair"
    assert len(world.hook.taken) == 2


@pytest.mark.parametrize("at", ["2025-11-22T04:11:20Z", "2025-11-22T04:10:57Z"])
async def test_an_end_that_the_hub_or_prometheus_said_is_told_as_one(world: World, at: str) -> None:
    """A push says it from the end on; a rule last said the alert one evaluation before."""
    for alert in (told(), said(over(told()), at)):
        await world.tell(alert)
    assert [title.split("]")[0] for title in titles(world)] == ["[Alert", "[Resolved"]


async def test_a_hub_that_comes_back_wakes_nobody_anew_and_its_end_is_told(world: World) -> None:
    for alert in (told(), said(over(told(), LAPSED), FELL_SILENT)):
        await world.tell(alert)
    world.after(minutes=2)
    world.restart()
    assert await world.tell(said(told(), "2025-11-22T04:13:00Z")) == []
    assert len(world.hook.taken) == 2
    assert await world.tell(said(over(told(), "2025-11-22T04:14:00Z"), "2025-11-22T04:14:15Z")) == []
    assert titles(world)[2] == "[Resolved] site1 一号职场 Battery about to run out rack1"


async def test_a_hub_that_is_told_down_by_a_prometheus_that_died_too_has_not_come_back(world: World) -> None:
    """What was held back for as long as the hub is down is not told as over then."""
    await world.tell(told())
    await world.tell(hub_down())
    silent = said(over(hub_down(), LAPSED), FELL_SILENT)
    assert await world.tell(silent) == []
    assert titles(world)[2] == "[No word] hub Hub down"
    assert await world.tell(said(over(told(), LAPSED), FELL_SILENT)) == ["robot", "desk"], "asked to come again"
    assert await world.tell(over(told())) == ["robot", "desk"]
    assert len(world.hook.taken) == 3
    assert await world.tell(said(over(told()), "2025-11-22T04:11:20Z")) == [], "the hub itself said that"
    assert titles(world)[3].startswith("[Resolved]")


async def test_the_pager_beside_a_bridge_knows_better_than_who_fell_silent(world: World) -> None:
    """But for what Prometheus alone can say."""
    world.restart(PagerNow(lambda: True, lambda _: False, lambda _: {}))
    for alert in (told(), said(over(told(), LAPSED), FELL_SILENT)):
        await world.tell(alert)
    failing = told("notify_failing", site="hub", subject="", severity="page")
    del failing.labels["incident"]
    for alert in (failing, said(over(failing, LAPSED), FELL_SILENT)):
        await world.tell(alert)
    assert [title.split("]")[0] for title in titles(world)] == ["[Alert", "[Resolved", "[Alert", "[No word"]


async def test_what_is_over_and_what_is_no_more_heard_of_in_one_message_is_not_headed_as_over(world: World) -> None:
    other = told("line_down", incident="i-2", subject="telecom", severity="page")
    await world.tell(told(), other)
    await world.tell(said(over(told()), "2025-11-22T04:11:20Z"), said(over(other, LAPSED), FELL_SILENT))
    page = world.hook.taken[-1]
    assert (page["title"].split("]")[0], page["is_resolved"]) == ("[No word", False)
    assert "no word" in page["lines"][0]
    assert page["lines"][1].endswith("(11:59:48 to 12:11:02, 12 min)")


@pytest.mark.parametrize("odd", ["", "soon", "-1", "9" * 40])
async def test_an_instant_that_is_none_changes_nothing(world: World, odd: str) -> None:
    alert = over(told())
    alert.annotations["said_at"] = odd
    for each in (told(), alert):
        await world.tell(each)
    assert titles(world)[1].startswith("[Resolved]")
