"""How a page differs from the one that follows from the log, as a sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser

import msgspec

from registry.imports.texts import ELLIPSIS
from registry.log.register import StoredRecord
from registry.pages.page import Page
from registry.pages.reader import label
from registry.pages.site import Site
from registry.record.pointers import strings_in
from registry.verify.audit import unlike_value

_UNSEEN = {"script", "style"}
_AROUND = 6
_LONGEST = 120
_SHORTEST = 12
_RECORD = re.compile(rb"/records/([a-z0-9.-]+/[a-z0-9.-]+(?:/versions/[0-9]+)?)")
"""A record, or one of its versions, that a page or feed leads to."""
_STATED = (("risk_level", "risk", "level"), ("status", "lifecycle", "status"))


def unlike_links(here: bytes, there: bytes) -> str | None:
    """Return which record a page leads to, or does not, other than it must."""
    shown, expected = (Counter(_RECORD.findall(each)) for each in (here, there))
    for record in sorted({*shown, *expected}):
        if shown[record] != expected[record]:
            return unlike_value(
                f"how often {record.decode()} is in it", shown[record], expected[record]
            )
    return None


class _Reading(HTMLParser):
    """Reads the words of a page: its texts, and what its proof names."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._is_seen = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self._is_seen = tag not in _UNSEEN or known.get("type") == "application/ld+json"
        for name, value in attrs:
            if name.startswith("data-"):
                self.words.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._is_seen = True

    def handle_data(self, data: str) -> None:
        if self._is_seen:
            self.words += data.split()


def page_words(content: bytes) -> list[str]:
    """Return the words that a page shows, and what its proof names, in order."""
    reading = _Reading()
    reading.feed(content.decode("utf-8", "replace"))
    return reading.words


def unlike_facts(site: Site, page: Page, here: Sequence[str], there: Sequence[str]) -> str | None:
    """Return which fact or text of the record a page lacks that it must show."""
    labels = site.editions[page.file.partition("/")[0]].reader
    shown, expected = " ".join(here), " ".join(there)
    for version in site.histories[page.needs[0]]:
        document = msgspec.json.decode(version.document)
        facts = [version.register.hash]
        # Shorter ones are codes.
        facts += [one for one in strings_in(document) if len(one) >= _SHORTEST]
        for codelist, section, member in _STATED:
            if code := (document.get(section) or {}).get(member):
                facts.append(label(labels, codelist, code).text)
        for fact in facts:
            text = " ".join(fact.split())
            if text in expected and text not in shown:
                return f"it does not show {_short(text)}, which follows from the log"
    return None


def unlike_words(here: Sequence[str], there: Sequence[str]) -> str | None:
    """Return where two pages say something else first."""
    for at, (one, other) in enumerate(zip([*here, ""], [*there, ""], strict=False)):
        if one != other:
            start = max(0, at - _AROUND // 2)
            shown, log = (" ".join(each[start : at + _AROUND]) for each in (here, there))
            return f"it says {_short(shown)}, and {_short(log)} follows from the log"
    return None


def _short(text: str) -> str:
    return f"“{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}”"


def is_cut(record: StoredRecord) -> bool:
    """Return whether a foreign record may have texts in part, whose whole no entry has."""
    if record.register.origin is None:
        return False
    texts = strings_in(msgspec.json.decode(record.document))
    return any(text.endswith(ELLIPSIS) for text in texts if len(text) >= _SHORTEST)
