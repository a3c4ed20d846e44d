"""What the pages for withdrawals and attestations show, and how their forms become statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from markupsafe import Markup, escape

from registry.errors import Finding
from registry.log.register import Attestation
from registry.pages.labels import message
from registry.pages.reader import (
    Reader,
    Text,
    in_language,
    label,
    language,
    say,
    translated,
)
from registry.record.codelists import codelists
from registry.record.model import Document, LangText
from registry.record.statements import NOTE_LENGTH
from registry.record.values import ValueFault, clean_text, read_number
from registry.services.pending_acts import ReadAct
from registry.store.pending_acts import ActState, PendingAct
from registry.store.records import CurrentDocument
from registry.text.locales import direction

Fields = Sequence[tuple[str, str]]


def withdrawal_statement(fields: Fields) -> Document:
    """Return the statement that a form of a withdrawal says; what is empty is left out."""
    said: Document = {}
    for name in ("reason", "successor"):
        if text := _typed(fields, name):
            said[name] = text
    return {**said, **_note(fields)}


def attestation_statement(fields: Fields) -> Document:
    """Return the statement that a form of an attestation says; what is empty is left out.

    What is no number stays a text, so that the check names it.
    """
    said: Document = {}
    if day := _typed(fields, "day"):
        said["day"] = day
    if total := _typed(fields, "systems_total"):
        said["systems_total"] = total
        with suppress(ValueFault):
            said["systems_total"] = read_number(total, whole=True)
    if contact := _typed(fields, "contact"):
        said["contact"] = {"url" if "://" in contact else "email": contact}
    return {**said, **_note(fields)}


def withdraw_view(
    reader: Reader,
    current: CurrentDocument,
    *,
    record: str,
    tag: str,
    fields: Fields,
    findings: Iterable[Finding],
    waiting: PendingAct | None,
    review: bool,
    has_changed: bool = False,
) -> dict[str, Any]:
    """Build the page that withdraws a record; `has_changed` since the form was first shown."""
    return {
        "record": record,
        "name": say(reader, msgspec.json.decode(current.document).get("name")),
        "version": current.version,
        "withdrawn": current.state == "withdrawn",
        "tag": tag,
        "reasons": [(code, label(reader, "withdrawal_reason", code).inline) for code in _REASONS],
        "chosen": _typed(fields, "reason"),
        "successor": _typed(fields, "successor"),
        "notes": _notes(reader, fields),
        "errors": _errors(reader, findings),
        "waiting": waiting,
        "review": review,
        "has_changed": has_changed,
    }


def attest_view(
    reader: Reader,
    *,
    agency: str,
    in_use: int,
    last: Attestation | None,
    fields: Fields,
    findings: Iterable[Finding],
    waiting: PendingAct | None,
    review: bool,
) -> dict[str, Any]:
    """Build the page on which an agency attests; `in_use` counts its records in use today."""
    known = reader.pack.agencies.get(agency)
    return {
        "of": None if known is None else say(reader, known.name),
        "in_use": in_use,
        "last": None
        if last is None
        else {"day": last.day.isoformat(), "total": last.systems_total},
        "day": _typed(fields, "day"),
        "systems_total": _typed(fields, "systems_total"),
        "contact": _typed(fields, "contact"),
        "notes": _notes(reader, fields),
        "errors": _errors(reader, findings),
        "waiting": waiting,
        "review": review,
    }


def acts_view(
    reader: Reader,
    found: Sequence[tuple[PendingAct, LangText | None]],
    *,
    attests: bool,
    review: bool,
) -> dict[str, Any]:
    """Build the list of what takes two, by where it stands."""
    lines: dict[str, list[dict[str, Any]]] = {state: [] for state in _STATES}
    for act, name in found:
        agency = reader.pack.agencies[act.agency]
        lines[act.state].append(
            {
                "number": act.id,
                "kind": act.kind,
                "subject": act.subject,
                "name": say(reader, name),
                "agency": say(reader, agency.name),
                "day": act.requested_at.date().isoformat(),
            }
        )
    groups = [(heading, lines[state]) for state, heading in _STATES.items() if lines[state]]
    return {"groups": groups, "attests": attests, "review": review}


def act_view(
    reader: Reader, read: ReadAct, *, findings: Iterable[Finding] = (), typed: str = ""
) -> dict[str, Any]:
    """Build the page of what takes two: what is asked, by whom, and what can be done with it."""
    act = read.act
    said = {} if act.statement is None else msgspec.json.decode(act.statement)
    comment = None if act.comment is None else msgspec.json.decode(act.comment)
    asks = act.requested_agency and reader.pack.agencies.get(act.requested_agency)
    agency = reader.pack.agencies.get(act.agency)
    return {
        "act": act,
        "can": read,
        "name": say(reader, read.name),
        "agency_of": None if agency is None else say(reader, agency.name),
        "asked_by": say(reader, asks.name) if asks else None,
        "asked_on": act.requested_at.date().isoformat(),
        "decided_on": None if act.decided_at is None else act.decided_at.date().isoformat(),
        "reason": label(reader, "withdrawal_reason", said["reason"]) if "reason" in said else None,
        "successor": said.get("successor"),
        "day": said.get("day"),
        "total": said.get("systems_total"),
        "contact": next(iter(said.get("contact", {}).values()), None),
        "note": [(language(reader, tag), _text(tag, text)) for tag, text in _all(said.get("note"))],
        "comment": [_text(tag, text) for tag, text in _all(comment, reader.tag)],
        "typed": typed,
        "errors": _errors(reader, findings),
    }


_STATES: dict[ActState, str] = {
    "in_review": message("Waits for another person"),
    "returned": message("Returned with a comment"),
    "approved": message("Approved"),
}
_REASONS = tuple(codelists()["withdrawal_reason"])
_ASKED = {
    "reason": message("Choose a reason."),
    "day": message("Give the day of the count."),
    "systems_total": message("Give the number of systems, 0 if there are none."),
    "contact": message("Give a mailbox or the address of a page."),
    "note": message("Say in at least one language what the public is told."),
    "comment": message("Say why it goes back."),
    "successor": message("Name a record."),
}
"""What to do where a field is empty, by the member of the statement, in the order of the forms."""


def _errors(reader: Reader, findings: Iterable[Finding]) -> list[tuple[str, Markup | str]]:
    """Return a sentence for each finding, with the id of its field, in the order of the form.

    One that is empty is asked for in the words of the form; the check speaks of members of JSON.
    """
    order = list(_ASKED)
    found: dict[tuple[int, str, Markup], None] = {}
    for finding in findings:
        member, _, tag = finding.pointer.lstrip("/").partition("/")
        field = member if member in _ASKED else "note"
        place = order.index(field)
        if field == "note":
            field = f"note-{tag if tag in reader.pack.languages else reader.pack.languages[0]}"
        if finding.rule == "required":
            words = translated(reader, _ASKED[member])
        else:
            words = in_language(reader, finding.message, finding.lang or reader.tag)
        sentence = escape(words.text)
        if words.differs:
            sentence = Markup("<span{}>{}</span>").format(words.attrs, sentence)
        found[place, field, sentence] = None
    return [(field, sentence) for _, field, sentence in sorted(found, key=lambda one: one[0])]


def _notes(reader: Reader, fields: Fields) -> list[dict[str, Any]]:
    return [
        {
            "tag": tag,
            "dir": direction(tag),
            "name": language(reader, tag),
            "text": _typed(fields, f"note-{tag}"),
            "most": NOTE_LENGTH,
        }
        for tag in reader.pack.languages
    ]


def _note(fields: Fields) -> Document:
    note = {
        name.removeprefix("note-"): text
        for name, _ in fields
        if name.startswith("note-") and (text := _typed(fields, name))
    }
    return {"note": note} if note else {}


def _typed(fields: Fields, name: str) -> str:
    """Return what was typed into a field, trimmed and in normalisation form C."""
    found = next((value for field, value in fields if field == name), "")
    return clean_text(found)


def _all(texts: Any, tag: str = "") -> list[tuple[str, str]]:
    return list(texts.items()) if isinstance(texts, dict) else [(tag, texts)] if texts else []


def _text(tag: str, text: str) -> Text:
    return Text(text=text, lang=tag, dir=direction(tag), differs=True)
