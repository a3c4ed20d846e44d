"""The pages one browses by: risk, sector, status, agency; an index of each and its lists."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from registry.pages.cards import copied
from registry.pages.history import change_view
from registry.pages.labels import message
from registry.pages.page import digest
from registry.pages.reader import label, say
from registry.pages.shown import Shown
from registry.pages.site import page
from registry.pages.view_lists import agency_view, card_row, count_rows, origin_view
from registry.text.folding import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from registry.pages.cards import Card
    from registry.pages.page import Page
    from registry.pages.reader import Reader
    from registry.pages.site import Site
    from registry.store.attestations import Attestation

PAGE_SIZE = 50

_CODED = {"risk": "risk_level", "sectors": "sector", "status": "status"}
"""The kinds of list whose members are codes of the format: address, code list."""

_TITLES = {
    "risk": message("Records by level of risk"),
    "sectors": message("Records by sector"),
    "status": message("Records by status"),
    "agencies": message("Records by agency"),
}


def browse_pages(site: Site) -> Iterator[Page]:
    """Yield every index and every page of every list, in each language."""
    shown = [card for card in site.cards.values() if not card.withdrawn]
    gone = [card for card in site.cards.values() if card.withdrawn]
    for tag, edition in site.editions.items():
        reader = edition.reader
        ordered = _in_order(reader, shown)
        for kind, codelist in _CODED.items():
            yield _index(site, tag, kind, shown, codelist)
            if kind == "risk":
                yield from _crossed(site, tag, ordered)
            by_code: dict[str, list[Card]] = {}
            for card in ordered:
                by_code.setdefault(card.code(codelist), []).append(card)
            for code in reader.labels[codelist]:
                chosen = by_code.get(code, [])
                head = partial(_code_head, reader, site, codelist, code)
                yield from _list(site, tag, kind, code, chosen, head=head)
        yield _agency_index(site, tag, shown)
        by_agency: dict[str, list[Card]] = {agency: [] for agency in site.corpus.agencies}
        for card in ordered:
            by_agency.setdefault(card.agency, []).append(card)
        for agency, chosen in by_agency.items():
            left = [card for card in gone if card.agency == agency]
            head = partial(_agency_head, reader, site, agency, left)
            facts = [
                site.corpus.agencies.get(agency),
                site.corpus.attestations.get(agency),
                [(card.name, site.corpus.withdrawals.get(card.id)) for card in left],
            ]
            yield from _list(site, tag, "agencies", agency, chosen, head=head, facts=facts)


def _crossed(site: Site, tag: str, ordered: Sequence[Card]) -> Iterator[Page]:
    """Yield the lists of each level of risk in each sector that has any."""
    reader = site.editions[tag].reader
    by_both: dict[tuple[str, str], list[Card]] = {}
    for card in ordered:
        by_both.setdefault((card.risk, card.sector), []).append(card)
    for (risk, sector), chosen in by_both.items():

        def head(risk: str = risk, sector: str = sector) -> dict[str, Any]:
            within = {"name": label(reader, "sector", sector), "path": f"sectors/{sector}"}
            return _code_head(reader, site, "risk_level", risk) | {"within": within}

        yield from _list(site, tag, "risk", f"{risk}/{sector}", chosen, head=head)


def _in_order(reader: Reader, cards: Sequence[Card]) -> list[Card]:
    """Put this register's own records first, then sort by name in the reader's language."""

    def place(card: Card) -> tuple[bool, str, str]:
        name = say(reader, card.name)
        return (card.origin is not None, fold(name.text) if name else "", card.id)

    return sorted(cards, key=place)


def _index(site: Site, tag: str, kind: str, shown: list[Card], codelist: str) -> Page:
    rows = count_rows(site.editions[tag].reader, shown, codelist, kind)
    table = _risk_by_sector(site, tag, shown) if kind == "risk" else None
    known = {
        "kind": kind,
        "title": _TITLES[kind],
        "rows": rows,
        "copied": len(copied(shown)),
        "table": table,
    }
    numbers = [[row["here"], row["copied"]] for row in rows]
    crossed = Counter(f"{card.risk}/{card.sector}" for card in shown)
    key = digest(msgspec.json.encode([numbers, sorted(crossed.items()) if table else []]))
    return page(site, tag, f"{kind}/", template="kinds.html", key=key, view=partial(dict, known))


def _risk_by_sector(site: Site, tag: str, shown: list[Card]) -> dict[str, Any]:
    """Count every record shown by sector, and in each by level of risk."""
    reader = site.editions[tag].reader
    number = Counter((card.sector, card.risk) for card in shown)
    sectors, risks = {sector for sector, _ in number}, {risk for _, risk in number}
    levels = [code for code in reader.labels["risk_level"] if code in risks]
    return {
        "levels": [label(reader, "risk_level", level) for level in levels],
        "rows": [
            {
                "name": label(reader, "sector", code),
                "path": f"sectors/{code}",
                "cells": [
                    {"path": f"risk/{level}/{code}", "count": number[code, level]}
                    for level in levels
                ],
            }
            for code in reader.labels["sector"]
            if code in sectors
        ],
    }


def _agency_index(site: Site, tag: str, shown: list[Card]) -> Page:
    reader, attestations = site.editions[tag].reader, site.corpus.attestations
    number = Counter(card.agency for card in shown)
    groups: dict[str, list[dict[str, Any]]] = {}
    for agency_id in [*site.corpus.agencies, *(number.keys() - site.corpus.agencies.keys())]:
        agency = agency_view(reader, site, agency_id)
        said = attestations.get(agency_id)
        row = agency | {"total": number[agency_id], "systems": said and said.systems_total}
        groups.setdefault(agency["origin"] or "here", []).append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: (row["fictitious"], fold(row["name"].text), row["id"]))

    def view() -> dict[str, Any]:
        return {
            "title": _TITLES["agencies"],
            "groups": [
                {"code": code, "rows": rows, **origin_view(reader, site, code)}
                for code, rows in sorted(groups.items(), key=lambda item: item[0] != "here")
            ],
        }

    systems = {agency: said.systems_total for agency, said in attestations.items()}
    key = digest(msgspec.json.encode([number, site.corpus.agencies, systems]))
    return page(site, tag, "agencies/", template="agencies.html", key=key, view=view)


def _list(
    site: Site,
    tag: str,
    kind: str,
    code: str,
    cards: list[Card],
    *,
    head: Callable[[], Mapping[str, Any]],
    facts: Sequence[Any] = (),
) -> Iterator[Page]:
    """Yield the pages of one list; `facts` is what its head shows besides the code's own words."""
    reader = site.editions[tag].reader
    pages = max(1, -(-len(cards) // PAGE_SIZE))
    elsewhere = len(copied(cards))
    for number in range(1, pages + 1):
        part = cards[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]

        def view(number: int = number, part: list[Card] = part) -> dict[str, Any]:
            groups = [
                {"copied": foreign, "cards": rows}
                for foreign in (False, True)
                if (rows := _rows(reader, site, part, foreign=foreign))
            ]
            return {
                "kind": kind,
                "title": _TITLES[kind],
                "code": code,
                "agency": None,
                "within": None,
                "total": len(cards),
                "copied_total": elsewhere,
                "groups": groups,
                "page": number,
                "pages": pages,
                **head(),
            }

        shown = [kind, code, len(cards), elsewhere, *facts, number, pages]
        key = digest(msgspec.json.encode(shown), *(card.digest for card in part))
        suffix = "" if number == 1 else f"/{number}"
        yield page(site, tag, f"{kind}/{code}{suffix}", template="browse.html", key=key, view=view)


def _rows(reader: Reader, site: Site, cards: list[Card], *, foreign: bool) -> list[dict[str, Any]]:
    return [card_row(reader, site, card) for card in cards if (card.origin is not None) == foreign]


def _code_head(reader: Reader, site: Site, codelist: str, code: str) -> dict[str, Any]:
    known = site.lists[codelist].get(code)
    return {
        "name": label(reader, codelist, code),
        "description": say(reader, known.description) if known else None,
    }


def _agency_head(reader: Reader, site: Site, agency: str, gone: list[Card]) -> dict[str, Any]:
    view = agency_view(reader, site, agency)
    said = site.corpus.attestations.get(agency)
    return {
        "name": view["name"],
        "description": None,
        "agency": view,
        "statement": said and _attestation(reader, said),
        "withdrawn": [
            {
                "id": card.id,
                "name": say(reader, card.name),
                **change_view(reader, site.corpus.withdrawals[card.id][-1]),
            }
            for card in _in_order(reader, gone)
        ],
    }


def _attestation(reader: Reader, said: Attestation) -> dict[str, Any]:
    return {
        "day": said.day.isoformat(),
        "systems": said.systems_total,
        "contact": Shown(said.contact or {}),
        "note": say(reader, said.note),
        "filed_on": said.filed_at.date().isoformat(),
        "entry": said.entry,
    }
