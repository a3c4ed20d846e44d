"""The form of a record: a sheet that reads downwards, one field a row.

Hidden cells say what a program needs: which record it is, of which state it was made, which field a
row is and which language a column. So every word that people see may be translated or reworded.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from registry.record.schema import Field, field_at

MARK = "register-form-1"
"""The first cell of a form; beside it stand record, tag and language."""

TOP = 5
"""The number of rows above the first field: two hidden ones, title, status, headings."""

LEAD = ("field", "label", "help", "asked")
FINDING = "finding"
"""The names of columns; those of values are `answer:` or `text:` and a language."""

FIRST_VALUE = len(LEAD)
"""The first column of values."""

FormValue: TypeAlias = str | bool | int | float | None
RowKind: TypeAlias = Literal["heading", "list", "group", "by_language", "value"]


class FormRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row: a field by its pointer, with `*` for an entry of a list; "" is a heading or a note.

    `values` are cells by column. A `folded` row is closed until somebody opens it, a `hidden` one
    is for programs.
    """

    pattern: str = ""
    label: str = ""
    help: str = ""
    asked: str = ""
    values: tuple[FormValue, ...] = ()
    folded: bool = False
    hidden: bool = False


class FormSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A form; `tag` is of the state that it was made of, "" for a new record.

    `languages` are those of the columns of values, of which the first has answers, too.
    """

    record: str
    tag: str
    language: str
    languages: tuple[str, ...]
    title: str
    rows: tuple[FormRow, ...]


def required_field(path: tuple[str, ...]) -> Field:
    """Return the field at a path. Raises `LookupError` if there is none."""
    field = field_at(path)
    if field is None:
        raise LookupError(path)
    return field


def kind_of(field: Field) -> RowKind:
    """Return what a field's row is."""
    schema = field.schema
    if field.is_text or is_map(field):
        return "by_language"
    if schema.get("type") == "array":
        return "list"
    if "properties" in schema:
        return "group" if field.path[-1] == "*" else "heading"
    return "value"


def is_map(field: Field) -> bool:
    """Return whether a field has a code by language."""
    return not field.is_text and "propertyNames" in field.schema


def map_field(field: Field) -> Field:
    """Return the field of the codes of a field that has one by language."""
    title = {"title": field.schema["title"]}
    return Field(path=(*field.path, "*"), schema={**title, **field.schema["additionalProperties"]})
