"""What a record's page says, as `site/scripts/shown.js` reads it too.

The words of a page are what is in its element `main`, but for the section `proof`, which a check
fills in. White space does not count: browsers that save a page, and editors, write it otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from typing import Any

import msgspec
from lxml import etree, html

from registry.record.model import Document
from registry.record.pointers import escaped

_OTHERS = ".//section[contains(' changes versions similar cite ', concat(' ', @id, ' '))]"
_BADGE = ".//span[starts-with(@class, 'badge risk-')]"
_STATUS = "(.//ul[@class='meta'])[1]//a"
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
_UNSEALED = 'data-words=""'

_PROOF = re.compile(r'<section id="proof"[^<>]*>(.*?)</section>', re.DOTALL)
_TAG = re.compile("<[^<>]*>")
_REFERENCE = re.compile("&[^;&<]*;?")
_REFERENCES = frozenset(("&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&#34;", "&#39;"))
# What parsers may read otherwise than as a tag.
_NO_TAG = re.compile(
    "<(?:[^a-z/]|/[^a-z]|script|style|noscript|iframe|xmp|plaintext|section id='?proof)"
)
_NO_LETTER = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ufffe\\uffff]")


class ShownPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a record's page says, of the record in this version but for the digest of all words.

    `stated` is what its section `proof` states, None on any other page; `lang` is the page's
    language; `levels` are the codes and labels of levels of risk; `has_sections` is true of pages
    with more of the record than name and summary.
    """

    stated: dict[str, str] | None = None
    lang: str = ""
    digest: str
    text: str = ""
    names: list[str] = []
    levels: list[tuple[str, str]] = []
    statuses: list[str] = []
    has_sections: bool = False


def read_page(page: str) -> ShownPage:
    """Return what a page says; nothing of what is no page."""
    try:
        root = html.document_fromstring(page.encode(), html.HTMLParser(encoding="utf-8"))
    except etree.ParserError:
        return ShownPage(digest=_digest(""))
    main = next(root.iter("main"), None)
    proof = next(iter(root.xpath(".//section[@id='proof']")), None)
    stated = None
    if proof is not None:
        stated = {name[5:]: value for name, value in proof.attrib.items() if name[:5] == "data-"}
        proof.drop_tree()
    if main is None:
        return ShownPage(stated=stated, digest=_digest(""))
    digest = _digest(_text(main))
    for other in main.xpath(_OTHERS):
        other.drop_tree()
    return ShownPage(
        stated=stated,
        lang=root.get("lang", ""),
        digest=digest,
        text=_text(main),
        names=[_text(one).strip() for one in main.iter("h1")],
        levels=[
            (one.get("class").removeprefix("badge risk-"), _text(one).strip())
            for one in main.xpath(_BADGE)
        ],
        statuses=[_text(one).strip() for one in main.xpath(_STATUS)],
        has_sections=bool(main.xpath(".//section[@id='purpose']")),
    )


def seal(page: str) -> str:
    """Return a page with the digest of its words, if it has a place for it."""
    if _UNSEALED not in page:
        return page
    words = _plain_words(page)
    digest = read_page(page).digest if words is None else _digest(words)
    return page.replace(_UNSEALED, f'data-words="{digest}"', 1)


def _plain_words(page: str) -> str | None:
    """Return the words of a page as templates write it, or None if a parser must say.

    A parse takes as long as rendering the page. Where every tag is one and every reference one of a
    few, the text is what is left without tags.
    """
    before, _, rest = page.partition("<main")
    main, _, after = rest.partition("</main>")
    parts = _PROOF.split(f"<main{main}")
    shown = "".join(parts[::2])
    if (
        not after
        or parts[3:]
        or "<main" in rest
        or "</main" in before + after
        or any("<section" in proof or "<!--" in proof for proof in parts[1::2])
        or _NO_TAG.search(shown)
        or not _REFERENCES.issuperset(_REFERENCE.findall(shown))
    ):
        return None
    text = _TAG.sub("", shown)
    # As of an attribute with a sign of its own.
    return None if "<" in text or ">" in text or _NO_LETTER.search(text) else unescape(text)


def _digest(words: str) -> str:
    """Return the SHA-256, in hex, of words without white space."""
    return sha256(unspaced(words).encode()).hexdigest()


def unspaced(text: str) -> str:
    """Return a text without its white space, which typesetting and browsers change."""
    return _SPACE.sub("", text)


def _text(element: html.HtmlElement) -> str:
    return str(element.xpath("string()"))


def letters(text: str) -> str:
    """Return the letters, digits and marks of a text."""
    return "".join(
        one for one in text if one.isalnum() or unicodedata.category(one).startswith("M")
    )


def unshown_texts(document: Document, shown: ShownPage, lang: str) -> Iterator[str]:
    """Yield the JSON Pointers of a document's texts that do not stand on its page.

    Each must in the page's language, else in one of its own, by all its letters and digits. A page
    without the record's sections, as of a version in force, shows name and summary alone.
    """
    there = letters(shown.text)
    for pointer, texts in _texts(document, ""):
        if pointer.startswith(_NOT_ON_PAGES) or not (
            shown.has_sections or pointer.startswith(_OF_HEAD)
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
