"""The tree of the published log, as it is computed of the leaf hashes in the database."""

import pytest

from registry.errors import NotFound, Unavailable
from registry.ledger import published_log
from registry.ledger.published_log import LogTree
from registry.store.published_files import PublishedLog
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.proof import check_inclusion
from registry.tlog.tile import Tile, grow

SIZES = (1, 255, 256, 257, 513, 8192, 65_535, 65_537, 66_000)
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(SIZES[-1])]


@pytest.fixture
def asked(monkeypatch):
    """How many leaves were read of a database that has those of the largest size."""
    counts = []

    async def read_leaves(leaves, start, end):
        counts.append(end - start)
        return leaves[start:end]

    monkeypatch.setattr(published_log.published_files, "read_leaves", read_leaves)
    return counts


def log_of(size, discards=0):
    return PublishedLog(size=size, discards=discards, checkpoint=b"note of it")


def range_of(leaves):
    tree = CompactRange()
    for leaf in leaves:
        tree = tree.append(leaf)
    return tree


async def test_it_has_the_tiles_and_the_root_of_the_publisher(asked):
    tree = LogTree()
    for size in SIZES:
        for tile, content in grow(0, lambda _: b"", LEAVES[:size]):
            assert await tree.read_tile(LEAVES, log_of(size), tile) == content, tile.path
        assert await tree.root(LEAVES, log_of(size), size) == range_of(LEAVES[:size]).root()


async def test_its_proofs_lead_to_the_root(asked):
    tree, size = LogTree(), SIZES[-1]
    log, root = log_of(size), range_of(LEAVES).root()
    indexes = [0, 1, 255, 256, 65_535, 65_536, size - 1]
    for proof in await tree.prove(LEAVES, log, indexes):
        leaf = LEAVES[proof.index]
        check_inclusion(proof.path, index=proof.index, size=size, leaf=leaf, root=root)
    asked.clear()
    await tree.prove(LEAVES, log, [5])
    assert sum(asked) <= 2 * 256


async def test_it_has_no_tile_beyond_the_published_size(asked):
    for size, tile in ((256, Tile(level=0, index=1, width=1)), (257, Tile(level=1, index=0))):
        with pytest.raises(NotFound):
            await LogTree().read_tile(LEAVES, log_of(size), tile)


async def test_it_begins_again_when_entries_were_given_up(asked):
    tree = LogTree()
    other = [leaf_hash(leaf) for leaf in LEAVES[:600]]
    await tree.root(LEAVES, log_of(600), 600)
    assert await tree.root(other, log_of(600, discards=1), 600) == range_of(other).root()
    with pytest.raises(Unavailable):
        await tree.root(other, log_of(700, discards=2), 700)
