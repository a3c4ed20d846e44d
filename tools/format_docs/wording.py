"""What the schema says of a field, in words: its type and limits, and when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, TypeAlias

import msgspec

from registry.record.pointers import pointer
from registry.record.requirements import (
    ALWAYS,
    BY_LAW,
    OPTIONAL,
    FieldPath,
    Unit,
    conditions,
    never_withheld,
)
from registry.record.schema import field_at, record_schema
from registry.text.typesetting import format_number

Say: TypeAlias = Callable[[str], str]

# The limit of these is said beside the field; the others have one of their own.
_LIMITED = {
    "LangText": "{shape}, at most {most} characters in each language",
    "LangLine": "{shape}, at most {most} characters",
    "Line": "{shape}, at most {most} characters",
}


_PLAIN = {
    "boolean": "true or false",
    "integer": "whole number from {least} to {most}",
    "number": "number from {least} to {most}",
}


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """The language of a page: `say` translates an English wording."""

    tag: str
    say: Say

    def put(self, wording: str, **values: object) -> str:
        """Return a wording with its values, translated; numbers are as the language writes them."""
        shown = {
            name: format_number(value, self.tag) if isinstance(value, int | float) else value
            for name, value in values.items()
        }
        return self.say(wording).format(**shown)

    def join(self, wording: str, parts: Sequence[str]) -> str:
        """Return parts put together by twos, with a wording of `{first}` and `{second}`."""
        return reduce(lambda first, second: self.put(wording, first=first, second=second), parts)


def anchor(path: Sequence[str]) -> str:
    """Return the name of a field's place on its page: `data.sources.name`."""
    return ".".join(step for step in path if step != "*")


def prose(text: str) -> str:
    """Return a text in whose angle brackets and bars Markdown sees no marks of its own."""
    return text.replace("<", "\\<").replace("|", "\\|")


def kind(schema: dict[str, Any], language: Language) -> str:
    """Return the type and limits of a value in words; `schema` is resolved."""
    definition = schema.get("x-definition")
    if "x-codelist" in schema:
        return _code(schema, language)
    if definition in _LIMITED:
        text = schema.get("additionalProperties", schema)
        return language.put(
            _LIMITED[definition],
            shape=shape_link(definition, language),
            most=text["maxLength"],
        )
    if definition is not None:
        return shape_link(definition, language)
    return _own_kind(schema, language)


def _own_kind(schema: dict[str, Any], language: Language) -> str:
    if "enum" in schema:
        return language.put("one of {codes}", codes=", ".join(f"`{one}`" for one in schema["enum"]))
    if schema["type"] == "array":
        return _list(schema, language)
    if schema["type"] == "object":
        return _object(schema, language)
    if schema["type"] == "string":
        wording = "text that matches {pattern}, at most {most} characters"
        pattern = f"`{schema['pattern']}`"
        return language.put(wording, pattern=pattern, most=schema["maxLength"])
    least, most = schema.get("minimum"), schema.get("maximum")
    return language.put(_PLAIN[schema["type"]], least=least, most=most)


def _code(schema: dict[str, Any], language: Language) -> str:
    named = schema["x-codelist"]
    lists = [named] if isinstance(named, str) else named
    links = [f"[`{name}`](code-lists.md#{name.replace('/', '-')})" for name in lists]
    return language.put("code of {lists}", lists=language.join("{first}, or {second}", links))


def _list(schema: dict[str, Any], language: Language) -> str:
    least, most = schema.get("minItems", 0), schema["maxItems"]
    wording = "list of {least} to {most} entries" if least else "list of at most {most} entries"
    parts = [language.put(wording, least=least, most=most)]
    if schema.get("uniqueItems"):
        parts.append(language.say("none twice"))
    parts.append(language.put("each: {entry}", entry=kind(schema["items"], language)))
    return ", ".join(parts)


def _object(schema: dict[str, Any], language: Language) -> str:
    if "properties" not in schema:
        wording = "object from a {tag} to a {entry}"
        return language.put(
            wording,
            tag=shape_link("LanguageTag", language),
            entry=kind(schema["additionalProperties"], language),
        )
    if schema.get("maxProperties") == 1:
        return language.say("object with exactly one of its members")
    if schema.get("minProperties") == 1:
        return language.say("object with at least one of its members")
    return language.say("object")


def shape_link(definition: str, language: Language) -> str:
    """Return a link to the definition that many fields share."""
    title = language.say(record_schema()["$defs"][definition]["title"])
    return f"[{title}](shapes.md#{definition})"


def requirement(unit: Unit, language: Language) -> Iterator[str]:
    """Yield when a unit is asked for, what its absence is, and what else is particular to it."""
    notice = unit.field.schema.get("x-deprecated")
    if notice is not None:
        wording = (
            "{title}: deprecated since version {version} of the format, and removed in a later one."
        )
        title = language.say(unit.field.title)
        yield f"**{language.put(wording, title=title, version=notice['since'])}**"
        yield language.say(notice["reason"])
    if unit.alternatives:
        yield _asked(unit, language)
        yield _absence(unit, language)
    if unit.field.schema["x-requirement"] == f"{OPTIONAL}+amended":
        yield language.say(
            "**Optional** from the second version on, and not counted in completeness."
        )
    if unit.optional:
        yield language.say(
            "**Otherwise optional**, and counted in completeness."
            if unit.alternatives
            else "**Optional**, and counted in completeness."
        )
    if unit.voluntary:
        yield language.say("**Optional**, asked for at no level, and not counted in completeness.")
    if unit.recommended is not None:
        reason = _reason((unit.recommended,), language)
        yield language.put("**Recommended** {reason}: its absence is a warning.", reason=reason)
    for name in unit.substitutes:
        place = pointer((*unit.path[:-1], name))
        yield language.put("**May be replaced** by {place}.", place=f"`{place}`")
    for wording, holds in (
        ("**Refused** where this does not hold.", unit.exclusive),
        ("**An empty list** is an answer.", unit.empty_answers),
        ("**Never withheld.**", never_withheld(unit.pointer)),
        (
            "**Asked for** where the law of the country does, by its pack alone.",
            unit.field.schema["x-requirement"] == BY_LAW,
        ),
    ):
        if holds:
            yield language.say(wording)


def _asked(unit: Unit, language: Language) -> str:
    notation = f"`{unit.field.schema['x-requirement']}`"
    if unit.alternatives == ((ALWAYS,),):
        return language.put("**Asked for:** always ({notation}).", notation=notation)
    reasons = _reasons(unit.alternatives, language)
    wording = "**Asked for:** {reasons} ({notation})."
    return language.put(wording, reasons=reasons, notation=notation)


def _absence(unit: Unit, language: Language) -> str:
    if unit.error_conditions == unit.alternatives:
        return language.say("**If absent:** an error.")
    if set(unit.error_conditions).isdisjoint(unit.alternatives):
        return language.say(
            "**If absent:** an error once the system is in pilot, in use or suspended; "
            "a warning before."
        )
    reasons = _reasons(unit.error_conditions, language)
    return language.put("**If absent:** an error {reasons}; else a warning.", reasons=reasons)


def _reasons(alternatives: Sequence[Sequence[str]], language: Language) -> str:
    reasons = [_reason(names, language) for names in alternatives]
    return language.join("{first}, or {second}", reasons)


def _reason(names: Sequence[str], language: Language) -> str:
    reasons = [language.say(conditions()[name].reason) for name in names]
    return language.join("{first} and {second}", reasons)


def needed(path: FieldPath) -> bool:
    """Return whether a member is needed in its object in every profile."""
    owner = field_at(path[:-1])
    return owner is not None and path[-1] in owner.schema.get("required", ())
