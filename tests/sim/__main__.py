"""Run the seeded world: `python -m tests.sim --seeds 100`. Docs: docs/reference/simulation.md."""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from tests.sim.marks import EXPECTED
from tests.sim.mutants import MUTANTS
from tests.sim.world import Outcome, run

REGRESSIONS: Final = Path(__file__).with_name("regressions.txt")
ALL_MARKS_FROM: Final = 100
"""A run of this many seeds must have met every fault and every recovery branch."""
MUTANT_SEEDS: Final = 100
SHOWN: Final = 5
SHOWN_MARKS: Final = (
    "crash.kill",
    "crash.power",
    "disk.fsync_error",
    "disk.unsynced_lost",
    "broker.crashed",
    "net.dropped",
    "outbox.overflowed",
    "outbox.set_aside",
    "ledger.restored_older",
    "probe.cloned",
)


def regressions() -> list[int]:
    """Seeds that once failed."""
    lines = REGRESSIONS.read_text(encoding="ascii").splitlines()
    return [int(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]


def one(seed: int, mutant: str | None = None) -> Outcome:
    """One seed, of the product or of a mutant."""
    return run(seed, None if mutant is None else MUTANTS[mutant])


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 when every seed held (or every mutant was caught)."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the table is all
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description="The seeded world.")
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds to run (100)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--seed", type=int, help="run this one seed only")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="run a broken variant: a violation is expected")
    parser.add_argument(
        "--all-mutants",
        action="store_true",
        help="every mutant must be caught within 100 seeds and those that once failed",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes to spread the seeds over (1)")
    options = parser.parse_args(arguments)
    if options.all_mutants:
        return _all_mutants()
    if options.seed is not None:
        return _single(options.seed, options.mutant)
    if options.mutant is not None:
        return 0 if _caught(options.mutant, range(options.first, options.first + options.seeds)) else 1
    return _many(range(options.first, options.first + options.seeds), options.jobs)


def _single(seed: int, mutant: str | None) -> int:
    outcome = one(seed, mutant)
    print(
        f"seed {seed}: trace {outcome.trace}, {outcome.events} steps, {outcome.entries} entries, {outcome.facts} facts"
    )
    _print_violations(outcome, mutant)
    return 1 if outcome.violations else 0


def _many(seeds: range, jobs: int) -> int:
    started = time.monotonic()
    failed: list[int] = []
    hits: Counter[str] = Counter()
    entries = facts = 0
    again = [seed for seed in regressions() if seed not in seeds]
    for outcome in _outcomes([*again, *seeds], jobs):
        hits.update(outcome.marks.hits)
        entries += outcome.entries
        facts += outcome.facts
        if outcome.violations:
            failed.append(outcome.seed)
            _print_violations(outcome, None)
    count = len(again) + len(seeds)
    seconds = time.monotonic() - started
    again_too = f"{len(again)} of them from {REGRESSIONS.name}"
    print(f"{count} seeds ({again_too}), {entries} entries, {facts} facts, {len(failed)} failed;", end=" ")
    print(f"{seconds:.1f} s, {1000 * seconds / max(count, 1):.0f} ms a seed")
    print(_faults_met(hits))
    missing = sorted(EXPECTED - hits.keys())
    if missing and count >= ALL_MARKS_FROM:
        print(f"never met, in {count} seeds: {', '.join(missing)}")
        return 1
    return 1 if failed else 0


def _outcomes(seeds: list[int], jobs: int) -> Iterator[Outcome]:
    with ProcessPoolExecutor(jobs) if jobs > 1 else nullcontext() as pool:
        yield from map(one, seeds) if pool is None else pool.map(one, seeds, chunksize=8)


def _faults_met(hits: Counter[str]) -> str:
    return "met: " + ", ".join(f"{name} {hits[name]}" for name in SHOWN_MARKS)


def _print_violations(outcome: Outcome, mutant: str | None) -> None:
    if not outcome.violations:
        return
    for violation in outcome.violations[:SHOWN]:
        print(f"seed {outcome.seed}: {violation}")
    if len(outcome.violations) > SHOWN:
        print(f"seed {outcome.seed}: and {len(outcome.violations) - SHOWN} more")
    suffix = "" if mutant is None else f" --mutant {mutant}"
    print(f"  replay: python -m tests.sim --seed {outcome.seed}{suffix}")


def _caught(mutant: str, seeds: Sequence[int]) -> bool:
    started = time.monotonic()
    for outcome in map(partial(one, mutant=mutant), seeds):
        if outcome.violations:
            seconds = time.monotonic() - started
            print(f"{mutant:28} caught by seed {outcome.seed:3} in {seconds:5.1f} s: {str(outcome.violations[0])[:90]}")
            return True
    print(f"{mutant:28} SURVIVED {len(seeds)} seeds")
    return False


def _all_mutants() -> int:
    seeds = sorted({*range(MUTANT_SEEDS), *regressions()})
    caught = [_caught(mutant, seeds) for mutant in MUTANTS]
    print(f"{sum(caught)} of {len(caught)} mutants caught within {len(seeds)} seeds, those that once failed among them")
    return 0 if all(caught) else 1


if __name__ == "__main__":
    sys.exit(main())
