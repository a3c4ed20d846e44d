"""What a record's page shows: the head, the notices, who answers, and the register's own facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from registry.pages import view_sections
from registry.pages.facts import code, codes, node, plain, text
from registry.pages.reader import label, language, say
from registry.text.locales import pick

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from registry.pages.cards import Card
    from registry.pages.corpus import Corpus
    from registry.pages.facts import Node
    from registry.pages.reader import Reader, Text
    from registry.store.records import StoredRecord

NOT_STATED = "not_stated"


def record_view(
    reader: Reader, record: StoredRecord, corpus: Corpus, cards: Mapping[str, Card]
) -> dict[str, Any]:
    """Build everything that the page of a record shows to this reader."""
    document: Node = msgspec.json.decode(record.document)
    agency = corpus.agencies.get(record.agency)
    shown = _main_language(reader, document)
    return {
        "id": record.id,
        "name": say(reader, document.get("name")),
        "summary": say(reader, document.get("summary")),
        "shown": shown,
        "agency": _agency(reader, record.agency, agency),
        "notices": _notices(reader, record, document, corpus, shown),
        "withheld": _withheld(reader, document),
        "facts": _facts(reader, document, corpus.as_of.date()),
        "redress": view_sections.redress(reader, document),
        "purpose": view_sections.purpose(reader, document),
        "decision": view_sections.decision(reader, document),
        "risk": view_sections.risk(reader, document),
        "data": view_sections.data(reader, document),
        "technical": view_sections.technical(reader, document),
        "procurement": view_sections.procurement(reader, document),
        "safeguards": view_sections.safeguards(reader, document),
        "evaluation": view_sections.evaluation(reader, document),
        "documents": view_sections.documents(reader, document),
        "related": _related(reader, document, cards),
        "links": _links(reader, record, document),
        "register": _register(reader, record),
    }


def is_overdue(document: Mapping[str, Any], today: dt.date) -> bool:
    """Say whether the review that the agency promised is late on that day."""
    lifecycle = node(document, "lifecycle")
    due = lifecycle.get("next_review_on")
    return due is not None and lifecycle.get("status") != "retired" and due < today.isoformat()


def _main_language(reader: Reader, document: Node) -> str:
    """Find the language that most of the page's texts will be in."""
    for candidate in (
        node(document, "purpose").get("goal"),
        document.get("summary"),
        document.get("name"),
    ):
        chosen = pick(candidate, reader.tag, reader.order) if candidate else None
        if chosen is not None:
            return chosen[0]
    return reader.tag


def _agency(reader: Reader, agency_id: str, agency: Any) -> Node:
    if agency is None:
        return {"id": agency_id, "name": None, "website": None, "fictitious": False}
    return {
        "id": agency_id,
        "name": say(reader, agency.name),
        "website": agency.website,
        "fictitious": agency.fictitious,
    }


def _notices(
    reader: Reader, record: StoredRecord, document: Node, corpus: Corpus, shown: str
) -> Node:
    register = record.register
    origin = None
    if register.origin is not None:
        known = corpus.origins.get(register.origin)
        origin = {
            "code": register.origin,
            "name": say(reader, known.name) if known else None,
            "url": known.url if known else None,
        }
    restriction = node(document, "publication", "restriction")
    return {
        "fictitious": register.fictitious,
        "origin": origin,
        "withdrawn_on": (
            register.superseded_at.date().isoformat()
            if register.state == "withdrawn" and register.superseded_at is not None
            else None
        ),
        "withdrawn": register.state == "withdrawn",
        "restriction": {
            "ground": code(reader, restriction, "ground", "pack/grounds"),
            **plain(restriction, ("authority", "reference", "review_on")),
        }
        if restriction
        else None,
        "redacted": bool(register.redacted),
        "language": language(reader, shown) if shown != reader.tag else None,
        "machine": node(document, "languages", "translation_status").get(shown) == "machine",
        "source": _source_language(reader, document, shown),
    }


def _source_language(reader: Reader, document: Node, shown: str) -> Text | None:
    source = node(document, "languages").get("source")
    return language(reader, source) if source is not None and source != shown else None


def _withheld(reader: Reader, document: Node) -> dict[str, Text | None]:
    fields = node(document, "publication").get("withheld_fields") or ()
    return {field["pointer"]: code(reader, field, "ground", "pack/grounds") for field in fields}


def _facts(reader: Reader, document: Node, today: dt.date) -> Node:
    organisation, contact = node(document, "organisation"), node(document, "contact")
    lifecycle, sector = node(document, "lifecycle"), node(document, "sector")
    level = node(document, "risk").get("level", NOT_STATED)
    status = lifecycle.get("status", NOT_STATED)
    primary = sector.get("primary", NOT_STATED)
    return {
        "risk": level,
        "risk_label": label(reader, "risk_level", level),
        "status": status,
        "status_label": label(reader, "status", status),
        "status_reason": text(reader, lifecycle, "status_reason"),
        "sector": primary,
        "sector_label": label(reader, "sector", primary),
        "sectors": list(
            zip(
                sector.get("secondary") or (),
                codes(reader, sector, "secondary", "sector"),
                strict=True,
            )
        ),
        "function": code(reader, sector, "function", "function"),
        "unit": text(reader, organisation, "unit"),
        "accountable_role": text(reader, organisation, "accountable_role"),
        "territory": codes(reader, document, "territory", "pack/regions"),
        "tags": [said for tag in document.get("tags") or () if (said := say(reader, tag))],
        "website": document.get("website"),
        "source_id": document.get("source_id"),
        "system_version": document.get("system_version"),
        "overdue": is_overdue(document, today),
        **plain(contact, ("email", "url", "phone")),
        **plain(lifecycle, ("deployed_on", "retired_on", "last_reviewed_on", "next_review_on")),
    }


def _related(reader: Reader, document: Node, cards: Mapping[str, Card]) -> list[Node]:
    return [
        {
            "relation": code(reader, related, "relation", "relation"),
            "id": related["record"],
            "name": say(reader, cards[related["record"]].name),
        }
        for related in document.get("related_records") or ()
        if related["record"] in cards
    ]


def _links(reader: Reader, record: StoredRecord, document: Node) -> dict[str, str | None]:
    """Fill in the pack's links; one that needs a mailbox is left out where the record has none."""
    email = node(document, "contact").get("email")
    local = record.register.origin is None

    def filled(link: str) -> str | None:
        if not local or ("{email}" in link and not email):
            return None
        return link.format(id=quote(record.id, safe=""), email=quote(email or "", safe="@"))

    pack = reader.pack
    return {
        "report_error": filled(pack.report_error_url),
        "ask_more": filled(pack.ask_more_url),
    }


def _register(reader: Reader, record: StoredRecord) -> Node:
    register = record.register
    return {
        "version": register.version,
        "published_on": register.published_at.date().isoformat(),
        "entry": register.entry,
        "hash": register.hash,
        "completeness": register.completeness / 100,
        "missing": len(register.missing),
        "versions": [
            {
                "version": line.version,
                "published_on": line.published_at.date().isoformat(),
                "entry": line.entry,
                "note": say(reader, line.change_note),
            }
            for line in sorted(record.versions, key=lambda line: -line.version)
        ],
    }
