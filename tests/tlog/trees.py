"""Trees for tests: small ones by the recursive words of RFC 6962, larger ones by growing tiles."""

from registry.tlog.hashing import EMPTY_ROOT, leaf_hash, node_hash
from registry.tlog.proof import nodes_from_tiles
from registry.tlog.tile import grow


def leaves(count):
    return [leaf_hash(str(number).encode()) for number in range(count)]


def merkle_root(hashes):
    """MTH of RFC 6962 §2.1, literally."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(merkle_root(hashes[:k]), merkle_root(hashes[k:]))


def grown(hashes, *cuts):
    """Every tile that comes to be, by place, when leaves are appended in batches that end so."""
    tiles = {}
    size = 0
    for cut in (*cuts, len(hashes)):
        tiles.update(grow(size, tiles.__getitem__, hashes[size:cut]))
        size = cut
    return tiles


def nodes(hashes):
    return nodes_from_tiles(grown(hashes).__getitem__, len(hashes))
