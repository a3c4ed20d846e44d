"""Indexes and lists of records by risk, sector, status, agency and region."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import msgspec

from registry.pages.cards import HIGH, Card, copied, counted
from registry.pages.labels import message
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, label, say
from registry.pages.site import Site, page, pages
from registry.pages.views.agency_page import agency_head, gather_facts
from registry.pages.views.lists import AGENCY_KINDS, agency_view, card_row, count_rows, origin_view
from registry.record.model import NOT_STATED, RUNNING
from registry.text.folding import initial, sort_key

PAGE_SIZE = 50

_CODED = {"risk": "risk_level", "sectors": "sector", "status": "status"}
"""The kinds of list whose members are codes of the format: address, code list."""

TITLES = {
    "risk": message("Records by level of risk"),
    "sectors": message("Records by sector"),
    "status": message("Records by status"),
    "agencies": message("Records by agency"),
    "regions": message("Records by region"),
}
"""The kinds of list, by address, in English."""
KIND = "regions"
_LIST = "pack/regions"

TILE_WIDTH, TILE_HEIGHT = 100, 76
"""The units of a tile of the map."""

_LINE = 11
"""The characters of a name that a line of a tile holds."""

_LINE_HEIGHT = 15
_SHADES = 4


def browse_pages(site: Site) -> Iterator[Page]:
    """Yield every index, and the pages of every list, in each language."""
    shown = [card for card in site.cards.values() if not card.withdrawn]
    for kind, codelist in _CODED.items():
        yield from _indexes(site, kind, shown, codelist)
    lists = list(_lists(site, shown))
    for tag, edition in site.editions.items():
        members: dict[str, list[Card]] = {}
        for card in in_order(edition.reader, shown):
            for path in (
                f"risk/{card.risk}",
                f"risk/{card.risk}/{card.sector}",
                f"sectors/{card.sector}",
                f"status/{card.status}",
                f"agencies/{card.agency}",
            ):
                members.setdefault(path, []).append(card)
        for one in lists:
            yield from list_pages(site, tag, one, members.get(f"{one.kind}/{one.code}", []))


class ListedRecords(msgspec.Struct, frozen=True):
    """A list of records; `facts` is what its head shows besides the code's own words."""

    kind: str
    code: str
    head: Callable[[Reader], Mapping[str, Any]]
    facts: Sequence[Any] = ()


def _lists(site: Site, shown: Sequence[Card]) -> Iterator[ListedRecords]:
    readers = [edition.reader for edition in site.editions.values()]
    labels = readers[0].labels
    for kind, codelist in _CODED.items():
        for code in labels[codelist]:
            head = partial(_code_head, site=site, codelist=codelist, code=code)
            yield ListedRecords(kind, code, head)
    for risk, sector in dict.fromkeys((card.risk, card.sector) for card in shown):
        head = partial(_crossed_head, site=site, risk=risk, sector=sector)
        yield ListedRecords("risk", f"{risk}/{sector}", head)
    for found in gather_facts(site, in_order(readers[0], [*site.cards.values()])):
        head = partial(agency_head, site=site, facts=found)
        yield ListedRecords("agencies", found.agency_id, head, found.key(site))


def in_order(reader: Reader, cards: Sequence[Card]) -> list[Card]:
    """Return records by name in the reader's language, those of this register first."""

    def place(card: Card) -> tuple[bool, str, str]:
        name = say(reader, card.name, card.written)
        return (card.origin is not None, sort_key(name.text) if name else "", card.id)

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
        "title": TITLES[kind],
        "rows": count_rows(site.editions[tag].reader, shown, codelist, kind),
        "copied": len(copied(shown)),
        "table": _risk_by_sector(site, tag, shown) if kind == "risk" else None,
    }


def _risk_by_sector(site: Site, tag: str, shown: list[Card]) -> dict[str, Any]:
    """Return the table of records by sector and level of risk."""
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
                    {
                        "path": f"risk/{level}/{code}",
                        "level": label(reader, "risk_level", level),
                        "count": number[code, level],
                    }
                    for level in levels
                ],
            }
            for code in reader.labels["sector"]
            if code in sectors
        ],
    }


def list_pages(site: Site, tag: str, one: ListedRecords, cards: Sequence[Card]) -> Iterator[Page]:
    """Yield the pages of a list in one language; `cards` are in order."""
    count = max(1, -(-len(cards) // PAGE_SIZE))
    shown = {
        "kind": one.kind,
        "title": TITLES[one.kind],
        "code": one.code,
        "total": len(cards),
        "copied_total": len(copied(cards)),
        "pages": count,
    }
    known = digest(msgspec.json.encode([shown, *one.facts]))
    for number in range(1, count + 1):
        part = cards[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        suffix = "" if number == 1 else f"/{number}"
        yield page(
            site,
            tag,
            f"{one.kind}/{one.code}{suffix}",
            template="agency.html" if one.kind == "agencies" else "browse.html",
            key=digest(known, str(number), *(card.digest for card in part)),
            view=partial(_list_view, site, tag, shown | {"page": number}, part, one.head),
        )


def _list_view(
    site: Site,
    tag: str,
    shown: dict[str, Any],
    part: Sequence[Card],
    head: Callable[[Reader], Mapping[str, Any]],
) -> dict[str, Any]:
    reader = site.editions[tag].reader
    groups = [
        {"copied": foreign, "cards": [card_row(reader, site, card) for card in cards]}
        for foreign in (False, True)
        if (cards := [card for card in part if (card.origin is not None) == foreign])
    ]
    return shown | {
        "within": None,
        "region": None,
        "groups": groups,
        **head(reader),
    }


def _code_head(reader: Reader, *, site: Site, codelist: str, code: str) -> dict[str, Any]:
    known = site.lists[codelist].get(code)
    return {
        "name": label(reader, codelist, code),
        "description": say(reader, known.description) if known else None,
    }


def _crossed_head(reader: Reader, *, site: Site, risk: str, sector: str) -> dict[str, Any]:
    within = {"name": label(reader, "sector", sector), "path": f"sectors/{sector}"}
    return _code_head(reader, site=site, codelist="risk_level", code=risk) | {"within": within}


FEW = 12
"""Agencies that need no letters to jump to."""

_ARTICLES = ("ال", "l'")


def agency_pages(site: Site) -> Iterator[Page]:
    """Yield the index in each language."""
    number = Counter(card.agency for card in site.cards.values() if not card.withdrawn)
    systems = {agency: said.systems_total for agency, said in site.snapshot.attestations.items()}
    key = digest(msgspec.json.encode([number, site.snapshot.agencies, systems]))
    for tag, edition in site.editions.items():
        view = partial(_agency_index, edition.reader, site, number)
        yield page(site, tag, "agencies/", template="agencies.html", key=key, view=view)


def _agency_index(reader: Reader, site: Site, number: Counter[str]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {"here": []}
    for agency_id in [*site.snapshot.agencies, *(number.keys() - site.snapshot.agencies.keys())]:
        agency = agency_view(reader, site, agency_id)
        if agency["origin"] and not number[agency_id]:
            # Its records moved to another agency, or were withdrawn: its own page stays.
            continue
        said = site.snapshot.attestations.get(agency_id)
        known = site.snapshot.agencies.get(agency_id)
        row = agency | {
            "total": number[agency_id],
            "systems": said and said.systems_total,
            "kind": known.kind if known and known.kind in AGENCY_KINDS else "other",
            "order": _order(agency["name"].text),
        }
        groups.setdefault(agency["origin"] or "here", []).append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: (row["order"], row["id"]))
    here = groups.pop("here")
    return {
        "title": TITLES["agencies"],
        "total": len(here),
        "filed": sum(row["total"] > 0 for row in here),
        "silent": sum(not row["total"] and row["systems"] is None for row in here),
        "kinds": [
            {"code": kind, "title": title, "rows": rows}
            for kind, title in AGENCY_KINDS.items()
            if (rows := [row for row in here if row["kind"] == kind])
        ],
        "letters": _by_letter(here),
        "groups": [
            {"code": code, "total": len(rows), "letters": _by_letter(rows)}
            | origin_view(reader, site, code)
            for code, rows in groups.items()
        ],
        "few": FEW,
    }


def _order(name: str) -> str:
    """Return what a name is ordered by: its sort key, without its article."""
    key = sort_key(name)
    article = next((one for one in _ARTICLES if key.startswith(one)), "")
    return key.removeprefix(article).lstrip("-« \"'")


def _by_letter(rows: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return rows by the first letter of their names; they are in order."""
    return [
        (letter, list(several))
        for letter, several in groupby(rows, key=lambda row: initial(row["order"]))
    ]


def overview_pages(site: Site) -> Iterator[Page]:
    """Yield the overview in each language."""
    facts = _facts(site)
    key = digest(msgspec.json.encode(facts))
    yield from pages(
        site, "browse", template="overview.html", key=key, view=partial(_view, facts=facts)
    )


def _facts(site: Site) -> dict[str, Any]:
    cards = [card for card in site.cards.values() if not card.withdrawn]
    here = counted(cards)
    running = [card for card in here if card.status in RUNNING]
    country = site.snapshot.pack.country
    filed = {card.agency for card in here}
    agencies = [one for one in site.snapshot.agencies.values() if not one.origin]
    return {
        "total": len(here),
        "copied_total": len(copied(cards)),
        "sectors": len({card.sector for card in here}),
        "high": sum(card.risk in HIGH for card in running),
        "agencies": len(agencies),
        "silent": sum(
            one.id not in filed and one.id not in site.snapshot.attestations for one in agencies
        ),
        "regions": len(site.lists["pack/regions"]) - 1,
        "whole": sum(country in card.territory for card in here),
        "running": len(running),
        "registers": bool(site.snapshot.sizes or site.snapshot.imports or site.snapshot.peers),
    }


def _view(_: Reader, *, facts: dict[str, Any]) -> dict[str, Any]:
    return facts


def region_pages(site: Site) -> Iterator[Page]:
    """Yield the map, and the pages of each region's list, in each language."""
    shown = [card for card in site.cards.values() if not card.withdrawn]
    regions = site.lists[_LIST]
    codes = [*regions, NOT_STATED]
    here, elsewhere = _count(counted(shown)), _count(copied(shown))
    key = digest(msgspec.json.encode([sorted(here.items()), sorted(elsewhere.items())]))
    for tag, edition in site.editions.items():
        reader = edition.reader
        view = partial(_region_index, reader, site, here, elsewhere)
        yield page(site, tag, f"{KIND}/", template="regions.html", key=key, view=view)
        ordered = in_order(reader, shown)
        for code in codes:
            head = partial(_head, code=code, whole=here[site.snapshot.pack.country])
            listed = ListedRecords(KIND, code, head, [here[site.snapshot.pack.country]])
            cards = [card for card in ordered if code in _places(card)]
            yield from list_pages(site, tag, listed, cards)


def map_lines(name: str) -> list[str]:
    """Return a region's name in lines that a tile holds, broken at spaces and after hyphens.

    >>> map_lines("Tanger-Tétouan-Al Hoceïma")
    ['Tanger-', 'Tétouan-Al', 'Hoceïma']
    """
    lines = [""]
    for part in re.findall(r"[^\s-]+(?:\s*-)?\s*", name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > _LINE:
            lines.append("")
        lines[-1] += part
    return [line.strip() for line in lines]


def _places(card: Card) -> Sequence[str]:
    return card.territory or (NOT_STATED,)


def _count(cards: Sequence[Card]) -> Counter[str]:
    return Counter(code for card in cards for code in dict.fromkeys(_places(card)))


def _region_index(
    reader: Reader, site: Site, here: Counter[str], elsewhere: Counter[str]
) -> dict[str, Any]:
    country = site.snapshot.pack.country
    regions = site.lists[_LIST]
    rows = [
        {
            "path": f"{KIND}/{code}",
            "name": label(reader, _LIST, code),
            "badge": False,
            "here": here[code],
            "copied": elsewhere[code],
        }
        for code in (*(code for code in regions if code != country), NOT_STATED)
        if code != NOT_STATED or here[code] or elsewhere[code]
    ]
    return {
        "title": TITLES[KIND],
        "rows": rows,
        "copied": sum(elsewhere[code] for code in regions if code != country),
        "whole": here[country],
        "country_path": f"{KIND}/{country}",
        "tiles": _tiles(reader, site, here),
    }


def _tiles(reader: Reader, site: Site, here: Counter[str]) -> list[dict[str, Any]]:
    """Return the tiles of the map; the pack says where each lies, none where it does not."""
    placed = {
        code: (int(one.extra["column"]), int(one.extra["row"]))
        for code, one in site.lists[_LIST].items()
        if "column" in one.extra
    }
    most = max((here[code] for code in placed), default=0) or 1
    tiles = []
    for code in sorted(placed, key=lambda code: placed[code][::-1]):
        column, row = placed[code]
        name = label(reader, _LIST, code)
        lines = map_lines(name.text)
        top = (row - 1) * TILE_HEIGHT + (TILE_HEIGHT - _LINE_HEIGHT * (len(lines) + 1)) / 2
        tiles.append(
            {
                "path": f"{KIND}/{code}",
                "name": name,
                "here": here[code],
                "shade": -(-_SHADES * here[code] // most),
                "x": (column - 1) * TILE_WIDTH,
                "y": (row - 1) * TILE_HEIGHT,
                "middle": (column - 1) * TILE_WIDTH + TILE_WIDTH // 2,
                "lines": [(top + _LINE_HEIGHT * (at + 0.8), line) for at, line in enumerate(lines)],
                "last": top + _LINE_HEIGHT * (len(lines) + 0.9),
            }
        )
    return tiles


def _head(reader: Reader, *, code: str, whole: int) -> dict[str, Any]:
    """Return the head of a region's list; `whole` counts what applies to the whole country."""
    country = reader.pack.country
    known = reader.pack.regions.get(code)
    return {
        "name": label(reader, _LIST, code),
        "description": say(reader, known.description) if known else None,
        "region": {"whole": 0 if code in {country, NOT_STATED} else whole, "country": country},
    }
