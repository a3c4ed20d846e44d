"""A form that was filled in, as the document that it says, with the cell of every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from registry.exchange.workbooks.file import FilledSheet
from registry.exchange.workbooks.filled import CellPlace, FilledRecord, Unread
from registry.exchange.workbooks.form import (
    FINDING,
    LEAD,
    MARK,
    TOP,
)
from registry.exchange.workbooks.sheets import SheetCell
from registry.exchange.workbooks.values import (
    formula_fault,
    is_empty,
    read_cell,
    read_text,
)
from registry.exchange.workbooks.words import WorkbookWords
from registry.record.lines_by_language import with_lines_alone
from registry.record.messages import Message, message
from registry.record.model import Document
from registry.record.pointers import Place, parts, pointer, put
from registry.record.requirements import units
from registry.record.schema import Field, field_at
from registry.record.values import ValueFault, quoted_text

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
        if at in self.formulas:
            raise ValueFault(formula_fault())
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
