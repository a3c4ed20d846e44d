"""A section's commitment as the format says it, member by member: what `seal` is held to."""

from hashlib import sha256

from registry.log.disclosure_tree import SALT_BYTES, base64url, member_commitment, members
from registry.record.canonical import canonical


def section_commitment(key, value, salts):
    """Compute a section's commitment from its value and its members' salts."""
    own = [salts[at : at + SALT_BYTES] for at in range(0, len(salts), SALT_BYTES)]
    parts = members(key, value)
    listed = [
        [pointer, member_commitment(salt, pointer, canonical(part))]
        for (pointer, part), salt in zip(parts, own, strict=True)
    ]
    return base64url(sha256(canonical(["registry/section/1", key, listed])).digest())
