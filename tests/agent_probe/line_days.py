"""Simulated days of one line: echoes over a path that loses some of them, and how often the line is called down.

python -m tests.agent_probe.line_days --days 3
"""

import argparse
import heapq
import random
from collections.abc import Callable

from agent_probe._core.line import GATEWAY, Line, Link
from tests.agent_probe.living_probe import SETTINGS
from wire.uplink import LineState

DAY_MS = 24 * 3600 * 1000
RULES = SETTINGS.lines.rules
Loses = Callable[[int, random.Random], bool]


def evenly(share: float) -> Loses:
    """Each echo is lost with the same chance."""
    return lambda _, rng: rng.random() < share


def in_bursts(share: float, burst_ms: int, lost_within: float = 0.9) -> Loses:
    """Losses come in spells of `burst_ms` on average, and are `share` of all (Gilbert and Elliott)."""
    bad_share = share / lost_within
    pauses = {True: burst_ms, False: burst_ms * (1 - bad_share) / bad_share}
    spell = {"bad": False, "until": 0.0}

    def loses(now: int, rng: random.Random) -> bool:
        while now >= spell["until"]:
            spell["bad"] = not spell["bad"]
            spell["until"] += rng.expovariate(1 / pauses[bool(spell["bad"])])
        return bool(spell["bad"]) and rng.random() < lost_within

    return loses


class Day:
    """What became of the line while its path was never really cut for long."""

    def __init__(self, loses: Loses, seed: int, length_ms: int = DAY_MS, targets: int = 3) -> None:
        self.downs = self.suspicions = self.degradations = self.echoes = 0
        rng = random.Random(seed)
        line = Line(RULES, targets=targets, has_gateway=True, now=0)
        line.observe_link(Link(is_enabled=True, has_link=True, has_address=True), 0)
        answers: list[tuple[int, int, int]] = []
        before, now = line.state, 0
        while now < length_ms:
            wake_at = line.next_wake_at()
            assert wake_at is not None
            now = max(now, min(wake_at, answers[0][0] if answers else wake_at))
            while answers and answers[0][0] <= now:
                _, number, rtt_us = heapq.heappop(answers)
                line.answered(number, rtt_us, now)
            for echo in line.due(now):
                self.echoes += 1
                if echo.target == GATEWAY or not loses(now, rng):
                    rtt_ms = rng.randint(8, 60)
                    heapq.heappush(answers, (now + rtt_ms, echo.number, rtt_ms * 1000))
            if line.state is not before:
                self.downs += line.state is LineState.DOWN
                self.suspicions += line.state is LineState.SUSPECT
                self.degradations += line.state is LineState.DEGRADED
                before = line.state


PATHS: dict[str, Callable[[], Loses]] = {
    "1 % evenly": lambda: evenly(0.01),
    "5 % evenly": lambda: evenly(0.05),
    "10 % evenly": lambda: evenly(0.10),
    "5 % in bursts of 200 ms": lambda: in_bursts(0.05, 200),
    "1 % in bursts of 800 ms": lambda: in_bursts(0.01, 800),
    "5 % in bursts of 800 ms": lambda: in_bursts(0.05, 800),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="How often a line that is never cut is called down, per day.")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{'lost':26}{'downs':>8}{'degraded':>10}{'suspect':>10}   per line and day")
    for name, path in PATHS.items():
        days = [Day(path(), options.seed + day) for day in range(options.days)]
        figures = [sum(getattr(day, what) for day in days) for what in ("downs", "degradations", "suspicions")]
        print(f"{name:26}" + "".join(f"{n / len(days):>{w}.1f}" for n, w in zip(figures, (8, 10, 10), strict=True)))


if __name__ == "__main__":
    main()
