"""Verdicts as the log commits to them: what a version lacks, and what its validation found.

The entry of a version has `"verdict": {"rules", "completeness", "accountability", "digest"}`. The
digest is of the pointers that are missing and of the findings, with a salt of its own, since
findings quote texts that may be erased: SHA-256 of the RFC 8785 form of
`["registry/verdict/1", salt, missing, findings]`, base64url. Salt and lists stand in the entry's
content file. Where a redaction has changed the findings the salt is destroyed with them, and the
lists that are left are bound by nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from registry.errors import Finding
from registry.record.canonical import canonical
from registry.record.sections import base64url


class KeptVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a version as it is kept; `salt` is 32 bytes, or empty after an erasure."""

    missing: Sequence[str]
    findings: Sequence[Finding]
    salt: bytes

    def to_json(self) -> dict[str, Any]:
        """Return the member `verdict` of the content file."""
        said: dict[str, Any] = {
            "missing": list(self.missing),
            "findings": msgspec.to_builtins(list(self.findings)),
        }
        return said | ({"salt": base64url(self.salt)} if self.salt else {})


def salt_of(verdict: Mapping[str, Any]) -> bytes:
    """Return the salt of the member `verdict` of a content file; empty after an erasure."""
    return base64.urlsafe_b64decode(verdict["salt"] + "=") if "salt" in verdict else b""


def verdict_digest(verdict: Mapping[str, Any]) -> str:
    """Return the digest of the member `verdict` of a content file, which has its salt."""
    whole = ["registry/verdict/1", verdict["salt"], verdict["missing"], verdict["findings"]]
    return base64url(sha256(canonical(whole)).digest())
