"""Tiles of hashes, c2sp.org/tlog-tiles § Merkle Tree: 256 consecutive hashes of every eighth level.

Paths are relative to the log's prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from registry.tlog.hashing import HASH_BYTES, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT

_PATH = re.compile(
    r"tile/(?P<level>0|[1-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class Tile(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A tile's place: its level, its index in the level, how many hashes it has (1 to 256)."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path at which it is served."""
        return f"tile/{self.level}/{numbered(self.index, self.width)}"


def numbered(index: int, width: int) -> str:
    """Return an index in groups of three digits, all but the last with `x`, and a partial width."""
    if not 1 <= width <= WIDTH:
        raise ValueError(f"a tile has 1 to {WIDTH} hashes, not {width}")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *above, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
    partial = "" if width == WIDTH else f".p/{width}"
    return "".join(f"x{group}/" for group in above) + last + partial


def parse_tile_path(path: str) -> Tile:
    """Return the tile of a path. Raises `ValueError` for any other text."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError(f"{path!r} is no path of a tile")
    tile = Tile(
        level=int(match["level"]),
        index=int(match["number"].replace("x", "").replace("/", "")),
        width=int(match["width"] or WIDTH),
    )
    if not 1 <= tile.width <= WIDTH or tile.path != path:
        raise ValueError(f"{path!r} is not how a tile's path is written")
    return tile


def edge_of(size: int) -> list[Tile | None]:
    """Return, by level, the partial tile at a tree's right edge; None where all are full."""
    edge: list[Tile | None] = []
    while count := size >> (HEIGHT * len(edge)):
        index, width = divmod(count, WIDTH)
        edge.append(Tile(level=len(edge), index=index, width=width) if width else None)
    return edge


def grow(
    size: int, read: Callable[[Tile], bytes], leaves: Iterable[bytes]
) -> Iterator[tuple[Tile, bytes]]:
    """Yield each tile, with its content, that appending leaf hashes to a tree adds.

    `read` returns the partial tiles at the edge of the tree as it was. The new edge comes last, so
    that how often a tree was grown leaves no trace in the tiles of its size.
    """
    levels = [bytearray(b"" if tile is None else read(tile)) for tile in edge_of(size)]
    counts = [size >> (HEIGHT * level) for level in range(len(levels))]
    fresh: set[int] = set()
    for leaf in leaves:
        level, node = 0, leaf
        while True:
            if level == len(levels):
                levels.append(bytearray())
                counts.append(0)
            levels[level] += node
            counts[level] += 1
            fresh.add(level)
            if counts[level] % WIDTH:
                break
            content = bytes(levels[level])
            yield Tile(level=level, index=counts[level] // WIDTH - 1), content
            levels[level].clear()
            # Only what is full is hashed into the level above.
            node = subtree_root(split(content))
            level += 1
    for level in sorted(fresh):
        if levels[level]:
            index, width = divmod(counts[level], WIDTH)
            yield Tile(level=level, index=index, width=width), bytes(levels[level])


def split(content: bytes) -> list[bytes]:
    """Return the hashes of a tile's content. Raises `ValueError` unless it is whole hashes."""
    if not content or len(content) % HASH_BYTES:
        raise ValueError(f"a tile of {len(content)} bytes does not hold whole hashes")
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashes whose number is a power of two."""
    while len(hashes) > 1:
        hashes = [
            node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]
