"""Reading beside the writer: entries, keys, roots and proofs over segments and tiles."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.errors import LedgerCorrupt, LedgerMissing
from ledger.merkle import verify_consistency, verify_inclusion
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from ledger.segment import segment_path
from tests.ledger import oracle
from tests.ledger.building import DAY_MS, EPOCH, NOON, SOURCE, append, default_settings, new_entry, open_writer
from wire.codec import encode_body
from wire.kinds import Kind
from wire.record import Clock

UNKNOWN_KIND = new_entry(1).kind
SIZE = 1500  # several tiles of 256 leaves and a part of one, in several segments


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ledger")
    small = msgspec.structs.replace(default_settings(), segment_bytes_max=32 * 1024, wal_bytes_max=1)
    writer = open_writer(directory, small)
    for start in range(1, SIZE + 1, 50):
        append(writer, range(start, start + 50))
    writer.close()
    return directory


@pytest.fixture(scope="module")
def reader(ledger: Path) -> LedgerReader:
    return LedgerReader.open(ledger)


@pytest.fixture(scope="module")
def leaves(reader: LedgerReader) -> list[bytes]:
    return [entry.leaf for entry in reader.read(0, SIZE)]


def test_the_test_ledger_spans_segments(ledger: Path) -> None:
    assert segment_path(ledger, 3).exists()


@given(first=st.integers(0, SIZE + 10), limit=st.integers(0, SIZE + 10))
def test_any_range_reads_as_that_part_of_the_whole(reader: LedgerReader, first: int, limit: int) -> None:
    assert [entry.index for entry in reader.read(first, limit)] == list(range(SIZE))[first : first + limit]


@given(index=st.integers(0, SIZE - 1), data=st.data())
@settings(max_examples=60)
def test_an_inclusion_proof_from_the_files_is_the_one_of_the_definition(
    reader: LedgerReader, leaves: list[bytes], index: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(index + 1, SIZE))
    proof = reader.inclusion_proof(index, size)
    assert proof == oracle.path(index, leaves[:size])
    assert verify_inclusion(index, size, leaves[index], proof, reader.root(size))


@given(size2=st.integers(1, SIZE), data=st.data())
@settings(max_examples=60)
def test_a_consistency_proof_from_the_files_is_the_one_of_the_definition(
    reader: LedgerReader, leaves: list[bytes], size2: int, data: st.DataObject
) -> None:
    size1 = data.draw(st.integers(1, size2))
    proof = reader.consistency_proof(size1, size2)
    assert proof == oracle.proof(size1, leaves[:size2])
    assert verify_consistency(size1, size2, reader.root(size1), reader.root(size2), proof)


def test_roots_and_proofs_beyond_the_ledger_are_refused(reader: LedgerReader) -> None:
    for call in (
        lambda: reader.root(SIZE + 1),
        lambda: reader.inclusion_proof(0, SIZE + 1),
        lambda: reader.consistency_proof(1, SIZE + 1),
        lambda: reader.inclusion_proof(5, 5),
        lambda: reader.consistency_proof(0, 5),
        lambda: reader.root(-1),
    ):
        with pytest.raises(ValueError):
            call()


def test_an_entry_that_is_not_there_is_an_index_error(reader: LedgerReader) -> None:
    assert reader.entry(SIZE - 1).sequence == SIZE
    for index in (SIZE, -1):
        with pytest.raises(IndexError):
            reader.entry(index)


def test_a_key_is_found_in_any_segment(reader: LedgerReader) -> None:
    for sequence in (1, 700, SIZE):
        found = reader.find(SOURCE, EPOCH, sequence)
        assert found is not None
        assert found.body == f"body {sequence}".encode()
    assert reader.find(SOURCE, EPOCH, SIZE + 1) is None
    assert reader.find("nobody", EPOCH, 1) is None


def test_a_reader_sees_what_is_committed_after_it_was_opened(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    reader = LedgerReader.open(tmp_path)
    assert (reader.size(), reader.read(0, 5)) == (0, [])
    for sequence in range(1, 300):
        append(writer, [sequence])
        assert reader.read(sequence - 1, 5)[0].sequence == sequence
        assert reader.root(sequence) == writer.root()
    writer.close()


def test_a_directory_without_a_ledger_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing):
        LedgerReader.open(tmp_path)
    (tmp_path / "ledger.json").write_text('{"format": 1, "ledger_id": "' + "00" * 16 + '"}')
    with pytest.raises(LedgerMissing):
        LedgerReader.open(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"ledger_id": 7}', '{"ledger_id": "zz"}', '{"ledger_id": "00"}'])
def test_a_broken_id_file_is_corruption(tmp_path: Path, text: str) -> None:
    open_writer(tmp_path).close()
    (tmp_path / "ledger.json").write_text(text)
    with pytest.raises(LedgerCorrupt):
        LedgerReader.open(tmp_path)


def test_an_entry_is_recorded_with_its_body_decoded(tmp_path: Path) -> None:
    clock = Clock(NOON, 1000, "hub", None, synced=True, shard_key="")
    writer = open_writer(tmp_path)
    entries = [
        replace(new_entry(1, body=encode_body(clock)), kind=Kind.CLOCK),
        new_entry(2),
        replace(new_entry(3, body=b"\xc1"), kind=Kind.CLOCK),
    ]
    writer.commit(entries, received_at=NOON, marks={})
    known, unknown, broken = LedgerReader.open(tmp_path).read(0, 3)
    assert recorded(known).body == clock
    assert (recorded(known).index, recorded(known).source, recorded(known).kind) == (0, SOURCE, Kind.CLOCK)
    assert recorded(unknown).body is None
    assert (recorded(broken).body, recorded(broken).malformed) == (None, True)
    assert not recorded(unknown).malformed
    purged = msgspec.structs.replace(broken, body=None, salt=None)
    assert (recorded(purged).body, recorded(purged).malformed) == (None, False)
    writer.close()


def test_all_entries_of_one_source_are_found_over_epochs_and_segments(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.commit([new_entry(1), new_entry(1, source="~rules"), new_entry(2)], received_at=NOON)
    later = [new_entry(2, source="~rules"), new_entry(1, source="~rules", epoch=b"z" * 16)]
    writer.commit(later, received_at=NOON + 40 * DAY_MS)
    writer.close()
    reader = LedgerReader.open(tmp_path)
    assert [(entry.index, entry.sequence) for entry in reader.of_source("~rules")] == [(1, 1), (3, 2), (4, 1)]
    assert reader.of_source("nobody") == []
    reader.close()


def test_entries_of_one_source_in_a_span_are_those_of_the_whole(tmp_path: Path) -> None:
    small = msgspec.structs.replace(default_settings(), segment_bytes_max=32 * 1024, wal_bytes_max=1)
    writer = open_writer(tmp_path, small)
    for start in range(1, 1_000, 50):
        append(writer, range(start, start + 50), at=NOON + start)
        others = [new_entry(number, source="other") for number in (start, start + 1)]
        writer.commit(others, received_at=NOON + start, marks={})
    writer.close()
    reader = LedgerReader.open(tmp_path)
    whole = reader.read(0, reader.size())
    assert segment_path(tmp_path, 2).exists()
    for first, end in ((0, 2_000), (300, 700), (52, 53), (50, 52), (700, 300), (5_000, 6_000)):
        wanted = [entry for entry in whole[first:end] if entry.source == "other"]
        assert sorted(reader.span_of_source("other", first, end), key=lambda entry: entry.index) == wanted
        found = reader.first_of_source("other", UNKNOWN_KIND, first, end)
        assert found == next(iter(wanted), None)
        assert reader.first_of_source("other", Kind.INCIDENT, first, end) is None
    assert list(reader.span_of_source("nobody", 0, 2_000)) == []
    for at in (0, NOON + 1, NOON + 2, NOON + 501, NOON + 951, NOON + 952):
        assert reader.index_at(at) == sum(entry.received_at < at for entry in whole)
    reader.close()
