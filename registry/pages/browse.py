"""The pages one browses by: risk, sector, status, agency; an index of each and its lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from registry.pages.cards import Card, copied
from registry.pages.page import digest
from registry.pages.reader import label, say
from registry.pages.site import page
from registry.pages.view_lists import (
    LEVELS,
    agency_name,
    card_row,
    count_rows,
    origin_view,
)
from registry.text.folding import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from registry.pages.page import Page
    from registry.pages.reader import Reader
    from registry.pages.site import Site

PAGE_SIZE = 50

# The kinds of list whose members are codes of the format: address, code list, fact of a card.
_CODED: tuple[tuple[str, str, Callable[[Card], str]], ...] = (
    ("risk", "risk_level", lambda card: card.risk),
    ("sectors", "sector", lambda card: card.sector),
    ("status", "status", lambda card: card.status),
)


def browse_pages(site: Site) -> Iterator[Page]:
    """Yield every index and every page of every list, in each language."""
    shown = [card for card in site.cards.values() if not card.withdrawn]
    for tag, edition in site.editions.items():
        reader = edition.reader
        ordered = _in_order(reader, shown)
        for kind, codelist, fact in _CODED:
            yield _index(site, tag, kind, shown, codelist)
            for code in _codes(reader, codelist):
                chosen = [card for card in ordered if fact(card) == code]
                yield from _list(site, tag, kind, code, chosen)
        yield _agency_index(site, tag, shown)
        by_agency: dict[str, list[Card]] = {agency: [] for agency in site.corpus.agencies}
        for card in ordered:
            by_agency.setdefault(card.agency, []).append(card)
        for agency, chosen in by_agency.items():
            yield from _list(site, tag, "agencies", agency, chosen)


def _codes(reader: Reader, codelist: str) -> list[str]:
    if codelist == "risk_level":
        return list(LEVELS)
    return list(reader.labels[codelist])


def _in_order(reader: Reader, cards: Sequence[Card]) -> list[Card]:
    """Put this register's own records first, then sort by name in the reader's language."""

    def place(card: Card) -> tuple[bool, str, str]:
        name = say(reader, card.name)
        return (card.origin is not None, fold(name.text) if name else "", card.id)

    return sorted(cards, key=place)


def _index(site: Site, tag: str, kind: str, shown: list[Card], codelist: str) -> Page:
    reader = site.editions[tag].reader
    codes = _codes(reader, codelist)
    rows = count_rows(reader, shown, codes, codelist, kind)
    elsewhere = len(copied(shown))

    def view() -> dict[str, Any]:
        return {"kind": kind, "rows": rows, "copied": elsewhere}

    key = digest(msgspec.json.encode([[row["here"], row["copied"]] for row in rows]))
    return page(site, tag, f"{kind}/", template="kinds.html", key=key, view=view)


def _agency_index(site: Site, tag: str, shown: list[Card]) -> Page:
    reader = site.editions[tag].reader
    number: dict[str, int] = dict.fromkeys(site.corpus.agencies, 0)
    for card in shown:
        number[card.agency] = number.get(card.agency, 0) + 1
    groups: dict[str, list[dict[str, Any]]] = {}
    for agency_id, total in number.items():
        agency = site.corpus.agencies.get(agency_id)
        origin = agency.origin if agency else None
        groups.setdefault(origin or "here", []).append(
            {
                "code": agency_id,
                "path": f"agencies/{agency_id}",
                "name": agency_name(reader, agency.name if agency else None, agency_id),
                "badge": False,
                "fictitious": bool(agency and agency.fictitious),
                "total": total,
            }
        )
    for rows in groups.values():
        rows.sort(key=lambda row: (row["fictitious"], fold(row["name"].text), row["code"]))

    def view() -> dict[str, Any]:
        return {
            "groups": [
                {"code": code, "rows": rows, **origin_view(reader, site, code)}
                for code, rows in sorted(groups.items(), key=lambda item: item[0] != "here")
            ],
        }

    key = digest(msgspec.json.encode([number, site.corpus.agencies]))
    return page(site, tag, "agencies/", template="agencies.html", key=key, view=view)


def _list(site: Site, tag: str, kind: str, code: str, cards: list[Card]) -> Iterator[Page]:
    reader = site.editions[tag].reader
    pages = max(1, -(-len(cards) // PAGE_SIZE))
    elsewhere = len(copied(cards))
    agency = site.corpus.agencies.get(code) if kind == "agencies" else None
    facts = [kind, code, len(cards), elsewhere, agency]
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
                "code": code,
                "name": _title(reader, site, kind, code),
                "description": _description(reader, site, kind, code),
                "agency": agency
                and {
                    "website": agency.website,
                    "fictitious": agency.fictitious,
                    **origin_view(reader, site, agency.origin),
                },
                "total": len(cards),
                "copied_total": elsewhere,
                "groups": groups,
                "page": number,
                "pages": pages,
            }

        key = digest(msgspec.json.encode([*facts, number, pages]), *(card.digest for card in part))
        suffix = "" if number == 1 else f"/{number}"
        yield page(site, tag, f"{kind}/{code}{suffix}", template="browse.html", key=key, view=view)


def _rows(reader: Reader, site: Site, cards: list[Card], *, foreign: bool) -> list[dict[str, Any]]:
    return [card_row(reader, site, card) for card in cards if (card.origin is not None) == foreign]


def _title(reader: Reader, site: Site, kind: str, code: str) -> Any:
    if kind == "agencies":
        agency = site.corpus.agencies.get(code)
        return agency_name(reader, agency.name if agency else None, code)
    codelist = next(codelist for name, codelist, _ in _CODED if name == kind)
    return label(reader, codelist, code)


def _description(reader: Reader, site: Site, kind: str, code: str) -> Any:
    codelist = next((codelist for name, codelist, _ in _CODED if name == kind), None)
    found = site.lists[codelist].get(code) if codelist else None
    return say(reader, found.description) if found else None
