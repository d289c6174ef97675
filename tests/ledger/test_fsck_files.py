"""The independent check around the entries: tables, header, side files, checkpoints, parts of other ledgers."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from ledger.checkpoint import Signer
from ledger.errors import LedgerCorrupt
from ledger.fsck import check
from ledger.fsck_files import kept_notes
from ledger.segment import segment_path
from tests.ledger.building import DAY_MS, NOON, append, findings, open_writer, tampering

ENDS_WITH_ZERO = 159
"""A seed with which the last byte of `cut`'s segment, of a random leaf, is zero: one in 256 is."""
TAILS = (b"x", b"\n", b"\r", b" ", b"\x00", b"\n\n")


def made(directory: Path) -> Path:
    """Entries 0 to 7 in a sealed segment, 8 to 11 in the open one, and a checkpoint of each."""
    signer = Signer.open(directory.parent / "key", authority="hub.example.com")
    writer = open_writer(directory)
    for sequences, at in ((range(1, 9), NOON), (range(9, 13), NOON + 40 * DAY_MS)):
        append(writer, sequences, at=at)
        writer.checkpoint(signer)
    writer.close()
    return directory


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("ledgers") / "ledger")


@pytest.fixture
def ledger(once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(once, tmp_path / "ledger"))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE TABLE notes (text TEXT)", "holds table notes, which is no part of a ledger"),
        ("CREATE VIEW entry AS SELECT * FROM entries", "holds view entry"),
        (
            "CREATE TRIGGER later AFTER INSERT ON entries BEGIN UPDATE entries SET kind = 4; END",
            "holds trigger later",
        ),
        ("CREATE INDEX times ON entries (received_at)", "holds index times"),
        ("ALTER TABLE nodes ADD COLUMN note TEXT", "the table nodes is defined otherwise"),
        ("DROP INDEX entry_keys", "the index entry_keys is missing"),
        ("PRAGMA user_version = 7", "SQLite's user_version is 7"),
        ("PRAGMA application_id = 7", "SQLite's application_id is 7"),
        ("UPDATE state SET sealed = 2", "claims to be sealed 2"),
        ("UPDATE state SET fencing_epoch = 0", "fencing epoch 0"),
        ("UPDATE streams SET highest_sealed = highest_sealed - 2", "before, not to"),
    ],
)
def test_what_a_segment_defines_beside_a_ledger_is_found(
    ledger: Path, number: int, statement: str, expected: str
) -> None:
    with tampering(ledger, number) as connection:
        connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert expected in findings(check(ledger))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER later AFTER INSERT ON entries BEGIN UPDATE entries SET kind = 4; END",
        "CREATE VIEW later AS SELECT * FROM entries",
    ],
)
def test_what_would_act_on_new_entries_keeps_a_writer_from_opening(ledger: Path, statement: str) -> None:
    with tampering(ledger, 2) as connection:
        connection.execute(statement)
    with pytest.raises(LedgerCorrupt, match="holds 'later', which is no part of a ledger; run seatwatch fsck"):
        open_writer(ledger)


def test_a_mark_that_was_set_back_is_found_for_what_was_settled_would_be_asked_for_again(ledger: Path) -> None:
    with tampering(ledger, 2) as connection:
        connection.execute("UPDATE streams SET mark = mark - 1")
    assert "the mark 11 was set back: all up to 12 is stored or declared gone" in findings(check(ledger))


def test_every_byte_of_what_is_signed_and_of_the_keys_counts(ledger: Path) -> None:
    _notes(ledger)[0].unlink()
    for path in [*(ledger / "checkpoints").iterdir()]:
        whole = path.read_bytes()
        changed = [whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :] for at in range(len(whole))]
        changed += [whole + tail for tail in TAILS] + [whole[:-1], b"", whole.replace(b"\n", b"\r\n", 1)]
        for content in changed:
            path.write_bytes(content)
            assert kept_notes(ledger, [])[1], content
        path.write_bytes(whole)
    assert kept_notes(ledger, [])[1] == []


def test_the_identity_has_one_spelling(ledger: Path) -> None:
    path = ledger / "ledger.json"
    whole = path.read_bytes()
    for content in (
        *(whole + tail for tail in TAILS),
        whole[:-1],
        whole.replace(b" ", b"", 1),
        whole.replace(b"1", b"2", 1),
    ):
        path.write_bytes(content)
        assert "ledger.json: cannot be read" in findings(check(ledger))


@pytest.mark.parametrize("at", [18, 19, 27, 31, 51, 59, 63, 71, 72, 91, 95])
def test_what_sqlite_reads_or_reserves_in_its_header_counts(ledger: Path, at: int) -> None:
    path = segment_path(ledger, 1)
    whole = path.read_bytes()
    for bit in (1, 64):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        assert not check(ledger).is_sound


@pytest.mark.parametrize("number", [1, 2])
def test_a_byte_more_than_the_pages_of_a_segment_is_found(ledger: Path, number: int) -> None:
    path = segment_path(ledger, number)
    for tail in (b"\x00", bytes(4096)):
        whole = path.read_bytes()
        path.write_bytes(whole + tail)
        assert f"{path.name}: takes" in findings(check(ledger))
        path.write_bytes(whole)
    assert check(ledger).is_sound


def cut(directory: Path, *, seed: int, lost: int) -> bytes:
    """A segment of 299 entries whose file lost its last bytes, and those bytes."""
    writer = open_writer(directory, seed=seed)
    append(writer, range(1, 300))
    writer.close()
    path = segment_path(directory, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    return whole[-lost:]


@pytest.mark.parametrize("lost", [1, 200, 4096, 10_000])
def test_a_truncated_file_names_the_first_entry_that_is_gone(tmp_path: Path, lost: int) -> None:
    assert any(cut(tmp_path, seed=1, lost=lost))
    report = check(tmp_path)
    assert not report.is_sound
    assert report.problems[0].index is not None or "SQLite" in findings(report)


def test_a_file_that_lost_a_zero_is_found_though_sqlite_reads_every_entry_whole(tmp_path: Path) -> None:
    assert cut(tmp_path, seed=ENDS_WITH_ZERO, lost=1) == bytes(1)  # SQLite fills a short last page with zeros
    report = check(tmp_path)
    assert not report.is_sound
    assert re.fullmatch(r"00000001\.sqlite: takes \d+ bytes, its \d+ pages take \d+", findings(report))


def test_a_damaged_definition_is_a_finding_that_can_be_printed_and_never_raises(ledger: Path) -> None:
    path = segment_path(ledger, 1)
    whole = path.read_bytes()
    for word in (b"NOT NULL", b"INTEGER", b"entry_keys", b"sealed"):
        at = whole.index(word) + 2
        path.write_bytes(whole[:at] + b"\xf3" + whole[at + 1 :])
        report = check(ledger)
        assert not report.is_sound
        assert findings(report).encode()


def test_whatever_a_file_is_turned_into_the_check_ends_with_a_report_that_can_be_printed(ledger: Path) -> None:
    random, found = Random(4), 0
    for path in [segment_path(ledger, 1), segment_path(ledger, 2)] * 30:
        whole = path.read_bytes()
        garbled = bytearray(whole)
        for _ in range(random.choice([1, 4, 16])):
            at = random.randrange(len(garbled))
            garbled[at : at + 4] = random.randbytes(4)
        path.write_bytes(garbled)
        report = check(ledger)
        found += not report.is_sound
        assert findings(report).encode() or report.is_sound
        path.write_bytes(whole)
    assert found > 15
    assert check(ledger).is_sound


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda here, _: (here / "00000001.sqlite-journal").write_bytes(b"x"), "a journal of another mode"),
        (lambda here, _: (here / "00000003.sqlite-wal").write_bytes(b""), "belongs to 00000003.sqlite, which is not"),
        (lambda here, _: (here / "checkpoints" / "9.note").write_bytes(b""), "checkpoints/9.note: is no part"),
        (lambda here, _: (here / "checkpoints" / "vkey").unlink(), "there is no key to check it with"),
        (lambda here, _: _swap(segment_path(here, 1), segment_path(here, 2)), "is segment 2 of ledger"),
        (lambda here, other: shutil.copy(segment_path(other, 2), here), "does not hash to its leaf"),
        (lambda here, other: shutil.copy(segment_path(other, 1), here), "does not hash to its leaf"),
        (lambda here, other: shutil.copy(other / "ledger.json", here), "does not hash to its leaf"),
        (lambda here, other: _swap(here / "checkpoints", other / "checkpoints"), "not of this ledger"),
        (lambda here, _: shutil.copy(*_notes(here)), "signs 8 entries, not as many as its name says"),
    ],
)
def test_files_that_do_not_belong_together_are_found(
    ledger: Path, tmp_path: Path, harm: Callable[[Path, Path], object], expected: str
) -> None:
    harm(ledger, made(tmp_path / "other"))
    assert expected in findings(check(ledger))


def test_a_log_that_lost_what_was_signed_is_found_and_one_with_a_torn_end_is_not(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "ledger")
    append(writer, range(1, 5))
    writer.checkpoint(Signer.open(tmp_path / "key", authority="hub.example.com"))
    writer._connection.close()  # as a kill leaves it
    log = segment_path(tmp_path / "ledger", 1).with_name("00000001.sqlite-wal")
    whole = log.read_bytes()
    log.write_bytes(whole + b"torn")
    assert check(tmp_path / "ledger").is_sound
    log.write_bytes(whole[: len(whole) // 2])
    assert not check(tmp_path / "ledger").is_sound


def _swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def _notes(directory: Path) -> tuple[Path, Path]:
    first, second = sorted((directory / "checkpoints").glob("*.note"))
    return first, second
