"""Segments: when a new one begins, what it carries on, and what a crash in between leaves."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ledger import opening, writer
from ledger.errors import KeyTaken, LedgerCorrupt
from ledger.fsck import check
from ledger.reader import LedgerReader
from ledger.segment import State, connect_reading, read_state, segment_numbers, segment_path
from ledger.writer import LedgerWriter
from tests.ledger.building import (
    DAY_MS,
    EPOCH,
    NOON,
    SOURCE,
    append,
    default_settings,
    new_entry,
    open_writer,
    tampering,
)

NEXT_MONTH = NOON + 20 * DAY_MS


def two_segments(directory: Path) -> LedgerWriter:
    ledger = open_writer(directory)
    append(ledger, [1, 2, 5], mark=2)
    append(ledger, [6], at=NEXT_MONTH, mark=2)
    return ledger


def state_of(directory: Path, number: int) -> State:
    connection = connect_reading(segment_path(directory, number), None)
    try:
        return read_state(connection)
    finally:
        connection.close()


def test_a_new_month_begins_a_segment_and_the_index_runs_on(tmp_path: Path) -> None:
    ledger = two_segments(tmp_path)
    assert segment_numbers(tmp_path) == [1, 2]
    assert (state_of(tmp_path, 1).sealed, state_of(tmp_path, 2).sealed) == (1, 0)
    assert state_of(tmp_path, 2).first_index == 3
    assert [entry.index for entry in LedgerReader.open(tmp_path).read(0, 9)] == [0, 1, 2, 3]
    ledger.close()
    assert check(tmp_path).problems == []


def test_a_month_without_entries_begins_no_segment(tmp_path: Path) -> None:
    ledger = open_writer(tmp_path)
    ledger.commit([], received_at=NOON, marks={(SOURCE, EPOCH): 1})
    append(ledger, [2], at=NEXT_MONTH)
    append(ledger, [3], at=NEXT_MONTH + 1)
    assert segment_numbers(tmp_path) == [1]
    ledger.close()


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    small = msgspec.structs.replace(default_settings(), segment_bytes_max=64 * 1024, wal_bytes_max=1)
    ledger = open_writer(tmp_path, small)
    for start in range(1, 2001, 100):
        append(ledger, range(start, start + 100))
    assert len(segment_numbers(tmp_path)) > 2
    root = ledger.root()
    ledger.close()
    report = check(tmp_path)
    assert report.problems == []
    assert (report.size, report.root) == (2000, root.hex())


def test_marks_and_what_is_beyond_them_are_carried_on(tmp_path: Path) -> None:
    ledger = two_segments(tmp_path)
    assert ledger.mark(SOURCE, EPOCH) == 2
    assert ledger.beyond(SOURCE, EPOCH) == {5, 6}
    assert ledger.highest(SOURCE, EPOCH) == 6
    ledger.close()
    reopened = open_writer(tmp_path)
    assert reopened.mark(SOURCE, EPOCH) == 2
    assert reopened.beyond(SOURCE, EPOCH) == {5, 6}
    assert list(reopened.streams()) == [(SOURCE, EPOCH, 2)]
    reopened.close()


def test_a_key_is_found_in_a_sealed_segment_and_cannot_be_stored_again(tmp_path: Path) -> None:
    ledger = two_segments(tmp_path)
    assert ledger.body_of(SOURCE, EPOCH, 2) == (999, 1, b"body 2")
    assert ledger.body_of(SOURCE, EPOCH, 3) is None
    append(ledger, [3], at=NEXT_MONTH, mark=3)  # late, below what the sealed segment reached, but new
    with pytest.raises(KeyTaken, match="sealed segment"):
        append(ledger, [2], at=NEXT_MONTH, mark=3)
    ledger.close()
    assert check(tmp_path).problems == []


def test_a_sealed_segment_is_never_written_again(tmp_path: Path) -> None:
    ledger = two_segments(tmp_path)
    ledger.close()
    sealed = segment_path(tmp_path, 1).read_bytes()
    reopened = open_writer(tmp_path)
    append(reopened, [7], at=NEXT_MONTH, mark=2)
    assert reopened.body_of(SOURCE, EPOCH, 1) is not None
    reopened.close()
    assert segment_path(tmp_path, 1).read_bytes() == sealed


def test_a_reader_sees_a_segment_that_came_after_it(tmp_path: Path) -> None:
    ledger = open_writer(tmp_path)
    reader = LedgerReader.open(tmp_path)
    append(ledger, [1])
    assert reader.size() == 1
    append(ledger, [2], at=NEXT_MONTH)
    append(ledger, [3], at=NEXT_MONTH + 40 * DAY_MS)
    assert [entry.sequence for entry in reader.read(0, 9)] == [1, 2, 3]
    found = reader.find(SOURCE, EPOCH, 1)
    assert found is not None
    assert found.index == 0
    ledger.close()


def test_a_crash_between_sealing_and_the_new_file_is_mended_by_the_next_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_writer(tmp_path)
    append(ledger, [1, 2])
    monkeypatch.setattr(writer, "follow", _crash)
    with pytest.raises(_CrashedError):
        append(ledger, [3], at=NEXT_MONTH)
    ledger.close()
    assert (segment_numbers(tmp_path), state_of(tmp_path, 1).sealed) == ([1], 1)
    monkeypatch.undo()
    reopened = open_writer(tmp_path)
    assert (reopened.size, reopened.mark(SOURCE, EPOCH)) == (2, 2)
    append(reopened, [3], at=NEXT_MONTH)
    reopened.close()
    assert (segment_numbers(tmp_path), check(tmp_path).problems) == ([1, 2], [])


def test_a_crash_while_the_new_file_is_built_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_writer(tmp_path)
    append(ledger, [1])
    monkeypatch.setattr("ledger.segment.publish", _crash)
    with pytest.raises(_CrashedError):
        append(ledger, [2], at=NEXT_MONTH)
    ledger.close()
    assert [path.name for path in tmp_path.glob("*.new*")] == ["00000002.sqlite.new"]
    monkeypatch.undo()
    reopened = open_writer(tmp_path)
    assert list(tmp_path.glob("*.new*")) == []
    append(reopened, [2], at=NEXT_MONTH)
    reopened.close()
    assert check(tmp_path).problems == []


def test_a_crash_after_the_new_file_is_there_goes_on_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_writer(tmp_path)
    append(ledger, [1])
    monkeypatch.setattr(opening, "connect_writing", _crash)
    with pytest.raises(_CrashedError):
        append(ledger, [2], at=NEXT_MONTH)
    ledger.close()
    monkeypatch.undo()
    assert segment_numbers(tmp_path) == [1, 2]
    reopened = open_writer(tmp_path)
    assert (reopened.size, reopened.fencing_epoch) == (1, 2)
    append(reopened, [2], at=NEXT_MONTH)
    reopened.close()
    assert check(tmp_path).problems == []


def test_streams_new_in_a_later_segment_do_not_disturb_the_older_ones(tmp_path: Path) -> None:
    ledger = two_segments(tmp_path)
    ledger.commit(
        [new_entry(1, source="probe-9"), new_entry(7)],
        received_at=NEXT_MONTH,
        marks={("probe-9", EPOCH): 1},
    )
    append(ledger, [3], at=NEXT_MONTH + 40 * DAY_MS, mark=3)
    assert list(ledger.streams()) == [(SOURCE, EPOCH, 3), ("probe-9", EPOCH, 1)]
    ledger.close()
    assert check(tmp_path).problems == []


class _CrashedError(Exception):
    """Stands for a kill at that point."""


def _crash(*_arguments: object) -> None:
    raise _CrashedError


def _three_segments(directory: Path) -> None:
    ledger = open_writer(directory)
    for month, sequence in enumerate((1, 2, 3)):
        append(ledger, [sequence], at=NOON + 30 * month * DAY_MS)
    ledger.close()


def _exchange(directory: Path, other: Path) -> None:
    first, second, aside = segment_path(directory, 1), segment_path(directory, 2), other / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def _from_another_ledger(directory: Path, other: Path) -> None:
    _three_segments(other / "ledger")
    shutil.copy(segment_path(other / "ledger", 2), segment_path(directory, 2))


def _from_an_older_copy(directory: Path, _: Path) -> None:
    with tampering(directory, 2) as connection:
        connection.execute("UPDATE state SET first_index = 0, size = 1")


def _unsealed(directory: Path, _: Path) -> None:
    with tampering(directory, 2) as connection:
        connection.execute("UPDATE state SET sealed = 0")


def _no_segment(directory: Path, _: Path) -> None:
    segment_path(directory, 2).write_text("a letter\n" * 1000)


@pytest.mark.parametrize(
    ("damage", "named", "problem"),
    [
        (_exchange, 1, "is segment 2 under the name of another"),
        (_from_another_ledger, 2, "is of ledger"),
        (_from_an_older_copy, 2, "begins with entry 0, not with 1 as what is before it ends"),
        (_unsealed, 2, "is not sealed, and another one follows"),
        (_no_segment, 2, "file is not a database"),
    ],
)
def test_a_writer_opens_nothing_whose_segments_are_not_in_line_and_names_the_file(
    tmp_path: Path, damage: Callable[[Path, Path], None], named: int, problem: str
) -> None:
    directory, other = tmp_path / "acme", tmp_path / "other"
    other.mkdir()
    _three_segments(directory)
    open_writer(directory).close()
    damage(directory, other)
    before = {path.name: path.read_bytes() for path in directory.glob("*.sqlite")}
    with pytest.raises(LedgerCorrupt) as refused:
        open_writer(directory)
    assert str(refused.value).startswith(f"{segment_path(directory, named)}: {problem}")
    assert "run seatwatch fsck" in str(refused.value)
    assert {path.name: path.read_bytes() for path in directory.glob("*.sqlite")} == before
    assert not check(directory).is_sound
