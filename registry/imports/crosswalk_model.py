"""What a crosswalk says: how the export of another register maps to the record format."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import msgspec

from registry.imports.dates import Order
from registry.imports.source import ReadOptions
from registry.record.origin import Origin
from registry.record.pointers import pointer
from registry.record.schema import field_at
from registry.structs import copy_as

AGENCY = "agency"

Scalar: TypeAlias = str | bool | int | None
Meaning: TypeAlias = Scalar | tuple[str | bool | int, ...]
ColumnNames: TypeAlias = tuple[str, ...]
"""The names that a column has, or had: by the first that the file has it is read."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A column, the part of its cells that is meant, and how it writes dates."""

    column: ColumnNames
    part: str | None = None
    pattern: tuple[str, ...] = ()


class RowCondition(msgspec.Struct, frozen=True, kw_only=True):
    """That a column says one of some values, or none of them."""

    column: ColumnNames
    one_of: tuple[str, ...] | None = msgspec.field(default=None, name="is")
    none_of: tuple[str, ...] | None = msgspec.field(default=None, name="is_not")


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """The date formats of the source; see `dates.fuzzy_date`."""

    order: Order | None = None
    century_from: int | None = None


class StatedAgency(msgspec.Struct, frozen=True, kw_only=True):
    """An agency that the crosswalk names itself; the id is made of the code, else of the name."""

    name: dict[str, str]
    code: str | None = None


class OtherAgency(msgspec.Struct, frozen=True, kw_only=True):
    """What names the agency where the row does not: another column, or the crosswalk itself."""

    reading: Reading | None = None
    stated: StatedAgency | None = None


class AgencySource(msgspec.Struct, frozen=True, kw_only=True):
    """What names the agency of a row, and the prefix of foreign agencies.

    `names` are its names in further languages. `otherwise` is tried, in order, where the row names
    none. `constant` is the one agency of a file without such a column. `known` are the names of the
    agencies of another register of this software, by their code. `renamed` has, by the folded name
    or code of an agency, the earlier one that made its id.
    """

    prefix: str
    name: Reading | None = None
    code: Reading | None = None
    names: dict[str, Reading] = {}
    constant: StatedAgency | None = None
    otherwise: tuple[OtherAgency, ...] = ()
    known: dict[str, dict[str, str]] = {}
    renamed: dict[str, str] = {}


class IdWords(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies a row; see `identity`.

    `own` is the column of the source's own id. `of` identifies a row without one, `telling_apart`
    decides where these are equal; their words are those of `word_meaning`.
    """

    own: Reading | None = None
    of: tuple[str, ...]
    telling_apart: tuple[str, ...] = ()


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping of a column to a place of the record by a transform, as the schema documents."""

    to: str
    transform: str
    column: ColumnNames | None = None
    lang: str | None = None
    translation: str | None = None
    values: dict[str, Meaning] = {}
    value: Scalar = None
    list: str | None = None
    part: str | None = None
    pattern: tuple[str, ...] = ()
    label: str = ""
    beside: dict[str, Any] = {}
    when: RowCondition | None = None
    otherwise: ColumnNames | None = None
    strict: bool = False
    note: str | None = None


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """A column that is left out on purpose."""

    column: str
    reason: str


class Crosswalk(msgspec.Struct, frozen=True, kw_only=True):
    """A crosswalk of another register; `schemas/crosswalk.schema.json` documents it."""

    origin: str
    title: str
    publisher: str
    homepage: str
    licence: str
    country: str
    read: ReadOptions
    language: str
    over_long: Literal["refuse", "truncate_and_mark"] = "refuse"
    nothing: tuple[str, ...] = ()
    dates: Dates = Dates()
    only: RowCondition | None = None
    document: ColumnNames | None = None
    agency: AgencySource
    id: IdWords
    changed_on: Reading | None = None
    as_of: Reading | None = None
    mappings: tuple[Mapping, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()

    def as_origin(self) -> Origin:
        """Return what the crosswalk says of the register."""
        return copy_as(Origin, self, code=self.origin)

    def sha256(self) -> str:
        """Return a digest of everything that the crosswalk says, in hex."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def target_path(place: str) -> tuple[str, ...]:
    """Return the path of a mapping's place; `-`, an item to add, is `*` in the schema."""
    return tuple("*" if part == "-" else part for part in place.split("/")[1:])


def unknown_columns(crosswalk: Crosswalk, columns: Iterable[str]) -> list[str]:
    """Return the columns of a file that the crosswalk neither reads nor leaves out on purpose."""
    known = {name for names in columns_read(crosswalk) for name in names}
    known |= {left_out.column for left_out in crosswalk.unmapped}
    places = {f"{_place(name)}/" for name in known}
    return [
        column
        for column in columns
        if column not in known
        and not any(
            here.startswith(place) or place.startswith(here)
            for here in (f"{_place(column)}/",)
            for place in places
        )
    ]


def _place(column: str) -> str:
    return column if column.startswith("/") else pointer([column])


def columns_read(crosswalk: Crosswalk) -> list[ColumnNames]:
    """Return every column that the crosswalk reads for the agency, the id or a field."""
    agency = crosswalk.agency
    readings = [agency.name, agency.code, *agency.names.values(), crosswalk.id.own]
    readings += [*(one.reading for one in agency.otherwise), crosswalk.changed_on, crosswalk.as_of]
    read = [crosswalk.document, *(reading.column for reading in readings if reading is not None)]
    conditions = [crosswalk.only]
    for mapping in crosswalk.mappings:
        read += [mapping.column, mapping.otherwise]
        conditions.append(mapping.when)
    read += [condition.column for condition in conditions if condition is not None]
    return list(dict.fromkeys(columns for columns in read if columns is not None))


def word_meaning(crosswalk: Crosswalk, word: str) -> tuple[str, ...]:
    """Return what a word of the crosswalk's id means: `agency`, or JSON Pointers; () if nothing.

    A word is `agency`, a JSON Pointer of a field that a mapping fills, the bare name of a member of
    the record, or a column that a mapping reads, which means the fields that the mapping fills.
    """
    if word == AGENCY:
        return (AGENCY,)
    filled = [mapping.to.split("/-")[0] for mapping in crosswalk.mappings]
    for place in (word, f"/{word}"):
        if any(place == to or to.startswith(f"{place}/") for to in filled):
            return (place,)
        if crosswalk.document is not None and field_at(target_path(place)) is not None:
            return (place,)
    read = tuple(
        dict.fromkeys(
            to
            for to, mapping in zip(filled, crosswalk.mappings, strict=True)
            if word in (mapping.column or ())
        )
    )
    agency = [one for one in (crosswalk.agency.name, crosswalk.agency.code) if one is not None]
    if not read and any(word in reading.column for reading in agency):
        return (AGENCY,)
    return read
