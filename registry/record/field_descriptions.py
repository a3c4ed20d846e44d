"""Descriptions of fields in words: title, content and form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from registry.record.codelists import Code, codelists
from registry.record.messages import (
    NOTHING,
    LabelledValue,
    Message,
    Title,
    in_quotes,
    message,
    translatable,
)
from registry.record.pointers import Place, field_path
from registry.record.schema import FOREIGN_ID, Field, field_at

FEW = 15
"""The number of codes that a sentence lists."""

SHOWN = 60
"""The characters of a value that a sentence repeats."""

_JSON = json.JSONEncoder(ensure_ascii=False, default=repr)

TYPES = {
    "object": translatable("an object"),
    "array": translatable("a list"),
    "string": translatable("a text in quotes"),
    "integer": translatable("a whole number"),
    "number": translatable("a number"),
    "boolean": translatable("true or false"),
}


def quoted(value: object) -> LabelledValue:
    """Return a value as JSON, and as people write it, cut to what a sentence can hold."""
    text = ""
    for part in _JSON.iterencode(value):
        text += part
        if len(text) > SHOWN:
            text = text[:SHOWN] + "…"
            break
    if not isinstance(value, str):
        return LabelledValue(written=text, label=text)
    return LabelledValue(written=text, label=in_quotes(value[:SHOWN] + "…" * (len(value) > SHOWN)))


def named_codes(codes: Mapping[str, Code]) -> tuple[LabelledValue, ...]:
    """Return codes with their labels."""
    return tuple(LabelledValue(written=code, label=held.label) for code, held in codes.items())


def named_code(name: str, code: str) -> LabelledValue:
    """Return a code of a list of the format with its label."""
    return named_codes({code: codelists()[name][code]})[0]


def named_members(field: Field | None, names: Iterable[str]) -> tuple[LabelledValue, ...]:
    """Return the names of members of a field with their titles."""
    members = {} if field is None else field.schema.get("properties", {})
    return tuple(
        LabelledValue(written=name, label=Title(text=members.get(name, {}).get("title", name)))
        for name in names
    )


def title_at(place: Place) -> Title:
    """Return the title of the nearest field at or above a place."""
    return title_of(nearest_field(place))


def title_of(field: Field | None) -> Title:
    """Return a field's title; without one, that of the whole."""
    return Title(text=_RECORD) if field is None else titled(field)


_RECORD = translatable("The record")


def titled(field: Field) -> Title:
    """Return a field's title as a part of a message."""
    return Title(text=field.title)


def nearest_field(place: Place) -> Field | None:
    """Return the nearest field with a title at or above a place."""
    path = field_path(place)
    for depth in range(len(path), 0, -1):
        field = field_at(path[:depth])
        if field is not None and "title" in field.schema:
            return field
    return None


EXAMPLES = {
    "LangText": translatable('a text by language, such as {{"ar": "…", "fr": "…"}}'),
    "LangLine": translatable('a line, alone or by language, such as {{"ar": "…", "fr": "…"}}'),
    "Date": translatable("a date, YYYY-MM-DD"),
    "FuzzyDate": translatable("a date, YYYY, YYYY-MM or YYYY-MM-DD"),
    "Url": translatable("an address that begins with https://"),
    "Email": translatable("a mailbox such as contact@example.org"),
    "Country": translatable("an ISO 3166-1 code such as MA"),
    "LanguageTag": translatable("a language tag such as fr"),
    "RecordId": translatable("an identifier such as agency/name-of-the-system"),
}


_AT_LEAST_ONE = translatable("a list with at least one entry")


def example(field: Field) -> Message:
    """Return a message of what a field holds."""
    schema = field.schema
    if field.kind in EXAMPLES:
        return message(EXAMPLES[field.kind])
    if codes := listed_codes(schema):
        return _one_of(codes)
    if "const" in schema:
        return message("the value {value}", value=quoted(schema["const"]))
    if "items" in schema:
        return _list_of(schema)
    if schema.get("properties"):
        return _object_of(schema)
    kind = TYPES[schema["type"]]
    return message(kind)


CHOOSE = translatable("Choose an answer.")
CHOOSE_LANGUAGE = translatable("Choose a language.")
_CHOOSE_SOME = translatable("Choose at least one.")
_ADD_ENTRY = translatable("Add at least one entry.")
_ADD_OR_NONE = translatable("Add what there is, or say that there is none.")
_WRITE = translatable("Write it.")

ASKED = {
    "LangText": translatable("Write it in each language of the record."),
    "Date": translatable("State day, month and year."),
    "FuzzyDate": translatable("State the year, and month and day as far as they are known."),
    "Url": translatable("Write an address that begins with https://."),
    "Email": translatable("Write a mailbox such as contact@example.org."),
    "Country": translatable("Choose a country."),
    "LanguageTag": CHOOSE_LANGUAGE,
    "PackCode": CHOOSE,
    "boolean": CHOOSE,
    "object": translatable("Fill in what belongs to it."),
    "integer": translatable("Write a whole number."),
    "number": translatable("Write a number."),
    "period": translatable("Write for how long, such as “5 years”, or that it is not stored."),
    "place": translatable("Choose one of the list."),
}
"""What people are asked to do, by the definition of a field, by its type, or by what it holds."""


def request(field: Field | None) -> Message:
    """Return what people are asked to do to answer a field."""
    if field is None:
        return NOTHING
    if "x-empty-answers" in field.schema:
        wording = _ADD_OR_NONE
    elif field.is_list:
        wording = _CHOOSE_SOME if field.holds == "codes" else _ADD_ENTRY
    elif "enum" in field.schema or field.lists or "answer" in field.members:
        wording = CHOOSE
    else:
        names = (field.kind, str(field.schema.get("type")), field.holds)
        wording = next((ASKED[name] for name in names if name in ASKED), _WRITE)
    return message(wording)


def listed_codes(schema: Mapping[str, Any]) -> list[str]:
    """Return the codes that a value may have in every country, where they are listed."""
    field = Field(path=(), schema={**schema})
    lists = field.lists if field.has_narrower else ()
    return [
        *schema.get("enum", ()),
        *(code for name in lists for code in codelists().get(name, ())),
    ]


def _one_of(codes: list[str]) -> Message:
    if len(codes) <= FEW:
        return message("one of {codes}", codes=tuple(codes))
    return message("a code such as {codes}", codes=tuple(codes[:5]))


def _list_of(schema: Mapping[str, Any]) -> Message:
    codes, empty_answers = listed_codes(schema["items"]), "x-empty-answers" in schema
    if codes and len(codes) <= FEW:
        listed = message("a list of one or more of {codes}", codes=tuple(codes))
    elif codes:
        listed = message("a list of codes such as {codes}", codes=tuple(codes[:5]))
    else:
        kind = TYPES["array"] if empty_answers else _AT_LEAST_ONE
        listed = message(kind)
    if not empty_answers:
        return listed
    return message("{list}; an empty list says that there is none", list=listed)


def _object_of(schema: Mapping[str, Any]) -> Message:
    required = tuple(schema.get("required", ()))
    others = tuple(name for name in schema["properties"] if name not in required)
    if not others:
        return message("an object with {names}", names=required)
    if not required:
        return message("an object with at least one of {names}", names=others)
    return message(
        "an object with {names}; {others} may be left out", names=required, others=others
    )


FORMS = {
    "Line": translatable(
        "Write one line, without space at its ends and without control characters."
    ),
    "Text": translatable(
        "Remove the space at its ends and any control characters; a new line is \\n alone."
    ),
    "Date": translatable("Write a day that exists as YYYY-MM-DD."),
    "FuzzyDate": translatable(
        "Write YYYY, YYYY-MM or YYYY-MM-DD, a day that exists, from 1900 on."
    ),
    "Url": translatable(
        "Write a whole address that begins with https:// or http://, without spaces."
    ),
    "Email": translatable("Write a mailbox such as contact@example.org."),
    "Country": translatable("Write an ISO 3166-1 code of two capital letters, such as MA."),
    "LanguageTag": translatable("Write a BCP 47 tag such as ar, fr or en."),
    "RecordId": translatable(
        "Write <agency>/<slug> in lower-case ASCII letters, digits and hyphens; 'index' is "
        "reserved."
    ),
    "PackCode": translatable("Write a code in lower snake_case."),
}


def expected_form(field: Field | None, pattern: object) -> tuple[Message, ...]:
    """Return a message of the form of a field's value."""
    asked = request(field)
    if pattern == FOREIGN_ID:
        return (message("The agency of another register's record has a dot in it, as in us.hhs."),)
    if field is None:
        return ()
    kind = {"LangText": "Text", "LangLine": "Line"}.get(field.kind or "", field.kind)
    if kind == "Text":
        ends = message("Remove the space at its ends and any control characters.")
        return (message(FORMS[kind], plain=ends),)
    if kind in FORMS:
        return (message(FORMS[kind], plain=asked if kind in ASKED else None),)
    form = Title(text=str(field.schema["description"]))
    return (
        message("{form}", form=form, plain=asked if field.holds in {"period", "place"} else None),
    )
