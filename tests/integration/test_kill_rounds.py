"""A short slice of the kill rounds, every kind of strike once: `make kills ROUNDS=50` runs as many as one likes."""

from pathlib import Path

from tests.integration.kill_rounds import KINDS, run_rounds

SEED = 6


async def test_kill_9_of_any_process_loses_no_acknowledged_event_and_doubles_no_fact(tmp_path: Path) -> None:
    report = await run_rounds(len(KINDS), SEED, tmp_path)
    print(report.table())
    assert report.problems == []
    assert set(report.kills) == set(KINDS)
    assert report.sent == report.acknowledged > 0
    assert (report.lost, report.duplicates, report.facts_duplicate, report.facts_different) == (0, 0, 0, 0)
    assert report.facts > 0
    assert report.streamed == report.entries
