"""From a UPS, a line and a silent site to a telephone, over real parts; `make pages` does it a hundred times."""

import asyncio
import time
from pathlib import Path

import aiohttp

from dashboards.alerting._core.kinds import alert_name
from seatwatch.__main__ import main
from tests.integration.alerting import active
from tests.integration.outages import Outcome, battery_low, both_lines, dies_without_a_word, report
from tests.integration.pages_world import World, running_world
from tests.integration.running import get
from tests.waiting import wait_until

SLOW_S = 3.0
"""What a shared machine may add; what is promised is measured by `make pages` on a quiet one."""


async def test_outages_are_paged_once_in_time_and_by_their_own_name(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        found: list[Outcome] = []
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(inject(world), name=inject.__name__)
                for inject in (battery_low, both_lines, dies_without_a_word)
            ]
        found = [each.result() for each in running]
        assert [outcome.problem() for outcome in found] == ["", "", ""]
        low, lines, silent = found
        assert low.to_page is not None
        assert low.to_page < 2 + SLOW_S
        assert lines.to_page is not None
        assert lines.to_page < 6 + SLOW_S
        assert silent.to_page is not None
        assert silent.to_page < 20 + SLOW_S
        text, is_good = report(found)
        assert is_good
        assert "OB LB" in text
        await _taken_on_by_one_click(world)
        await _planned_work_is_silent_until_the_battery_runs_out(world)


async def _taken_on_by_one_click(world: World) -> None:
    """The link in the first message leads to the server, which writes it down; a made-up one leads nowhere."""
    link = str(next(message["link"] for _, _, message in world.telephone.taken if message["link"]))
    async with aiohttp.ClientSession() as session:
        async with session.get(link) as answer:
            assert answer.status == 200
        async with session.post(link) as answer:
            assert answer.status == 200
        async with session.post(link.replace("by=telephone", "by=somebody")) as answer:
            assert answer.status == 403
    await wait_until(lambda: not _fires(world, "battery_low"), 30, what="the alert to end")


async def _planned_work_is_silent_until_the_battery_runs_out(world: World) -> None:
    begun = time.monotonic()
    work = ["maintenance", "start", "--site", "power", "--for", "2h", "--reason", "battery test"]
    assert await asyncio.to_thread(main, [*work, "--data", str(world.directory / "data")]) == 0
    await asyncio.to_thread(world.ups.set, "ups1", "ups.status", "OB DISCHRG")
    await world.is_in("power", "on_battery")
    planned = b'seatwatch_incident_open{site="power",subject="rack1",what="mains_lost",severity="info",layer="power"} 1'
    await wait_until(lambda: planned in get(f"{world.url}/metrics"), what="the incident to be planned")
    assert world.telephone.pages(begun, "power") == []
    await asyncio.to_thread(world.ups.set, "ups1", "ups.status", "OB LB DISCHRG")
    found = await world.page(begun, "power", 2 + SLOW_S)
    assert found is not None
    assert found[1].startswith("[Alert] power Battery about to run out")


def _fires(world: World, what: str) -> bool:
    return any(alert["labels"]["alertname"] == alert_name(what) for alert in active(world.alertmanagers[0].port))
