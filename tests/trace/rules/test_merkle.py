"""Every proof of every small tree holds, and no proof with a changed hash does."""

from __future__ import annotations

import random
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
    with pytest.raises(ProofError):
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
