"""Facts that the page of a record shows by rule, since no template places them by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from registry.pages.reader import Reader, Text
from registry.pages.views.diff_view import DiffValue, value_view
from registry.pages.views.document_view import field_title
from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.requirements import Unit, units

_BY_RULE = frozenset(("/evaluation/outcomes",))
"""What is shown so beside the voluntary fields."""
_BY_HAND = frozenset(("/publication/answers",))
"""The voluntary fields that a template places: beside what they answer."""


class FactTable(msgspec.Struct, frozen=True, kw_only=True):
    """A list of objects: a column for each member that one of them states."""

    columns: Sequence[Text]
    rows: Sequence[Sequence[DiffValue | None]]


class FurtherFact(msgspec.Struct, frozen=True, kw_only=True):
    """A field with what it says: a value, a table, or the `answer` to a question.

    Nothing of them where it is withheld.
    """

    pointer: str
    value: DiffValue | None = None
    table: FactTable | None = None
    answer: Any = None


def is_shown_in_part(place: Sequence[str]) -> bool:
    """Return whether a text at a place is shown so, where there is no room for the whole of it."""
    return any(
        unit.voluntary and not unit.is_question and tuple(place[: len(unit.path)]) == unit.path
        for unit in units()
        if unit.pointer not in _BY_HAND
    )


def further_facts(
    reader: Reader,
    document: Document,
    shown: Mapping[str, Any],
    withheld: Collection[str],
    section: str,
) -> list[FurtherFact]:
    """Return the facts of a section, or of the record itself ("").

    `shown` is the document as this reader sees it, `withheld` the pointers of what it withholds.
    """
    found = []
    for unit in units():
        if unit.section != section or not (unit.voluntary or unit.pointer in _BY_RULE):
            continue
        value = dig(document, *unit.path)
        if value is not None:
            found.append(_stated(reader, document, shown, unit, value))
        elif unit.pointer in withheld:
            found.append(FurtherFact(pointer=unit.pointer))
    return found


def _stated(
    reader: Reader, document: Document, shown: Mapping[str, Any], unit: Unit, value: Any
) -> FurtherFact:
    source = dig(document, "languages", "source")
    if unit.is_question:
        return FurtherFact(pointer=unit.pointer, answer=shown[unit.section][unit.name])
    if unit.field.holds == "list" and isinstance(value, list):
        members = unit.field.entry.members
        names = [name for name in members if any(name in one for one in value)]
        path = unit.field.entry.path
        table = FactTable(
            columns=[field_title(reader, (*path, name)) for name in names],
            rows=[
                [
                    value_view(reader, one[name], (*path, name), source) if name in one else None
                    for name in names
                ]
                for one in value
            ],
        )
        return FurtherFact(pointer=unit.pointer, table=table)
    return FurtherFact(pointer=unit.pointer, value=value_view(reader, value, unit.path, source))
