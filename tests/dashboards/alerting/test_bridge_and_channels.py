"""What the bridge makes of channels that answer oddly, and of one that stands in for another."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dashboards.alerting._core.message import Told
from seatwatch.config import parse_config
from tests.dashboards.alerting.bridge_world import CONFIGURATION, World, bridge_world, over, told
from tests.waiting import wait_until

BUSY = {"errcode": -1, "errmsg": "busy"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with bridge_world(tmp_path) as found:
        yield found


def calls(world: World) -> int:
    """How often the phone was called."""
    return len((world.directory / "calls").read_text().splitlines())


def counting(world: World) -> None:
    world.program(f"cat > /dev/null; echo called >> {world.directory / 'calls'}")


def configure(world: World, written: str, instead: str) -> None:
    """Start the bridge of that world anew, with a configuration that says something else."""
    text = CONFIGURATION.format(command=world.directory / "call").replace(written, instead)
    world.config = parse_config(text, base=world.directory)
    world.restart()


async def test_who_is_told_anyway_is_not_called_once_more_in_the_place_of_another(world: World) -> None:
    counting(world)
    world.robot.answers = [BUSY] * 5
    names, first = ["robot", "caller"], Told("firing", [told()])
    assert [await world.bridge.deliver(names, first) for _ in range(3)] == [["robot"], ["robot"], []]
    assert await world.bridge.deliver(names, Told("firing", [told(incident="i-2")])) == []
    assert calls(world) == 2, "once for each of two troubles"


async def test_a_program_that_hangs_leaves_nothing_behind_that_hangs(world: World) -> None:
    started = world.directory / "started"
    world.program(f"sleep 60 & echo $! > {started}; wait")
    assert await world.tell(told(tier="2"), receiver="duty-2") == ["caller"]
    hung = Path("/proc") / started.read_text().strip() / "cmdline"
    await wait_until(lambda: not hung.exists() or not hung.read_bytes(), what="its child to end")


async def test_a_clock_that_is_put_back_mutes_no_messenger(world: World) -> None:
    for number in range(20):
        assert await world.tell(told(incident=f"i-{number}")) == []
    assert await world.tell(told(incident="i-20")) == ["robot"]
    world.after(-60)
    assert await world.tell(told(incident="i-21")) == []
    assert world.robot.asked == 21


async def test_two_that_fail_call_their_one_fallback_once(world: World) -> None:
    counting(world)
    world.robot.answers = [BUSY] * 3
    world.hook.status = 500
    configure(world, 'id = "desk"', 'id = "desk"\nfallback = "caller"')
    answers = [await world.bridge.deliver(["robot", "desk"], Told("firing", [told()])) for _ in range(3)]
    assert answers == [["robot", "desk"], ["robot", "desk"], []]
    assert calls(world) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_an_answer_that_leads_elsewhere_has_delivered_nothing(world: World, status: int) -> None:
    world.hook.status = status
    assert await world.tell(told()) == ["desk"]
    assert world.hook.pages_shown == 0


async def test_an_answer_that_nests_without_end_is_a_refusal_and_who_was_told_stays_told(world: World) -> None:
    world.robot.text = "[" * 200_000
    for _ in range(2):
        assert await world.tell(told()) == ["robot"]
    assert len(world.hook.taken) == 1


async def test_a_channel_that_cannot_even_be_tried_leaves_the_others_told(world: World) -> None:
    configure(world, f'"{world.directory / "call"}"', '"/bin/true", "no\\u0000such"')
    for _ in range(2):
        assert await world.bridge.deliver(["caller", "desk"], Told("firing", [told()])) == ["caller"]
    assert len(world.hook.taken) == 1


async def test_while_the_hub_is_down_no_end_of_an_incident_is_believed(world: World) -> None:
    """The rules remember for five minutes what fired; that nobody says it any more is no all-clear."""
    low, down = told(), told("hub_down", site="hub", subject="")
    del down.labels["incident"]
    for alerts in ([low], [down]):
        assert await world.tell(*alerts) == []
    assert await world.tell(over(low)) == ["robot", "desk"], "asked to come again"
    world.restart()
    assert await world.tell(over(low)) == ["robot", "desk"]
    assert [message["is_resolved"] for message in world.hook.taken] == [False, False]
    assert await world.tell(over(down)) == []
    assert await world.tell(over(low)) == []
    assert [message["is_resolved"] for message in world.hook.taken] == [False, False, True, True]


async def test_calls_about_the_hub_that_nobody_hears_the_end_of_keep_no_later_end_from_anybody(world: World) -> None:
    """A call that the next round replaced, and one in the place of a messenger that failed meanwhile."""
    low, first, third = told(), *(told("hub_down", site="hub", subject="", tier=tier) for tier in "13")
    for down in (first, third):
        del down.labels["incident"]
    world.robot.answers = [BUSY] * 3
    for alerts in ([first], [first], [first], [first, third], [over(first), third], [over(third)]):
        world.after(1)
        await world.tell(*alerts)
    world.after(31)
    await world.tell(first)  # by the other of a pair, which saw that before the end
    for alert in (low, over(low)):
        assert await world.tell(alert) == []
    assert world.hook.taken[-1]["is_resolved"], "the hub was back for long, and no all-clear came any more"


async def test_an_alertmanager_that_forgot_that_the_hub_is_down_keeps_no_end_for_ever(world: World) -> None:
    low, down = told(), told("hub_down", site="hub", subject="")
    del down.labels["incident"]
    for alerts in ([low], [down]):
        assert await world.tell(*alerts) == []
    for hours, expected in ((4, ["robot", "desk"]), (4, [])):
        world.after(hours * 60)
        assert await world.tell(over(low)) == expected


async def test_a_program_finds_whom_to_call_and_its_secret_where_nobody_else_reads_them(world: World) -> None:
    """Not among its arguments, which every user of the machine sees."""
    seen = world.directory / "seen"
    world.program(f'tr "\\0" " " < /proc/$$/cmdline > {seen}; echo "$SEATWATCH_SECRET $SEATWATCH_MENTION" >> {seen}')
    (world.directory / "sms.secret").write_text("t0ken\n")
    (world.directory / "sms.secret").chmod(0o600)
    more = 'secret_file = "sms.secret"\nmention = ["13800000000", "13900000000"]\n'
    text = CONFIGURATION.format(command=world.directory / "call") + more
    world.config = parse_config(text, base=world.directory)
    world.restart()
    assert await world.tell(told(tier="2"), receiver="duty-2") == []
    assert seen.read_text().split() == ["/bin/sh", str(world.directory / "call"), "t0ken", "13800000000", "13900000000"]


def phoned(world: World) -> list[str]:
    """How the titles of what the phone was told begin."""
    lines = (world.directory / "calls").read_text().splitlines()
    return [line.removeprefix('{"title":"') for line in lines]


def writing_titles(world: World) -> None:
    world.program(f"""grep -ao '^{{"title":"[[][^]]*' >> {world.directory / "calls"}""")


async def test_who_was_called_in_the_place_of_another_hears_the_end_once_and_nobody_else_over_the_phone(
    world: World,
) -> None:
    writing_titles(world)
    world.robot.answers = [BUSY] * 3
    for _ in range(3):
        await world.tell(told())
    world.after(1)
    assert await world.tell(told(incident="i-2")) == [], "the robot takes messages again"
    for ends in ([over(told()), told(incident="i-2")], [over(told())], [over(told(incident="i-2"))]):
        assert await world.tell(*ends) == []
    assert phoned(world) == ["[告警", "[已恢复"], "of the one, and not of the other it never heard of"


async def test_who_was_called_in_the_place_of_another_hears_the_end_of_what_it_turned_into_a_day_later(
    world: World,
) -> None:
    writing_titles(world)
    mains, low = told("mains_lost", severity="page"), told()
    world.robot.answers = [BUSY] * 3
    for _ in range(3):
        await world.tell(mains)
    for _ in range(6):
        world.after(4 * 60)
        assert await world.tell(over(mains), low) == []
        world.restart()
    assert await world.tell(over(low, "2025-11-23T04:11:02Z")) == []
    assert phoned(world) == ["[告警", "[已恢复"]


async def test_an_end_that_the_phone_does_not_take_is_told_again_until_it_does(world: World) -> None:
    writing_titles(world)
    world.robot.answers = [BUSY] * 3
    for _ in range(3):
        await world.tell(told())
    world.program("exit 3")
    assert await world.tell(over(told())) == ["caller"]
    writing_titles(world)
    assert await world.tell(over(told())) == []
    assert phoned(world) == ["[告警", "[已恢复"]
    assert [message["is_resolved"] for message in world.hook.taken] == [False, True]
