"""RFC 6962 hashing against the vectors that Certificate Transparency's own tests use."""

from hashlib import sha256

from registry.tlog.compact import CompactRange
from registry.tlog.hashing import EMPTY_ROOT, leaf_hash, node_hash

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_roots_are_those_of_the_known_vectors():
    tree = CompactRange()
    assert tree.root().hex() == ROOTS[0]
    for leaf, root in zip(LEAVES, ROOTS[1:], strict=True):
        tree = tree.append(leaf_hash(leaf))
        assert tree.root().hex() == root


def test_leaves_and_nodes_cannot_be_taken_for_each_other():
    assert sha256(b"").digest() == EMPTY_ROOT
    assert leaf_hash(b"") == sha256(b"\x00").digest()
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) == sha256(b"\x01" + left + right).digest()
    assert node_hash(left, right) not in {leaf_hash(left + right), node_hash(right, left)}
