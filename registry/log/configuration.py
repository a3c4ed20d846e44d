"""The configuration that answers follow from beside entries, as the log commits to it.

The content of the genesis entry has the one that a register began with, that of each entry of the
kind `configuration` the one from there on: the section `pack` is the whole country pack, and
`release` the version of this software.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from registry import __version__
from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pack import Agency, Pack, pack_document

PACK, RELEASE = "pack", "release"


class _Agencies(msgspec.Struct, frozen=True):
    agencies: list[Agency]


def configuration_document(pack: Pack) -> Document:
    """Return the configuration of a register of a country pack that this release serves."""
    return {PACK: pack_document(pack), RELEASE: __version__}


@lru_cache(maxsize=8)
def configuration_sections(pack: Pack) -> Mapping[str, str]:
    """Return the canonical JSON of each section of `configuration_document`."""
    document = configuration_document(pack)
    return {key: canonical(value).decode() for key, value in document.items()}


def read_pack_agencies(section: str | bytes) -> dict[str, Agency]:
    """Return the agencies of a section's country pack; raises `ValueError` where it is none."""
    return {one.id: one for one in msgspec.json.decode(section, type=_Agencies).agencies}
