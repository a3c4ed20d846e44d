"""Cosignatures of checkpoints by witnesses, c2sp.org/tlog-cosignature.

Of Ed25519 (`cosignature/v1`) or of ML-DSA-44 (`subtree/v1`); the latter is only verified.
"""

from __future__ import annotations

import re

import msgspec

from registry.tlog import base64_text
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.keys import COSIGNATURE, ML_DSA_44, Signer, Verifier

_HEADER = "cosignature/v1"
_SUBTREE = b"subtree/v1\n\0"
_TIME_BYTES = 8
_SIGNATURE_BYTES = {COSIGNATURE: 64, ML_DSA_44: 2420}
_LATEST = 2**63 - 1


class TimedSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A `timestamped_signature` (§ Format): POSIX seconds, and the signature."""

    time: int
    signature: bytes

    def to_bytes(self) -> bytes:
        """Return the bytes that stand behind the key's id in a note."""
        return self.time.to_bytes(_TIME_BYTES, "big") + self.signature


def parse_timed_signature(raw: bytes, kind: int = COSIGNATURE) -> TimedSignature:
    """Return the cosignature of a signature line's bytes. Raises `ValueError` if it is none."""
    expected = _TIME_BYTES + _SIGNATURE_BYTES[kind]
    if len(raw) != expected:
        raise ValueError(f"a cosignature has {expected} bytes")
    time = int.from_bytes(raw[:_TIME_BYTES], "big")
    if time > _LATEST:
        raise ValueError("the cosignature's time is out of range")
    return TimedSignature(time=time, signature=raw[_TIME_BYTES:])


def message_of(text: str, time: int, verifier: Verifier) -> bytes:
    """Return the message that a witness signs. Raises `ValueError` if it is of no checkpoint."""
    if verifier.kind == ML_DSA_44:
        return _subtree_message(text, time, verifier.name)
    return signed_message(text, time)


def signed_message(text: str, time: int) -> bytes:
    """Return the message that a witness signs with Ed25519 (§ Ed25519 signed message)."""
    return f"{_HEADER}\ntime {time}\n{text}".encode()


def cosign(text: str, signer: Signer, *, time: int) -> TimedSignature:
    """Return the cosignature of a checkpoint's text at a POSIX time, by a witness's key."""
    if signer.kind != COSIGNATURE:
        raise ValueError("a cosignature is made with a witness's key")
    return TimedSignature(time=time, signature=signer.sign(signed_message(text, time)))


def _subtree_message(text: str, time: int, name: str) -> bytes:
    """Return the `cosigned_message` of a whole tree (§ ML-DSA-44 signed message)."""
    lines = text.split("\n")
    # A decimal of 19 digits fits into the 64 bits of the tree's end.
    if len(lines) < 4 or not re.fullmatch("[0-9]{1,19}", lines[1]):  # noqa: PLR2004  three, ended
        raise ValueError("what is cosigned is no checkpoint")
    start, end = 0, int(lines[1])
    return b"".join(
        [
            _SUBTREE,
            _prefixed(name),
            time.to_bytes(_TIME_BYTES, "big"),
            _prefixed(lines[0]),
            start.to_bytes(8, "big"),
            end.to_bytes(8, "big"),
            base64_text.decode(lines[2], HASH_BYTES),
        ]
    )


def _prefixed(name: str) -> bytes:
    """Return a name after its length in bytes, which is one."""
    content = name.encode()
    if not 1 <= len(content) <= 255:  # noqa: PLR2004  <1..2^8-1>
        raise ValueError("a name has no length that a cosignature can hold")
    return bytes([len(content)]) + content
