"""The page that offers the site as an archive to carry, of one language or of all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from registry.pages.offline import archive_names
from registry.pages.page import Page
from registry.pages.reader import language
from registry.pages.site import Site, page
from registry.pages.views.prose_pages import words_view


def copy_pages(site: Site) -> Iterator[Page]:
    """Yield the page in each language; in a copy it leads to the register's own."""
    for tag in site.editions:
        view = partial(_view, site, tag)
        yield page(site, tag, "copy", template="copy.html", key=str(site.is_copy), view=view)


def _view(site: Site, tag: str) -> dict[str, Any]:
    reader = site.editions[tag].reader
    archives = [
        {"file": file, "language": language(reader, *tags) if len(tags) == 1 else None}
        for file, tags in archive_names(site.snapshot.pack.languages).items()
    ]
    # The reader's own language first, all of them last.
    own = next(one for one in archives if one["file"] == f"register-{tag}.zip")
    archives = [own, *(one for one in archives[1:] if one is not own), archives[0]]
    return words_view(site, tag, "copy") | {"archives": archives, "is_copy": site.is_copy}
