"""The agencies of another register, from the columns that name them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from registry.exchange.cells import as_line
from registry.exchange.crosswalk import Crosswalk
from registry.exchange.identity import digest, words
from registry.record.pack import Agency

KIND = "foreign"
LONGEST = 80


def find_agencies(
    crosswalk: Crosswalk, rows: Sequence[dict[str, Any]], nothing: frozenset[str]
) -> list[Agency | None]:
    """Return the agency of every row, in the order of the rows; None where the row names none.

    An agency that the source names in several ways gets the name that occurs most often.
    """
    ids: list[str | None] = []
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        name = as_line(row.get(crosswalk.agency.name), nothing)
        code = as_line(row.get(crosswalk.agency.code), nothing) if crosswalk.agency.code else name
        if not name or not code:
            ids.append(None)
            continue
        ids.append(agency_id(crosswalk.agency.prefix, code))
        spellings[f"{ids[-1]}"][name] += 1
    agencies = {
        agency: Agency(
            id=agency,
            name={crosswalk.language: min(names, key=lambda name: (-names[name], name))},
            kind=KIND,
            parent=None,
            region=None,
            website=None,
            fictitious=False,
            origin=crosswalk.origin,
        )
        for agency, names in spellings.items()
    }
    return [None if found is None else agencies[found] for found in ids]


def agency_id(prefix: str, name: str) -> str:
    """Return the agency's id: the prefix, a dot, and the words of the name.

    Names that differ only in case, accents and punctuation are of one agency. If letters had to be
    left out, a digest of the name keeps different agencies apart.
    """
    kept, whole = words(name, LONGEST)
    if not whole:
        kept = f"{kept}-{digest([name.casefold()])}".lstrip("-")
    return f"{prefix}.{kept}"
