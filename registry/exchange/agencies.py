"""The agencies of another register, from the columns that name them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from registry.exchange.cells import RowRefused, fold_value
from registry.exchange.columns import CellReader, cell_at
from registry.exchange.crosswalk_model import AgencySource, Crosswalk, OtherAgency
from registry.exchange.identity import DIGITS, digest, words
from registry.record.ids import agency_of
from registry.record.pack import Agency

KIND = "foreign"
LONGEST = 60
"""The longest id of an agency, so that a source's own id of 40 characters stays whole after it."""

NamedAgency: TypeAlias = tuple[str, dict[str, str]]
"""The id, and the name by language."""


def find_agencies(
    crosswalk: Crosswalk, rows: Sequence[dict[str, Any]], reader: CellReader
) -> list[Agency | None]:
    """Return the agency of every row, in the order of the rows; None where the row names none.

    An agency that the source names in several ways gets the name that occurs most often.
    """
    ids: list[str | None] = []
    spellings: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in rows:
        named = None
        with suppress(RowRefused):  # the row is refused for the same reason when its turn comes
            named = named_agency(crosswalk, row, reader)
        ids.append(named and named[0])
        for language, name in named[1].items() if named else ():
            spellings[f"{ids[-1]}"][language][name] += 1
    agencies = {
        agency: Agency(
            id=agency,
            name={
                language: min(names, key=lambda name: (-names[name], name))
                for language, names in by_language.items()
            },
            kind=KIND,
            parent=None,
            region=None,
            website=None,
            fictitious=False,
            origin=crosswalk.origin,
        )
        for agency, by_language in spellings.items()
    }
    return [None if found is None else agencies[found] for found in ids]


def named_agency(
    crosswalk: Crosswalk, row: dict[str, Any], reader: CellReader
) -> NamedAgency | None:
    """Return the agency that a row names. Raises `RowRefused` for a cell that is no text."""
    source = crosswalk.agency
    if crosswalk.document is not None:
        return _of_document(crosswalk, cell_at(row, reader.name(crosswalk.document)))
    if source.constant is not None:
        return _stated(source, OtherAgency(stated=source.constant), crosswalk.language, row, reader)
    names = {
        language: name
        for language, reading in ({crosswalk.language: source.name} | source.names).items()
        if (name := reader.line(row, reading))
    }
    code = reader.line(row, source.code) if source.code else next(iter(names.values()), "")
    if names and code:
        return _id(source, code), names
    others = (_stated(source, other, crosswalk.language, row, reader) for other in source.otherwise)
    return next((named for named in others if named is not None), None)


def _stated(
    source: AgencySource,
    other: OtherAgency,
    language: str,
    row: dict[str, Any],
    reader: CellReader,
) -> NamedAgency | None:
    if other.stated is None:
        name = reader.line(row, other.reading)
        return (_id(source, name), {language: name}) if name else None
    names = other.stated.name
    code = other.stated.code or names.get(language) or next(iter(names.values()))
    return _id(source, code), names


def _id(source: AgencySource, name: str) -> str:
    return agency_id(source.prefix, source.renamed.get(fold_value(name), name))


def _of_document(crosswalk: Crosswalk, document: Any) -> NamedAgency | None:
    """Return the agency that a document of another register of this software is of."""
    own = document.get("id") if isinstance(document, dict) else None
    if not isinstance(own, str) or own.count("/") != 1:
        return None
    code = agency_of(own)
    names = crosswalk.agency.known.get(code, {crosswalk.language: code})
    return f"{crosswalk.agency.prefix}.{code}", names


def agency_id(prefix: str, name: str) -> str:
    """Return the agency's id: the prefix, a dot, and the words of the name.

    Names that differ only in case, accents and punctuation are of one agency. If letters had to be
    left out, a digest of the name keeps different agencies apart.
    """
    room = LONGEST - len(prefix) - 1
    kept, whole = words(name, room)
    if not whole:
        kept, _ = words(name, room - DIGITS - 1)
        kept = f"{kept}-{digest([name.casefold()])}".lstrip("-")
    return f"{prefix}.{kept}"
