"""Comparing a record's page with what the log has of the record, without running its scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from registry.ledger.verify_record import VerifiedRecord
from registry.log.replay import LogInconsistent
from registry.record.codelists import codelists
from registry.record.model import NOT_STATED, Document
from registry.record.page_words import digest_of_words, plain_text, record_of, unshown_texts

# No pattern reads a part of a page twice, whatever stands there: a tag has no "<", and what is not
# closed ends with the page.
_HTML = re.compile(r"<html\b([^<>]*+)")
_LANG = re.compile(r'\blang="([^"]*)"')
_SECTION = re.compile(r'<section id="proof"([^<>]*+)')
_DATA = re.compile(r'\bdata-([a-z]+)="([^"]*)"')
_NAME = re.compile(r"<h1\b[^<>]*+>(.*?)(?:</h1>|\Z)", re.DOTALL)
_BADGE = re.compile(
    r'<span class="badge risk-(\w+)">\s*+<span class="shape"[^<>]*+></span>\s*+'
    r"<span[^<>]*+>(.*?)(?:</span>|\Z)",
    re.DOTALL,
)
_META = re.compile(r'<ul class="meta">.*?(?:</ul>|\Z)', re.DOTALL)
_LINK = re.compile(r"<a\b[^<>]*+>(.*?)(?:</a>|\Z)", re.DOTALL)


def stated_on(page: str) -> dict[str, str] | None:
    """Return what a record's page states for its check; None for any other file."""
    found = _SECTION.search(page)
    return (
        None if found is None else {name: unescape(text) for name, text in _DATA.findall(found[1])}
    )


def check_page(where: str, page: str, verified: VerifiedRecord) -> None:
    """Raise `LogInconsistent` naming the first thing that a page says otherwise than the log."""
    facts = {
        "id": verified.id,
        "version": str(verified.version),
        "entry": str(verified.index),
        "hash": verified.leaf,
    }
    for fault in page_faults(page, facts, verified.document):
        raise LogInconsistent(where, None, f"it is not what the log has: {fault}")


def page_faults(page: str, facts: Mapping[str, str], document: Document) -> Iterator[str]:
    """Yield what a page says otherwise than a record's document and the facts of its version.

    `facts` are `id`, `version`, `entry` and `hash`, as its section `proof` states them.
    """
    stated = stated_on(page) or {}
    for name, value in facts.items():
        if stated.get(name) != value:
            yield f"the page states {stated.get(name)} as its {name}, the log has {value}"
    # A page may be set in another language than its reader's, which it has texts in.
    html = _HTML.search(page)
    own = None if html is None else _LANG.search(html[1])
    lang = stated.get("order", "").partition(" ")[0] or ("" if own is None else own[1])
    record = record_of(page)
    names = [plain_text(one).strip() for one in _NAME.findall(record)]
    known = document.get("name") or {}
    if known and not (names and any({*names} == {one.strip()} for one in known.values())):
        yield f"/name is {' / '.join(names)}"
    level = _code(document, "risk", "level")
    badges = _BADGE.findall(record)
    if not badges or any(not _is_label("risk_level", level, *one) for one in badges):
        yield f"/risk/level is shown as {', '.join(plain_text(one) for _, one in badges)}"
    status = _code(document, "lifecycle", "status")
    meta = _META.search(record)
    links = [] if meta is None else _LINK.findall(meta[0])
    if not links or any(not _is_label("status", status, status, one) for one in links):
        yield f"/lifecycle/status is shown as {', '.join(map(plain_text, links))}"
    for pointer in unshown_texts(document, page, lang):
        yield f"{pointer} is not what stands there"
    if stated.get("words") != digest_of_words(page):
        yield "words of the page were altered, such as labels, numbers or dates"


def _code(document: Document, section: str, name: str) -> str:
    stated: Any = (document.get(section) or {}).get(name)
    return stated if isinstance(stated, str) else NOT_STATED


def _is_label(name: str, code: str, shown_code: str, markup: str) -> bool:
    """Return whether what is shown can stand for a code: by its code, and by a label of it."""
    labels = {one.code: {*one.label.values()} for one in codelists()[name].values()}
    text = plain_text(markup).strip()
    if code in labels:
        return shown_code == code and text in labels[code]
    return shown_code == code and not any(text in known for known in labels.values())
