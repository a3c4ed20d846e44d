"""The index of agencies: by kind, from A to Z, and those of other registers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import msgspec

from registry.pages.labels import message
from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, page
from registry.pages.views.browse_pages import TITLES
from registry.pages.views.lists import agency_view, origin_view
from registry.text.folding import fold

KINDS = {
    "ministry": message("Ministries"),
    "department": message("Departments"),
    "public_institution": message("Public institutions"),
    "local_authority": message("Local authorities"),
    "court": message("Courts"),
    "other": message("Other bodies"),
    "demonstration": message("Fictitious agencies of the demonstration"),
}
"""The kinds of agencies in their order, in English."""

FEW = 12
"""Agencies that need no letters to jump to."""

_ARTICLES = ("ال", "l'")


def agency_pages(site: Site) -> Iterator[Page]:
    """Yield the index in each language."""
    number = Counter(card.agency for card in site.cards.values() if not card.withdrawn)
    systems = {agency: said.systems_total for agency, said in site.snapshot.attestations.items()}
    key = digest(msgspec.json.encode([number, site.snapshot.agencies, systems]))
    for tag, edition in site.editions.items():
        view = partial(_index, edition.reader, site, number)
        yield page(site, tag, "agencies/", template="agencies.html", key=key, view=view)


def _index(reader: Reader, site: Site, number: Counter[str]) -> dict[str, Any]:
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
            "kind": known.kind if known and known.kind in KINDS else "other",
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
            for kind, title in KINDS.items()
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
    """Return what a name is ordered by: folded, and without its article."""
    folded = fold(name)
    article = next((one for one in _ARTICLES if folded.startswith(one)), "")
    return folded.removeprefix(article).lstrip("-« \"'")


def _by_letter(rows: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return rows by the first letter of their names; they are in order."""
    return [
        (letter, list(several))
        for letter, several in groupby(rows, key=lambda row: row["order"][:1].upper())
    ]
