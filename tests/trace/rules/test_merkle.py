"""Every proof of every small tree holds, and no proof with a changed hash does."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.trace import merkle, tiles
from xueji.trace.merkle import ProofError

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(64)]
SIZES = range(1, 65)


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) word for word from RFC 6962, 2.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


def node(level: int, index: int) -> bytes:
    return defined_root(LEAVES[index << level : (index + 1) << level])


def flipped(proof: list[bytes]) -> list[list[bytes]]:
    """The proof with one bit of one hash changed, for each hash."""
    changed = []
    for place, sibling in enumerate(proof):
        other = bytes([sibling[0] ^ 1]) + sibling[1:]
        changed.append([*proof[:place], other, *proof[place + 1 :]])
    return changed


@pytest.mark.parametrize("size", SIZES)
def test_all_ways_to_a_root_agree(size: int) -> None:
    growing, edge = merkle.CompactRange(), tiles.Edge()
    for leaf in LEAVES[:size]:
        growing.append(leaf)
        edge.append(leaf)
    root = defined_root(LEAVES[:size])
    assert growing.root() == edge.root() == merkle.fold(LEAVES[:size]) == merkle.root_hash(size, node) == root


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_is_proven_and_no_changed_hash_passes(size: int) -> None:
    root = defined_root(LEAVES[:size])
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, node)
        assert merkle.root_from_inclusion(index, size, LEAVES[index], proof) == root
        for wrong in flipped(proof):
            assert merkle.root_from_inclusion(index, size, LEAVES[index], wrong) != root
        if size > 1:
            with pytest.raises(ProofError):
                merkle.root_from_inclusion(index, size, LEAVES[index], proof[:-1])
        with pytest.raises(ProofError):
            merkle.root_from_inclusion(index, size, LEAVES[index], [*proof, LEAVES[0]])


@pytest.mark.parametrize("new", SIZES)
def test_consistency_is_proven_and_no_changed_hash_passes(new: int) -> None:
    new_root = defined_root(LEAVES[:new])
    for old in range(new + 1):
        old_root = defined_root(LEAVES[:old])
        proof = merkle.consistency_proof(old, new, node)
        merkle.verify_consistency(old, old_root, new, new_root, proof)
        for wrong in [*flipped(proof), [*proof, LEAVES[0]], proof[:-1]]:
            if wrong != proof:
                with pytest.raises(ProofError):
                    merkle.verify_consistency(old, old_root, new, new_root, wrong)
        if old:
            with pytest.raises(ProofError):
                merkle.verify_consistency(old, LEAVES[63], new, new_root, proof)


@pytest.mark.parametrize("size", SIZES)
def test_a_pruned_tree_proves_any_choice_of_leaves(size: int) -> None:
    root = defined_root(LEAVES[:size])
    draw = random.Random(size)
    for _ in range(8):
        chosen = sorted(draw.sample(range(size), draw.randint(1, size)))
        leaves = [(index, LEAVES[index]) for index in chosen]
        proof = merkle.pruned_proof(chosen, size, node)
        assert merkle.root_from_pruned(leaves, size, proof) == root
        for wrong in flipped(proof):
            assert merkle.root_from_pruned(leaves, size, wrong) != root
        for place, (index, leaf) in enumerate(leaves):
            changed = [*leaves[:place], (index, leaf[::-1]), *leaves[place + 1 :]]
            assert merkle.root_from_pruned(changed, size, proof) != root
        with pytest.raises(ProofError):
            merkle.root_from_pruned(leaves, size, [*proof, root])
        if proof:
            with pytest.raises(ProofError):
                merkle.root_from_pruned(leaves, size, proof[:-1])


@pytest.mark.parametrize(
    "leaves", [[(3, LEAVES[3]), (3, LEAVES[3])], [(4, LEAVES[4]), (3, LEAVES[3])], [(64, LEAVES[0])], [(-1, LEAVES[0])]]
)
def test_places_that_do_not_ascend_within_the_tree_are_refused(leaves: list[tuple[int, bytes]]) -> None:
    with pytest.raises(ProofError, match=r"^the leaves' places are not ascending places of this tree$"):
        merkle.root_from_pruned(leaves, 64, [])


def test_known_roots_of_the_rfc() -> None:
    """The vectors that Certificate Transparency's own tests use."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    hashes = [merkle.leaf_hash(bytes.fromhex(data)) for data in inputs]
    assert merkle.fold(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.fold(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.integers(1, 3 * 256 * 256))
def test_the_edge_counts_its_tiles(size: int) -> None:
    """Paths and widths agree with each other for every size, without growing such a tree."""
    for level in range(3):
        full, ragged = divmod(size >> (8 * level), 256)
        assert tiles.width_at(level, full, size) == ragged
        assert full == 0 or tiles.width_at(level, full - 1, size) == 256


def test_full_tiles_come_out_once_with_the_hashes_they_were_given() -> None:
    edge, filled = tiles.Edge(), []
    hashes = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(256 * 256 + 300)]
    for leaf in hashes:
        filled += edge.append(leaf)
    low = [tile for tile in filled if tile.level == 0]
    assert [tile.number for tile in low] == list(range(257))
    assert b"".join(tile.hashes for tile in low) == b"".join(hashes[: 257 * 256])
    (high,) = [tile for tile in filled if tile.level == 1]
    assert high.number == 0
    assert high.hashes == b"".join(tile.root for tile in low[:256])
    assert edge.root() == merkle.fold(hashes)


@pytest.mark.parametrize(("size", "hashes"), [(3, 1), (4, 2), (0, 1)])
def test_a_growing_tree_has_one_hash_for_each_perfect_subtree(size: int, hashes: int) -> None:
    with pytest.raises(ProofError) as refused:
        merkle.CompactRange(size, LEAVES[:hashes])
    assert str(refused.value) == f"a tree of {size} leaves has {bin(size).count('1')} perfect subtrees"


def test_a_tree_grows_on_from_what_was_kept_of_it() -> None:
    growing = merkle.CompactRange(3, [node(1, 0), LEAVES[2]])
    assert growing.root() == defined_root(LEAVES[:3])
    growing.append(LEAVES[3])
    assert (growing.size, growing.root()) == (4, defined_root(LEAVES[:4]))


def test_an_empty_tree_has_a_root_and_proves_nothing() -> None:
    assert merkle.root_hash(0, node) == merkle.EMPTY_ROOT == merkle.CompactRange().root()
    with pytest.raises(ProofError, match=r"^an empty tree proves nothing$"):
        merkle.pruned_proof([], 0, node)


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_a_leaf_outside_the_tree_has_no_proof(index: int) -> None:
    why = f"^leaf {index} is not in a tree of 5$"
    with pytest.raises(ProofError, match=why):
        merkle.inclusion_proof(index, 5, node)
    with pytest.raises(ProofError, match=why):
        merkle.root_from_inclusion(index, 5, LEAVES[0], [])


def test_a_refused_proof_says_what_is_wrong_with_it() -> None:
    roots = [defined_root(LEAVES[:size]) for size in range(10)]
    inclusion, consistency = merkle.inclusion_proof(2, 5, node), merkle.consistency_proof(3, 5, node)

    def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> Callable[[], object]:
        return lambda: merkle.verify_consistency(old, old_root, new, new_root, proof)

    refusals: list[tuple[str, Callable[[], object]]] = [
        ("the inclusion proof is too short", lambda: merkle.root_from_inclusion(2, 5, LEAVES[2], inclusion[:-1])),
        (
            "the inclusion proof is too long",
            lambda: merkle.root_from_inclusion(2, 5, LEAVES[2], [*inclusion, roots[1]]),
        ),
        ("a tree of 2 leaves does not continue one of 3", lambda: merkle.consistency_proof(3, 2, node)),
        ("a tree of 2 leaves does not continue one of 3", consistent(3, roots[3], 2, roots[2], [])),
        ("the consistency proof should be empty", consistent(0, roots[0], 5, roots[5], [roots[1]])),
        ("two roots for one size", consistent(5, roots[5], 5, roots[4], [])),
        ("the root of an empty tree is wrong", consistent(0, roots[1], 5, roots[5], [])),
        ("the consistency proof is too short", consistent(3, roots[3], 5, roots[5], [])),
        ("the consistency proof is too short", consistent(3, roots[3], 5, roots[5], consistency[:-1])),
        ("the consistency proof is too long", consistent(3, roots[3], 5, roots[5], [*consistency, roots[1]])),
        ("the consistency proof does not lead to the old root", consistent(3, roots[2], 5, roots[5], consistency)),
        ("the consistency proof does not lead to the new root", consistent(3, roots[3], 5, roots[6], consistency)),
        ("the pruned tree is too short", lambda: merkle.root_from_pruned([(1, LEAVES[1])], 2, [])),
        ("the pruned tree is too long", lambda: merkle.root_from_pruned([(0, LEAVES[0])], 1, [roots[1]])),
    ]
    for why, refused in refusals:
        with pytest.raises(ProofError) as refusal:
            refused()
        assert str(refusal.value) == why
