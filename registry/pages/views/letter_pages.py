"""A person's letter to an agency about a decision: a page to fill in and print, and a text file.

It is made from what the record states, and whole in one language. What only the person knows stands
in brackets; on the page it can be typed over, and is neither sent nor kept. A letter without a
record serves where no system was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from itertools import count
from typing import Any

from markupsafe import Markup

from registry.pages.labels import message
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, language, say
from registry.pages.short_links import kit_view
from registry.pages.site import Site, page, pages
from registry.pages.views.document_view import show
from registry.pages.views.lists import agency_view
from registry.pages.views.record_view import read_document, read_languages
from registry.store.records import StoredRecord
from registry.text.catalogues import SOURCE, find

_FIRST = message("Madam, Sir,")
_BLANK = re.compile(r"(?P<value><bdi.*?</bdi>)|\[(?P<blank>[^\]<>]+)\]", re.DOTALL)
_SPACE = re.compile(r"[ \n]+")
_ENDS = (("<br> ?", "\n"), ("</p> ?", "\n\n"), ("</li> ?", "\n"), ("</ol> ?", "\n"))
_ITEM = re.compile(r"<li>")
_TAG = re.compile(r"<[^>]+>")
_MARK = "\ufeff"
"""The byte order mark: by it, what opens the file knows its encoding without a server."""


def general_letter_pages(site: Site) -> Iterator[Page]:
    """Yield the letter to an agency whose system is not in the register."""
    for tag, edition in site.editions.items():
        view = partial(_view, edition.reader, site, "letter", _no_record)
        yield page(site, tag, "letter", template="letter.html", key="", view=view)
    yield from _text_files(site, "letter", "", _no_record)


def record_letter_pages(site: Site, name: str, key: str) -> Iterator[Page]:
    """Yield the letter about one record; `key` is that of the record's own page."""
    facts = partial(_facts, site, name)
    path = f"records/{name}/letter"
    yield from pages(
        site,
        path,
        template="letter.html",
        key=key,
        view=partial(_view, site=site, path=path, facts=facts),
        listed=False,
        needs=(name,),
    )
    yield from _text_files(site, path, key, facts, needs=(name,))


def _text_files(
    site: Site,
    path: str,
    key: str,
    facts: Callable[[Reader], dict[str, Any]],
    needs: tuple[str, ...] = (),
) -> Iterator[Page]:
    """Yield a letter as plain text, in each language that has the words."""
    shared = digest(site.fingerprint, path, "text", key)
    for tag in _languages(site):
        render = partial(_text, site, tag, facts)
        yield Page(file=f"{tag}/{path}.txt", key=shared, render=render, listed=False, needs=needs)


def _languages(site: Site) -> list[str]:
    """Return the languages of the site that have the words of letters."""
    return [
        tag
        for tag, edition in site.editions.items()
        if find(edition.reader.catalogues, (tag, SOURCE), _FIRST)[0] == tag
    ]


def _facts(site: Site, name: str, reader: Reader) -> dict[str, Any]:
    """Return what a reader of a language is told about the record."""
    record: StoredRecord = site.histories[name][-1]
    card = site.cards[name]
    document, written = read_document(record.document), read_languages(record.document)
    if card.withdrawn:
        # Whom to write to is all that a tombstone has.
        document = {"contact": document.get("contact") or {}}
    return {
        "r": {
            "id": name,
            "agency": agency_view(reader, site, record.agency),
            "fictitious": card.fictitious,
            "withdrawn": card.withdrawn,
            "name": say(reader, card.name, card.written),
            "kit": kit_view(site.base_url, card.short_code),
            "source": (document.get("languages") or {}).get("source"),
        },
        "d": show(reader, document, record.whole, written),
    } | _laws(reader)


def _no_record(reader: Reader) -> dict[str, Any]:
    return {"r": None, "d": None} | _laws(reader)


def _laws(reader: Reader) -> dict[str, Any]:
    return {"laws": {name: say(reader, text) for name, text in reader.pack.laws.items()}}


def _view(
    reader: Reader, site: Site, path: str, facts: Callable[[Reader], dict[str, Any]]
) -> dict[str, Any]:
    """Return the page of a letter, which is in the reader's language or in the next that has it."""
    written = _languages(site)
    tag = next((tag for tag in reader.order if tag in written), reader.tag)
    writer = site.editions[tag].reader
    known = facts(reader)
    source = known["r"] and known["r"]["source"]
    return known | {
        "letter": Markup(_BLANK.sub(_fillable, _body(site, tag, facts))),  # noqa: S704  escaped
        "writer": {"lang": tag, "dir": writer.locale.dir, "differs": tag != reader.locale.tag},
        "path": path,
        "texts": [(each, language(reader, each)) for each in written],
        "source": language(reader, source) if source in written and source != tag else None,
    }


def _body(site: Site, tag: str, facts: Callable[[Reader], dict[str, Any]]) -> str:
    edition = site.editions[tag]
    return edition.templates.get_template("letter_body.html").render(**facts(edition.reader))


def _text(site: Site, tag: str, facts: Callable[[Reader], dict[str, Any]]) -> bytes:
    """Return a letter as plain text."""
    numbers = count(1)
    text = _SPACE.sub(" ", _body(site, tag, facts))
    for end, instead in _ENDS:
        text = re.sub(end, instead, text)
    text = _ITEM.sub(lambda _: f"{next(numbers)}. ", text)
    lines = unescape(_TAG.sub("", text)).strip().split("\n")
    return (_MARK + "\n".join(line.strip(" ") for line in lines) + "\n").encode()


def _fillable(found: re.Match[str]) -> str:
    """Return a blank as an element that can be typed into; values stay as they are."""
    blank = found["blank"]
    if blank is None:
        return found[0]
    return (
        '<span class="blank" role="textbox" contenteditable="plaintext-only" spellcheck="false" '
        f'aria-label="{blank}">[{blank}]</span>'
    )
