"""Workbooks as XLSX: forms and tables, with choices to pick from, findings beside and in cells."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import msgspec
import xlsxwriter

from registry.exports.columns import ExportRow, LabelSource, field_columns, table_columns
from registry.exports.spreadsheets import AS_WRITTEN, fitting
from registry.log.register import Register
from registry.record.ids import split_id
from registry.record.model import Document
from registry.record.pointers import parts
from registry.record.schema import Field, field_at
from registry.services.context import ServiceContext
from registry.services.filing.working_records import require_states, without_change_note
from registry.services.people.access import Actor
from registry.text.locales import direction
from registry.workbooks.cells import (
    FINDING,
    FIRST_VALUE,
    LEAD,
    MARK,
    TOP,
    FormRow,
    FormSheet,
    FormValue,
    WorkbookWords,
    choices_of,
)
from registry.workbooks.form import FORM_INSTRUCTIONS, make_form
from registry.workbooks.sheets import SheetCell, column_letters
from registry.workbooks.table import TAG

LISTS = "Lists"
LISTS_MARK = "register-lists-1"
NOTE = "register"
"""The author of comments."""

_LONG_AGO = dt.datetime(2000, 1, 1)  # noqa: DTZ001  a workbook knows no time zones
_WIDTHS = {"label": 32, "help": 46, "asked": 20}
_VALUE_WIDTH, _FINDING_WIDTH, _TABLE_WIDTH = 46, 60, 18
_DIGITS = ".16G"
_LONGEST_NAME = 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_LARGEST_COMMENT = 6_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_COLOURS = {"section": "#1d4f46", "group": "#dfeae6", "help": "#555555", "wrong": "#fbe3e0"}


class SheetNotes(msgspec.Struct, frozen=True, kw_only=True):
    """What a sheet says of the answers in it: of the whole, beside rows, in cells."""

    status: str = ""
    rows: Mapping[int, str] = {}
    cells: Mapping[tuple[int, int], str] = {}


class TableSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table as it is to be written: a header, and rows of cells."""

    name: str
    rows: Sequence[Sequence[SheetCell]]
    choices: Mapping[int, Sequence[str]] = {}


class WorkbookWriter:
    """Writes sheets one after the other; `close` returns the file."""

    def __init__(self, words: WorkbookWords) -> None:
        """Take the words, whose direction the sheets have."""
        self._words = words
        self._file = io.BytesIO()
        self._book: Any = xlsxwriter.Workbook(self._file, {**AS_WRITTEN, "in_memory": True})
        # Not the time of writing: of the same states the same file is made.
        self._book.set_properties({"created": _LONG_AGO})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = {LISTS.casefold()}
        self._choices: dict[tuple[str, ...], str] = {}
        self._lists: list[list[str]] = []
        self._is_rtl = direction(words.language) == "rtl"

    def close(self) -> bytes:
        """Write the lists of choices, and return the workbook."""
        sheet = self._book.add_worksheet(LISTS)
        sheet.hide()
        sheet.write_string(0, 0, LISTS_MARK)
        for number, labels in enumerate(self._lists, start=1):
            for row, label in enumerate(labels, start=1):
                sheet.write_string(row, number, label)
        self._book.close()
        return self._file.getvalue()

    def add_form(self, form: FormSheet, *, name: str = "", notes: SheetNotes | None = None) -> None:
        """Add the sheet of a form."""
        notes = notes or SheetNotes()
        say = self._words.say
        sheet = self._sheet(name or form.record.partition("/")[2] or form.title)
        finding = FIRST_VALUE + len(form.languages)
        for column, text in enumerate((MARK, form.record, form.tag, form.language)):
            sheet.write_string(0, column, text)
        tags = [
            f"{'text' if number else 'answer'}:{tag}" for number, tag in enumerate(form.languages)
        ]
        for column, text in enumerate((*LEAD, *tags, FINDING)):
            sheet.write_string(1, column, text)
        for row in (0, 1):
            sheet.set_row(row, None, None, {"hidden": True})
        sheet.write_string(2, 1, fitting(form.title), self._format(bold=True, font_size=15))
        sheet.merge_range(
            3,
            1,
            3,
            finding,
            fitting(notes.status),
            self._format(text_wrap=True, valign="top", reading_order=2 if self._is_rtl else 1),
        )
        sheet.set_row(3, 15 * (2 + notes.status.count("\n")))
        names = [self._words.language_name(tag) for tag in form.languages]
        heads = (
            "",
            self._words.title("Field"),
            say("What is meant"),
            say("Asked or not"),
            say("Answer, or text in {language}", language=names[0]),
            *(say("Text in {language}", language=one) for one in names[1:]),
            say("Finding"),
        )
        bold = self._format(bold=True, bottom=1, text_wrap=True, valign="top")
        for column, text in enumerate(heads):
            sheet.write_string(4, column, text, bold)
        sheet.set_column(0, 0, None, None, {"hidden": True})
        for column, part in enumerate(LEAD[1:], start=1):
            sheet.set_column(column, column, _WIDTHS[part])
        sheet.set_column(FIRST_VALUE, finding - 1, _VALUE_WIDTH)
        sheet.set_column(finding, finding, _FINDING_WIDTH)
        sheet.freeze_panes(TOP, 2)
        sheet.set_landscape()
        sheet.set_paper(8)  # A3
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(TOP - 1)
        sheet.outline_settings(True, False, True, False)
        for row, one in enumerate(form.rows, start=TOP):
            self._write_row(sheet, row, one, form, notes)

    def _write_row(
        self, sheet: Any, row: int, one: FormRow, form: FormSheet, notes: SheetNotes
    ) -> None:
        field = field_at(parts(one.pattern)) if one.pattern else None
        note = notes.rows.get(row, "")
        options: dict[str, Any] = {"hidden": True} if one.hidden else {}
        if one.folded and not note:
            options = {"level": 1, "hidden": True}
        sheet.set_row(row, None, None, options)
        look: dict[str, Any] = {"text_wrap": True, "valign": "top"}
        if self._is_rtl:
            look["reading_order"] = 2
        is_section = field is None or (field.is_list and len(field.path) == 1)
        if is_section:
            look |= {"bold": True, "font_color": "#ffffff", "bg_color": _COLOURS["section"]}
        elif field is not None and (field.is_list or field.holds == "group"):
            look |= {"bold": True, "bg_color": _COLOURS["group"]}
        quiet = look if is_section else look | {"bold": False, "font_color": _COLOURS["help"]}
        sheet.write_string(row, 0, one.pattern)
        for column, (text, given) in enumerate(
            ((one.label, look), (one.help, quiet), (one.asked, quiet)), start=1
        ):
            sheet.write_string(row, column, fitting(text), self._format(**given))
        if field is not None:
            for number, tag in enumerate(form.languages):
                self._write_answer(
                    sheet,
                    row,
                    number,
                    field=field,
                    tag=tag,
                    value=one.values[number] if number < len(one.values) else None,
                    comment=notes.cells.get((row, FIRST_VALUE + number)),
                )
        else:
            for number in range(len(form.languages)):
                value = one.values[number] if number < len(one.values) else None
                self._put(sheet, row, FIRST_VALUE + number, value, look, is_date=False)
        if note:
            wrong = self._format(
                text_wrap=True,
                valign="top",
                bg_color=_COLOURS["wrong"],
                reading_order=2 if self._is_rtl else 1,
            )
            sheet.write_string(row, FIRST_VALUE + len(form.languages), fitting(note), wrong)

    def _write_answer(
        self,
        sheet: Any,
        row: int,
        number: int,
        *,
        field: Field,
        tag: str,
        value: FormValue,
        comment: str | None,
    ) -> None:
        """Write a cell for an answer; one that is not for any is grey."""
        column, by_language, is_list = FIRST_VALUE + number, field.is_by_language, field.is_list
        is_open = by_language or (number == 0 and field.holds != "group")
        if by_language:
            field = field.entry
        look: dict[str, Any] = {"text_wrap": True, "valign": "top"}
        if not is_open:
            look["bg_color"] = _COLOURS["group"]
        else:
            look["border"] = 1
            look["border_color"] = "#b8c4c0"
        if by_language:
            look["reading_order"] = 2 if direction(tag) == "rtl" else 1
        elif field.kind != "Date" and field.holds != "number":
            look["num_format"] = "@"
        if comment:
            look["bg_color"] = _COLOURS["wrong"]
        self._put(sheet, row, column, value, look, is_date=field.kind == "Date")
        if comment:
            self._comment(sheet, row, column, comment)
        names = choices_of(field)
        if is_open and is_list and field.schema.get("x-empty-answers"):
            self._choose(sheet, row, column, ("none",), [self._words.say("There is none")])
        elif is_open and names and not is_list:
            self._choose(sheet, row, column, names, [*self._words.choices(names).values()])

    def add_table(self, table: TableSheet, notes: SheetNotes | None = None) -> None:
        """Add the sheet of a table."""
        notes = notes or SheetNotes()
        sheet = self._sheet(table.name)
        width = max(map(len, table.rows), default=0)
        sheet.set_column(0, max(width - 1, 0), _TABLE_WIDTH)
        sheet.freeze_panes(1, 1)
        known = table_columns(self._words.pack.languages)
        named = enumerate(map(str, table.rows[0] if table.rows else ()))
        dates = {at for at, name in named if name in known and known[name].kind == "date"}
        for row, cells in enumerate(table.rows):
            for column, cell in enumerate(cells):
                comment = notes.cells.get((row, column))
                look: dict[str, Any] = {} if row else {"bold": True}
                if comment:
                    look["bg_color"] = _COLOURS["wrong"]
                self._put(sheet, row, column, cell, look, is_date=bool(row) and column in dates)
                if comment:
                    self._comment(sheet, row, column, comment)
        for column, codes in table.choices.items():
            self._choose(
                sheet, 1, column, ("codes", str(column)), codes, last=max(len(table.rows) + 200, 1)
            )

    def _put(
        self, sheet: Any, row: int, column: int, value: Any, look: dict[str, Any], *, is_date: bool
    ) -> None:
        """Write a value as what it is; text is never taken for anything else."""
        if value is None or value == "":
            if look:
                if is_date:
                    look = look | {"num_format": "yyyy-mm-dd"}
                sheet.write_blank(row, column, None, self._format(**look))
            return
        if is_date and isinstance(value, str) and _DATE.fullmatch(value):
            day = _day(value)
            if day is not None:
                shown = self._format(**look, num_format="yyyy-mm-dd")
                sheet.write_datetime(row, column, day, shown)
                return
        form = self._format(**look) if look else None
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value, form)
        elif isinstance(value, int | float) and float(format(value, _DIGITS)) == value:
            sheet.write_number(row, column, value, form)
        else:
            sheet.write_string(row, column, fitting(str(value)), form)

    def _comment(self, sheet: Any, row: int, column: int, text: str) -> None:
        height = min(4 + len(text) // 40 + text.count("\n"), 20)
        options = {"author": NOTE, "x_scale": 2.5, "y_scale": height / 5}
        sheet.write_comment(row, column, fitting(text)[:_LARGEST_COMMENT], options)

    def _choose(
        self,
        sheet: Any,
        row: int,
        column: int,
        names: tuple[str, ...],
        labels: Sequence[str],
        *,
        last: int | None = None,
    ) -> None:
        """Add a list to pick from to a cell, which refuses nothing that people write instead."""
        if names not in self._choices:
            self._lists.append(list(dict.fromkeys(labels)))
            listed = column_letters(len(self._lists))
            self._choices[names] = f"={LISTS}!${listed}$2:${listed}${len(self._lists[-1]) + 1}"
        sheet.data_validation(
            row,
            column,
            row if last is None else last,
            column,
            {"validate": "list", "source": self._choices[names], "show_error": False},
        )

    def _sheet(self, wanted: str) -> Any:
        sheet = self._book.add_worksheet(self._name(wanted))
        if self._is_rtl:
            sheet.right_to_left()
        return sheet

    def _name(self, wanted: str) -> str:
        """Return a name that a sheet can have, and no other has."""
        plain = _NOT_IN_NAMES.sub(" ", wanted).strip("' ") or "1"
        name, number = plain[:_LONGEST_NAME], 1
        while name.casefold() in self._names:
            number += 1
            end = f" {number}"
            name = plain[: _LONGEST_NAME - len(end)] + end
        self._names.add(name.casefold())
        return name

    def _format(self, **look: Any) -> Any:
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(look)
        return self._formats[key]


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year >= 1900 else None  # noqa: PLR2004  a spreadsheet's first year


WorkbookLayout: TypeAlias = Literal["form", "table"]

LAYOUTS: tuple[WorkbookLayout, ...] = ("form", "table")


class FormSource(msgspec.Struct, frozen=True, kw_only=True):
    """What a form or row begins with; `tag` is of the state that it is, "" for a new record."""

    document: Document
    tag: str = ""
    amends: bool = False


def new_source(words: WorkbookWords, *, agency: str | None, risk: str | None) -> FormSource:
    """Return what is known of a record before anybody writes it."""
    document: Document = {
        "languages": {"source": words.languages[0]},
        "publication": {"visibility": "public"},
    }
    if agency is not None:
        document["id"] = f"{agency}/"
    if risk is not None:
        document["risk"] = {"level": risk}
    return FormSource(document=document)


async def read_sources(
    context: ServiceContext, records: Sequence[str], actor_of: Callable[[str], Actor | None]
) -> list[FormSource]:
    """Return the newest states of records. Raises `NotFound` for one that is not there.

    What is in force is without its change note, as an amendment begins. `actor_of` names who reads
    a record: its agency reads its draft, None what is published.
    """
    readers: dict[Actor | None, list[str]] = {}
    for record in records:
        split_id(record)
        readers.setdefault(actor_of(record), []).append(record)
    states = {
        record: state
        for actor, those in readers.items()
        for record, state in zip(those, await require_states(context, actor, those), strict=True)
    }
    return [
        FormSource(
            document=state.document if state.is_draft else without_change_note(state.document),
            tag=state.tag,
            amends=state.published is not None,
        )
        for state in map(states.__getitem__, records)
    ]


def make_workbook(
    sources: Sequence[FormSource], words: WorkbookWords, *, layout: WorkbookLayout
) -> bytes:
    """Return a workbook of some records: a form each, or a row each of one table."""
    writer = WorkbookWriter(words)
    if layout == "form":
        notes = SheetNotes(status=words.render(FORM_INSTRUCTIONS))
        for source in sources:
            form = make_form(source.document, words, tag=source.tag, amends=source.amends)
            writer.add_form(form, notes=notes)
    else:
        writer.add_table(_table(sources, words))
    return writer.close()


def _table(sources: Sequence[FormSource], words: WorkbookWords) -> TableSheet:
    """Return the columns of every field, as the full export has them, after identifier and tag."""
    wording = LabelSource(lang=words.language, pack=words.pack, agencies={}, site="")
    columns = field_columns(wording)
    header = ["id", TAG, "source_id", *(column.name for column in columns)]
    rows: list[list[SheetCell]] = [[*header]]
    for source in sources:
        document = source.document
        row = ExportRow(
            id=str(document.get("id", "")),
            agency="",
            document=document,
            register=cast("Register", None),  # the columns of fields read the document alone
        )
        cells = [column.cell(row) for column in columns]
        rows.append(
            [
                row.id,
                source.tag,
                str(document.get("source_id", "")),
                *(_cell(cell) for cell in cells),
            ]
        )
    known = table_columns(words.pack.languages)
    choices: dict[int, list[str]] = {}
    for number, name in enumerate(header):
        column = known.get(name)
        if column is not None and column.kind == "value" and (lists := choices_of(column.field)):
            choices[number] = [*words.choices(lists)]
    return TableSheet(name=words.say("Records"), rows=rows, choices=choices)


def _cell(cell: object) -> SheetCell:
    if cell is None:
        return ""
    return cell if isinstance(cell, str | bool | int | float) else str(cell)
