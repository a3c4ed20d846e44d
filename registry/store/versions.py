"""New versions, written with all that belongs to them and the log's entries, in one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import msgspec

from registry.errors import Finding
from registry.record.model import LangText
from registry.record.search_document import SearchDocument
from registry.record.sections import Section
from registry.store.audit import Act
from registry.store.database import Connection
from registry.store.drafts import Draft
from registry.store.idempotency import StoredResponse
from registry.store.log import LogState
from registry.store.search_rows import columns
from registry.store.sql import statement
from registry.store.version_facts import VersionFacts
from registry.tlog.compact import CompactRange

_JSON = msgspec.json.Encoder()
_VALUES = 35


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version about to be written; `content` and `leaf` are the bytes and hash of its entry.

    `source_row` is JSON text of a foreign record's source.
    """

    record: str
    agency: str
    origin: str | None
    version: int
    entry: int
    published_at: dt.datetime
    content: bytes
    leaf: bytes
    schema_version: str
    rule_set: str
    actor: str
    approved_by: str | None
    completeness: int
    accountability: int
    missing: Sequence[str]
    findings: Sequence[Finding]
    change_note: LangText | None
    source_row: str | None
    truncated: Sequence[str]
    sections: Sequence[Section]
    figure: VersionFacts
    keys: Sequence[int]
    row: SearchDocument


class SideEffects(msgspec.Struct, frozen=True, kw_only=True):
    """What is done together with versions: drafts go, acts are noted, answers kept."""

    drafts: Sequence[Draft] = ()
    acts: Sequence[Act] = ()
    answers: Sequence[StoredResponse] = ()


async def insert(
    connection: Connection,
    versions: Sequence[VersionRow],
    beside: SideEffects,
    *,
    before: LogState,
    after: CompactRange,
) -> bool:
    """Write versions, each record at most once, with their sections, entries and the log's state.

    Everything happens if the log is as it was `before`, and so are the drafts; else nothing, and
    the answer is False. `after` is what the log's tree becomes.
    """
    sections = [
        (new.record, new.version, *msgspec.structs.astuple(section))
        for new in versions
        for section in new.sections
    ]
    try:
        written = await connection.fetchval(
            statement("versions", "insert"),
            *_columns(map(_values, versions), _VALUES),
            before.range.size,
            before.erasures,
            after.size,
            after.packed(),
            *_columns(sections, 6),
            *_columns(
                ((one.record, one.tag, one.state, one.submitted_by) for one in beside.drafts), 4
            ),
            *_columns(map(msgspec.structs.astuple, beside.acts), 8),
            *_columns(map(msgspec.structs.astuple, beside.answers), 6),
            *_columns(((key, new.record) for new in versions for key in new.keys), 2),
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "answer_pkey":
            raise
        # Another request with the same key was faster: who begins anew finds its answer.
        raise asyncpg.SerializationError("the key was answered meanwhile") from error
    return written is not None


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[tuple[Any, ...]]:
    """Turn rows into columns, as many as they have even where there is no row."""
    return list(zip(*rows, strict=True)) or [()] * width


def _values(new: VersionRow) -> tuple[Any, ...]:
    """List a version's values in the order of the statement."""
    figure = new.figure
    _, *row = columns(new.row)
    return (
        new.record,
        new.agency,
        new.origin,
        new.version,
        new.entry,
        new.published_at,
        new.content,
        new.leaf,
        new.schema_version,
        new.rule_set,
        new.actor,
        new.approved_by,
        new.completeness,
        new.accountability,
        _json(new.missing),
        _json(new.findings),
        None if new.change_note is None else _json(new.change_note),
        new.source_row,
        _json(new.truncated),
        figure.risk,
        figure.risk_before,
        figure.risk_change,
        figure.sector,
        figure.status,
        figure.personal_data,
        figure.next_review_on,
        _json(figure.rules),
        _json(figure.withheld),
        figure.restricted,
        *row,
    )


def _json(value: Any) -> str:
    return _JSON.encode(value).decode()
