"""Workbooks to fill in: of new records, or of the newest states of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, cast

import msgspec

from registry.exchange.export_columns import ExportRow, LabelSource, field_columns, table_columns
from registry.exchange.workbooks.form_making import FORM_INSTRUCTIONS, make_form
from registry.exchange.workbooks.sheets import SheetCell
from registry.exchange.workbooks.table import TAG
from registry.exchange.workbooks.words import WorkbookWords, choices_of
from registry.exchange.workbooks.writing import SheetNotes, TableSheet, WorkbookWriter
from registry.log.register import Register
from registry.record.ids import split_id
from registry.record.model import Document
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.working_records import require_states, without_change_note

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
            choices[number] = [code for one in lists for code in words.choices(one)]
    return TableSheet(name=words.say("Records"), rows=rows, choices=choices)


def _cell(cell: object) -> SheetCell:
    if cell is None:
        return ""
    return cell if isinstance(cell, str | bool | int | float) else str(cell)
