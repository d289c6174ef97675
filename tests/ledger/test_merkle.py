"""The Merkle tree against RFC 6962's own definitions, written down a second time in oracle.py."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    range_root,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger import oracle

SIZE = 40


def leaf(index: int) -> bytes:
    return hashlib.sha256(b"\x00leaf %d" % index).digest()


LEAVES = [leaf(index) for index in range(600)]


class Nodes:
    """Perfect subtrees of a list of leaves, by the oracle."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves

    def __call__(self, height: int, position: int) -> bytes:
        return oracle.tree_root(self._leaves[position << height : (position + 1) << height])


NODE_OF = Nodes(LEAVES)


def flipped(value: bytes, bit: int = 0) -> bytes:
    return bytes([value[0] ^ 1 << bit]) + value[1:]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == hashlib.sha256().digest()
    assert range_root(0, 0, NODE_OF) == EMPTY_ROOT


@given(st.lists(st.integers(0, 70), max_size=12))
def test_a_tree_grown_in_any_batches_has_the_root_and_subtrees_of_the_definition(batches: list[int]) -> None:
    frontier = Frontier()
    kept = []
    for batch in batches:
        kept += frontier.extend(LEAVES[frontier.size : frontier.size + batch], 2)
        frontier = Frontier.from_bytes(frontier.size, frontier.to_bytes())
    size = min(sum(batches), len(LEAVES))
    assert frontier.size == size
    assert frontier.root() == oracle.tree_root(LEAVES[:size]) == range_root(0, size, NODE_OF)
    expected = {(h, p, NODE_OF(h, p)) for h in range(2, 10) for p in range(size >> h)}
    assert len(kept) == len(expected)
    assert set(kept) == expected


def test_a_copied_frontier_grows_on_its_own() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:5], 8)
    twin = frontier.copy()
    twin.extend(LEAVES[5:9], 8)
    assert frontier.root() == oracle.tree_root(LEAVES[:5])
    assert twin.root() == oracle.tree_root(LEAVES[:9])


def test_a_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="takes 2 hashes"):
        Frontier.from_bytes(5, bytes(32))


@pytest.mark.parametrize("size", range(1, SIZE))
def test_every_inclusion_proof_is_the_one_of_the_definition_and_holds(size: int) -> None:
    root = oracle.tree_root(LEAVES[:size])
    for index in range(size):
        proof = inclusion_proof(index, size, NODE_OF)
        assert proof == oracle.path(index, LEAVES[:size])
        assert verify_inclusion(index, size, LEAVES[index], proof, root)


@pytest.mark.parametrize("size2", range(1, SIZE))
def test_every_consistency_proof_is_the_one_of_the_definition_and_holds(size2: int) -> None:
    root2 = oracle.tree_root(LEAVES[:size2])
    for size1 in range(1, size2 + 1):
        proof = consistency_proof(size1, size2, NODE_OF)
        assert proof == oracle.proof(size1, LEAVES[:size2])
        assert verify_consistency(size1, size2, oracle.tree_root(LEAVES[:size1]), root2, proof)


@given(data=st.data(), size=st.integers(2, 300))
def test_a_changed_inclusion_proof_does_not_hold(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = oracle.tree_root(LEAVES[:size])
    proof = inclusion_proof(index, size, NODE_OF)
    at = data.draw(st.integers(0, len(proof) - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    broken = [*proof[:at], flipped(proof[at]), *proof[at + 1 :]]
    assert not verify_inclusion(index, size, LEAVES[index], broken, root)
    assert not verify_inclusion(index, size, LEAVES[index], proof[:at] + proof[at + 1 :], root)
    assert not verify_inclusion(index, size, LEAVES[index], [*proof, root], root)
    assert not verify_inclusion(index, size, flipped(LEAVES[index]), proof, root)
    assert not verify_inclusion(index, size, LEAVES[index], proof, flipped(root))
    assert not verify_inclusion(other, size, LEAVES[index], proof, root)
    assert not verify_inclusion(size, size, LEAVES[index], proof, root)
    assert not verify_inclusion(-1, size, LEAVES[index], proof, root)


@given(data=st.data(), size2=st.integers(2, 300))
def test_a_changed_consistency_proof_does_not_hold(data: st.DataObject, size2: int) -> None:
    size1 = data.draw(st.integers(1, size2 - 1))
    root1, root2 = oracle.tree_root(LEAVES[:size1]), oracle.tree_root(LEAVES[:size2])
    proof = consistency_proof(size1, size2, NODE_OF)
    at = data.draw(st.integers(0, len(proof) - 1))
    broken = [*proof[:at], flipped(proof[at]), *proof[at + 1 :]]
    assert not verify_consistency(size1, size2, root1, root2, broken)
    assert not verify_consistency(size1, size2, root1, root2, proof[:at] + proof[at + 1 :])
    assert not verify_consistency(size1, size2, root1, root2, [*proof, root2])
    assert not verify_consistency(size1, size2, flipped(root1), root2, proof)
    assert not verify_consistency(size1, size2, root1, flipped(root2), proof)
    assert not verify_consistency(size2, size1, root2, root1, proof)
    assert not verify_consistency(size1, size2, root1, root2, [])


def test_equal_sizes_are_consistent_only_with_equal_roots_and_an_empty_proof() -> None:
    root = oracle.tree_root(LEAVES[:3])
    assert verify_consistency(3, 3, root, root, [])
    assert not verify_consistency(3, 3, root, flipped(root), [])
    assert not verify_consistency(3, 3, root, root, [root])
    assert consistency_proof(3, 3, NODE_OF) == []


def test_from_the_empty_tree_nothing_is_proved() -> None:
    root = oracle.tree_root(LEAVES[:3])
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not verify_consistency(0, 0, root, root, [])
    assert not verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT])
    assert not verify_consistency(0, 3, EMPTY_ROOT, root, [])
    assert not verify_consistency(0, 3, EMPTY_ROOT, root, [root])
    with pytest.raises(ValueError, match="from size 0"):
        consistency_proof(0, 3, NODE_OF)


def test_a_single_leaf_is_its_own_root_and_needs_no_proof() -> None:
    assert inclusion_proof(0, 1, NODE_OF) == []
    assert verify_inclusion(0, 1, LEAVES[0], [], LEAVES[0])
    assert not verify_inclusion(0, 1, LEAVES[0], [LEAVES[0]], LEAVES[0])
    assert not verify_inclusion(0, 1, b"", [], b"")
    assert not verify_inclusion(0, 0, LEAVES[0], [], EMPTY_ROOT)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_inclusion_proof_is_made_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, NODE_OF)


@pytest.mark.parametrize(("size1", "size2"), [(4, 3), (-1, 3)])
def test_no_consistency_proof_is_made_backwards(size1: int, size2: int) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        consistency_proof(size1, size2, NODE_OF)


def test_hashes_of_another_length_are_never_part_of_a_proof() -> None:
    root = oracle.tree_root(LEAVES[:2])
    joined = LEAVES[1][:31]
    assert not verify_inclusion(0, 2, LEAVES[0], [joined], root)
    assert not verify_consistency(1, 2, LEAVES[0], root, [joined])
