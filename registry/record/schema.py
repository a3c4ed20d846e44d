"""The released schema of a record, its fields, its profiles, and the languages of a record."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias

import msgspec

from registry.errors import ConfigurationError
from registry.record.model import Document, Profile
from registry.record.pointers import dig, pointer, values_at
from registry.resources import SCHEMAS

SCHEMA_VERSION = "1.0"
RECORD_FOLDER = SCHEMAS / "record" / SCHEMA_VERSION


FieldKind: TypeAlias = Literal[
    "text",
    "codes_by_language",
    "group",
    "codes",
    "words",
    "list",
    "code",
    "boolean",
    "number",
    "date",
    "period",
    "place",
    "country",
    "language",
    "currency",
    "plain",
]
"""What a field holds: a text by language, a code by language, members, codes, plain texts, entries,
or one value."""

_BY_PATH: dict[tuple[str, ...], FieldKind] = {
    ("data", "retention", "period"): "period",
    ("publication", "withheld_fields", "*", "pointer"): "place",
}
"""The one field that holds an ISO 8601 duration, and the one that holds a JSON Pointer."""

_BY_DEFINITION: dict[str | None, FieldKind] = {
    "LangText": "text",
    "LangLine": "text",
    "Date": "date",
    "FuzzyDate": "date",
    "Country": "country",
    "LanguageTag": "language",
}
_BY_PATTERN: dict[str | None, FieldKind] = {"^[A-Z]{3}$": "currency"}
_BY_TYPE: dict[str | None, FieldKind] = {
    "object": "group",
    "boolean": "boolean",
    "integer": "number",
    "number": "number",
}


class Field(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A place of the format: `path` has `*` for each item of a list, `schema` is resolved."""

    path: tuple[str, ...]
    schema: dict[str, Any]

    @cached_property
    def kind(self) -> str | None:
        """The definition that the field refers to, such as `LangText`."""
        kind: str | None = self.schema.get("x-definition")
        return kind

    @cached_property
    def holds(self) -> FieldKind:
        """What a value of the field is, by which it is asked, read, written and described."""
        known = (
            _BY_PATH.get(self.path)
            or _BY_DEFINITION.get(self.kind)
            or _BY_PATTERN.get(self.schema.get("pattern"))
        )
        if known is not None:
            return known
        if self.lists:
            return "code"
        if "propertyNames" in self.schema:
            return "codes_by_language"
        if "items" in self.schema:
            if self.entry.holds == "code":
                return "codes"
            return "words" if self.entry.schema.get("type") == "string" else "list"
        return _BY_TYPE.get(self.schema.get("type"), "plain")

    @property
    def is_text(self) -> bool:
        """Whether its value is, or may be, a text by language."""
        return self.holds == "text"

    @property
    def is_by_language(self) -> bool:
        """Whether its value is, or may be, a text or a code by language."""
        return self.holds in {"text", "codes_by_language"}

    @property
    def is_list(self) -> bool:
        """Whether its value is a list of codes, of texts or of other entries."""
        return self.holds in {"codes", "words", "list"}

    @property
    def is_section(self) -> bool:
        """Whether it only groups the units of requirements in it."""
        return len(self.path) == 1 and self.holds == "group" and "x-requirement" not in self.schema

    @cached_property
    def members(self) -> dict[str, Field]:
        """The fields of an object by name."""
        return {
            name: Field(path=(*self.path, name), schema=member)
            for name, member in self.schema.get("properties", {}).items()
        }

    @cached_property
    def entry(self) -> Field:
        """The field of each item of a list, or of the code in each language; else the field."""
        path = (*self.path, "*")
        if "items" in self.schema:
            return Field(path=path, schema=self.schema["items"])
        if self.holds == "codes_by_language":
            code = {"title": self.title, **self.schema["additionalProperties"]}
            return Field(path=path, schema=code)
        return self

    @property
    def title(self) -> str:
        """The field's English title."""
        title: str = self.schema["title"]
        return title

    @cached_property
    def lists(self) -> tuple[str, ...]:
        """The code lists of the field's value, such as `sector` or `pack/bodies`."""
        named = self.schema.get("x-codelist", ())
        return (named,) if isinstance(named, str) else tuple(named)

    @property
    def is_national(self) -> bool:
        """Whether some of its codes are of the country pack."""
        return any(name.startswith("pack/") for name in self.lists)

    @cached_property
    def has_narrower(self) -> bool:
        """Whether a country may have codes of its own under those of the format."""
        return not {f"pack/{name}" for name in self.lists}.isdisjoint(self.lists)


def broader(code: str) -> str:
    """Return the code of the format that a country's own is under, else the code itself.

    Of fields that have narrower codes: whatever holds for `health` holds for `health.sex_life`.
    """
    return code.partition(".")[0]


@cache
def record_schema_bytes() -> bytes:
    """Return the released file, byte for byte."""
    return (RECORD_FOLDER / "record.schema.json").read_bytes()


@cache
def record_schema() -> dict[str, Any]:
    """Return the released document, which must not be modified."""
    document: dict[str, Any] = msgspec.json.decode(record_schema_bytes())
    return document


@cache
def resolved_schema() -> dict[str, Any]:
    """Return the schema with every `$ref` replaced by its definition.

    A resolved node has the name of its definition as `x-definition`.
    """
    return resolved(record_schema())


def resolved(document: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with every `$ref` into its own `$defs` replaced."""
    whole: dict[str, Any] = _resolve(
        {key: value for key, value in document.items() if key != "$defs"}, document
    )
    return whole


@cache
def document_field() -> Field:
    """Return a document as a field, whose members are the sections."""
    return Field(path=(), schema=resolved_schema())


@cache
def fields() -> tuple[Field, ...]:
    """Return every place of a document, sections and items included, in document order."""
    return tuple(fields_of(document_field()))


@cache
def text_fields() -> tuple[Field, ...]:
    """Return every place whose value is, or may be, a text by language, in document order."""
    return tuple(field for field in fields() if field.is_text)


def field_at(path: tuple[str, ...]) -> Field | None:
    """Return the field at a path, or None."""
    return _fields_by_path().get(path)


def required_field(path: tuple[str, ...]) -> Field:
    """Return the field at a path. Raises `LookupError` if there is none."""
    return _fields_by_path()[path]


@cache
def _fields_by_path() -> dict[tuple[str, ...], Field]:
    return {field.path: field for field in fields()}


def fields_of(field: Field) -> Iterator[Field]:
    """Yield every place inside a field, each before what is inside it."""
    inner = list(field.members.values())
    if field.is_list:
        inner.append(field.entry)
    for one in inner:
        yield one
        yield from fields_of(one)


def _resolve(node: Any, root: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, root) for item in node]
    if not isinstance(node, dict):
        return node
    own = {key: _resolve(value, root) for key, value in node.items() if key != "$ref"}
    if "$ref" not in node:
        return own
    target: Any = root
    prefix, *names = node["$ref"].split("/")
    if prefix != "#":
        raise ConfigurationError(f"the schema refers outside itself: {node['$ref']}")
    for name in names:
        target = target[name]
    return {"x-definition": names[-1], **_conjunction(_resolve(target, root), own)}


def _conjunction(definition: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return a definition merged with the siblings of the reference, whose words win."""
    joined = dict(definition)
    for key, value in own.items():
        if key in {"title", "description"} or key.startswith("x-") or key not in joined:
            joined[key] = value
        elif isinstance(value, dict) and isinstance(joined[key], dict):
            joined[key] = _conjunction(joined[key], value)
        else:
            raise ConfigurationError(f"the schema says {key!r} twice at one place")
    return joined


FOREIGN_REQUIRED = ("id", "schema_version")
FOREIGN_ID = r"^[^/]*\.[^/]*/"


@cache
def shape(profile: Profile) -> dict[str, Any]:
    """Return the schema of a profile, under whatever conditions."""
    schema: dict[str, Any] = _with_parts(resolved_schema(), publication=profile == "publication")
    if profile == "foreign":
        schema["required"] = list(FOREIGN_REQUIRED)
        # A restricted record has no name: little but its existence is told.
        schema["else"] = {"required": ["name"]}
        schema["properties"]["id"]["allOf"] = [{"pattern": FOREIGN_ID}]
    return schema


def _with_parts(node: Any, *, publication: bool) -> Any:
    if isinstance(node, list):
        return [_with_parts(item, publication=publication) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {
        key: _with_parts(value, publication=publication)
        for key, value in node.items()
        if key != "x-publication"
    }
    if publication and "x-publication" in node:
        copy["allOf"] = [node["x-publication"]]
    return copy


def readable_languages(document: Document) -> list[str]:
    """Return the languages that every text of a document is in, else the language of its source."""
    found: list[set[str]] = [
        set(text)
        for field in text_fields()
        if field.path[0] != "publication"
        for _, text in values_at(document, field.path)
        if isinstance(text, dict)
    ]
    whole = sorted(set.intersection(*found)) if found else []
    source: Any = dig(document, "languages", "source")
    return whole or ([source] if isinstance(source, str) else [])


def links_of(document: Document) -> Iterator[tuple[str, str]]:
    """Yield (pointer, address) for each address that a document states, in the format's order."""
    for field in fields():
        if field.kind == "Url":
            for place, url in values_at(document, field.path):
                if isinstance(url, str):
                    yield pointer(place), url
