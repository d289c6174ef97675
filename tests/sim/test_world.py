"""A slice of the seeded world for every run of the suite; `make sim` runs it at length."""

import pytest

from tests.sim.__main__ import main, regressions
from tests.sim.marks import EXPECTED
from tests.sim.mutants import MUTANTS
from tests.sim.world import run

SEEDS = 6
MUTANT_SEEDS = 12
SLOW_MUTANTS = {
    "clock_not_clamped",
    "engine_trusts_offset",
    "far_engine_trusts_stream",
    "fence_ignored",
    "fire_and_forget",
    "offset_before_state",
    "overflow_drops_silently",
    "restart_not_said",
    "stream_of_another_past",
}
"""These take the world longer to notice; `python -m tests.sim --all-mutants` runs them all."""
QUICK_MUTANTS = sorted(MUTANTS.keys() - SLOW_MUTANTS)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_invariant_holds_in_a_bad_minute_from_this_seed(seed: int) -> None:
    outcome = run(seed)
    assert outcome.violations == (), f"replay: python -m tests.sim --seed {seed}"
    assert outcome.entries > 50


@pytest.mark.parametrize("seed", regressions())
def test_a_seed_that_once_failed_holds(seed: int) -> None:
    assert run(seed).violations == (), f"replay: python -m tests.sim --seed {seed}"


def test_the_same_seed_gives_the_same_history_and_another_seed_another() -> None:
    first, again, other = run(3), run(3), run(4)
    assert (first.trace, first.events, first.marks.hits) == (again.trace, again.events, again.marks.hits)
    assert first.trace != other.trace


@pytest.mark.parametrize("mutant", QUICK_MUTANTS)
def test_a_broken_variant_is_caught(mutant: str) -> None:
    caught = next((seed for seed in range(MUTANT_SEEDS) if run(seed, MUTANTS[mutant]).violations), None)
    assert caught is not None, f"{mutant} survived {MUTANT_SEEDS} seeds"


def test_a_failing_seed_is_reported_with_the_command_that_replays_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "0", "--mutant", "no_dedupe"]) == 1
    assert "replay: python -m tests.sim --seed 0 --mutant no_dedupe" in capsys.readouterr().out


def test_a_run_that_never_met_some_fault_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, once_failed = run(0), regressions()[:1]
    assert set(outcome.marks.missing()) == EXPECTED - outcome.marks.hits.keys()
    monkeypatch.setattr("tests.sim.__main__.regressions", lambda: once_failed)  # each has a test of its own
    assert main(["--seeds", "1"]) == 0, "one seed need not meet everything"
    assert "met: " in capsys.readouterr().out
