"""The independent check over several segments: what may be purged, and where."""

from pathlib import Path

import msgspec
import pytest

from ledger.fsck import check
from ledger.reader import LedgerReader
from tests.ledger.building import DAY_MS, NOON, append, default_settings, findings, open_writer, tampering


@pytest.fixture
def two_segments(tmp_path: Path) -> Path:
    """Entries 0 to 7 in a sealed segment, 8 to 11 in the open one."""
    directory = tmp_path / "ledger"
    writer = open_writer(directory)
    append(writer, range(1, 9))
    append(writer, range(9, 13), at=NOON + 40 * DAY_MS)
    writer.close()
    return directory


def test_a_purged_body_of_a_sealed_segment_is_counted_and_no_finding(two_segments: Path) -> None:
    with tampering(two_segments) as connection:
        connection.execute("UPDATE entries SET content = NULL WHERE entry_index IN (2, 3)")
    report = check(two_segments)
    assert (report.problems, report.purged) == ([], 2)
    stored = LedgerReader.open(two_segments).entry(2)
    assert (stored.salt, stored.body, len(stored.leaf)) == (None, None, 32)


def test_a_body_missing_from_the_open_segment_is_named(two_segments: Path) -> None:
    with tampering(two_segments, number=2) as connection:
        connection.execute("UPDATE entries SET content = NULL WHERE entry_index = 9")
    report = check(two_segments)
    assert [(problem.where, problem.index) for problem in report.problems] == [("00000002.sqlite", 9)]
    assert "entry 9 has lost its body" in findings(report)
    assert report.purged == 1


def test_a_segment_with_another_after_it_is_sealed(two_segments: Path) -> None:
    with tampering(two_segments) as connection:
        connection.execute("UPDATE state SET sealed = 0")
    assert findings(check(two_segments)) == "00000001.sqlite: is not sealed, although another segment follows"


def test_a_full_small_segment_chain_is_sound(tmp_path: Path) -> None:
    small = msgspec.structs.replace(default_settings(), segment_bytes_max=40_000, wal_bytes_max=1)
    writer = open_writer(tmp_path, small)
    for start in range(1, 1201, 60):
        append(writer, range(start, start + 60))
    writer.close()
    report = check(tmp_path)
    assert (report.problems, report.size) == ([], 1200)
    assert report.segments > 2
