"""Is a running server on time? Lateness of what it announces, and how soon an accepted event is on the screens.

    python -m bench.bench_running [--live 105000] [--windows 3] [--seconds 20]

`seatwatch up` runs as a child with 100,000 live deadlines in it: conversations that wait for their first reply under
a definition with a ten-minute limit, so that about 170 warnings and 170 overdue notices fall due every second all the
while. Ten sources speak to it over HTTP from a second process, a third one is a screen, and it is scraped every 5 s.

  at 1,000 events/s   lateness: from the instant a notice was owed to the moment the engine handed it out, by the
                      server's own clock and histogram (seatwatch_announcement_lateness_seconds)
  at 2,000 events/s   passage: from 200 answered, which is after the commit, to the bytes of the event stream that
                      show it

A window's p99 of lateness is the upper edge of the bucket it falls in. Reported are medians over windows. Latencies
depend on what else the machine does: `no core` is the share of time in which the server's main thread was ready to run
and had to wait for a core. The exit code only says whether everything arrived.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from bench import running_floor, running_screen
from bench.running_screen import Passage
from bench.running_server import Scrape, Usage, prepare, scrape, usage
from bench.table import Figure, print_figures
from seatwatch.demo.child import ServerChild

SCRAPE_S = 5.0
START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 60.0
POLL_S = 0.1
SETTLE_S = 5.0
LATENESS_LIMIT_MS = 20.0
PASSAGE_LIMIT_MS = 150.0
LIVE_WANTED = 100_000
LIVE_AT_FIRST = 112_000
LATENESS_RATE = 1_000
PASSAGE_RATE = 2_000


class Window(NamedTuple):
    """One run: what was read at its start and its end."""

    rate: int
    began_at: float
    ended_at: float
    scrapes: list[Scrape]
    before: Usage
    after: Usage

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.ended_at - self.began_at

    @property
    def events_per_s(self) -> float:
        """What came into the ledger meanwhile."""
        return (self.scrapes[-1].entries - self.scrapes[0].entries) / self.seconds

    @property
    def announced(self) -> dict[float, int]:
        """Announcements of this window by how late they were: upper edge in s -> as late as that or less."""
        return {edge: count - self.scrapes[0].late[edge] for edge, count in self.scrapes[-1].late.items()}

    def late_ms(self, share: float) -> float:
        """The upper edge of the bucket in which `share` of the announcements were said."""
        announced = self.announced
        return 1000 * min(edge for edge, count in announced.items() if count >= share * announced[float("inf")])


class Bench:
    """The processes of one run of the bench."""

    def __init__(self, url: str, pid: int, live: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._url = url
        self._pid = pid
        self._wanted = live * LIVE_WANTED // LIVE_AT_FIRST
        self._rate: Any = context.Value("i", 0)
        self._began, self._stop, self._active = context.Event(), context.Event(), context.Event()
        self._told: Any = context.Queue()
        self._looked: Any = context.Queue()
        talking = (url, live, self._rate, self._began, self._stop, self._told)
        looking = (url, self._active, self._stop, self._looked)
        self._floor = context.Process(target=running_floor.talk, args=talking)
        self._screen = context.Process(target=running_screen.look, args=looking)
        self.windows: list[Window] = []
        self.filled_s = 0.0
        self.bytes_each = 0

    async def run(self, windows: int, seconds: float) -> None:
        """Fill the server, then measure at both rates."""
        async with aiohttp.ClientSession() as http:
            await self._fill(http)
            self._screen.start()
            for rate in (LATENESS_RATE, PASSAGE_RATE):
                self._rate.value = rate
                self._active.set()
                await asyncio.sleep(SETTLE_S)
                for _ in range(windows):
                    self.windows.append(await self._window(http, rate, seconds))
            self._stop.set()

    async def _fill(self, http: aiohttp.ClientSession) -> None:
        empty, before = usage(self._pid), await scrape(http, self._url)
        started = time.monotonic()
        self._floor.start()
        while not self._began.is_set() or (await scrape(http, self._url)).waiting < self._wanted:
            if not self._floor.is_alive():
                raise RuntimeError("the floor ended before it had begun")
            await asyncio.sleep(POLL_S)
        self.filled_s = time.monotonic() - started
        await asyncio.sleep(SETTLE_S)
        opened = (await scrape(http, self._url)).open - before.open
        self.bytes_each = (usage(self._pid).private_bytes - empty.private_bytes) // opened

    async def _window(self, http: aiohttp.ClientSession, rate: int, seconds: float) -> Window:
        before, began_at = usage(self._pid), time.monotonic()
        scrapes = [await scrape(http, self._url)]
        while time.monotonic() - began_at < seconds:
            await asyncio.sleep(SCRAPE_S)
            scrapes.append(await scrape(http, self._url))
        return Window(rate, began_at, time.monotonic(), scrapes, before, usage(self._pid))

    def results(self) -> tuple[tuple[int, int, int], tuple[list[Passage], int, int]]:
        """What the floor told (sent, acknowledged, refused) and the screen saw. Waits for both to end."""
        told, looked = self._told.get(timeout=END_TIMEOUT_S), self._looked.get(timeout=END_TIMEOUT_S)
        self.end()
        return told, looked

    def end(self) -> None:
        """Leave no process behind."""
        self._stop.set()
        for process in (self._floor, self._screen):
            if process.pid is not None:
                process.join(END_TIMEOUT_S)
                process.kill()


def print_windows(windows: list[Window], passages: list[Passage]) -> None:
    print(f"{'':8}{'events/s':>10}{'live':>10}{'announced':>11}{'p50 ms':>8}{'p99 ms':>8}{'<= 20 ms':>10}", end="")
    print(f"{'marked':>8}{'p50 ms':>8}{'p99 ms':>8}{'core':>7}{'no core':>9}{'scrape ms':>11}")
    for number, window in enumerate(windows, 1):
        announced = window.announced
        whole = announced[float("inf")]
        took = passage_ms(window, passages)
        cpu = (window.after.cpu_s - window.before.cpu_s) / window.seconds
        waited = (window.after.waited_s - window.before.waited_s) / window.seconds
        print(
            f"run {number:<4}{window.events_per_s:>10,.0f}{min(s.live for s in window.scrapes):>10,}{whole:>11,}"
            f"{window.late_ms(0.5):>8.0f}{window.late_ms(0.99):>8.0f}{announced[0.02] / whole:>10.2%}"
            f"{len(took):>8}{percentile(took, 0.5):>8.1f}{percentile(took, 0.99):>8.1f}"
            f"{cpu:>7.0%}{waited:>9.0%}{1000 * max(s.took_s for s in window.scrapes):>11.1f}"
        )


def passage_ms(window: Window, passages: list[Passage]) -> list[float]:
    """From accepted to seen, of the marked events of one window."""
    return [
        1000 * (each.seen_at - each.accepted_at)
        for each in passages
        if window.began_at <= each.accepted_at < window.ended_at
    ]


def percentile(values: list[float], share: float) -> float:
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def print_limits(windows: list[Window], passages: list[Passage], bytes_each: int) -> None:
    def median(rate: int, of: Callable[[Window], float]) -> float:
        return statistics.median(of(window) for window in windows if window.rate == rate)

    def passage(rate: int) -> float:
        return median(rate, lambda window: percentile(passage_ms(window, passages), 0.99))

    def late(rate: int) -> float:
        return median(rate, lambda window: window.late_ms(0.99))

    print_figures(
        [
            Figure("lateness p99 at 1,000 events/s, ms", late(LATENESS_RATE), LATENESS_LIMIT_MS),
            Figure("lateness p99 at 2,000 events/s, ms", late(PASSAGE_RATE)),
            Figure("accepted to screen p99 at 1,000 events/s, ms", passage(LATENESS_RATE)),
            Figure("accepted to screen p99 at 2,000 events/s, ms", passage(PASSAGE_RATE), PASSAGE_LIMIT_MS),
            Figure("private memory per open conversation, whole server, B", bytes_each),
        ]
    )


async def measure(arguments: argparse.Namespace, base: Path) -> bool:
    """Run everything and print it. True when everything sent was acknowledged and enough deadlines were live."""
    child = ServerChild(
        prepare(base), base / "data", base / "server.log", start_timeout_s=START_TIMEOUT_S, poll_s=POLL_S
    )
    runtime = await child.start()
    bench = Bench(runtime.url, runtime.pid, arguments.live)
    try:
        await bench.run(arguments.windows, arguments.seconds)
        (sent, acknowledged, refused), (passages, boards, received) = await asyncio.to_thread(bench.results)
    finally:
        await asyncio.to_thread(bench.end)
        await child.stop(END_TIMEOUT_S)
    print(f"{arguments.live:,} conversations made to wait through the door in {bench.filled_s:.0f} s; one screen read")
    print(f"{boards:,} boards, {received / 1e6 / max(1, boards) * 1000:.1f} kB each; {refused} frames were sent again")
    print_windows(bench.windows, passages)
    print_limits(bench.windows, passages, bench.bytes_each)
    live = min(s.live for window in bench.windows for s in window.scrapes)
    print(f"sent {sent:,}, acknowledged {acknowledged:,}; live deadlines never below {live:,} (wanted {LIVE_WANTED:,})")
    return sent == acknowledged and live >= LIVE_WANTED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--live", type=int, default=LIVE_AT_FIRST, help="conversations that wait when it begins")
    parser.add_argument("--windows", type=int, default=3, help="runs at each rate")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seatwatch-bench-") as folder:
        return 0 if asyncio.run(measure(arguments, Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
