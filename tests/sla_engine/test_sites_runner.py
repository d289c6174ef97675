"""The operator's ledger, followed: what changed is told, and what was kept is taken up where it is of this ledger."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sla_engine.runners import sites as runner_of_sites
from sla_engine.runners.sites import KEPT_FILE, KEPT_VERSION, SitesRunner, SitesSettings
from tests.builders import Event, ms
from tests.shapes import shape_of
from tests.sla_engine.entries import head
from tests.sla_engine.feeding import Feed
from tests.sla_engine.site_limits import LIMITS
from tests.waiting import wait_until
from wire.board import SiteTile
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading

SETTINGS = SitesSettings(limits=LIMITS, batch_entries=10, keep_interval_ms=10)


def heartbeat(at: str) -> Event:
    return told_by_gate(Heartbeat(**head(ms(at)), site="north", seat="", role=Role.GATEWAY, interval_ms=1, uptime_ms=1))


def ups(at: str, power: Power) -> Event:
    return told_by_gate(UpsReading(**head(ms(at)), site="north", ups="rack", power=power, comms=Comms.OK))


def told_by_gate(body: Heartbeat | UpsReading) -> Event:
    return Event(body, "gate-1", body.occurred_at)


@asynccontextmanager
async def sites(
    directory: Path, feed: Feed, changed: Callable[[list[SiteTile]], None] = lambda _: None
) -> AsyncIterator[SitesRunner]:
    runner = SitesRunner(feed, directory, clock_ms=lambda: ms("09:00"), settings=SETTINGS, changed=changed)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(runner.run(), name="sites")
        await runner.caught_up.wait()
        yield runner
        task.cancel()


async def test_changes_are_told_and_a_restart_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    told: list[SiteTile] = []
    feed = Feed(tmp_path / "ledger")
    feed.append([heartbeat("08:59"), ups("08:59", Power.MAINS)])
    async with sites(tmp_path, feed, told.extend) as runner:
        assert told == []
        feed.append([ups("09:00", Power.BATTERY)])
        await wait_until(lambda: bool(told), what="the loss of mains")
        assert [(tile.state, tile.power) for tile in told] == [("on_battery", "battery")]
        part = runner.board_part()
        assert part is not None
        assert (part.as_of, part.counts.entries) == (ms("09:00"), 3)
    async with sites(tmp_path, feed, told.extend) as runner:
        assert runner._tail.next_index == 3
        assert runner.board_part() == part
    feed.close()
    assert len(told) == 1


async def test_what_was_kept_of_a_past_that_was_restored_away_is_dropped_though_the_ledger_grew_again(
    tmp_path: Path,
) -> None:
    feed = Feed(tmp_path / "ledger")
    feed.append([heartbeat("08:50"), ups("08:50", Power.MAINS)])
    feed.close()
    shutil.copytree(tmp_path / "ledger", tmp_path / "backup")
    feed = Feed(tmp_path / "ledger")
    feed.append([ups("08:51", Power.BATTERY)])
    async with sites(tmp_path, feed) as runner:
        assert power(runner) == "battery"
    feed.close()
    shutil.rmtree(tmp_path / "ledger")
    (tmp_path / "backup").rename(tmp_path / "ledger")
    feed = Feed(tmp_path / "ledger")
    feed.append([heartbeat("08:52"), heartbeat("08:53")])
    async with sites(tmp_path, feed) as runner:
        assert power(runner) == "mains"
        part = runner.board_part()
        assert part is not None
        assert part.counts.entries == 4
    feed.close()


def power(runner: SitesRunner) -> str | None:
    part = runner.board_part()
    assert part is not None
    (tile,) = part.sites
    return tile.power


def made_up(kept: dict[str, Any]) -> dict[str, Any]:
    """As kept, with a UPS that runs on battery: who takes it up shows what no entry tells."""
    kept["sites"]["sites"]["north"]["upses"]["rack"]["power"] = "battery"
    return kept


@pytest.mark.parametrize(
    "older",
    [
        lambda kept: {**made_up(kept), "version": KEPT_VERSION - 1},
        lambda kept: {**made_up(kept), "version": KEPT_VERSION + 1},
        lambda kept: {**made_up(kept), "version": str(KEPT_VERSION)},
        lambda kept: {**made_up(kept), "ledger_id": b"another ledger's"},
        lambda kept: {**kept, "sites": {**kept["sites"], "sites": {"north": ["of an array"]}}},
        lambda kept: {name: each for name, each in made_up(kept).items() if name != "version"},
        lambda kept: [*kept.values()],
        str,
    ],
)
async def test_what_another_version_kept_is_dropped_and_read_from_the_ledger_again(
    tmp_path: Path, older: Callable[[dict[str, Any]], object]
) -> None:
    feed = Feed(tmp_path / "ledger")
    feed.append([heartbeat("08:50"), ups("08:50", Power.MAINS)])
    async with sites(tmp_path, feed) as runner:
        part = runner.board_part()
    file = tmp_path / KEPT_FILE
    file.write_bytes(msgspec.msgpack.encode(older(msgspec.msgpack.decode(file.read_bytes()))))
    async with sites(tmp_path, feed) as runner:
        assert runner.board_part() == part
        assert power(runner) == "mains"
    feed.close()


def test_a_change_of_what_is_kept_is_a_version_of_its_own() -> None:
    """After such a change: one more in KEPT_VERSION, and what this says here."""
    assert (KEPT_VERSION, shape_of(runner_of_sites._Kept)) == (12, "c0df1fca045f")
