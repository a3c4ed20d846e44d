"""The guide to filing where there is a console: `docs/filing-guide` for people, with pictures."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from registry import resources
from registry.pages.page import Page, content_page, digest
from registry.pages.reader import first_of
from registry.pages.site import Site, page
from registry.pages.views.prose_pages import markdown_view

GUIDES = ("console", "workbook")
_LANGUAGES = ("en", "fr", "ar")

# What GitHub needs and the site has by itself: the direction, and links to the other languages.
_FRAME = re.compile(r"^</?div[^>]*>\n+|^\[[^\n]*\n+", re.MULTILINE)
_HEADING = re.compile(r"^## (\d+)\. .*$", re.MULTILINE)
_LINKS = (
    (re.compile(r"\(\.\./workbook\.md\)"), "(api)"),
    (re.compile(r"\((\w+)\.md#(\d+)-[^)]*\)"), r"(filing/\1#step-\2)"),
    (re.compile(r"\((\w+)\.md\)"), r"(filing/\1)"),
)
_IMAGE = re.compile(r'<img src="\.\./pictures/([^"]+)"')


def guide_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of the guide and its pictures; none where there is no console."""
    if not site.has_console:
        return
    texts, pictures = _read_texts(), _read_pictures()
    for name, content in pictures.items():
        yield content_page(_picture_file(name), content)
    key = digest(*(text for _, text in sorted(texts.items())), *map(_picture_file, pictures))
    for tag, edition in site.editions.items():
        lang = first_of(edition.reader, _LANGUAGES)
        for name in GUIDES:
            view = partial(_guide, site, tag, lang, texts[f"{lang}/{name}"])
            yield page(site, tag, f"filing/{name}", template="words.html", key=key, view=view)


def _guide(site: Site, tag: str, lang: str, text: str) -> Mapping[str, Any]:
    text = _FRAME.sub("", text)
    text = _HEADING.sub(lambda found: f"{found[0]} {{#step-{found[1]}}}", text)
    for pattern, instead in _LINKS:
        text = pattern.sub(instead, text)
    view = markdown_view(site, tag, lang, text)
    prefix, pictures = urlsplit(site.base_url).path.rstrip("/"), _read_pictures()

    def place(found: re.Match[str]) -> str:
        width, height = _size(pictures[found[1]])
        return (
            f'<img src="{prefix}/{_picture_file(found[1])}" width="{width}" height="{height}"'
            ' loading="lazy"'
        )

    return view | {"body": Markup(_IMAGE.sub(place, view["body"]))}  # noqa: S704  our own text


@cache
def _read_texts() -> Mapping[str, str]:
    """Return the texts of the guide by `<language>/<name>`."""
    names = [f"{lang}/{name}" for lang in _LANGUAGES for name in GUIDES]
    return {name: (resources.GUIDE_DOCS / f"{name}.md").read_text("utf-8") for name in names}


@cache
def _read_pictures() -> Mapping[str, bytes]:
    """Return the pictures of the guide by name."""
    folder = resources.GUIDE_DOCS / "pictures"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.webp"))}


@cache
def _picture_file(name: str) -> str:
    """Return the file of a picture on the site, under a name that carries its digest."""
    content = hashlib.sha256(_read_pictures()[name]).hexdigest()[:12]
    return f"assets/{name.removesuffix('.webp')}.{content}.webp"


def _size(picture: bytes) -> tuple[int, int]:
    """Return the width and height of a picture in WebP (RFC 9649, sections 2.5 and 2.7)."""
    if picture[12:16] == b"VP8X":
        width, height = (int.from_bytes(picture[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    width, height = (int.from_bytes(picture[at : at + 2], "little") for at in (26, 28))
    return width & 0x3FFF, height & 0x3FFF
