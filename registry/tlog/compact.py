"""A compact range: the least that must be remembered of a Merkle tree to append to it.

For a tree of n leaves it is the roots of the perfect subtrees that the binary digits of n name,
from the largest (left) to the smallest (right): at most 64 hashes, whatever the size.
"""

from __future__ import annotations

import msgspec

from registry.tlog.hashing import EMPTY_ROOT, HASH_BYTES, node_hash


class CompactRange(msgspec.Struct, frozen=True, kw_only=True):
    """The range over leaves 0 to `size` − 1; `peaks` has one hash for each set bit of `size`."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> CompactRange:
        """Return the range with one more leaf hash at its end."""
        peaks = list(self.peaks)
        node = leaf
        size = self.size
        while size & 1:
            node = node_hash(peaks.pop(), node)
            size >>= 1
        return CompactRange(size=self.size + 1, peaks=(*peaks, node))

    def root(self) -> bytes:
        """Return the tree's root, RFC 6962 §2.1."""
        if not self.peaks:
            return EMPTY_ROOT
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root

    def packed(self) -> bytes:
        """Return the peaks as one byte string, 32 bytes each."""
        return b"".join(self.peaks)


def unpack(size: int, packed: bytes) -> CompactRange:
    """Return the range of `packed()` bytes. Raises `ValueError` if they do not fit the size."""
    if len(packed) != size.bit_count() * HASH_BYTES:
        raise ValueError(f"a range over {size} leaves has {size.bit_count()} hashes")
    peaks = tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES))
    return CompactRange(size=size, peaks=peaks)
