"""The sample mappings over the invented rows beside them, and that they say they are samples."""

from pathlib import Path

import pytest

from collector.importers.mapping import read_mapping
from tests.collector.importers.platforms import PLATFORMS, waits

SAMPLES = sorted(path.name for path in PLATFORMS.iterdir() if path.is_dir() and path.name != "figures")
EXPECTED = {
    "feige": ({"answered": 2, "abandoned": 1, "never_queued": 1, "rejected": 0}, [], [6, 65], [("went_silent", 120)]),
    "jingmai": (
        {"answered": 1, "abandoned": 2, "never_queued": 0, "rejected": 0},
        [],
        [9],
        [("nobody_online", 5), ("went_silent", 120)],
    ),
    "kuaishou": (
        {"answered": 3, "abandoned": 1, "never_queued": 1, "rejected": 0},
        [2, 1, 1],
        [8, 14, 5],
        [("went_silent", 120)],
    ),
    "qianniu": ({"answered": 2, "abandoned": 1, "never_queued": 0, "rejected": 1}, [], [7, 22], [("went_silent", 130)]),
}


def test_the_four_platforms_have_a_sample() -> None:
    assert sorted(EXPECTED) == SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_reads_its_rows_to_the_waits_they_show(name: str) -> None:
    """Where no column says when somebody got a session, nobody is said to have: the seat's clock would show 0.000 s."""
    (rows,) = (PLATFORMS / name).glob("*.csv")
    found = waits(rows, name)
    assert (found.report.outcomes, found.assigned, found.answered, found.left) == EXPECTED[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_that_nobody_verified_it(name: str) -> None:
    path: Path = PLATFORMS / name / "mapping.toml"
    assert path.read_text(encoding="utf-8").startswith("# SAMPLE, NOT VERIFIED: ")
    assert read_mapping(path).format.startswith("sample-")
