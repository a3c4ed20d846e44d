"""A workbook as it came, with what the register says of it beside and in its cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from registry.errors import Finding
from registry.record.messages import Message, Title, message
from registry.record.model import Document
from registry.record.pointers import parts, pointer
from registry.record.requirements import Unit, units
from registry.record.validate import validate
from registry.structs import copy_as
from registry.workbooks.cells import (
    FIRST_VALUE,
    TOP,
    FilledRecord,
    FormRow,
    FormSheet,
    WorkbookWords,
)
from registry.workbooks.file import FilledSheet
from registry.workbooks.form import restated
from registry.workbooks.reading import ReadSheet
from registry.workbooks.sheets import SheetCell, place_named
from registry.workbooks.table import ANSWER, TAG
from registry.workbooks.writing import SheetNotes, TableSheet, WorkbookWriter

WorkbookOutcome: TypeAlias = Literal[
    "created", "changed", "unchanged", "checked", "refused", "left_out"
]

UNREAD = "cell"
"""The rule of a finding for a cell that cannot be read."""

DETAILS: Mapping[str, Message] = {
    "created": message("Saved as a new draft. Nothing is public yet: submit it when it is ready."),
    "changed": message("Saved as a draft. Nothing is public yet: submit it when it is ready."),
    "unchanged": message("The register has this already, as it stands here; nothing was changed."),
    "checked": message("Read and checked; nothing was saved."),
    "blank": message("Nothing was filled in on this sheet; it was left out."),
    "unread": message(
        "Nothing of this record was saved, since some cells cannot be read. Mend them, and send "
        "the workbook again."
    ),
    "invalid": message(
        "Nothing of this record was saved, since an answer has a form that the register cannot "
        "keep. Mend what is marked, and send the workbook again."
    ),
    "stale": message(
        "Nothing of this record was saved: somebody changed it since this sheet was made. Make a "
        "new workbook of the record, and take over what you have written here."
    ),
    "exists": message(
        "Nothing of this record was saved: there is one with this identifier already. Make a "
        "workbook of that record, or choose another identifier."
    ),
    "in_review": message(
        "Nothing of this record was saved: its draft is in review. Wait for the review, or delete "
        "the draft to take it back."
    ),
    "foreign": message(
        "Nothing of this record was saved: you do not file for the agency in its identifier."
    ),
    "twice": message(
        "Nothing of this record was saved: it stands in this workbook before, on the sheet {sheet} "
        "at {cell}. Delete the one or the other."
    ),
}
"""What is said of a record."""


class WorkbookFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding at the cell of a sheet: of the record, or that the cell cannot be read."""

    cell: str
    pointer: str
    rule: str
    severity: Literal["error", "warning"]
    message: str
    lang: str


class WorkbookRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a record of a workbook, or of a sheet that has none.

    `cell` is where it begins. `tag` is that of its draft. `findings` are at most 50 of
    `findings_total`, and the cells that cannot be read.
    """

    sheet: str
    cell: str
    record: str | None
    outcome: WorkbookOutcome
    detail: str
    tag: str | None = None
    publishable: bool = False
    completeness: int | None = None
    findings: tuple[WorkbookFinding, ...] = ()
    findings_total: int = 0


def result(
    filled: FilledRecord,
    words: WorkbookWords,
    outcome: WorkbookOutcome,
    detail: Message,
    *,
    findings: Sequence[Finding] = (),
    total: int | None = None,
    tag: str | None = None,
    publishable: bool = False,
    completeness: int | None = None,
) -> WorkbookRecord:
    """Return what became of a record, with its findings at their cells."""
    unread = [
        WorkbookFinding(
            cell=one.place.name,
            pointer=pointer(one.path),
            rule=UNREAD,
            severity="error",
            message=one.message,
            lang=str(words.language),
        )
        for one in filled.unread
    ]
    paths = [tuple(map(str, one.path)) for one in filled.unread if one.path]
    kept = [one for one in findings if not _touches(parts(one.pointer), paths)]
    found = [
        copy_as(WorkbookFinding, one, cell=filled.place_of(one.pointer).name)
        for one in sorted(kept, key=lambda one: filled.place_of(one.pointer))
    ]
    all_found = len(findings) if total is None else total
    return WorkbookRecord(
        sheet=filled.sheet,
        cell=filled.home.name,
        record=filled.record or None,
        outcome=outcome,
        detail=words.render(detail),
        tag=tag,
        publishable=publishable and not unread,
        completeness=completeness,
        findings=(*unread, *found),
        findings_total=len(unread) + all_found - (len(findings) - len(kept)),
    )


def check(
    filled: FilledRecord,
    words: WorkbookWords,
    today: dt.date,
    *,
    document: Document | None = None,
    detail: str = "checked",
) -> WorkbookRecord:
    """Return what publication asks of a record, of which nothing is saved."""
    if filled.is_blank:
        return result(filled, words, "left_out", DETAILS["blank"])
    verdict = validate(
        filled.document if document is None else document,
        profile="publication",
        pack=words.pack,
        today=today,
        language=words.language,
    )
    refused = bool(filled.unread) or detail != "checked"
    return result(
        filled,
        words,
        "refused" if refused else "checked",
        DETAILS["unread" if filled.unread else detail],
        findings=verdict.findings,
        total=verdict.findings_total,
        publishable=verdict.publishable,
        completeness=verdict.completeness,
    )


def repeated(records: Iterable[FilledRecord]) -> dict[int, FilledRecord]:
    """Return, by the place of a record among all, the earlier one with the same identifier."""
    first: dict[str, FilledRecord] = {}
    found: dict[int, FilledRecord] = {}
    for number, one in enumerate(records):
        if not one.record or one.is_blank:
            continue
        if one.record in first:
            found[number] = first[one.record]
        else:
            first[one.record] = one
    return found


def _touches(path: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> bool:
    return any(path[: len(other)] == other[: len(path)] for other in others)


def write_answer(
    sheets: Sequence[ReadSheet], results: Sequence[WorkbookRecord], words: WorkbookWords
) -> bytes:
    """Return the sheets with what became of each record.

    The tag of a draft that was saved stands in them, so that they may be changed and sent again.
    """
    writer = WorkbookWriter(words)
    by_place = {(one.sheet, one.cell): one for one in results}
    for read in sheets:
        if read.columns is not None:
            filled = read.records[0]
            told = by_place[filled.sheet, filled.home.name]
            _add_form(writer, read, told, words)
        elif read.records:
            told_by_row = {one.row: by_place[one.sheet, one.home.name] for one in read.records}
            _add_table(writer, read.sheet, told_by_row, words)
    return writer.close()


def status(told: WorkbookRecord, words: WorkbookWords) -> str:
    """Return what is said of a record in one text."""
    errors = sum(one.severity == "error" for one in told.findings)
    sentences = [told.detail]
    if told.outcome != "left_out":
        if told.publishable:
            sentences.append(words.say("It can be published as it is."))
        elif told.findings:
            sentences.append(
                words.say("Findings that keep it from being published: {errors}.", errors=errors)
            )
        if told.findings_total > len(told.findings):
            sentences.append(
                words.say(
                    "Shown are {shown} of {total} findings; the rest follows when these are "
                    "mended.",
                    shown=len(told.findings),
                    total=told.findings_total,
                )
            )
    return " ".join(sentences)


def finding_text(one: WorkbookFinding, words: WorkbookWords) -> str:
    """Return a finding as it stands in a cell.

    Of a missing answer it says no more than that: why it is asked stands in the row, and what can
    be answered in the cell.
    """
    severity = words.render(message("Error") if one.severity == "error" else message("Warning"))
    unit = _asked_for(one)
    if unit is None:
        return f"{severity}: {one.message}"
    title = Title(text=unit.field.title)
    if unit.empty_answers:
        missing = words.say(
            "{title}: an answer is missing here. If there is none, choose “{none}”.",
            title=title,
            none=words.say("There is none"),
        )
    else:
        missing = words.say("{title}: an answer is missing here.", title=title)
    return f"{severity}: {missing}"


def finding_lines(told: WorkbookRecord, words: WorkbookWords) -> list[tuple[str, str]]:
    """Return the cell and the text of each finding; what two rules say alike stands once."""
    lines = [(one.cell, finding_text(one, words)) for one in told.findings]
    return list(dict.fromkeys(lines))


def _asked_for(one: WorkbookFinding) -> Unit | None:
    """Return the unit of which a finding only says that it is missing."""
    if one.rule not in {"required", "minItems"}:
        return None
    return next((unit for unit in units() if unit.pointer == one.pointer), None)


def _add_form(
    writer: WorkbookWriter, read: ReadSheet, told: WorkbookRecord, words: WorkbookWords
) -> None:
    sheet, columns, [filled] = read.sheet, read.columns, read.records
    if columns is None:
        raise ValueError(f"{sheet.name} is no form")
    grid = _without_formulas(sheet)
    order = sorted(columns.texts.items(), key=lambda one: (one[1] != columns.answer, one[1]))
    rows = [
        FormRow(
            pattern=_text(cells, columns.field),
            label=_text(cells, columns.label),
            help=_text(cells, columns.help),
            asked=_text(cells, columns.asked),
            values=tuple(_at(cells, column) for _, column in order),
        )
        for cells in grid[TOP:]
    ]
    moved = {column: FIRST_VALUE + number for number, (_, column) in enumerate(order)}
    saved = told.tag is not None and told.record is not None
    head = [str(cell) for cell in (*sheet.rows[0], "", "", "")]
    form = FormSheet(
        record=(told.record or "") if saved else head[1],
        tag=(told.tag or "") if saved else head[2],
        language=words.language,
        languages=tuple(tag for tag, _ in order),
        title=_text(sheet.rows[2], 1),
        rows=restated(rows, filled.document, words, amends=filled.tag is not None),
    )
    writer.add_form(form, name=sheet.name, notes=_notes(told, words, moved))


def _notes(told: WorkbookRecord, words: WorkbookWords, moved: Mapping[int, int]) -> SheetNotes:
    cells: dict[tuple[int, int], str] = {}
    rows: dict[int, str] = {}
    for cell, text in finding_lines(told, words):
        row, column = place_named(cell)
        at = (row, moved.get(column, column))
        cells[at] = f"{cells[at]}\n{text}" if at in cells else text
        rows[row] = f"{rows[row]}\n{text}" if row in rows else text
    return SheetNotes(status=status(told, words), rows=rows, cells=cells)


def _add_table(
    writer: WorkbookWriter,
    sheet: FilledSheet,
    told_by_row: Mapping[int, WorkbookRecord],
    words: WorkbookWords,
) -> None:
    """Add a table as it came, and two columns: the tag of each row's draft, and the answer."""
    header = [str(cell).strip() for cell in sheet.rows[0]]
    kept = [number for number, name in enumerate(header) if name not in {TAG, ANSWER}]
    tag_at = header.index(TAG) if TAG in header else None
    moved = {number: at for at, number in enumerate(kept)}
    rows: list[list[SheetCell]] = [[*(header[number] for number in kept), TAG, ANSWER]]
    comments: dict[tuple[int, int], str] = {}
    grid = _without_formulas(sheet)
    for row in range(1, len(grid)):
        cells, told = grid[row], told_by_row.get(row)
        lines = [] if told is None else [status(told, words)]
        for cell, text in finding_lines(told, words) if told is not None else ():
            _, column = place_named(cell)
            lines.append(f"{header[column]}: {text}")
            at = (row, moved[column])
            comments[at] = f"{comments[at]}\n{text}" if at in comments else text
        tag = told.tag if told is not None and told.tag is not None else None
        rows.append(
            [
                *(_at(cells, number) for number in kept),
                tag or ("" if tag_at is None else _at(cells, tag_at)),
                "\n".join(lines),
            ]
        )
    writer.add_table(TableSheet(name=sheet.name, rows=rows), SheetNotes(cells=comments))


def _at(cells: Sequence[SheetCell], column: int) -> SheetCell:
    return cells[column] if column < len(cells) else ""


def _text(cells: Sequence[SheetCell], column: int) -> str:
    return str(_at(cells, column))


def _without_formulas(sheet: FilledSheet) -> list[list[SheetCell]]:
    """Return the rows without what was saved with formulas, which would pass for a value."""
    formulas = frozenset(sheet.formulas)
    return [
        ["" if (row, column) in formulas else cell for column, cell in enumerate(cells)]
        for row, cells in enumerate(sheet.rows)
    ]
