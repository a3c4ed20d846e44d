"""A sheet of a workbook as lines of JSON, in a process of its own.

The parser is native code that reserves memory for every cell between the first and the last, ends
the process if it gets none, and cannot be interrupted. So the process has bounds of its own, and
who started it reads until it ends. It answers first with the sheet's facts, then with its rows.

Started as `python -m registry.exchange.readers.workbook_process OPTIONS`, with the file as standard
input.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import re
import signal
import sys
import zipfile
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
import python_calamine as calamine
from lxml import etree

from registry.exchange.readers.bounds import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_MEMORY,
    MAX_ROWS,
    MAX_SECONDS,
    MAX_SHEETS,
)
from registry.exchange.readers.sheet_answers import SheetFacts, SheetRequest, SheetRow

Range: TypeAlias = tuple[tuple[int, int], tuple[int, int]]

ERRORS = frozenset(
    {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#GETTING_DATA", "#SPILL!"}
)
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3}[0-9]{1,7})"')
_NAMED = 5
_EXACT = 1e15  # a spreadsheet keeps 15 digits
_MIDNIGHT = dt.time(0)


def main() -> None:
    """Answer one request. The end status says nothing: what is not answered did not work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this ends it
    bound_process(MAX_MEMORY, int(MAX_SECONDS))
    request = msgspec.json.decode(sys.argv[1], type=SheetRequest)
    out, encode = sys.stdout.buffer, msgspec.json.encode
    try:
        for answer in _answers(sys.stdin.buffer, request):
            out.write(encode(answer) + b"\n")
        out.flush()
    except BrokenPipeError:
        sys.stderr.close()


def bound_process(memory: int, seconds: int) -> None:
    """Bound the memory and the processor time of this process."""
    for name, bound in (
        ("RLIMIT_AS", memory),
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_CORE", 0),
    ):
        # Not every system has each, or lets it be set; a smaller one may hold already.
        with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
            import resource  # noqa: PLC0415

            kind = getattr(resource, name)
            _, most = resource.getrlimit(kind)
            least = bound if most == resource.RLIM_INFINITY else min(bound, most)
            resource.setrlimit(kind, (least, least))


def _answers(file: Any, request: SheetRequest) -> Iterator[SheetFacts | SheetRow]:
    try:
        with calamine.load_workbook(file) as workbook:
            for answer in _sheet_answers(workbook, request):
                if isinstance(answer, SheetFacts) and answer.sheet:
                    number, first = _formula_errors(file, answer.sheet)
                    yield msgspec.structs.replace(answer, errors=number, errors_at=first)
                else:
                    yield answer
    except calamine.PasswordError:
        yield SheetFacts(problem="the workbook has a password; save it without")
    except calamine.CalamineError as error:
        why = str(error)
        if why.startswith("Cannot detect"):  # what it says if no part can be read
            why = "open it, and save it anew"
        yield SheetFacts(problem=f"the workbook is damaged: {why}")


def _sheet_answers(
    workbook: calamine.CalamineWorkbook, request: SheetRequest
) -> Iterator[SheetFacts | SheetRow]:
    sheets = [
        sheet for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    if len(sheets) > MAX_SHEETS:
        yield SheetFacts(problem=f"{len(sheets):,} sheets; a workbook may have {MAX_SHEETS:,}")
        return
    shown = [sheet for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible]
    names = [sheet.name for sheet in sheets]
    asked = request.sheet
    if asked is None:
        name = shown[0].name if shown else None
    elif isinstance(asked, int):
        name = names[asked - 1] if 0 < asked <= len(names) else None
    else:
        name = asked if asked in names else None
    if name is None:
        there = ", ".join(map(repr, names[:20])) or "none"
        wanted = "that is shown" if asked is None else repr(asked)
        yield SheetFacts(
            problem=f'there is no sheet {wanted}; say in "read": {{"sheet": …}} which of {there}'
        )
        return
    sheet = workbook.get_sheet_by_name(name)
    height, width = (at + 1 for at in sheet.end or (-1, -1))
    if height > MAX_ROWS or width > MAX_COLUMNS or height * width > MAX_CELLS:
        yield SheetFacts(
            problem=f"sheet {name!r} has {height:,} rows and {width:,} columns; a source file may "
            f"have {MAX_ROWS:,}, {MAX_COLUMNS:,}, and {MAX_CELLS:,} cells; delete the empty ones"
        )
        return
    before = [one.name for one in sheets[: names.index(name)] if one not in shown]
    merges = sheet.merged_cell_ranges
    yield SheetFacts(
        sheet=name,
        hidden_before=tuple(before) if asked is None else (),
        height=height,
        merges_known=merges is not None,
    )
    first = sheet.start[1] if sheet.start else 0
    rows = ([""] * first + row for row in sheet.iter_rows())
    yield from _filled(rows, merges or [], set(request.header_rows))


def _filled(rows: Iterator[list[Any]], merges: list[Range], heads: set[int]) -> Iterator[SheetRow]:
    """Yield the rows with merged cells filled: to the right in a header, else downwards only."""
    begin: dict[int, list[Range]] = {}
    for merge in merges:
        begin.setdefault(merge[0][0], []).append(merge)
    current: list[tuple[Range, Any]] = []
    for at, row in enumerate(rows):
        current = [(merge, value) for merge, value in current if merge[1][0] >= at]
        current += [
            (merge, row[merge[0][1]]) for merge in begin.get(at, ()) if merge[0][1] < len(row)
        ]
        for ((top, left), (_, right)), value in current:
            if at + 1 in heads and top == at:
                row[left : right + 1] = [value] * (min(right + 1, len(row)) - left)
            elif at + 1 not in heads and top not in {head - 1 for head in heads}:
                row[left] = value
        yield SheetRow([_text(cell) for cell in row])


def _formula_errors(file: Any, sheet: str) -> tuple[int, tuple[str, ...]]:
    """Return the number of cells with an error, and the first; the parser shows them as empty."""
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            part = archive.read(_part_of(archive, sheet))
    except (zipfile.BadZipFile, KeyError, LookupError, etree.XMLSyntaxError):
        return 0, ()  # of another format
    found = [match[1].decode() for match in _ERROR_CELL.finditer(part)]
    return len(found), tuple(found[:_NAMED])


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part with a sheet's cells. Raises `LookupError` if there is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    workbook = etree.fromstring(archive.read("xl/workbook.xml"), parser)
    links = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), parser)
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in workbook.iter("{*}sheet"):
        if element.get("name") == sheet:
            wanted = next(value for name, value in element.items() if name.endswith("}id"))
            target = targets[wanted]
            return target[1:] if target.startswith("/") else f"xl/{target}"
    raise LookupError(sheet)


def _text(cell: Any) -> str | bool:
    """Return a cell as people see it: 12, not 12.0; dates and times as ISO 8601 has them."""
    if isinstance(cell, str | bool):
        return "" if cell in ERRORS else cell
    if isinstance(cell, float):
        whole = math.isfinite(cell) and cell.is_integer() and abs(cell) < _EXACT
        return str(int(cell)) if whole else format(cell, ".15g")
    if isinstance(cell, dt.datetime) and cell.time() == _MIDNIGHT:
        return cell.date().isoformat()
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02}:{minutes:02}:{seconds:02}"
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


if __name__ == "__main__":
    main()
