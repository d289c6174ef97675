"""The Merkle tree of RFC 6962 over leaf hashes: appending, roots, proofs made and verified. Pure.

A node is named by (height, position): the perfect subtree over leaves position * 2^height up to the next multiple.
The right edge of a tree whose size is no power of two is composed from perfect subtrees when it is asked for.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

from wire.errors import require
from wire.limits import HASH_BYTES

EMPTY_ROOT: Final = sha256(b"").digest()

NodeOf = Callable[[int, int], bytes]
"""(height, position) -> hash of that perfect subtree."""

Node = tuple[int, int, bytes]
"""height, position, hash."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The least that must be kept to go on appending: for each 1 bit of the size, one perfect subtree's hash."""

    __slots__ = ("_waiting", "size")

    def __init__(self) -> None:
        self.size = 0
        self._waiting: list[bytes | None] = []  # by height: the left sibling that waits for its right one

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """The frontier of a tree of `size` leaves as `to_bytes` wrote it. ValueError when the length does not fit."""
        if len(data) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"a frontier of size {size} takes {size.bit_count()} hashes, got {len(data)} bytes")
        frontier = cls()
        frontier.size = size
        hashes = (data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))
        frontier._waiting = [next(hashes) if size >> height & 1 else None for height in range(size.bit_length())]
        return frontier

    def to_bytes(self) -> bytes:
        """The waiting hashes, lowest subtree first; together with the size they are the whole state."""
        return b"".join(waiting for waiting in self._waiting if waiting is not None)

    def copy(self) -> "Frontier":
        """An independent frontier of the same tree."""
        twin = Frontier()
        twin.size = self.size
        twin._waiting = list(self._waiting)
        return twin

    def extend(self, leaves: Iterable[bytes], keep_from_height: int) -> list[Node]:
        """Append leaf hashes. Returns the perfect subtrees thereby completed whose height is at least the given one.

        Works level by level over the whole batch: about one hash per leaf and no call per leaf.
        """
        level = list(leaves)
        position = self.size
        self.size += len(level)
        completed: list[Node] = []
        height = 0
        hashed = sha256
        while level:
            if height == len(self._waiting):
                self._waiting.append(None)
            waiting = self._waiting[height]
            if waiting is not None:
                level.insert(0, waiting)
                position -= 1
            self._waiting[height] = level.pop() if len(level) & 1 else None
            level = [
                hashed(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)
            ]
            height += 1
            position >>= 1
            if height >= keep_from_height:
                completed.extend((height, at, node) for at, node in enumerate(level, position))
        return completed

    def root(self) -> bytes:
        """The tree's root."""
        root: bytes | None = None
        for waiting in self._waiting:
            if waiting is not None:
                root = waiting if root is None else node_hash(waiting, root)
        return EMPTY_ROOT if root is None else root


def levels_over(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All perfect subtrees over a run of leaves that starts at a multiple of its tile: levels[height][position]."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        # Format: a node has two children, RFC 6962.
        levels.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return levels


def range_root(start: int, end: int, node_of: NodeOf) -> bytes:
    """Root of the subtree over leaves start..end-1, where RFC 6962's splitting leads to it; EMPTY_ROOT for none."""
    count = end - start
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node_of(height, start >> height)
    middle = start + _left_part(count)
    return node_hash(range_root(start, middle, node_of), range_root(middle, end, node_of))


def inclusion_proof(index: int, size: int, node_of: NodeOf) -> list[bytes]:
    """Proof that leaf `index` is in the tree of `size` leaves. ValueError unless 0 <= index < size."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end = 0, size
    siblings: list[tuple[int, int]] = []
    while end - start > 1:
        middle = start + _left_part(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return [range_root(first, last, node_of) for first, last in reversed(siblings)]


def consistency_proof(size1: int, size2: int, node_of: NodeOf) -> list[bytes]:
    """Proof that the tree of `size2` leaves continues the one of `size1`. ValueError unless 0 < size1 <= size2.

    There is nothing to prove from the empty tree: every tree continues it.
    """
    if not 0 < size1 <= size2:
        raise ValueError(f"no consistency proof from size {size1} to size {size2}")
    start, end = 0, size2
    siblings: list[tuple[int, int]] = []
    while end != size1:
        middle = start + _left_part(end - start)
        if size1 <= middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    # A verifier holds the old root already: it is left out when the old tree is itself the subtree we ended in.
    seed = [(start, end)] if start else []
    return [range_root(first, last, node_of) for first, last in seed + siblings[::-1]]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf hash at `index` of the tree with that size and root."""
    if not 0 <= index < size or not _are_hashes(leaf, *proof):
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:  # a right edge without a sibling on these levels
                node >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and computed == root


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree (size2, root2) continues (size1, root1).

    Equal sizes need equal roots and an empty proof. From size 0 to a larger tree nothing can be proved: False.
    """
    if size1 == size2:
        return not proof and root1 == root2 and (size1 > 0 or root1 == EMPTY_ROOT)
    if not 0 < size1 < size2 or not proof or not _are_hashes(*proof):
        return False
    siblings = list(proof)
    if size1 & (size1 - 1) == 0:
        siblings.insert(0, root1)
    node, last = size1 - 1, size2 - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = siblings[0]
    for sibling in siblings[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and old == root1 and new == root2


def _left_part(count: int) -> int:
    """Leaves left of RFC 6962's split: the largest power of two smaller than `count`."""
    require(count > 1, "only two leaves or more are split")
    return 1 << (count - 1).bit_length() - 1


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
