"""Every sheet of a workbook as lines of JSON, in a process of its own with bounds of its own.

Started as `python -m registry.exchange.workbooks.process`, with the file as standard input. It
answers with sheets, the last line being `"end"`; or with a problem.
"""

from __future__ import annotations

import datetime as dt
import math
import posixpath
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import msgspec
import python_calamine as calamine
from lxml import etree

from registry.exchange.readers.workbook_process import bound_process
from registry.exchange.workbooks.sheets import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_LETTERS,
    MAX_MEMORY,
    MAX_ROWS,
    MAX_SECONDS,
    MAX_SHEETS,
    FilledSheet,
    SheetCell,
    SheetProblem,
    place_named,
)

_MAX_EXACT = 2**53
_MIDNIGHT = dt.time(0)
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def main() -> None:
    """Answer with every sheet that is a worksheet, hidden or not."""
    bound_process(MAX_MEMORY, MAX_SECONDS)
    out, encode = sys.stdout.buffer, msgspec.json.encode
    try:
        for answer in _answers(sys.stdin.buffer):
            out.write(encode(answer) + b"\n")
        out.write(b'"end"\n')
        out.flush()
    except BrokenPipeError:
        sys.stderr.close()


def _answers(file: Any) -> Iterator[FilledSheet | SheetProblem]:
    try:
        with calamine.load_workbook(file) as workbook:
            yield from _sheets(file, workbook)
    except calamine.PasswordError:
        yield SheetProblem(kind="password")
    except (calamine.CalamineError, zipfile.BadZipFile, etree.XMLSyntaxError, KeyError):
        yield SheetProblem(kind="damaged")


def _sheets(file: Any, workbook: calamine.CalamineWorkbook) -> Iterator[FilledSheet | SheetProblem]:
    names = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    if len(names) > MAX_SHEETS:
        yield SheetProblem(kind="sheets", number=len(names))
        return
    formulas = _formulas(file)
    cells = letters = 0
    for name in names:
        sheet = workbook.get_sheet_by_name(name)
        height, width = (at + 1 for at in sheet.end or (-1, -1))
        cells += height * width
        if height > MAX_ROWS or width > MAX_COLUMNS or cells > MAX_CELLS:
            yield SheetProblem(kind="sheet", sheet=name, number=height, columns=width)
            return
        first = sheet.start[1] if sheet.start else 0
        rows: list[list[SheetCell]] = []
        for row in sheet.iter_rows():
            rows.append([*([""] * first), *map(_value, row)])
            letters += sum(len(cell) for cell in row if isinstance(cell, str))
            if letters > MAX_LETTERS:
                yield SheetProblem(kind="letters", number=letters)
                return
        yield FilledSheet(name=name, rows=rows, formulas=formulas.get(name, []))


def _value(cell: Any) -> SheetCell:
    """Return a cell's value, exactly; the error of a formula stays its text."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _MAX_EXACT:
        return int(cell)
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    if isinstance(cell, str | bool | int | float):
        return cell
    if isinstance(cell, dt.datetime) and cell.time() == _MIDNIGHT:
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def _formulas(file: Any) -> dict[str, list[tuple[int, int]]]:
    """Return the places of formulas by sheet; the parser gives what was saved as their result."""
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        if "content.xml" in archive.namelist():
            with archive.open("content.xml") as part:
                return _in_opendocument(part)
        found = {}
        for name, target in _parts(archive):
            with archive.open(target) as part:
                found[name] = list(_in_sheet(part))
        return found


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the name of each worksheet with that of its part."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    whole = etree.fromstring(archive.read("xl/workbook.xml"), parser)
    links = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), parser)
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    there = set(archive.namelist())
    for element in whole.iter("{*}sheet"):
        wanted = next((value for name, value in element.items() if name.endswith("}id")), None)
        target = posixpath.normpath(posixpath.join("/xl", targets.get(wanted, ""))).lstrip("/")
        if target in there:
            yield element.get("name", ""), target


def _events(part: Any, tags: list[str]) -> Iterator[tuple[str, Any]]:
    return iter(
        etree.iterparse(
            part, events=("start", "end"), tag=tags, resolve_entities=False, no_network=True
        )
    )


def _in_sheet(part: Any) -> Iterator[tuple[int, int]]:
    """Yield the places of a worksheet's formulas; a cell without a name follows the last one."""
    row = column = -1
    for event, element in _events(part, ["{*}row", "{*}c", "{*}f"]):
        kind = etree.QName(element).localname
        if event == "end":
            if kind == "row":
                element.clear()
            continue
        if kind == "row":
            row = int(element.get("r", row + 2)) - 1
            column = -1
        elif kind == "c":
            name = element.get("r")
            row, column = place_named(name) if name else (row, column + 1)
        else:
            yield row, column


def _in_opendocument(part: Any) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    places: list[tuple[int, int]] = []
    row = column = 0
    tags = [
        f"{_TABLE}{kind}" for kind in ("table", "table-row", "table-cell", "covered-table-cell")
    ]
    for event, element in _events(part, tags):
        kind = etree.QName(element).localname
        if kind == "table" and event == "start":
            places = found.setdefault(element.get(f"{_TABLE}name", ""), [])
            row = 0
        elif kind == "table-row" and event == "start":
            column = 0
        elif kind == "table-row":
            row += int(element.get(f"{_TABLE}number-rows-repeated", "1"))
            element.clear()
        elif kind.endswith("cell") and event == "start":
            if element.get(f"{_TABLE}formula") is not None:
                places.append((row, column))
            column += int(element.get(f"{_TABLE}number-columns-repeated", "1"))
    return found


if __name__ == "__main__":
    main()
