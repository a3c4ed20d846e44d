"""Sections of a document: stored, committed to and erased separately.

Each top-level key of a document is one section. Its canonical JSON text is stored as it is, so that
`{` + the sorted `"key":value` + `}` is the document's canonical form.

The log has only a commitment, in two levels: each member (of an object) or item (of an array) is
hashed with 32 random bytes of its own, its salt, and the section is the hash of its members'
commitments. Without the salt a commitment reveals nothing of the value, so a value can be erased
together with its salt while its neighbours still verify.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any

import msgspec

from registry.record.canonical import encoder
from registry.record.model import Document
from registry.record.pointers import escaped

SALT_BYTES = 32

_JSON = msgspec.json.Encoder()


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A top-level key of a version.

    `value` is canonical JSON text. `salts` holds 32 bytes for each member in the order of
    `members`. `commitment` is base64url of 32 bytes.
    """

    key: str
    value: str
    salts: bytes
    commitment: str


def seal(document: Document, random: Callable[[int], bytes]) -> list[Section]:
    """Return the sections of a document, with fresh salts, sorted by key."""
    encode = encoder(document)
    parts = {key: members(key, document[key]) for key in sorted(document)}
    salts = random(SALT_BYTES * sum(map(len, parts.values())))
    sections, start = [], 0
    for key, own in parts.items():
        end = start + SALT_BYTES * len(own)
        sections.append((key, salts[start:end]))
        start = end
    committed = commitments_of(salted(parts, salts), encode)
    return [
        Section(key=key, value=encode(document[key]).decode(), salts=own, commitment=committed[key])
        for key, own in sections
    ]


def members(key: str, value: Any) -> list[tuple[str, Any]]:
    """Return a section's members as (JSON Pointer, value), sorted by pointer.

    A value without parts (a scalar, an empty object or array) is its own single member.
    """
    if isinstance(value, dict) and value:
        parts = [(f"/{key}/{escaped(name)}", part) for name, part in value.items()]
    elif isinstance(value, list) and value:
        parts = [(f"/{key}/{index}", part) for index, part in enumerate(value)]
    else:
        parts = [(f"/{key}", value)]
    return sorted(parts, key=itemgetter(0))


def salted(
    parts: Mapping[str, Sequence[tuple[str, Any]]], salts: bytes
) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Return the members of sections as a content file lists them, with all their salts in order.

    All at once, as in `commitments_of`.
    """
    written = iter(written_hashes(salts))
    return {
        key: [(pointer, {"salt": next(written), "value": value}) for pointer, value in own]
        for key, own in parts.items()
    }


def commitments_of(
    listed: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]], encode: Callable[[Any], bytes]
) -> dict[str, str]:
    """Return the commitments of sections, whose members are as a content file lists them.

    All at once, since encoding one hash in base64url costs more than computing it.
    """
    hashes = [
        sha256(
            b'["registry/member/1","%b",%b,%b]'
            % (said["salt"].encode(), _JSON.encode(pointer), encode(said["value"]))
        ).digest()
        for parts in listed.values()
        for pointer, said in parts
        if "salt" in said
    ]
    written = iter(written_hashes(b"".join(hashes)))
    whole = []
    for key, parts in listed.items():
        # Lists of strings: the plain encoding is canonical.
        own = [
            [pointer, next(written) if "salt" in said else said["commitment"]]
            for pointer, said in parts
        ]
        whole.append(sha256(_JSON.encode(["registry/section/1", key, own])).digest())
    return dict(zip(listed, written_hashes(b"".join(whole)), strict=True))


def written_hashes(hashes: bytes) -> list[str]:
    """Return consecutive hashes, or salts, each in base64url."""
    size = SALT_BYTES
    # With a zero byte each is a whole number of groups, and its last character is of zeros.
    padded = b"\0".join([hashes[at : at + size] for at in range(0, len(hashes), size)]) + b"\0"
    signs = urlsafe_b64encode(padded).decode()
    return [signs[at : at + 43] for at in range(0, len(signs) - 4, 44)]


def read_hashes(written: Sequence[str]) -> bytes:
    """Return hashes, or salts, each of which is in base64url, one after the other."""
    raw = urlsafe_b64decode("A".join((*written, "")))
    return b"".join([raw[at : at + SALT_BYTES] for at in range(0, len(raw), SALT_BYTES + 1)])


def member_commitment(salt: bytes, pointer: str, content: bytes) -> str:
    """Return a member's commitment from its salt, its place and its canonical JSON."""
    label = _JSON.encode(["registry/member/1", base64url(salt), pointer])
    return base64url(sha256(label[:-1] + b"," + content + b"]").digest())


def base64url(raw: bytes) -> str:
    """Return bytes as base64url without padding, RFC 4648 §5."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def commitments(sections: Sequence[Section]) -> dict[str, str]:
    """Return the commitments to sections, by key, as an entry states them."""
    return {section.key: section.commitment for section in sections}
