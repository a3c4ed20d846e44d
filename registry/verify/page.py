"""Comparing a record's page with what the log has of the record, without running its scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from registry.log.replay import LogInconsistent
from registry.record.codelists import codelists
from registry.record.model import NOT_STATED, Document
from registry.record.page_words import ShownPage, unshown_texts
from registry.verify.record import VerifiedRecord


def check_page(where: str, page: ShownPage, verified: VerifiedRecord) -> None:
    """Raise `LogInconsistent` naming the first thing that a page says otherwise than the log."""
    facts = {
        "id": verified.id,
        "version": str(verified.version),
        "entry": str(verified.index),
        "hash": verified.leaf,
    }
    for fault in page_faults(page, facts, verified.document):
        raise LogInconsistent(where, None, f"it is not what the log has: {fault}")


def page_faults(page: ShownPage, facts: Mapping[str, str], document: Document) -> Iterator[str]:
    """Yield what a page says otherwise than a record's document and the facts of its version.

    `facts` are `id`, `version`, `entry` and `hash`, as its section `proof` states them.
    """
    stated = page.stated or {}
    for name, value in facts.items():
        if stated.get(name) != value:
            yield f"the page states {stated.get(name)} as its {name}, the log has {value}"
    # A page may be set in another language than its reader's, which it has texts in.
    lang = stated.get("order", "").partition(" ")[0] or page.lang
    known = document.get("name") or {}
    if known and not any({*page.names} == {one.strip()} for one in known.values()):
        yield f"/name is {' / '.join(page.names)}"
    level = _code(document, "risk", "level")
    if not page.levels or any(not _is_label("risk_level", level, *one) for one in page.levels):
        yield f"/risk/level is shown as {', '.join(text for _, text in page.levels)}"
    status = _code(document, "lifecycle", "status")
    if not page.statuses or any(
        not _is_label("status", status, status, one) for one in page.statuses
    ):
        yield f"/lifecycle/status is shown as {', '.join(page.statuses)}"
    for pointer in unshown_texts(document, page, lang):
        yield f"{pointer} is not what stands there"
    if stated.get("words") != page.digest:
        yield "words of the page were altered, such as labels, numbers or dates"


def _code(document: Document, section: str, name: str) -> str:
    stated: Any = (document.get(section) or {}).get(name)
    return stated if isinstance(stated, str) else NOT_STATED


def _is_label(name: str, code: str, shown_code: str, text: str) -> bool:
    """Return whether what is shown can stand for a code: by its code, and by a label of it."""
    labels = {one.code: {*one.label.values()} for one in codelists()[name].values()}
    if code in labels:
        return shown_code == code and text in labels[code]
    return shown_code == code and not any(text in known for known in labels.values())
