"""A page: where it lies, what it depends on, and how it is made."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence

import msgspec


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the site.

    `file` is its path under the site's folder; `key` is a digest of everything that the file
    shows, so that an unchanged key means an unchanged file. `listed` pages stand in the site map.
    """

    file: str
    key: str
    render: Callable[[], bytes]
    listed: bool = True


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Pages that show the same things: where the `key` is as it was, all of them are as they were.

    `needs` are the records whose documents the pages are made of, which are at hand when `pages`
    is called.
    """

    name: str
    key: str
    pages: Callable[[], Iterable[Page]]
    needs: Sequence[str] = ()


def group_of(name: str, pages: Iterable[Page]) -> Group:
    """Make a group of a few pages that are sooner listed each time than given a key."""
    made = list(pages)
    return Group(
        name=name,
        key=digest(*(part for page in made for part in (page.file, page.key))),
        pages=lambda: made,
    )


def page_file(path: str) -> str:
    """Say which file serves a site path: `/fr/` → `fr/index.html`, `/fr/about` → `fr/about.html`.

    >>> page_file("/fr/risk/high")
    'fr/risk/high.html'
    """
    relative = path.removeprefix("/")
    return f"{relative}index.html" if relative == "" or path.endswith("/") else f"{relative}.html"


def digest(*parts: bytes | str) -> str:
    """Fingerprint parts so that neither their order nor their borders can be confused."""
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    borders = struct.pack(f">{len(raw)}Q", *map(len, raw))
    return hashlib.blake2b(borders + b"".join(raw), digest_size=16).hexdigest()
