"""Merkle tree hashing, RFC 6962 §2.1."""

from __future__ import annotations

from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry's bytes to its 32-byte leaf hash."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two 32-byte subtree hashes to their parent's."""
    return sha256(b"\x01" + left + right).digest()
