"""The sample mappings over the invented rows beside them, and that they say they are samples."""

from pathlib import Path

import pytest

from collector.importers.mapping import read_mapping
from collector.importers.reading import MappedReading
from tests.collector.importers.files import SETTINGS
from tests.tidy.source import ROOT
from wire.codec import decode_body
from wire.conversation import AgentTurn, CustomerLeft, Offered
from wire.kinds import Kind

PLATFORMS = ROOT / "examples" / "platforms"
SAMPLES = sorted(path.name for path in PLATFORMS.iterdir() if path.is_dir() and path.name != "figures")
EXPECTED = {
    "feige": ({"answered": 2, "abandoned": 1, "never_queued": 1, "rejected": 0}, [6, 65], [("went_silent", 120)]),
    "jingmai": (
        {"answered": 1, "abandoned": 2, "never_queued": 0, "rejected": 0},
        [9],
        [("nobody_online", 5), ("went_silent", 120)],
    ),
    "kuaishou": ({"answered": 3, "abandoned": 1, "never_queued": 1, "rejected": 0}, [8, 14, 5], [("went_silent", 120)]),
    "qianniu": ({"answered": 2, "abandoned": 1, "never_queued": 0, "rejected": 1}, [7, 22], [("went_silent", 130)]),
}


def test_the_four_platforms_have_a_sample() -> None:
    assert sorted(EXPECTED) == SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_reads_its_rows_to_the_waits_they_show(name: str) -> None:
    (rows,) = (PLATFORMS / name).glob("*.csv")
    reading = MappedReading(rows, read_mapping(PLATFORMS / name / "mapping.toml"), "acme", SETTINGS)
    entered: dict[str, int] = {}
    answered: list[int] = []
    left: list[tuple[str, int]] = []
    for event in reading.in_file_order():
        body = None if event.kind == Kind.QUARANTINED else decode_body(event.kind, event.kind_version, event.body)
        if isinstance(body, Offered):
            entered[body.conversation] = body.occurred_at
        elif isinstance(body, AgentTurn):
            answered.append((body.occurred_at - entered[body.conversation]) // 1000)
        elif isinstance(body, CustomerLeft):
            left.append((body.reason, (body.occurred_at - entered[body.conversation]) // 1000))
    assert (reading.report.outcomes, answered, sorted(left)) == EXPECTED[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_that_nobody_verified_it(name: str) -> None:
    path: Path = PLATFORMS / name / "mapping.toml"
    assert path.read_text(encoding="utf-8").startswith("# SAMPLE, NOT VERIFIED: ")
    assert read_mapping(path).format.startswith("sample-")
