"""The fingerprint of a site: a digest of what decides how pages look, but for the register."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import __version__ as jinja_version

from registry import resources
from registry.pages.labels import read_lists
from registry.pages.page import digest
from registry.record.pack import Pack

_ROOMS = ("pages", "exchange", "store", "record", "text")


def site_fingerprint(
    pack: Pack, base_url: str, origins: Mapping[str, object], troubles: Mapping[str, str]
) -> str:
    """Return the digest of the program, the pack, the code lists and the site's address.

    `origins` are the other registers by code, and `troubles` what every page of one says.
    """
    return digest(
        program_digest(), base_url, msgspec.json.encode([pack, read_lists(pack), origins, troubles])
    )


@cache
def program_digest() -> str:
    """Return the digest of the program as it was first read: code, templates, words, format."""
    package = Path(__file__).resolve().parent.parent
    files = [
        path
        for folder in (resources.SITE, resources.SCHEMAS, *(package / room for room in _ROOMS))
        for path in folder.rglob("*")
        if path.suffix != ".pyc" and path.is_file()
    ]
    parts = [
        part
        for path in sorted([package / "errors.py", *files])
        for part in (path.name.encode(), path.read_bytes())
    ]
    return digest(jinja_version, *parts)
