"""Golden bytes of entry version 1: these never change (docs/adr/0001-entry-v1.md)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.entry import NewEntry, header_bytes, leaf_hash
from wire.errors import ContractViolation
from wire.limits import EPOCH_BYTES, INSTANT_MAX_MS, KIND_MAX, SEQUENCE_MAX

LEDGER_ID = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
EPOCH = bytes.fromhex("101112131415161718191a1b1c1d1e1f")
SALT = bytes.fromhex("202122232425262728292a2b2c2d2e2f")
BODY = bytes.fromhex("96cf0000019fd1e4a80001a5687562c0c3a0")
ENTRY = NewEntry("agents/shop-1", EPOCH, 42, 20, 1, BODY)

HEADER = (
    "01"  # format
    "000102030405060708090a0b0c0d0e0f"  # ledger id
    "0000000000000007"  # index
    "000001a1fd1e4a80"  # received_at
    "101112131415161718191a1b1c1d1e1f"  # epoch
    "000000000000002a"  # sequence
    "0014"  # kind
    "0001"  # kind_version
    "0d"  # length of the source in bytes
    "6167656e74732f73686f702d31"  # source
)
LEAF = "f0371515a9c5aa45cd49c1d5ec3366892c41ef85578508b5d693e0e2996ba2db"


def test_the_header_has_its_golden_bytes() -> None:
    assert header_bytes(LEDGER_ID, 7, 0x1A1FD1E4A80, ENTRY).hex() == HEADER


def test_the_leaf_has_its_golden_hash() -> None:
    assert leaf_hash(bytes.fromhex(HEADER), SALT, BODY).hex() == LEAF
    assert hashlib.sha256(b"\x00" + bytes.fromhex(HEADER) + SALT + BODY).hexdigest() == LEAF


@pytest.mark.parametrize(
    "broken", [replace(ENTRY, epoch=EPOCH[:15]), replace(ENTRY, source=""), replace(ENTRY, source="s" * 256)]
)
def test_an_entry_without_a_header_is_a_programmer_error(broken: NewEntry) -> None:
    with pytest.raises(ContractViolation):
        header_bytes(LEDGER_ID, 0, 0, broken)


def test_a_short_salt_or_ledger_id_is_a_programmer_error() -> None:
    with pytest.raises(ContractViolation):
        leaf_hash(b"", SALT[:15], BODY)
    with pytest.raises(ContractViolation):
        header_bytes(LEDGER_ID[:15], 0, 0, ENTRY)


entries = st.builds(
    NewEntry,
    source=st.text(min_size=1, max_size=60, alphabet=st.characters(exclude_categories=["Cs"])),
    epoch=st.binary(min_size=EPOCH_BYTES, max_size=EPOCH_BYTES),
    sequence=st.integers(0, SEQUENCE_MAX),
    kind=st.integers(0, KIND_MAX),
    kind_version=st.integers(0, KIND_MAX),
    body=st.binary(max_size=40),
)


@given(entry=entries, index=st.integers(0, 2**63 - 1), received_at=st.integers(0, INSTANT_MAX_MS))
def test_a_header_can_be_taken_apart_again_so_no_two_entries_share_a_preimage(
    entry: NewEntry, index: int, received_at: int
) -> None:
    preimage = header_bytes(LEDGER_ID, index, received_at, entry) + SALT + entry.body
    fields = [int.from_bytes(preimage[a:b]) for a, b in ((0, 1), (17, 25), (25, 33), (49, 57), (57, 59), (59, 61))]
    source_end = 62 + preimage[61]
    assert fields == [1, index, received_at, entry.sequence, entry.kind, entry.kind_version]
    assert (preimage[1:17], preimage[33:49]) == (LEDGER_ID, entry.epoch)
    assert preimage[62:source_end].decode() == entry.source
    assert (preimage[source_end : source_end + 16], preimage[source_end + 16 :]) == (SALT, entry.body)
