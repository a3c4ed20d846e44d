"""Texts of other registers: cleaned, HTML as text, and parts of a cell by a regular expression."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from html.parser import HTMLParser
from typing import Any

from registry.text.text_safety import balanced

ELLIPSIS = "…"

# Only real elements: "<5 minutes" and "<Includes number of providers>" are words, not markup.
_ELEMENTS = (
    "a|abbr|b|blockquote|body|br|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|iframe|img|li|"
    "link|meta|ol|p|pre|script|small|span|strong|style|sub|sup|table|tbody|td|th|thead|title|tr|"
    "u|ul"
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BREAKS = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6])\s*>", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_ELEMENTS})(?:\s[^<>]*|/)?>", re.IGNORECASE)
_LIKE_A_TAG = re.compile(r"<(?=[A-Za-z/!?])")

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad\ufffe\uffff"))
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MANY_BREAKS = re.compile(r"\n{3,}")
_MANY_SPACES = re.compile(r"[^\S\n]+")
_AROUND_BREAK = re.compile(r" ?\n ?")
_PILED_MARKS = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]{8})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]+"
)


def clean(text: str) -> str:
    """Return a text trimmed, in NFC, with paragraphs; without markup and control characters."""
    if "<" in text or "&" in text:
        text = _without_markup(text)
    if not (text.isascii() and text.isprintable()):
        text = _plain_text(text)
    text = _MANY_SPACES.sub(" ", text)
    return _MANY_BREAKS.sub("\n\n", _AROUND_BREAK.sub("\n", text)).strip()


def one_line(text: str) -> str:
    """Return a cleaned text as a single line, for names and titles."""
    return " ".join(clean(text).split())


def shorten(text: str, limit: int) -> str:
    """Return a text cut at the last word that leaves room for an ellipsis."""
    if len(text) <= limit:
        return text
    room = text[:limit]  # one more than is kept: a word that ends exactly there is whole
    cut = max(room.rfind(" "), room.rfind("\n"))
    # One word longer than the rest of the room has no boundary worth keeping.
    kept = room[:cut] if cut > limit // 2 else room[: limit - 1]
    return kept.rstrip(" \n,;:–—-") + ELLIPSIS


def _without_markup(text: str) -> str:
    # Twice, since an export may have escaped markup that it found ("&lt;p&gt;").
    for _ in range(2):
        text = _TAG.sub("", _BREAKS.sub("\n", text))
        # Only what ends with a semicolon: "R&D" and "?a=1&copy=2" are no entities.
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    # What still looks like a tag is meant as text: a space keeps it from being read as one.
    return _LIKE_A_TAG.sub("< ", _TAG.sub("", text))


def _plain_text(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.translate(_INVISIBLE)
    if _DIRECTION.search(text) and not balanced(text):
        text = _DIRECTION.sub("", text)
    if not text.isprintable():
        text = "".join(map(_plain, text))
    return _PILED_MARKS.sub(r"\1", text)


def _plain(character: str) -> str:
    """Return a letter unchanged, any blank as a space, a control character as nothing."""
    if character == "\n":
        return character
    category = unicodedata.category(character)
    if category in {"Zl", "Zp"}:
        return "\n"
    if category == "Zs" or character in "\t\v\f":
        return " "
    return "" if category in {"Cc", "Cs", "Co", "Cn"} else character


_MEMORY = 1 << 20


@cache
def _compiled(pattern: str) -> Any:
    """Return a compiled pattern. Raises `ValueError` with the reason."""
    import re2  # noqa: PLC0415  a crosswalk without parts does not need it

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(error.args[0].decode(errors="replace")) from None


def pattern_fault(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or None."""
    try:
        groups: int = _compiled(pattern).groups
    except ValueError as error:
        return f"not a regular expression of RE2: {error}"
    if groups != 1:
        return f"{groups} groups; exactly one, in round brackets, says which part is meant"
    return None


def part_of(pattern: str, text: str) -> str | None:
    """Return the text of the pattern's group where it first matches, or None."""
    match = _compiled(pattern).search(text)
    return None if match is None else match[1]


_BLANKS = re.compile(r"\s+")
_UNSEEN = frozenset({"script", "style", "template", "title", "head"})
_PARAGRAPHS = frozenset(
    (
        *("address", "article", "blockquote", "dd", "div", "dl", "dt", "figure", "footer", "h1"),
        *("h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre"),
        *("section", "table", "ul"),
    )
)


def html_text(text: str) -> str:
    """Return what a reader sees of an HTML text; anything else returns as it is."""
    reader = _TextReader()
    reader.feed(text)
    reader.close()
    return "".join(reader.seen)


class _TextReader(HTMLParser):
    """Collects the text of elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._unseen = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self.seen.append("\n")
        elif tag == "li":
            self.seen.append("\n- ")
        elif tag == "tr":
            self.seen.append("\n")
        elif tag in {"td", "th"}:
            self.seen.append(" ")
        elif tag in _PARAGRAPHS:
            self.seen.append("\n\n")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _PARAGRAPHS:
            self.seen.append("\n\n")
        elif tag == "a" and self._links:
            link = self._links.pop()
            if "://" in link and link not in "".join(self.seen[-3:]):
                self.seen.append(f" ({link})")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            # Blanks between words may be line breaks of the source, which mean nothing.
            self.seen.append(_BLANKS.sub(" ", data))
