"""HTML as text: paragraphs, list items and line breaks become lines, links show their address."""

from __future__ import annotations

import re
from html.parser import HTMLParser

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
