"""The form of a record: what is asked of it stands open, the rest is folded away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from registry.exchange.workbooks.form import FormRow, FormSheet, FormValue
from registry.exchange.workbooks.values import write_cell
from registry.exchange.workbooks.words import WorkbookWords
from registry.record.field_descriptions import request
from registry.record.lines_by_language import source_language
from registry.record.messages import message
from registry.record.model import Document
from registry.record.pointers import dig, parts, pointer, values_at
from registry.record.requirements import (
    Requirements,
    Unit,
    conditions,
    conditions_held,
    demand,
    reason,
    requirements_under,
    units,
)
from registry.record.schema import SCHEMA_VERSION, Field, fields, required_field

FORM_INSTRUCTIONS = message(
    "Fill in the white cells. What need not be said is folded away, and opens with the sign + at "
    "the edge. For a further entry of a list, copy all rows of one and insert them below it. Then "
    "send the workbook."
)

_SPARE_VALUES, _SPARE_GROUPS = 3, 2
_AMENDED = "amended"
_VERSION = ("schema_version",)


def make_form(
    document: Document, words: WorkbookWords, *, tag: str = "", amends: bool = False
) -> FormSheet:
    """Return the form of a document, complete or not; `amends` is of a record that is published."""
    maker = _FormMaker(document, words, amends=amends)
    name = document.get("name") or {}
    title = next((name[tag] for tag in words.languages if tag in name), "")
    return FormSheet(
        record=str(document.get("id", "")) if tag else "",
        tag=tag,
        language=words.language,
        languages=maker.languages,
        title=title or words.say("New record"),
        rows=tuple(maker.rows()),
    )


def restated(
    rows: Sequence[FormRow], document: Document, words: WorkbookWords, *, amends: bool
) -> tuple[FormRow, ...]:
    """Return rows with what is asked now, and closed where nothing is and nothing is said."""
    maker = _FormMaker(document, words, amends=amends)
    found: list[FormRow] = []
    for row in rows:
        path = parts(row.pattern)
        unit = next(
            (
                maker.units[path[:depth]]
                for depth in range(len(path), 0, -1)
                if path[:depth] in maker.units
            ),
            None,
        )
        if unit is None:
            found.append(row)
            continue
        asked, is_open = maker.asked(unit)
        folded = not is_open and dig(document, *unit.path) is None and not any(row.values)
        is_its_own = path == unit.path
        found.append(
            msgspec.structs.replace(
                row,
                asked=asked if is_its_own else row.asked,
                folded=folded,
                hidden=unit.path == _VERSION,
            )
        )
    return tuple(found)


@cache
def deciding_paths() -> tuple[tuple[str, ...], ...]:
    """Return the paths of the facts that decide what is asked, in document order."""
    deciding = {
        path
        for name, condition in conditions().items()
        if name != "withholds"
        for path in condition.paths
    }
    return tuple(unit.path for unit in units() if unit.path in deciding)


class _FormMaker:
    def __init__(self, document: Document, words: WorkbookWords, *, amends: bool) -> None:
        self.document = document
        self.words = words
        self.source = source_language(document, words.pack.languages[0])
        self.languages = tuple(
            dict.fromkeys((*words.languages, *_languages(document), self.source))
        )
        held = conditions_held(document) | ({_AMENDED} if amends else frozenset())
        self.requirements: Requirements = requirements_under(held)
        self.units = {unit.path: unit for unit in units()}

    def rows(self) -> Iterator[FormRow]:
        version = self.document.get("schema_version", SCHEMA_VERSION)
        [row] = self._rows_of(required_field(_VERSION), version, asked="", folded=False)
        yield msgspec.structs.replace(row, hidden=True)
        yield from self._rows_at(("id",), self.document.get("id"))
        first = deciding_paths()
        yield FormRow(
            label=self.words.say("First: what decides what is asked"),
            help=self.words.say(
                "Answer these before the rest. When you send the workbook, it comes back with what "
                "is asked of this system."
            ),
        )
        for path in first:
            yield from self._rows_at(path, dig(self.document, *path))
        done = {("id",), _VERSION, *first}
        yield FormRow(label=self.words.title("The record"))
        for field in fields():
            if len(field.path) > 1 or field.path in done:
                continue
            if not field.is_section:
                yield from self._rows_at(field.path, self.document.get(field.path[0]))
                continue
            yield FormRow(
                label=self.words.title(field.title),
                help=self.words.title(field.schema.get("description", "")),
            )
            for member in field.members.values():
                if member.path not in done:
                    yield from self._rows_at(member.path, dig(self.document, *member.path))

    def _rows_at(self, path: tuple[str, ...], value: Any) -> Iterator[FormRow]:
        """Yield the rows of a unit of requirements."""
        unit = self.units[path]
        asked, is_open = self.asked(unit)
        folded = not is_open and value is None
        yield from self._rows_of(unit.field, value, asked=asked, folded=folded, spare=is_open)

    def _rows_of(
        self, field: Field, value: Any, *, asked: str, folded: bool, spare: bool = True
    ) -> Iterator[FormRow]:
        text = self.words.title(field.schema.get("description", ""))
        head = FormRow(
            pattern=pointer(field.path),
            label=self.words.title(field.schema.get("title", "")),
            help=self.words.render(request(field)) if field.holds == "period" else text,
            asked=asked,
            folded=folded,
        )
        if field.is_list:
            yield from self._list_rows(head, field, value, spare=spare)
        elif field.holds == "group":
            yield head
            yield from self._members(field, value, folded=folded)
        else:
            yield msgspec.structs.replace(head, values=self._values(field, value))

    def _values(self, field: Field, value: Any) -> tuple[FormValue, ...]:
        """Return the cells of a value, by language or one."""
        if not field.is_by_language:
            return (write_cell(field, value, self.words),)
        given = {self.source: value} if isinstance(value, str) else value or {}
        return tuple(write_cell(field.entry, given.get(tag), self.words) for tag in self.languages)

    def _members(self, field: Field, value: Any, *, folded: bool) -> Iterator[FormRow]:
        required = field.schema.get("required", ())
        for name, member in field.members.items():
            asked = self.words.say("Needed here") if name in required else ""
            yield from self._rows_of(member, dig(value, name), asked=asked, folded=folded)

    def _list_rows(
        self, head: FormRow, field: Field, value: Any, *, spare: bool
    ) -> Iterator[FormRow]:
        """Yield a list's own row, which may say that there is none, and those of its entries."""
        entry = field.entry
        none = self.words.say("There is none") if value == [] else None
        yield msgspec.structs.replace(head, values=(none,))
        groups = entry.holds == "group"
        more = _SPARE_GROUPS if groups else _SPARE_VALUES
        given = list(value or ())
        room = max(len(given) + 1, more) if spare else len(given) + 1
        if value == []:
            room = 1
        for number in range(room):
            one = given[number] if number < len(given) else None
            # A spare entry after those that are there need not stand open.
            folded = head.folded or (one is None and bool(number) and bool(given))
            yield FormRow(
                pattern=pointer(entry.path),
                label=f"{head.label} {number + 1}",
                folded=folded,
                values=() if groups else self._values(entry, one),
            )
            if groups:
                yield from self._members(entry, one, folded=folded)

    def asked(self, unit: Unit) -> tuple[str, bool]:
        """Return what is asked of a unit in words, and whether it stands open when empty."""
        asked = self.requirements
        say = self.words.say
        if unit.pointer in asked.demanded:
            return self.words.render(demand(unit, asked)), True
        may_be = [names for names in unit.alternatives if self._may_hold(names)]
        if may_be:
            why = reason(unit, frozenset(may_be[0]))
            return say("Asked {why}", why=why), True
        return (say("Optional") if unit.optional else say("Not asked")), False

    def _may_hold(self, names: Sequence[str]) -> bool:
        """Return whether conditions hold or depend on facts that are not stated yet."""
        known = conditions()
        return all(
            name in self.requirements.held
            or (
                bool(known[name].paths)
                and all(dig(self.document, *path) is None for path in known[name].paths)
            )
            for name in names
            if name in known
        )


def _languages(document: Any) -> Iterator[str]:
    """Yield the languages of every text of a document."""
    for field in fields():
        if field.is_by_language:
            for _, found in values_at(document, field.path):
                if isinstance(found, dict):
                    yield from found
