"""The form of a record: a sheet of one field a row, made, and read when it was filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from registry.record.field_descriptions import request
from registry.record.messages import Message, message
from registry.record.model import Document
from registry.record.pointers import Place, dig, parts, pointer, put, values_at
from registry.record.requirements import (
    Requirements,
    Unit,
    asked_of,
    conditions,
    demand,
    reason,
    units,
)
from registry.record.schema import SCHEMA_VERSION, Field, field_at, fields, required_field
from registry.record.values import ValueFault, quoted_text, source_language, with_lines_alone
from registry.workbooks.cells import (
    FINDING,
    LEAD,
    MARK,
    TOP,
    CellPlace,
    FilledRecord,
    FormRow,
    FormSheet,
    FormValue,
    Unread,
    WorkbookWords,
    formula_fault,
    is_empty,
    merged_fault,
    read_cell,
    read_text,
    write_cell,
)
from registry.workbooks.file import FilledSheet
from registry.workbooks.sheets import SheetCell

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
        known = frozenset({_AMENDED} if amends else ())
        self.requirements: Requirements = asked_of(document, words.law, known)
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
        may = unit.optional or unit.voluntary
        return (say("Optional") if may else say("Not asked")), False

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


_NONE_CODES = frozenset(("[]", "-", "—", "0"))


class FormColumns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a form by what they hold; `texts` by language, in order."""

    field: int
    label: int
    help: int
    asked: int
    finding: int
    answer: int
    texts: Mapping[str, int]


def form_columns(sheet: FilledSheet) -> FormColumns | None:
    """Return the columns of a sheet that is a form, or None."""
    rows = sheet.rows
    if len(rows) < TOP or not rows[0] or rows[0][0] != MARK:
        return None
    named = {str(name): number for number, name in enumerate(rows[1]) if name != ""}
    texts = {
        name.partition(":")[2]: number
        for name, number in named.items()
        if name.startswith(("text:", "answer:"))
    }
    answers = [number for name, number in named.items() if name.startswith("answer:")]
    if not {*LEAD, FINDING} <= named.keys() or len(answers) != 1:
        return None
    return FormColumns(
        **{name: named[name] for name in (*LEAD, FINDING)}, answer=answers[0], texts=texts
    )


def read_form(sheet: FilledSheet, columns: FormColumns, words: WorkbookWords) -> FilledRecord:
    """Return what a form says, and what in it cannot be read."""
    reader = _FormReader(sheet, columns, words)
    for row in range(TOP, len(sheet.rows)):
        reader.read_row(row)
    head = [str(cell) for cell in (*sheet.rows[0], "", "", "", "")]
    document = with_lines_alone(reader.document(), words.pack.languages[0])
    record = str(document.get("id", ""))
    made_of, tag = head[1], head[2]
    return FilledRecord(
        sheet=sheet.name,
        row=TOP,
        record=record,
        document=document,
        # A copied sheet that names another record begins that one.
        tag=tag if tag and record == made_of else None,
        is_blank=reader.is_blank(),
        places=reader.places,
        home=CellPlace(TOP, columns.answer),
        unread=tuple(reader.unread),
        missing=tuple(unit.path for unit in units() if unit.pointer not in reader.patterns),
    )


class _FormReader:
    def __init__(self, sheet: FilledSheet, columns: FormColumns, words: WorkbookWords) -> None:
        self.sheet = sheet
        self.columns = columns
        self.words = words
        self.formulas = frozenset(sheet.formulas)
        self.merged = frozenset(sheet.merged)
        self.patterns: set[str] = set()
        self.unread: list[Unread] = []
        self.places: dict[str, CellPlace] = {}
        self._values: dict[Place, Any] = {}
        self._read: dict[Place, CellPlace] = {}
        self._cells: dict[Place, CellPlace] = {}
        self._entries: dict[Place, int] = {}
        self._none: dict[Place, CellPlace] = {}
        self._rows: list[tuple[Place, CellPlace]] = []

    def read_row(self, row: int) -> None:
        cells, answer = self.sheet.rows[row], self.columns.answer
        filled = {
            CellPlace(row, column): cells[column]
            for column in sorted({answer, *self.columns.texts.values()})
            if column < len(cells)
            and (not is_empty(cells[column]) or (row, column) in self.formulas)
        }
        home = CellPlace(row, answer)
        pattern = str(cells[self.columns.field]) if self.columns.field < len(cells) else ""
        field = field_at(parts(pattern)) if pattern else None
        if field is None:
            for at in [home] if pattern else filled:
                self._fault(at, (), _no_field(pattern))
            return
        self.patterns.add(pattern)
        place = self._place(field)
        self._rows.append((place, home))
        tags = self.columns.texts if field.is_by_language else {}
        by_cell = {CellPlace(row, column): (*place, tag) for tag, column in tags.items()}
        self._rows += [(inner, at) for at, inner in by_cell.items()]
        for at, cell in filled.items():
            inner = by_cell.get(at, place)
            try:
                self._read_cell(field, inner, at, cell)
            except ValueFault as fault:
                self._fault(at, inner, fault.saying)

    def _place(self, field: Field) -> Place:
        """Return the path of a row, its entries counted: the row of an entry begins the next."""
        place: Place = ()
        last = len(field.path) - 1
        for depth, name in enumerate(field.path):
            if name != "*":
                place = (*place, name)
                continue
            if depth == last:
                self._entries[place] = self._entries.get(place, -1) + 1
            place = (*place, self._entries.setdefault(place, 0))
        return place

    def _read_cell(self, field: Field, place: Place, at: CellPlace, cell: SheetCell) -> None:
        """Keep the value of a cell at its place. Raises `ValueFault`."""
        if not field.is_by_language and at.column != self.columns.answer:
            home = CellPlace(at.row, self.columns.answer)
            raise ValueFault(
                message(
                    "This answer is the same in every language. Write it in the column {cell}.",
                    cell=home.name,
                )
            )
        if field.holds == "group":
            raise ValueFault(
                message("This row is a heading. Write the answers in the rows below it.")
            )
        if at in self.formulas or at in self.merged:
            raise ValueFault(formula_fault() if at in self.formulas else merged_fault())
        if field.is_list:
            self._read_none(read_text(cell))
            self._none[place] = at
            return
        if place in self._read:
            raise ValueFault(
                message(
                    "This field stands twice, here and in {cell}. Delete one of the rows; for a "
                    "further entry of a list, copy all rows of one, its title included.",
                    cell=self._read[place].name,
                )
            )
        self._read[place] = self._cells[place] = at
        self._values[place] = read_cell(field.entry, cell, self.words)

    def _read_none(self, text: str) -> None:
        """Raise `ValueFault` if a text does not say that a list has no entry."""
        if text in _NONE_CODES or self.words.is_none(text):
            return
        raise ValueFault(
            message(
                "{value} stands beside the title of a list. Write entries in the rows below it; "
                "if there are none, choose “{none}” here.",
                value=quoted_text(text),
                none=self.words.say("There is none"),
            )
        )

    def _fault(self, at: CellPlace, place: Place, saying: Message) -> None:
        if place and isinstance(place[-1], int):
            place = place[:-1]  # what is left of a list of values has no room for one
        self.unread.append(Unread(place=at, path=place, message=self.words.render(saying)))
        if place:
            self._cells.setdefault(place, at)

    def is_blank(self) -> bool:
        """Return whether nothing was filled in but what every form has."""
        return (
            not self.unread
            and not self._none
            and self._values.keys()
            <= {
                ("id",),
                ("schema_version",),
                ("publication", "visibility"),
                ("risk", "level"),
                ("languages", "source"),
            }
        )

    def document(self) -> Document:
        """Return the document; entries of lists that say nothing are left out."""
        filled = {
            path[:depth]
            for path in (*self._values, *(one.path for one in self.unread))
            for depth in range(len(path))
        }
        numbers = self._renumbered()
        document: Document = {}
        for place in self._none:
            final = _final(place, numbers)
            if place in filled:
                self._fault(
                    self._none[place],
                    place,
                    message(
                        "It says here that there is none, and there are entries below. Delete the "
                        "one or the other."
                    ),
                )
                continue
            put(document, final, [])
        for place in sorted(self._values, key=lambda at: [(str(type(s)), s) for s in at]):
            put(document, _final(place, numbers), self._values[place])
        for place, cell in [*self._cells.items(), *self._rows]:
            if all(
                place[: depth + 1] in numbers or isinstance(part, str)
                for depth, part in enumerate(place)
            ):
                self.places.setdefault(pointer(_final(place, numbers)), cell)
        self.unread = [
            msgspec.structs.replace(one, path=_final(one.path, numbers)) for one in self.unread
        ]
        return document

    def _renumbered(self) -> dict[Place, int]:
        """Return the number of each entry that says something, by its path as counted."""
        used: dict[Place, set[int]] = {}
        for place in [*self._values, *(one.path for one in self.unread)]:
            for depth, part in enumerate(place):
                if isinstance(part, int):
                    used.setdefault(place[:depth], set()).add(part)
        return {
            (*start, number): new
            for start, found in used.items()
            for new, number in enumerate(sorted(found))
        }


def _final(place: Place, numbers: Mapping[Place, int]) -> Place:
    return tuple(
        numbers.get(place[: depth + 1], part) if isinstance(part, int) else part
        for depth, part in enumerate(place)
    )


def _no_field(pattern: str) -> Message:
    """Return the message for a row that says no field of the format."""
    if pattern:
        return message(
            "The hidden first cell of this row says {pointer}, which is no field of the record "
            "format. Copy the row anew from a workbook of this register.",
            pointer=pattern,
        )
    return message(
        "This row is no field of the record: its hidden first cell is empty. Write the answer into "
        "the row of its field; for a further entry of a list, copy all rows of one."
    )
