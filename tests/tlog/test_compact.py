"""The compact range against a tree that is computed from all its leaves, by the book."""

from hashlib import sha256

import pytest

from registry.tlog.compact import CompactRange, unpack
from registry.tlog.hashing import leaf_hash

LARGEST = 300


def merkle_root(leaves):
    """RFC 6962 §2.1, word for word, sharing nothing with the code under test."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    both = merkle_root(leaves[:split]) + merkle_root(leaves[split:])
    return sha256(b"\x01" + both).digest()


def test_every_size_has_the_root_that_its_leaves_give():
    leaves = []
    tree = CompactRange()
    for size in range(LARGEST + 1):
        assert tree.size == size
        assert len(tree.peaks) == size.bit_count()
        assert tree.root() == merkle_root(leaves)
        assert unpack(tree.size, tree.packed()) == tree
        leaves.append(leaf_hash(str(size).encode()))
        tree = tree.append(leaves[-1])


def test_appending_leaves_the_range_before_as_it_was():
    before = CompactRange().append(leaf_hash(b"1"))
    root = before.root()
    assert before.append(leaf_hash(b"2")) != before.append(leaf_hash(b"3"))
    assert (before.size, before.root()) == (1, root)


@pytest.mark.parametrize(
    ("size", "packed"),
    [(0, b"\0" * 32), (1, b""), (2, b"\0" * 31), (3, b"\0" * 32), (4, b"\0" * 64)],
)
def test_peaks_that_do_not_fit_the_size_are_refused(size, packed):
    with pytest.raises(ValueError, match=f"over {size} leaves"):
        unpack(size, packed)
