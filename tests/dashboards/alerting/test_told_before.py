"""What the bridge remembers: nothing is told twice, from neither of a pair of Alertmanagers, nor after a restart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import structlog

from dashboards.alerting._core.message import Told
from tests.dashboards.alerting.bridge_world import World, bridge_world, over, told
from tests.waiting import wait_until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with bridge_world(tmp_path) as found:
        yield found


async def test_an_end_told_once_does_not_come_back_beside_the_next_trouble(world: World) -> None:
    first, second = told(incident="i-1"), told("line_down", incident="i-2", subject="telecom")
    for alerts in ([first], [over(first)], [over(first), second]):
        await world.tell(*alerts)
    titles = [message["title"].split("]")[0] for message in world.hook.taken]
    assert titles == ["[Alert", "[Resolved", "[Alert"]
    assert world.hook.taken[-1]["lines"] == ["site1 一号职场 Line down telecom (since 11:59:48)"]


async def test_what_the_other_of_a_pair_saw_before_the_end_is_no_page_and_ends_no_second_time(world: World) -> None:
    first, beside = told(incident="i-1"), told("line_down", incident="i-2", subject="telecom")
    for alerts in ([first], [over(first)], [first], [first, beside], [over(first), beside]):
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


async def test_a_bridge_started_anew_neither_repeats_nor_takes_what_was_seen_before_an_end_for_a_page(
    world: World,
) -> None:
    first, second = told(incident="i-1"), told("line_down", incident="i-2")
    for alerts in ([first], [over(first)]):
        await world.tell(*alerts)
        world.restart()
        await world.tell(*alerts)
    world.restart()
    await world.tell(first)
    assert len(world.hook.taken) == len(world.robot.taken) == 2, "a page and its end, each once"
    world.after(minutes=14)
    await world.tell(second)
    world.restart()
    await world.tell(over(first), over(second, "2025-11-22T04:14:00Z"))
    assert [message["lines"][0].split(" (")[0] for message in world.hook.taken[2:]] == [
        "site1 一号职场 Line down rack1",
        "site1 一号职场 Line down rack1",
    ]
    assert len(world.hook.taken[-1]["lines"]) == 1, "Prometheus repeats an end for a quarter of an hour"


async def test_the_same_alert_that_ends_again_is_told_again(world: World) -> None:
    hub = told("hub_down", subject="")
    del hub.labels["incident"]
    again = msgspec.structs.replace(hub, startsAt="2025-11-22T04:12:00Z")
    for alerts in ([hub], [over(hub)], [again], [over(again, "2025-11-22T04:13:00Z")]):
        await world.tell(*alerts)
    assert [message["is_resolved"] for message in world.hook.taken] == [False, True, False, True]
    await world.tell(over(again, "2025-11-22T04:13:00Z"))
    later = msgspec.structs.replace(hub, startsAt="2025-11-22T04:13:30Z")
    await world.tell(over(later, "2025-11-22T04:13:40Z"))
    assert len(world.hook.taken) == 5, "its start was never told, and still it ended"


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"desk": {"x": {"at": "noon"}}}'])
async def test_a_damaged_memory_is_said_and_keeps_nobody_from_being_called(world: World, damage: bytes) -> None:
    (world.directory / "notified.json").write_bytes(damage)
    with structlog.testing.capture_logs() as logs:
        world.restart()
    assert [line["event"] for line in logs] == ["paging.memory_unreadable"]
    assert await world.tell(told()) == []
    world.restart()
    assert await world.tell(told()) == []
    assert len(world.hook.taken) == 1


async def test_a_disk_that_takes_nothing_keeps_nobody_from_being_called(world: World) -> None:
    (world.directory / "notified.json.new").mkdir()
    with structlog.testing.capture_logs() as logs:
        assert await world.tell(told()) == []
        assert await world.tell(told()) == []
    assert {line["event"] for line in logs} == {"paging.memory_unwritable"}
    assert len(world.hook.taken) == len(world.robot.taken) == 1


async def test_both_of_a_pair_at_the_same_moment_tell_once(world: World) -> None:
    world.hook.answers.clear()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(world.tell(told()), name="first")
        await wait_until(lambda: world.hook.asked, what="the first to be under way")
        assert "desk" in await world.tell(told()), "asked to come again"
        world.hook.answers.set()
    assert first.result() == []
    assert await world.tell(told()) == []
    assert len(world.hook.taken) == len(world.robot.taken) == 1


async def test_an_end_told_to_two_on_duty_over_one_channel_at_the_same_moment_is_told_once(world: World) -> None:
    def ended(tier: str) -> Told:
        return Told("resolved", [over(told(tier=tier))])

    world.hook.answers.clear()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(world.bridge.deliver(["desk"], ended("1")), name="first")
        await wait_until(lambda: world.hook.asked, what="the first to be under way")
        assert await world.bridge.deliver(["desk"], ended("2")) == ["desk"], "asked to come again"
        world.hook.answers.set()
    assert first.result() == []
    assert await world.bridge.deliver(["desk"], ended("2")) == []
    assert len(world.hook.taken) == 1


async def test_an_incident_that_turned_into_another_ends_once_and_as_what_it_was_last(world: World) -> None:
    mains, low = told("mains_lost", severity="page"), told()
    turned = over(mains, "2025-11-22T04:01:00Z")
    for alerts in ([mains], [turned, low], [turned, over(low)], [turned], [turned, told("line_down", incident="i-2")]):
        await world.tell(*alerts)
    assert [message["title"].split(" ")[0] for message in world.hook.taken] == ["[Alert]"] * 2 + [
        "[Resolved]",
        "[Alert]",
    ]
    assert world.hook.taken[2]["lines"] == [
        "site1 一号职场 Battery about to run out rack1 (11:59:48 to 12:11:02, 12 min)"
    ]
    again = msgspec.structs.replace(low, labels=low.labels | {"incident": "i-2"}, fingerprint="again")
    await world.tell(again)
    await world.tell(over(again))
    assert [message["title"].split(" ")[0] for message in world.hook.taken[4:]] == ["[Alert]", "[Resolved]"]


async def test_a_prometheus_with_labels_of_its_own_tells_nothing_a_push_has_told(world: World) -> None:
    """`external_labels` make another alert of it for Alertmanager, with another fingerprint."""
    pushed = told()
    ruled = told(monitor="hub", replica="a")
    assert await world.tell(pushed) == []
    assert await world.tell(pushed, ruled) == []
    [page] = world.hook.taken
    assert sum("Battery" in line for line in page["lines"]) == 1
    assert await world.tell(over(pushed), ruled) == []
    assert len(world.hook.taken) == 1, "by one of the ways it fires yet"
    assert await world.tell(over(pushed), over(ruled, "2025-11-22T04:11:07Z")) == []
    assert await world.tell(over(ruled, "2025-11-22T04:11:07Z")) == []
    assert [message["is_resolved"] for message in world.hook.taken] == [False, True]


async def test_of_two_prometheuses_one_says_that_the_hub_is_down(world: World) -> None:
    found = [told("hub_down", site="hub", subject="", replica=replica) for replica in ("a", "b")]
    for alert in found:
        del alert.labels["incident"]
    assert await world.tell(found[0]) == []
    assert await world.tell(*found) == []
    assert len(world.hook.taken) == 1


async def test_the_end_of_one_and_the_start_of_another_in_one_notification_are_both_told(world: World) -> None:
    """As after a messenger that failed for a while: Alertmanager tells all that happened meanwhile at once."""
    first, second = told(incident="i-1"), told("line_down", incident="i-2", subject="telecom")
    await world.tell(first)
    for _ in range(2):
        assert await world.tell(over(first), second) == []
    assert [message["title"] for message in world.hook.taken[1:]] == [
        "[Alert] site1 一号职场 Line down telecom",
        "[Resolved] site1 一号职场 Battery about to run out rack1",
    ]
