"""What a workbook says of one record: the document, the cells of its values, what is unreadable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from registry.exchange.workbooks.sheets import cell_name
from registry.record.model import Document
from registry.record.pointers import dig, parts, pointer, put


class CellPlace(NamedTuple):
    """A cell, by row and column from 0."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """The cell's name, such as `B7`."""
        return cell_name(self.row, self.column)


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that cannot be read, the path of its value as far as it is known, and why."""

    place: CellPlace
    path: tuple[str | int, ...]
    message: str


class DerivedCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that follows from another: `text` says the value at `path`, which `column` has.

    `lists` are those of its codes; without any it is a text by language.
    """

    place: CellPlace
    path: tuple[str, ...]
    text: str
    column: str
    lists: tuple[str, ...] = ()


class FilledRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a sheet: a whole form, or a row of a table.

    `tag` is of the state that it was made of, None for a new record. `missing` are paths that the
    sheet has no room for, of which it says nothing. `places` are the cells of values by pointer,
    `home` is that of the record.
    """

    sheet: str
    row: int
    record: str
    document: Document
    tag: str | None
    home: CellPlace
    places: Mapping[str, CellPlace]
    unread: tuple[Unread, ...] = ()
    is_blank: bool = False
    missing: tuple[tuple[str, ...], ...] = ()
    derived: tuple[DerivedCell, ...] = ()

    def place_of(self, given: str) -> CellPlace:
        """Return the cell of a pointer, or the nearest: of what is in it, or of what it is in."""
        here = given
        while here:
            if here in self.places:
                return self.places[here]
            within = [at for at in self.places if at.startswith(f"{here}/")]
            if within:
                return min(self.places[at] for at in within)
            here = pointer(parts(here)[:-1])
        return self.home


def keep_missing(filled: FilledRecord, base: Document) -> Document:
    """Return the document with what its base states and the sheet has no room for."""
    document: Document = _copied(filled.document)
    for path in filled.missing:
        value = dig(base, *path)
        if value is not None and dig(document, *path) is None:
            put(document, path, value)
    return document


def _copied(value: Any) -> Any:
    """Return a copy of the objects of a document."""
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    return value
