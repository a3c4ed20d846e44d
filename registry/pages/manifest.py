"""The manifest of a build: which file was made from what, so that the next build can keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The key of every file of one build, by its path under the site's folder.

    `erasures` counts the redactions that were carried out before it.
    """

    keys: dict[str, str]
    erasures: int = 0


NOTHING = Manifest(keys={})
"""What a folder without a build holds."""


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; a missing or damaged one only costs a full build."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return NOTHING


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest."""
    path.write_bytes(msgspec.json.encode(manifest))
