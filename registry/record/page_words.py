"""The words of a record's page, as `site/scripts/shown.js` reads them too.

What a page says is what is in its element `main`, but for the section `proof`, which a check fills
in. White space does not count: browsers that save a page, and editors, write it otherwise. Each
pattern reads a page once, whatever stands in it: what is not closed ends with the page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from typing import Any

from registry.record.model import Document
from registry.record.pointers import escaped

_MAIN = re.compile(r"<main\b")
_END_OF_MAIN = "</main>"
_PROOF = re.compile(r'<section id="proof".*?(?:</section>|\Z)', re.DOTALL)
_OTHERS = re.compile(
    r'<section id="(?:changes|versions|similar|cite)".*?(?:</section>|\Z)', re.DOTALL
)
_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^'">])*+(?:>|\Z)""", re.DOTALL
)
_SPACE = re.compile(
    "[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+"  # as in JavaScript
)

# What stands in a text of the subset of Markdown, and not on the page: a link's address, the number
# of a list's item.
_UNSHOWN = re.compile(r"\]\([^)]*\)|^\s*\d+[.)]\s", re.MULTILINE)

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")
# Members of the format whose names look like languages.
_NO_LANGUAGES = frozenset({"aia", "id", "law", "url", "who"})
_NOT_ON_PAGES = ("/languages", "/publication/change_note")
_OF_HEAD = ("/name", "/summary")
_SECTIONS = '<section id="purpose"'
_UNSEALED = 'data-words=""'


def seal(page: str) -> str:
    """Return a page with the digest of its words, if it has a place for it."""
    if _UNSEALED not in page:
        return page
    return page.replace(_UNSEALED, f'data-words="{digest_of_words(page)}"', 1)


def digest_of_words(page: str) -> str:
    """Return the SHA-256, in hex, of a page's words, without white space."""
    return sha256(_SPACE.sub("", plain_text(main_of(page))).encode()).hexdigest()


def main_of(page: str) -> str:
    """Return the mark-up of a page's words."""
    begin, end = _MAIN.search(page), page.rfind(_END_OF_MAIN)
    if begin is None or end < begin.end():
        return ""
    return _PROOF.sub("", page[begin.start() : end + len(_END_OF_MAIN)], count=1)


def record_of(page: str) -> str:
    """Return the mark-up of a page's words on the record in this version."""
    return _OTHERS.sub("", main_of(page))


def plain_text(markup: str) -> str:
    """Return the text of mark-up."""
    return unescape(_TAG.sub("", markup))


def letters(text: str) -> str:
    """Return the letters, digits and marks of a text."""
    return "".join(
        one for one in text if one.isalnum() or unicodedata.category(one).startswith("M")
    )


def unshown_texts(document: Document, page: str, lang: str) -> Iterator[str]:
    """Yield the JSON Pointers of a document's texts that do not stand on its page.

    Each must in the page's language, else in one of its own, by all its letters and digits. A page
    without the record's sections, as of a version in force, shows name and summary alone.
    """
    record = record_of(page)
    there = letters(plain_text(record))
    for pointer, texts in _texts(document, ""):
        if pointer.startswith(_NOT_ON_PAGES) or not (
            _SECTIONS in record or pointer.startswith(_OF_HEAD)
        ):
            continue
        wanted = [texts[lang]] if lang in texts else list(texts.values())
        if not any(all(letters(part) in there for part in _UNSHOWN.split(text)) for text in wanted):
            yield pointer


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the texts by language in a value of JSON."""
    if isinstance(value, dict):
        if value and all(
            _LANGUAGE.fullmatch(name) and name not in _NO_LANGUAGES and isinstance(text, str)
            for name, text in value.items()
        ):
            yield pointer, value
            return
        for name, part in value.items():
            yield from _texts(part, f"{pointer}/{escaped(name)}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts(part, f"{pointer}/{number}")
