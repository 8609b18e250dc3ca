"""The Merkle tree of RFC 6962: hashing, growing, and proofs that a stranger can check.

Everything here is a pure function over 32-byte hashes. Whoever makes a proof hands in ``node``, a function
``(level, index) -> hash`` of the perfect subtree over leaves [index * 2^level, (index + 1) * 2^level).
Standard library only: the offline verifier uses this file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha256
from typing import Callable

EMPTY_ROOT = sha256(b"").digest()

Node = Callable[[int, int], bytes]


class ProofError(ValueError):
    """A proof does not lead to the root it was made for, or cannot exist for these sizes."""


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (RFC 6962, 2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over consecutive hashes, the tree's shape being that of RFC 6962 for their count."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        above = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        if len(row) % 2:
            above.append(row[-1])
        row = above
    return row[0]


class CompactRange:
    """A tree that can only grow: the hashes of its perfect subtrees, largest first, and nothing else."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if bin(size).count("1") != len(hashes):
            raise ProofError(f"a tree of {size} leaves has {bin(size).count('1')} perfect subtrees")
        self.size = size
        self.hashes: list[bytes] = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        size = self.size
        while size & 1:
            leaf = sha256(b"\x01" + self.hashes.pop() + leaf).digest()
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def range_hash(start: int, end: int, node: Node) -> bytes:
    """The hash over leaves [start, end), start being where such a subtree may begin."""
    size = end - start
    if size & (size - 1) == 0 and start % size == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(range_hash(start, middle, node), range_hash(middle, end, node))


def root_hash(size: int, node: Node) -> bytes:
    return range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """The audit path of RFC 6962, 2.1.1, from the leaf upwards. Raises ProofError."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_hash(middle, end, node))
            end = middle
        else:
            proof.append(range_hash(start, middle, node))
            start = middle
    return proof[::-1]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root an audit path leads to (RFC 9162, 2.1.3.2). Raises ProofError when its length cannot be right."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    number, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if number & 1 or number == last:
            root = node_hash(sibling, root)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        number >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("the inclusion proof is too short")
    return root


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """The proof of RFC 6962, 2.1.2, that the tree of ``new`` leaves begins with that of ``old``. Raises ProofError."""
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves does not continue one of {old}")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(range_hash(middle, end, node))
            end = middle
        else:
            proof.append(range_hash(start, middle, node))
            start, whole = middle, False
    if not whole:
        proof.append(range_hash(start, end, node))
    return proof[::-1]


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises ProofError unless the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves does not continue one of {old}")
    if old in (0, new):
        if proof:
            raise ProofError("the consistency proof should be empty")
        if old == new and old_root != new_root:
            raise ProofError("two roots for one size")
        if old == 0 and old_root != EMPTY_ROOT:
            raise ProofError("the root of an empty tree is wrong")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofError("the consistency proof is too short")
    number, last = old - 1, new - 1
    while number & 1:
        number >>= 1
        last >>= 1
    first_root = second_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if number & 1 or number == last:
            first_root = node_hash(sibling, first_root)
            second_root = node_hash(sibling, second_root)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            second_root = node_hash(second_root, sibling)
        number >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("the consistency proof is too short")
    if first_root != old_root:
        raise ProofError("the consistency proof does not lead to the old root")
    if second_root != new_root:
        raise ProofError("the consistency proof does not lead to the new root")


def pruned_proof(indices: Sequence[int], size: int, node: Node) -> list[bytes]:
    """One proof for many leaves: the tree of ``size`` with every part that holds none of them cut to its hash.

    ``indices`` ascend without repetition. The hashes stand in depth-first order, left before right; a leaf that is
    proven contributes none. Raises ProofError.
    """
    _check_indices(indices, size)
    proof: list[bytes] = []

    def walk(start: int, end: int, first: int, after: int) -> None:
        if first == after:
            proof.append(range_hash(start, end, node))
        elif end - start > 1:
            middle = start + _split(end - start)
            cut = bisect_left(indices, middle, first, after)
            walk(start, middle, first, cut)
            walk(middle, end, cut, after)

    walk(0, size, 0, len(indices))
    return proof


def root_from_pruned(leaves: Sequence[tuple[int, bytes]], size: int, proof: Sequence[bytes]) -> bytes:
    """The root a `pruned_proof` leads to, given (index, leaf hash) in ascending order. Raises ProofError."""
    indices = [index for index, _ in leaves]
    _check_indices(indices, size)
    siblings = iter(proof)

    def walk(start: int, end: int, first: int, after: int) -> bytes:
        if first == after:
            try:
                return next(siblings)
            except StopIteration:
                raise ProofError("the pruned tree is too short") from None
        if end - start == 1:
            return leaves[first][1]
        middle = start + _split(end - start)
        cut = bisect_left(indices, middle, first, after)
        left = walk(start, middle, first, cut)
        return sha256(b"\x01" + left + walk(middle, end, cut, after)).digest()

    root = walk(0, size, 0, len(leaves))
    if next(siblings, None) is not None:
        raise ProofError("the pruned tree is too long")
    return root


def _check_indices(indices: Sequence[int], size: int) -> None:
    if size <= 0:
        raise ProofError("an empty tree proves nothing")
    before = -1
    for index in indices:
        if not before < index < size:
            raise ProofError("the leaves' places are not ascending places of this tree")
        before = index
