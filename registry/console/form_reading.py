"""What was typed into a page of the form, as members of a document.

The fields of the form are named by JSON Pointers. A field of several controls adds a suffix: a date
has `:y`, `:m` and `:d`, a period `:n` and `:unit`, a list without entries `:none`, an entry to be
taken out `:remove`. What cannot be read as its type stays the text that was typed, so that
validation says what is wrong with it, and the page shows it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.requirements import Unit
from registry.record.schema import Field, FieldKind
from registry.record.values import (
    NOT_STORED,
    ValueFault,
    clean_text,
    plain_digits,
    read_value,
    with_lines_alone,
)
from registry.text.dates import month_number

Typed: TypeAlias = Mapping[str, Sequence[str]]
"""The fields of a form by name, each with every value that it was given."""

_ENTRY = re.compile(r"/([0-9]{1,3})(?=[/:])")
_HOST = re.compile(r"(?:[\w-]+\.)+\w{2,}(?:[/?#]|$)")
"""How an address begins that people type as browsers show it, without its scheme."""

_LONGEST_POINTER = 200
"""More characters than the pointer of any entry has."""


class _TypedPage(msgspec.Struct, frozen=True):
    """The fields of a form, with what lies below each place, so that nothing is sought among all.

    `members` are the last steps of names by the pointer above them, `entries` the numbers of the
    entries that a list was given.
    """

    typed: Typed
    members: Mapping[str, Sequence[str]]
    entries: Mapping[str, Collection[int]]


def gather(fields: Iterable[tuple[str, str]]) -> Typed:
    """Return the fields of a form by name."""
    typed: dict[str, list[str]] = {}
    for name, value in fields:
        typed.setdefault(name, []).append(value)
    return typed


def read_page(document: Document, units: Iterable[Unit], typed: Typed, first: str) -> Document:
    """Return the document with the values of these units as they were typed, the others kept.

    Lines that stand alone are in the language of its source, or in `first` where it names none.
    """
    made = {
        name: dict(value) if isinstance(value, dict) else value for name, value in document.items()
    }
    page = _by_place(typed)
    for unit in units:
        value = _value(unit.field, unit.pointer, page)
        if value == [] and not (unit.empty_answers and typed.get(f"{unit.pointer}:none")):
            value = None
        section = made.setdefault(unit.section, {}) if unit.section else made
        if value is None:
            section.pop(unit.name, None)
        else:
            section[unit.name] = _in_order(value, section.get(unit.name))
    return with_lines_alone({name: value for name, value in made.items() if value != {}}, first)


def typed_once(name: str, typed: Typed) -> str:
    """Return what was typed into a field, trimmed; empty where it was not sent."""
    return clean_text(next(iter(typed.get(name, ())), ""))


def units_typed(document: Document, units: Iterable[Unit]) -> dict[str, Any]:
    """Return the values that a document has at these units, by pointer."""
    found = {unit.pointer: dig(document, *unit.path) for unit in units}
    return {pointer: value for pointer, value in found.items() if value is not None}


def _in_order(value: Any, before: Any) -> Any:
    """Return a value with its codes in the order that they had: boxes have none of their own."""
    if isinstance(value, dict) and isinstance(before, dict):
        return {name: _in_order(part, before.get(name)) for name, part in value.items()}
    if not isinstance(value, list) or not isinstance(before, list):
        return value
    if all(isinstance(code, str) for code in value):
        kept = [code for code in before if code in value]
        return kept + [code for code in value if code not in kept]
    pairs = zip(value, [*before, *([None] * len(value))], strict=False)
    return [_in_order(entry, earlier) for entry, earlier in pairs]


def _by_place(typed: Typed) -> _TypedPage:
    members: dict[str, list[str]] = {}
    entries: dict[str, set[int]] = {}
    for name in typed:
        above, _, last = name.rpartition("/")
        members.setdefault(above, []).append(last)
        for found in _ENTRY.finditer(name[:_LONGEST_POINTER]):
            entries.setdefault(name[: found.start()], set()).add(int(found[1]))
    return _TypedPage(typed, members, entries)


def _value(field: Field, place: str, page: _TypedPage) -> Any:
    """Return what was typed into the controls of a field, None where nothing was."""
    if field.is_by_language:
        return _by_language(place, page)
    if field.is_list:
        return _list(field, place, page)
    if field.holds == "group":
        return _object(field, place, page)
    return _one(field, place, page.typed)


def _one(field: Field, place: str, typed: Typed) -> Any:
    text = _PARTS.get(field.holds, typed_once)(place, typed)
    if field.holds == "boolean":
        return {"true": True, "false": False}.get(text)
    if field.kind == "Url" and _HOST.match(text):
        text = f"https://{text}"
    try:
        return read_value(field, text) if text else None
    except ValueFault:
        return text


def _by_language(place: str, page: _TypedPage) -> dict[str, str] | None:
    texts = {
        tag: text
        for tag in page.members.get(place, ())
        if (text := typed_once(f"{place}/{tag}", page.typed))
    }
    return texts or None


def _object(field: Field, place: str, page: _TypedPage) -> dict[str, Any] | None:
    members = {
        name: value
        for name, member in field.members.items()
        if (value := _value(member, f"{place}/{name}", page)) not in (None, [])
    }
    return members or None


def _list(field: Field, place: str, page: _TypedPage) -> list[Any]:
    typed = page.typed
    if field.holds != "list":
        texts = typed.get(place, ())
        if field.holds == "words":
            texts = re.split(r"[\s,;،؛]+", "\n".join(texts))
        return list(dict.fromkeys(filter(None, map(clean_text, texts))))
    entries = (
        _value(field.entry, f"{place}/{number}", page)
        for number in sorted(page.entries.get(place, ()))
        if f"{place}/{number}:remove" not in typed
    )
    return [entry for entry in entries if entry is not None]


def _date(place: str, typed: Typed) -> str:
    """Return a date as far as it was stated: a day without its month has an empty one.

    The month may be typed by its name.
    """
    year, month, day = (plain_digits(typed_once(f"{place}:{part}", typed)) for part in "ymd")
    month = str(month_number(month) or month)
    known = [year, *(part.zfill(2) if part else "" for part in (month, day))]
    return "-".join(known).rstrip("-")


def _period(place: str, typed: Typed) -> str:
    """Return a period that was stated as a number of a unit, or in words."""
    if f"{place}:unit" not in typed:
        return typed_once(place, typed)
    unit = typed_once(f"{place}:unit", typed)
    number = plain_digits(typed_once(f"{place}:n", typed))
    if unit == NOT_STORED:
        return NOT_STORED
    return f"P{number}{unit}" if unit and number.isdecimal() else number


_PARTS: Mapping[FieldKind, Callable[[str, Typed], str]] = {"date": _date, "period": _period}
"""What was typed into the controls of a field that has several."""
