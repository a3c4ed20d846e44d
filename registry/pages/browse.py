"""The pages one browses by: risk, sector, status, agency; an index of each and its lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import methodcaller
from typing import Any, TypeVar

import msgspec

from registry.pages.cards import Card, copied, counted
from registry.pages.history import change_view
from registry.pages.labels import message
from registry.pages.page import Group, Page, digest, group_of
from registry.pages.reader import Reader, label, say
from registry.pages.shown import Shown
from registry.pages.site import Site, page
from registry.pages.view_lists import agency_view, card_row, count_rows, origin_view
from registry.store.attestations import Attestation
from registry.text.folding import fold

PAGE_SIZE = 50

K = TypeVar("K")

_CODED = {"risk": "risk_level", "sectors": "sector", "status": "status"}
"""The kinds of list whose members are codes of the format: address, code list."""

_TITLES = {
    "risk": message("Records by level of risk"),
    "sectors": message("Records by sector"),
    "status": message("Records by status"),
    "agencies": message("Records by agency"),
}


def browse_groups(site: Site) -> Iterator[Group]:
    """Yield every index, and the pages of every list, in each language."""
    shown = [card for card in site.cards.values() if not card.withdrawn]
    gone: dict[str, list[Card]] = {}
    for card in site.cards.values():
        if card.withdrawn:
            gone.setdefault(card.agency, []).append(card)
    labels = next(iter(site.editions.values())).reader.labels
    for kind, codelist in _CODED.items():
        yield group_of(f"{kind}/", _indexes(site, kind, shown, codelist))
        by_code = _by(shown, methodcaller("code", codelist))
        for code in labels[codelist]:
            head = partial(_code_head, site=site, codelist=codelist, code=code)
            yield _list(site, kind, code, by_code.get(code, []), head=head)
    for (risk, sector), chosen in _by(shown, lambda card: (card.risk, card.sector)).items():
        head = partial(_crossed_head, site=site, risk=risk, sector=sector)
        yield _list(site, "risk", f"{risk}/{sector}", chosen, head=head)
    yield group_of("agencies/", _agency_indexes(site, shown))
    by_agency = _by(shown, lambda card: card.agency)
    for agency in dict.fromkeys((*site.corpus.agencies, *by_agency)):
        left = gone.get(agency, [])
        facts = [
            site.corpus.agencies.get(agency),
            site.corpus.attestations.get(agency),
            [(card.id, card.name, site.known[card.id].withdrawals) for card in left],
        ]
        head = partial(_agency_head, site=site, agency=agency, gone=left)
        chosen = by_agency.get(agency, [])
        yield _list(site, "agencies", agency, chosen, head=head, facts=facts)


def _by(cards: Sequence[Card], code: Callable[[Card], K]) -> dict[K, list[Card]]:
    found: dict[K, list[Card]] = {}
    for card in cards:
        found.setdefault(code(card), []).append(card)
    return found


def _in_order(reader: Reader, cards: Sequence[Card]) -> list[Card]:
    """Put this register's own records first, then sort by name in the reader's language."""

    def place(card: Card) -> tuple[bool, str, str]:
        name = say(reader, card.name)
        return (card.origin is not None, fold(name.text) if name else "", card.id)

    return sorted(cards, key=place)


def _indexes(site: Site, kind: str, shown: list[Card], codelist: str) -> Iterator[Page]:
    here, elsewhere = (
        Counter(card.code(codelist) for card in cards) for cards in (counted(shown), copied(shown))
    )
    crossed = Counter(f"{card.risk}/{card.sector}" for card in shown) if kind == "risk" else {}
    key = digest(*(msgspec.json.encode(sorted(one.items())) for one in (here, elsewhere, crossed)))
    for tag in site.editions:
        view = partial(_index, site, tag, kind, shown, codelist)
        yield page(site, tag, f"{kind}/", template="kinds.html", key=key, view=view)


def _index(site: Site, tag: str, kind: str, shown: list[Card], codelist: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "title": _TITLES[kind],
        "rows": count_rows(site.editions[tag].reader, shown, codelist, kind),
        "copied": len(copied(shown)),
        "table": _risk_by_sector(site, tag, shown) if kind == "risk" else None,
    }


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


def _agency_indexes(site: Site, shown: list[Card]) -> Iterator[Page]:
    number = Counter(card.agency for card in shown)
    systems = {agency: said.systems_total for agency, said in site.corpus.attestations.items()}
    key = digest(msgspec.json.encode([number, site.corpus.agencies, systems]))
    for tag, edition in site.editions.items():
        view = partial(_agency_index, edition.reader, site, number)
        yield page(site, tag, "agencies/", template="agencies.html", key=key, view=view)


def _agency_index(reader: Reader, site: Site, number: Counter[str]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for agency_id in [*site.corpus.agencies, *(number.keys() - site.corpus.agencies.keys())]:
        agency = agency_view(reader, site, agency_id)
        said = site.corpus.attestations.get(agency_id)
        row = agency | {"total": number[agency_id], "systems": said and said.systems_total}
        groups.setdefault(agency["origin"] or "here", []).append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: (row["fictitious"], fold(row["name"].text), row["id"]))
    return {
        "title": _TITLES["agencies"],
        "groups": [
            {"code": code, "rows": rows, **origin_view(reader, site, code)}
            for code, rows in sorted(groups.items(), key=lambda item: item[0] != "here")
        ],
    }


def _list(
    site: Site,
    kind: str,
    code: str,
    cards: list[Card],
    *,
    head: Callable[[Reader], Mapping[str, Any]],
    facts: Sequence[Any] = (),
) -> Group:
    """Make the pages of one list; `facts` is what its head shows besides the code's own words."""
    shown = {
        "kind": kind,
        "title": _TITLES[kind],
        "code": code,
        "total": len(cards),
        "copied_total": len(copied(cards)),
        "pages": max(1, -(-len(cards) // PAGE_SIZE)),
    }
    known = digest(msgspec.json.encode([shown, *facts]))
    return Group(
        name=f"{kind}/{code}",
        key=digest(site.ground, known, *(card.digest for card in cards)),
        pages=partial(_list_pages, site, shown, cards, known, head=head),
    )


def _list_pages(
    site: Site,
    shown: dict[str, Any],
    cards: list[Card],
    known: str,
    *,
    head: Callable[[Reader], Mapping[str, Any]],
) -> Iterator[Page]:
    for tag, edition in site.editions.items():
        ordered = _in_order(edition.reader, cards)
        for number in range(1, shown["pages"] + 1):
            part = ordered[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
            suffix = "" if number == 1 else f"/{number}"
            yield page(
                site,
                tag,
                f"{shown['kind']}/{shown['code']}{suffix}",
                template="browse.html",
                key=digest(known, str(number), *(card.digest for card in part)),
                view=partial(
                    _list_view, edition.reader, site, shown | {"page": number}, part, head=head
                ),
            )


def _list_view(
    reader: Reader,
    site: Site,
    shown: dict[str, Any],
    part: list[Card],
    *,
    head: Callable[[Reader], Mapping[str, Any]],
) -> dict[str, Any]:
    groups = [
        {"copied": foreign, "cards": rows}
        for foreign in (False, True)
        if (rows := _rows(reader, site, part, foreign=foreign))
    ]
    return shown | {"agency": None, "within": None, "groups": groups, **head(reader)}


def _rows(reader: Reader, site: Site, cards: list[Card], *, foreign: bool) -> list[dict[str, Any]]:
    return [card_row(reader, site, card) for card in cards if (card.origin is not None) == foreign]


def _code_head(reader: Reader, *, site: Site, codelist: str, code: str) -> dict[str, Any]:
    known = site.lists[codelist].get(code)
    return {
        "name": label(reader, codelist, code),
        "description": say(reader, known.description) if known else None,
    }


def _crossed_head(reader: Reader, *, site: Site, risk: str, sector: str) -> dict[str, Any]:
    within = {"name": label(reader, "sector", sector), "path": f"sectors/{sector}"}
    return _code_head(reader, site=site, codelist="risk_level", code=risk) | {"within": within}


def _agency_head(reader: Reader, *, site: Site, agency: str, gone: list[Card]) -> dict[str, Any]:
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
                **change_view(reader, site.known[card.id].withdrawals[-1]),
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
