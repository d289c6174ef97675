"""Two broadband lines in network namespaces: how soon a loss is known, and how soon the probe speaks over the other."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from tests.integration.lines_world import NAMES, LinesWorld, lines_world, now_ms
from tests.netns import command_inside
from tests.waiting import wait_until
from wire.uplink import Failover, FailoverOf, LineReading, LineReason, LineState


def doctor(world: LinesWorld) -> list[dict[str, str]]:
    """What the doctor says of the lines."""
    command = [sys.executable, "-m", "seatwatch", "probe", "doctor", "--json", "--config", str(world.config)]
    done = subprocess.run(command_inside(world.lines.site, command), capture_output=True, text=True, check=False)
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    return [finding for finding in findings if finding["subject"] == "line"]


async def moved(world: LinesWorld, count: int, of: FailoverOf) -> Failover:
    """The newest of `count` failovers."""
    await wait_until(lambda: len(world.moves(of)) >= count, 15, what=f"{count} failovers of {of.value}")
    return world.moves(of)[count - 1]


async def test_a_pulled_cable_is_known_within_100_ms_and_the_probe_speaks_over_the_other_line(tmp_path: Path) -> None:
    async with lines_world(tmp_path) as world:
        assert world.carries(0)
        first = world.newest(0)
        assert first is not None
        assert (first.has_link, first.has_address, first.is_default_route) == (True, True, True)
        assert (first.source_address, first.interface, first.targets) == ("10.0.0.2", "wan0", 3)
        began = now_ms()
        world.lines.unplug(0)
        known = await world.until(0, LineState.DOWN, began)
        move = await moved(world, 1, FailoverOf.MQTT)
        resumed_ms = now_ms() - began
        assert known.reason is LineReason.NO_LINK
        known_ms = (known.monotonic_ms or 0) - began
        print(f"pulled cable: known after {known_ms} ms, spoken over the other line after {resumed_ms} ms")
        assert known_ms <= 100
        assert resumed_ms <= 3_000
        assert (move.from_line, move.to_line, move.cause) == (NAMES[0], NAMES[1], LineReason.NO_LINK)
        assert world.carries(1)


async def test_a_line_that_dies_beyond_the_provider_is_down_and_left_within_three_seconds(tmp_path: Path) -> None:
    async with lines_world(tmp_path) as world:
        began = now_ms()
        world.lines.cut(0)
        move = await moved(world, 1, FailoverOf.MQTT)
        resumed_ms = now_ms() - began
        known = await world.until(0, LineState.DOWN, began)
        known_ms = (known.monotonic_ms or 0) - began
        print(f"dead beyond the provider: down after {known_ms} ms, spoken over the other line after {resumed_ms} ms")
        assert known.reason is LineReason.NO_INTERNET
        assert known_ms <= 3_000
        assert resumed_ms <= 3_000
        assert move.cause is LineReason.NO_INTERNET
        assert abs(move.duration_ms - resumed_ms) <= 700
        assert known.has_link
        world.lines.mend(0)
        back = await world.until(0, LineState.UP, began, timeout_s=20)
        assert back.carries_mqtt is False


async def test_the_standby_line_is_told_and_disturbs_nothing(tmp_path: Path) -> None:
    async with lines_world(tmp_path) as world:
        began = now_ms()
        said = await asyncio.to_thread(doctor, world)
        assert [(line["about"], line["outcome"]) for line in said] == [(name, "ok") for name in NAMES]
        began = now_ms()
        world.lines.cut(1)
        known = await world.until(1, LineState.DOWN, began)
        assert (known.carries_mqtt, known.is_default_route) == (False, False)
        assert known.first_bad_at is not None
        assert 0 <= known.occurred_at - known.first_bad_at <= 3_000
        assert not world.said(Failover)
        assert world.carries(0)
        assert [r.state for r in world.said(LineReading) if r.line == NAMES[0]].count(LineState.DOWN) == 0
