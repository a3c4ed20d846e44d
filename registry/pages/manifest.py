"""The manifest of a build: which file was made from what, so that the next build can keep it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from registry.pages.page import Page


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A group of pages as it was made: its key, and the key of every file by its path.

    Those that stand in the site map are `listed`.
    """

    key: str
    listed: dict[str, str] = {}
    others: dict[str, str] = {}

    @property
    def keys(self) -> dict[str, str]:
        """The key of every file."""
        return self.listed | self.others


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of pages of one build, and what that was made from.

    `ground` is the site's. `state` is a digest of all that the build rests on, where that is known;
    `erasures` counts the redactions that were carried out before it. `indexed` are digests of the
    records in the index beside the pages, by number.
    """

    groups: dict[str, Made]
    ground: str = ""
    state: str = ""
    erasures: int = 0
    indexed: Sequence[str] = ()

    def count(self) -> int:
        """Count the files of the build."""
        return sum(len(made.listed) + len(made.others) for made in self.groups.values())


NOTHING = Manifest(groups={})
"""What a folder without a build holds."""


def made_of(key: str, pages: Sequence[Page]) -> Made:
    """Note how a group was made."""
    return Made(
        key=key,
        listed={page.file: page.key for page in pages if page.listed},
        others={page.file: page.key for page in pages if not page.listed},
    )


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; a missing or damaged one only costs a full build."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return NOTHING


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest."""
    path.write_bytes(msgspec.json.encode(manifest))
