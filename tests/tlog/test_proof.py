"""Proofs: all of them up to 300 leaves, and not one of them with a bit changed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog.proof import (
    ProofRefused,
    check_consistency,
    check_inclusion,
    nodes_from_tiles,
    prove_consistency,
    prove_inclusion,
    root_of,
)
from registry.tlog.tile import Tile
from tests.tlog.trees import grown, leaves, merkle_root, nodes

MOST = 300
LEAVES = leaves(MOST)
ROOTS = [merkle_root(LEAVES[:size]) for size in range(MOST + 1)]
TREES = {size: nodes(LEAVES[:size]) for size in range(1, MOST + 1)}


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def with_one_bit_changed(path):
    for at, one in enumerate(path):
        for bit in range(256):
            yield [*path[:at], flipped(one, bit), *path[at + 1 :]]


def test_every_inclusion_up_to_300_leaves():
    for size in range(1, MOST + 1):
        assert root_of(TREES[size], size) == ROOTS[size]
        for index in range(size):
            path = prove_inclusion(TREES[size], index, size)
            check_inclusion(path, index=index, size=size, leaf=LEAVES[index], root=ROOTS[size])


def test_every_consistency_up_to_300_leaves():
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            path = prove_consistency(TREES[new], old, new)
            check_consistency(path, old=old, new=new, old_root=ROOTS[old], new_root=ROOTS[new])


@pytest.mark.parametrize(
    ("index", "size"), [(0, 2), (0, 7), (6, 7), (3, 8), (255, 257), (256, 300)]
)
def test_an_inclusion_with_any_bit_flipped_is_refused(index, size):
    path = prove_inclusion(TREES[size], index, size)
    stated = {"index": index, "size": size, "leaf": LEAVES[index], "root": ROOTS[size]}
    check_inclusion(path, **stated)
    for wrong in with_one_bit_changed(path):
        with pytest.raises(ProofRefused):
            check_inclusion(wrong, **stated)
    for name in ("leaf", "root"):
        for bit in range(256):
            with pytest.raises(ProofRefused):
                check_inclusion(path, **stated | {name: flipped(stated[name], bit)})
    for wrong in ([*path, path[0]], path[:-1], path[1:], path[::-1] if len(path) > 1 else []):
        with pytest.raises(ProofRefused):
            check_inclusion(wrong, **stated)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 8), (6, 8), (256, 300), (255, 257)])
def test_a_consistency_with_any_bit_flipped_is_refused(old, new):
    path = prove_consistency(TREES[new], old, new)
    stated = {"old": old, "new": new, "old_root": ROOTS[old], "new_root": ROOTS[new]}
    check_consistency(path, **stated)
    for wrong in with_one_bit_changed(path):
        with pytest.raises(ProofRefused):
            check_consistency(wrong, **stated)
    for name in ("old_root", "new_root"):
        for bit in range(256):
            with pytest.raises(ProofRefused):
                check_consistency(path, **stated | {name: flipped(stated[name], bit)})
    for wrong in ([*path, path[0]], path[:-1], []):
        with pytest.raises(ProofRefused):
            check_consistency(wrong, **stated)


def test_a_proof_is_for_one_place_only():
    chance = random.Random(1)
    for _ in range(2000):
        size = chance.randrange(2, MOST + 1)
        index, other = chance.sample(range(size), 2)
        path = prove_inclusion(TREES[size], index, size)
        with pytest.raises(ProofRefused):
            check_inclusion(path, index=other, size=size, leaf=LEAVES[index], root=ROOTS[size])


def test_a_tree_and_itself():
    check_consistency([], old=5, new=5, old_root=ROOTS[5], new_root=ROOTS[5])
    for path, root in (([ROOTS[5]], ROOTS[5]), ([], ROOTS[6])):
        with pytest.raises(ProofRefused, match="same size"):
            check_consistency(path, old=5, new=5, old_root=ROOTS[5], new_root=root)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (0, 0), (-1, 5)])
def test_an_empty_or_shrunken_log_proves_nothing(old, new):
    with pytest.raises(ProofRefused):
        check_consistency([], old=old, new=new, old_root=ROOTS[0], new_root=ROOTS[5])
    with pytest.raises(ValueError, match="cannot be shown"):
        prove_consistency(TREES[5], old, new)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_an_entry_that_is_not_there(index, size):
    with pytest.raises(ProofRefused):
        check_inclusion([], index=index, size=size, leaf=LEAVES[0], root=ROOTS[0])
    with pytest.raises(ValueError, match="has no entry"):
        prove_inclusion(TREES[5], index, size)
    with pytest.raises(ValueError, match="no nodes"):
        root_of(TREES[5], 0)


def test_a_hash_of_another_length_is_refused():
    with pytest.raises(ProofRefused, match="32 bytes"):
        check_inclusion([b"x"], index=0, size=2, leaf=LEAVES[0], root=ROOTS[2])


def test_a_tile_of_another_width_is_noticed():
    tiles = grown(LEAVES)
    tiles[Tile(level=0, index=1, width=44)] += bytes(32)
    with pytest.raises(ValueError, match=r"tile/0/001\.p/44 has 45 hashes"):
        root_of(nodes_from_tiles(tiles.__getitem__, MOST), MOST)


@given(
    st.lists(st.binary(min_size=32, max_size=32), max_size=12),
    st.integers(-1, 2**63),
    st.integers(-1, 2**63),
)
def test_any_path_at_all_is_refused_and_breaks_nothing(path, one, other):
    root = bytes(32)
    with pytest.raises(ProofRefused):
        check_inclusion(path, index=one, size=other, leaf=b"\x01" * 32, root=root)
    with pytest.raises(ProofRefused):
        check_consistency(path, old=one, new=other, old_root=b"\x01" * 32, new_root=root)
