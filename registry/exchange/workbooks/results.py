"""What became of the records of a workbook, by sheet and cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from registry.errors import Finding
from registry.exchange.workbooks.filled import FilledRecord
from registry.exchange.workbooks.words import WorkbookWords
from registry.record.messages import Message, message
from registry.record.model import Document
from registry.record.pointers import parts, pointer
from registry.record.validate import validate
from registry.structs import copy_as

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
            lang=words.language,
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
