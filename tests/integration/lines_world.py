"""A real probe behind two lines in network namespaces, a real Mosquitto beyond them, a collector that acknowledges."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from tests.agent_probe.fake_collector import FakeCollector, running_collector
from tests.netns import FAR_TARGETS, HUB, TwoLines, command_inside, inside, two_lines
from tests.servers import DIES_WITH_THE_TESTS, free_port, run_mosquitto
from tests.waiting import wait_until
from wire.body import Body
from wire.uplink import Failover, FailoverOf, LineReading, LineState

B = TypeVar("B", bound=Body)
NAMES = ("telecom", "unicom")


def now_ms() -> int:
    """The probe's monotonic clock: one machine has one."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class LinesWorld:
    """`said` is what the hub has heard, in its order."""

    def __init__(self, lines: TwoLines, collector: FakeCollector, process: subprocess.Popen[bytes], log: Path) -> None:
        self.lines = lines
        self.collector = collector
        self.process = process
        self.log = log

    @property
    def config(self) -> Path:
        return self.log.with_name("probe.toml")

    def said(self, kind: type[B]) -> list[B]:
        return [body for _, body in self.collector.log if isinstance(body, kind)]

    def newest(self, n: int) -> LineReading | None:
        return next((r for r in reversed(self.said(LineReading)) if r.line == NAMES[n]), None)

    def carries(self, n: int) -> bool:
        newest = self.newest(n)
        return newest is not None and newest.carries_mqtt is True

    def moves(self, of: FailoverOf) -> list[Failover]:
        return list({move.monotonic_ms: move for move in self.said(Failover) if move.of is of}.values())

    async def until_up(self, *which: int, timeout_s: float = 30) -> None:
        await wait_until(lambda: all(self._is_up(n) for n in which), timeout_s, what=f"lines {which} to be up")

    async def until(self, n: int, state: LineState, after: int, timeout_s: float = 10) -> LineReading:
        """The first reading of line `n` sampled after the instant `after` that says `state`."""

        def found() -> LineReading | None:
            readings = (r for r in self.said(LineReading) if r.line == NAMES[n] and r.state is state)
            return next((r for r in readings if (r.monotonic_ms or 0) >= after), None)

        reading = await wait_until(found, timeout_s, what=f"{NAMES[n]} to be {state.value}; {self.newest(n)}")
        assert reading is not None
        return reading

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.read_text(encoding="utf-8").splitlines()]

    def _is_up(self, n: int) -> bool:
        newest = self.newest(n)
        return newest is not None and newest.state is LineState.UP


@asynccontextmanager
async def lines_world(directory: Path) -> AsyncIterator[LinesWorld]:
    with two_lines() as lines, inside(lines.net):
        port = free_port()
        with run_mosquitto(directory, lines=[f"listener {port} {HUB}"]) as broker:
            async with running_collector(broker.host, broker.port) as collector:
                with probe_behind(lines, directory, port) as (process, log):
                    world = LinesWorld(lines, collector, process, log)
                    await world.until_up(0, 1)
                    await wait_until(lambda: world.carries(0), what="the first line to carry the connection")
                    yield world


@contextmanager
def probe_behind(
    lines: TwoLines, directory: Path, port: int, more: str = ""
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The probe's process in the site's namespace, and its log. more: what else its configuration says."""
    config, log = directory / "probe.toml", directory / "probe.log"
    targets = json.dumps(FAR_TARGETS)
    config.write_text(
        f'site = "sz1"\nprobe = "gateway"\nrole = "gateway"\ndata_dir = "{directory / "box"}"\n'
        f'[broker]\nhost = "{HUB}"\nport = {port}\n'
        + "".join(
            f'[[line]]\nname = "{name}"\ncarrier = "{name}"\ninterface = "wan{n}"\ntargets = {targets}\n'
            for n, name in enumerate(NAMES)
        )
        + more,
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "seatwatch", "probe", "--config", str(config)]
    with log.open("ab") as output:
        process = subprocess.Popen([*DIES_WITH_THE_TESTS, *command_inside(lines.site, command)], stderr=output)
    try:
        yield process, log
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
