"""Records by where they apply: a schematic map of the regions beside its table, and their lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.cards import Card, copied, counted
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, label, say
from registry.pages.site import Site, page
from registry.pages.views.browse_pages import TITLES, ListedRecords, in_order, list_pages
from registry.record.model import NOT_STATED

KIND = "regions"
_LIST = "pack/regions"

TILE_WIDTH, TILE_HEIGHT = 100, 76
"""The units of a tile of the map."""

_LINE = 11
"""The characters of a name that a line of a tile holds."""

_LINE_HEIGHT = 15
_SHADES = 4


def region_pages(site: Site) -> Iterator[Page]:
    """Yield the map, and the pages of each region's list, in each language."""
    shown = [card for card in site.cards.values() if not card.withdrawn]
    regions = site.lists[_LIST]
    codes = [*regions, NOT_STATED]
    here, elsewhere = _count(counted(shown)), _count(copied(shown))
    key = digest(msgspec.json.encode([sorted(here.items()), sorted(elsewhere.items())]))
    for tag, edition in site.editions.items():
        reader = edition.reader
        view = partial(_index, reader, site, here, elsewhere)
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


def _index(
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
