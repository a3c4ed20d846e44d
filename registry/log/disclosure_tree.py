"""Sections of a document: stored, committed to and erased separately.

Each top-level key of a document is one section. Its canonical JSON text is stored as it is, so that
`{` + the sorted `"key":value` + `}` is the document's canonical form.

The log has only a commitment, in two levels: each member (of an object) or item (of an array) is
hashed with 32 random bytes of its own, its salt, and the section is the hash of its members'
commitments. Without the salt a commitment reveals nothing of the value, so a value can be erased
together with its salt while its neighbours still verify.
"""

from __future__ import annotations

from binascii import b2a_base64
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
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


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
    listed = {key: members(key, document[key]) for key in sorted(document)}
    salts = random(SALT_BYTES * sum(map(len, listed.values())))
    commitments = commitments_of(listed, salts, encode)
    sections, start = [], 0
    for (key, parts), commitment in zip(listed.items(), commitments, strict=True):
        end = start + SALT_BYTES * len(parts)
        value = encode(document[key]).decode()
        sections.append(
            Section(key=key, value=value, salts=salts[start:end], commitment=commitment)
        )
        start = end
    return sections


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


def commitments_of(
    listed: Mapping[str, Sequence[tuple[str, Any]]],
    salts: bytes,
    encode: Callable[[Any], bytes],
) -> list[str]:
    """Return the commitments of sections, as `section_digest` of `member_commitment`s.

    All at once, since encoding one in base64url costs more than hashing it.
    """
    parts = [part for members in listed.values() for part in members]
    places = [_JSON.encode(pointer) for pointer, _ in parts]
    labels = zip(_written(salts), places, [encode(value) for _, value in parts], strict=True)
    hashes = [sha256(b'["registry/member/1","%b",%b,%b]' % one).digest() for one in labels]
    written = [b'[%b,"%b"]' % one for one in zip(places, _written(b"".join(hashes)), strict=True)]
    whole, at = [], 0
    for key, members in listed.items():
        own = b",".join(written[at : at + len(members)])
        whole.append(sha256(b'["registry/section/1",%b,[%b]]' % (_JSON.encode(key), own)).digest())
        at += len(members)
    return [commitment.decode() for commitment in _written(b"".join(whole))]


def _written(hashes: bytes) -> list[bytes]:
    """Return consecutive hashes, or salts, each in base64url."""
    size = SALT_BYTES
    # With a zero byte each is a whole number of groups, and its last character is of zeros.
    padded = b"\0".join([hashes[at : at + size] for at in range(0, len(hashes), size)]) + b"\0"
    signs = b2a_base64(padded, newline=False).translate(_URL_SAFE)
    return [signs[at : at + 43] for at in range(0, len(signs) - 4, 44)]


def section_digest(key: str, listed: Sequence[tuple[str, str]]) -> str:
    """Return a section's commitment from its members', as (pointer, commitment) by pointer."""
    # Lists of strings: the plain encoding is canonical.
    return _digest(_JSON.encode(["registry/section/1", key, listed]))


def member_commitment(salt: bytes, pointer: str, content: bytes) -> str:
    """Return a member's commitment from its salt, its place and its canonical JSON."""
    return written_commitment(base64url(salt), pointer, content)


def written_commitment(salt: str, pointer: str, content: bytes) -> str:
    """Return a member's commitment from its salt in base64url."""
    label = _JSON.encode(["registry/member/1", salt, pointer])
    return _digest(label[:-1] + b"," + content + b"]")


def _digest(content: bytes) -> str:
    return base64url(sha256(content).digest())


def base64url(raw: bytes) -> str:
    """Return bytes as base64url without padding, RFC 4648 §5."""
    return b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def commitments(sections: Sequence[Section]) -> dict[str, str]:
    """Return the commitments to sections, by key, as an entry states them."""
    return {section.key: section.commitment for section in sections}
