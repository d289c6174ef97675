"""A call that nobody takes on goes round the duty list again, so many times, and then says that it was the last."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dashboards.alerting._core.calling import Away
from dashboards.alerting._core.kinds import CALLS_MAX
from dashboards.alerting._core.message import AlertTold
from dashboards.alerting._core.pager import Pager, TakenOn
from seatwatch.on_call_config import TIERS
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.bridge_world import World, bridge_world, over, told
from tests.dashboards.alerting.incidents import MINUTE, SETTINGS, incident
from wire.incident import Severity

T0 = 1_000_000_000
CALLS = 6
"""Two on duty, three times each."""
ROUND_CALLS = 10
"""Two on duty, as often as shipped."""


def calls_at(pager: Pager, now: int) -> list[int]:
    pager.advance(now)
    return sorted(alert.identity.tier for alert in pager.alerts() if alert.ended_at is None)


def called(severity: Severity = Severity.CALL) -> Pager:
    pager = Pager(SETTINGS)
    pager.hear([incident("battery_low", T0, severity=severity)], T0)
    pager.advance(T0)
    return pager


def test_a_call_that_nobody_takes_on_goes_round_the_list_and_ends_where_it_is_to() -> None:
    pager = called()
    minutes = {minute: calls_at(pager, T0 + minute * MINUTE) for minute in range(0, 70, 5)}
    assert [minutes[minute] for minute in (0, 5, 10, 15, 20)] == [[1], [1, 2], [2, 3], [3, 4], [4, 5]]
    assert [minutes[minute] for minute in (25, 30, 65)] == [[CALLS - 1, CALLS]] * 3
    assert pager.next_wake_at() is None


def test_a_page_goes_through_the_list_once() -> None:
    assert calls_at(called(Severity.PAGE), T0 + 65 * MINUTE) == [1, 2]


def test_who_takes_it_on_in_the_second_round_ends_the_calling() -> None:
    pager = called()
    assert calls_at(pager, T0 + 11 * MINUTE) == [2, 3]
    pager.acknowledge("site1/battery_low/-/1000000000", TakenOn("Li", T0 + 12 * MINUTE))
    assert calls_at(pager, T0 + 65 * MINUTE) == [2, 3]


def test_how_it_stands_names_the_one_on_the_list_and_not_the_number_of_the_call() -> None:
    pager = called()
    names = []
    for minute in (0, 5, 10, 15, 20, 25):
        pager.advance(T0 + minute * MINUTE)
        standing = pager.standing("site1/battery_low/-/1000000000")
        assert standing is not None
        names.append(standing.next_tier)
    assert names == [2, 1, 2, 1, 2, None]


def test_a_server_that_starts_in_the_third_round_goes_on_with_it() -> None:
    """Under the same labels, which Alertmanager has already; and then at the same instants as the one before."""
    pager, after = called(), Pager(SETTINGS)
    late = T0 + 21 * MINUTE
    after.hear([incident("battery_low", T0, severity=Severity.CALL)], late, is_history=True)
    assert calls_at(after, late) == calls_at(pager, late) == [4, 5]
    ahead = [some.standing("site1/battery_low/-/1000000000") for some in (pager, after)]
    assert [None if each is None else each.next_at for each in ahead] == [T0 + 25 * MINUTE] * 2
    fire = [{each.identity for each in some.alerts() if each.ended_at is None} for some in (pager, after)]
    assert fire[0] == fire[1]


@pytest.mark.parametrize("away_minutes", [11, 22, 600])
def test_a_server_that_was_away_for_rounds_calls_each_on_duty_once_and_not_for_every_round(away_minutes: int) -> None:
    after = Pager(SETTINGS)
    late = T0 + away_minutes * MINUTE
    after.hear([incident("battery_low", T0, severity=Severity.CALL)], late, is_history=True)
    calls = calls_at(after, late)
    assert sorted(call % SETTINGS.tiers for call in calls) == [0, 1], "two on duty, a call for each"
    assert calls_at(called(), late) == calls, "so does one whose machine was asleep"


def after_absence(since_minutes: float, until_minutes: float, severity: Severity = Severity.CALL) -> Pager:
    """A server that was away between these minutes after T0, as it starts."""
    after, until = Pager(SETTINGS), T0 + int(until_minutes * MINUTE)
    after.was_away([Away(T0 + int(since_minutes * MINUTE), until)])
    after.hear([incident("battery_low", T0, severity=severity)], until, is_history=True)
    return after


def test_calls_that_fell_into_an_absence_are_made_afterwards_one_after_the_other() -> None:
    #  calls 1..3 at 0, 5, 10 ── away from 12 ──────────── back at 92: 4 ── 97: 5 ── 102: 6, the last
    after = after_absence(12, 92)
    minutes = {minute: max(calls_at(after, T0 + minute * MINUTE)) for minute in (92, 96, 97, 102, 300)}
    assert minutes == {92: 4, 96: 4, 97: 5, 102: 6, 300: 6}


def test_who_heard_no_call_of_all_rounds_is_called_once_more_after_an_absence() -> None:
    #  calls 1..6 until 25 ── away from 31 ──────────── back at 200: 7 ── 205: 8
    after = after_absence(31, 200)
    found = {minute: calls_at(after, T0 + minute * MINUTE) for minute in (200, 204, 205, 400)}
    assert found == {200: [CALLS, CALLS + 1], 204: [CALLS, CALLS + 1], 205: [CALLS + 1, CALLS + 2], 400: [7, 8]}
    standing = after.standing("site1/battery_low/-/1000000000")
    assert standing is not None
    assert standing.next_at is None


def test_an_absence_calls_nobody_about_a_page_again_nor_about_what_somebody_took_on() -> None:
    assert calls_at(after_absence(31, 200, Severity.PAGE), T0 + 300 * MINUTE) == [1, 2]
    taken = after_absence(31, 200)
    taken.acknowledge("site1/battery_low/-/1000000000", TakenOn("Li", T0 + 29 * MINUTE))
    assert max(calls_at(taken, T0 + 300 * MINUTE)) == CALLS


def test_a_server_that_keeps_dying_never_runs_out_of_labels() -> None:
    after, late = Pager(SETTINGS), T0 + 100_000 * MINUTE
    after.was_away([Away(T0 + at * MINUTE, T0 + (at + 10) * MINUTE) for at in range(100, 9_000, 60)])
    after.hear([incident("battery_low", T0, severity=Severity.CALL)], late, is_history=True)
    assert max(calls_at(after, late)) == CALLS_MAX


def test_every_call_of_the_longest_list_has_a_label_that_is_known() -> None:
    assert TIERS * (load_defaults().int("paging.call_rounds") + 1) <= CALLS_MAX


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with bridge_world(tmp_path) as found:
        yield found


async def told_up_to(world: World, call: int) -> AlertTold:
    """What Alertmanager tells the first on duty when his next call comes: that, and soon the end of the one before."""
    alerts = [told(tier=str(each)) for each in range(1, call + 1, 2)]
    assert await world.tell(*alerts[-2:]) == []
    assert await world.tell(*map(over, alerts[:-1]), alerts[-1]) == []
    return alerts[-1]


async def test_each_round_is_one_message_of_one_line_that_says_nobody_took_it_on(world: World) -> None:
    for call in (1, 3, 5):
        await told_up_to(world, call)
        world.restart()
        await told_up_to(world, call)
        world.after(10)
    assert [message["title"] for message in world.hook.taken] == [
        "[Alert] site1 一号职场 Battery about to run out rack1",
        "[Nobody took it on] site1 一号职场 Battery about to run out rack1",
        "[Nobody took it on] site1 一号职场 Battery about to run out rack1",
    ], "and a bridge that is started anew repeats none"
    assert [sum("Battery" in line for line in message["lines"]) for message in world.hook.taken] == [1, 1, 1]


async def test_the_last_call_says_that_it_is_and_the_end_is_told_once(world: World) -> None:
    await told_up_to(world, ROUND_CALLS - 1)
    said = "this is the last call: nobody took it on in 10"
    assert said not in world.hook.taken[-1]["lines"], "the second on duty is called once more"
    ended = [over(told(tier=str(call))) for call in range(1, ROUND_CALLS, 2)]
    assert await world.tell(*ended) == []
    assert [message["is_resolved"] for message in world.hook.taken] == [False, True]
    assert len(world.hook.taken[-1]["lines"]) == 1
    assert await world.tell(told(tier=str(ROUND_CALLS), incident="i-2")) == []
    assert said in world.hook.taken[-1]["lines"]
    for call, line in ((11, "this is the last call: nobody took it on in 11"), (12, said.replace("10", "12"))):
        assert await world.tell(told(tier=str(call), incident="i-2")) == []
        assert (line in world.hook.taken[-1]["lines"]) == (call == ROUND_CALLS + 2), "of two on duty the second"


async def test_a_hub_that_is_down_is_called_about_again_and_ends_once(world: World) -> None:
    """No incident: only Prometheus can say it, with one alert for each call."""

    def down(*calls: int) -> list[AlertTold]:
        found = [told("hub_down", site="hub", subject="", tier=str(call)) for call in calls]
        for alert in found:
            del alert.labels["incident"]
        return found

    for calls in ((1,), (1, 3), (1, 3, 5)):
        assert await world.tell(*down(*calls)) == []
    assert await world.tell(*map(over, down(1, 3, 5))) == []
    assert await world.tell(*map(over, down(1, 3, 5))) == []
    assert [message["is_resolved"] for message in world.hook.taken] == [False, False, False, True]
    named = [sum("Hub down" in line for line in message["lines"]) for message in world.hook.taken]
    assert named == [1, 1, 1, 1]


async def test_what_still_fires_is_not_paged_again_hours_later_with_the_end_of_something_beside_it(
    world: World,
) -> None:
    """Alertmanager tells a site's whole group with every change in it; only its own reminder is one."""
    lines, seats = told("lines_down", incident="i-1"), told("seats_lost", incident="i-2")
    await world.tell(lines)
    world.after(60)
    await world.tell(lines, seats)
    world.after(60)
    await world.tell(lines, over(seats))
    assert [message["title"].split(" ")[0] for message in world.hook.taken] == ["[Alert]", "[Alert]", "[Resolved]"]
    assert "seats" in world.hook.taken[-1]["title"].lower()
    world.after(240)
    await world.tell(lines)
    assert len(world.hook.taken) == 4, "the reminder"


async def test_a_trouble_without_a_name_that_comes_back_unseen_is_told(world: World) -> None:
    """An Alertmanager that was away when it ended never says that it did."""
    hub = told("hub_down", subject="")
    del hub.labels["incident"]
    await world.tell(hub)
    world.after(60)
    await world.tell(hub)
    assert len(world.hook.taken) == 1
    await world.tell(msgspec.structs.replace(hub, startsAt="2026-11-22T04:30:00Z"))
    assert len(world.hook.taken) == 2
