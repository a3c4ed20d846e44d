"""Proofs that an entry is in a log and that a log has only grown, RFC 6962 §2.1.1 and §2.1.2.

They are made of tiles (c2sp.org/tlog-tiles) and checked without them. A node of the tree is named
by its height over the leaves and its index among the nodes of that height.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from registry.tlog.hashing import HASH_BYTES, node_hash
from registry.tlog.tile import HEIGHT, WIDTH, Tile, split

Nodes: TypeAlias = Callable[[int, int], bytes]
"""Returns the hash of a node over a full subtree, by height and index."""

_TILES_KEPT = 64


class ProofRefused(ValueError):
    """A proof is malformed, or does not prove its claim."""


def nodes_from_tiles(read: Callable[[Tile], bytes], size: int) -> Nodes:
    """Return the nodes of a tree of a size, whose tiles `read` returns."""

    @lru_cache(_TILES_KEPT)
    def rows(level: int, index: int) -> list[list[bytes]]:
        width = min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH)
        tile = Tile(level=level, index=index, width=width)
        found = split(read(tile))
        if len(found) != width:
            raise ValueError(f"{tile.path} has {len(found)} hashes, not {width}")
        above = [found]
        while len(above) < HEIGHT:
            pairs = zip(above[-1][::2], above[-1][1::2], strict=False)
            above.append([node_hash(left, right) for left, right in pairs])
        return above

    def node(height: int, index: int) -> bytes:
        level, within = divmod(height, HEIGHT)
        first = index << within
        return rows(level, first // WIDTH)[within][first % WIDTH >> within]

    return node


def root_of(nodes: Nodes, size: int) -> bytes:
    """Return a tree's root; the size is at least 1."""
    if size < 1:
        raise ValueError("an empty tree has no nodes")
    return _subtree(nodes, 0, size)


def prove_inclusion(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """Return the audit path of an entry, from its sibling upwards (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a log of {size} entries has no entry {index}")
    start, end = 0, size
    path: list[bytes] = []
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            path.append(_subtree(nodes, middle, end))
            end = middle
        else:
            path.append(_subtree(nodes, start, middle))
            start = middle
    return path[::-1]


def prove_consistency(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of size `new` extends that of `old` (RFC 6962 §2.1.2)."""
    if not 1 <= old <= new:
        raise ValueError(f"a log of {new} entries cannot be shown to continue one of {old}")
    start, end = 0, new
    path: list[bytes] = []
    while end != old:
        middle = start + _left(end - start)
        if old <= middle:
            path.append(_subtree(nodes, middle, end))
            end = middle
        else:
            path.append(_subtree(nodes, start, middle))
            start = middle
    # The old tree's last part is known to whoever has its root, unless it is only a part of it.
    if start > 0:
        path.append(_subtree(nodes, start, end))
    return path[::-1]


def check_inclusion(
    path: Sequence[bytes], *, index: int, size: int, leaf: bytes, root: bytes
) -> None:
    """Check an audit path (RFC 9162 §2.1.3.2). Raises `ProofRefused`."""
    if not 0 <= index < size:
        raise ProofRefused(f"a log of {size} entries has no entry {index}")
    _check_hashes([*path, leaf, root])
    node = leaf
    for sibling, is_left in _turns(path, index, size - 1):
        node = node_hash(sibling, node) if is_left else node_hash(node, sibling)
    if node != root:
        raise ProofRefused("the proof does not lead to the root")


def check_consistency(
    path: Sequence[bytes], *, old: int, new: int, old_root: bytes, new_root: bytes
) -> None:
    """Check that a log has only grown (RFC 9162 §2.1.4.2). Raises `ProofRefused`."""
    if not 1 <= old <= new:
        raise ProofRefused(f"a log of {new} entries cannot continue one of {old}")
    _check_hashes([*path, old_root, new_root])
    if old == new:
        if path or old_root != new_root:
            raise ProofRefused("two logs of the same size have different roots")
        return
    if not path:
        raise ProofRefused("the proof is too short")
    # A tree whose size is a power of two is a node of the new one: its root begins the proof.
    first, *rest = path if old & (old - 1) else [old_root, *path]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = first
    for sibling, is_left in _turns(rest, at, last):
        before = node_hash(sibling, before) if is_left else before
        after = node_hash(sibling, after) if is_left else node_hash(after, sibling)
    if before != old_root or after != new_root:
        raise ProofRefused("the proof does not lead from the old root to the new one")


def _turns(path: Sequence[bytes], at: int, last: int) -> Iterator[tuple[bytes, bool]]:
    """Yield (sibling, is left) on the way up from node `at` of a level that ends with `last`."""
    for sibling in path:
        if last == 0:
            raise ProofRefused("the proof is too long")
        is_left = bool(at & 1) or at == last
        yield sibling, is_left
        while is_left and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    if last:
        raise ProofRefused("the proof is too short")


def _subtree(nodes: Nodes, start: int, end: int) -> bytes:
    """Return MTH(D[start:end]), RFC 6962 §2.1, of full subtrees."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return nodes(height, start >> height)
    left = _left(size)
    return node_hash(_subtree(nodes, start, start + left), _subtree(nodes, start + left, end))


def _left(size: int) -> int:
    """Return the largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofRefused(f"a hash has {HASH_BYTES} bytes")
