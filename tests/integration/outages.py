"""Outages injected into a running world, and what the telephone said: `make pages OUTAGES=100`.

Each outage is one cause. It has to be paged once, in time, under its own name, and no page may follow its all-clear:
the second of a pair of Alertmanagers tells late what it saw. What counts is what the bridge's channel took. Power,
lines and a whole site fail side by side, each at one of several sites in turn (three times in ten minutes at the same
site would be flapping); what fails for all of them (broker, hub, bridge) fails afterwards, alone. What paged twice in
ten minutes is held for a minute from then on, so a broker that dies a third time stays dead until that is over.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from seatwatch.glossary import words
from seatwatch.settings import load_defaults
from tests.integration.alerting import quiet_for
from tests.integration.pages_world import LINES, MAIN_LINE, PEER_TIMEOUT_S, World, running_world
from tests.waiting import wait_until
from wire.uplink import LineState

SITES_EACH: Final = 9
"""With an outage at most every 35 s, no site has a third one within ten minutes."""
LATE_S: Final = 5.0
"""How long a second page about the same cause is waited for."""
ALL_CLEAR_S: Final = 60.0
ANSWERED_S: Final = 1.0
OFTEN_S: Final = load_defaults().ms("paging.often_hold") / 1000


class Outcome(msgspec.Struct):
    """One outage. to_board, to_page: seconds; None = never. pages, ends: titles of pages and all-clears."""

    kind: str
    expected: str
    to_board: float | None
    to_page: float | None
    pages: list[str]
    ends: list[str] = []

    def problem(self) -> str:
        """What is wrong with it; "" if nothing."""
        word = words()[f"incident_{self.expected}"].en
        if not self.pages:
            return "missed"
        if len(self.pages) > 1:
            return f"{len(self.pages)} pages: {self.pages}"
        if len(self.ends) > 1:
            return f"{len(self.ends)} all-clears: {self.ends}"
        return "" if word in self.pages[0] else f"named {self.pages[0]!r}, not {word!r}"


Injection = Callable[[World], Awaitable[Outcome]]


async def _watched(world: World, kind: str, site: str, expected: str, since: float, within_s: float) -> Outcome:
    """What became of an outage of `site` that began at `since`, up to its page; `_finished` adds the rest."""
    found = await world.page(since, site, within_s)
    return Outcome(kind, expected, None, None if found is None else found[0], [])


async def _finished(world: World, outcome: Outcome, site: str, since: float) -> Outcome:
    """Wait for what must not come, for the site to be well, and again for what must not come."""
    await quiet_for(LATE_S)
    await world.is_in(site, "ok", within_s=60)
    if world.after_end_s:
        await _all_clear(world, outcome, since, site)
        await quiet_for(world.after_end_s)
    return _counted(world, outcome, since, site)


async def _all_clear(world: World, outcome: Outcome, since: float, site: str) -> None:
    """Wait for it, where there was a page: a missed outage is told in the report, with all others."""
    if outcome.to_page is None:
        return
    await wait_until(
        lambda: world.telephone.pages(since, site, is_over=True), ALL_CLEAR_S, what=f"the all-clear of {site}"
    )


def _counted(world: World, outcome: Outcome, since: float, *sites: str) -> Outcome:
    """What the telephone said of these sites since then."""
    outcome.pages, outcome.ends = (
        [title for site in sites for _, title in world.telephone.pages(since, site, is_over=is_over)]
        for is_over in (False, True)
    )
    return outcome


async def _ups(world: World, kind: str, status: str, expected: str, within_s: float) -> Outcome:
    site = world.next_of("power")
    served = await asyncio.to_thread(_set_status, world, site, status)
    shown = await world.is_in(site, "on_battery")
    outcome = await _watched(world, kind, site, expected, served, within_s)
    outcome.to_board = shown - served
    await asyncio.to_thread(_set_status, world, site, "OL CHRG")
    return await _finished(world, outcome, site, served)


def _set_status(world: World, site: str, status: str) -> float:
    """The instant at which upsd served it, to within a poll of a hundredth of a second."""
    world.ups.set(world.powers[site], "ups.status", status)
    return time.monotonic()


async def battery_low(world: World) -> Outcome:
    """Mains gone and the battery nearly empty."""
    return await _ups(world, "OB LB", "OB LB DISCHRG", "battery_low", 10)


async def forced_shutdown(world: World) -> Outcome:
    """The UPS announces that it shuts down."""
    return await _ups(world, "FSD", "FSD OB", "battery_low", 10)


async def on_battery(world: World) -> Outcome:
    """Mains gone, the battery full."""
    return await _ups(world, "OB", "OB DISCHRG", "mains_lost", 30)


async def one_line(world: World) -> Outcome:
    """The line that carries the site's traffic is down."""
    return await _lines(world, "one line", [MAIN_LINE], "line_down", ("redundancy_lost", "degraded"), 30)


async def both_lines(world: World) -> Outcome:
    """Both lines are down, one after the other."""
    return await _lines(world, "both lines", list(LINES), "lines_down", ("isolated",), 15)


async def _lines(
    world: World, kind: str, lines: Sequence[str], expected: str, states: Sequence[str], within_s: float
) -> Outcome:
    site, since = world.next_of("lines"), time.monotonic()
    for line in lines:
        world.lines[site].line(line, LineState.DOWN)
    shown = await world.is_in(site, *states)
    outcome = await _watched(world, kind, site, expected, since, within_s)
    outcome.to_board = shown - since
    for line in lines:
        world.lines[site].line(line, LineState.UP)
    return await _finished(world, outcome, site, since)


async def dies_without_a_word(world: World) -> Outcome:
    """A gateway and its seats are gone at once; nothing was said before."""
    since = time.monotonic()
    for each in world.dark:
        each.is_alive = False
    shown = await world.is_in("dark", "silent")
    outcome = await _watched(world, "silent", "dark", "site_silent", since, 30)
    outcome.to_board = shown - since
    for each in world.dark:
        each.is_alive = True
    return await _finished(world, outcome, "dark", since)


async def broker_and_seats(world: World) -> Outcome:
    """The broker dies, and with it everything that everybody says."""
    since = time.monotonic()
    world.broker.kill()
    outcome = await _watched(world, "broker", "", "hub_deaf", since, 40 + OFTEN_S)
    world.broker.start()
    for site in world.sites:
        await world.is_in(site, "ok", within_s=60)
    await quiet_for(LATE_S)
    await _all_clear(world, outcome, since, "")
    await quiet_for(world.after_end_s)
    return _counted(world, outcome, since, *world.sites, "Hub")


async def hub(world: World) -> Outcome:
    """The server itself is gone: Prometheus says so, past it."""
    since = time.monotonic()
    world.kill("server")
    outcome = await _watched(world, "monitor", "", "hub_down", since, 60)
    world.start_server()
    await world.server_is_ready()
    for site in world.sites:
        await world.is_in(site, "ok", within_s=60)
    await quiet_for(LATE_S)
    await _all_clear(world, outcome, since, "")
    await quiet_for(world.after_end_s)
    return _counted(world, outcome, since, "hub", *world.sites)


async def bridge(world: World) -> Outcome:
    """The bridge dies after an all-clear, before the second of the pair tells what it saw earlier."""
    site = world.next_of("power")
    since = await asyncio.to_thread(_set_status, world, site, "OB LB DISCHRG")
    outcome = await _watched(world, "bridge", site, "battery_low", since, 10)
    await asyncio.to_thread(_set_status, world, site, "OL CHRG")
    await _all_clear(world, outcome, since, site)
    await quiet_for(ANSWERED_S)  # killed before it knows of the answer it would tell again: twice rather than never
    world.kill("bridge")
    world.start_bridge()
    return await _finished(world, outcome, site, since)


TRACKS: Final[Sequence[Sequence[tuple[Injection, int]]]] = (
    ((battery_low, 30), (forced_shutdown, 10), (on_battery, 14)),
    ((one_line, 10), (both_lines, 18)),
    ((dies_without_a_word, 10),),
)
"""Side by side: what, and how many of a hundred. The rest are of the hub."""
ALONE: Final[Sequence[tuple[Injection, int]]] = ((broker_and_seats, 3), (hub, 3), (bridge, 2))


def _drawn(kinds: Sequence[tuple[Injection, int]], outages: int, dice: random.Random) -> list[Injection]:
    """That track's share of so many outages, in an order of its own; at least one of each kind."""
    found = [kind for kind, share in kinds for _ in range(max(1, round(share * outages / 100)))]
    dice.shuffle(found)
    return found


async def campaign(directory: Path, outages: int, seed: int) -> list[Outcome]:
    """All of them."""
    dice = random.Random(seed)
    found: list[Outcome] = []

    async def track(world: World, injections: Sequence[Injection], own: random.Random) -> None:
        for inject in injections:
            await quiet_for(own.random())
            found.append(await inject(world))
            print(f"{len(found):4d} {found[-1]}", flush=True)

    async with running_world(directory, with_prometheus=True, sites_each=SITES_EACH) as world:
        world.after_end_s = PEER_TIMEOUT_S + LATE_S
        async with asyncio.TaskGroup() as tasks:
            for number, kinds in enumerate(TRACKS):
                own = random.Random(dice.random())
                tasks.create_task(track(world, _drawn(kinds, outages, own), own), name=f"track {number}")
        await track(world, _drawn(ALONE, outages, dice), dice)
    return found


def report(found: Sequence[Outcome]) -> tuple[str, bool]:
    """A line for each kind, and whether every outage was paged once under its name."""
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        kinds[outcome.kind].append(outcome)
    lines = [f"{'outage':12} {'n':>3} {'bad':>3} {'board p50':>10} {'p95':>6} {'page p50':>10} {'p95':>6} {'max':>6}"]
    for kind, outcomes in kinds.items():
        boards = sorted(o.to_board for o in outcomes if o.to_board is not None)
        pages = sorted(o.to_page for o in outcomes if o.to_page is not None)
        bad = sum(1 for o in outcomes if o.problem())
        lines.append(
            f"{kind:12} {len(outcomes):3} {bad:3} {_at(boards, 50):>10} {_at(boards, 95):>6}"
            f" {_at(pages, 50):>10} {_at(pages, 95):>6} {_at(pages, 100):>6}"
        )
    lines += [f"BAD {o.kind}: {o.problem()}" for o in found if o.problem()]
    return "\n".join(lines), not any(o.problem() for o in found)


def _at(figures: Sequence[float], percent: int) -> str:
    """The nearest-rank percentile, as text."""
    if not figures:
        return "-"
    return f"{figures[max(0, -(-len(figures) * percent // 100) - 1)]:.2f}"


def main() -> int:
    """Run a campaign and print its table. Exit 0 when nothing was missed, repeated or misnamed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        text, is_good = report(asyncio.run(campaign(Path(directory), asked.outages, asked.seed)))
    print(text)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
