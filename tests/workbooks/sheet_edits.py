"""Workbooks as people change them: written anew from their cells, by nobody of ours."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import xlsxwriter

from registry.workbooks.cells import TOP
from registry.workbooks.file import FilledSheet, read_sheets
from registry.workbooks.sheets import cell_name

PLAIN = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}


class Formula(str):
    """A formula, with the result that a spreadsheet saved."""

    __slots__ = ()


class Merged(str):
    """A text in a cell that was merged with the one after it."""

    __slots__ = ()


def edited(raw: bytes, cells: dict[tuple[int, int], Any], *, sheet: int = 0) -> bytes:
    """Return a workbook with other cells in one of its sheets."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, PLAIN)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for number, one in enumerate(read_sheets(raw)):
        page = book.add_worksheet(one.name)
        content = {
            (row, column): cell
            for row, held in enumerate(one.rows)
            for column, cell in enumerate(held)
        }
        for (row, column), value in (content | (cells if number == sheet else {})).items():
            if isinstance(value, Merged):
                page.merge_range(row, column, row, column + 1, str(value))
            elif isinstance(value, Formula):
                page.write_formula(row, column, value, None, 42)
            elif isinstance(value, dt.date):
                page.write_datetime(row, column, value, day)
            elif isinstance(value, bool):
                page.write_boolean(row, column, value)
            elif isinstance(value, int | float):
                page.write_number(row, column, value)
            elif value != "":
                page.write_string(row, column, value)
    book.close()
    return out.getvalue()


def place(sheet: FilledSheet, pattern: str, column: str = "answer", nth: int = 0) -> Any:
    """Return row and column of the cell for a field; `column` is `answer` or a language."""
    rows = [
        row for row, cells in enumerate(sheet.rows) if row >= TOP and cells and cells[0] == pattern
    ]
    heads = [str(head) for head in sheet.rows[1]]
    [at] = [
        number
        for number, head in enumerate(heads)
        if head == column
        or (head.startswith("answer:") and column == "answer")
        or (":" in head and head.endswith(f":{column}"))
    ]
    return rows[nth], at


def named(at: tuple[int, int]) -> str:
    return cell_name(*at)


def opendocument(sheets: dict[str, list[list[Any]]]) -> bytes:
    """Return an ODS file; a cell that begins with `=` is a formula whose saved result is 42."""
    tables = []
    for name, rows in sheets.items():
        lines = []
        for cells in rows:
            written = "".join(map(_ods_cell, cells))
            lines.append(f"<table:table-row>{written}</table:table-row>")
        tables.append(f'<table:table table:name="{name}">{"".join(lines)}</table:table>')
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
        f"<office:body><office:spreadsheet>{''.join(tables)}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            "<manifest:manifest "
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
            "</manifest:manifest>",
        )
        archive.writestr("content.xml", content)
    return out.getvalue()


def _ods_cell(cell: Any) -> str:
    if cell == "":
        return "<table:table-cell/>"
    if isinstance(cell, Formula):
        return (
            f'<table:table-cell table:formula="of:{cell}" office:value-type="float" '
            'office:value="42"><text:p>42</text:p></table:table-cell>'
        )
    if isinstance(cell, bool):
        said = str(cell).lower()
        return (
            f'<table:table-cell office:value-type="boolean" office:boolean-value="{said}">'
            f"<text:p>{said}</text:p></table:table-cell>"
        )
    if isinstance(cell, int | float):
        return (
            f'<table:table-cell office:value-type="float" office:value="{cell}">'
            f"<text:p>{cell}</text:p></table:table-cell>"
        )
    if isinstance(cell, dt.date):
        return (
            f'<table:table-cell office:value-type="date" office:date-value="{cell}">'
            f"<text:p>{cell}</text:p></table:table-cell>"
        )
    escaped = str(cell).replace("&", "&amp;").replace("<", "&lt;")
    lines = "".join(f"<text:p>{line}</text:p>" for line in escaped.split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'
