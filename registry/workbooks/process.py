"""Sheets of a workbook as lines of JSON, in a process of its own with bounds of its own.

Started as `python -m registry.workbooks.process REQUEST`, with the file as standard input.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import posixpath
import signal
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import msgspec
import python_calamine as calamine
from lxml import etree

from registry.record.messages import translatable
from registry.workbooks.sheets import (
    DAMAGED,
    TOO_MUCH,
    SheetCell,
    SheetHead,
    SheetProblem,
    SheetRequest,
    WorkbookProblem,
    place_named,
)

_MAX_EXACT = 2**53
_MIDNIGHT = dt.time(0)
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"


class _Marks(msgspec.Struct):
    """The cells of a sheet with a formula, and with the error of one."""

    formulas: list[tuple[int, int]] = []
    errors: list[tuple[int, int]] = []


def main() -> None:
    """Answer one request. The end status says nothing: what is not answered did not work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this ends it
    request = msgspec.json.decode(sys.argv[1], type=SheetRequest)
    _bound_process(request.bounds.memory, request.bounds.seconds)
    out, encode = sys.stdout.buffer, msgspec.json.encode
    try:
        for answer in _answers(sys.stdin.buffer, request):
            out.write(encode(answer) + b"\n")
        out.flush()
    except BrokenPipeError:
        sys.stderr.close()


def _bound_process(memory: int, seconds: int) -> None:
    for name, bound in (("RLIMIT_AS", memory), ("RLIMIT_CPU", seconds), ("RLIMIT_CORE", 0)):
        # Not every system has each, or lets it be set; a smaller one may hold already.
        with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
            import resource  # noqa: PLC0415

            kind = getattr(resource, name)
            _, most = resource.getrlimit(kind)
            least = bound if most == resource.RLIM_INFINITY else min(bound, most)
            resource.setrlimit(kind, (least, least))


def _answers(
    file: Any, request: SheetRequest
) -> Iterator[SheetHead | list[SheetCell] | SheetProblem | str]:
    try:
        with calamine.load_workbook(file) as workbook:
            yield from _sheets(file, workbook, request)
        yield "end"
    except WorkbookProblem as error:
        yield error.problem
    except calamine.PasswordError:
        yield SheetProblem(
            wording=translatable("The workbook has a password. Save it without one.")
        )
    except (calamine.CalamineError, zipfile.BadZipFile, etree.XMLSyntaxError, KeyError):
        yield SheetProblem(wording=DAMAGED)


def _sheets(
    file: Any, workbook: calamine.CalamineWorkbook, request: SheetRequest
) -> Iterator[SheetHead | list[SheetCell]]:
    bounds = request.bounds
    names, hidden = _chosen(workbook, request)
    cells = letters = 0
    marks: dict[str, _Marks] | None = None
    for name in names:
        sheet = workbook.get_sheet_by_name(name)
        height, width = (at + 1 for at in sheet.end or (-1, -1))
        cells += height * width
        if height > bounds.rows or width > bounds.columns or cells > bounds.cells:
            raise WorkbookProblem(
                translatable(
                    "The sheet {sheet} has {rows} rows and {columns} columns, empty ones included; "
                    "at most {most_rows} and {most_columns} are read, and not that many cells "
                    "together. Delete the empty ones."
                ),
                sheet=name,
                rows=height,
                columns=width,
                most_rows=bounds.rows,
                most_columns=bounds.columns,
            )
        if marks is None:
            marks = _read_marks(file, names)
        of_sheet = marks.get(name, _Marks())
        yield SheetHead(
            name=name,
            height=height,
            hidden_before=hidden,
            merges=sheet.merged_cell_ranges,
            formulas=of_sheet.formulas,
            errors=of_sheet.errors,
        )
        first = sheet.start[1] if sheet.start else 0
        for row in sheet.iter_rows():
            letters += sum(len(cell) for cell in row if isinstance(cell, str))
            if letters > bounds.letters:
                raise WorkbookProblem(TOO_MUCH)
            yield [*([""] * first), *map(_value, row)]


def _chosen(
    workbook: calamine.CalamineWorkbook, request: SheetRequest
) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of the sheets to read, and those of hidden ones that are passed over."""
    sheets = [
        sheet for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    names = [sheet.name for sheet in sheets]
    if len(names) > request.bounds.sheets:
        raise WorkbookProblem(
            translatable("The workbook has {number} sheets, and at most {most} are read."),
            number=len(names),
            most=request.bounds.sheets,
        )
    if request.every:
        return names, ()
    shown = [one.name for one in sheets if one.visible == calamine.SheetVisibleEnum.Visible]
    match request.sheet:
        case None:
            chosen = shown[:1]
        case int(number):
            chosen = names[number - 1 : number] if number > 0 else []
        case name:
            chosen = [name] if name in names else []
    if not chosen:
        raise WorkbookProblem(
            "There is no sheet {wanted}; name in `read` which of {names}.",
            wanted="that is shown" if request.sheet is None else repr(request.sheet),
            names=", ".join(map(repr, names[:20])) or "none",
        )
    before = names[: names.index(chosen[0])] if request.sheet is None else []
    return chosen, tuple(before)


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
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02}:{minutes:02}:{seconds:02}"
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def _read_marks(file: Any, sheets: list[str]) -> dict[str, _Marks]:
    """Return the marked cells by sheet, which the parser shows as values or as empty."""
    file.seek(0)
    if not zipfile.is_zipfile(file):
        return {}  # an old Excel workbook
    with zipfile.ZipFile(file) as archive:
        if "content.xml" in archive.namelist():
            with archive.open("content.xml") as part:
                return _in_opendocument(part)
        found = {}
        for name, target in _parts(archive):
            if name in sheets:
                with archive.open(target) as part:
                    found[name] = _in_sheet(part)
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


def _in_sheet(part: Any) -> _Marks:
    """Return the marked cells of a worksheet; a cell without a name follows the last one."""
    marks = _Marks()
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
            if element.get("t") == "e":
                marks.errors.append((row, column))
        else:
            marks.formulas.append((row, column))
    return marks


def _in_opendocument(part: Any) -> dict[str, _Marks]:
    found: dict[str, _Marks] = {}
    marks = _Marks()
    row = column = 0
    tags = [
        f"{_TABLE}{kind}" for kind in ("table", "table-row", "table-cell", "covered-table-cell")
    ]
    for event, element in _events(part, tags):
        kind = etree.QName(element).localname
        if kind == "table" and event == "start":
            marks = found.setdefault(element.get(f"{_TABLE}name", ""), _Marks())
            row = 0
        elif kind == "table-row" and event == "start":
            column = 0
        elif kind == "table-row":
            row += int(element.get(f"{_TABLE}number-rows-repeated", "1"))
            element.clear()
        elif kind.endswith("cell") and event == "start":
            if element.get(f"{_TABLE}formula") is not None:
                marks.formulas.append((row, column))
            column += int(element.get(f"{_TABLE}number-columns-repeated", "1"))
    return found


if __name__ == "__main__":
    main()
