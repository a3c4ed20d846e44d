"""Crosswalks: how the export of another register maps to the record format."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from jsonschema.exceptions import best_match

from registry.errors import ImportRefused, RegistryError
from registry.exchange.dates import Order
from registry.exchange.readers.options import ReadOptions
from registry.record.parse import parse
from registry.record.pointers import pointer
from registry.record.schema import field_at
from registry.record.validators import validator_of
from registry.resources import SCHEMAS

FOLDER = SCHEMAS / "crosswalks"

AGENCY = "agency"
_NO_COUNTRY = (
    "it does not say which country the source is of; add a member such as "
    '"country": "NL" (the two capital letters of ISO 3166-1)'
)

Scalar: TypeAlias = str | bool | int | None


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """The date formats of the source; see `dates.fuzzy_date`."""

    order: Order | None = None
    century_from: int | None = None


class AgencyColumns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns that name the agency, and the prefix of foreign agencies."""

    prefix: str
    name: str
    code: str | None = None


class IdWords(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies a row; see `identity`.

    `own` is the column of the source's own id. `of` identifies a row without one, `telling_apart`
    decides where these are equal; their words are those of `word_meaning`.
    """

    own: str | None = None
    of: tuple[str, ...]
    telling_apart: tuple[str, ...] = ()


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping of a column to a place of the record by a transform, as the schema documents."""

    to: str
    transform: str
    column: str | None = None
    values: dict[str, Scalar] = {}
    value: Scalar = None
    list: str | None = None
    beside: dict[str, Any] = {}
    otherwise: str | None = None
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
    over_long: Literal["refuse", "truncate_and_mark"]
    nothing: tuple[str, ...] = ()
    dates: Dates = Dates()
    agency: AgencyColumns
    id: IdWords
    changed_on: str | None = None
    mappings: tuple[Mapping, ...]
    unmapped: tuple[Unmapped, ...]


def names() -> list[str]:
    """Return the names of the crosswalks that come with the register."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load_crosswalk(name_or_path: str | Path) -> Crosswalk:
    """Return a checked crosswalk. Raises `ImportRefused` with the place of the fault."""
    path = _find(str(name_or_path))
    try:
        document = _upgraded(parse(path.read_bytes()))
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    except RegistryError as error:
        raise ImportRefused(f"{path}: {error}") from error
    if isinstance(document, dict) and "country" not in document:
        raise ImportRefused(f"{path}: {_NO_COUNTRY}")
    wrong = best_match(validator_of("crosswalk").iter_errors(document))
    if wrong is not None:
        where = pointer(wrong.absolute_path) or "/"
        raise ImportRefused(f"{path}: at {where}: {wrong.message}")
    crosswalk = msgspec.convert(document, Crosswalk)
    for problem in _problems(crosswalk):
        raise ImportRefused(f"{path}: {problem}")
    return crosswalk


def _upgraded(document: Any) -> Any:
    """Return a crosswalk with its short forms, and what older ones say, in today's words."""
    if not isinstance(document, dict):
        return document
    new = dict(document)
    if isinstance(new.get("format"), dict) and "read" not in new:
        older = dict(new.pop("format"))
        if isinstance(older.get("rows"), str):
            older["rows"] = pointer([older["rows"]])
        new["read"] = {"as" if name == "kind" else name: value for name, value in older.items()}
    if isinstance(new.get("read"), str):
        new["read"] = {"as": new["read"]}
    id_ = new.get("id")
    if isinstance(id_, dict) and isinstance(id_.get("identifying"), list):
        named = dict.fromkeys([AGENCY, "/name", *id_["identifying"]])
        kept = {key: value for key, value in id_.items() if key not in {"name", "identifying"}}
        new["id"] = kept | {"of": list(named)}
    return new


def target_path(place: str) -> tuple[str, ...]:
    """Return the path of a mapping's place; `-`, an item to add, is `*` in the schema."""
    return tuple("*" if part == "-" else part for part in place.split("/")[1:])


def unknown_columns(crosswalk: Crosswalk, columns: Iterable[str]) -> list[str]:
    """Return the columns of a file that the crosswalk neither reads nor leaves out on purpose."""
    known = {*columns_read(crosswalk), *(left_out.column for left_out in crosswalk.unmapped)}
    return [column for column in columns if column not in known]


def columns_read(crosswalk: Crosswalk) -> list[str]:
    """Return every column that the crosswalk reads for the agency, the id or a field."""
    read = [crosswalk.agency.code, crosswalk.agency.name, crosswalk.id.own, crosswalk.changed_on]
    for mapping in crosswalk.mappings:
        read += [mapping.column, mapping.otherwise]
    return list(dict.fromkeys(column for column in read if column is not None))


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
    read = tuple(
        dict.fromkeys(
            to
            for to, mapping in zip(filled, crosswalk.mappings, strict=True)
            if mapping.column == word
        )
    )
    if not read and word in {crosswalk.agency.name, crosswalk.agency.code}:
        return (AGENCY,)
    return read


def _find(name_or_path: str) -> Path:
    known = names()
    if name_or_path in known:
        return FOLDER / f"{name_or_path}.json"
    path = Path(name_or_path)
    if path.suffix == ".json" or len(path.parts) > 1:
        if path.is_file():
            return path
        raise ImportRefused(f"{path}: there is no such crosswalk file")
    near = difflib.get_close_matches(name_or_path, known, n=1, cutoff=0.4)
    meant = f", did you mean {near[0]!r}?" if near else ""
    raise ImportRefused(
        f"no crosswalk is named {name_or_path!r}{meant}; those there are: {', '.join(known)}; "
        "the path of a .json file is taken too"
    )


def _problems(crosswalk: Crosswalk) -> Iterable[str]:
    """Yield the faults that the crosswalk's schema cannot express."""
    if "/name" not in {mapping.to for mapping in crosswalk.mappings}:
        yield "no mapping fills /name, which every record must have"
    mapped = {mapping.column for mapping in crosswalk.mappings}
    for left_out in crosswalk.unmapped:
        if left_out.column in mapped:
            yield f"the column {left_out.column!r} is both mapped and listed as unmapped"
    for number, mapping in enumerate(crosswalk.mappings):
        if field_at(target_path(mapping.to)) is None:
            yield f"at /mappings/{number}/to: the record has no field {mapping.to}"
        if mapping.list is not None and "-" not in mapping.to.split("/"):
            yield f"at /mappings/{number}/list: {mapping.to} holds one value; add to a list with -"
    for part in ("of", "telling_apart"):
        for number, word in enumerate(getattr(crosswalk.id, part)):
            if not word_meaning(crosswalk, word):
                yield (
                    f'at /id/{part}/{number}: {word!r} is neither "agency" nor a field that a '
                    "mapping fills nor a column that one reads; write the field as a JSON Pointer, "
                    'such as "/name"'
                )
