"""Keys as text, c2sp.org/signed-note: `name+id+base64(type ‖ key)`.

All are Ed25519 but the witnesses' of type 0x06, ML-DSA-44, which are verified and never made here.

The signer's form is the one that Go's `note` package writes, so that its tools read our file:
`PRIVATE+KEY+name+id+base64(type ‖ seed)`.
"""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:  # Earlier releases have none.
    mldsa = None  # type: ignore[assignment]

from registry.tlog import base64_text
from registry.tlog.ed25519_points import check_public_key

ED25519 = 0x01
"""A log's own signature (signed-note, § Signature types)."""

COSIGNATURE = 0x04
"""A witness's timestamped cosignature, Ed25519, c2sp.org/tlog-cosignature."""

ML_DSA_44 = 0x06
"""A witness's timestamped cosignature, ML-DSA-44 (FIPS 204), of the same specification."""

COSIGNATURES = frozenset({COSIGNATURE, ML_DSA_44})
"""The types of witnesses' keys."""

KEY_BYTES = 32
_ML_DSA_44_BYTES = 1312
_PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[!-*,-~]+")


class Verifier(msgspec.Struct, frozen=True, kw_only=True):
    """A named public key of a signature type. Raises `ValueError` for one not to be trusted.

    It has 32 bytes, or 1,312 if it is of ML-DSA-44, which not every `cryptography` can verify.
    """

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        """Check name, type and key."""
        _check_name(self.name)
        if self.kind == ML_DSA_44:
            _check_ml_dsa(self.public)
            return
        if self.kind not in {ED25519, COSIGNATURE}:
            raise ValueError(f"a key of the type 0x{self.kind:02x} cannot be used here")
        if len(self.public) != KEY_BYTES:
            raise ValueError(f"an Ed25519 key has {KEY_BYTES} bytes, not {len(self.public)}")
        check_public_key(self.public)

    @property
    def id(self) -> bytes:
        """The 4 bytes that name the key in a signature, together with its name."""
        return key_id(self.name, self.public, self.kind)

    def to_text(self) -> str:
        """Return the verifier key as others write it into their configuration."""
        return _encoded(self.name, self.id, self.kind, self.public)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether a signature over a message is this key's."""
        try:
            if self.kind == ML_DSA_44:
                mldsa.MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A named private key; `seed` is the 32 secret bytes. Raises `ValueError` for its name."""

    name: str
    seed: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        """Check the name."""
        _check_name(self.name)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = self._private().public_key().public_bytes_raw()
        return Verifier(name=self.name, kind=self.kind, public=public)

    @property
    def verifier_key(self) -> str:
        """The public half, as others write it into their configuration."""
        return self.verifier.to_text()

    def to_text(self) -> str:
        """Return the form that the key file holds."""
        return _PRIVATE + _encoded(self.name, self.verifier.id, self.kind, self.seed)

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of a message, 64 bytes."""
        return self._private().sign(message)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def key_id(name: str, public: bytes, kind: int = ED25519) -> bytes:
    """Return a key's 4-byte id, of its name, public bytes and type (signed-note)."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def parse_verifier(text: str) -> Verifier:
    """Return the key of a verifier key. Raises `ValueError` with what is wrong."""
    name, kind, public = _parts(text)
    verifier = Verifier(name=name, kind=kind, public=public)
    if verifier.to_text() != text:
        raise ValueError(f"the key's id is not {text.split('+', 2)[1]}")
    return verifier


def parse_signer(text: str) -> Signer:
    """Return the key of a key file's text. Raises `ValueError` with what is wrong."""
    if not text.startswith(_PRIVATE):
        raise ValueError(f"does not begin with {_PRIVATE}")
    stated = text.removeprefix(_PRIVATE).strip()
    name, kind, seed = _parts(stated)
    if len(seed) != KEY_BYTES or kind != ED25519:
        raise ValueError("the key is not an Ed25519 key")
    signer = Signer(name=name, seed=seed)
    if signer.to_text() != _PRIVATE + stated:
        raise ValueError(f"the key's id is not {stated.split('+', 2)[1]}")
    return signer


def _parts(text: str) -> tuple[str, int, bytes]:
    # The base64 may hold "+": split on the first two only.
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004  name, id, key
        raise ValueError("does not have the three parts name, id and key")
    try:
        key = base64_text.decode(parts[2])
    except ValueError as error:
        raise ValueError("the key is not base64") from error
    if not key:
        raise ValueError("the key is empty")
    return parts[0], key[0], key[1:]


def _check_ml_dsa(public: bytes) -> None:
    """Raise `ValueError` unless it is a key whose signatures can be verified here."""
    if len(public) != _ML_DSA_44_BYTES:
        raise ValueError(f"an ML-DSA-44 key has {_ML_DSA_44_BYTES:,} bytes, not {len(public):,}")
    try:
        if mldsa is not None:
            mldsa.MLDSA44PublicKey.from_public_bytes(public)
            return
    except UnsupportedAlgorithm:
        pass
    raise ValueError(
        f"a key of the type 0x{ML_DSA_44:02x} (ML-DSA-44) cannot be used here: the installed "
        "cryptography does not verify it"
    )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a key's name: visible ASCII without a plus sign")


def _encoded(name: str, identity: bytes, kind: int, key: bytes) -> str:
    return f"{name}+{identity.hex()}+{base64_text.encode(bytes([kind]) + key)}"
