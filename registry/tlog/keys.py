"""Ed25519 keys as text, c2sp.org/signed-note: `name+id+base64(type ‖ key)`.

The signer's form is the one that Go's `note` package writes, so that its tools read our file:
`PRIVATE+KEY+name+id+base64(type ‖ seed)`.
"""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = 0x01
KEY_BYTES = 32
_PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[!-*,-~]+")


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A named private key; `seed` is the 32 secret bytes. `ValueError` for an unusable name."""

    name: str
    seed: bytes

    def __post_init__(self) -> None:
        """Refuse a name that no note could carry."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} cannot be a key's name: visible ASCII without a plus sign"
            )

    @property
    def verifier_key(self) -> str:
        """The public half, as others write it into their configuration."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return _encoded(self.name, key_id(self.name, public), public)

    def to_text(self) -> str:
        """Give the form that the key file holds."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return _PRIVATE + _encoded(self.name, key_id(self.name, public), self.seed)


def key_id(name: str, public: bytes) -> bytes:
    """Compute a key's 4-byte id from its name and 32 public bytes (signed-note, Ed25519)."""
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4]


def parse_signer(text: str) -> Signer:
    """Read the key file's form; raises `ValueError` saying what is wrong."""
    if not text.startswith(_PRIVATE):
        raise ValueError(f"does not begin with {_PRIVATE}")
    # The base64 may hold "+": split on the first two only.
    parts = text.removeprefix(_PRIVATE).strip().split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004  name, id, key
        raise ValueError("does not have the three parts name, id and key")
    name, stated_id, encoded = parts
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("the key is not base64") from error
    if len(key) != 1 + KEY_BYTES or key[0] != ED25519:
        raise ValueError("the key is not an Ed25519 key")
    signer = Signer(name=name, seed=key[1:])
    if signer.to_text() != text.strip():
        raise ValueError(f"the key's id is not {stated_id}")
    return signer


def _encoded(name: str, identity: bytes, key: bytes) -> str:
    return f"{name}+{identity.hex()}+{base64.b64encode(bytes([ED25519]) + key).decode()}"
