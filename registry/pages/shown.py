"""A document as a reader sees it: texts in her language, codes as labels, the rest as it stands.

What stands where is the schema's matter; templates name the same members as the document does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from registry.pages.reader import Text, as_it_is, label, say
from registry.record.entry import NOT_STATED
from registry.record.pointers import parts
from registry.record.schema import field_at, resolved_schema
from registry.text.catalogues import find
from registry.text.locales import direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry.pages.reader import Reader

# Measures that people read as a percentage.
_SHARES = frozenset(
    (
        "accuracy",
        "precision",
        "recall",
        "false_positive_rate",
        "false_negative_rate",
        "error_rate",
        "override_rate",
        "coverage",
        "satisfaction",
    )
)

# What lists and badges show of every record, stated or not.
_ALWAYS = (("risk", "level"), ("sector", "primary"), ("lifecycle", "status"))


class Shown(dict[str, Any]):
    """An object of a document; an absent member is an object without members, and so false."""

    def __missing__(self, name: str) -> Shown:
        """Answer for what is not stated."""
        return NOTHING


NOTHING = Shown()


def show(reader: Reader, document: Mapping[str, Any]) -> Shown:
    """Turn a whole document into what this reader sees; what `_ALWAYS` names is always there."""
    stated = dict(document)
    for section, name in _ALWAYS:
        stated[section] = {name: NOT_STATED} | (stated.get(section) or {})
    shown: Shown = _shown(reader, stated, resolved_schema())
    for metric in shown["evaluation"]["metrics"]:
        code = metric["name"].code
        metric["share"] = code in _SHARES and "unit" not in metric and 0 <= metric["value"] <= 1
    return shown


def field_name(reader: Reader, pointer: str) -> Text:
    """Name the field at a pointer, or the nearest one above it that has a name."""
    path = tuple("*" if part.isdecimal() else part for part in parts(pointer))
    while path and ((field := field_at(path)) is None or "title" not in field.schema):
        path = path[:-1]
    return field_title(reader, path) if path else as_it_is(reader, pointer)


def field_title(reader: Reader, path: tuple[str, ...]) -> Text:
    """Name the field at a path, `*` for each item of a list; one of no field by its last step."""
    field = field_at(path)
    if field is None:
        return as_it_is(reader, path[-1].replace("_", " "))
    tag, title = find(reader.titles, reader.order, field.title)
    return Text(text=title, lang=tag, dir=direction(tag), differs=tag != reader.tag)


def _shown(reader: Reader, value: Any, schema: Mapping[str, Any]) -> Any:
    if schema.get("x-definition") == "LangText":
        return say(reader, value)
    if isinstance(value, dict):
        members = schema.get("properties", {})
        return Shown(
            {name: _shown(reader, part, members.get(name, {})) for name, part in value.items()}
        )
    if isinstance(value, list):
        return [_shown(reader, part, schema.get("items", {})) for part in value]
    lists = schema.get("x-codelist")
    return label(reader, lists, value) if lists else value
