"""The sentences of findings: what is wrong, and how to mend it."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from registry.record.profiles import FOREIGN_ID
from registry.record.requirements import WEIGHT_REQUIRED, conditions
from registry.record.schema import Field, field_at, fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry.record.requirements import Standing, Unit

FEW = 15
SHOWN = 60

OF_THE_REGISTER = frozenset(
    (
        "register",
        "version",
        "state",
        "published_at",
        "superseded_at",
        "hash",
        "entry",
        "origin",
        "fictitious",
        "completeness",
        "accountability",
        "missing",
        "findings",
        "redacted",
        "versions",
        "agency",
        "filed_by",
        "approved_by",
    )
)

_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "a text in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def shown(value: object) -> str:
    """Write a value as JSON, cut to what a sentence can hold."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def choice(given: object, among: Iterable[str]) -> str:
    """Say which codes there are: all of a short list, else the nearest."""
    codes = list(among)
    if len(codes) == 1:
        return f"Use {codes[0]}."
    near = nearest(given, codes)
    meant = f"Did you mean {near}? " if near is not None else ""
    if len(codes) <= FEW:
        return f"{meant}Use one of: {', '.join(codes)}."
    return f"{meant}Use one of the {len(codes)} codes of the list, such as {', '.join(codes[:5])}."


def nearest(given: object, among: Iterable[str]) -> str | None:
    """Return the most similar word, if any is similar."""
    if not isinstance(given, str):
        return None
    return next(iter(difflib.get_close_matches(given[:SHOWN], list(among), n=1)), None)


def missing(standing: Standing) -> str:
    """Tell that a field that is asked for is not there, or is an empty list."""
    unit = standing.unit
    fault = "is empty" if standing.state == "empty" else "is missing"
    wish = "mandatory" if standing.weight == WEIGHT_REQUIRED else "recommended"
    return (
        f"{unit.field.title} {fault}: it is {wish} {standing.reason}. "
        f"Add {unit.pointer}, {example(unit.field)}."
    )


def needed(name: str, place: tuple[str | int, ...]) -> str:
    """Ask for a member without which its object says nothing, or not enough."""
    path = tuple("*" if isinstance(step, int) else step for step in place)
    field = field_at((*path, name))
    if field is None:
        return f"{shown(name)} is missing. Add it."
    return f"{field.title} is missing here. Add {name}, {example(field)}."


def not_wanted(unit: Unit) -> str:
    """Tell that a field is stated under circumstances that exclude it."""
    reason = " or ".join(conditions()[name].reason for names in unit.alternatives for name in names)
    return f"{unit.field.title} is stated only {reason}. Remove {unit.pointer}."


def unknown(name: str, place: tuple[str | int, ...], *, restricted: bool) -> str:
    """Tell of a member that the format does not have at this place."""
    path = tuple("*" if isinstance(step, int) else step for step in place)
    if restricted and field_at((*path, name)) is not None:
        return (
            f"a restricted record does not hold {shown(name)}; it says that the system exists, "
            "its sector, risk level and status, and the ground of the restriction. Remove it."
        )
    if not place and name in OF_THE_REGISTER:
        return f"{shown(name)} is added by the register, beside the document. Remove it."
    depth = len(path) + 1
    known = [
        field.path[-1] for field in fields() if len(field.path) == depth and field.path[:-1] == path
    ]
    near = nearest(name, known)
    if near is not None:
        return f"there is no field {shown(name)} here. Did you mean {near}?"
    elsewhere = next(
        ("/" + "/".join(field.path) for field in fields() if field.path[-1] == name), None
    )
    if elsewhere is not None:
        return f"there is no field {shown(name)} here. It belongs at {elsewhere}."
    return f"there is no field {shown(name)} here. The fields are: {', '.join(known)}."


_EXAMPLES = {
    "LangText": 'a text by language, such as {"ar": "…", "fr": "…"}',
    "Date": "a date, YYYY-MM-DD",
    "FuzzyDate": "a date, YYYY, YYYY-MM or YYYY-MM-DD",
    "Url": "an address that begins with https://",
    "Email": "a mailbox such as contact@example.org",
    "Country": "an ISO 3166-1 code such as MA",
    "LanguageTag": "a language tag such as fr",
    "RecordId": "such as agency/name-of-the-system",
}


def no_language(name: str) -> str:
    """Tell that a member of a text by language is not a language."""
    return f"{shown(name)} is not a language tag. {_FORMS['LanguageTag']}"


def example(field: Field) -> str:
    """Say what a field holds, in words."""
    schema = field.schema
    if field.kind in _EXAMPLES:
        return _EXAMPLES[field.kind]
    if "enum" in schema:
        return _codes(schema["enum"])
    if "const" in schema:
        return shown(schema["const"])
    if "items" in schema:
        return f"a list with at least one entry: {_codes(schema['items'].get('enum', []))}"
    members = schema.get("required") or list(schema.get("properties", {}))
    if members:
        return f"an object with {', '.join(members)}"
    return _TYPES[schema["type"]]


def _codes(codes: list[str]) -> str:
    if not codes:
        return "an object each"
    if len(codes) <= FEW:
        return "one of " + ", ".join(codes)
    return "a code such as " + ", ".join(codes[:5])


def sentence(
    keyword: str,
    value: Any,
    instance: Any,
    schema: dict[str, Any],
    place: tuple[str | int, ...],
) -> str:
    """Tell what a keyword of the schema found wrong with the value at a place."""
    title = title_at(place)
    size = len(instance) if isinstance(instance, (str, list, dict)) else 0
    if keyword in {"format", "pattern"}:
        return f"{shown(instance)} is not right for {title}. {_form(place, value)}"
    if keyword in {"maxProperties", "minProperties"}:
        return _number_of_members(title, keyword, value, size, schema)
    if keyword == "enum":
        return f"{shown(instance)} is not a code of this list. {choice(instance, value)}"
    return _SENTENCES[keyword].format(
        title=title,
        size=f"{size:,}",
        value=_TYPES.get(value, value) if keyword == "type" else shown(value),
        instance=shown(instance),
    )


_SENTENCES = {
    "type": "{title} must be {value}, not {instance}.",
    "const": "{title} must be {value}, not {instance}.",
    "maxLength": "{title} has {size} characters; at most {value} fit. Shorten it.",
    "minLength": "{title} is empty. Write the text, or remove the member.",
    "maxItems": "{title} has {size} entries; at most {value} fit. Remove some.",
    "minItems": "{title} is empty. List at least {value}, or remove the member.",
    "uniqueItems": "{title} holds the same entry twice. Remove the repetition.",
    "minimum": "{title} is {instance}; it must be at least {value}.",
    "maximum": "{title} is {instance}; it must be at most {value}.",
}


def title_at(place: tuple[str | int, ...]) -> str:
    """Return the title of the nearest field at or above a place."""
    field = _nearest_field(place)
    return "The record" if field is None else field.title


def _nearest_field(place: tuple[str | int, ...]) -> Field | None:
    path = tuple("*" if isinstance(step, int) else step for step in place)
    for depth in range(len(path), 0, -1):
        field = field_at(path[:depth])
        if field is not None and "title" in field.schema:
            return field
    return None


def _number_of_members(
    title: str, keyword: str, value: int, size: int, schema: dict[str, Any]
) -> str:
    names = ", ".join(schema.get("properties", {}))
    if keyword == "minProperties":
        what = f"one of {names}" if names else "at least one language"
        return f"{title} is empty. State {what}."
    if names:
        return f"{title} holds {size} members; state only {value} of {names}."
    return f"{title} is in {size} languages; at most {value} fit."


_FORMS = {
    "Line": "Write one line, without space at its ends and without control characters.",
    "Text": "Remove the space at its ends and any control characters; a new line is \\n alone.",
    "Date": "Write a day that exists as YYYY-MM-DD.",
    "FuzzyDate": "Write YYYY, YYYY-MM or YYYY-MM-DD, a day that exists, from 1900 on.",
    "Url": "Write a whole address that begins with https:// or http://, without spaces.",
    "Email": "Write a mailbox such as contact@example.org.",
    "Country": "Write an ISO 3166-1 code of two capital letters, such as MA.",
    "LanguageTag": "Write a BCP 47 tag such as ar, fr, zgh or en.",
    "RecordId": (
        "Write <agency>/<slug> in lower-case ASCII letters, digits and hyphens; "
        "'index' is reserved."
    ),
    "PackCode": "Write a code in lower snake_case.",
}


def _form(place: tuple[str | int, ...], pattern: object) -> str:
    if pattern == FOREIGN_ID:
        return "The agency of another register's record has a dot in it, as in us.hhs."
    field = _nearest_field(place)
    if field is None:
        return ""
    if field.kind == "LangText":
        return _FORMS["Text"]
    return _FORMS.get(field.kind or "", "") or str(field.schema["description"])
