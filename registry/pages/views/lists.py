"""Rows of records, counts by code, agencies and histories, as several pages show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from registry.hub.standing import troubles
from registry.log.register import Redacted, SourceEvent, StoredRecord, VersionLine, Withdrawal
from registry.pages.cards import Card, copied, counted
from registry.pages.labels import message
from registry.pages.reader import Reader, Text, as_it_is, label, say, translated
from registry.pages.site import Site
from registry.record.origin import Origin
from registry.record.pack import Pack
from registry.text.locales import country_name

_UNNAMED = message("A system whose name is not published")
AGENCY_KINDS = {
    "ministry": message("Ministries"),
    "department": message("Departments"),
    "public_institution": message("Public institutions"),
    "local_authority": message("Local authorities"),
    "court": message("Courts"),
    "other": message("Other bodies"),
    "demonstration": message("Fictitious agencies of the demonstration"),
}
"""The kinds of agencies in their order, in English."""

AT_SOURCE = {
    "gone": message("No longer at its source"),
    "present": message("At its source again"),
}
"""What happened to a record at its source, by its state there, in English."""


def card_row(reader: Reader, site: Site, card: Card) -> dict[str, Any]:
    """Build the row of one record in a list."""
    return {
        "id": card.id,
        "name": say(reader, card.name, card.written),
        "summary": say(reader, card.summary, card.written),
        "agency": agency_view(reader, site, card.agency),
        "risk": label(reader, "risk_level", card.risk),
        "status": label(reader, "status", card.status),
        "sector": label(reader, "sector", card.sector),
        "gone_since": card.gone_since,
        **origin_view(reader, site, card.origin),
        "fictitious": card.fictitious,
        "found": None,
    }


def count_rows(
    reader: Reader, cards: Sequence[Card], codelist: str, kind: str
) -> list[dict[str, Any]]:
    """Return counts by code, of this register and of those copied from others."""
    here = Counter(card.code(codelist) for card in counted(cards))
    elsewhere = Counter(card.code(codelist) for card in copied(cards))
    return [
        {
            "path": f"{kind}/{code}",
            "name": label(reader, codelist, code),
            "badge": codelist == "risk_level",
            "here": here[code],
            "copied": elsewhere[code],
        }
        for code in reader.labels[codelist]
    ]


def agency_view(reader: Reader, site: Site, agency_id: str) -> dict[str, Any]:
    """Return the name and origin of an agency; an unknown one is named by its id."""
    known: dict[str, Any] | None = reader.kept.get((agency_view, agency_id))
    if known is None:
        agency = site.snapshot.agencies.get(agency_id)
        known = reader.kept[agency_view, agency_id] = {
            "id": agency_id,
            "name": (agency and say(reader, agency.name)) or as_it_is(reader, agency_id),
            "website": agency and agency.website,
            "fictitious": bool(agency and agency.fictitious),
            **origin_view(reader, site, agency.origin if agency else None),
        }
    return known


def origin_view(reader: Reader, site: Site, code: str | None) -> dict[str, Any]:
    """Return whose the other register is that something was copied from, as `origin_facts`."""
    known = site.snapshot.origins.get(code) if code else None
    return origin_facts(reader, code, known, troubles(site.snapshot.peers).get(code or ""))


def origin_facts(
    reader: Reader, code: str | None, known: Origin | None, trouble: str | None = None
) -> dict[str, Any]:
    """Return whose the other register is that something was copied from, and on which terms.

    `origin_page` is the page here about it, `origin_url` its own address; `abroad` says that it is
    another country's, and `country_name` is empty where that is not known. `trouble` is what is
    wrong with its log, if it is one that is watched.
    """
    known = known or Origin(code="", title="")
    return {
        "origin": code,
        "origin_name": (known.title and say(reader, known.name)) or as_it_is(reader, code or ""),
        "origin_page": f"registers/{code}",
        "trouble": trouble,
        "origin_url": known.homepage or None,
        "publisher": say(reader, {known.language or "en": known.publisher})
        if known.publisher
        else None,
        "licence": known.licence,
        "country_name": known.country and country_name(known.country, reader.locale.babel),
        "abroad": known.country not in {"", reader.pack.country},
    }


def has_letter(site: Site, card: Card) -> bool:
    """Return whether there is a letter about a record: another country's authorities get none."""
    return is_of_country(card.origin, site.snapshot.origins, site.snapshot.pack)


def has_card(card: Card) -> bool:
    """Return whether others can show a record by a card: what was filed here, and is in force."""
    return card.origin is None and not card.withdrawn


def card_tag(reader: Reader, card: Card) -> str:
    """Return the language of a record's card for a reader: that of the page, if it has words."""
    return reader.tag if reader.tag in card.name else reader.locale.tag


def card_words(reader: Reader, site: Site, card: Card) -> tuple[Text, Text, str]:
    """Return name and agency of a record, and in one line what its card shows."""
    name = say(reader, card.name, card.written) or translated(reader, _UNNAMED)
    agency: Text = agency_view(reader, site, card.agency)["name"]
    risk = label(reader, "risk_level", card.risk)
    return name, agency, f"{name.text} – {risk.text} – {agency.text}"


def is_of_country(code: str | None, origins: Mapping[str, Origin], pack: Pack) -> bool:
    """Return whether what was filed here, or copied from a register, is of the pack's country."""
    if code is None:
        return True
    origin = origins.get(code)
    return origin is not None and origin.country in {"", pack.country}


def erased_view(reader: Reader, erased: Sequence[Redacted]) -> list[dict[str, Any]]:
    """Return the view of what was erased: where, on which basis, who decided it, and when."""
    return [
        {
            "erased": True,
            "marked": False,
            "pointer": one.pointer,
            "basis": label(reader, "redaction_reason", one.basis),
            "authority": one.authority,
            "on": one.redacted_at.date().isoformat(),
        }
        for one in erased
    ]


APPROVED_BY: Mapping[object, str] = {
    "authority": message("Approved by the register’s authority"),
    "agency": message("Approved within the agency, by another person"),
}
"""What is said of who approved what another person had asked for."""


def change_view(reader: Reader, change: VersionLine | Withdrawal | SourceEvent) -> dict[str, Any]:
    """Return the view of one change.

    A withdrawal has a `reason`, and what happened at the source a `state`; a version has neither.
    `changed_on` is the day of the change that the agency of a version states, or its source.
    """
    known: dict[str, Any] = {"reason": None, "state": None, "note": None, "undated": False}
    known |= {"erased": [], "changed_on": None, "approved_by": None}
    if isinstance(change, SourceEvent):
        known |= {"day": change.day.isoformat(), "state": AT_SOURCE[change.state]}
    elif isinstance(change, Withdrawal):
        known["reason"] = label(reader, "withdrawal_reason", change.reason)
        known |= {
            "day": change.withdrawn_at.date().isoformat(),
            "note": say(reader, change.note),
            "erased": erased_view(reader, change.redacted),
        }
    else:
        known |= {
            "day": change.published_at.date().isoformat(),
            "note": say(reader, change.change_note),
            "undated": change.undated is True,
            "changed_on": change.changed_on or None,
        }
    if not isinstance(change, SourceEvent):
        known["approved_by"] = APPROVED_BY.get(change.approved_by)
    return known | {"version": change.version, "entry": change.entry}


def history_view(reader: Reader, site: Site, record: StoredRecord) -> list[dict[str, Any]]:
    """Return all changes of a record, newest first, with the agencies that it moved from."""
    known = site.records[record.id]
    changes: list[VersionLine | Withdrawal | SourceEvent] = [
        *record.versions,
        *known.withdrawals,
        *known.source_events,
    ]
    changes.sort(key=lambda change: -change.entry)
    return [
        change_view(reader, change)
        | {
            "moved_from": agency_view(reader, site, change.moved_from)
            if isinstance(change, VersionLine) and change.moved_from
            else None
        }
        for change in changes
    ]
