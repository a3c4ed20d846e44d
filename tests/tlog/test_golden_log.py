"""A log that another implementation wrote (transparency-dev/tessera), made again to the byte."""

import re
from pathlib import Path

import pytest

from registry.tlog.bundle import bundle_path, parse_bundle, write_bundle
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import parse_signer, parse_verifier
from registry.tlog.note import open_note, sign_note
from registry.tlog.proof import check_consistency, nodes_from_tiles, prove_consistency, root_of
from registry.tlog.tile import grow
from tests.tlog.trees import grown

FOLDER = Path(__file__).parents[3] / "shared/vectors/tessera-golden-log"
LOG = FOLDER / "testdata/log"
WORDS = "one two three four five six seven eit nain ten ileven twelf threeten fourten fivten"
ENTRIES = [word.encode() for word in WORDS.split()]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
SIZES = range(len(ENTRIES) + 1)

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="../shared/vectors/tessera-golden-log is not there"
)


@pytest.fixture(scope="module")
def signer():
    """The published test key, as the folder's README names it."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    return parse_signer(re.search(r"PRIVATE\+KEY\+[^ ]*[^ .]", text)[0])


@pytest.fixture(scope="module")
def verifier():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    return parse_verifier(re.search(r"Log vkey ([^ ]+)", text)[1])


@pytest.mark.parametrize("size", SIZES)
def test_a_checkpoint_is_made_again(signer, size):
    tree = CompactRange()
    for leaf in LEAVES[:size]:
        tree = tree.append(leaf)
    text = Checkpoint(origin=signer.name, size=size, root=tree.root()).to_text()
    expected = (LOG / f"checkpoint.{size}").read_bytes()
    assert sign_note(text, [signer]).to_bytes() == expected


def test_every_tile_and_bundle_is_made_again():
    written = {}
    tiles = {}
    for size in SIZES[:-1]:
        tiles.update(grow(size, tiles.__getitem__, LEAVES[size : size + 1]))
        written[bundle_path(0, size + 1)] = write_bundle(ENTRIES[: size + 1])
    written |= {tile.path: content for tile, content in tiles.items()}
    there = {
        path.relative_to(LOG).as_posix(): path.read_bytes()
        for path in (LOG / "tile").rglob("*")
        if path.is_file()
    }
    assert written == there


@pytest.mark.parametrize("size", SIZES[1:])
def test_what_it_wrote_is_verified(verifier, size):
    opened = open_checkpoint(
        (LOG / f"checkpoint.{size}").read_bytes(), origin=verifier.name, verifiers=[verifier]
    )
    assert opened.checkpoint.size == size
    nodes = nodes_from_tiles(lambda tile: (LOG / tile.path).read_bytes(), size)
    assert root_of(nodes, size) == opened.checkpoint.root
    bundle = parse_bundle((LOG / bundle_path(0, size)).read_bytes(), size)
    assert [leaf_hash(entry) for entry in bundle] == LEAVES[:size]


def test_each_size_continues_each_before(verifier):
    roots = [
        parse_checkpoint(open_note((LOG / f"checkpoint.{size}").read_bytes(), [verifier]).text).root
        for size in SIZES
    ]
    for new in SIZES[1:]:
        nodes = nodes_from_tiles(grown(LEAVES[:new]).__getitem__, new)
        for old in range(1, new + 1):
            check_consistency(
                prove_consistency(nodes, old, new),
                old=old,
                new=new,
                old_root=roots[old],
                new_root=roots[new],
            )
