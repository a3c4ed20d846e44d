"""Tiles: paths as the specification writes them, and no trace of how a tree was grown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog.hashing import HASH_BYTES
from registry.tlog.proof import nodes_from_tiles, root_of
from registry.tlog.tile import HEIGHT, WIDTH, Tile, edge_of, grow, parse_tile_path, split
from tests.tlog.trees import grown, leaves, merkle_root

PATHS = {
    "tile/0/000": Tile(level=0, index=0),
    "tile/0/000.p/1": Tile(level=0, index=0, width=1),
    "tile/0/999": Tile(level=0, index=999),
    "tile/2/x001/000": Tile(level=2, index=1000),
    "tile/63/x001/x234/067": Tile(level=63, index=1234067),
    "tile/1/x001/x234/067.p/255": Tile(level=1, index=1234067, width=255),
}


def tiles_of(size):
    """Every tile of a tree: the full ones, and the partial one of a level that has one."""
    level = 0
    while count := size >> (HEIGHT * level):
        for index in range(count // WIDTH):
            yield Tile(level=level, index=index)
        if count % WIDTH:
            yield Tile(level=level, index=count // WIDTH, width=count % WIDTH)
        level += 1


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_written_and_read(path):
    assert PATHS[path].path == path
    assert parse_tile_path(path) == PATHS[path]


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/0", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/0", "tile/0/0000",
        "tile/0/x000/000", "tile/0/x000/x001/000", "tile/0/001/000", "tile/0/x001", "tile/0/000.p",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/1/", "/tile/0/000",
        "tile/0/000\n", "tile/entries/000", "tile/0/٠٠٠", "tile/0/../000",
    ],
)  # fmt: skip
def test_any_other_way_to_write_it_is_refused(path):
    with pytest.raises(ValueError, match="path"):
        parse_tile_path(path)


@given(st.text(alphabet="tile/0123456789x.pentris", max_size=40))
def test_what_is_read_is_written_the_same(text):
    try:
        tile = parse_tile_path(text)
    except ValueError:
        return
    assert tile.path == text


@pytest.mark.parametrize("width", [0, 257, -1])
def test_a_tile_without_hashes_has_no_path(width):
    with pytest.raises(ValueError, match="1 to 256"):
        Tile(level=0, index=0, width=width).path  # noqa: B018


def test_the_example_of_the_specification():
    tiles = list(tiles_of(70_000))
    level0 = [tile for tile in tiles if tile.level == 0]
    assert [tile.width for tile in level0] == [256] * 273 + [112]
    rest = [(tile.level, tile.index, tile.width) for tile in tiles if tile.level]
    assert rest == [(1, 0, 256), (1, 1, 17), (2, 0, 1)]
    assert [tile and (tile.level, tile.width) for tile in edge_of(256)] == [None, (1, 1)]
    assert list(tiles_of(0)) == edge_of(0) == []


SIZES = (0, 1, 2, 255, 256, 257, 511, 512, 513)


@pytest.mark.parametrize("size", SIZES)
def test_growing_makes_exactly_the_tiles_of_the_size(size):
    hashes = leaves(size)
    tiles = grown(hashes)
    assert sorted(tiles) == sorted(tiles_of(size))
    for tile, content in tiles.items():
        span = 256**tile.level
        first = tile.index * 256
        expected = [
            merkle_root(hashes[at * span : (at + 1) * span])
            for at in range(first, first + tile.width)
        ]
        assert split(content) == expected


@pytest.mark.parametrize("size", [255, 256, 257, 65_535, 65_536, 65_537])
def test_how_a_tree_was_cut_into_batches_leaves_no_trace(size):
    hashes = leaves(size)
    whole = grown(hashes)
    for cuts in ([1], [255], [256], [size - 1], [2, 254], [size // 3, size // 2], [size]):
        ends = sorted(cut for cut in cuts if 0 < cut <= size)
        again = grown(hashes, *ends)
        assert {tile: again[tile] for tile in tiles_of(size)} == whole
    assert root_of(nodes_from_tiles(whole.__getitem__, size), size) == merkle_root(hashes)


@given(st.data())
def test_any_batches_at_all(data):
    size = data.draw(st.integers(1, 600))
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=12)))
    hashes = leaves(size)
    again = grown(hashes, *cuts)
    assert {tile: again[tile] for tile in tiles_of(size)} == grown(hashes)


def test_one_leaf_at_a_time():
    hashes = leaves(520)
    again = grown(hashes, *range(520))
    for size in range(1, 521):
        for tile in tiles_of(size):
            assert len(again[tile]) == tile.width * HASH_BYTES
    assert {tile: again[tile] for tile in tiles_of(520)} == grown(hashes)


def test_growing_by_nothing_makes_nothing():
    tiles = grown(leaves(300))
    assert list(grow(300, tiles.__getitem__, [])) == []


@pytest.mark.parametrize("content", [b"", b"x", bytes(31), bytes(33)])
def test_a_tile_holds_whole_hashes(content):
    with pytest.raises(ValueError, match="whole hashes"):
        split(content)
