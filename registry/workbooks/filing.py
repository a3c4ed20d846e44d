"""Filing the records of a workbook as drafts, each for itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec

from registry.errors import (
    Conflict,
    Forbidden,
    InvalidRecord,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from registry.record.canonical import canonical
from registry.record.ids import is_id
from registry.record.messages import message
from registry.record.model import NOT_STATED, Document
from registry.record.pointers import dig
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing import drafts
from registry.services.filing.drafts import Precondition
from registry.services.filing.working_records import RecordState, read_states, without_change_note
from registry.services.people.access import Actor
from registry.workbooks.answer import (
    DETAILS,
    WorkbookOutcome,
    WorkbookRecord,
    check,
    repeated,
    result,
)
from registry.workbooks.cells import DerivedCell, FilledRecord, Unread, WorkbookWords, keep_missing
from registry.workbooks.reading import ReadSheet


def check_workbook(
    sheets: Sequence[ReadSheet], words: WorkbookWords, today: dt.date
) -> list[WorkbookRecord]:
    """Return what publication asks of each record by its own rules; nothing is saved."""
    found: list[WorkbookRecord] = []
    for read in sheets:
        found += [check(one, words, today) for one in read.records] or [_left_out(read)]
    return found


async def file_workbook(
    context: ServiceContext,
    actor: Actor,
    sheets: Sequence[ReadSheet],
    words: WorkbookWords,
    *,
    now: dt.datetime,
) -> list[WorkbookRecord]:
    """Save each record of a workbook as a draft of its agency, and return what became of each.

    One that cannot be read as a whole, or was changed since the sheet was made, is not saved; the
    others are. Nothing is written for a record that stands in the register as it stands here.
    """
    policy.require_scope(actor, "file")
    filled = [one for read in sheets for one in read.records]
    before = repeated(filled)
    known = [one.record for one in filled if is_id(one.record)]
    states = await read_states(context, actor, known)
    filer = _WorkbookFiler(context, actor, words, now)
    found: list[WorkbookRecord] = []
    number = 0
    for read in sheets:
        if not read.records:
            found.append(_left_out(read))
        for one in read.records:
            if number in before:
                earlier = before[number]
                twice = message(
                    DETAILS["twice"].message, sheet=earlier.sheet, cell=earlier.home.name
                )
                found.append(result(one, words, "refused", twice))
            else:
                found.append(await filer.file(one, states.get(one.record)))
            number += 1
    return found


class _WorkbookFiler:
    def __init__(
        self, context: ServiceContext, actor: Actor, words: WorkbookWords, now: dt.datetime
    ) -> None:
        self.context = context
        self.actor = actor
        self.words = words
        self.now = now

    async def file(self, filled: FilledRecord, state: RecordState | None) -> WorkbookRecord:
        words = self.words
        if filled.is_blank:
            return check(filled, words, words.pack.day(self.now))
        document = filled.document
        if state is not None:
            document = keep_missing(filled, state.document)
        filled = _with_contradictions(filled, document, state, words)
        if filled.unread:
            return await self._checked(filled, document)
        if state is not None and _stands(filled, document, state):
            return result(
                filled,
                words,
                "unchanged",
                DETAILS["unchanged"],
                tag=state.published_tag,
                publishable=True,
            )
        if not is_id(filled.record):
            return await self._checked(filled, document, "invalid")
        return await self._save(filled, document, state)

    async def _checked(
        self, filled: FilledRecord, document: Document, detail: str = "unread"
    ) -> WorkbookRecord:
        """Return what is wrong with a record that is not saved; others need not wait for it."""
        today = self.words.pack.day(self.now)
        return await self.context.by_size(
            2 * len(canonical(document)),
            check,
            filled,
            self.words,
            today,
            document=document,
            detail=detail,
        )

    async def _save(
        self, filled: FilledRecord, document: Document, state: RecordState | None
    ) -> WorkbookRecord:
        words = self.words
        try:
            saved = await drafts.save_draft(
                self.context,
                self.actor,
                filled.record,
                document,
                precondition=Precondition(new=filled.tag is None, tag=filled.tag),
                now=self.now,
                language=words.language,
            )
        except InvalidRecord as error:
            return result(
                filled,
                words,
                "refused",
                DETAILS["invalid"],
                findings=error.findings,
                total=error.findings_total,
            )
        except (PreconditionFailed, PreconditionRequired):
            detail = "exists" if filled.tag is None else "stale"
            return await self._checked(filled, document, detail)
        except Conflict:
            return await self._checked(filled, document, "in_review")
        except (Forbidden, NotFound):
            return await self._checked(filled, document, "foreign")
        verdict = saved.verdict
        same = state is not None and state.is_draft and state.content == canonical(document)
        outcome: WorkbookOutcome = (
            "created" if saved.created else "unchanged" if same else "changed"
        )
        return result(
            filled,
            words,
            outcome,
            DETAILS[outcome],
            findings=verdict.findings,
            total=verdict.findings_total,
            tag=saved.draft.tag,
            publishable=verdict.publishable,
            completeness=verdict.completeness,
        )


def _stands(filled: FilledRecord, document: Document, state: RecordState) -> bool:
    """Return whether a document is in force as it stands, and its sheet was made of that version.

    A form that nobody has changed has no change note.
    With a draft beside it, another sheet would mean to take the draft back to that.
    """
    if state.published is None:
        return False
    in_force = msgspec.json.decode(state.published)
    if document not in (in_force, without_change_note(in_force)):
        return False
    return not state.is_draft or filled.tag == state.published_tag


def _with_contradictions(
    filled: FilledRecord, document: Document, state: RecordState | None, words: WorkbookWords
) -> FilledRecord:
    """Return the record with the cells that were changed although others decide.

    A label beside a code, or a column that the export takes from another, is read by nobody: if it
    alone was changed, somebody meant the other.
    """
    before: Document = {} if state is None else state.document
    found: list[Unread] = []
    for cell in filled.derived:
        value = dig(document, *cell.path)
        if value != dig(before, *cell.path) or _says(cell, value, words):
            continue
        saying = message(
            "This column follows from {column}, which says something else. Change that one.",
            column=cell.column,
        )
        found.append(Unread(place=cell.place, path=cell.path, message=words.render(saying)))
    return msgspec.structs.replace(filled, unread=(*filled.unread, *found)) if found else filled


def _says(cell: DerivedCell, value: Any, words: WorkbookWords) -> bool:
    """Return whether a cell says of a value what it is, in whatever language."""
    if not cell.lists:
        return isinstance(value, dict) and cell.text in value.values()
    if value is None:
        return cell.text == NOT_STATED
    codes = value if isinstance(value, list) else [value]
    return all(words.code(cell.lists, part) in codes for part in cell.text.split(";"))


def _left_out(read: ReadSheet) -> WorkbookRecord:
    return WorkbookRecord(
        sheet=read.sheet.name,
        cell="A1",
        record=None,
        outcome="left_out",
        detail=read.left_out,
    )
