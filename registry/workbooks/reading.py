"""A file that was filled in, as the records that it says."""

from __future__ import annotations

import msgspec

from registry.record.messages import message
from registry.workbooks.cells import MARK, FilledRecord, WorkbookWords
from registry.workbooks.file import FilledSheet, UnreadableWorkbook, read_sheets
from registry.workbooks.form import FormColumns, form_columns, read_form
from registry.workbooks.table import is_summary, is_table, read_table
from registry.workbooks.writing import LISTS_MARK

MAX_RECORDS = 1_000

_ABOUT = "query"
"""The first cell of the sheet that says of what an exported workbook is."""


class ReadSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet with its records; a form has `columns`. `left_out` says why it has none."""

    sheet: FilledSheet
    records: tuple[FilledRecord, ...] = ()
    columns: FormColumns | None = None
    left_out: str = ""


def read_workbook(
    raw: bytes, words: WorkbookWords, *, name: str = "the workbook"
) -> list[ReadSheet]:
    """Return the sheets of a file, but those that are of the register's own making.

    Raises `UnreadableWorkbook` or `PayloadTooLarge` for faults of the whole file.
    """
    sheets = [
        one for one in read_sheets(raw, name) if any(cell != "" for row in one.rows for cell in row)
    ]
    is_export = any(_first_cell(one) == _ABOUT for one in sheets)
    found = [
        _read_sheet(sheet, words)
        for sheet in sheets
        if _first_cell(sheet) not in {LISTS_MARK, _ABOUT} and not (is_export and _is_list(sheet))
    ]
    if not any(one.records for one in found):
        why = next((one.left_out for one in found), words.say("The workbook is empty."))
        raise UnreadableWorkbook(name, message("The file has no record. {why}", why=why))
    total = sum(len(one.records) for one in found)
    if total > MAX_RECORDS:
        saying = message(
            "The file has {records} records, and at most {most} are read at once. Divide it.",
            records=total,
            most=MAX_RECORDS,
        )
        raise UnreadableWorkbook(name, saying)
    return found


def _read_sheet(sheet: FilledSheet, words: WorkbookWords) -> ReadSheet:
    columns = form_columns(sheet)
    if columns is not None:
        return ReadSheet(sheet=sheet, records=(read_form(sheet, columns, words),), columns=columns)
    if is_table(sheet):
        return ReadSheet(sheet=sheet, records=tuple(read_table(sheet, words)))
    why = words.say(
        "This sheet is neither a form of this register nor a table with the columns of the full "
        "export; it was left out."
    )
    if _first_cell(sheet) == MARK:
        why = words.say(
            "The hidden rows at the top of this sheet were changed, so that it cannot be read. "
            "Make the workbook anew, and copy your answers into it."
        )
    elif is_summary(sheet):
        why = words.say(
            "This is an export of the most important columns, without the fields of the record. "
            "Take it again with all columns: columns=full."
        )
    return ReadSheet(sheet=sheet, left_out=why)


def _is_list(sheet: FilledSheet) -> bool:
    """Return whether a sheet of an export has the items of a list, which the table has as well."""
    return _first_cell(sheet) == "id" and not is_table(sheet) and not is_summary(sheet)


def _first_cell(sheet: FilledSheet) -> object:
    return sheet.rows[0][0] if sheet.rows and sheet.rows[0] else ""
