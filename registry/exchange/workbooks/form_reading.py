"""A form that was filled in, as the document that it says, with the cell of every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from registry.exchange.workbooks.filled import CellPlace, FilledRecord, Unread
from registry.exchange.workbooks.form import (
    FINDING,
    LEAD,
    MARK,
    TOP,
)
from registry.exchange.workbooks.sheets import FilledSheet, SheetCell
from registry.exchange.workbooks.values import (
    CellFault,
    formula_fault,
    is_empty,
    read_text,
    read_value,
)
from registry.exchange.workbooks.words import WorkbookWords
from registry.record.format_version import settled
from registry.record.messages import Message, message
from registry.record.model import Document
from registry.record.pointers import parts, pointer
from registry.record.requirements import units
from registry.record.schema import Field, field_at

_NONE_CODES = frozenset(("[]", "-", "—", "0"))

_Place = tuple[str | int, ...]


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
    document = settled(reader.document(), words.pack.languages[0])
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
        self._values: dict[_Place, Any] = {}
        self._read: dict[_Place, CellPlace] = {}
        self._cells: dict[_Place, CellPlace] = {}
        self._entries: dict[_Place, int] = {}
        self._none: dict[_Place, CellPlace] = {}
        self._rows: list[tuple[_Place, CellPlace]] = []

    def read_row(self, row: int) -> None:
        cells = self.sheet.rows[row]
        given = {
            column: cells[column]
            for column in sorted({self.columns.answer, *self.columns.texts.values()})
            if column < len(cells)
        }
        filled = {
            column: cell
            for column, cell in given.items()
            if not is_empty(cell) or (row, column) in self.formulas
        }
        pattern = str(cells[self.columns.field]) if self.columns.field < len(cells) else ""
        if not pattern:
            for column in filled:
                self._fault(
                    row,
                    column,
                    (),
                    message(
                        "This row is no field of the record: its hidden first cell is empty. Write "
                        "the answer into the row of its field; for a further entry of a list, copy "
                        "all rows of one."
                    ),
                )
            return
        field = field_at(parts(pattern))
        if field is None:
            self._fault(
                row,
                self.columns.answer,
                (),
                message(
                    "The hidden first cell of this row says {pointer}, which is no field of the "
                    "record format. Copy the row anew from a workbook of this register.",
                    pointer=pattern,
                ),
            )
            return
        self.patterns.add(pattern)
        place = self._place(field)
        if field.is_by_language:
            self._rows.append((place, CellPlace(row, self.columns.answer)))
            self._read_languages(row, field, place, filled)
            return
        home = CellPlace(row, self.columns.answer)
        self._rows.append((place, home))
        for column in filled:
            if column != self.columns.answer:
                self._fault(
                    row,
                    column,
                    place,
                    message(
                        "This answer is the same in every language. Write it in the column {cell}.",
                        cell=home.name,
                    ),
                )
        if self.columns.answer not in filled:
            return
        cell = filled[self.columns.answer]
        if field.is_list:
            self._read_none(row, place, cell)
        elif field.holds == "group":
            self._fault(
                row,
                self.columns.answer,
                place,
                message("This row is a heading. Write the answers in the rows below it."),
            )
        else:
            self._read_cell(row, self.columns.answer, field, place, cell)

    def _place(self, field: Field) -> _Place:
        """Return the path of a row, its entries counted: the row of an entry begins the next."""
        place: _Place = ()
        last = len(field.path) - 1
        for depth, name in enumerate(field.path):
            if name != "*":
                place = (*place, name)
                continue
            if depth == last:
                self._entries[place] = self._entries.get(place, -1) + 1
            place = (*place, self._entries.setdefault(place, 0))
        return place

    def _read_languages(
        self, row: int, field: Field, place: _Place, filled: dict[int, SheetCell]
    ) -> None:
        by_column = {column: tag for tag, column in self.columns.texts.items()}
        for column, tag in by_column.items():
            self._rows.append(((*place, tag), CellPlace(row, column)))
        for column, cell in filled.items():
            self._read_cell(row, column, field.entry, (*place, by_column[column]), cell)

    def _read_none(self, row: int, place: _Place, cell: SheetCell) -> None:
        if (row, self.columns.answer) in self.formulas:
            self._fault(row, self.columns.answer, place, formula_fault())
            return
        text = read_text(cell)
        if text in _NONE_CODES or self.words.is_none(text):
            self._none[place] = CellPlace(row, self.columns.answer)
            return
        self._fault(
            row,
            self.columns.answer,
            place,
            message(
                "{value} stands beside the title of a list. Write entries in the rows below it; "
                "if there are none, choose “{none}” here.",
                value=f"“{text[:60]}”",
                none=self.words.say("There is none"),
            ),
        )

    def _read_cell(
        self, row: int, column: int, field: Field, place: _Place, cell: SheetCell
    ) -> None:
        if (row, column) in self.formulas:
            self._fault(row, column, place, formula_fault())
            return
        if place in self._read:
            saying = message(
                "This field stands twice, here and in {cell}. Delete one of the rows; for a "
                "further entry of a list, copy all rows of one, its title included.",
                cell=self._read[place].name,
            )
            self._fault(row, column, place, saying)
            return
        self._read[place] = self._cells[place] = CellPlace(row, column)
        try:
            self._values[place] = read_value(field, cell, self.words)
        except CellFault as fault:
            self._fault(row, column, place, fault.saying)

    def _fault(self, row: int, column: int, place: _Place, saying: Message) -> None:
        if place and isinstance(place[-1], int):
            place = place[:-1]  # what is left of a list of values has no room for one
        self.unread.append(
            Unread(place=CellPlace(row, column), path=place, message=self.words.render(saying))
        )
        if place:
            self._cells.setdefault(place, CellPlace(row, column))

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
                cell = self._none[place]
                self._fault(
                    cell.row,
                    cell.column,
                    place,
                    message(
                        "It says here that there is none, and there are entries below. Delete the "
                        "one or the other."
                    ),
                )
                continue
            _put(document, final, [])
        for place in sorted(self._values, key=lambda at: [(str(type(s)), s) for s in at]):
            _put(document, _final(place, numbers), self._values[place])
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

    def _renumbered(self) -> dict[_Place, int]:
        """Return the number of each entry that says something, by its path as counted."""
        used: dict[_Place, set[int]] = {}
        for place in [*self._values, *(one.path for one in self.unread)]:
            for depth, part in enumerate(place):
                if isinstance(part, int):
                    used.setdefault(place[:depth], set()).add(part)
        return {
            (*start, number): new
            for start, found in used.items()
            for new, number in enumerate(sorted(found))
        }


def _final(place: _Place, numbers: Mapping[_Place, int]) -> _Place:
    return tuple(
        numbers.get(place[: depth + 1], part) if isinstance(part, int) else part
        for depth, part in enumerate(place)
    )


def _put(document: Document, place: _Place, value: Any) -> None:
    """Set a value at a path, with the objects and lists that it needs."""
    here: Any = document
    for part, following in zip(place, [*place[1:], None], strict=True):
        new = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(here, list):
            index = int(part)
            here.extend({} for _ in range(index + 1 - len(here)))
            if following is None:
                here[index] = new
            here = here[index]
        else:
            here = here.setdefault(part, new)
