"""A few random cuts of a site's lines; `make cuts CUTS=100` runs many."""

from pathlib import Path

from tests.integration.line_cuts import run_cuts


async def test_lines_cut_at_random_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    report = await run_cuts(5, 1, tmp_path)
    print(report.table())
    assert report.problems == []
    assert (report.lost, report.duplicates) == (0, 0)
    assert report.rows > report.readings > 50
