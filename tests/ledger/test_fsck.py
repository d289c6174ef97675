"""The independent check: a sound ledger passes, and whatever is done to one is found and named."""

import ast
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from ledger import fsck, fsck_files, fsck_formats, fsck_report
from ledger.checkpoint import Signer
from ledger.entry import NewEntry
from ledger.fsck import check
from ledger.fsck_report import Report
from ledger.reader import LedgerReader
from ledger.segment import segment_path
from tests.ledger.building import (
    DAY_MS,
    EPOCH,
    NOON,
    SOURCE,
    append,
    default_settings,
    findings,
    new_entry,
    open_writer,
    tampering,
)
from wire.codec import encode_body
from wire.kinds import Kind
from wire.record import GapReason, Gone

SIZE = 12


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Twelve entries of one source, all below the mark, in one segment that was closed in order."""
    directory = tmp_path / "ledger"
    writer = open_writer(directory)
    append(writer, range(1, 9))
    append(writer, range(9, SIZE + 1), at=NOON + 5)
    writer.close()
    return directory


def named(report: Report) -> set[int | None]:
    return {problem.index for problem in report.problems}


def test_a_sound_ledger_has_no_findings(ledger: Path) -> None:
    report = check(ledger)
    assert (report.problems, report.is_sound, report.size, report.segments, report.streams) == ([], True, SIZE, 1, 1)
    assert report.root == LedgerReader.open(ledger).root(SIZE).hex()


def test_a_ledger_in_use_and_one_after_a_kill_are_sound(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    append(writer, range(1, 700))
    assert check(tmp_path).problems == []
    writer._connection.close()  # a killed process leaves the log as it is
    assert check(tmp_path).size == 699


def test_the_check_shares_no_code_with_what_it_checks() -> None:
    allowed = {
        "cryptography",
        "ledger.fsck_formats",
        "ledger.fsck_files",
        "ledger.fsck_report",
        *sys.stdlib_module_names,
    }
    for module in (fsck, fsck_files, fsck_formats, fsck_report):
        imported = set()
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
        assert {name for name in imported if name not in allowed and name.split(".")[0] not in allowed} == set()
    code = "import sys, ledger.fsck; print([name for name in sys.modules if name.startswith(('ledger', 'wire'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        done.stdout.strip()
        == "['ledger', 'ledger.fsck_formats', 'ledger.fsck_files', 'ledger.fsck_report', 'ledger.fsck']"
    )


@pytest.mark.parametrize("column", ["received_at", "sequence", "kind", "kind_version"])
@pytest.mark.parametrize("index", [0, 5, SIZE - 1])
def test_a_changed_column_names_the_entry(ledger: Path, column: str, index: int) -> None:
    with tampering(ledger) as connection:
        connection.execute(f"UPDATE entries SET {column} = {column} + 100 WHERE entry_index = {index}")
    assert index in named(check(ledger))


@pytest.mark.parametrize("column", ["content", "leaf"])
def test_a_changed_body_salt_or_leaf_names_the_entry(ledger: Path, column: str) -> None:
    for at in (1, 17, 22):
        with tampering(ledger) as connection:
            connection.execute(
                f"UPDATE entries SET {column} ="
                f" CAST(substr({column}, 1, {at}) || x'ff' || substr({column}, {at + 2}) AS BLOB) WHERE entry_index = 7"
            )
        assert 7 in named(check(ledger))


def test_a_changed_source_or_epoch_names_every_entry_of_it(ledger: Path) -> None:
    with tampering(ledger) as connection:
        connection.execute("UPDATE streams SET source = 'somebody-else'")
    assert set(range(SIZE)) <= named(check(ledger))


@pytest.mark.parametrize("index", [0, 6, SIZE - 1])
def test_a_deleted_entry_is_named(ledger: Path, index: int) -> None:
    with tampering(ledger) as connection:
        connection.execute("DELETE FROM entries WHERE entry_index = ?", (index,))
    assert index in named(check(ledger))


def test_two_entries_that_changed_places_are_both_named(ledger: Path) -> None:
    with tampering(ledger) as connection:
        for old, new in ((3, 1000), (8, 3), (1000, 8)):
            connection.execute("UPDATE entries SET entry_index = ? WHERE entry_index = ?", (new, old))
    assert {3, 8} <= named(check(ledger))


def test_an_inserted_entry_is_named(ledger: Path) -> None:
    with tampering(ledger) as connection:
        connection.execute(
            "INSERT INTO entries SELECT ?, received_at, stream, ?, kind, kind_version, content, leaf"
            " FROM entries WHERE entry_index = 4",
            (SIZE, SIZE + 1),
        )
    assert SIZE in named(check(ledger))


def test_an_entry_with_a_recomputed_leaf_is_caught_by_the_frontier(ledger: Path) -> None:
    with tampering(ledger) as connection:
        connection.execute("UPDATE entries SET leaf = ?, content = NULL WHERE entry_index = 4", (bytes(32),))
    report = check(ledger)
    assert "the stored frontier is not that of the leaves" in findings(report)


@pytest.mark.parametrize("bits", [0x01, 0x08, 0x80, 0xFF])
def test_any_flipped_byte_of_the_last_records_is_found_and_names_an_entry(ledger: Path, bits: int) -> None:
    path = segment_path(ledger, 1)
    whole = path.read_bytes()
    missed, unnamed = [], []
    for index in range(SIZE - 3, SIZE):
        for at in _record_span(whole, ledger, index):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
            report = check(ledger)
            if report.is_sound:
                missed.append((index, at))
            elif not named(report) - {None}:
                unnamed.append((index, at, findings(report)))
    path.write_bytes(whole)
    assert missed == []
    assert unnamed == []
    assert check(ledger).is_sound


def _record_span(whole: bytes, directory: Path, index: int) -> list[int]:
    """Bytes of that record in the file: SQLite's record header, the columns, content and leaf."""
    entry = LedgerReader.open(directory).entry(index)
    assert entry.salt is not None
    assert entry.body is not None
    content = entry.salt + entry.body
    # Before the content stand, by SQLite's file format: payload length and rowid (1 byte each), the record header (its
    # own length and 8 types, 1 byte each), then received_at in 6 bytes, sequence in 1 and kind in 2; 0 and 1 take none.
    start = whole.index(content + entry.leaf) - (2 + 9 + 6 + 1 + 2)
    # The header's second byte is the type of entry_index, whose value is the rowid: SQLite never reads it, nobody can.
    return [at for at in range(start, start + 20 + len(content) + len(entry.leaf)) if at != start + 3]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE state SET size = size - 1", "claims entries up to"),
        ("UPDATE state SET size = size + 1", "claims entries up to"),
        ("UPDATE state SET frontier = x''", "frontier"),
        ("UPDATE state SET last_received_at = 1", "last received_at"),
        ("UPDATE state SET ledger_id = x'00'", "of ledger 00"),
        ("UPDATE state SET first_index = 1", "starts at entry 1"),
        ("DELETE FROM state", "no state row"),
        ("UPDATE streams SET mark = 13", "sequence 13, below the mark 13"),
        ("UPDATE streams SET stream = 9", "names stream 1, which is not there"),
        ("INSERT INTO nodes VALUES (8, 0, x'00')", "subtree hashes"),
        ("DROP INDEX entry_keys", "the index entry_keys is missing"),
        ("DROP TABLE streams", "no such table"),
        ("UPDATE entries SET received_at = 5 WHERE entry_index = 3", "before the one in front of it"),
    ],
)
def test_tampering_with_what_stands_beside_the_entries_is_found(ledger: Path, statement: str, expected: str) -> None:
    with tampering(ledger) as connection:
        connection.execute(statement)
    report = check(ledger)
    assert expected in findings(report)
    assert not report.is_sound


def test_a_damaged_subtree_hash_is_found(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    append(writer, range(1, 600))
    writer.close()
    assert check(tmp_path).is_sound
    with tampering(tmp_path) as connection:
        connection.execute("UPDATE nodes SET hash = zeroblob(32) WHERE height = 8 AND position = 1")
        connection.execute("DELETE FROM nodes WHERE height = 9")
    text = findings(check(tmp_path))
    assert "subtree 8/1 is not that of the leaves" in text
    assert "subtree 9/0 is missing" in text


def gap(first: int, last: int) -> NewEntry:
    body = encode_body(
        Gone(NOON, 1, "hub", None, True, "", SOURCE, EPOCH, first, last, "heartbeat", 1, GapReason.OVERFLOW)
    )
    return NewEntry("~gap", sha256(b"gap" + SOURCE.encode() + EPOCH).digest()[:16], first, Kind.DATA_GAP, 1, body)


def test_below_a_mark_declared_gaps_stand_for_what_is_not_stored(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.commit(
        [new_entry(1), gap(2, 4), new_entry(5), gap(6, 200_000), gap(200_001, 200_003)],
        received_at=NOON,
        marks={(SOURCE, EPOCH): 200_003},
    )
    writer.close()
    assert check(tmp_path).problems == []
    with tampering(tmp_path) as connection:
        connection.execute("UPDATE streams SET mark = 200004 WHERE source = ?", (SOURCE,))
    assert "sequence 200004, below the mark 200004, is neither stored" in findings(check(tmp_path))


def test_a_gap_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    for sequence, body in enumerate((b"", b"\x90", b"\xdf", b"\x9a" + b"\xc0" * 10, gap(1, 2).body[:-30]), start=1):
        writer.commit([replace(gap(1, 2), sequence=sequence, body=body)], received_at=NOON, marks={})
    writer.close()
    assert named(check(tmp_path)) == {0, 1, 2, 3, 4}


def test_marks_of_our_own_writers_and_of_the_snapshot_lane_may_pass_holes(tmp_path: Path) -> None:
    snapshot = sha256(b"snapshot" + EPOCH).digest()[:16]
    writer = open_writer(tmp_path)
    writer.commit(
        [new_entry(1), new_entry(9, epoch=snapshot), new_entry(7, source="~clock")],
        received_at=NOON,
        marks={(SOURCE, EPOCH): 1, (SOURCE, snapshot): 9, ("~clock", EPOCH): 7},
    )
    writer.close()
    assert check(tmp_path).problems == []


def three_segments(directory: Path) -> None:
    writer = open_writer(directory)
    for step in range(3):
        append(writer, [step * 2 + 1, step * 2 + 2], at=NOON + step * 40 * DAY_MS)
    writer.close()


def test_a_missing_segment_names_its_first_entry(tmp_path: Path) -> None:
    three_segments(tmp_path)
    assert check(tmp_path).is_sound
    segment_path(tmp_path, 2).unlink()
    report = check(tmp_path)
    assert "segment 2 is missing" in findings(report)
    assert 2 in named(report)


def test_a_key_stored_in_two_segments_is_found(tmp_path: Path) -> None:
    three_segments(tmp_path)
    with tampering(tmp_path, 3) as connection:
        connection.execute("UPDATE entries SET sequence = 1 WHERE entry_index = 4")
    assert "sequence 1 is stored twice, again as entry 4" in findings(check(tmp_path))


def test_a_stream_that_was_not_carried_on_is_found(tmp_path: Path) -> None:
    three_segments(tmp_path)
    with tampering(tmp_path, 2) as connection:
        connection.execute("UPDATE streams SET mark = 1")
    assert "was not carried on" in findings(check(tmp_path))


def test_checkpoints_are_held_against_the_entries(ledger: Path, tmp_path: Path) -> None:
    signer = Signer.open(tmp_path / "key", authority="hub.example.com")
    writer = open_writer(ledger)
    writer.checkpoint(signer)
    append(writer, [SIZE + 1])
    writer.checkpoint(signer)
    vkey = signer.vkey(writer.ledger_id)
    writer.close()
    report = check(ledger)
    assert (report.problems, report.checkpoints) == ([], 2)
    assert check(ledger, [vkey]).is_sound
    other = Signer.open(tmp_path / "other", authority="hub.example.com").vkey(writer.ledger_id)
    assert "no signature of a known key holds" in findings(check(ledger, [other]))
    note = ledger / "checkpoints" / f"{SIZE:020d}.note"
    note.write_text(note.read_text(encoding="utf-8").replace(f"\n{SIZE}\n", "\n11\n"), encoding="utf-8")
    assert "no signature of a known key holds" in findings(check(ledger))


def test_a_history_rewritten_with_everything_recomputed_is_caught_by_one_checkpoint(tmp_path: Path) -> None:
    signer = Signer.open(tmp_path / "key", authority="hub.example.com")
    honest = open_writer(tmp_path / "honest")
    append(honest, range(1, 6))
    honest.checkpoint(signer)
    honest.close()
    ledger_id = honest.ledger_id
    forged = open_writer(tmp_path / "forged")
    forged.close()
    (tmp_path / "forged").rename(tmp_path / "unused")
    forged = type(honest).open(
        tmp_path / "forged", settings=default_settings(), clock_ms=lambda: NOON, ledger_id=ledger_id
    )
    append(forged, range(1, 6))
    forged.close()
    assert check(tmp_path / "forged").is_sound
    (tmp_path / "honest" / "checkpoints").rename(tmp_path / "forged" / "checkpoints")
    assert "signs another root over the first 5 entries" in findings(check(tmp_path / "forged"))


def test_dropping_the_last_entries_with_their_state_is_caught_by_a_checkpoint(tmp_path: Path) -> None:
    signer = Signer.open(tmp_path / "key", authority="hub.example.com")
    writer = open_writer(tmp_path / "ledger")
    append(writer, [1])
    writer.close()
    earlier = segment_path(tmp_path / "ledger", 1).read_bytes()
    writer = open_writer(tmp_path / "ledger")
    append(writer, [2, 3])
    writer.checkpoint(signer)
    writer.close()
    segment_path(tmp_path / "ledger", 1).write_bytes(earlier)
    report = check(tmp_path / "ledger")
    assert "signs 3 entries, 1 are there" in findings(report)
    assert named(report) == {1}


@pytest.mark.parametrize(
    "ruin",
    [
        lambda directory: (directory / "ledger.json").write_text("{"),
        lambda directory: (directory / "ledger.json").unlink(),
        lambda directory: segment_path(directory, 1).unlink(),
        lambda directory: segment_path(directory, 1).write_bytes(b"not a database" * 100),
        lambda directory: segment_path(directory, 1).write_bytes(b""),
    ],
)
def test_a_ruined_directory_is_reported_and_never_raises(ledger: Path, ruin: Callable[[Path], object]) -> None:
    ruin(ledger)
    assert not check(ledger).is_sound


def test_the_list_of_findings_can_be_capped(ledger: Path) -> None:
    with tampering(ledger) as connection:
        connection.execute("UPDATE entries SET kind = 7")
    assert len(check(ledger).problems) == SIZE
    assert len(check(ledger, problems_max=3).problems) == 3
