"""The manifest of a build: the key of every file, and what the next build need not read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from registry.log.register import LogLine
from registry.pages.record_digests import RecordDigest
from registry.pages.snapshot import RegisterState


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one build by path with their keys, and what the build was made from.

    `state` is the digest of everything that the build depends on, empty where that is not known.
    `fingerprint` is the site's, `register` the state in which `log` and `records` were read.
    """

    pages: Mapping[str, str]
    fingerprint: str = ""
    state: str = ""
    register: RegisterState | None = None
    log: Sequence[LogLine] = ()
    records: Sequence[RecordDigest] = ()


NO_MANIFEST = Manifest(pages={})
"""The manifest of a folder without a build."""

_decode = msgspec.json.Decoder(Manifest).decode


def manifest_file(build: Path) -> Path:
    """Return the path of a build's manifest: beside its folder, so that it is never served."""
    return build.with_name(f"{build.name}.json")


def read_manifest(build: Path) -> Manifest:
    """Return a build's manifest; a missing or damaged one only costs a full build."""
    try:
        return _decode(manifest_file(build).read_bytes())
    except (OSError, msgspec.DecodeError):
        return NO_MANIFEST


def write_manifest(build: Path, manifest: Manifest) -> None:
    """Write a build's manifest."""
    manifest_file(build).write_bytes(msgspec.json.encode(manifest))
