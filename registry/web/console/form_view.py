"""The fields of a page of the form, as a template shows them: a tree made from the schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from registry.errors import Finding
from registry.pages.reader import Reader, Text, as_it_is, in_language, language
from registry.pages.views.document_view import field_title
from registry.record.messages import render
from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.requirement_status import RequirementStatus
from registry.record.requirements import Unit, demand
from registry.record.schema import Field
from registry.record.values import NOT_STORED, write_number
from registry.text.catalogues import find
from registry.text.locales import direction
from registry.text.typesetting import typeset
from registry.web.console.form_model import FormEntry, FormField, FormText
from registry.web.console.form_options import (
    code_options,
    field_options,
    name_options,
    no_option,
    truth_options,
)

MOST_RADIOS = 7
_ONE_LINE = 250
"""Characters of a text that is typed into one line."""

_PERIOD = re.compile(r"P([0-9]{1,4})([YMWD])")
_INPUTS = {"Url": "url", "Email": "email"}


class FormReader(msgspec.Struct, frozen=True, kw_only=True):
    """For whom and of what a form is made: the languages of texts, and of lines that stand alone.

    `extended` are the lists that get a new entry.
    """

    reader: Reader
    languages: tuple[str, ...]
    source: str
    extended: frozenset[str] = frozenset()


def form_languages(document: Document, pack_languages: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that a record's texts are typed in, that of its source first."""
    source = dig(document, "languages", "source")
    stated = dig(document, "languages", "translation_status") or {}
    among = [tag for tag in pack_languages if tag in stated and tag != source]
    others = sorted(set(stated).difference(pack_languages, {source}))
    first = [source] if isinstance(source, str) else []
    return tuple(first + among + others) or (pack_languages[0],)


def page_fields(
    form: FormReader,
    document: Document,
    asked: Iterable[Unit],
    status: RequirementStatus,
    *,
    findings: Iterable[Finding],
    comments: Mapping[str, Text],
) -> list[FormField]:
    """Return the fields of some units, with findings and comments beside the field of each.

    What such a record may not state is left out, unless it states it.
    """
    made = []
    requirements = status.requirements
    absent = set(status.absent)
    for unit in asked:
        value = dig(document, *unit.path)
        allowed = unit.pointer in requirements.units and unit.pointer not in requirements.excluded
        if value is None and not allowed:
            continue
        field = _field(form, unit.field, unit.pointer, value)
        field.asked = unit.pointer in requirements.demanded
        field.missing = field.asked and unit.pointer in absent
        if field.missing:
            field.why = render(
                demand(unit, requirements), form.reader.tag, form.reader.pack.fallback
            )
        if unit.empty_answers:
            field.none = value == []
        made.append(field)
    by_place = {field.pointer: field for field in _every_field(made)}
    for finding in findings:
        if (about := _nearest(by_place, finding.pointer)) is not None:
            if about.missing and finding.severity == "error":
                # It says that the answer is asked for, with the reason of its own rule.
                about.told += (finding,)
            else:
                about.findings.append(finding)
    for place, comment in comments.items():
        if (about := _nearest(by_place, place)) is not None:
            about.comments.append(comment)
    return made


def _every_field(fields: Iterable[FormField]) -> Iterator[FormField]:
    """Yield fields with those inside them, each before its parts."""
    for field in fields:
        yield field
        yield from _every_field(field.members)
        for entry in field.entries:
            yield from _every_field(entry.members)


def _nearest(by_place: Mapping[str, FormField], place: str) -> FormField | None:
    """Return the innermost field that a place is in."""
    while place and place not in by_place:
        place = place.rpartition("/")[0]
    return by_place.get(place)


def _field(form: FormReader, field: Field, place: str, value: Any) -> FormField:
    reader, schema = form.reader, field.schema
    made = FormField(
        kind="line",
        pointer=place,
        title=field_title(reader, field.path if "title" in schema else field.path[:-1]),
        hint=_described(reader, schema),
        longest=schema.get("maxLength"),
        findings=[],
        comments=[],
    )
    match field.holds:
        case "text":
            made.kind, made.texts = "texts", _texts(form, schema, value)
        case "codes_by_language":
            made.kind, made.members = "languages", _statuses(reader, field, place, value)
        case "group":
            made.kind, made.members = "group", _members(form, field, place, value)
        case "codes" | "words" | "list":
            _fill_list(form, made, field, value)
        case _:
            _fill_one(reader, made, field, value)
    return made


def _fill_one(reader: Reader, made: FormField, field: Field, value: Any) -> None:
    """Set the control of a field that holds one value."""
    match field.holds:
        case "date":
            made.kind = "date"
            made.parts = dict(zip("ymd", [*_text(value).split("-", 2), "", "", ""], strict=False))
        case "boolean":
            made.kind, made.options = "radios", truth_options(reader, value)
        case "number":
            made.kind = "number"
            made.value = write_number(value) if isinstance(value, int | float) else _text(value)
        case "country" | "language":
            made.kind, made.options = "select", name_options(reader, field.holds, _text(value))
        case "period":
            _fill_period(made, _text(value))
        case "place":
            made.kind, made.options = "select", field_options(reader, _text(value))
        case "code":
            made.options = code_options(reader, field, {_text(value)})
            made.kind = "radios" if len(made.options) <= MOST_RADIOS else "select"
        case _:
            made.value, made.input = _text(value), _INPUTS.get(field.kind or "", "text")


def _described(reader: Reader, schema: Mapping[str, Any]) -> Text | None:
    description = schema.get("description")
    if not description:
        return None
    lang, text = find(reader.titles, reader.order, description)
    return in_language(reader, typeset(text, lang), lang)


def _texts(form: FormReader, schema: Mapping[str, Any], value: Any) -> tuple[FormText, ...]:
    if isinstance(value, str):
        value = {form.source: value}
    stated = value if isinstance(value, dict) else {}
    longest = schema["additionalProperties"]["maxLength"]
    tags = dict.fromkeys((*form.languages, *stated))
    return tuple(
        FormText(
            tag=tag,
            name=language(form.reader, tag)
            if tag in form.reader.pack.languages
            else as_it_is(form.reader, tag),
            dir=direction(tag),
            text=_text(stated.get(tag)),
            rows=1 if longest <= _ONE_LINE else 3 if longest <= 4 * _ONE_LINE else 6,
            longest=longest,
        )
        for tag in tags
    )


def _statuses(reader: Reader, field: Field, place: str, value: Any) -> tuple[FormField, ...]:
    """Return a choice for each language of the country: how the record's texts in it came about."""
    stated = value if isinstance(value, dict) else {}
    return tuple(
        FormField(
            kind="select",
            pointer=f"{place}/{tag}",
            title=language(reader, tag) if tag in reader.pack.languages else as_it_is(reader, tag),
            options=(
                no_option(reader, stated.get(tag)),
                *code_options(reader, field.entry, {_text(stated.get(tag))}),
            ),
            findings=[],
            comments=[],
        )
        for tag in dict.fromkeys((*reader.pack.languages, *stated))
    )


def _fill_list(form: FormReader, made: FormField, field: Field, value: Any) -> None:
    stated = value if isinstance(value, list) else []
    if field.holds == "codes":
        made.kind = "boxes"
        made.options = code_options(form.reader, field.entry, set(map(_text, stated)))
        return
    if field.holds == "words":
        made.kind, made.value = "lines", ", ".join(map(_text, stated))
        made.longest = None
        return
    made.kind = "list"
    entries = [*stated, None] if not stated or made.pointer in form.extended else stated
    made.entries = tuple(
        FormEntry(
            number=number + 1,
            pointer=f"{made.pointer}/{number}",
            members=_members(form, field.entry, f"{made.pointer}/{number}", entry),
            is_new=entry is None,
        )
        for number, entry in enumerate(entries)
    )


def _members(form: FormReader, field: Field, place: str, value: Any) -> tuple[FormField, ...]:
    """Return the fields of an object, or the one of what is no object."""
    if field.holds != "group":
        made = _field(form, field, place, value)
        # What its kind says of it, such as that a text may have eight languages, helps nobody.
        made.title, made.hint = field_title(form.reader, field.path[:-1]), None
        return (made,)
    return tuple(
        _field(form, member, f"{place}/{name}", dig(value, name))
        for name, member in field.members.items()
    )


def _fill_period(made: FormField, value: str) -> None:
    """Show a period as a number of a unit; one that is not is shown as it is written."""
    found = _PERIOD.fullmatch(value)
    if value and value != NOT_STORED and found is None:
        made.value = value
        return
    made.kind, made.hint = "period", None
    made.parts = {
        "n": found[1] if found else "",
        "unit": found[2] if found else value,
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)
