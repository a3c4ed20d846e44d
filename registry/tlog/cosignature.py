"""A witness's word for a checkpoint, c2sp.org/tlog-cosignature: Ed25519, `cosignature/v1`."""

from __future__ import annotations

import msgspec

from registry.tlog.keys import COSIGNATURE, Signer

_HEADER = "cosignature/v1"
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_LATEST = 2**63 - 1


class TimedSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A `timestamped_signature` (§ Format): POSIX seconds, and 64 bytes of Ed25519."""

    time: int
    signature: bytes

    def to_bytes(self) -> bytes:
        """Give the 72 bytes that stand behind the key's id in a note."""
        return self.time.to_bytes(_TIME_BYTES, "big") + self.signature


def parse_timed_signature(raw: bytes) -> TimedSignature:
    """Read the 72 bytes; raises `ValueError` where they are no cosignature."""
    if len(raw) != _TIME_BYTES + _SIGNATURE_BYTES:
        raise ValueError(f"a cosignature has {_TIME_BYTES + _SIGNATURE_BYTES} bytes")
    time = int.from_bytes(raw[:_TIME_BYTES], "big")
    if time > _LATEST:
        raise ValueError("the cosignature's time is out of range")
    return TimedSignature(time=time, signature=raw[_TIME_BYTES:])


def signed_message(text: str, time: int) -> bytes:
    """Give what a witness signs of a checkpoint's text (§ Ed25519 signed message)."""
    return f"{_HEADER}\ntime {time}\n{text}".encode()


def cosign(text: str, signer: Signer, *, time: int) -> TimedSignature:
    """Cosign a checkpoint's text at a POSIX time; the signer must be a witness's."""
    if signer.kind != COSIGNATURE:
        raise ValueError("a cosignature is made with a witness's key")
    return TimedSignature(time=time, signature=signer.sign(signed_message(text, time)))
