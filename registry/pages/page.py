"""A page: where it lies, what it depends on, and how it is made."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from functools import partial

import msgspec


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the site.

    `file` is its path under the site's folder; `key` is a digest of everything that the file
    shows, so that an unchanged key means an unchanged file. `listed` pages stand in the site map.
    `needs` are the ids of the records whose documents it is rendered from.
    """

    file: str
    key: str
    render: Callable[[], bytes]
    listed: bool = True
    needs: tuple[str, ...] = ()


class LostFileError(Exception):
    """The build in force lacks a file that it should have: only a full build can follow it."""


def content_page(file: str, content: bytes, *, listed: bool = False) -> Page:
    """Return a page whose content is at hand."""
    return Page(file=file, key=digest(content), render=partial(bytes, content), listed=listed)


def page_file(path: str) -> str:
    """Return the file of a site path: `/fr/` → `fr/index.html`, `/fr/about` → `fr/about.html`.

    >>> page_file("/fr/risk/high")
    'fr/risk/high.html'
    """
    relative = path.removeprefix("/")
    return f"{relative}index.html" if relative == "" or path.endswith("/") else f"{relative}.html"


def digest(*parts: bytes | str) -> str:
    """Return 32 hexadecimal digits that depend on the parts, their order and their borders."""
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    borders = struct.pack(f">{len(raw)}Q", *map(len, raw))
    return hashlib.blake2b(borders + b"".join(raw), digest_size=16).hexdigest()
